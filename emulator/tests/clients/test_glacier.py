"""Amazon S3 Glacier over HTTP: vaults, archives, jobs."""

import hashlib
import json

import pytest
from botocore.utils import calculate_tree_hash

from conftest import ACCOUNT, REGION, TargetQueue, refusal

MIB = 1 << 20
ARN = f"arn:aws:glacier:{REGION}:{ACCOUNT}:vaults/v"
DAY = 24 * 3600


def tree(data):
    import io

    return calculate_tree_hash(io.BytesIO(data))


@pytest.fixture
def server(start):
    return start("--clock", "frozen=2026-03-02T12:00:00Z")


@pytest.fixture
def glacier(server):
    client = server.client("glacier")
    client.create_vault(vaultName="v")
    return client


def advance(server, seconds):
    server.admin("POST", "clock/advance", {"seconds": seconds})


def archive(glacier, data=b"cold", **more):
    return glacier.upload_archive(vaultName="v", body=data, **more)["archiveId"]


def begin(glacier, **parameters):
    return glacier.initiate_job(vaultName="v", jobParameters=parameters)["jobId"]


def read(glacier, job, **more):
    answer = glacier.get_job_output(vaultName="v", jobId=job, **more)
    return answer["body"].read(), answer


def test_vaults(server, glacier):
    made = glacier.create_vault(vaultName="v")
    assert (made["location"], made["ResponseMetadata"]["HTTPStatusCode"]) == (f"/{ACCOUNT}/vaults/v", 201)
    found = glacier.describe_vault(accountId=ACCOUNT, vaultName="v")
    assert (found["VaultARN"], found["NumberOfArchives"], found["SizeInBytes"]) == (ARN, 0, 0)
    assert "LastInventoryDate" not in found
    for number in range(11):
        glacier.create_vault(vaultName=f"w{number:02}")
    first = glacier.list_vaults()
    rest = glacier.list_vaults(marker=first["Marker"])
    assert (len(first["VaultList"]), len(rest["VaultList"])) == (10, 2)
    assert glacier.list_vaults(limit="2")["VaultList"][1]["VaultName"] == "w00"
    assert refusal(glacier.list_vaults, limit="x")[0] == "InvalidParameterValueException"
    assert refusal(glacier.create_vault, vaultName="a b")[0] == "InvalidParameterValueException"
    missing = ("ResourceNotFoundException", f"Vault not found for ARN: {ARN[:-1]}none")
    assert refusal(glacier.describe_vault, vaultName="none") == missing
    assert refusal(glacier.describe_vault, accountId="210987654321", vaultName="v")[0] == "AccessDeniedException"
    resource = server.session().resource("glacier", endpoint_url=server.url)
    assert [vault.name for vault in resource.vaults.limit(2)] == ["v", "w00"]
    glacier.delete_vault(vaultName="w00")
    glacier.delete_vault(vaultName="w00")


def test_errors_have_glaciers_form(server, glacier):
    import urllib.error
    import urllib.request

    scope = f"{ACCOUNT}/20260302/{REGION}/glacier/aws4_request"
    signed = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
    headers = {"Authorization": signed, "X-Amz-Date": "20260302T120000Z"}
    request = urllib.request.Request(f"{server.url}/-/vaults/none", headers=headers)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    body = json.load(refused.value)
    assert (refused.value.code, body["code"], body["type"]) == (404, "ResourceNotFoundException", "Client")
    assert body["message"].startswith("Vault not found for ARN: ")


