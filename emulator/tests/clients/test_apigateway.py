"""API Gateway's REST APIs with boto3, and plain HTTP requests to them."""

import json
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def apigateway(server):
    return server.client("apigateway")


def call(server, api, path, method="GET", headers=None, body=None, stage="dev"):
    """A request to an API: status, headers, body."""
    url = f"{server.url}/_aws/execute-api/{api}/{stage}{path}"
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def mock(apigateway, template, response="", method="GET", **options):
    """An API whose root answers by itself; it is deployed to `dev`."""
    made = apigateway.create_rest_api(name="mocks")
    of = {"restApiId": made["id"], "resourceId": made["rootResourceId"], "httpMethod": method}
    apigateway.put_method(**of, authorizationType="NONE", **options)
    apigateway.put_method_response(**of, statusCode="200")
    apigateway.put_integration(**of, type="MOCK", requestTemplates={"application/json": template})
    apigateway.put_integration_response(
        **of, statusCode="200", responseTemplates={"application/json": response}
    )
    apigateway.create_deployment(restApiId=made["id"], stageName="dev")
    return made


def test_an_api_is_created_changed_and_deleted(apigateway):
    made = apigateway.create_rest_api(name="pets", description="all of them")
    assert made["endpointConfiguration"]["types"] == ["EDGE"]
    changed = apigateway.update_rest_api(
        restApiId=made["id"],
        patchOperations=[
            {"op": "add", "path": "/binaryMediaTypes/image~1png"},
            {"op": "replace", "path": "/name", "value": "toys"},
        ],
    )
    assert changed["binaryMediaTypes"] == ["image/png"]
    assert changed["name"] == "toys"
    apigateway.delete_rest_api(restApiId=made["id"])
    with pytest.raises(ClientError) as refused:
        apigateway.get_rest_api(restApiId=made["id"])
    assert refused.value.response["Error"]["Code"] == "NotFoundException"
    assert refused.value.response["Error"]["Message"].endswith(f":{made['id']}")


def test_a_mock_answers_by_its_templates(server, apigateway):
    api = mock(apigateway, '{"statusCode": 200}', '{"name": "$input.params(\'name\')", "stage": "$context.stage"}')
    status, headers, body = call(server, api["id"], "/?name=rex")
    assert (status, json.loads(body)) == (200, {"name": "rex", "stage": "dev"})
    assert headers["x-amzn-RequestId"]
    assert headers["x-amz-apigw-id"]


def test_a_deployment_is_a_picture(server, apigateway):
    api = mock(apigateway, '{"statusCode": 200}', "before")
    apigateway.update_integration_response(
        restApiId=api["id"],
        resourceId=api["rootResourceId"],
        httpMethod="GET",
        statusCode="200",
        patchOperations=[{"op": "replace", "path": "/responseTemplates/application~1json", "value": "after"}],
    )
    assert call(server, api["id"], "/")[2] == "before"
    apigateway.create_deployment(restApiId=api["id"], stageName="dev")
    assert call(server, api["id"], "/")[2] == "after"


def test_the_gateway_itself_answers(server, apigateway):
    api = mock(apigateway, '{"statusCode": 200}')
    status, headers, body = call(server, api["id"], "/nothing/here")
    assert (status, json.loads(body)) == (403, {"message": "Missing Authentication Token"})
    assert headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"
    status, _, body = call(server, api["id"], "/", stage="prod")
    assert (status, json.loads(body)) == (403, {"message": "Forbidden"})


def test_a_key_is_required_and_its_quota_ends(server, apigateway):
    api = mock(apigateway, '{"statusCode": 200}', "ok", apiKeyRequired=True)
    assert call(server, api["id"], "/")[0] == 403
    key = apigateway.create_api_key(name="k", enabled=True)
    plan = apigateway.create_usage_plan(
        name="p",
        apiStages=[{"apiId": api["id"], "stage": "dev"}],
        quota={"limit": 2, "period": "DAY"},
    )
    apigateway.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
    with_key = {"x-api-key": key["value"]}
    assert [call(server, api["id"], "/", headers=with_key)[0] for _ in range(3)] == [200, 200, 429]


def test_an_openapi_document_is_imported(server, apigateway):
    document = {
        "swagger": "2.0",
        "info": {"title": "imported", "version": "1"},
        "paths": {
            "/pets/{id}": {
                "get": {
                    "responses": {"200": {"description": "ok"}},
                    "x-amazon-apigateway-integration": {
                        "type": "mock",
                        "requestTemplates": {"application/json": '{"statusCode": 200}'},
                        "responses": {
                            "default": {
                                "statusCode": "200",
                                "responseTemplates": {"application/json": "$input.params('id')"},
                            }
                        },
                    },
                }
            }
        },
    }
    api = apigateway.import_rest_api(body=json.dumps(document).encode())
    assert api["name"] == "imported"
    apigateway.create_deployment(restApiId=api["id"], stageName="dev")
    assert call(server, api["id"], "/pets/7")[2] == "7"


