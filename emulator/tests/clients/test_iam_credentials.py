"""What users have besides a password: MFA devices, keys and certificates; and the access keys of the root user."""

import base64
import hashlib
import hmac
import json
import struct
import time

import pytest
from conftest import ACCOUNT, refusal

CERTIFICATE = """-----BEGIN CERTIFICATE-----
MIIBhzCCAS2gAwIBAgIUctIyRHqr8eV60Ech4WSR3SQR2F4wCgYIKoZIzj0EAwIw
GDEWMBQGA1UEAwwNZ2Fyb2EuZXhhbXBsZTAgFw0yNjExMjMwNzQ0NDJaGA8yMDgx
MDgyNjA3NDQ0MlowGDEWMBQGA1UEAwwNZ2Fyb2EuZXhhbXBsZTBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABPStghJBNuGtGmzhUyd+/+pmZ9B9t2fi1TsjqXfN0bYP
HUZX11x9pfk5WPInQ//zgrAvMeMGjZ8LMg7CkkYE+GujUzBRMB0GA1UdDgQWBBTV
GZbXrmSQO+6cNAkpB6PXeYmoQzAfBgNVHSMEGDAWgBTVGZbXrmSQO+6cNAkpB6PX
eYmoQzAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQCHDw4I3HjN
jekZu6ibpNSLtmrGx03bDH4Mp8MeweEgSQIgan3dyy8sc59GWDV6jvNaIUOJl7qg
RWXG7iSiHZYXdP4=
-----END CERTIFICATE-----"""
# Made for this test, and for nothing else.
PRIVATE_KEY = """-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgWWuFbavkky3mtxGO
CeoDf8lQC2iuuMUh8pNqT5dXiX6hRANCAAT0rYISQTbhrRps4VMnfv/qZmfQfbdn
4tU7I6l3zdG2Dx1GV9dcfaX5OVjyJ0P/84KwLzHjBo2fCzIOwpJGBPhr
-----END PRIVATE KEY-----"""
SSH_KEY = (
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDe9nRNPDYIn7g9iRYbRMcIsoQBgVKcXt7djJ955nGCH5ggLcf4BRcl0EcgI18f++BLaMFEF9NfcQhF"
    "Z7tzZzt4nd4N/wDmt6ikaF18v+Ppr9L/p/upGqJ/qOqBItZkY6p7YzT2IJP/U5ChwTVhVWrxFgeJmDFLj+u8D7o9cBTnuw== me"
)
FINGERPRINT = "5b:30:8a:1d:83:4c:2e:e1:3e:05:b0:1b:1b:46:53:68"


@pytest.fixture
def iam(server):
    return server.client("iam")


def codes(seed):
    """Two codes of a device, one after the other."""
    key = base64.b32decode(seed)

    def code(step):
        digest = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
        offset = digest[-1] & 15
        return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 10**6:06}"

    now = int(time.time()) // 30
    return code(now - 1), code(now)


def device(iam, user, name="phone"):
    """A new device of a user: its serial number and seed."""
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]
    serial, seed = made["SerialNumber"], made["Base32StringSeed"]
    first, second = codes(seed)
    iam.enable_mfa_device(
        UserName=user, SerialNumber=serial, AuthenticationCode1=first, AuthenticationCode2=second
    )
    return serial, seed


