"""The AWS CDK: its own command bootstraps an account, and deploys, compares and destroys the app in the folder `cdk`."""

import json
import os
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest
from conftest import ACCOUNT, REGION

APP = Path(__file__).parent / "cdk"
PACKAGES = APP / "node_modules"

pytestmark = pytest.mark.skipif("GAROA_CDK" not in os.environ, reason="cargo xtask test says whether there is Node.js")


class Cdk:
    """The command, as a user with these credentials runs it."""

    def __init__(self, server, home, key=ACCOUNT, secret="test"):
        self.home = home
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": server.url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "CDK_DISABLE_VERSION_CHECK": "true",
        }

    def run(self, *words, code=0, folder=APP, **variables):
        """What the command says, on either stream."""
        command = [str(PACKAGES / ".bin/cdk"), *words, "--output", str(self.home / "cdk.out"), "--ci"]
        done = subprocess.run(
            command, cwd=folder, env={**self.environment, **variables}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=120,
        )
        assert done.returncode == code, done.stdout
        return done.stdout

    def bootstrap(self):
        """Where there is no app, for it would be made."""
        return self.run("bootstrap", f"aws://{ACCOUNT}/{REGION}", "--no-notices", folder=self.home)

    def deploy(self, **variables):
        """The outputs of the stack."""
        outputs = self.home / "outputs.json"
        self.run("deploy", "--require-approval", "never", "--outputs-file", str(outputs), **variables)
        return json.loads(outputs.read_text())["Orders"]


@pytest.fixture
def begin(start, monkeypatch):
    """Starts a server whose functions find AWS's SDK for JavaScript, as they do at AWS."""
    monkeypatch.setenv("NODE_PATH", str(PACKAGES))
    return start


def wait_until(holds, seconds=20):
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "what was awaited has not come"
        time.sleep(0.1)


def hello(server, api):
    with urllib.request.urlopen(f"{server.url}/_aws/execute-api/{api}/prod/hello", timeout=30) as answer:
        return answer.read().decode()


def test_an_app_lives_and_dies(begin, tmp_path):
    server = begin("--interpreters", "nearest", "--iam", "enforce")
    root = Cdk(server, tmp_path)
    root.bootstrap()
    [repository] = server.client("ecr").describe_repositories()["repositories"]
    assert repository["repositoryName"] == f"cdk-hnb659fds-container-assets-{ACCOUNT}-{REGION}"
    assert "(no changes)" in root.bootstrap()

    # The roles of the bootstrap suffice for all that follows.
    iam = server.client("iam")
    iam.create_user(UserName="dev")
    allowed = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": f"arn:aws:iam::{ACCOUNT}:role/cdk-*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName="dev", PolicyName="cdk", PolicyDocument=policy)
    key = iam.create_access_key(UserName="dev")["AccessKey"]
    cdk = Cdk(server, tmp_path, key["AccessKeyId"], key["SecretAccessKey"])

    outputs = cdk.deploy()
    assert hello(server, outputs["TheApi"]) == "hello"
    place = server.client("ssm").get_parameter(Name="/orders/queue")["Parameter"]["Value"]
    assert place == outputs["TheQueue"]
    server.client("sqs").send_message(QueueUrl=place, MessageBody=json.dumps({"id": "o-1"}))
    table, s3 = server.client("dynamodb"), server.client("s3")
    wait_until(lambda: table.scan(TableName=outputs["TheTable"])["Items"] == [{"id": {"S": "o-1"}}])
    wait_until(lambda: s3.list_objects_v2(Bucket=outputs["TheBucket"])["KeyCount"] == 1)

    assert "There were no differences" in cdk.run("diff", "--fail")
    changed = {"GREETING": "good day"}
    assert "[+] good day" in cdk.run("diff", "--fail", code=1, **changed)
    assert cdk.deploy(**changed) == outputs
    assert hello(server, outputs["TheApi"]) == "good day"

    # The bucket is not empty: a function of the CDK's empties it.
    cdk.run("destroy", "--force")
    buckets = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    assert buckets == [f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"]
    assert table.list_tables()["TableNames"] == []
