"""S3's bodies on their way: multipart, checksums, streams, presigned URLs, hosts, and the AWS CLI's `s3`."""

import contextlib
import hashlib
import http.client
import io
import json
import os
import time
import urllib.error
import urllib.request

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

MIB = 1 << 20


def test_a_large_file_goes_up_in_parts_and_comes_down(s3):
    content = bytes(range(256)) * (20 * MIB // 256)
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=4)
    s3.upload_fileobj(io.BytesIO(content), "things", "large", Config=config)
    parts = [hashlib.md5(content[at : at + 5 * MIB]).digest() for at in range(0, 20 * MIB, 5 * MIB)]
    head = s3.head_object(Bucket="things", Key="large", PartNumber=2)
    assert head["ETag"] == f'"{hashlib.md5(b"".join(parts)).hexdigest()}-4"'
    assert (head["PartsCount"], head["ContentLength"]) == (4, 5 * MIB)
    back = io.BytesIO()
    s3.download_fileobj("things", "large", back, Config=config)
    assert back.getvalue() == content
    s3.copy({"Bucket": "things", "Key": "large"}, "things", "copied", Config=config)
    assert s3.head_object(Bucket="things", Key="copied")["ContentLength"] == len(content)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="things")


@pytest.mark.parametrize("told", [True, False])
def test_a_body_that_comes_bit_by_bit_is_whole(server, s3, told):
    pieces = [b"first", b"s" * 70_000, b"", b"third" * 200_000, b"end"]
    signed = s3.generate_presigned_url("put_object", Params={"Bucket": "things", "Key": "pieces"})
    path = signed.removeprefix(server.url)

    def sent():
        for piece in pieces:
            time.sleep(0.02)
            yield piece

    headers = {"Content-Length": str(sum(map(len, pieces)))} if told else {"Transfer-Encoding": "chunked"}
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=20)
    with contextlib.closing(connection):
        connection.request("PUT", path, body=sent(), headers=headers, encode_chunked=not told)
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
    found = s3.get_object(Bucket="things", Key="pieces")
    assert found["Body"].read() == b"".join(pieces)
    assert found["ETag"] == f'"{hashlib.md5(b"".join(pieces)).hexdigest()}"'


def test_parts_must_be_what_was_uploaded_and_large_enough(s3):
    upload = {"Bucket": "things", "Key": "k", "UploadId": s3.create_multipart_upload(Bucket="things", Key="k")["UploadId"]}
    etags = [s3.upload_part(**upload, PartNumber=n, Body=b"small")["ETag"] for n in (1, 2)]
    cases = [
        ([(1, etags[0]), (2, etags[1])], "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size"),
        ([(2, etags[1]), (1, etags[0])], "InvalidPartOrder", "The list of parts was not in ascending order. Parts must be "
         "ordered by part number."),
        ([(3, etags[0])], "InvalidPart", "One or more of the specified parts could not be found.  The part may not have "
         "been uploaded, or the specified entity tag may not match the part's entity tag."),
    ]  # fmt: skip
    for parts, code, text in cases:
        with pytest.raises(ClientError) as refused:
            parts = [{"PartNumber": number, "ETag": etag} for number, etag in parts]
            s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        assert (refused.value.response["Error"]["Code"], refused.value.response["Error"]["Message"]) == (code, text)
    pages = list(s3.get_paginator("list_parts").paginate(**upload, PaginationConfig={"PageSize": 1}))
    assert [[part["PartNumber"] for part in page["Parts"]] for page in pages] == [[1], [2]]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"PartNumber": 2, "ETag": etags[1]}]})
    assert s3.get_object(Bucket="things", Key="k")["Body"].read() == b"small"