def test_a_virtual_device_is_made_given_to_a_user_and_taken_back(iam):
    iam.create_user(UserName="Ana")
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName="spare", Path="/team/", Tags=[{"Key": "k", "Value": "v"}])
    spare = made["VirtualMFADevice"]["SerialNumber"]
    assert spare == f"arn:aws:iam::{ACCOUNT}:mfa/team/spare"
    assert iam.list_mfa_device_tags(SerialNumber=spare)["Tags"] == [{"Key": "k", "Value": "v"}]
    wrong = {"UserName": "Ana", "SerialNumber": spare, "AuthenticationCode1": "000000", "AuthenticationCode2": "000001"}
    assert refusal(iam.enable_mfa_device, **wrong) == (
        "InvalidAuthenticationCode", "Authentication code for device is not valid.",
    )
    serial, seed = device(iam, "ana")
    assert len(base64.b32decode(seed)) == 40
    taken = refusal(iam.create_virtual_mfa_device, VirtualMFADeviceName="phone")
    assert taken == ("EntityAlreadyExists", "MFADevice entity at the same path and name already exists.")
    assert [(one["UserName"], one["SerialNumber"]) for one in iam.list_mfa_devices(UserName="Ana")["MFADevices"]] == [
        ("Ana", serial)
    ]
    assert iam.get_mfa_device(SerialNumber=serial)["UserName"] == "Ana"
    listed = iam.list_virtual_mfa_devices(AssignmentStatus="Assigned")["VirtualMFADevices"]
    assert [(one["SerialNumber"], one["User"]["UserName"]) for one in listed] == [(serial, "Ana")]
    unassigned = iam.list_virtual_mfa_devices(AssignmentStatus="Unassigned")["VirtualMFADevices"]
    assert [one["SerialNumber"] for one in unassigned] == [spare]
    counts = iam.get_account_summary()["SummaryMap"]
    assert (counts["MFADevices"], counts["MFADevicesInUse"], counts["RolePolicySizeQuota"]) == (2, 1, 10240)
    assert refusal(iam.delete_user, UserName="Ana")[0] == "DeleteConflict"
    assert refusal(iam.delete_virtual_mfa_device, SerialNumber=serial)[0] == "DeleteConflict"
    iam.deactivate_mfa_device(UserName="Ana", SerialNumber=serial)
    iam.delete_virtual_mfa_device(SerialNumber=serial)
    missing = refusal(iam.delete_virtual_mfa_device, SerialNumber=serial)
    assert missing == ("NoSuchEntity", f"VirtualMFADevice with serial number {serial} doesn't exist.")
    iam.delete_user(UserName="Ana")


def test_policies_may_ask_for_a_code(start):
    server = start("--iam", "enforce")
    iam = server.client("iam")
    iam.create_user(UserName="u")
    condition = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    statement = {"Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*", "Condition": condition}
    assume = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement, assume]})
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=policy)
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole", "Condition": condition}
    trust = json.dumps({"Version": "2012-10-17", "Statement": trust})
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    key = iam.create_access_key(UserName="u")["AccessKey"]
    keys = (key["AccessKeyId"], key["SecretAccessKey"])
    serial, seed = device(iam, "u")
    assert refusal(server.client("sqs", *keys).list_queues)[0] == "AccessDenied"
    sts = server.client("sts", *keys)
    asked = {"SerialNumber": serial, "TokenCode": "000000"}
    wrong = ("AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code.")
    assert refusal(sts.get_session_token, **asked) == wrong
    stranger = refusal(sts.get_session_token, SerialNumber=serial + "x", TokenCode=codes(seed)[1])
    assert stranger[0] == "AccessDenied" and "verify your MFA serial number" in stranger[1]
    session = sts.get_session_token(SerialNumber=serial, TokenCode=codes(seed)[1])["Credentials"]
    given = (session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])
    server.client("sqs", *given).list_queues()
    assert refusal(sts.assume_role, RoleArn=role, RoleSessionName="session")[0] == "AccessDenied"
    sts.assume_role(RoleArn=role, RoleSessionName="session", SerialNumber=serial, TokenCode=codes(seed)[1])


