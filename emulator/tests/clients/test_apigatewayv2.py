"""API Gateway v2 with boto3: APIs, and HTTP APIs over HTTP. WebSocket APIs are in test_websocket.py."""

import json
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler

import pytest
from service import Service
from test_lambda_code import Functions


class Echo(Service):
    """An HTTP service on this machine that answers with what it is sent, and in headers how."""

    def __enter__(self):
        echo = self
        self.asked = 0

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                echo.asked += 1
                body = self.rfile.read(int(self.headers["content-length"] or 0))
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.send_header("x-path", self.path)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        return self.begin(Handler)


def test_an_api_lives_its_life(server):
    apis = server.client("apigatewayv2")
    api = apis.create_api(Name="a", ProtocolType="HTTP", Tags={"k": "v"})
    assert api["ApiEndpoint"].endswith(".execute-api.us-east-1.amazonaws.com")
    apis.update_api(ApiId=api["ApiId"], Description="d")
    assert apis.get_api(ApiId=api["ApiId"])["Description"] == "d"
    apis.delete_api(ApiId=api["ApiId"])
    with pytest.raises(apis.exceptions.NotFoundException):
        apis.get_api(ApiId=api["ApiId"])


def request(server, api, method, path, body=None, **headers):
    """Status, headers and body of an answer of an HTTP API."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    headers["host"] = f"{api}.execute-api.localhost"
    asked = urllib.request.Request(f"{server.url}{path}", data=body, method=method, headers=headers)
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers, refused.read()


def test_an_http_api_passes_requests_on(start):
    with Echo() as echo:
        server = start("--reach", echo.authority)
        apis = server.client("apigatewayv2")
        api = apis.create_api(
            Name="h",
            ProtocolType="HTTP",
            CorsConfiguration={"AllowOrigins": ["https://example.com"], "AllowMethods": ["POST"]},
        )["ApiId"]
        integration = apis.create_integration(
            ApiId=api,
            IntegrationType="HTTP_PROXY",
            IntegrationMethod="POST",
            IntegrationUri=f"{echo.url}/things/{{id}}",
            PayloadFormatVersion="1.0",
        )["IntegrationId"]
        apis.create_route(ApiId=api, RouteKey="POST /in/{id}", Target=f"integrations/{integration}")
        apis.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)

        status, headers, body = request(server, api, "POST", "/in/7", b'{"a":1}', origin="https://example.com")
        assert (status, json.loads(body)) == (200, {"a": 1})
        assert headers["x-path"] == "/things/7"
        assert headers["access-control-allow-origin"] == "https://example.com"
        assert request(server, api, "POST", "/out", b"{}")[::2] == (404, b'{"message":"Not Found"}')
        asked = {"origin": "https://example.com", "access_control_request_method": "POST"}
        status, headers, _ = request(server, api, "OPTIONS", "/in/7", **asked)
        assert (status, headers["access-control-allow-methods"]) == (204, "POST")


def test_an_http_api_reaches_no_server_that_is_not_allowed(server):
    with Echo() as echo:
        apis = server.client("apigatewayv2")
        api = apis.create_api(Name="h", ProtocolType="HTTP", RouteKey="POST /", Target=f"{echo.url}/")["ApiId"]
        assert request(server, api, "POST", "/", b"{}")[::2] == (503, b'{"message":"Service Unavailable"}')
        assert echo.asked == 0


def integration_uri(function):
    """How integrations name a function."""
    arn = function["FunctionArn"]
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"


def proxy(apis, api, function, version):
    """The target of routes that a function answers."""
    made = apis.create_integration(
        ApiId=api,
        IntegrationType="AWS_PROXY",
        IntegrationUri=integration_uri(function),
        PayloadFormatVersion=version,
    )
    return f"integrations/{made['IntegrationId']}"


def test_an_http_api_invokes_a_function_with_format_2(server):
    source = (
        "def handler(event, context):\n"
        "    http = event['requestContext']['http']\n"
        "    told = [event['version'], event['routeKey'], http['method'], event['rawPath'], event['rawQueryString']]\n"
        "    if event.get('body'):\n"
        "        return {'statusCode': 201, 'body': event['body'], 'cookies': ['a=1', 'b=2']}\n"
        "    return {'told': told, 'cookies': event['cookies']}\n"
    )
    function = Functions(server).python(source)
    apis = server.client("apigatewayv2")
    api = apis.create_api(Name="h", ProtocolType="HTTP", Target=function["FunctionArn"])["ApiId"]
    status, headers, body = request(server, api, "GET", "/a/b?x=1&x=2", cookie="c=3; d=4")
    assert (status, headers["content-type"]) == (200, "application/json")
    told = ["2.0", "$default", "GET", "/a/b", "x=1&x=2"]
    assert json.loads(body) == {"told": told, "cookies": ["c=3", "d=4"]}
    status, headers, body = request(server, api, "POST", "/", "olá".encode(), content_type="text/plain; charset=utf-8")
    assert (status, body.decode(), headers.get_all("set-cookie")) == (201, "olá", ["a=1", "b=2"])
