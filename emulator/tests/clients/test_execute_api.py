"""Requests to REST APIs over HTTP: functions in Python behind them, signatures, servers outside, stacks."""

import http.server
import json
import threading
import urllib.request

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from test_apigateway import call
from test_lambda_code import PYTHON, Functions

ACCOUNT = "123456789012"
ECHO = """
import json
def handler(event, context):
    return {"statusCode": 200, "headers": {"X-Seen": event["httpMethod"]}, "body": json.dumps(event)}
"""


@pytest.fixture
def apigateway(server):
    return server.client("apigateway")


def function_uri(name="f"):
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"


def document(integration, path="/{proxy+}", **more):
    """An OpenAPI document whose every method has this integration."""
    operation = {"responses": {"200": {"description": "ok"}}, "x-amazon-apigateway-integration": integration, **more}
    return {
        "openapi": "3.0.1",
        "info": {"title": "calls", "version": "1"},
        "paths": {path: {"x-amazon-apigateway-any-method": operation}},
    }


def deploy(apigateway, body):
    api = apigateway.import_rest_api(body=json.dumps(body).encode())
    apigateway.create_deployment(restApiId=api["id"], stageName="dev")
    return api


def by_host(server, api, path, headers=None):
    """A request whose host names the API, as clients of AWS send it."""
    port = server.url.rsplit(":", 1)[1]
    host = {"Host": f"{api}.execute-api.localhost:{port}", **(headers or {})}
    request = urllib.request.Request(f"{server.url}{path}", headers=host)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.status, answer.headers, answer.read()


def test_a_function_in_python_answers_under_every_form_of_address(server, apigateway):
    Functions(server).python(ECHO)
    server.client("lambda").add_permission(
        FunctionName="f", StatementId="s", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )
    api = deploy(apigateway, document({"type": "aws_proxy", "httpMethod": "POST", "uri": function_uri()}))
    status, headers, body = by_host(server, api["id"], "/dev/pets/7?a=1")
    event = json.loads(body)
    assert (status, headers["X-Seen"], event["path"], event["pathParameters"]) == (
        200,
        "GET",
        "/pets/7",
        {"proxy": "pets/7"},
    )
    assert event["requestContext"]["stage"] == "dev"
    assert json.loads(call(server, api["id"], "/pets/7")[2])["path"] == "/pets/7"
    form = f"{server.url}/restapis/{api['id']}/dev/_user_request_/pets/7"
    with urllib.request.urlopen(form, timeout=30) as answer:
        assert json.load(answer)["path"] == "/pets/7"


def test_bytes_go_through_as_they_are(server, apigateway):
    Functions(server).python(
        "def handler(event, context):\n"
        "    return {'statusCode': 200, 'headers': {'Content-Type': 'image/png'}, 'body': event['body'],"
        " 'isBase64Encoded': event['isBase64Encoded']}\n"
    )
    body = document({"type": "aws_proxy", "httpMethod": "POST", "uri": function_uri()})
    api = deploy(apigateway, {**body, "x-amazon-apigateway-binary-media-types": ["image/png"]})
    raw = bytes(range(256))
    request = urllib.request.Request(
        f"{server.url}/_aws/execute-api/{api['id']}/dev/x",
        data=raw,
        headers={"Content-Type": "image/png", "Accept": "image/png"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.read() == raw


def test_an_answer_that_is_not_one_is_502(server, apigateway):
    Functions(server).python("def handler(event, context):\n    return {'status': 200}\n")
    api = deploy(apigateway, document({"type": "aws_proxy", "httpMethod": "POST", "uri": function_uri()}))
    status, headers, body = call(server, api["id"], "/x")
    assert (status, json.loads(body)) == (502, {"message": "Internal server error"})
    assert headers["x-amzn-ErrorType"] == "InternalServerErrorException"


def test_a_signature_is_asked_for_and_a_policy_decides(start):
    server = start("--iam", "enforce")
    apigateway, iam = server.client("apigateway"), server.client("iam")
    mock = {
        "type": "mock",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {
            "default": {"statusCode": "200", "responseTemplates": {"application/json": "$context.identity.userArn"}}
        },
    }
    api = deploy(apigateway, document(mock, **{"x-amazon-apigateway-auth": {"type": "AWS_IAM"}}))
    status, _, body = call(server, api["id"], "/open")
    assert (status, json.loads(body)) == (403, {"message": "Missing Authentication Token"})
    iam.create_user(UserName="u")
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "execute-api:Invoke",
                "Resource": f"arn:aws:execute-api:us-east-1:{ACCOUNT}:{api['id']}/dev/GET/open",
            }
        ],
    }
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName="u")["AccessKey"]

    def signed(path, secret=key["SecretAccessKey"]):
        url = f"{server.url}/_aws/execute-api/{api['id']}/dev{path}"
        request = AWSRequest("GET", url)
        SigV4Auth(Credentials(key["AccessKeyId"], secret), "execute-api", "us-east-1").add_auth(request)
        return call(server, api["id"], path, headers=dict(request.headers.items()))

    assert signed("/open")[::2] == (200, f"arn:aws:iam::{ACCOUNT}:user/u")
    status, _, body = signed("/closed")
    assert status == 403
    assert "is not authorized to perform: execute-api:Invoke on resource" in json.loads(body)["Message"]
    assert signed("/open", secret="x" * 40)[0] == 403