def test_an_archive_goes_in_and_comes_out(server, glacier):
    data = bytes(3 * MIB) + b"end"
    made = glacier.upload_archive(vaultName="v", body=data, archiveDescription="a photo")
    assert made["checksum"] == tree(data)
    assert made["location"] == f"/{ACCOUNT}/vaults/v/archives/{made['archiveId']}"
    code, text = refusal(glacier.upload_archive, vaultName="v", body=b"x", checksum="0" * 64)
    assert (code, text) == (
        "InvalidParameterValueException",
        f"Checksum mismatch: expected {'0' * 64}, computed {hashlib.sha256(b'x').hexdigest()}",
    )
    job = begin(glacier, Type="archive-retrieval", ArchiveId=made["archiveId"], Description="once")
    assert refusal(glacier.get_job_output, vaultName="v", jobId=job) == (
        "InvalidParameterValueException", f"The job is not currently available for download: {job}",
    )
    part = begin(
        glacier, Type="archive-retrieval", ArchiveId=made["archiveId"], RetrievalByteRange=f"{MIB}-{2 * MIB - 1}",
        Tier="Expedited",
    )
    assert glacier.list_jobs(vaultName="v", completed="true")["JobList"] == []
    # What a job is about is kept until then.
    glacier.delete_archive(vaultName="v", archiveId=made["archiveId"])
    glacier.delete_archive(vaultName="v", archiveId=made["archiveId"])
    advance(server, 300)
    found = glacier.describe_job(vaultName="v", jobId=part)
    assert (found["StatusCode"], found["Tier"], found["SHA256TreeHash"]) == ("Succeeded", "Expedited", tree(bytes(MIB)))
    assert glacier.describe_job(vaultName="v", jobId=job)["StatusCode"] == "InProgress"
    advance(server, 5 * 3600)
    found = glacier.describe_job(vaultName="v", jobId=job)
    assert (found["Action"], found["Completed"], found["JobDescription"]) == ("ArchiveRetrieval", True, "once")
    assert (found["ArchiveSizeInBytes"], found["RetrievalByteRange"]) == (len(data), f"0-{len(data) - 1}")
    body, answer = read(glacier, job)
    assert (body, answer["status"], answer["checksum"]) == (data, 200, tree(data))
    assert (answer["archiveDescription"], answer["contentType"]) == ("a photo", "application/octet-stream")
    body, answer = read(glacier, job, range=f"bytes=0-{MIB - 1}")
    assert (len(body), answer["status"], answer["checksum"]) == (MIB, 206, tree(bytes(MIB)))
    assert answer["contentRange"] == f"bytes 0-{MIB - 1}/{len(data)}"
    body, answer = read(glacier, job, range=f"bytes={3 * MIB}-{4 * MIB}")
    assert (body, "checksum" in answer) == (b"end", True)
    assert "checksum" not in read(glacier, job, range="bytes=1-9")[1]
    beyond = refusal(glacier.get_job_output, vaultName="v", jobId=job, range=f"bytes={4 * MIB}-")
    assert beyond[1] == f"The start of the range is larger than size of retrieved data: bytes={4 * MIB}-"
    assert {one["JobId"] for one in glacier.list_jobs(vaultName="v", statuscode="Succeeded")["JobList"]} == {job, part}
    advance(server, DAY)
    assert refusal(glacier.describe_job, vaultName="v", jobId=job)[1] == f"The job ID was not found: {job}"
    wrong = {"Type": "archive-retrieval", "ArchiveId": made["archiveId"]}
    assert refusal(begin, glacier=glacier, **wrong)[0] == "ResourceNotFoundException"
    assert refusal(begin, glacier=glacier, Type="other")[0] == "InvalidParameterValueException"


def test_inventories_are_taken_once_a_day(server, glacier):
    assert refusal(begin, glacier=glacier, Type="inventory-retrieval")[0] == "ResourceNotFoundException"
    first = archive(glacier, b"one", archiveDescription='say "hi"')
    second = archive(glacier, b"second")
    assert refusal(glacier.delete_vault, vaultName="v")[1] == f"Vault not empty or recently written to: {ARN}"
    advance(server, DAY)
    found = glacier.describe_vault(vaultName="v")
    assert (found["NumberOfArchives"], found["SizeInBytes"]) == (2, 9 + 2 * 32 * 1024)
    assert found["LastInventoryDate"]
    jobs = [
        begin(glacier, Type="inventory-retrieval"),
        begin(glacier, Type="inventory-retrieval", Format="CSV"),
        begin(glacier, Type="inventory-retrieval", InventoryRetrievalParameters={"Limit": "1"}),
    ]
    for one in [first, second]:
        glacier.delete_archive(vaultName="v", archiveId=one)
    assert glacier.describe_vault(vaultName="v")["NumberOfArchives"] == 2
    advance(server, 5 * 3600)
    body, answer = read(glacier, jobs[0])
    told = json.loads(body)
    assert (told["VaultARN"], answer["contentType"]) == (ARN, "application/json")
    assert [one["ArchiveId"] for one in told["ArchiveList"]] == [first, second]
    assert (told["ArchiveList"][1]["Size"], told["ArchiveList"][1]["SHA256TreeHash"]) == (6, tree(b"second"))
    lines = read(glacier, jobs[1])[0].decode().splitlines()
    assert lines[0] == "ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash"
    assert lines[1].startswith(f'{first},"say ""hi""",')
    assert len(json.loads(read(glacier, jobs[2])[0])["ArchiveList"]) == 1
    limits = glacier.describe_job(vaultName="v", jobId=jobs[2])["InventoryRetrievalParameters"]
    assert (limits["Limit"], limits["Marker"], limits["Format"]) == ("1", second, "JSON")
    assert refusal(glacier.delete_vault, vaultName="v")[0] == "InvalidParameterValueException"
    advance(server, DAY)
    assert glacier.describe_vault(vaultName="v")["NumberOfArchives"] == 0
    glacier.delete_vault(vaultName="v")
    assert glacier.list_vaults()["VaultList"] == []


