"""JWT authorizers of HTTP APIs, with an issuer on this machine."""

import json

import pytest
from test_apigatewayv2 import proxy, request
from test_lambda_code import PYTHON, Functions
from tokens import Issuer, encoded, token

# 2026-03-02T12:00:00Z
NOW = 1772452800
ECHO = """
import json
def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(event["requestContext"]["authorizer"])}
"""


@pytest.fixture
def issuer():
    with Issuer() as served:
        yield served


@pytest.fixture
def server(start, issuer):
    return start("--clock", "frozen=2026-03-02T12:00:00Z", "--reach", issuer.authority)


def claims(issuer, **more):
    return {"iss": issuer.url, "aud": "app", "sub": "ana", "iat": NOW, "exp": NOW + 600, **more}


def api_with(server, issuer, function, version="2.0", **route):
    """An HTTP API whose default route asks for tokens of the issuer."""
    apis = server.client("apigatewayv2")
    api = apis.create_api(Name="h", ProtocolType="HTTP")["ApiId"]
    authorizer = apis.create_authorizer(
        ApiId=api,
        Name="jwt",
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": issuer.url, "Audience": ["app"]},
    )["AuthorizerId"]
    apis.create_route(
        ApiId=api,
        RouteKey="$default",
        Target=proxy(apis, api, function, version),
        AuthorizationType="JWT",
        AuthorizerId=authorizer,
        **route,
    )
    apis.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    return api


def ask(server, api, text):
    status, headers, body = request(server, api, "GET", "/x", **({"Authorization": text} if text else {}))
    return status, json.loads(body), headers["www-authenticate"]


def test_a_token_of_the_issuer_lets_in(server, issuer):
    function = Functions(server).python(ECHO)
    api = api_with(server, issuer, function)
    good = claims(issuer, **{"cognito:groups": ["a", "b"], "admin": True, "scope": "read write"})
    told = {
        "iss": issuer.url,
        "aud": "app",
        "sub": "ana",
        "iat": str(NOW),
        "exp": str(NOW + 600),
        "cognito:groups": "[a b]",
        "admin": "true",
        "scope": "read write",
    }
    for text in (token(good), f"Bearer {token(good)}", f"bearer {token(good)}"):
        assert ask(server, api, text) == (200, {"jwt": {"claims": told, "scopes": None}}, None)
    # The keys are asked for once, and again after two hours.
    assert issuer.asked == ["/.well-known/openid-configuration", "/keys"]
    server.admin("POST", "clock/advance", {"seconds": 7200})
    late = claims(issuer, exp=NOW + 8000)
    assert ask(server, api, token(late))[0] == 200
    assert len(issuer.asked) == 4
    expired = (401, {"message": "Unauthorized"}, 'Bearer scope="" error="invalid_token" error_description="the token has expired"')
    assert ask(server, api, token(good)) == expired


def test_the_longer_hashes_of_rsa_are_taken_and_nothing_else(server, issuer):
    api = api_with(server, issuer, Functions(server).python(ECHO))
    (key,) = issuer.keys
    for alg in ("RS384", "RS512"):
        issuer.keys = [{**key, "kid": alg, "alg": alg}, *issuer.keys]
        assert ask(server, api, token(claims(issuer), alg, alg))[0] == 200, alg
        # A key is for one algorithm.
        assert ask(server, api, token(claims(issuer), alg, "one"))[0] == 401, alg
    for alg in ("HS256", "PS256", "none"):
        status, _, challenge = ask(server, api, token(claims(issuer), alg))
        assert (status, f"signing method {alg} is invalid" in challenge) == (401, True)


def test_why_a_token_is_not_taken(server, issuer):
    api = api_with(server, issuer, Functions(server).python(ECHO))
    assert ask(server, api, None) == (401, {"message": "Unauthorized"}, "Bearer")
    good = token(claims(issuer))
    head, body, signature = good.split(".")
    forged = ".".join([head, encoded(json.dumps(claims(issuer, sub="eva")).encode()), signature])
    for text, why in (
        ("nothing", "token contains an invalid number of segments"),
        (forged, "the token's signature is not valid"),
        (token(claims(issuer), kid="two"), "the issuer has no key with the token's kid"),
        (token(claims(issuer, aud="other")), "the token does not have a valid audience"),
        (token(claims(issuer, iss="https://other")), "issuer does not match"),
        (token(claims(issuer, nbf=NOW + 1)), "the token is not valid yet"),
    ):
        challenge = f'Bearer scope="" error="invalid_token" error_description="{why}"'
        assert ask(server, api, f"Bearer {text}") == (401, {"message": "Unauthorized"}, challenge)
    # A token for access has its client and no audience.
    access = claims(issuer, client_id="app")
    del access["aud"]
    assert ask(server, api, token(access))[0] == 200


def test_a_route_s_scopes(server, issuer):
    function = Functions(server).python(ECHO)
    api = api_with(server, issuer, function, "1.0", AuthorizationScopes=["write", "admin"])
    status, said, _ = ask(server, api, token(claims(issuer, scope="read write")))
    assert (status, said["scopes"], said["claims"]["sub"]) == (200, ["write"], "ana")
    assert ask(server, api, token(claims(issuer, scp=["admin"])))[1]["scopes"] == ["admin"]
    refused = (403, {"message": "Forbidden"}, 'Bearer scope="write admin" error="insufficient_scope"')
    assert ask(server, api, token(claims(issuer, scope="read"))) == refused
    assert ask(server, api, token(claims(issuer))) == refused


