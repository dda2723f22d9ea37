"""S3 (restXml): objects, keys, conditions, listing, versions, copies, and errors, with boto3."""

import base64
import hashlib
import urllib.request

import pytest
from botocore.exceptions import ClientError

KEYS = ["a b+c%d&e=f", "a//b", "./x", "../up", "a/../b", "olá/日本/😀", "a/", "/lead", "q?x#y", "'\"<>", "~!*()", "%2F", "é"]


def refusal(call, **arguments):
    """Status, code and text of the error that a call answers."""
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    answer = refused.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


def test_an_object_keeps_its_body_and_headers(s3):
    put = s3.put_object(
        Bucket="things", Key="k", Body=b"hello", ContentType="text/plain", CacheControl="no-cache", Metadata={"who": "me"}
    )
    assert put["ETag"] == f'"{hashlib.md5(b"hello").hexdigest()}"'
    got = s3.get_object(Bucket="things", Key="k")
    assert got["Body"].read() == b"hello"
    assert (got["ContentType"], got["CacheControl"], got["Metadata"]) == ("text/plain", "no-cache", {"who": "me"})
    head = s3.head_object(Bucket="things", Key="k")
    assert (head["ContentLength"], head["ETag"], head["AcceptRanges"]) == (5, put["ETag"], "bytes")
    s3.delete_object(Bucket="things", Key="k")
    assert refusal(s3.get_object, Bucket="things", Key="k") == (404, "NoSuchKey", "The specified key does not exist.")


@pytest.mark.parametrize("key", KEYS)
def test_every_key_comes_back(s3, key):
    s3.put_object(Bucket="things", Key=key, Body=key.encode())
    assert s3.get_object(Bucket="things", Key=key)["Body"].read() == key.encode()
    assert [found["Key"] for found in s3.list_objects_v2(Bucket="things")["Contents"]] == [key]
    assert [found["Key"] for found in s3.list_objects(Bucket="things", EncodingType="url")["Contents"]]
    s3.copy_object(Bucket="things", Key="copy", CopySource={"Bucket": "things", "Key": key})
    assert s3.get_object(Bucket="things", Key="copy")["Body"].read() == key.encode()
    deleted = s3.delete_objects(Bucket="things", Delete={"Objects": [{"Key": key}]})
    assert [gone["Key"] for gone in deleted["Deleted"]] == [key]


@pytest.mark.parametrize(
    ("asked", "body", "told"),
    [
        ("bytes=2-4", b"234", "bytes 2-4/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=8-99", b"89", "bytes 8-9/10"),
    ],
)
def test_a_range_is_a_part_of_the_body(s3, asked, body, told):
    s3.put_object(Bucket="things", Key="k", Body=b"0123456789")
    got = s3.get_object(Bucket="things", Key="k", Range=asked)
    assert (got["Body"].read(), got["ContentRange"], got["ResponseMetadata"]["HTTPStatusCode"]) == (body, told, 206)


def test_a_range_beyond_the_end_is_refused(s3):
    s3.put_object(Bucket="things", Key="k", Body=b"0123456789")
    answer = (416, "InvalidRange", "The requested range is not satisfiable")
    assert refusal(s3.get_object, Bucket="things", Key="k", Range="bytes=10-") == answer


def test_conditional_writes_do_not_overwrite(s3):
    failed = (412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
    etag = s3.put_object(Bucket="things", Key="k", Body=b"1", IfNoneMatch="*")["ETag"]
    assert refusal(s3.put_object, Bucket="things", Key="k", Body=b"2", IfNoneMatch="*") == failed
    s3.put_object(Bucket="things", Key="k", Body=b"2", IfMatch=etag)
    assert refusal(s3.put_object, Bucket="things", Key="k", Body=b"3", IfMatch=etag) == failed
    assert refusal(s3.put_object, Bucket="things", Key="none", Body=b"3", IfMatch=etag)[:2] == (404, "NoSuchKey")
    assert s3.get_object(Bucket="things", Key="k")["Body"].read() == b"2"


def test_conditional_reads(s3):
    etag = s3.put_object(Bucket="things", Key="k", Body=b"1")["ETag"]
    assert s3.get_object(Bucket="things", Key="k", IfMatch=etag)["ETag"] == etag
    assert refusal(s3.get_object, Bucket="things", Key="k", IfMatch='"other"')[:2] == (412, "PreconditionFailed")
    for call in (s3.get_object, s3.head_object):
        with pytest.raises(ClientError) as same:
            call(Bucket="things", Key="k", IfNoneMatch=etag)
        answer = same.value.response["ResponseMetadata"]
        assert (answer["HTTPStatusCode"], answer["HTTPHeaders"]["etag"]) == (304, etag)


def test_listing_goes_through_pages_folders_and_order(s3):
    for key in ["b", "a/1", "a/2", "a/b/3", "z", "Z"]:
        s3.put_object(Bucket="things", Key=key, Body=b"")
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket="things", PaginationConfig={"PageSize": 2}))
    assert [[found["Key"] for found in page["Contents"]] for page in pages] == [["Z", "a/1"], ["a/2", "a/b/3"], ["b", "z"]]
    page = s3.list_objects_v2(Bucket="things", Delimiter="/")
    assert [found["Prefix"] for found in page["CommonPrefixes"]] == ["a/"]
    assert ([found["Key"] for found in page["Contents"]], page["KeyCount"]) == (["Z", "b", "z"], 4)
    below = s3.list_objects_v2(Bucket="things", Delimiter="/", Prefix="a/", StartAfter="a/1")
    assert [found["Key"] for found in below["Contents"]] == ["a/2"]
    first = s3.list_objects(Bucket="things", Delimiter="/", MaxKeys=2)
    assert (first["IsTruncated"], first["NextMarker"]) == (True, "a/")


