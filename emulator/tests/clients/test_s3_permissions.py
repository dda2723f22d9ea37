"""S3 where permissions count: what policies see of a request, and who learns of what is not there."""

import json
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError

OTHER = "210987654321"
KEY = {
    "SSECustomerAlgorithm": "AES256",
    "SSECustomerKey": "pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=",
    "SSECustomerKeyMD5": "DWygnHRtgiJ77HCm+1rvHw==",
}


@pytest.fixture
def server(start):
    return start("--iam", "enforce")


@pytest.fixture
def other(server):
    """The same for a stranger."""
    return server.client("s3", key=OTHER)


def statement(effect, action, resource="things/*", who=OTHER, **condition):
    principal = "*" if who == "*" else {"AWS": who}
    made = {"Effect": effect, "Principal": principal, "Action": action, "Resource": f"arn:aws:s3:::{resource}"}
    return {**made, "Condition": condition} if condition else made


def allow(s3, *statements):
    policy = {"Version": "2012-10-17", "Statement": list(statements)}
    s3.put_bucket_policy(Bucket="things", Policy=json.dumps(policy))


def status(call, **arguments):
    """The status of the answer, be it an error."""
    try:
        return call(**arguments)["ResponseMetadata"]["HTTPStatusCode"]
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"]


def test_a_policy_asks_for_encryption(s3):
    kms = {"s3:x-amz-server-side-encryption": "aws:kms"}
    allow(s3, statement("Deny", "s3:PutObject", who="*", StringNotEquals=kms))
    assert status(s3.put_object, Bucket="things", Key="k") == 403
    assert status(s3.put_object, Bucket="things", Key="k", ServerSideEncryption="AES256") == 403
    assert status(s3.put_object, Bucket="things", Key="k", ServerSideEncryption="aws:kms") == 200
    source = {"Bucket": "things", "Key": "k"}
    assert status(s3.copy_object, Bucket="things", Key="c", CopySource=source) == 403
    assert status(s3.copy_object, Bucket="things", Key="c", CopySource=source, ServerSideEncryption="aws:kms") == 200


def test_the_parts_of_an_upload_need_not_repeat_its_encryption(s3):
    kms = {"s3:x-amz-server-side-encryption": "aws:kms"}
    allow(s3, statement("Deny", "s3:PutObject", who="*", StringNotEquals=kms))
    at = {"Bucket": "things", "Key": "k"}
    assert status(s3.create_multipart_upload, **at) == 403
    at["UploadId"] = s3.create_multipart_upload(**at, ServerSideEncryption="aws:kms")["UploadId"]
    etag = s3.upload_part(**at, PartNumber=1, Body=b"part")["ETag"]
    s3.complete_multipart_upload(**at, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})


def test_a_policy_asks_for_customers_keys(s3):
    algorithm = {"s3:x-amz-server-side-encryption-customer-algorithm": "true"}
    allow(s3, statement("Deny", "s3:PutObject", who="*", Null=algorithm))
    assert status(s3.put_object, Bucket="things", Key="k") == 403
    assert status(s3.put_object, Bucket="things", Key="k", **KEY) == 200


def test_a_policy_looks_at_the_tags_that_are_brought(s3, other):
    public = {"s3:RequestObjectTag/security": "public"}
    few = {"s3:RequestObjectTagKeys": ["security"]}
    tagging = ["s3:PutObject", "s3:PutObjectTagging"]
    allow(s3, statement("Allow", tagging, StringEquals=public, **{"ForAllValues:StringEquals": few}))
    assert status(other.put_object, Bucket="things", Key="k") == 403
    assert status(other.put_object, Bucket="things", Key="k", Tagging="security=private") == 403
    assert status(other.put_object, Bucket="things", Key="k", Tagging="security=public&more=1") == 403
    assert status(other.put_object, Bucket="things", Key="k", Tagging="security=public") == 200
    for value, answered in [("private", 403), ("public", 200)]:
        tags = {"TagSet": [{"Key": "security", "Value": value}]}
        assert status(other.put_object_tagging, Bucket="things", Key="k", Tagging=tags) == answered


