"""Identity providers, and the roles that are assumed with their word."""

import base64
import json
import time

import pytest
from conftest import ACCOUNT, refusal

ISSUER = "https://token.actions.githubusercontent.com"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
SAML = f"arn:aws:iam::{ACCOUNT}:saml-provider/staff"
METADATA = (
    '<?xml version="1.0"?><md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example">'
    '<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
    f"<!-- {'x' * 800} -->"
    '<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example/sso"/>'
    "</md:IDPSSODescriptor></md:EntityDescriptor>"
)


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def token(**claims):
    claims = {
        "iss": ISSUER, "aud": "sts.amazonaws.com", "sub": "repo:team/app:ref:refs/heads/main",
        "exp": int(time.time()) + 300, **claims,
    }
    return f"{part({'alg': 'RS256'})}.{part(claims)}.c2lnbmF0dXJl"


def trust(provider, action, condition):
    statement = {"Effect": "Allow", "Principal": {"Federated": provider}, "Action": action, "Condition": condition}
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


@pytest.fixture(scope="module")
def enforced_server():
    from conftest import Server

    server = Server("--iam", "enforce")
    yield server
    assert server.stop() == 0


@pytest.fixture
def enforced(enforced_server):
    enforced_server.admin("POST", "reset")
    return enforced_server


