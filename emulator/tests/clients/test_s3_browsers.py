"""S3 as browsers meet it: forms, preflight requests, websites, presigned URLs; over plain HTTP."""

import base64
import html
import json
import urllib.error
import urllib.request
from xml.etree import ElementTree

BOUNDARY = "----together"


class Stay(urllib.request.HTTPRedirectHandler):
    """Redirections are answers here."""

    def redirect_request(self, *_):
        return None


def send(url, method="GET", headers=None, data=None):
    """Status, headers and body of whatever is answered."""
    request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    try:
        with urllib.request.build_opener(Stay).open(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def post(form, body=b"hello", filename="f.txt", **fields):
    """Sends a presigned form, with other or more fields."""
    parts = []
    for name, value in {**form["fields"], **fields}.items():
        parts.append(f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n\r\n'
    data = b"".join(parts) + head.encode() + body + f"\r\n--{BOUNDARY}--\r\n".encode()
    return send(form["url"], "POST", {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}, data)


def code(body):
    return ElementTree.fromstring(body).findtext("Code")


def test_a_form_uploads_an_object(s3):
    conditions = [["starts-with", "$x-amz-meta-who", ""], ["content-length-range", 1, 10]]
    form = s3.generate_presigned_post("things", "in/${filename}", Conditions=conditions)
    status, headers, body = post(form, **{"x-amz-meta-who": "me"})
    assert (status, body) == (204, b"")
    assert headers["Location"].endswith("/things/in%2Ff.txt")
    got = s3.get_object(Bucket="things", Key="in/f.txt")
    assert (got["Body"].read(), got["Metadata"]) == (b"hello", {"who": "me"})


def test_a_form_says_what_it_wants_answered(s3):
    form = s3.generate_presigned_post("things", "k", Conditions=[{"success_action_status": "201"}])
    status, _, body = post(form, success_action_status="201")
    assert status == 201
    told = ElementTree.fromstring(body)
    assert (told.tag, told.findtext("Bucket"), told.findtext("Key")) == ("PostResponse", "things", "k")
    form = s3.generate_presigned_post(
        "things", "k", Conditions=[{"success_action_redirect": "http://localhost/done"}]
    )
    status, headers, _ = post(form, success_action_redirect="http://localhost/done")
    assert status == 303
    assert headers["Location"].startswith("http://localhost/done?bucket=things&key=k&etag=%22")


def test_a_policy_is_held(s3):
    sized = s3.generate_presigned_post("things", "k", Conditions=[["content-length-range", 2, 4]])
    assert (post(sized)[0], code(post(sized)[2])) == (400, "EntityTooLarge")
    assert code(post(sized, body=b"1")[2]) == "EntityTooSmall"
    form = s3.generate_presigned_post("things", "k")
    status, _, body = post(form, key="other")
    assert (status, code(body)) == (403, "AccessDenied")
    assert 'Policy Condition failed: ["eq", "$key", "k"]' in html.unescape(body.decode())
    assert b"Extra input fields: x-amz-meta-a" in post(form, **{"x-amz-meta-a": "b"})[2]
    late = s3.generate_presigned_post("things", "k", ExpiresIn=-10)
    assert b"Policy expired." in post(late)[2]
    unsigned = {"url": form["url"], "fields": {k: v for k, v in form["fields"].items() if k in ("key", "policy")}}
    assert post(unsigned)[0] == 403
    assert send(form["url"], "POST", {"Content-Type": "text/plain"}, b"x")[0] == 412


def test_a_forms_signature_is_verified(start):
    server = start("--iam", "enforce")
    server.client("s3").create_bucket(Bucket="things")
    iam = server.client("iam")
    iam.create_user(UserName="u")
    key = iam.create_access_key(UserName="u")["AccessKey"]
    iam.put_user_policy(
        UserName="u",
        PolicyName="p",
        PolicyDocument='{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:PutObject",'
        ' "Resource": "arn:aws:s3:::things/in/*"}]}',
    )
    theirs = server.client("s3", key["AccessKeyId"], key["SecretAccessKey"], signature_version="s3v4")
    assert post(theirs.generate_presigned_post("things", "in/k"))[0] == 204
    assert post(theirs.generate_presigned_post("things", "out/k"))[0] == 403
    forged = theirs.generate_presigned_post("things", "in/k")
    status, _, body = post(forged, **{"x-amz-signature": "0" * 64})
    assert (status, code(body)) == (403, "SignatureDoesNotMatch")


def test_preflight_requests_follow_the_rules(server, s3):
    url = f"{server.url}/things/k"
    ask = {"Origin": "http://app.test", "Access-Control-Request-Method": "PUT"}
    assert code(send(url, "OPTIONS", ask)[2]) == "AccessForbidden"
    rule = {
        "AllowedMethods": ["PUT", "GET"],
        "AllowedOrigins": ["http://*.test"],
        "AllowedHeaders": ["x-amz-*"],
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": 60,
    }
    s3.put_bucket_cors(Bucket="things", CORSConfiguration={"CORSRules": [rule]})
    status, headers, _ = send(url, "OPTIONS", {**ask, "Access-Control-Request-Headers": "X-Amz-Date"})
    assert status == 200
    assert headers["Access-Control-Allow-Origin"] == "http://app.test"
    assert headers["Access-Control-Allow-Methods"] == "PUT, GET"
    assert headers["Access-Control-Allow-Headers"] == "x-amz-date"
    assert headers["Access-Control-Max-Age"] == "60"
    assert send(url, "OPTIONS", {**ask, "Origin": "http://app.other"})[0] == 403
    s3.put_object(Bucket="things", Key="k", Body=b"x")
    _, headers, _ = send(url, "GET", {"Origin": "http://app.test"})
    assert headers["Access-Control-Expose-Headers"] == "ETag"
    assert "Access-Control-Allow-Origin" not in send(url)[1]


def test_a_website_is_served(server, s3):
    s3.put_bucket_website(
        Bucket="things",
        WebsiteConfiguration={
            "IndexDocument": {"Suffix": "index.html"},
            "ErrorDocument": {"Key": "error.html"},
            "RoutingRules": [
                {"Condition": {"KeyPrefixEquals": "old/"}, "Redirect": {"ReplaceKeyPrefixWith": "new/"}}
            ],
        },
    )
    for key in ["index.html", "error.html", "docs/index.html"]:
        s3.put_object(Bucket="things", Key=key, Body=key.encode(), ContentType="text/html")
    s3.put_object(Bucket="things", Key="gone", WebsiteRedirectLocation="/index.html")
    host = {"Host": "things.s3-website.localhost"}
    assert send(f"{server.url}/", headers=host)[2] == b"index.html"
    assert send(f"{server.url}/docs/", headers=host)[2] == b"docs/index.html"
    status, headers, _ = send(f"{server.url}/docs", headers=host)
    assert (status, headers["Location"]) == (302, "/docs/")
    assert send(f"{server.url}/none", headers=host)[::2] == (404, b"error.html")
    status, headers, _ = send(f"{server.url}/old/a", headers=host)
    assert (status, headers["Location"]) == (301, "http://things.s3-website.localhost/new/a")
    assert send(f"{server.url}/gone", headers=host)[1]["Location"] == "/index.html"
    assert send(f"{server.url}/", "POST", host, b"x")[0] == 405


def test_presigned_urls_carry_conditions(s3):
    url = s3.generate_presigned_url("put_object", {"Bucket": "things", "Key": "k", "ContentType": "text/plain"})
    assert send(url, "PUT", {"Content-Type": "text/plain"}, b"hello")[0] == 200
    part = s3.generate_presigned_url("get_object", {"Bucket": "things", "Key": "k", "Range": "bytes=1-2"})
    assert send(part, "GET", {"Range": "bytes=1-2"})[2] == b"el"
    named = {"Bucket": "things", "Key": "k", "ResponseContentDisposition": "attachment; filename=a"}
    _, headers, _ = send(s3.generate_presigned_url("get_object", named))
    assert headers["Content-Disposition"] == "attachment; filename=a"


def test_presigned_urls_are_for_what_was_signed(server, s3):
    """Also where the secret is not known: what headers there are, and how long the URL is good."""
    s3 = server.client("s3", signature_version="s3v4")
    url = s3.generate_presigned_url("put_object", {"Bucket": "things", "Key": "k", "Metadata": {"a": "b"}})
    status, _, body = send(url, "PUT", {}, b"hello")
    assert (status, code(body)) == (403, "SignatureDoesNotMatch")
    status, _, body = send(url, "PUT", {"x-amz-meta-a": "b", "x-amz-meta-c": "d"}, b"hello")
    assert (status, code(body)) == (403, "AccessDenied")
    assert b"<HeadersNotSigned>x-amz-meta-c</HeadersNotSigned>" in body
    assert send(url, "PUT", {"x-amz-meta-a": "b"}, b"hello")[0] == 200
    assert send(s3.generate_presigned_url("get_object", {"Bucket": "things", "Key": "k"}, ExpiresIn=60))[2] == b"hello"
    status, _, body = send(s3.generate_presigned_url("get_object", {"Bucket": "things", "Key": "k"}, ExpiresIn=0))
    assert (status, code(body)) == (403, "AccessDenied")
    assert b"Request has expired" in body


def test_signatures_of_version_two_are_taken(server, s3):
    iam = server.client("iam")
    iam.create_user(UserName="ana")
    key = iam.create_access_key(UserName="ana")["AccessKey"]
    for secret, expected in [(key["SecretAccessKey"], 200), ("wrong", 403)]:
        old = server.client("s3", key=key["AccessKeyId"], secret=secret, signature_version="s3")
        arguments = {"Bucket": "things", "Key": "a b+ü", "Metadata": {"m": "1"}, "ContentType": "text/plain"}
        url = old.generate_presigned_url("put_object", arguments)
        status, _, body = send(url, "PUT", {"Content-Type": "text/plain"}, b"old")
        assert status == expected, body
        got = send(old.generate_presigned_url("get_object", {"Bucket": "things", "Key": "a b+ü"}))
        if expected == 403:
            assert code(body) == code(got[2]) == "SignatureDoesNotMatch"
            continue
        assert got[2] == b"old"
        assert s3.head_object(Bucket="things", Key="a b+ü")["Metadata"] == {"m": "1"}
        old.put_object(Bucket="things", Key="by/header", Body=b"1", Metadata={"z": "1", "a": "2"})
        assert old.list_objects_v2(Bucket="things", Prefix="by/")["KeyCount"] == 1
        assert old.get_object_tagging(Bucket="things", Key="by/header")["TagSet"] == []


def test_a_request_that_says_no_region_is_right_everywhere(server, s3):
    s3.create_bucket(Bucket="far-away", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    old = server.client("s3", signature_version="s3")
    old.put_object(Bucket="far-away", Key="k", Body=b"there")
    assert old.get_object(Bucket="far-away", Key="k")["Body"].read() == b"there"
    # The fixture's server asks for no permissions, and so for no signature.
    assert send(f"{server.url}/far-away/k")[2] == b"there"


def test_the_command_line_syncs_and_presigns(server, s3, tmp_path):
    for name in ["a.txt", "b/c.txt"]:
        file = tmp_path / "site" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    server.aws("s3", "sync", str(tmp_path / "site"), "s3://things/site")
    assert [one["Key"] for one in s3.list_objects_v2(Bucket="things")["Contents"]] == ["site/a.txt", "site/b/c.txt"]
    (tmp_path / "site" / "a.txt").unlink()
    server.aws("s3", "sync", "--delete", str(tmp_path / "site"), "s3://things/site")
    server.aws("s3", "cp", "s3://things/site/b/c.txt", str(tmp_path / "back"))
    assert (tmp_path / "back").read_text() == "b/c.txt"
    url = server.aws("s3", "presign", "s3://things/site/b/c.txt").strip()
    assert send(url)[2] == b"b/c.txt"
    assert "NoSuchBucket" in server.aws("s3", "ls", "s3://none", fails=True)


def test_conditions_are_about_the_key_that_is_stored(s3):
    conditions = [["starts-with", "$key", "pictures-"]]
    form = s3.generate_presigned_post("things", "${filename}", Conditions=conditions)
    assert post(form, filename="pictures-1.png")[0] == 204
    assert s3.head_object(Bucket="things", Key="pictures-1.png")["ContentLength"] == 5
    status, _, body = post(form, filename="passwords.txt")
    assert (status, code(body)) == (403, "AccessDenied")


def test_a_form_may_ask_for_a_private_object(s3):
    form = s3.generate_presigned_post("things", "k", Fields={"acl": "private"}, Conditions=[{"acl": "private"}])
    assert post(form)[0] == 204
    form = s3.generate_presigned_post("things", "k", Fields={"acl": "public-read"}, Conditions=[{"acl": "public-read"}])
    status, _, body = post(form)
    assert (status, code(body)) == (400, "AccessControlListNotSupported")


def test_who_reads_does_not_say_how_to_encrypt(server, s3):
    s3.put_object(Bucket="things", Key="k", Body=b"hello")
    url, headers = f"{server.url}/things/k", {"x-amz-server-side-encryption": "AES256"}
    status, _, body = send(url, headers=headers)
    assert (status, code(body)) == (400, "InvalidArgument")
    assert send(url, "HEAD", headers)[::2] == (400, b"")
    assert send(url)[::2] == (200, b"hello")


def test_a_policy_ends_at_a_time_that_is_written_as_aws_writes_it(server, s3):
    def answered(expiration):
        conditions = [{"bucket": "things"}, {"key": "k"}]
        policy = base64.b64encode(json.dumps({"expiration": expiration, "conditions": conditions}).encode()).decode()
        fields = {"key": "k", "policy": policy, "AWSAccessKeyId": "123456789012", "signature": "x"}
        return post({"url": f"{server.url}/things", "fields": fields})[0]

    assert answered("2099-01-01T00:00:00Z") == 204
    assert [answered("2099-01-01 00:00:00+00:00"), answered("2099-01-01")] == [400, 400]