def test_versions_are_kept_and_deletion_leaves_a_marker(s3):
    s3.put_bucket_versioning(Bucket="things", VersioningConfiguration={"Status": "Enabled"})
    old, new = (s3.put_object(Bucket="things", Key="k", Body=body)["VersionId"] for body in (b"old", b"new"))
    assert s3.get_object(Bucket="things", Key="k")["Body"].read() == b"new"
    assert s3.get_object(Bucket="things", Key="k", VersionId=old)["Body"].read() == b"old"
    gone = s3.delete_object(Bucket="things", Key="k")
    assert gone["DeleteMarker"] is True
    with pytest.raises(ClientError) as missing:
        s3.get_object(Bucket="things", Key="k")
    headers = missing.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert (headers["x-amz-delete-marker"], headers["x-amz-version-id"]) == ("true", gone["VersionId"])
    listed = s3.list_object_versions(Bucket="things")
    assert [(v["VersionId"], v["IsLatest"]) for v in listed["Versions"]] == [(new, False), (old, False)]
    assert [m["VersionId"] for m in listed["DeleteMarkers"]] == [gone["VersionId"]]
    s3.delete_object(Bucket="things", Key="k", VersionId=gone["VersionId"])
    assert s3.get_object(Bucket="things", Key="k")["VersionId"] == new
    answer = refusal(s3.get_object, Bucket="things", Key="k", VersionId="none")
    assert answer == (400, "InvalidArgument", "Invalid version id specified")


def test_the_resource_and_its_waiters(server):
    s3 = server.session().resource("s3", endpoint_url=server.url)
    bucket = s3.create_bucket(Bucket="things")
    bucket.wait_until_exists()
    thing = bucket.Object("k")
    thing.put(Body=b"x")
    thing.wait_until_exists()
    assert [found.key for found in bucket.objects.all()] == ["k"]
    bucket.objects.all().delete()
    thing.wait_until_not_exists()
    bucket.delete()
    bucket.wait_until_not_exists()
    assert [each.name for each in s3.buckets.all()] == []


def test_a_copy_takes_metadata_or_replaces_it(s3):
    s3.put_object(Bucket="things", Key="k", Body=b"x", Metadata={"a": "1"}, ContentType="text/plain")
    s3.copy_object(Bucket="things", Key="same", CopySource="things/k")
    assert s3.head_object(Bucket="things", Key="same")["Metadata"] == {"a": "1"}
    s3.copy_object(Bucket="things", Key="other", CopySource="things/k", Metadata={"b": "2"}, MetadataDirective="REPLACE")
    other = s3.head_object(Bucket="things", Key="other")
    assert (other["Metadata"], other["ContentType"]) == ({"b": "2"}, "binary/octet-stream")
    assert refusal(s3.copy_object, Bucket="things", Key="k", CopySource="things/k") == (
        400,
        "InvalidRequest",
        "This copy request is illegal because it is trying to copy an object to itself without changing the object's "
        "metadata, storage class, website redirect location or encryption attributes.",
    )
    assert refusal(s3.copy_object, Bucket="things", Key="n", CopySource="things/none")[:2] == (404, "NoSuchKey")


