"""API Gateway's control plane for REST APIs, beyond the APIs themselves: certificates, files of keys, usage, models' forms, and
authorizers that are tried out."""

import json

import pytest
from botocore.exceptions import ClientError
from test_apigateway import call, mock
from test_execute_api import function_uri
from test_lambda_code import Functions


@pytest.fixture
def apigateway(server):
    return server.client("apigateway")


def refusal(operation, **arguments):
    with pytest.raises(ClientError) as refused:
        operation(**arguments)
    return refused.value.response["Error"]["Code"]


def test_a_client_certificate_is_named_by_a_stage(apigateway):
    made = apigateway.generate_client_certificate(description="mine", tags={"k": "v"})
    id = made["clientCertificateId"]
    assert made["pemEncodedCertificate"].startswith("-----BEGIN CERTIFICATE-----")
    assert (made["expirationDate"] - made["createdDate"]).days == 365
    changed = apigateway.update_client_certificate(
        clientCertificateId=id, patchOperations=[{"op": "replace", "path": "/description", "value": "ours"}]
    )
    assert (changed["description"], changed["pemEncodedCertificate"]) == ("ours", made["pemEncodedCertificate"])
    assert id in [one["clientCertificateId"] for one in apigateway.get_client_certificates()["items"]]
    arn = f"arn:aws:apigateway:us-east-1::/clientcertificates/{id}"
    assert apigateway.get_tags(resourceArn=arn)["tags"] == {"k": "v"}

    api = mock(apigateway, '{"statusCode": 200}')
    patch = {"op": "replace", "path": "/clientCertificateId", "value": id}
    of = {"restApiId": api["id"], "stageName": "dev"}
    assert apigateway.update_stage(**of, patchOperations=[patch])["clientCertificateId"] == id
    assert refusal(apigateway.update_stage, **of, patchOperations=[{**patch, "value": "none"}]) == "BadRequestException"
    apigateway.delete_client_certificate(clientCertificateId=id)
    assert refusal(apigateway.get_client_certificate, clientCertificateId=id) == "NotFoundException"


def test_a_stack_s_client_certificate(server, apigateway):
    template = """
Resources:
  Certificate: {Type: AWS::ApiGateway::ClientCertificate, Properties: {Description: from a stack}}
Outputs:
  Id: {Value: !GetAtt Certificate.ClientCertificateId}
"""
    cloudformation = server.client("cloudformation")
    cloudformation.create_stack(StackName="certificate", TemplateBody=template)
    cloudformation.get_waiter("stack_create_complete").wait(StackName="certificate", WaiterConfig={"Delay": 1})
    (output,) = cloudformation.describe_stacks(StackName="certificate")["Stacks"][0]["Outputs"]
    found = apigateway.get_client_certificate(clientCertificateId=output["OutputValue"])
    assert found["description"] == "from a stack"
    cloudformation.delete_stack(StackName="certificate")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="certificate", WaiterConfig={"Delay": 1})
    assert refusal(apigateway.get_client_certificate, clientCertificateId=output["OutputValue"]) == "NotFoundException"


def test_keys_come_from_a_file(apigateway):
    plan = apigateway.create_usage_plan(name="p")["id"]
    file = (
        "Name,key,Color,description,Enabled,usageplanIds\n"
        f'first,first-key-0123456789,red,An imported key,TRUE,"{plan}, nothere"\n'
        "second,second-key-0123456789,blue,,false,\n"
    )
    made = apigateway.import_api_keys(body=file.encode(), format="csv")
    first, second = (apigateway.get_api_key(apiKey=id, includeValue=True) for id in made["ids"])
    assert (first["name"], first["value"], first["enabled"]) == ("first", "first-key-0123456789", True)
    assert (second["enabled"], second.get("description")) == (False, None)
    assert [key["id"] for key in apigateway.get_usage_plan_keys(usagePlanId=plan)["items"]] == [first["id"]]
    assert len(made["warnings"]) == 1
    # A key that is there already is changed.
    again = apigateway.import_api_keys(body=b"key,name\nsecond-key-0123456789,renamed\n", format="csv")
    assert again["ids"] == [second["id"]]
    assert apigateway.get_api_key(apiKey=second["id"])["name"] == "renamed"
    strict = {"body": file.replace("first-key", "third-key").encode(), "format": "csv", "failOnWarnings": True}
    before = len(apigateway.get_api_keys()["items"])
    assert refusal(apigateway.import_api_keys, **strict) == "BadRequestException"
    assert refusal(apigateway.import_api_keys, body=b"name\nx\n", format="csv") == "BadRequestException"
    assert len(apigateway.get_api_keys()["items"]) == before


