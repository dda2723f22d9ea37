"""Custom domain names: APIs of all three kinds below them, as clients reach them by the Host header."""

import asyncio
import json
import urllib.error
import urllib.request

import pytest
import websockets
from test_apigateway import mock
from test_apigatewayv2 import Echo, proxy
from test_execute_api import ECHO, deploy, document, function_uri
from test_lambda_code import Functions
from test_websocket import Chat

DOMAIN = "api.example.com"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/4c2a1f9e-0000-4000-8000-000000000000"
REGIONAL = [{"CertificateArn": CERTIFICATE, "EndpointType": "REGIONAL"}]


@pytest.fixture
def apigateway(server):
    return server.client("apigateway")


@pytest.fixture
def apis(server):
    return server.client("apigatewayv2")


def ask(server, path, host=DOMAIN, headers=None):
    """Status and body of an answer, and its headers."""
    request = urllib.request.Request(f"{server.url}{path}", headers={"Host": host, **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode(), refused.headers


def echo_function(server):
    Functions(server).python(ECHO)
    server.client("lambda").add_permission(
        FunctionName="f", StatementId="s", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )


def named(apigateway, name=DOMAIN):
    apigateway.create_domain_name(
        domainName=name, regionalCertificateArn=CERTIFICATE, endpointConfiguration={"types": ["REGIONAL"]}
    )


def test_a_rest_api_is_reached_below_its_base_path(server, apigateway):
    echo_function(server)
    api = deploy(apigateway, document({"type": "aws_proxy", "httpMethod": "POST", "uri": function_uri()}))
    named(apigateway)
    apigateway.create_base_path_mapping(domainName=DOMAIN, basePath="v1", restApiId=api["id"], stage="dev")
    status, body, _ = ask(server, "/v1/pets/7?a=1")
    event = json.loads(body)
    context = event["requestContext"]
    assert (status, event["path"], event["pathParameters"]) == (200, "/v1/pets/7", {"proxy": "pets/7"})
    assert (context["path"], context["stage"]) == ("/v1/pets/7", "dev")
    assert (context["domainName"], context["domainPrefix"]) == (DOMAIN, "api")
    assert event["headers"]["Host"] == DOMAIN

    for path in ("/v2/pets/7", "/", "/v10/pets/7"):
        status, body, headers = ask(server, path)
        assert (status, body) == (403, '{"message":"Forbidden"}'), path
        assert headers["x-amzn-errortype"] == "ForbiddenException"

    # A mapping without a stage leaves it to the path, where it stays in what functions are told.
    apigateway.create_base_path_mapping(domainName=DOMAIN, restApiId=api["id"])
    event = json.loads(ask(server, "/dev/pets/8")[1])
    assert (event["path"], event["requestContext"]["path"]) == ("/dev/pets/8", "/dev/pets/8")
    assert event["pathParameters"] == {"proxy": "pets/8"}
    assert ask(server, "/other/pets/8")[0] == 403

    apigateway.delete_base_path_mapping(domainName=DOMAIN, basePath="v1")
    assert ask(server, "/v1/pets/7")[0] == 403
    apigateway.delete_domain_name(domainName=DOMAIN)


def test_a_wildcard_is_for_all_names_that_have_no_entry_of_their_own(server, apigateway):
    wild = mock(apigateway, '{"statusCode": 200}', "$context.domainName $context.domainPrefix")
    own = mock(apigateway, '{"statusCode": 200}', "own")
    named(apigateway, "*.example.org")
    named(apigateway, "a.example.org")
    for name, api in (("*.example.org", wild), ("a.example.org", own)):
        apigateway.create_base_path_mapping(
            domainName=name, basePath="(none)", restApiId=api["id"], stage="dev"
        )
    assert ask(server, "/", "b.example.org:4566")[:2] == (200, "b.example.org b")
    assert ask(server, "/", "A.example.org")[:2] == (200, "own")
    named(apigateway, "shop.localhost")
    apigateway.create_base_path_mapping(domainName="shop.localhost", restApiId=own["id"], stage="dev")
    assert ask(server, "/", "shop.localhost:4566")[:2] == (200, "own")
    # A name that nobody made is no API's: without a signature it is S3's.
    assert "NoSuchBucket" in ask(server, "/bucket", "b.c.example.org")[1]


def test_the_default_endpoint_can_be_closed(server, apigateway, apis):
    api = mock(apigateway, '{"statusCode": 200}', "there")
    named(apigateway)
    apigateway.create_base_path_mapping(domainName=DOMAIN, restApiId=api["id"], stage="dev")
    apigateway.update_rest_api(
        restApiId=api["id"],
        patchOperations=[{"op": "replace", "path": "/disableExecuteApiEndpoint", "value": "true"}],
    )
    default = f"{api['id']}.execute-api.us-east-1.amazonaws.com"
    assert ask(server, "/dev", default)[:2] == (403, '{"message":"Forbidden"}')
    assert ask(server, "/")[:2] == (200, "there")

    function = Functions(server).python("def handler(event, context):\n    return 'there'\n")
    closed = apis.create_api(
        Name="h", ProtocolType="HTTP", Target=function["FunctionArn"], DisableExecuteApiEndpoint=True
    )["ApiId"]
    apis.create_domain_name(DomainName="h.example.com", DomainNameConfigurations=REGIONAL)
    apis.create_api_mapping(DomainName="h.example.com", ApiId=closed, Stage="$default")
    default = f"{closed}.execute-api.us-east-1.amazonaws.com"
    assert ask(server, "/x", default)[:2] == (404, '{"message":"Not Found"}')
    assert ask(server, "/x", "h.example.com")[:2] == (200, "there")


def test_keys_of_several_levels_lead_to_rest_apis_too(apigateway, apis, server):
    """As at AWS, it is the second API that makes them, for domain names of either."""
    items = mock(apigateway, '{"statusCode": 200}', "items")
    named(apigateway, "rest.example.com")
    apis.create_domain_name(DomainName="second.example.com", DomainNameConfigurations=REGIONAL)
    for name in ("rest.example.com", "second.example.com"):
        made = apis.create_api_mapping(
            DomainName=name, ApiId=items["id"], Stage="dev", ApiMappingKey="orders/v1/items"
        )
        assert ask(server, "/orders/v1/items", name)[:2] == (200, "items")
        assert ask(server, "/orders/v1", name)[0] == 403
        apis.delete_api_mapping(DomainName=name, ApiMappingId=made["ApiMappingId"])
    apis.create_api_mapping(DomainName="rest.example.com", ApiId=items["id"], Stage="dev")
    apigateway.delete_domain_name(domainName="rest.example.com")
    assert ask(server, "/", "rest.example.com")[:2] != (200, "items")
    with pytest.raises(apis.exceptions.NotFoundException):
        apis.create_api_mapping(DomainName="second.example.com", ApiId="nothere", Stage="dev")


def http_api(apis, function, version, stage="prod"):
    api = apis.create_api(Name=version, ProtocolType="HTTP")["ApiId"]
    apis.create_route(ApiId=api, RouteKey="GET /pets/{id}", Target=proxy(apis, api, function, version))
    apis.create_stage(ApiId=api, StageName=stage, AutoDeploy=True)
    return api


def test_http_apis_share_a_domain_name(server, apis):
    function = Functions(server).python(ECHO.replace('event["httpMethod"]', "'GET'"))
    second, first = http_api(apis, function, "2.0"), http_api(apis, function, "1.0")
    apis.create_domain_name(DomainName=DOMAIN, DomainNameConfigurations=REGIONAL)
    apis.create_api_mapping(DomainName=DOMAIN, ApiId=second, Stage="prod", ApiMappingKey="shop/v2")
    apis.create_api_mapping(DomainName=DOMAIN, ApiId=first, Stage="prod", ApiMappingKey="shop")

    status, body, _ = ask(server, "/shop/v2/pets/7")
    event = json.loads(body)
    # Format 2.0 tells the stage and not the key.
    assert (status, event["rawPath"], event["pathParameters"]) == (200, "/prod/pets/7", {"id": "7"})
    context = event["requestContext"]
    assert (context["domainName"], context["domainPrefix"], context["apiId"]) == (DOMAIN, "api", second)
    event = json.loads(ask(server, "/shop/pets/7")[1])
    assert (event["path"], event["requestContext"]["path"]) == ("/shop/pets/7", "/shop/pets/7")
    assert event["requestContext"]["apiId"] == first

    assert ask(server, "/shop/other")[:2] == (404, '{"message":"Not Found"}')
    assert ask(server, "/none")[:2] == (403, '{"message":"Forbidden"}')
    apis.delete_domain_name(DomainName=DOMAIN)


def test_a_websocket_api_is_reached_by_its_domain_name(server, apis):
    with Echo() as echo:
        reach = server
        chat = Chat(reach, echo)
        apis.update_api(ApiId=chat.api, DisableExecuteApiEndpoint=True)
        apis.create_domain_name(DomainName="ws.example.com", DomainNameConfigurations=REGIONAL)
        apis.create_api_mapping(
            DomainName="ws.example.com", ApiId=chat.api, Stage="prod", ApiMappingKey="chat"
        )
        at = server.url.removeprefix("http://")
        host, port = at.split(":")

        async def talk():
            url = "ws://ws.example.com/chat"
            async with websockets.connect(url, host=host, port=int(port)) as client:
                await client.send('{"action":"unknown"}')
                told = json.loads(await client.recv())
                return told["connectionId"], ask(
                    server, f"/chat/@connections/{told['connectionId']}", "ws.example.com"
                )

        connection, (status, body, _) = asyncio.run(talk())
        assert connection and status == 200 and "connectedAt" in body

        async def refused():
            with pytest.raises(websockets.InvalidStatus) as answer:
                await websockets.connect(chat.url())
            return answer.value.response.status_code

        assert asyncio.run(refused()) == 403