def test_a_stage_is_exported_and_imported_again(apigateway):
    integration = {
        "type": "mock",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {"default": {"statusCode": "200", "responseParameters": {"method.response.header.X-A": "'a'"}}},
    }
    document = {
        "swagger": "2.0",
        "info": {"title": "pets", "version": "7"},
        "x-amazon-apigateway-binary-media-types": ["image/png"],
        "securityDefinitions": {"key": {"type": "apiKey", "name": "x-api-key", "in": "header"}},
        "definitions": {
            "Pet": {"type": "object", "properties": {"kind": {"$ref": "#/definitions/Kind"}}},
            "Kind": {"type": "string"},
            "Unused": {"type": "string"},
        },
        "paths": {
            "/pets/{id}": {
                "post": {
                    "operationId": "MakePet",
                    "consumes": ["application/json"],
                    "parameters": [
                        {"in": "query", "name": "q", "required": True, "type": "string"},
                        {"in": "body", "name": "Pet", "schema": {"$ref": "#/definitions/Pet"}},
                    ],
                    "security": [{"key": []}],
                    "responses": {"200": {"headers": {"X-A": {"type": "string"}}}},
                    "x-amazon-apigateway-integration": integration,
                }
            }
        },
    }

    def export(body, kind, **parameters):
        made = apigateway.import_rest_api(body=json.dumps(body).encode(), failOnWarnings=True)
        apigateway.create_deployment(restApiId=made["id"], stageName="dev")
        told = apigateway.get_export(
            restApiId=made["id"], stageName="dev", exportType=kind, parameters=parameters
        )
        assert told["contentDisposition"] == f'attachment; filename="{kind}_7.json"'
        assert told["contentType"] == "application/octet-stream"
        return json.loads(told["body"].read().decode().replace(made["id"], "ID"))

    plain = export(document, "oas30")
    post = plain["paths"]["/pets/{id}"]["post"]
    assert [(each["name"], each["in"], each["required"]) for each in post["parameters"]] == [
        ("id", "path", True),
        ("q", "query", True),
    ]
    assert post["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Pet"}
    assert "x-amazon-apigateway-integration" not in post
    assert set(plain["components"]["schemas"]) == {"Pet", "Kind"}
    for kind, member in (("swagger", "definitions"), ("oas30", "components")):
        whole = export(document, kind, extensions="apigateway")
        assert whole["paths"]["/pets/{id}"]["post"]["x-amazon-apigateway-integration"] == {
            **integration,
            "passthroughBehavior": "when_no_match",
        }
        assert whole["x-amazon-apigateway-binary-media-types"] == ["image/png"]
        assert member in whole
        assert export(whole, kind, extensions="apigateway") == whole
    made = mock(apigateway, '{"statusCode": 200}')
    with pytest.raises(ClientError) as refused:
        apigateway.get_export(restApiId=made["id"], stageName="none", exportType="oas30")
    assert refused.value.response["Error"]["Message"] == "Invalid stage identifier specified"
    with pytest.raises(ClientError) as refused:
        apigateway.get_export(restApiId=made["id"], stageName="dev", exportType="raml")
    assert refused.value.response["Error"]["Message"] == "No API exporter for type 'raml'"


def test_an_integration_with_a_service_needs_a_role_of_the_account(apigateway):
    made = apigateway.create_rest_api(name="a")
    of = {"restApiId": made["id"], "resourceId": made["rootResourceId"], "httpMethod": "GET"}
    apigateway.put_method(**of, authorizationType="none")
    assert apigateway.get_method(**of)["authorizationType"] == "NONE"

    def refusal(**more):
        uri = "arn:aws:apigateway:us-east-1:s3:path/b/k"
        with pytest.raises(ClientError) as refused:
            apigateway.put_integration(**of, type="AWS", integrationHttpMethod="GET", uri=uri, **more)
        return refused.value.response["Error"]["Message"]

    assert refusal() == "Role ARN must be specified for AWS integrations"
    assert refusal(credentials="arn:aws:iam::000000000001:role/r") == "Cross-account pass role is not allowed."


def test_what_an_endpoint_may_be(apigateway):
    def refusal(**endpoint):
        with pytest.raises(ClientError) as refused:
            apigateway.create_rest_api(name="a", endpointConfiguration=endpoint)
        return refused.value.response["Error"]["Message"]

    assert refusal(types=[]) == "REGIONAL Configuration and EDGE Configuration cannot be both DISABLED."
    assert refusal(types=["EDGE", "REGIONAL"]) == "Cannot create an api with multiple Endpoint Types."
    made = apigateway.create_rest_api(name="a")
    private = [{"op": "replace", "path": "/endpointConfiguration/types/EDGE", "value": "PRIVATE"}]
    changed = apigateway.update_rest_api(restApiId=made["id"], patchOperations=private)
    assert changed["endpointConfiguration"] == {"types": ["PRIVATE"], "ipAddressType": "dualstack"}


def test_settings_of_a_stage(apigateway):
    made = mock(apigateway, '{"statusCode": 200}')
    stage = {"restApiId": made["id"], "stageName": "dev"}

    def update(*operations):
        return apigateway.update_stage(**stage, patchOperations=list(operations))

    with pytest.raises(ClientError) as refused:
        update({"op": "replace", "path": "/accessLogSettings/other", "value": "x"})
    assert "Must be one of : [/accessLogSettings/destinationArn" in refused.value.response["Error"]["Message"]
    promoted = update(
        {"op": "replace", "path": "/canarySettings/percentTraffic", "value": "0.0"},
        {"op": "copy", "from": "/canarySettings/deploymentId", "path": "/deploymentId"},
    )
    assert promoted["deploymentId"] == promoted["canarySettings"]["deploymentId"] != ""


def test_a_documentation_version_is_described(apigateway):
    made = apigateway.create_rest_api(name="a")
    version = {"restApiId": made["id"], "documentationVersion": "1"}
    apigateway.create_documentation_version(**version)
    apigateway.update_documentation_version(
        **version, patchOperations=[{"op": "replace", "path": "/description", "value": "the first"}]
    )
    assert apigateway.get_documentation_version(**version)["description"] == "the first"
