"""Objects under keys of KMS: S3 asks KMS for each, as who calls S3."""

import base64
import json

import pytest
from botocore.exceptions import ClientError

from conftest import ACCOUNT, REGION, refusal

NOWHERE = "134f2428-cec1-4b25-a1ae-9048164dba47"
KMS = {"ServerSideEncryption": "aws:kms"}


@pytest.fixture
def bucket(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="things")
    return s3


@pytest.fixture
def key(server):
    return server.client("kms").create_key()["KeyMetadata"]["Arn"]


def at(name="k"):
    return {"Bucket": "things", "Key": name}


def under(key, **more):
    return KMS | {"SSEKMSKeyId": key} | more


def upload(s3, name="big", **encryption):
    """Begins an upload of parts and gives what the calls for them name."""
    return at(name) | {"UploadId": s3.create_multipart_upload(**at(name), **encryption)["UploadId"]}


def test_a_key_goes_by_any_of_its_names(server, bucket, key):
    kms = server.client("kms")
    kms.create_alias(AliasName="alias/mine", TargetKeyId=key)
    names = [key, key.rsplit("/", 1)[1], "alias/mine", key.rsplit(":", 1)[0] + ":alias/mine"]
    for algorithm in ["aws:kms", "aws:kms:dsse"]:
        for name in names:
            put = bucket.put_object(**at(), Body=b"x", ServerSideEncryption=algorithm, SSEKMSKeyId=name)
            assert (put["SSEKMSKeyId"], put["ServerSideEncryption"]) == (key, algorithm)
            got = bucket.get_object(**at())
            assert (got["Body"].read(), got["SSEKMSKeyId"]) == (b"x", key)
    assert bucket.head_object(**at())["SSEKMSKeyId"] == key


def test_a_key_must_be_there(server, bucket, key):
    elsewhere = key.replace(REGION, "eu-west-1")
    gone = f"Key 'arn:aws:kms:{REGION}:{ACCOUNT}:key/{NOWHERE}' does not exist"
    for name, text in [("fake", "Invalid keyId 'fake'"), (NOWHERE, gone), (elsewhere, "Invalid arn eu-west-1")]:
        refused = ("KMS.NotFoundException", text)
        assert refusal(bucket.put_object, **at(), **under(name)) == refused
        assert refusal(bucket.create_multipart_upload, **at(), **under(name)) == refused
        bucket.put_object(**at("plain"), Body=b"x")
        assert refusal(bucket.copy_object, **at(), CopySource="things/plain", **under(name)) == refused
    pair = server.client("kms").create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["Arn"]
    assert refusal(bucket.put_object, **at(), **under(pair))[0] == "KMS.InvalidKeyUsageException"
    assert bucket.list_objects_v2(Bucket="things")["KeyCount"] == 1