def test_an_archive_in_parts(server, glacier):
    data = bytes(MIB) + b"a" * MIB + b"tail"
    assert refusal(glacier.initiate_multipart_upload, vaultName="v", partSize="8")[1].startswith("Invalid part size: 8.")
    going = glacier.initiate_multipart_upload(vaultName="v", partSize=str(MIB), archiveDescription="parts")["uploadId"]
    at = {"vaultName": "v", "uploadId": going}
    # In any order, and one of them twice.
    for first in [2 * MIB, 0, MIB, 0]:
        part = data[first : first + MIB]
        done = glacier.upload_multipart_part(**at, range=f"bytes {first}-{first + len(part) - 1}/*", body=part)
        assert done["checksum"] == tree(part)
    for wrong in ["bytes 1-4/*", "bytes 0-9/*", "0-3"]:
        assert refusal(glacier.upload_multipart_part, **at, range=wrong, body=b"four")[0] == "InvalidParameterValueException"
    listed = glacier.list_parts(**at)
    assert [one["RangeInBytes"] for one in listed["Parts"]][2] == f"{2 * MIB}-{2 * MIB + 3}"
    assert (listed["MultipartUploadId"], listed["PartSizeInBytes"]) == (going, MIB)
    more = glacier.list_parts(**at, limit="2")
    assert len(glacier.list_parts(**at, limit="2", marker=more["Marker"])["Parts"]) == 1
    assert glacier.list_multipart_uploads(vaultName="v")["UploadsList"][0]["ArchiveDescription"] == "parts"
    whole = {"archiveSize": str(len(data)), "checksum": tree(data)}
    assert refusal(glacier.complete_multipart_upload, **at, **whole | {"archiveSize": "1"})[0] == "InvalidParameterValueException"
    made = glacier.complete_multipart_upload(**at, **whole)
    assert made["checksum"] == tree(data)
    assert refusal(glacier.list_parts, **at) == ("ResourceNotFoundException", f"The upload ID was not found: {going}")
    job = begin(glacier, Type="archive-retrieval", ArchiveId=made["archiveId"], Tier="Bulk")
    advance(server, 12 * 3600)
    assert read(glacier, job)[0] == data
    assert read(glacier, job, range=f"bytes={MIB - 2}-{MIB + 1}")[0] == b"\0\0aa"
    other = glacier.initiate_multipart_upload(vaultName="v", partSize=str(MIB))["uploadId"]
    glacier.abort_multipart_upload(vaultName="v", uploadId=other)
    glacier.initiate_multipart_upload(vaultName="v", partSize=str(MIB))
    advance(server, DAY)
    assert glacier.list_multipart_uploads(vaultName="v")["UploadsList"] == []


def test_topics_are_told(server, glacier):
    sns = server.client("sns")
    topic = sns.create_topic(Name="cold")["TopicArn"]
    queue = TargetQueue(server, "q", "sns.amazonaws.com", {"ArnEquals": {"aws:SourceArn": topic}})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes={"RawMessageDelivery": "true"})
    assert refusal(glacier.get_vault_notifications, vaultName="v")[0] == "ResourceNotFoundException"
    told = {"SNSTopic": topic, "Events": ["ArchiveRetrievalCompleted"]}
    glacier.set_vault_notifications(vaultName="v", vaultNotificationConfig=told)
    assert glacier.get_vault_notifications(vaultName="v")["vaultNotificationConfig"] == told
    wrong = told | {"Events": ["Other"]}
    assert refusal(glacier.set_vault_notifications, vaultName="v", vaultNotificationConfig=wrong)[0] == "InvalidParameterValueException"
    job = begin(glacier, Type="archive-retrieval", ArchiveId=archive(glacier), Tier="Expedited", SNSTopic=topic)
    advance(server, 300)
    told = queue.bodies(0)
    assert [(one["Action"], one["JobId"], one["StatusCode"]) for one in told] == [("ArchiveRetrieval", job, "Succeeded")]
    glacier.delete_vault_notifications(vaultName="v")
    assert refusal(glacier.get_vault_notifications, vaultName="v")[0] == "ResourceNotFoundException"


