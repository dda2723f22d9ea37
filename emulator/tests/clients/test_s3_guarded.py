"""S3: locks, encryption, access control lists, archives, and what is kept on a bucket, with boto3."""

import base64
import datetime
import hashlib
import os
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError

LATER = datetime.datetime(2099, 1, 1, tzinfo=datetime.timezone.utc)
LOCKED = "Access Denied because object protected by object lock."


@pytest.fixture
def locks(server):
    client = server.client("s3")
    client.create_bucket(Bucket="safe", ObjectLockEnabledForBucket=True)
    return client


def refusal(call, **arguments):
    """Status, code and text of the error that a call answers."""
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    answer = refused.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"].get("Message")


def test_a_retention_keeps_a_version(locks):
    put = locks.put_object(Bucket="safe", Key="k", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=LATER)
    head = locks.head_object(Bucket="safe", Key="k")
    assert (head["ObjectLockMode"], head["ObjectLockRetainUntilDate"]) == ("GOVERNANCE", LATER)
    version = {"Bucket": "safe", "Key": "k", "VersionId": put["VersionId"]}
    assert refusal(locks.delete_object, **version) == (403, "AccessDenied", LOCKED)
    failed = locks.delete_objects(
        Bucket="safe", Delete={"Objects": [{"Key": "k", "VersionId": put["VersionId"]}]}
    )["Errors"]
    assert [(one["Code"], one["Message"]) for one in failed] == [("AccessDenied", LOCKED)]
    assert locks.delete_object(Bucket="safe", Key="k")["DeleteMarker"]
    locks.delete_object(**version, BypassGovernanceRetention=True)
    assert refusal(locks.head_object, **version)[0] == 404


def test_compliance_cannot_be_shortened(locks):
    locks.put_object(Bucket="safe", Key="k")
    retention = {"Mode": "COMPLIANCE", "RetainUntilDate": LATER}
    locks.put_object_retention(Bucket="safe", Key="k", Retention=retention)
    assert locks.get_object_retention(Bucket="safe", Key="k")["Retention"] == retention
    sooner = {"Mode": "COMPLIANCE", "RetainUntilDate": LATER - datetime.timedelta(days=1)}
    change = {"Bucket": "safe", "Key": "k", "BypassGovernanceRetention": True}
    assert refusal(locks.put_object_retention, **change, Retention=sooner) == (403, "AccessDenied", LOCKED)
    later = {"Mode": "COMPLIANCE", "RetainUntilDate": LATER + datetime.timedelta(days=1)}
    locks.put_object_retention(Bucket="safe", Key="k", Retention=later)


def test_a_legal_hold_is_on_until_it_is_off(locks):
    version = locks.put_object(Bucket="safe", Key="k", ObjectLockLegalHoldStatus="ON")["VersionId"]
    assert locks.get_object_legal_hold(Bucket="safe", Key="k")["LegalHold"] == {"Status": "ON"}
    delete = {"Bucket": "safe", "Key": "k", "VersionId": version}
    assert refusal(locks.delete_object, **delete, BypassGovernanceRetention=True)[0] == 403
    locks.put_object_legal_hold(Bucket="safe", Key="k", LegalHold={"Status": "OFF"})
    locks.delete_object(**delete)


def test_a_bucket_has_a_default_retention(locks, s3):
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 2}}
    wanted = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    locks.put_object_lock_configuration(Bucket="safe", ObjectLockConfiguration=wanted)
    assert locks.get_object_lock_configuration(Bucket="safe")["ObjectLockConfiguration"] == wanted
    locks.put_object(Bucket="safe", Key="k")
    head = locks.head_object(Bucket="safe", Key="k")
    assert 1.9 < (head["ObjectLockRetainUntilDate"] - head["LastModified"]).total_seconds() / 86400 < 2.1
    suspend = {"Bucket": "safe", "VersioningConfiguration": {"Status": "Suspended"}}
    assert refusal(locks.put_bucket_versioning, **suspend)[:2] == (409, "InvalidBucketState")
    without = {"Bucket": "things", "ObjectLockConfiguration": wanted}
    assert refusal(s3.put_object_lock_configuration, **without)[:2] == (409, "InvalidBucketState")
    missing = (400, "InvalidRequest", "Bucket is missing Object Lock Configuration")
    assert refusal(s3.put_object, Bucket="things", Key="k", ObjectLockLegalHoldStatus="ON") == missing


def test_a_customers_key_is_needed_to_read(s3):
    key = os.urandom(32)
    theirs = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": key}
    put = s3.put_object(Bucket="things", Key="k", Body=b"secret", **theirs)
    assert put["SSECustomerKeyMD5"] == base64.b64encode(hashlib.md5(key).digest()).decode()
    assert "ServerSideEncryption" not in put
    assert s3.get_object(Bucket="things", Key="k", **theirs)["Body"].read() == b"secret"
    assert refusal(s3.get_object, Bucket="things", Key="k")[:2] == (400, "InvalidRequest")
    other = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": os.urandom(32)}
    assert refusal(s3.get_object, Bucket="things", Key="k", **other)[:2] == (403, "AccessDenied")
    source = {"CopySourceSSECustomerAlgorithm": "AES256", "CopySourceSSECustomerKey": key}
    s3.copy_object(Bucket="things", Key="open", CopySource="things/k", **source)
    assert s3.get_object(Bucket="things", Key="open")["Body"].read() == b"secret"


