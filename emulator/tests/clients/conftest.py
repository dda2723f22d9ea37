"""A `garoa serve` for each test session, and clients for it."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"
REGION = "us-east-1"


class Server:
    """A running server."""

    def __init__(self, *options):
        self.process = subprocess.Popen(
            [os.environ["GAROA"], "serve", "--listen", "127.0.0.1:0", *options],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "GAROA_LOG": "info", "NO_COLOR": "1"},
        )
        self.smtp = None
        for line in self.process.stderr:
            mail = re.search(r"mail is taken on smtp://\S+:(\d+)", line)
            if mail:
                self.smtp = int(mail.group(1))
            found = re.search(r"serves on (http://\S+)", line)
            if found:
                self.url = found.group(1)
                break
        else:
            raise RuntimeError(f"garoa serve did not start: exit code {self.process.wait()}")

    def stop(self, how=signal.SIGTERM):
        """Ends the server and gives its exit code."""
        self.process.send_signal(how)
        try:
            return self.process.wait(timeout=10)
        finally:
            self.process.stderr.close()

    def admin(self, method, path, body=None):
        """Calls one of Garoa's own paths."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_garoa/{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def client(self, service, key=ACCOUNT, secret="test", token=None, **settings):
        """A boto3 client; the access key names the account."""
        return self.session(key, secret, token).client(
            service, endpoint_url=self.url, config=Config(retries={"max_attempts": 1}, **settings)
        )

    def session(self, key=ACCOUNT, secret="test", token=None):
        """A boto3 session."""
        return boto3.Session(
            aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token, region_name=REGION
        )

    def aws(self, *words, stdin=None, fails=False, timeout=60):
        """Runs the AWS CLI and gives what it prints."""
        done = subprocess.run(
            [str(Path(sys.executable).parent / "aws"), "--endpoint-url", self.url, *words],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            env={
                "PATH": os.environ["PATH"],
                "HOME": "/nonexistent",
                "AWS_ACCESS_KEY_ID": ACCOUNT,
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_DEFAULT_REGION": REGION,
                "AWS_EC2_METADATA_DISABLED": "true",
                "AWS_PAGER": "",
                # What a command calls on the side, as `cloudformation package` does S3, follows this alone.
                "AWS_ENDPOINT_URL": self.url,
            },
        )
        assert (done.returncode != 0) == fails, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stderr if fails else done.stdout


class TargetQueue:
    """A queue to which a service may send, under a condition."""

    def __init__(self, server, name, service, condition, allowed=True, **attributes):
        self.sqs = server.client("sqs")
        self.arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
        if allowed:
            statement = {
                "Effect": "Allow", "Principal": {"Service": service}, "Action": "sqs:SendMessage",
                "Resource": self.arn, "Condition": condition,
            }
            attributes["Policy"] = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.url = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def receive(self, wait=5):
        found = self.sqs.receive_message(
            QueueUrl=self.url, WaitTimeSeconds=wait, MaxNumberOfMessages=10, MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        return found.get("Messages", [])

    def bodies(self, wait=5):
        return [json.loads(message["Body"]) for message in self.receive(wait)]


def refusal(call, **arguments):
    """Code and text of the error that a call answers."""
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.fixture(scope="session")
def shared_server():
    server = Server()
    yield server
    assert server.stop() == 0


@pytest.fixture
def server(shared_server):
    """The shared server, emptied."""
    shared_server.admin("POST", "reset")
    return shared_server


@pytest.fixture
def s3(server):
    """A client, and the bucket `things`."""
    client = server.client("s3")
    client.create_bucket(Bucket="things")
    return client


@pytest.fixture
def start():
    """Starts a server with options of its own; it is ended after the test."""
    started = []

    def begin(*options):
        started.append(Server(*options))
        return started[-1]

    yield begin
    for each in started:
        if each.process.poll() is None:
            each.stop()
