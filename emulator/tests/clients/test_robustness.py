"""What no client sends: each request is answered promptly and well-formed, and the server goes on."""

import contextlib
import gzip
import json
import socket
import time
import urllib.error
import urllib.request
import xml.etree.ElementTree as ElementTree

import pytest

SCOPE = "AWS4-HMAC-SHA256 Credential=123456789012/20260302/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=00"


@pytest.fixture(autouse=True)
def goes_on(server):
    yield
    assert server.admin("GET", "health")["status"] == "ok"


def raw(server, request):
    """Sends bytes, and gives all that is answered."""
    host, port = server.url.removeprefix("http://").rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        answer = b""
        # The server may cut the connection while we still send.
        with contextlib.suppress(OSError):
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while read := connection.recv(65536):
                answer += read
    return answer


def ask(server, path="/", body=None, **headers):
    """Sends a request: the status, and the body of the answer."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(server.url + path, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\xff\xfe garbage\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"PUT /b/k HTTP/1.1\r\nHost: x\r\nContent-Length: 1152921504606846976\r\n\r\n" + b"o" * 100_000,
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nshort",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Huge: " + b"a" * (1 << 20) + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(2000)) + b"\r\n",
        b"GET /%ff%00%zz?%ff=%zz&&&=== HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: \xff\xff\r\nConnection: close\r\n\r\n",
        b"F" * 100_000 + b" / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET http://127.0.0.1:22/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\na",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"a: b\r\n" * 100_000,
        b"GET /_garoa/health HTTP/1.1\r\nHost: x\r\n\r\n" * 100 + b"\xff\xff",
        b"GET /_aws/execute-api/x/y HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n" + b"\xff" * 999,
    ],
)
def test_garbage_is_answered_or_cut_off(server, garbage):
    answer = raw(server, garbage)
    # An odd `Host` is no reason to refuse.
    assert answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4", b"HTTP/1.1 200", b"HTTP/1.0 200")), answer[:200]


@pytest.mark.parametrize(
    "begun",
    [
        b"GET / HTT",
        b"PUT /b/k HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx",
        b"PUT /b/k HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n",
        b"PUT /b/k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n",
    ],
)
def test_who_is_slow_keeps_nobody_waiting(server, begun):
    host, port = server.url.removeprefix("http://").rsplit(":", 1)
    with contextlib.ExitStack() as slow:
        for _ in range(200):
            slow.enter_context(socket.create_connection((host, int(port)), timeout=10)).sendall(begun)
        assert ask(server, "/_garoa/health")[0] == 200


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        ("Logs_20140328.NoSuchOperation", 400, "UnknownOperationException"),
        ("NoSuchService_1.List", 501, "NotImplemented"),
        ("", 400, "UnknownOperationException"),
        ("Logs_20140328.", 400, "UnknownOperationException"),
    ],
)
def test_unknown_targets(server, target, status, code):
    answer = ask(server, body=b"{}", X_Amz_Target=target, Content_Type="application/x-amz-json-1.1")
    assert (answer[0], json.loads(answer[1])["__type"]) == (status, code)


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        (b"Action=NoSuch&Version=2011-06-15", 400, "InvalidAction"),
        (b"Action=GetCallerIdentity&Version=1999-01-01", 501, "NotImplemented"),
        (b"Action=GetRole&Version=2010-05-08&RoleName=%ff", 400, "MalformedInput"),
    ],
)
def test_unknown_actions(server, form, status, code):
    answer = ask(server, body=form, Content_Type="application/x-www-form-urlencoded")
    codes = [element.text for element in ElementTree.fromstring(answer[1]).iter() if element.tag.endswith("Code")]
    assert (answer[0], codes) == (status, [code])


@pytest.mark.parametrize("service", ["no-such", "elasticloadbalancing"])
def test_unknown_services(server, service):
    status, body = ask(server, body=b"Action=DescribeLoadBalancers&Version=2015-12-01", Authorization=SCOPE.format(service),
                       Content_Type="application/x-www-form-urlencoded")  # fmt: skip
    assert status == 501 and service.encode() in body


DEEP = 100_000


@pytest.mark.parametrize(
    "body",
    [
        b"[" * DEEP,
        b'{"a":' * DEEP,
        b'{"logGroupName":' + b"[" * DEEP + b"]" * DEEP + b"}",
        b"{",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b'{"logGroupName": 1e999}',
        b'{"logGroupName": "a", "logGroupName": ["b"]}',
    ],
)
def test_broken_and_deep_json(server, body):
    status, answer = ask(
        server, body=body, X_Amz_Target="Logs_20140328.CreateLogGroup", Content_Type="application/x-amz-json-1.1"
    )
    assert status == 400
    assert json.loads(answer)["__type"] in ("SerializationException", "InvalidParameterException")


@pytest.mark.parametrize(
    "body",
    [
        b"\x9f" * DEEP,
        b"\xbf\x61a" * DEEP,
        b"\xbf\x69Namespace" + b"\x81" * DEEP + b"\x00\xff",
        b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\xa1",
        b"\xff",
        b"{}",
    ],
)
def test_broken_and_deep_cbor(server, body):
    path = "/service/GraniteServiceVersion20100801/operation/PutMetricData"
    status, answer = ask(server, path, body, Smithy_Protocol="rpc-v2-cbor", Content_Type="application/cbor")
    assert status == 400
    assert b"__type" in answer and (b"SerializationException" in answer or b"Validation" in answer or b"Missing" in answer)


@pytest.mark.parametrize(
    "body",
    [
        b"<Delete>" * DEEP,
        b"<Delete><Object><Key>k</Key></Object>",
        b'<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><Delete><Object><Key>&b;</Key></Object></Delete>',
        b"<a/>",
        b"text",
        b"\xff\xfe",
    ],
)
def test_broken_and_deep_xml(server, body):
    server.client("s3").create_bucket(Bucket="things")
    status, answer = ask(server, "/things?delete", body, Content_Type="application/xml")
    error = ElementTree.fromstring(answer)
    assert (status, error.tag) == (400, "Error")
    assert error.findtext("Code") in ("MalformedXML", "InvalidRequest", "MissingContentMD5")


def test_what_inflates_without_end_is_refused(server):
    bomb = gzip.compress(b"\0" * (64 << 20))
    headers = {"Content_Encoding": "gzip", "Content_Type": "application/x-amz-json-1.0"}
    target = "GraniteServiceVersion20100801.PutMetricData"
    status, answer = ask(server, body=bomb, X_Amz_Target=target, **headers)
    assert (status, json.loads(answer)["__type"]) == (413, "RequestEntityTooLarge")
    assert ask(server, body=b"no gzip", X_Amz_Target=target, **headers)[0] == 400


def test_documents_have_a_length(server):
    server.client("s3").create_bucket(Bucket="things")
    request = urllib.request.Request(server.url + "/things?tagging", data=b" " * (17 << 20), method="PUT")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    assert (refused.value.code, ElementTree.fromstring(refused.value.read()).findtext("Code")) == (400, "MaxMessageLengthExceeded")


def test_a_query_that_makes_text_without_end_is_refused(server):
    logs = server.client("logs")
    logs.create_log_group(logGroupName="long")
    logs.create_log_stream(logGroupName="long", logStreamName="s")
    logs.put_log_events(
        logGroupName="long", logStreamName="s", logEvents=[{"timestamp": int(time.time() * 1000), "message": "a" * 1000}]
    )
    grown = "replace(" * 9 + "@message" + ',"a","aaaaaaaaaaaaaaaaaaaa")' * 9
    with pytest.raises(logs.exceptions.LimitExceededException):
        logs.start_query(
            logGroupName="long", startTime=0, endTime=int(time.time()) + 60, queryString=f"fields {grown} as grown"
        )


def test_a_simulation_of_very_much_is_told_in_pages(server):
    iam = server.client("iam")
    policy = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
    names = [f"arn:aws:s3:::things{number}" for number in range(1000)]
    told = iam.simulate_custom_policy(PolicyInputList=[policy] * 50, ActionNames=["s3:GetObject"] * 100, ResourceArns=names)
    assert told["IsTruncated"] and len(told["EvaluationResults"]) == 2
    with pytest.raises(iam.exceptions.ClientError, match="NotImplemented"):
        iam.simulate_custom_policy(PolicyInputList=[policy] * 200, ActionNames=["s3:GetObject"], ResourceArns=names)