def test_tags_and_retrieval_policies(glacier):
    glacier.add_tags_to_vault(vaultName="v", Tags={"a": "1", "b": "2"})
    glacier.add_tags_to_vault(vaultName="v", Tags={"a": "3"})
    glacier.remove_tags_from_vault(vaultName="v", TagKeys=["b"])
    assert glacier.list_tags_for_vault(vaultName="v")["Tags"] == {"a": "3"}
    many = {str(number): "" for number in range(50)}
    assert refusal(glacier.add_tags_to_vault, vaultName="v", Tags=many)[0] == "LimitExceededException"
    assert glacier.get_data_retrieval_policy()["Policy"]["Rules"] == [{"Strategy": "None"}]
    rules = {"Rules": [{"Strategy": "BytesPerHour", "BytesPerHour": 6}]}
    glacier.set_data_retrieval_policy(Policy=rules)
    assert glacier.get_data_retrieval_policy()["Policy"] == rules
    one = archive(glacier, b"four")
    begin(glacier, Type="archive-retrieval", ArchiveId=one)
    assert refusal(begin, glacier=glacier, Type="archive-retrieval", ArchiveId=one)[0] == "PolicyEnforcedException"
    glacier.set_data_retrieval_policy(Policy={"Rules": [{"Strategy": "None"}]})
    begin(glacier, Type="archive-retrieval", ArchiveId=one)


def statement(effect, action, who="*", **condition):
    return {
        "Effect": effect, "Principal": {"AWS": who}, "Action": action, "Resource": ARN, "Sid": "s", "Condition": condition,
    }


def policy(*statements):
    return {"Policy": json.dumps({"Version": "2012-10-17", "Statement": list(statements)})}


def test_policies_and_locks(start):
    server = start("--clock", "frozen=2026-03-02T12:00:00Z", "--iam", "enforce")
    glacier = server.client("glacier")
    glacier.create_vault(vaultName="v")
    iam = server.client("iam")
    arn = iam.create_user(UserName="u")["User"]["Arn"]
    pair = iam.create_access_key(UserName="u")["AccessKey"]
    user = server.client("glacier", pair["AccessKeyId"], pair["SecretAccessKey"])
    assert refusal(user.upload_archive, vaultName="v", body=b"x")[0] == "AccessDeniedException"
    assert refusal(glacier.get_vault_access_policy, vaultName="v")[0] == "ResourceNotFoundException"
    access = policy(statement("Allow", ["glacier:UploadArchive", "glacier:DeleteArchive"], arn))
    glacier.set_vault_access_policy(vaultName="v", policy=access)
    assert glacier.get_vault_access_policy(vaultName="v")["policy"] == access
    one = archive(user)
    lock = policy(statement("Deny", "glacier:DeleteArchive", NumericLessThan={"glacier:ArchiveAgeInDays": "3"}))
    glacier.initiate_vault_lock(vaultName="v", policy=lock)
    advance(server, DAY)
    assert refusal(glacier.get_vault_lock, vaultName="v")[0] == "ResourceNotFoundException"
    held = glacier.initiate_vault_lock(vaultName="v", policy=lock)["lockId"]
    assert refusal(glacier.initiate_vault_lock, vaultName="v", policy=lock)[0] == "AccessDeniedException"
    found = glacier.get_vault_lock(vaultName="v")
    assert (found["State"], found["Policy"], "ExpirationDate" in found) == ("InProgress", lock["Policy"], True)
    assert refusal(user.delete_archive, vaultName="v", archiveId=one)[0] == "AccessDeniedException"
    assert refusal(glacier.complete_vault_lock, vaultName="v", lockId="x")[0] == "InvalidParameterValueException"
    glacier.abort_vault_lock(vaultName="v")
    held = glacier.initiate_vault_lock(vaultName="v", policy=lock)["lockId"]
    glacier.complete_vault_lock(vaultName="v", lockId=held)
    glacier.complete_vault_lock(vaultName="v", lockId=held)
    assert glacier.get_vault_lock(vaultName="v")["State"] == "Locked"
    assert refusal(glacier.abort_vault_lock, vaultName="v")[0] == "AccessDeniedException"
    glacier.delete_vault_access_policy(vaultName="v")
    glacier.set_vault_access_policy(vaultName="v", policy=access)
    assert refusal(user.delete_archive, vaultName="v", archiveId=one)[0] == "AccessDeniedException"
    advance(server, 3 * DAY)
    user.delete_archive(vaultName="v", archiveId=one)