def web_role(server, action="sts:AssumeRoleWithWebIdentity"):
    iam = server.client("iam")
    iam.create_open_id_connect_provider(Url=ISSUER, ClientIDList=["sts.amazonaws.com"], ThumbprintList=["a" * 40])
    condition = {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:team/*"}}
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(PROVIDER, action, condition))


def unsigned(server):
    from botocore import UNSIGNED

    return server.client("sts", signature_version=UNSIGNED)


def test_a_web_identity_assumes_a_role_that_trusts_its_provider(enforced):
    web_role(enforced)
    sts = unsigned(enforced)
    ask = {"RoleArn": ROLE, "RoleSessionName": "build"}
    done = sts.assume_role_with_web_identity(WebIdentityToken=token(), **ask)
    assert done["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/r/build"
    assert (done["Audience"], done["Provider"]) == ("sts.amazonaws.com", PROVIDER)
    assert done["SubjectFromWebIdentityToken"] == "repo:team/app:ref:refs/heads/main"
    given = done["Credentials"]
    session = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    assert enforced.client("sts", *session).get_caller_identity()["Arn"] == done["AssumedRoleUser"]["Arn"]

    def refused(**claims):
        return refusal(sts.assume_role_with_web_identity, WebIdentityToken=token(**claims), **ask)

    denied = ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
    assert refused(sub="repo:other/app") == denied
    assert refused(aud="others") == ("InvalidIdentityToken", "Incorrect token audience")
    nobody = ("InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://other.example")
    assert refused(iss="https://other.example") == nobody
    assert refused(exp=1)[0] == "ExpiredTokenException"
    assert refusal(sts.assume_role_with_web_identity, WebIdentityToken="opaque", **ask)[0] == "InvalidIdentityToken"
    other = {**ask, "RoleArn": ROLE + "x"}
    assert refusal(sts.assume_role_with_web_identity, WebIdentityToken=token(), **other) == denied


def test_a_token_brings_tags_if_the_role_takes_them(enforced):
    web_role(enforced, ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"])
    iam = enforced.client("iam")
    statement = {
        "Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalTag/team": "red"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=policy)

    def queues(team):
        tags = {"https://aws.amazon.com/tags": {"principal_tags": {"team": [team]}}}
        given = unsigned(enforced).assume_role_with_web_identity(
            RoleArn=ROLE, RoleSessionName="session", WebIdentityToken=token(**tags)
        )["Credentials"]
        return enforced.client("sqs", given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    queues("red").list_queues()
    assert refusal(queues("blue").list_queues)[0] == "AccessDenied"


def assertion(session="ana", role=ROLE, ends="2999-01-01T00:00:00Z"):
    named = f'<saml:Attribute Name="https://aws.amazon.com/SAML/Attributes/{{}}"><saml:AttributeValue>{{}}</saml:AttributeValue></saml:Attribute>'
    text = (
        '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">'
        "<saml:Assertion><saml:Issuer>https://idp.example</saml:Issuer><saml:Subject>"
        '<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">ana@example.com</saml:NameID>'
        '<saml:SubjectConfirmation><saml:SubjectConfirmationData Recipient="https://signin.aws.amazon.com/saml" '
        f'NotOnOrAfter="{ends}"/></saml:SubjectConfirmation></saml:Subject><saml:AttributeStatement>'
        f"{named.format('Role', f'{role},{SAML}')}{named.format('RoleSessionName', session)}"
        "</saml:AttributeStatement></saml:Assertion></samlp:Response>"
    )
    return base64.b64encode(text.encode()).decode()


def test_a_saml_assertion_assumes_a_role_that_trusts_its_provider(enforced):
    iam = enforced.client("iam")
    assert refusal(iam.create_saml_provider, Name="x", SAMLMetadataDocument="a" * 1024)[0] == "InvalidInput"
    made = iam.create_saml_provider(Name="staff", SAMLMetadataDocument=METADATA, Tags=[{"Key": "k", "Value": "v"}])
    assert made["SAMLProviderArn"] == SAML
    found = iam.get_saml_provider(SAMLProviderArn=SAML)
    assert (found["SAMLMetadataDocument"], found["Tags"]) == (METADATA, [{"Key": "k", "Value": "v"}])
    assert [one["Arn"] for one in iam.list_saml_providers()["SAMLProviderList"]] == [SAML]
    assert iam.list_saml_provider_tags(SAMLProviderArn=SAML)["Tags"] == [{"Key": "k", "Value": "v"}]
    condition = {"StringEquals": {"saml:aud": "https://signin.aws.amazon.com/saml"}}
    document = trust(SAML, "sts:AssumeRoleWithSAML", condition)
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=document)
    sts = unsigned(enforced)
    ask = {"RoleArn": ROLE, "PrincipalArn": SAML}
    done = sts.assume_role_with_saml(SAMLAssertion=assertion(), **ask)
    assert done["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/r/ana"
    assert (done["Subject"], done["SubjectType"]) == ("ana@example.com", "persistent")
    assert (done["Issuer"], done["Audience"]) == ("https://idp.example", "https://signin.aws.amazon.com/saml")
    old = refusal(sts.assume_role_with_saml, SAMLAssertion=assertion(ends="2001-01-01T00:00:00Z"), **ask)
    assert old[0] == "ExpiredTokenException"
    denied = ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithSAML")
    assert refusal(sts.assume_role_with_saml, SAMLAssertion=assertion(role=ROLE + "x"), **ask) == denied
    iam.delete_saml_provider(SAMLProviderArn=SAML)
    unknown = refusal(sts.assume_role_with_saml, SAMLAssertion=assertion(), **ask)
    assert unknown == ("InvalidIdentityToken", "Specified provider doesn't exist")


def test_stacks_make_providers_certificates_and_devices(server):
    from test_iam_credentials import CERTIFICATE, PRIVATE_KEY

    def body(client, thumbprint):
        oidc = {"Url": ISSUER, "ClientIdList": [client], "ThumbprintList": [thumbprint], "Tags": [{"Key": client, "Value": "v"}]}
        resources = {
            "Oidc": {"Type": "AWS::IAM::OIDCProvider", "Properties": oidc},
            "Saml": {"Type": "AWS::IAM::SAMLProvider", "Properties": {"Name": "staff", "SamlMetadataDocument": METADATA}},
            "Web": {
                "Type": "AWS::IAM::ServerCertificate",
                "Properties": {"CertificateBody": CERTIFICATE, "PrivateKey": PRIVATE_KEY, "Path": "/sites/"},
            },
            "Phone": {"Type": "AWS::IAM::VirtualMFADevice", "Properties": {"VirtualMfaDeviceName": "phone", "Users": []}},
        }
        outputs = {"Oidc": "Oidc.Arn", "Saml": "Saml.Arn", "Web": "Web.Arn", "Phone": "Phone.SerialNumber"}
        outputs = {name: {"Value": {"Fn::GetAtt": what.split(".")}} for name, what in outputs.items()}
        return json.dumps({"Resources": resources, "Outputs": outputs})

    cloudformation, iam = server.client("cloudformation"), server.client("iam")
    stack = {"StackName": "s", "Capabilities": ["CAPABILITY_NAMED_IAM"]}
    cloudformation.create_stack(TemplateBody=body("one", "a" * 40), **stack)
    cloudformation.get_waiter("stack_create_complete").wait(StackName="s", WaiterConfig={"Delay": 1})
    described = cloudformation.describe_stacks(StackName="s")["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    assert (outputs["Oidc"], outputs["Saml"]) == (PROVIDER, SAML)
    assert outputs["Phone"] == f"arn:aws:iam::{ACCOUNT}:mfa/phone"
    assert outputs["Web"].startswith(f"arn:aws:iam::{ACCOUNT}:server-certificate/sites/s-Web-")
    cloudformation.update_stack(TemplateBody=body("two", "b" * 40), **stack)
    cloudformation.get_waiter("stack_update_complete").wait(StackName="s", WaiterConfig={"Delay": 1})
    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=PROVIDER)
    assert (found["ClientIDList"], found["ThumbprintList"]) == (["two"], ["b" * 40])
    assert found["Tags"] == [{"Key": "two", "Value": "v"}]
    cloudformation.delete_stack(StackName="s")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="s", WaiterConfig={"Delay": 1})
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []
    assert iam.list_server_certificates()["ServerCertificateMetadataList"] == []
    assert iam.list_virtual_mfa_devices()["VirtualMFADevices"] == iam.list_saml_providers()["SAMLProviderList"] == []


def test_an_account_has_so_many_providers(server):
    iam = server.client("iam")
    for number in range(100):
        iam.create_open_id_connect_provider(Url=f"https://idp{number}.example")
    refused = ("LimitExceeded", "Cannot exceed quota for OpenIdConnectProvidersPerAccount: 100")
    assert refusal(iam.create_open_id_connect_provider, Url="https://more.example") == refused
    assert len(iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]) == 100
