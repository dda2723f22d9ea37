"""IAM and STS (awsQuery): who one is, roles and keys, and what `--iam enforce` denies."""

import datetime
import json
import re
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError
from conftest import ACCOUNT, Server

TRUST = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def allow(action, resource):
    return document({"Effect": "Allow", "Action": action, "Resource": resource})


def refusal(call, **arguments):
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    answer = refused.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


def user(server, policy, service, **settings):
    """The client of a new user, `u`, who has the policy."""
    iam = server.client("iam")
    iam.create_user(UserName="u")
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=policy)
    key = iam.create_access_key(UserName="u")["AccessKey"]
    return server.client(service, key["AccessKeyId"], key["SecretAccessKey"], **settings)


@pytest.fixture(scope="module")
def enforcing():
    server = Server("--iam", "enforce")
    yield server
    assert server.stop() == 0


@pytest.fixture
def server(enforcing):
    enforcing.admin("POST", "reset")
    return enforcing


def test_the_root_user_is_who_it_is(server):
    who = server.client("sts").get_caller_identity()
    assert (who["Account"], who["UserId"], who["Arn"]) == (ACCOUNT, ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root")


def test_a_role_may_what_its_policies_allow(server):
    server.client("s3").create_bucket(Bucket="things")
    server.client("s3").put_object(Bucket="things", Key="open/k", Body=b"x")
    iam = server.client("iam")
    role = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=document(TRUST))["Role"]
    policy = allow("s3:GetObject", "arn:aws:s3:::things/open/*")
    iam.put_role_policy(RoleName="reader", PolicyName="p", PolicyDocument=policy)
    assume = {"RoleArn": role["Arn"], "RoleSessionName": "me"}
    root = refusal(server.client("sts").assume_role, **assume)
    assert root == (403, "AccessDenied", "Roles may not be assumed by root accounts.")
    assumed = user(server, allow("sts:AssumeRole", role["Arn"]), "sts").assume_role(**assume)
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/me"
    assert assumed["AssumedRoleUser"] == {"Arn": arn, "AssumedRoleId": f"{role['RoleId']}:me"}
    given = assumed["Credentials"]
    session = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    assert server.client("sts", *session).get_caller_identity()["Arn"] == arn
    s3 = server.client("s3", *session)
    assert s3.get_object(Bucket="things", Key="open/k")["Body"].read() == b"x"
    because = "because no identity-based policy allows the"
    assert refusal(s3.put_object, Bucket="things", Key="open/k", Body=b"y") == (
        403,
        "AccessDenied",
        f'User: {arn} is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::things/open/k" {because} '
        "s3:PutObject action",
    )
    assert refusal(s3.get_object, Bucket="things", Key="open/none")[1] == "AccessDenied"  # no s3:ListBucket: not 404
    assert refusal(server.client("logs", *session).create_log_group, logGroupName="g") == (
        400,
        "AccessDeniedException",
        f"User: {arn} is not authorized to perform: logs:CreateLogGroup on resource: "
        f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:g:log-stream: {because} logs:CreateLogGroup action",
    )
    wrong = refusal(server.client("sts", session[0], session[1], session[2][:-4] + "AAAA").get_caller_identity)
    assert wrong == (403, "InvalidClientTokenId", "The security token included in the request is invalid.")


def test_a_role_is_assumed_only_by_whom_it_trusts(server):
    iam = server.client("iam")
    service = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    arn = iam.create_role(RoleName="f", AssumeRolePolicyDocument=document(service))["Role"]["Arn"]
    sts = user(server, allow("sts:*", "*"), "sts")
    assert refusal(sts.assume_role, RoleArn=arn, RoleSessionName="me") == (
        403,
        "AccessDenied",
        f"User: arn:aws:iam::{ACCOUNT}:user/u is not authorized to perform: sts:AssumeRole on resource: {arn}",
    )


def test_access_keys_sign_and_must_sign_rightly(server):
    iam = server.client("iam")
    iam.create_user(UserName="u")
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=allow("s3:*", "*"))
    key = iam.create_access_key(UserName="u")["AccessKey"]
    mine, secret = key["AccessKeyId"], key["SecretAccessKey"]
    assert server.client("sts", mine, secret).get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/u"
    server.client("s3", mine, secret).create_bucket(Bucket="mine")
    told = "The request signature we calculated does not match the signature you provided. Check your"
    assert refusal(server.client("s3", mine, "wrong").list_buckets) == (
        403,
        "SignatureDoesNotMatch",
        f"{told} key and signing method.",
    )
    long = f"{told} AWS Secret Access Key and signing method. Consult the service documentation for details."
    assert refusal(server.client("sts", mine, "wrong").get_caller_identity) == (403, "SignatureDoesNotMatch", long)
    assert refusal(server.client("logs", mine, "wrong").describe_log_groups)[:2] == (400, "InvalidSignatureException")
    assert refusal(server.client("s3", "AKIAIOSFODNN7EXAMPLE", "x").list_buckets) == (
        403,
        "InvalidAccessKeyId",
        "The AWS Access Key Id you provided does not exist in our records.",
    )
    iam.update_access_key(UserName="u", AccessKeyId=mine, Status="Inactive")
    assert refusal(server.client("s3", mine, secret).list_buckets)[1] == "InvalidAccessKeyId"


def test_iam_errors_say_what_aws_says(server):
    iam = server.client("iam")
    assert refusal(iam.get_role, RoleName="none") == (
        404,
        "NoSuchEntity",
        "The role with name none cannot be found.",
    )
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=document(TRUST))
    again = refusal(iam.create_role, RoleName="r", AssumeRolePolicyDocument=document(TRUST))
    assert again == (409, "EntityAlreadyExists", "Role with name r already exists.")
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=allow("s3:*", "*"))
    conflict = refusal(iam.delete_role, RoleName="r")
    assert conflict == (409, "DeleteConflict", "Cannot delete entity, must delete policies first.")
    malformed = refusal(iam.put_role_policy, RoleName="r", PolicyName="p", PolicyDocument="{}")
    assert malformed[:2] == (400, "MalformedPolicyDocument")


def test_a_presigned_url_expires(start):
    # Frozen at the machine's time, for clients sign with that.
    now = datetime.datetime.now(datetime.timezone.utc)
    server = start("--iam", "enforce", "--clock", f"frozen={now:%Y-%m-%dT%H:%M:%SZ}")
    s3 = user(server, allow("s3:*", "*"), "s3", signature_version="s3v4")
    s3.create_bucket(Bucket="things")
    s3.put_object(Bucket="things", Key="k", Body=b"x")
    url = s3.generate_presigned_url("get_object", {"Bucket": "things", "Key": "k"}, ExpiresIn=60)
    assert urllib.request.urlopen(url).read() == b"x"
    changed = re.sub("X-Amz-Expires=60", "X-Amz-Expires=61", url)
    assert "<Code>SignatureDoesNotMatch</Code>" in refused_body(changed)
    server.admin("POST", "clock/advance", {"seconds": 120})
    body = refused_body(url)
    assert "<Code>AccessDenied</Code><Message>Request has expired</Message>" in body
    assert "<X-Amz-Expires>60</X-Amz-Expires>" in body
    assert "<Message>Access Denied</Message>" in refused_body(f"{server.url}/things/k")


def refused_body(url):
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url)
    assert refused.value.code == 403
    return refused.value.read().decode()