@pytest.mark.parametrize(
    ("algorithm", "value"),
    [
        ("CRC32", "DUoRhQ=="),
        ("CRC32C", "yZRlqg=="),
        ("CRC64NVME", "jSnVw/bqjr4="),
        ("SHA1", "Kq5sNclPz7QV2+lfQIuc6R7oRu0="),
        ("SHA256", "uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek="),
    ],
)
def test_checksums_of_every_algorithm(s3, algorithm, value):
    member = f"Checksum{algorithm}"
    wrong = "AAAA" + value[4:]
    # botocore computes some algorithms only with the CRT; S3 checks a value that is given all the same.
    assert s3.put_object(Bucket="things", Key="k", Body=b"hello world", **{member: value})[member] == value
    assert s3.head_object(Bucket="things", Key="k", ChecksumMode="ENABLED")[member] == value
    assert s3.get_object_attributes(Bucket="things", Key="k", ObjectAttributes=["Checksum"])["Checksum"][member] == value
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket="things", Key="k", Body=b"hello world", **{member: wrong})
    error = refused.value.response["Error"]
    assert error["Code"] == "BadDigest"
    assert error["Message"] == f"The {algorithm} you specified did not match the calculated checksum."


def test_a_stream_is_sent_in_chunks_with_its_checksum_behind(s3):
    content = b"x" * (3 * MIB)
    put = s3.put_object(Bucket="things", Key="k", Body=io.BufferedReader(io.BytesIO(content)), ChecksumAlgorithm="SHA256")
    assert put["ChecksumSHA256"]
    got = s3.get_object(Bucket="things", Key="k")
    assert "ContentEncoding" not in got
    assert b"".join(got["Body"].iter_chunks(65536)) == content


def test_presigned_urls(s3):
    arguments = {"Bucket": "things", "Key": "a b/ü+"}
    put = urllib.request.Request(s3.generate_presigned_url("put_object", arguments), data=b"by url", method="PUT")
    assert urllib.request.urlopen(put).status == 200
    url = s3.generate_presigned_url("get_object", {**arguments, "ResponseContentType": "text/x-own"})
    with urllib.request.urlopen(url) as answer:
        assert (answer.read(), answer.headers["Content-Type"]) == (b"by url", "text/x-own")


def test_both_addressing_styles(server, s3):
    s3.put_object(Bucket="things", Key="a/k", Body=b"x")
    port = int(server.url.rsplit(":", 1)[1])
    for host, path in [
        (f"things.s3.localhost:{port}", "/a/k"),
        (f"things.s3.us-east-1.localhost.localstack.cloud:{port}", "/a/k"),
        ("things.s3.amazonaws.com", "/a/k"),
        ("s3.us-east-1.amazonaws.com", "/things/a/k"),
    ]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"x"), host
        connection.close()


def test_the_command_line_moves_files(server, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "one.txt").write_text("one")
    (tmp_path / "sub" / "two words+.txt").write_text("two")
    # S3 keeps whole seconds: what is uploaded in the second in which it was written seems to be older than its file.
    for file in ["one.txt", "sub/two words+.txt"]:
        os.utime(tmp_path / file, (1_700_000_000, 1_700_000_000))
    server.aws("s3", "mb", "s3://things")
    server.aws("s3", "sync", str(tmp_path), "s3://things/tree")
    listed = server.aws("s3", "ls", "--recursive", "s3://things").splitlines()
    assert [line.split(maxsplit=3)[2:] for line in listed] == [["3", "tree/one.txt"], ["3", "tree/sub/two words+.txt"]]
    assert server.aws("s3", "sync", str(tmp_path), "s3://things/tree") == ""
    server.aws("s3", "cp", "-", "s3://things/stream", stdin="through a pipe")
    assert server.aws("s3", "cp", "s3://things/stream", "-") == "through a pipe"
    shown = json.loads(server.aws("s3api", "get-object", "--bucket", "things", "--key", "stream", str(tmp_path / "got")))
    assert (shown["ContentLength"], (tmp_path / "got").read_text()) == (14, "through a pipe")
    server.aws("s3", "rm", "--recursive", "s3://things")
    server.aws("s3", "rb", "s3://things")
    error = server.aws("s3", "ls", "s3://things", fails=True)
    assert "An error occurred (NoSuchBucket) when calling the ListObjectsV2 operation" in error
