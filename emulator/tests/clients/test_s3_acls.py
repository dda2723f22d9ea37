"""S3's access control lists and the ownership of objects, on buckets as they were before April 2023."""

import socket
import urllib.request

import pytest
from botocore import UNSIGNED
from botocore.exceptions import ClientError

OTHER = "210987654321"
ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
NOBODY = "65a011a29cdf8ec533ec3d1ccaae921c"


@pytest.fixture
def server(start):
    return start("--iam", "enforce", "--s3-object-ownership", "ObjectWriter", "--s3-block-public-access", "false")


@pytest.fixture
def s3(server):
    client = server.client("s3")
    client.create_bucket(Bucket="things")
    return client


@pytest.fixture
def other(server):
    """The same for another account."""
    return server.client("s3", key=OTHER)


@pytest.fixture
def nobody(server):
    """The same without a signature."""
    return server.client("s3", signature_version=UNSIGNED)


def status(call, **arguments):
    """The status of the answer, or the code of the error."""
    try:
        return call(**{"Bucket": "things", **arguments})["ResponseMetadata"]["HTTPStatusCode"]
    except ClientError as error:
        return error.response["Error"]["Code"]


def grants(acl):
    return [(one["Grantee"].get("URI") or one["Grantee"]["ID"], one["Permission"]) for one in acl["Grants"]]


def identity(client):
    return client.list_buckets()["Owner"]["ID"]