def test_ssh_public_keys(iam):
    iam.create_user(UserName="u")
    key = iam.upload_ssh_public_key(UserName="u", SSHPublicKeyBody=SSH_KEY)["SSHPublicKey"]
    assert (key["Fingerprint"], key["Status"], key["SSHPublicKeyBody"]) == (FINGERPRINT, "Active", SSH_KEY)
    assert refusal(iam.upload_ssh_public_key, UserName="u", SSHPublicKeyBody=SSH_KEY)[0] == "DuplicateSSHPublicKey"
    unknown = refusal(iam.upload_ssh_public_key, UserName="u", SSHPublicKeyBody="no key")
    assert unknown[0] == "UnrecognizedPublicKeyEncoding"
    one = {"UserName": "u", "SSHPublicKeyId": key["SSHPublicKeyId"]}
    iam.update_ssh_public_key(Status="Inactive", **one)
    assert iam.get_ssh_public_key(Encoding="SSH", **one)["SSHPublicKey"]["Status"] == "Inactive"
    assert [key["SSHPublicKeyId"] for key in iam.list_ssh_public_keys(UserName="u")["SSHPublicKeys"]] == [one["SSHPublicKeyId"]]
    assert refusal(iam.delete_user, UserName="u")[0] == "DeleteConflict"
    iam.delete_ssh_public_key(**one)
    assert refusal(iam.delete_ssh_public_key, **one)[0] == "NoSuchEntity"


def test_signing_certificates(iam):
    iam.create_user(UserName="u")
    made = iam.upload_signing_certificate(UserName="u", CertificateBody=CERTIFICATE)["Certificate"]
    assert (made["CertificateBody"], made["Status"]) == (CERTIFICATE, "Active")
    assert refusal(iam.upload_signing_certificate, UserName="u", CertificateBody="x")[0] == "MalformedCertificate"
    again = refusal(iam.upload_signing_certificate, UserName="u", CertificateBody=CERTIFICATE)
    assert again[0] == "DuplicateCertificate"
    one = {"UserName": "u", "CertificateId": made["CertificateId"]}
    iam.update_signing_certificate(Status="Inactive", **one)
    assert [found["Status"] for found in iam.list_signing_certificates(UserName="u")["Certificates"]] == ["Inactive"]
    assert refusal(iam.delete_user, UserName="u")[0] == "DeleteConflict"
    iam.delete_signing_certificate(**one)
    gone = refusal(iam.delete_signing_certificate, **one)
    assert gone == ("NoSuchEntity", f"The Certificate with id {one['CertificateId']} cannot be found.")


