"""partner-data as a user has it: the template and the very binaries that go to AWS, under `garoa serve`, asked with curl."""

import io
import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from conftest import Server

ROOT = Path(__file__).parents[3]
FUNCTIONS = ["bucket-purge", "data-refresh"]
BUCKETS = ["apiparceiro", "apiparceiro-dados"]
# Argon2id of `senha`, with little memory.
HASH = "$argon2id$v=19$m=8,t=1,p=1$yCODZfDJCXYfz2cbBhc9rA$nJPig8YQ3W/3uvsd09pBKQ2Q+W1fMTVNhdgx/pvbPdg"

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def bootstrap(function):
    """The ZIP that `cargo lambda build` would make of a function."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as zipped:
        entry = zipfile.ZipInfo("bootstrap")
        entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o100755 << 16
        zipped.writestr(entry, (ROOT / "target/debug" / function).read_bytes())
    return whole.getvalue()


@pytest.fixture(scope="module")
def server():
    """A server that checks permissions, with the stack."""
    server = Server("--iam", "enforce")
    s3, cloudformation = server.client("s3"), server.client("cloudformation")
    s3.create_bucket(Bucket="code")
    template = (ROOT / "handlers/partner-data/template.yaml").read_text()
    for function in FUNCTIONS:
        s3.put_object(Bucket="code", Key=f"{function}.zip", Body=bootstrap(function))
        template = template.replace(f"../../target/lambda/{function}/", f"s3://code/{function}.zip")
    cloudformation.create_stack(
        StackName="partner-data",
        TemplateBody=template,
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        Parameters=[{"ParameterKey": "PurgePasswordHash", "ParameterValue": HASH}],
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="partner-data", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    yield server
    assert server.stop() == 0


def post(server, body):
    """POST /purge with curl: the status and the body."""
    outputs = server.client("cloudformation").describe_stacks(StackName="partner-data")["Stacks"][0]["Outputs"]
    url = next(output["OutputValue"] for output in outputs if output["OutputKey"] == "AdminUrl")
    api = url.removeprefix("https://").split(".")[0]
    port = server.url.rsplit(":", 1)[1]
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", "60", "--write-out", "\n%{http_code}", "--request", "POST",
         "--header", "Content-Type: application/json", "--data", body,
         f"http://{api}.execute-api.localhost:{port}/Prod/purge"],
        capture_output=True, text=True, check=True,
    )
    text, status = done.stdout.rsplit("\n", 1)
    return int(status), text


def asked(bucket, password):
    return json.dumps({"bucket_name": bucket, "password": password})


def test_a_purge_needs_the_password(server):
    s3 = server.client("s3")
    for number in range(3):
        s3.put_object(Bucket=BUCKETS[0], Key="sale/2026-03-01.csv", Body=f"id\n{number}\n".encode())
    s3.delete_object(Bucket=BUCKETS[0], Key="sale/2026-03-01.csv")

    assert post(server, asked(BUCKETS[0], "wrong")) == (401, "Unauthorized")
    assert post(server, asked(BUCKETS[0], "")) == (401, "Unauthorized")
    assert post(server, '{"bucket_name":"apiparceiro"}') == (400, "password is missing or is not a text")
    assert post(server, "{") == (400, "the body is not a JSON object")
    listed = s3.list_object_versions(Bucket=BUCKETS[0])
    assert (len(listed["Versions"]), len(listed["DeleteMarkers"])) == (3, 1)

    done = "All objects in bucket 'apiparceiro' deleted successfully"
    assert post(server, asked(BUCKETS[0], "senha")) == (200, done)
    listed = s3.list_object_versions(Bucket=BUCKETS[0])
    assert "Versions" not in listed and "DeleteMarkers" not in listed


def test_a_purge_reaches_only_the_stack_s_buckets(server):
    status, reason = post(server, asked("code", "senha"))
    assert status == 500
    assert "AccessDenied" in reason and "s3:ListBucketVersions" in reason
    assert server.client("s3").list_objects_v2(Bucket="code")["KeyCount"] == len(FUNCTIONS)


def test_a_refresh_takes_over_what_was_delivered(server):
    answer = server.client("lambda", read_timeout=60).invoke(FunctionName="data-refresh", Payload=b"{}")
    assert "FunctionError" not in answer, answer["Payload"].read()
    told = json.load(answer["Payload"])
    assert [table["status"] for table in told["tables"]] == ["missing"] * 3

    s3 = server.client("s3")
    s3.put_object(Bucket=BUCKETS[0], Key=f"sale/{told['date']}.csv", Body=b"id,amount\n1,4990\n")
    answer = server.client("lambda", read_timeout=60).invoke(FunctionName="data-refresh", Payload=b"{}")
    assert json.load(answer["Payload"])["tables"][2] == {"table": "sale", "status": "refreshed", "rows": 1}
    assert s3.get_object(Bucket=BUCKETS[1], Key="dados_sale.csv")["Body"].read() == b"id,amount\n1,4990\n"