def test_a_policy_looks_at_the_tags_that_are_there(s3, other):
    s3.put_object(Bucket="things", Key="open", Tagging="security=public")
    s3.put_object(Bucket="things", Key="shut", Tagging="security=private")
    s3.put_object(Bucket="things", Key="bare")
    public = {"s3:ExistingObjectTag/security": "public"}
    allow(s3, statement("Allow", ["s3:GetObject", "s3:GetObjectAcl"], StringEquals=public))
    for key, answered in [("open", 200), ("shut", 403), ("bare", 403)]:
        assert status(other.get_object, Bucket="things", Key=key) == answered
        assert status(other.get_object_acl, Bucket="things", Key=key) == answered
    # The source of a copy is read as well.
    other.create_bucket(Bucket="others")
    for key, answered in [("open", 200), ("shut", 403)]:
        source = {"Bucket": "things", "Key": key}
        assert status(other.copy_object, Bucket="others", Key=key, CopySource=source, TaggingDirective="REPLACE") == answered


def test_a_directive_that_is_not_sent_is_no_condition(s3, other):
    s3.put_object(Bucket="things", Key="k")
    directive = {"s3:x-amz-metadata-directive": "COPY"}
    allow(s3, statement("Allow", "s3:GetObject"), statement("Allow", "s3:PutObject", StringEquals=directive))
    copy = {"Bucket": "things", "Key": "c", "CopySource": "things/k"}
    assert status(other.copy_object, **copy) == 403
    assert status(other.copy_object, **copy, MetadataDirective="COPY") == 200


def test_an_access_control_list_is_looked_at_before_it_is_refused(s3, other):
    lists = {"s3:x-amz-acl": "public*"}
    allow(s3, statement("Allow", "s3:PutObject"), statement("Deny", "s3:PutObject", StringLike=lists))
    assert status(other.put_object, Bucket="things", Key="k") == 200
    assert status(other.put_object, Bucket="things", Key="k", ACL="public-read") == 403
    # A private list would keep the bucket's owner out; it is only the owner's own to ask for.
    assert status(other.put_object, Bucket="things", Key="k", ACL="private") == 400
    assert status(other.put_object, Bucket="things", Key="k", ACL="bucket-owner-full-control") == 200
    assert status(s3.put_object, Bucket="things", Key="k", ACL="private") == 200


def test_who_may_list_a_prefix_learns_what_is_missing_below_it(s3, other):
    below = {"s3:prefix": "public/*"}
    allow(s3, statement("Allow", "s3:GetObject"), statement("Allow", "s3:ListBucket", "things", StringLike=below))
    assert status(other.head_object, Bucket="things", Key="public/object") == 404
    assert status(other.head_object, Bucket="things", Key="private/object") == 403


def test_a_policy_looks_at_the_page_and_the_program(server, s3):
    s3.put_object(Bucket="things", Key="k", Body=b"hello")
    s3.delete_public_access_block(Bucket="things")
    pages = {"aws:Referer": "https://www.example.com/*"}
    allow(
        s3, statement("Allow", "s3:GetObject", who="*", StringLike=pages),
        statement("Deny", "s3:GetObject", who="*", StringEquals={"aws:UserAgent": "robot"}),
    )

    def get(**headers):
        request = urllib.request.Request(f"{server.url}/things/k", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    page = "https://www.example.com/index.html"
    assert [get(), get(Referer="https://example.org/"), get(Referer=page)] == [403, 403, 200]
    assert get(**{"Referer": page, "User-Agent": "robot"}) == 403


def test_a_form_acts_for_its_signer(server, s3, other):
    form = other.generate_presigned_post("things", "k")
    assert form["url"] == f"{server.url}/things"
    boundary = "----together"
    fields = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in form["fields"].items()
    )
    data = f'{fields}--{boundary}\r\nContent-Disposition: form-data; name="file"\r\n\r\nhello\r\n--{boundary}--\r\n'
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    request = urllib.request.Request(form["url"], data=data.encode(), headers=headers, method="POST")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=20)
    assert refused.value.code == 403
    allow(s3, statement("Allow", "s3:PutObject"))
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.status == 204