def test_errors_say_what_aws_says(s3):
    cases = [
        (s3.get_object, {"Bucket": "none-such", "Key": "k"}, 404, "NoSuchBucket", "The specified bucket does not exist"),
        (s3.create_bucket, {"Bucket": "Bad_Name"}, 400, "InvalidBucketName", "The specified bucket is not valid."),
        (s3.head_object, {"Bucket": "things", "Key": "none"}, 404, "404", "Not Found"),
        (
            s3.get_bucket_lifecycle_configuration,
            {"Bucket": "things"},
            404,
            "NoSuchLifecycleConfiguration",
            "The lifecycle configuration does not exist",
        ),
        (s3.get_bucket_policy, {"Bucket": "things"}, 404, "NoSuchBucketPolicy", "The bucket policy does not exist"),
        (s3.get_bucket_tagging, {"Bucket": "things"}, 404, "NoSuchTagSet", "The TagSet does not exist"),
        (
            s3.put_object,
            {"Bucket": "things", "Key": "k", "Body": b"x", "ContentMD5": base64.b64encode(b"0" * 16).decode()},
            400,
            "BadDigest",
            "The Content-MD5 you specified did not match what we received.",
        ),
        (s3.put_object, {"Bucket": "things", "Key": "k" * 1025}, 400, "KeyTooLongError", "Your key is too long"),
        (
            s3.abort_multipart_upload,
            {"Bucket": "things", "Key": "k", "UploadId": "none"},
            404,
            "NoSuchUpload",
            "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
            "completed.",
        ),
    ]
    for call, arguments, *answer in cases:
        assert refusal(call, **arguments) == tuple(answer)
    s3.put_object(Bucket="things", Key="k")
    assert refusal(s3.delete_bucket, Bucket="things") == (
        409,
        "BucketNotEmpty",
        "The bucket you tried to delete is not empty",
    )


def test_another_account_cannot_take_the_name(server, s3):
    assert refusal(server.client("s3", key="210987654321").create_bucket, Bucket="things") == (
        409,
        "BucketAlreadyExists",
        "The requested bucket name is not available. The bucket namespace is shared by all users of the system. "
        "Please select a different name and try again.",
    )
    s3.create_bucket(Bucket="things")  # us-east-1 takes one's own again
    west = server.session().client("s3", endpoint_url=server.url, region_name="us-west-2")
    place = {"CreateBucketConfiguration": {"LocationConstraint": "us-west-2"}}
    assert refusal(west.create_bucket, Bucket="things", **place)[1] == "BucketAlreadyOwnedByYou"
    west.create_bucket(Bucket="western", **place)
    assert west.get_bucket_location(Bucket="western")["LocationConstraint"] == "us-west-2"
    assert s3.get_bucket_location(Bucket="things")["LocationConstraint"] is None


def test_boto3_finds_the_region_of_a_bucket(s3):
    s3.create_bucket(Bucket="western", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    # The client is in us-east-1: it is told the region, and signs again.
    s3.put_object(Bucket="western", Key="k", Body=b"x")
    assert s3.get_object(Bucket="western", Key="k")["Body"].read() == b"x"


def test_an_empty_delimiter_is_none(s3):
    s3.put_object(Bucket="things", Key="a/b")
    for listed in [s3.list_objects(Bucket="things", Delimiter=""), s3.list_objects_v2(Bucket="things", Delimiter="")]:
        assert "Delimiter" not in listed
        assert [one["Key"] for one in listed["Contents"]] == ["a/b"]


def test_numbers_of_pages_are_integers_of_32_bits(s3):
    upload = s3.create_multipart_upload(Bucket="things", Key="k")["UploadId"]
    for member, name in [("MaxParts", "max-parts"), ("PartNumberMarker", "part-number-marker")]:
        refused = refusal(s3.list_parts, Bucket="things", Key="k", UploadId=upload, **{member: 2**31})
        assert refused == (400, "InvalidArgument", f"Provided {name} not an integer or within integer range")


def test_the_home_region_is_no_constraint(server):
    text = "The us-east-1 location constraint is incompatible for the region specific endpoint this request was sent to."
    west = server.session().client("s3", endpoint_url=server.url, region_name="us-west-2")
    home = {"LocationConstraint": "us-east-1"}
    refused = refusal(west.create_bucket, Bucket="others", CreateBucketConfiguration=home)
    assert refused == (400, "IllegalLocationConstraintException", text)
    refused = refusal(server.client("s3").create_bucket, Bucket="others", CreateBucketConfiguration=home)
    assert refused[1] == "InvalidLocationConstraint"


def test_tags_that_are_left_out_are_none(s3):
    s3.put_object(Bucket="things", Key="k", Body=b"", Tagging="a=1")
    url = s3.generate_presigned_url(
        "put_object_tagging", Params={"Bucket": "things", "Key": "k", "Tagging": {"TagSet": []}}
    )
    request = urllib.request.Request(url, data=b"<Tagging/>", method="PUT", headers={"Content-Type": "text/xml"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200
    assert s3.get_object_tagging(Bucket="things", Key="k")["TagSet"] == []
    with pytest.raises(ClientError) as missing:
        s3.get_object_tagging(Bucket="things", Key="none")
    assert missing.value.response["Error"]["Key"] == "things/none"