def test_kms_keys_are_for_kms(s3):
    wrong = {"Bucket": "things", "Key": "k", "ServerSideEncryption": "AES256", "SSEKMSKeyId": "1234"}
    assert refusal(s3.put_object, **wrong)[:2] == (400, "InvalidArgument")


def test_lists_open_where_the_bucket_lets_them(start):
    server = start("--iam", "enforce")
    s3 = server.client("s3")
    s3.create_bucket(Bucket="things")

    def anonymous():
        try:
            with urllib.request.urlopen(f"{server.url}/things/k") as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    closed = (400, "AccessControlListNotSupported", "The bucket does not allow ACLs")
    assert refusal(s3.put_object, Bucket="things", Key="k", ACL="public-read") == closed
    s3.put_bucket_ownership_controls(
        Bucket="things", OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    )
    assert refusal(s3.put_object, Bucket="things", Key="k", ACL="public-read")[:2] == (403, "AccessDenied")
    s3.delete_public_access_block(Bucket="things")
    s3.put_object(Bucket="things", Key="k", Body=b"x")
    assert anonymous() == 403
    s3.put_object_acl(Bucket="things", Key="k", ACL="public-read")
    assert anonymous() == 200
    grants = s3.get_object_acl(Bucket="things", Key="k")["Grants"]
    assert [grant["Permission"] for grant in grants] == ["FULL_CONTROL", "READ"]
    both = {"ACL": "private", "GrantRead": 'uri="http://acs.amazonaws.com/groups/global/AllUsers"'}
    assert refusal(s3.put_object_acl, Bucket="things", Key="k", **both)[:2] == (400, "InvalidRequest")
    bad = {"GrantRead": 'id="nobody"'}
    assert refusal(s3.put_object_acl, Bucket="things", Key="k", **bad) == (400, "InvalidArgument", "Invalid id")


def test_an_archive_is_restored_before_it_is_read(s3):
    s3.put_object(Bucket="things", Key="k", Body=b"old", StorageClass="DEEP_ARCHIVE")
    assert refusal(s3.get_object, Bucket="things", Key="k")[:2] == (403, "InvalidObjectState")
    restored = s3.restore_object(Bucket="things", Key="k", RestoreRequest={"Days": 1})
    assert restored["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert s3.get_object(Bucket="things", Key="k")["Body"].read() == b"old"
    assert s3.head_object(Bucket="things", Key="k")["Restore"].startswith('ongoing-request="false"')


def test_configurations_are_kept(s3):
    s3.create_bucket(Bucket="logs")
    logging = {"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": "things/"}}
    s3.put_bucket_logging(Bucket="things", BucketLoggingStatus=logging)
    assert s3.get_bucket_logging(Bucket="things")["LoggingEnabled"] == logging["LoggingEnabled"]
    s3.put_bucket_accelerate_configuration(Bucket="things", AccelerateConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_accelerate_configuration(Bucket="things")["Status"] == "Enabled"
    s3.put_bucket_request_payment(Bucket="things", RequestPaymentConfiguration={"Payer": "Requester"})
    assert s3.get_bucket_request_payment(Bucket="things")["Payer"] == "Requester"
    for name in ["a", "b"]:
        s3.put_bucket_metrics_configuration(Bucket="things", Id=name, MetricsConfiguration={"Id": name})
    listed = s3.list_bucket_metrics_configurations(Bucket="things")["MetricsConfigurationList"]
    assert [one["Id"] for one in listed] == ["a", "b"]
    s3.delete_bucket_metrics_configuration(Bucket="things", Id="a")
    missing = (404, "NoSuchConfiguration", "The specified configuration does not exist.")
    assert refusal(s3.get_bucket_metrics_configuration, Bucket="things", Id="a") == missing
    nowhere = {"LoggingEnabled": {"TargetBucket": "none", "TargetPrefix": ""}}
    refused = refusal(s3.put_bucket_logging, Bucket="things", BucketLoggingStatus=nowhere)
    assert refused[:2] == (400, "InvalidTargetBucketForLogging")


def test_configurations_say_something(s3):
    refused = refusal(s3.put_public_access_block, Bucket="things", PublicAccessBlockConfiguration={})
    assert refused == (400, "InvalidRequest", "Must specify at least one configuration.")
    s3.put_public_access_block(Bucket="things", PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    block = s3.get_public_access_block(Bucket="things")["PublicAccessBlockConfiguration"]
    assert block == {
        "BlockPublicAcls": True, "IgnorePublicAcls": False, "BlockPublicPolicy": False, "RestrictPublicBuckets": False,
    }
    refused = refusal(s3.put_object_lock_configuration, Bucket="things")
    assert refused == (400, "MissingRequestBodyError", "Request Body is empty")
