"""KMS where permissions count: key policies, IAM's policies, grants, encryption contexts."""

import json

import pytest
from botocore.exceptions import ClientError

from conftest import ACCOUNT

ROOT = f"arn:aws:iam::{ACCOUNT}:root"


@pytest.fixture
def server(start):
    return start("--iam", "enforce")


@pytest.fixture
def kms(server):
    return server.client("kms")


@pytest.fixture
def user(server):
    """Makes a user, whom IAM lets do these things, and gives its client of KMS and its ARN."""

    def make(name, *statements):
        iam = server.client("iam")
        arn = iam.create_user(UserName=name)["User"]["Arn"]
        if statements:
            document = {"Version": "2012-10-17", "Statement": list(statements)}
            iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(document))
        pair = iam.create_access_key(UserName=name)["AccessKey"]
        return server.client("kms", pair["AccessKeyId"], pair["SecretAccessKey"]), arn

    return make


def allow(action, resource="*", principal=None, **condition):
    made = {"Effect": "Allow", "Action": action, "Resource": resource}
    made |= {"Principal": {"AWS": principal}} if principal else {}
    return made | ({"Condition": condition} if condition else {})


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def denied(call, **arguments):
    with pytest.raises(ClientError) as error:
        call(**arguments)
    assert error.value.response["Error"]["Code"] == "AccessDeniedException", error.value
    return error.value.response["Error"]["Message"]


def test_the_first_policy_leaves_it_to_iam(kms, user):
    key = kms.create_key()["KeyMetadata"]
    writer, _ = user("writer", allow(["kms:Encrypt", "kms:GenerateRandom"]))
    nobody, arn = user("nobody")
    blob = writer.encrypt(KeyId=key["Arn"], Plaintext=b"x")["CiphertextBlob"]
    assert writer.generate_random(NumberOfBytes=4)["Plaintext"]
    assert "kms:Decrypt" in denied(writer.decrypt, CiphertextBlob=blob)
    text = denied(nobody.encrypt, KeyId=key["KeyId"], Plaintext=b"x")
    assert text == (
        f"User: {arn} is not authorized to perform: kms:Encrypt on resource: {key['Arn']} because no identity-based "
        "policy allows the kms:Encrypt action"
    )
    mover, _ = user("mover", allow("kms:ReEncryptFrom"))
    assert "kms:ReEncryptTo" in denied(mover.re_encrypt, CiphertextBlob=blob, DestinationKeyId=key["KeyId"])


def test_a_key_policy_decides_alone_where_it_says_nothing_of_iam(kms, user):
    mine, arn = user("mine")
    full, _ = user("full", allow("kms:*"))
    text = policy(allow("kms:Encrypt", principal=arn), allow("kms:Put*", principal=ROOT))
    key = kms.create_key(Policy=text)["KeyMetadata"]["Arn"]
    assert mine.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert "no resource-based policy allows" in denied(full.encrypt, KeyId=key, Plaintext=b"x")
    denied(kms.describe_key, KeyId=key)
    with pytest.raises(kms.exceptions.MalformedPolicyDocumentException, match="in the future"):
        kms.put_key_policy(KeyId=key, Policy=policy(allow("kms:Encrypt", principal=arn)))


def test_conditions_read_the_encryption_context(kms, user):
    key = kms.create_key()["KeyMetadata"]["Arn"]
    mine, _ = user("mine", allow("kms:Encrypt", StringEquals={"kms:EncryptionContext:tenant": "a"}))
    assert mine.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"tenant": "a"})
    denied(mine.encrypt, KeyId=key, Plaintext=b"x", EncryptionContext={"tenant": "b"})
    denied(mine.encrypt, KeyId=key, Plaintext=b"x")


def test_grants(kms, user):
    key = kms.create_key()["KeyMetadata"]["Arn"]
    mine, arn = user("mine")
    other, retiring = user("other")
    blob = kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"tenant": "a"})["CiphertextBlob"]
    at = {"CiphertextBlob": blob, "EncryptionContext": {"tenant": "a"}}
    denied(mine.decrypt, **at)
    terms = {"Operations": ["Decrypt"], "Constraints": {"EncryptionContextEquals": {"tenant": "a"}}, "Name": "g"}
    asked = {"KeyId": key, "GranteePrincipal": arn, "RetiringPrincipal": retiring, **terms}
    grant = kms.create_grant(**asked)
    assert kms.create_grant(**asked)["GrantId"] == grant["GrantId"]
    assert mine.decrypt(GrantTokens=[grant["GrantToken"]], **at)["Plaintext"] == b"x"
    denied(other.decrypt, **at)
    wider = {"tenant": "a", "more": "b"}
    blob = kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=wider)["CiphertextBlob"]
    denied(mine.decrypt, CiphertextBlob=blob, EncryptionContext=wider)
    (listed,) = kms.list_grants(KeyId=key)["Grants"]
    assert (listed["GranteePrincipal"], listed["Name"], listed["Operations"]) == (arn, "g", ["Decrypt"])
    assert kms.list_retirable_grants(RetiringPrincipal=retiring)["Grants"] == [listed]
    denied(mine.retire_grant, GrantToken=grant["GrantToken"])
    other.retire_grant(GrantToken=grant["GrantToken"])
    denied(mine.decrypt, **at)
    with pytest.raises(kms.exceptions.NotFoundException):
        kms.revoke_grant(KeyId=key, GrantId=grant["GrantId"])


def test_aliases_need_a_permission_on_the_key_as_well(kms, user):
    key = kms.create_key()["KeyMetadata"]["Arn"]
    names = f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/*"
    half, _ = user("half", allow("kms:CreateAlias", names))
    denied(half.create_alias, AliasName="alias/a", TargetKeyId=key)
    whole, _ = user("whole", allow("kms:CreateAlias", [names, key]))
    whole.create_alias(AliasName="alias/a", TargetKeyId=key)


def test_another_account_uses_a_key_by_its_arn(server, kms):
    key = kms.create_key()["KeyMetadata"]["Arn"]
    stranger = server.client("kms", key="210987654321")
    denied(stranger.encrypt, KeyId=key, Plaintext=b"x")
    text = policy(allow("kms:*", principal=ROOT), allow("kms:*crypt", principal="210987654321"))
    kms.put_key_policy(KeyId=key, Policy=text)
    blob = stranger.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