def test_a_key_must_be_usable_for_reads_too(server, bucket, key):
    kms = server.client("kms")
    bucket.put_object(**at(), Body=b"x", **under(key))
    bucket.put_object(**at("plain"), Body=b"x")
    going = upload(bucket, **under(key))
    part = bucket.upload_part(**going, PartNumber=1, Body=b"part")
    done = {"MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}}
    kms.disable_key(KeyId=key)
    disabled = ("KMS.DisabledException", f"{key} is disabled.")
    assert refusal(bucket.get_object, **at()) == disabled
    assert refusal(bucket.put_object, **at("l"), **under(key)) == disabled
    assert refusal(bucket.copy_object, **at("l"), CopySource="things/k") == disabled
    assert refusal(bucket.upload_part, **going, PartNumber=2, Body=b"x") == disabled
    assert refusal(bucket.complete_multipart_upload, **going, **done) == disabled
    # What is known without the bytes needs no key.
    assert bucket.head_object(**at())["ContentLength"] == 1
    assert bucket.get_object(**at("plain"))["Body"].read() == b"x"
    kms.enable_key(KeyId=key)
    assert bucket.complete_multipart_upload(**going, **done)["SSEKMSKeyId"] == key
    assert bucket.get_object(**at("big"))["Body"].read() == b"part"
    copied = bucket.copy_object(**at("open"), CopySource="things/big")
    assert copied["ServerSideEncryption"] == "AES256"
    other = upload(bucket, "other", **under(key))
    bucket.upload_part_copy(**other, PartNumber=1, CopySource="things/big")
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert refusal(bucket.get_object, **at()) == ("KMS.KMSInvalidStateException", f"{key} is pending deletion.")


def test_the_key_that_aws_manages_is_made_when_it_is_needed(server, bucket):
    kms = server.client("kms")
    arn = bucket.put_object(**at(), Body=b"x", **KMS)["SSEKMSKeyId"]
    found = kms.describe_key(KeyId=arn)["KeyMetadata"]
    assert (found["KeyManager"], found["Arn"]) == ("AWS", arn)
    assert kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["Arn"] == arn
    assert bucket.get_object(**at())["Body"].read() == b"x"


def test_the_key_of_a_bucket(server, bucket, key):
    rule = {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key},
        "BucketKeyEnabled": True,
    }
    bucket.put_bucket_encryption(Bucket="things", ServerSideEncryptionConfiguration={"Rules": [rule]})
    put = bucket.put_object(**at(), Body=b"x")
    assert (put["SSEKMSKeyId"], put["BucketKeyEnabled"]) == (key, True)
    assert bucket.get_object(**at())["Body"].read() == b"x"
    assert bucket.put_object(**at("open"), ServerSideEncryption="AES256")["ServerSideEncryption"] == "AES256"
    server.client("kms").disable_key(KeyId=key)
    assert refusal(bucket.put_object, **at("l"))[0] == "KMS.DisabledException"
    # A key is only looked for when it is used.
    rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] = NOWHERE
    bucket.put_bucket_encryption(Bucket="things", ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert refusal(bucket.put_object, **at("l"))[0] == "KMS.NotFoundException"


def test_who_may_use_a_key(start):
    server = start("--iam", "enforce")
    iam, kms, owner = server.client("iam"), server.client("kms"), server.client("s3")
    owner.create_bucket(Bucket="things")
    key = kms.create_key()["KeyMetadata"]["Arn"]

    def user(name, *statements):
        arn = iam.create_user(UserName=name)["User"]["Arn"]
        s3 = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        document = {"Version": "2012-10-17", "Statement": [s3, *statements]}
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(document))
        pair = iam.create_access_key(UserName=name)["AccessKey"]
        return server.client("s3", pair["AccessKeyId"], pair["SecretAccessKey"]), arn

    nobody, arn = user("nobody")
    denied = f"User: {arn} is not authorized to perform: %s on resource: {key} because no identity-based policy allows the %s action"
    assert refusal(nobody.put_object, **at(), **under(key)) == ("AccessDenied", denied % (("kms:GenerateDataKey",) * 2))
    bound = {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::things/mine/*"}
    through = {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}
    writer, _ = user("writer", {
        "Effect": "Allow", "Action": "kms:GenerateDataKey", "Resource": key,
        "Condition": {"StringLike": bound, "StringEquals": through},
    })
    writer.put_object(**at("mine/k"), Body=b"x", **under(key))
    assert refusal(writer.put_object, **at(), **under(key))[0] == "AccessDenied"
    with pytest.raises(ClientError, match="kms:Decrypt"):
        writer.get_object(**at("mine/k"))
    # The upload of parts needs both.
    going = upload(writer, "mine/big", **under(key))
    assert refusal(writer.upload_part, **going, PartNumber=1, Body=b"x")[0] == "AccessDenied"
    # A grant lets somebody read, with the context of the request.
    told = base64.b64encode(json.dumps({"team": "pix"}).encode()).decode()
    owner.put_object(**at("shared"), Body=b"x", **under(key, SSEKMSEncryptionContext=told))
    assert refusal(nobody.get_object, **at("shared"))[0] == "AccessDenied"
    terms = {"EncryptionContextSubset": {"team": "pix"}}
    kms.create_grant(KeyId=key, GranteePrincipal=arn, Operations=["Decrypt"], Constraints=terms)
    assert nobody.get_object(**at("shared"))["Body"].read() == b"x"
    assert refusal(nobody.get_object, **at("mine/k"))[0] == "AccessDenied"
    # The key that AWS manages is for everybody in the account, through S3.
    nobody.put_object(**at("k"), Body=b"x", **KMS)
    assert nobody.get_object(**at("k"))["Body"].read() == b"x"


def test_a_context_is_a_map_of_texts(bucket, key):
    assert refusal(bucket.put_object, **at(), **under(key, SSEKMSEncryptionContext="e30"))[0] == "InvalidArgument"
    told = base64.b64encode(b'{"a": "b"}').decode()
    bucket.put_object(**at(), Body=b"x", **under(key, SSEKMSEncryptionContext=told))
    assert bucket.get_object(**at())["Body"].read() == b"x"