def test_a_server_says_what_new_buckets_begin_with(s3, start):
    rules = s3.get_bucket_ownership_controls(Bucket="things")["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "ObjectWriter"}]
    assert status(s3.get_public_access_block) == "NoSuchPublicAccessBlockConfiguration"
    enforced = start("--iam", "enforce").client("s3")
    enforced.create_bucket(Bucket="things")
    rules = enforced.get_bucket_ownership_controls(Bucket="things")["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert all(enforced.get_public_access_block(Bucket="things")["PublicAccessBlockConfiguration"].values())
    assert status(enforced.put_object, Key="k", ACL="public-read") == "AccessControlListNotSupported"
    # A bucket may say so itself; what it says last of the public stands.
    created = {"Bucket": "open", "ObjectOwnership": "ObjectWriter"}
    assert status(enforced.create_bucket, **created, ACL="public-read") == "InvalidBucketAclWithBlockPublicAccessError"
    enforced.create_bucket(**created)
    assert status(enforced.put_object, Bucket="open", Key="k", ACL="public-read") == "AccessDenied"


def test_a_reset_keeps_what_new_buckets_begin_with(s3, server):
    server.admin("POST", "reset")
    s3.create_bucket(Bucket="again", ACL="public-read")
    assert (ALL_USERS, "READ") in grants(s3.get_bucket_acl(Bucket="again"))


def test_a_bucket_is_opened_to_read_and_to_write(s3, other, nobody):
    s3.put_object(Bucket="things", Key="k", Body=b"mine")
    for client in (other, nobody):
        assert status(client.list_objects_v2) == "AccessDenied"
    s3.put_bucket_acl(Bucket="things", ACL="public-read")
    for client in (other, nobody):
        assert status(client.list_objects_v2) == 200
        # To list is not to read.
        assert status(client.get_object, Key="k") == "AccessDenied"
        assert status(client.put_object, Key="new") == "AccessDenied"
    s3.put_bucket_acl(Bucket="things", ACL="authenticated-read")
    assert (status(other.list_objects_v2), status(nobody.list_objects_v2)) == (200, "AccessDenied")
    s3.put_bucket_acl(Bucket="things", ACL="public-read-write")
    for client in (other, nobody):
        assert status(client.put_object, Key="new") == 200
        assert status(client.delete_object, Key="new") == 204
        assert status(client.get_bucket_acl) == "AccessDenied"
    s3.put_bucket_acl(Bucket="things", ACL="private")
    assert status(other.put_object, Key="new") == "AccessDenied"


def test_grants_name_accounts_by_their_ids(s3, other, nobody):
    me, them = identity(s3), identity(other)
    s3.put_object(Bucket="things", Key="k", GrantRead=f'id="{them}"', GrantReadACP=f'id="{them}"')
    assert grants(s3.get_object_acl(Bucket="things", Key="k")) == [(them, "READ"), (them, "READ_ACP")]
    assert (status(other.get_object, Key="k"), status(nobody.get_object, Key="k")) == (200, "AccessDenied")
    assert status(other.get_object_acl, Key="k") == 200
    assert status(other.put_object_acl, Key="k", ACL="public-read") == "AccessDenied"
    # The owner may always, whatever the list says.
    assert status(s3.put_object_acl, Key="k", ACL="private") == 200
    full = {"Grantee": {"Type": "CanonicalUser", "ID": them}, "Permission": "FULL_CONTROL"}
    s3.put_bucket_acl(Bucket="things", AccessControlPolicy={"Owner": {"ID": me}, "Grants": [full]})
    assert grants(other.get_bucket_acl(Bucket="things")) == [(them, "FULL_CONTROL")]
    assert status(other.put_bucket_acl, ACL="private") == 200
    assert status(other.get_bucket_acl) == "AccessDenied"
    # AWS takes no addresses any more.
    assert status(s3.put_bucket_acl, GrantRead='emailAddress="a@example.com"') == "UnresolvableGrantByEmailAddress"


def test_a_version_a_copy_an_upload_and_a_form_have_lists_of_their_own(s3, nobody, server):
    s3.put_bucket_versioning(Bucket="things", VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket="things", Key="k", Body=b"1", ACL="public-read")["VersionId"]
    second = s3.put_object(Bucket="things", Key="k", Body=b"2")["VersionId"]
    assert status(nobody.get_object, Key="k", VersionId=first) == 200
    assert status(nobody.get_object, Key="k", VersionId=second) == "AccessDenied"
    assert status(nobody.get_object, Key="k") == "AccessDenied"
    s3.put_object_acl(Bucket="things", Key="k", VersionId=second, ACL="public-read")
    s3.put_object_acl(Bucket="things", Key="k", VersionId=first, ACL="private")
    assert status(nobody.get_object, Key="k") == 200
    assert status(nobody.get_object, Key="k", VersionId=first) == "AccessDenied"
    # A copy does not take the list of its source.
    s3.copy_object(Bucket="things", Key="copy", CopySource="things/k")
    assert status(nobody.get_object, Key="copy") == "AccessDenied"
    s3.copy_object(Bucket="things", Key="copy", CopySource="things/k", ACL="public-read")
    assert status(nobody.get_object, Key="copy") == 200
    upload = s3.create_multipart_upload(Bucket="things", Key="parts", ACL="public-read")["UploadId"]
    part = s3.upload_part(Bucket="things", Key="parts", UploadId=upload, PartNumber=1, Body=b"p")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(Bucket="things", Key="parts", UploadId=upload, MultipartUpload=parts)
    assert status(nobody.get_object, Key="parts") == 200
    post = s3.generate_presigned_post("things", "form", Fields={"acl": "public-read"}, Conditions=[{"acl": "public-read"}])
    boundary = "xx"
    fields = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in {**post["fields"], "file": "content"}.items()
    )
    request = urllib.request.Request(
        post["url"],
        data=f"{fields}--{boundary}--\r\n".encode(),
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )
    assert urllib.request.urlopen(request, timeout=30).status == 204
    assert status(nobody.get_object, Key="form") == 200


def test_who_writes_an_object_owns_it(s3, other, nobody):
    me, them = identity(s3), identity(other)
    s3.put_bucket_acl(Bucket="things", ACL="public-read-write")
    other.put_object(Bucket="things", Key="theirs", Body=b"t")
    # Not even the bucket's owner may read it, and what the bucket's policy grants does not count.
    assert status(s3.get_object, Key="theirs") == "AccessDenied"
    assert status(s3.get_object_acl, Key="theirs") == "AccessDenied"
    assert other.get_object_acl(Bucket="things", Key="theirs")["Owner"]["ID"] == them
    assert status(other.get_object, Key="theirs") == 200
    [entry] = s3.list_objects_v2(Bucket="things", FetchOwner=True)["Contents"]
    assert entry["Owner"]["ID"] == them
    [entry] = s3.list_object_versions(Bucket="things")["Versions"]
    assert entry["Owner"]["ID"] == them
    other.put_object(Bucket="things", Key="shown", ACL="bucket-owner-read")
    assert status(s3.get_object, Key="shown") == 200
    assert grants(other.get_object_acl(Bucket="things", Key="shown")) == [(them, "FULL_CONTROL"), (me, "READ")]
    other.put_object(Bucket="things", Key="shared", ACL="bucket-owner-full-control")
    assert grants(s3.get_object_acl(Bucket="things", Key="shared")) == [(them, "FULL_CONTROL"), (me, "FULL_CONTROL")]
    nobody.put_object(Bucket="things", Key="found", Body=b"n")
    assert (status(s3.get_object, Key="found"), status(nobody.get_object, Key="found")) == ("AccessDenied", 200)
    assert nobody.get_object_acl(Bucket="things", Key="found")["Owner"]["ID"] == NOBODY
    # A bucket's owner deletes what it cannot read.
    assert status(s3.delete_object, Key="found") == 204
    # Under BucketOwnerPreferred what is written for the bucket's owner is the bucket's owner's.
    preferred = {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    s3.put_bucket_ownership_controls(Bucket="things", OwnershipControls=preferred)
    other.put_object(Bucket="things", Key="given", ACL="bucket-owner-full-control")
    assert grants(s3.get_object_acl(Bucket="things", Key="given")) == [(me, "FULL_CONTROL")]
    assert status(other.get_object, Key="given") == "AccessDenied"
    # And where lists are off, everything is.
    s3.put_bucket_acl(Bucket="things", ACL="private")
    enforced = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.put_bucket_ownership_controls(Bucket="things", OwnershipControls=enforced)
    assert status(s3.get_object, Key="theirs") == 200
    assert s3.get_object_acl(Bucket="things", Key="theirs")["Owner"]["ID"] == me
    assert status(other.get_object, Key="theirs") == "AccessDenied"


def test_a_public_bucket_cannot_have_its_lists_turned_off(s3):
    s3.put_bucket_acl(Bucket="things", ACL="public-read")
    enforced = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert status(s3.put_bucket_ownership_controls, OwnershipControls=enforced) == "InvalidBucketAclWithObjectOwnership"
    # To create it again in its region resets the list.
    s3.create_bucket(Bucket="things")
    assert status(s3.put_bucket_ownership_controls, OwnershipControls=enforced) == 200


def test_a_policy_denies_what_a_list_grants(s3, other):
    s3.put_bucket_acl(Bucket="things", ACL="public-read")
    s3.put_object(Bucket="things", Key="k", ACL="public-read")
    assert status(other.get_object, Key="k") == 200
    deny = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*",'
        f' "Action": "s3:GetObject", "Resource": "arn:aws:s3:::things/*",'
        f' "Condition": {{"StringEquals": {{"aws:PrincipalAccount": "{OTHER}"}}}}}}]}}'
    )
    s3.put_bucket_policy(Bucket="things", Policy=deny)
    assert (status(other.get_object, Key="k"), status(s3.get_object, Key="k")) == ("AccessDenied", 200)
    assert status(other.list_objects_v2) == 200


def test_public_lists_are_blocked_and_ignored(s3, nobody):
    s3.put_object(Bucket="things", Key="k", ACL="public-read")
    assert status(nobody.get_object, Key="k") == 200
    s3.put_public_access_block(Bucket="things", PublicAccessBlockConfiguration={"IgnorePublicAcls": True})
    assert status(nobody.get_object, Key="k") == "AccessDenied"
    assert (ALL_USERS, "READ") in grants(s3.get_object_acl(Bucket="things", Key="k"))
    s3.put_public_access_block(Bucket="things", PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    assert status(nobody.get_object, Key="k") == 200
    assert status(s3.put_object, Key="k", ACL="public-read") == "AccessDenied"
    assert status(s3.put_object_acl, Key="k", ACL="authenticated-read") == "AccessDenied"
    assert status(s3.put_bucket_acl, GrantWrite=f'uri="{ALL_USERS}"') == "AccessDenied"
    assert status(s3.put_object_acl, Key="k", ACL="private") == 200


def test_a_user_needs_the_leave_of_its_own_account(server, s3, other):
    s3.put_object(Bucket="things", Key="k", ACL="public-read")
    iam = server.client("iam", key=OTHER)
    iam.create_user(UserName="u")
    key = iam.create_access_key(UserName="u")["AccessKey"]
    user = server.client("s3", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    assert status(user.get_object, Key="k") == "AccessDenied"
    policy = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}'
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=policy)
    assert status(user.get_object, Key="k") == 200


def test_who_starts_an_upload_may_end_it(s3, other):
    s3.put_bucket_acl(Bucket="things", ACL="public-read-write")
    upload = other.create_multipart_upload(Bucket="things", Key="parts")["UploadId"]
    mine = s3.create_multipart_upload(Bucket="things", Key="parts")["UploadId"]
    assert status(other.list_parts, Key="parts", UploadId=upload) == 200
    assert status(other.abort_multipart_upload, Key="parts", UploadId=mine) == "AccessDenied"
    owners = {one["UploadId"]: one["Owner"]["ID"] for one in s3.list_multipart_uploads(Bucket="things")["Uploads"]}
    assert owners == {upload: identity(other), mine: identity(s3)}
    assert status(other.abort_multipart_upload, Key="parts", UploadId=upload) == 204


def test_a_browser_sees_what_a_list_opened(server, s3):
    rules = [{"AllowedMethods": ["GET"], "AllowedOrigins": ["http://*.example.com"]}]
    s3.put_bucket_cors(Bucket="things", CORSConfiguration={"CORSRules": rules})
    s3.put_object(Bucket="things", Key="k", Body=b"v", ACL="public-read")

    def origin(**headers):
        request = urllib.request.Request(f"{server.url}/things/k", headers={"Origin": "http://a.example.com", **headers})
        return urllib.request.urlopen(request, timeout=30).headers.get("Access-Control-Allow-Origin")

    assert origin() == "http://a.example.com"
    # What a preflight request would ask, S3 heeds in every request.
    assert origin(**{"Access-Control-Request-Headers": "x-amz-acl"}) is None
    assert origin(**{"Access-Control-Request-Method": "PUT"}) is None


def test_the_root_user_is_never_shut_out_by_its_own_policy(server, s3):
    deny = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*",'
        ' "Resource": ["arn:aws:s3:::things", "arn:aws:s3:::things/*"]}]}'
    )
    s3.put_bucket_policy(Bucket="things", Policy=deny)
    assert status(s3.list_objects_v2) == "AccessDenied"
    iam = server.client("iam")
    assert iam.get_user()["User"]["Arn"].endswith(":root")
    iam.create_user(UserName="u")
    everything = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=everything)
    key = iam.create_access_key(UserName="u")["AccessKey"]
    user = server.client("s3", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    assert status(user.delete_bucket_policy) == "AccessDenied"
    assert s3.get_bucket_policy(Bucket="things")["Policy"] == deny
    assert status(s3.delete_bucket_policy) == 204
    assert status(s3.list_objects_v2) == 200


def test_nobody_is_refused_before_it_sends_the_body(server, s3):
    host, port = server.url.removeprefix("http://").split(":")

    def first_line():
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            head = f"PUT /things/k HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
            connection.sendall(head.encode())
            return connection.makefile("rb").readline().split()[1]

    assert first_line() == b"403"
    s3.put_bucket_acl(Bucket="things", ACL="public-read-write")
    assert first_line() == b"100"