def test_a_server_outside_is_reached_only_if_it_may_be(start):
    seen = []

    class Outside(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            seen.append((self.path, self.rfile.read(int(self.headers["Content-Length"])), self.headers["X-Who"]))
            self.send_response(418)
            self.send_header("X-Tea", "green")
            self.end_headers()
            self.wfile.write(b"short and stout")

        def log_message(self, *_):
            pass

    outside = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Outside)
    threading.Thread(target=outside.serve_forever, daemon=True).start()
    port = outside.server_address[1]
    body = document(
        {
            "type": "http_proxy",
            "httpMethod": "POST",
            "uri": f"http://127.0.0.1:{port}/{{proxy}}",
            "requestParameters": {"integration.request.path.proxy": "method.request.path.proxy"},
        },
        parameters=[{"name": "proxy", "in": "path", "required": True}],
    )
    try:
        closed = start()
        api = deploy(closed.client("apigateway"), body)
        status, _, said = call(closed, api["id"], "/tea", method="POST", body=b"x")
        assert (status, "--reach 127.0.0.1" in said, seen) == (501, True, [])
        opened = start("--reach", f"127.0.0.1:{port}")
        api = deploy(opened.client("apigateway"), body)
        status, headers, said = call(opened, api["id"], "/tea?a=1", method="POST", body=b"x", headers={"X-Who": "ana"})
        assert (status, headers["X-Tea"], said) == (418, "green", "short and stout")
        assert seen == [("/tea?a=1", b"x", "ana")]
    finally:
        outside.shutdown()


def test_the_cloud_itself_is_reached_without_leave(server, apigateway):
    Functions(server).python(
        "import json\n"
        "def handler(event, context):\n"
        "    return {'statusCode': 200, 'body': json.dumps(event)}\n"
    )
    functions, s3 = server.client("lambda"), server.client("s3")
    url = functions.create_function_url_config(FunctionName="f", AuthType="NONE")["FunctionUrl"]
    functions.add_permission(
        FunctionName="f",
        StatementId="u",
        Action="lambda:InvokeFunctionUrl",
        Principal="*",
        FunctionUrlAuthType="NONE",
    )
    api = deploy(apigateway, document({"type": "http_proxy", "httpMethod": "POST", "uri": url}))
    status, headers, body = call(server, api["id"], "/x", headers={"Accept": "text/html"})
    event = json.loads(body)
    assert (status, event["requestContext"]["http"]["method"]) == (200, "POST")
    assert event["headers"]["accept"] == "text/html"
    assert event["headers"]["x-amzn-apigateway-api-id"] == api["id"]
    assert headers["x-amzn-Remapped-Content-Length"] == str(len(body))
    s3.create_bucket(Bucket="plain")
    s3.put_object(Bucket="plain", Key="a", Body=b"an object")
    signed = s3.generate_presigned_url("get_object", Params={"Bucket": "plain", "Key": "a"})
    api = deploy(apigateway, document({"type": "http_proxy", "httpMethod": "GET", "uri": signed}))
    assert call(server, api["id"], "/x")[::2] == (200, "an object")


def test_an_answer_s_template_sees_what_the_request_s_has_overridden(server, apigateway):
    request = """
    #set($context.requestOverride.path.who = $input.params('proxy'))
    #set($context["responseOverride"].header["X-Who"] = "nobody")
    #set($context.responseOverride.status = 444)
    $context.requestOverride.querystring.put("a", "b")
    {"statusCode": 200}
    """
    answer = """#set($to = $context.requestOverride)\
$to.path.who $to.querystring["a"] $context.responseOverride.status#if($missing == "") nothing#end"""
    mock = {
        "type": "mock",
        "requestTemplates": {"application/json": request},
        "responses": {"default": {"statusCode": "200", "responseTemplates": {"application/json": answer}}},
    }
    api = deploy(apigateway, document(mock))
    status, headers, body = call(server, api["id"], "/ana")
    assert (status, headers["X-Who"], body.strip()) == (444, "nobody", "ana b 444 nothing")