def test_server_certificates(iam):
    body = {"CertificateBody": CERTIFICATE, "PrivateKey": PRIVATE_KEY}
    made = iam.upload_server_certificate(ServerCertificateName="Web", Path="/sites/", **body)["ServerCertificateMetadata"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:server-certificate/sites/Web"
    assert made["Expiration"].isoformat() == "2081-08-26T07:44:42+00:00"
    found = iam.get_server_certificate(ServerCertificateName="Web")["ServerCertificate"]
    assert (found["CertificateBody"], found["Tags"]) == (CERTIFICATE, [])
    assert refusal(iam.upload_server_certificate, ServerCertificateName="web", **body)[0] == "EntityAlreadyExists"
    malformed = refusal(
        iam.upload_server_certificate, ServerCertificateName="x", CertificateBody="x", PrivateKey=PRIVATE_KEY
    )
    assert malformed[0] == "MalformedCertificate"
    iam.tag_server_certificate(ServerCertificateName="Web", Tags=[{"Key": "k", "Value": "v"}])
    iam.update_server_certificate(ServerCertificateName="Web", NewServerCertificateName="site", NewPath="/")
    listed = iam.list_server_certificates()["ServerCertificateMetadataList"]
    assert [one["Arn"] for one in listed] == [f"arn:aws:iam::{ACCOUNT}:server-certificate/site"]
    assert iam.list_server_certificate_tags(ServerCertificateName="site")["Tags"] == [{"Key": "k", "Value": "v"}]
    iam.delete_server_certificate(ServerCertificateName="site")
    gone = refusal(iam.get_server_certificate, ServerCertificateName="site")
    assert gone == ("NoSuchEntity", "The Server Certificate with name site cannot be found.")


def test_the_root_user_has_access_keys(server, iam):
    key = iam.create_access_key()["AccessKey"]
    assert "UserName" not in key
    who = server.client("sts", key["AccessKeyId"], key["SecretAccessKey"]).get_caller_identity()
    assert who["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"
    assert iam.get_account_summary()["SummaryMap"]["AccountAccessKeysPresent"] == 1
    iam.update_access_key(AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert [one["Status"] for one in iam.list_access_keys()["AccessKeyMetadata"]] == ["Inactive"]
    iam.delete_access_key(AccessKeyId=key["AccessKeyId"])
    assert iam.list_access_keys()["AccessKeyMetadata"] == []


def test_names_are_not_distinguished_by_case(iam):
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": trust})
    user = iam.create_user(UserName="Ana")["User"]
    iam.create_group(GroupName="Makers")
    iam.create_role(RoleName="Worker", AssumeRolePolicyDocument=trust)
    iam.create_instance_profile(InstanceProfileName="Machine")
    assert iam.get_user(UserName="ana")["User"] == user
    iam.add_user_to_group(GroupName="makers", UserName="ANA")
    assert [one["UserName"] for one in iam.get_group(GroupName="MAKERS")["Users"]] == ["Ana"]
    iam.add_role_to_instance_profile(InstanceProfileName="machine", RoleName="worker")
    held = iam.get_instance_profile(InstanceProfileName="machine")["InstanceProfile"]
    assert ([role["RoleName"] for role in held["Roles"]], held["Tags"]) == (["Worker"], [])
    assert len(iam.list_instance_profiles_for_role(RoleName="WORKER")["InstanceProfiles"]) == 1
    assert refusal(iam.delete_role, RoleName="worker")[0] == "DeleteConflict"
    iam.remove_role_from_instance_profile(InstanceProfileName="machine", RoleName="WORKER")
    iam.delete_role(RoleName="worker")
    assert refusal(iam.get_role, RoleName="Worker")[0] == "NoSuchEntity"


def test_names_and_paths_are_refused_in_iams_own_words(iam):
    name = refusal(iam.create_user, UserName="a b")
    characters = "It must contain only alphanumeric characters and/or the following: +=,.@_-"
    assert name == ("ValidationError", f"The specified value for userName is invalid. {characters}")
    path = refusal(iam.create_user, UserName="u", Path="team/")
    slashes = "It must begin and end with / and contain only alphanumeric characters and/or / characters."
    assert path == ("ValidationError", f"The specified value for path is invalid. {slashes}")


def test_documents_are_refused_in_the_order_in_which_aws_looks(iam):
    def said(call=iam.create_policy, **statement):
        document = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", **statement}})
        return refusal(call, PolicyName="p", PolicyDocument=document)[1]

    s3 = {"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b"}
    vendor = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
    assert said(Action="invalid") == vendor
    assert said(**s3, Condition={"x": {"a": "1"}}) == "Syntax errors in policy."
    assert said(Action="s3:A", Resource="arn:aws::::b") == "The policy failed legacy parsing"
    old = json.dumps({"Statement": {**s3, "Effect": "allow"}})
    assert refusal(iam.create_policy, PolicyName="p", PolicyDocument=old)[1].startswith("Policy document must be version")
    made = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", **s3, "Condition": {"x": {}}}})
    arn = iam.create_policy(PolicyName="p", PolicyDocument=made)["Policy"]["Arn"]
    assert iam.get_policy(PolicyArn=arn)["Policy"]["Tags"] == []
    trust = {"Effect": "ALLOW", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trusted = json.dumps({"Version": "2012-10-17", "Statement": trust})
    iam.create_role(RoleName="taken", AssumeRolePolicyDocument=trusted)
    trust = {**trust, "Action": "sts:AssumeRoles"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": trust})
    bad = refusal(iam.create_role, RoleName="r", AssumeRolePolicyDocument=trust)
    assert bad[0] == "MalformedPolicyDocument" and bad[1].startswith("Trust Policy statement actions can only be")


def test_service_linked_roles_of_serverless_services(iam):
    role = iam.create_service_linked_role(AWSServiceName="lambda.application-autoscaling.amazonaws.com")["Role"]
    assert role["RoleName"] == "AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency"
    assert role["Path"] == "/aws-service-role/lambda.application-autoscaling.amazonaws.com/"