def test_an_issuer_that_may_not_be_reached_is_one_that_does_not_answer(start, issuer):
    server = start("--clock", "frozen=2026-03-02T12:00:00Z")
    api = api_with(server, issuer, Functions(server).python(ECHO))
    why = 'error_description="OIDC discovery endpoint communication error"'
    status, _, challenge = ask(server, api, token(claims(issuer)))
    assert (status, why in challenge, issuer.asked) == (401, True, [])


def test_an_issuer_may_be_in_this_cloud(start, issuer):
    """Its configuration and its keys are objects of a public bucket."""
    server = start("--clock", "frozen=2026-03-02T12:00:00Z")
    s3 = server.client("s3")
    s3.create_bucket(Bucket="issuer")
    issuer.url = "https://issuer.s3.amazonaws.com"
    for key, said in (
        (".well-known/openid-configuration", {"jwks_uri": f"{issuer.url}/keys"}),
        ("keys", {"keys": issuer.keys}),
    ):
        s3.put_object(Bucket="issuer", Key=key, Body=json.dumps(said).encode())
    api = api_with(server, issuer, Functions(server).python(ECHO))
    assert ask(server, api, token(claims(issuer)))[0] == 200


def test_sam_s_authorizers(server, issuer):
    template = f"""
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        DefaultAuthorizer: Jwt
        Authorizers:
          Jwt:
            AuthorizationScopes: [read]
            IdentitySource: $request.header.Authorization
            JwtConfiguration: {{issuer: "{issuer.url}", audience: [app]}}
  Who:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: {PYTHON}
      Handler: index.handler
      InlineCode: |
        def handler(event, context):
            return event["requestContext"].get("authorizer", {{}})
      Events:
        Own: {{Type: HttpApi, Properties: {{Path: /own, Method: get, ApiId: !Ref Api}}}}
        More: {{Type: HttpApi, Properties: {{Path: /x, Method: get, ApiId: !Ref Api, Auth: {{AuthorizationScopes: [write]}}}}}}
        Open: {{Type: HttpApi, Properties: {{Path: /open, Method: get, ApiId: !Ref Api, Auth: {{Authorizer: NONE}}}}}}
Outputs:
  Api: {{Value: !Ref Api}}
"""
    cloudformation = server.client("cloudformation")
    cloudformation.create_stack(
        StackName="who", TemplateBody=template, Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName="who", WaiterConfig={"Delay": 1})
    (output,) = cloudformation.describe_stacks(StackName="who")["Stacks"][0]["Outputs"]
    api, reads = output["OutputValue"], {"Authorization": token(claims(issuer, scope="read"))}
    status, _, body = request(server, api, "GET", "/own", **reads)
    assert (status, json.loads(body)["jwt"]["scopes"]) == (200, ["read"])
    assert request(server, api, "GET", "/x", **reads)[0] == 403
    assert request(server, api, "GET", "/own")[0] == 401
    assert request(server, api, "GET", "/open")[::2] == (200, b"{}")


def test_a_stack_s_authorizer(server, issuer):
    template = f"""
Resources:
  Api: {{Type: AWS::ApiGatewayV2::Api, Properties: {{Name: h, ProtocolType: HTTP}}}}
  Jwt:
    Type: AWS::ApiGatewayV2::Authorizer
    Properties:
      ApiId: !Ref Api
      Name: jwt
      AuthorizerType: JWT
      IdentitySource: [$request.header.X-Token]
      JwtConfiguration: {{Issuer: "{issuer.url}", Audience: [app]}}
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: HTTP_PROXY
      IntegrationMethod: GET
      IntegrationUri: {issuer.url}/keys
      PayloadFormatVersion: "1.0"
  Route:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: GET /keys
      Target: !Sub integrations/${{Integration}}
      AuthorizationType: JWT
      AuthorizerId: !Ref Jwt
      AuthorizationScopes: [read]
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {{ApiId: !Ref Api, StageName: $default, AutoDeploy: true}}
Outputs:
  Api: {{Value: !Ref Api}}
"""
    cloudformation = server.client("cloudformation")
    cloudformation.create_stack(StackName="keys", TemplateBody=template)
    cloudformation.get_waiter("stack_create_complete").wait(StackName="keys", WaiterConfig={"Delay": 1})
    (output,) = cloudformation.describe_stacks(StackName="keys")["Stacks"][0]["Outputs"]
    api = output["OutputValue"]
    status, _, body = request(server, api, "GET", "/keys", X_Token=token(claims(issuer, scope="read")))
    assert (status, json.loads(body)["keys"][0]["kid"]) == (200, "one")
    assert request(server, api, "GET", "/keys", X_Token=token(claims(issuer)))[0] == 403
    assert request(server, api, "GET", "/keys", Authorization=token(claims(issuer, scope="read")))[0] == 401