def test_a_function_s_answer_is_bytes_for_who_accepts_them(server, apigateway):
    Functions(server).python(
        "def handler(event, context):\n"
        "    return {'statusCode': 200, 'body': event['body'], 'isBase64Encoded': True}\n"
    )
    body = document({"type": "aws_proxy", "httpMethod": "POST", "uri": function_uri()})
    api = deploy(apigateway, {**body, "x-amazon-apigateway-binary-media-types": ["image/png", "*/odd", "text/*"]})

    def said(accept, body=b"aGVsbG8="):
        return call(server, api["id"], "/x", "POST", {"Accept": accept, "Content-Type": "a/b"}, body)[::2]

    assert said("image/png,*/*") == (200, "hello")
    assert said("text/html") == (200, "hello")
    for other in ("*/odd", "image/*", "a/odd", "image/webp,image/png"):
        assert said(other) == (200, "aGVsbG8="), other
    assert said("image/png", "è+".encode())[0] == 500


def test_what_a_function_s_integration_cannot_do_is_500(server, apigateway):
    Functions(server).python(ECHO)
    uri = function_uri()
    for integration in (
        {"type": "aws_proxy", "httpMethod": "GET", "uri": uri},
        {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "uri": uri,
            "requestParameters": {"integration.request.header.Authorization": "'x'"},
        },
    ):
        api = deploy(apigateway, document(integration))
        status, headers, body = call(server, api["id"], "/x")
        assert (status, json.loads(body)) == (500, {"message": "Internal server error"})
        assert headers["x-amzn-ErrorType"] == "InternalServerErrorException"


def test_a_method_is_tried_out_without_a_deployment(apigateway):
    mock = {
        "type": "mock",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {
            "default": {"statusCode": "200", "responseTemplates": {"application/json": "$input.params('proxy')"}}
        },
    }
    api = apigateway.import_rest_api(body=json.dumps(document(mock)).encode())
    resources = apigateway.get_resources(restApiId=api["id"])["items"]
    of = next(resource["id"] for resource in resources if resource["path"] == "/{proxy+}")
    tried = apigateway.test_invoke_method(
        restApiId=api["id"], resourceId=of, httpMethod="GET", pathWithQueryString="/a/b?c=d"
    )
    assert (tried["status"], tried["body"]) == (200, "a/b")
    assert "Method request query string: {c=d}" in tried["log"]


SAM = f"""
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Globals:
  Api:
    Cors: "'*'"
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: {PYTHON}
      Handler: index.handler
      InlineCode: |
        def handler(event, context):
            return {{"statusCode": 200, "body": "hello " + event["pathParameters"]["name"]}}
      Events:
        Get:
          Type: Api
          Properties:
            Path: /hello/{{name}}
            Method: get
Outputs:
  Api:
    Value: !Ref ServerlessRestApi
"""


def test_a_function_s_api_event_makes_an_api(server):
    cloudformation = server.client("cloudformation")
    cloudformation.create_stack(
        StackName="hello", TemplateBody=SAM, Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName="hello", WaiterConfig={"Delay": 1})
    outputs = cloudformation.describe_stacks(StackName="hello")["Stacks"][0]["Outputs"]
    api = outputs[0]["OutputValue"]
    assert call(server, api, "/hello/ana", stage="Prod")[::2] == (200, "hello ana")
    status, headers, _ = call(server, api, "/hello/ana", stage="Prod", method="OPTIONS")
    assert (status, headers["Access-Control-Allow-Origin"]) == (200, "*")
    cloudformation.delete_stack(StackName="hello")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="hello", WaiterConfig={"Delay": 1})
    assert call(server, api, "/hello/ana", stage="Prod")[0] == 403


def test_sam_s_http_api_events(start):
    server = start("--iam", "enforce")
    template = f"""
Transform: AWS::Serverless-2016-10-31
Resources:
  Pets:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: {PYTHON}
      Handler: index.handler
      InlineCode: |
        def handler(event, context):
            return {{"key": event["routeKey"], "id": event.get("pathParameters", {{}}).get("id")}}
      Events:
        One: {{Type: HttpApi, Properties: {{Path: "/pets/{{id}}", Method: get}}}}
        Rest: {{Type: HttpApi}}
Outputs:
  Url: {{Value: !Sub "https://${{ServerlessHttpApi}}.execute-api.${{AWS::Region}}.amazonaws.com/"}}
"""
    cloudformation = server.client("cloudformation")
    cloudformation.create_stack(
        StackName="pets", TemplateBody=template, Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName="pets", WaiterConfig={"Delay": 1})
    (output,) = cloudformation.describe_stacks(StackName="pets")["Stacks"][0]["Outputs"]
    api = output["OutputValue"].removeprefix("https://").split(".")[0]
    status, _, body = by_host(server, api, "/pets/7")
    assert (status, json.loads(body)) == (200, {"key": "GET /pets/{id}", "id": "7"})
    status, _, body = by_host(server, api, "/what/ever")
    assert (status, json.loads(body)) == (200, {"key": "$default", "id": None})
    apis = server.client("apigatewayv2").get_apis()["Items"]
    assert [(one["Name"], one["Tags"]) for one in apis] == [("pets", {"httpapi:createdBy": "SAM"})]