def test_what_a_key_used_is_told_by_the_day(start):
    server = start("--clock", "frozen=2026-03-02T12:00:00Z")
    apigateway = server.client("apigateway")
    api = mock(apigateway, '{"statusCode": 200}', "ok", apiKeyRequired=True)
    plan = apigateway.create_usage_plan(
        name="p",
        apiStages=[{"apiId": api["id"], "stage": "dev"}],
        quota={"limit": 3, "period": "WEEK"},
    )["id"]
    key = apigateway.create_api_key(name="k", enabled=True, value="a-key-of-twenty-chars")
    apigateway.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    headers = {"X-Api-Key": key["value"]}
    assert [call(server, api["id"], "/", headers=headers)[0] for _ in range(2)] == [200, 200]
    server.admin("POST", "clock/advance", {"seconds": 86400})
    assert call(server, api["id"], "/", headers=headers)[0] == 200
    assert call(server, api["id"], "/", headers=headers)[0] == 429
    told = apigateway.get_usage(usagePlanId=plan, startDate="2026-03-01", endDate="2026-03-04")
    # Weeks begin on Sunday, the first of March.
    assert told["items"] == {key["id"]: [[0, 3], [2, 1], [1, 0], [0, 0]]}
    more = [{"op": "replace", "path": "/remaining", "value": "2"}]
    told = apigateway.update_usage(usagePlanId=plan, keyId=key["id"], patchOperations=more)
    assert told["items"] == {key["id"]: [[1, 2]]}
    assert [call(server, api["id"], "/", headers=headers)[0] for _ in range(3)] == [200, 200, 429]
    wrong = {"usagePlanId": plan, "startDate": "2026-03-04", "endDate": "2026-03-01"}
    assert refusal(apigateway.get_usage, **wrong) == "BadRequestException"


def test_models_as_templates_and_in_one_piece(apigateway):
    api = apigateway.create_rest_api(name="models")["id"]

    def model(name, schema):
        apigateway.create_model(
            restApiId=api, name=name, contentType="application/json", schema=json.dumps(schema)
        )

    reference = {"$ref": f"https://apigateway.amazonaws.com/restapis/{api}/models/Pet"}
    model("Pet", {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}})
    model("Pets", {"type": "array", "items": reference})
    template = apigateway.get_model_template(restApiId=api, modelName="Pet")["value"]
    assert template == "#set($inputRoot = $input.path('$'))\n{\n  \"id\" : 42,\n  \"name\" : \"foo\"\n}"
    flat = json.loads(apigateway.get_model(restApiId=api, modelName="Pets", flatten=True)["schema"])
    assert flat["items"] == {"$ref": "#/definitions/Pet"}
    assert flat["definitions"]["Pet"]["properties"]["id"] == {"type": "integer"}
    assert json.loads(apigateway.get_model(restApiId=api, modelName="Pets")["schema"])["items"] == reference


def test_an_authorizer_is_tried_out(server, apigateway):
    Functions(server).python(
        "def handler(event, context):\n"
        "    if event['authorizationToken'] == 'who':\n"
        "        raise Exception('Unauthorized')\n"
        "    statement = {'Effect': 'Deny', 'Action': 'execute-api:Invoke', 'Resource': event['methodArn']}\n"
        "    policy = {'Version': '2012-10-17', 'Statement': [statement]}\n"
        "    return {'principalId': event['authorizationToken'], 'policyDocument': policy}\n"
    )
    api = apigateway.create_rest_api(name="a")["id"]
    authorizer = apigateway.create_authorizer(
        restApiId=api,
        name="f",
        type="TOKEN",
        authorizerUri=function_uri(),
        identitySource="method.request.header.Auth",
    )["id"]
    of = {"restApiId": api, "authorizerId": authorizer}
    tried = apigateway.test_invoke_authorizer(**of, headers={"Auth": "ana"})
    assert (tried["clientStatus"], tried["principalId"]) == (0, "ana")
    (statement,) = json.loads(tried["policy"])["Statement"]
    assert statement["Resource"].endswith(f":{api}/test-invoke-stage/GET/")
    assert "Incoming identity: ana" in tried["log"]
    assert apigateway.test_invoke_authorizer(**of, headers={"Auth": "who"})["clientStatus"] == 401
    assert apigateway.test_invoke_authorizer(**of)["clientStatus"] == 401
    assert refusal(apigateway.test_invoke_authorizer, restApiId=api, authorizerId="none") == "NotFoundException"
