"""pix-monitor as its operators have it: deployed, watched and read with the AWS CLI alone. The function is the very
executable that goes to AWS; Slack is a server of this test.

A process reads the machine's time. So the cloud's clock starts there, and is then moved to the schedule's next run."""

import datetime
import http.server
import json
import shutil
import threading
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def slack():
    """What a webhook was posted, and its address."""
    posted = []

    class Webhook(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield posted, f"http://127.0.0.1:{server.server_port}/services/T000/B000/X"
    server.shutdown()


def cash_out(at, account="1"):
    """A line of the Pix API's log."""
    document = {
        "Session": {"accountName": account},
        "Payload": {"body": {"transactionId": "t-1", "amount": 123400}},
    }
    return f"{at.isoformat()}\t00000000-0000-4000-8000-000000000000\tINFO\t{json.dumps(document)}\n"


def until(what):
    """Waits for something that happens beside the test: for processes, in real time."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if seen := what():
            return seen
        time.sleep(0.1)
    pytest.fail("it did not happen within 30 s")


def test_deployed_watched_and_read(start, slack, tmp_path):
    posted, webhook = slack
    at = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    server = start("--clock", f"frozen={at.strftime('%Y-%m-%dT%H:%M:%SZ')}", "--iam", "enforce")
    built = tmp_path / "built"
    built.mkdir()
    shutil.copy(ROOT / "target/debug/pix-monitor", built / "bootstrap")
    template, packaged = tmp_path / "template.yaml", tmp_path / "packaged.yaml"
    source = (ROOT / "handlers/pix-monitor/template.yaml").read_text()
    template.write_text(source.replace("../../target/lambda/pix-monitor/", "built/"))

    server.aws("s3", "mb", "s3://code")
    server.aws("logs", "create-log-group", "--log-group-name", "/aws/lambda/pix-api")
    server.aws(
        "cloudformation", "package", "--template-file", str(template), "--s3-bucket", "code",
        "--output-template-file", str(packaged),
    )
    deploy = [
        "cloudformation", "deploy", "--template-file", str(packaged), "--stack-name", "pix-monitor",
        "--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND",
        "--parameter-overrides", "WatchedAccounts=1", f"SlackWebhook={webhook}",
    ]
    assert "Successfully created/updated stack - pix-monitor" in server.aws(*deploy, timeout=120)

    # `aws logs tail` asks for this; only version 2 of the CLI has it.
    tail = [
        "logs", "filter-log-events", "--log-group-name", "/aws/lambda/pix-monitor", "--interleaved",
        "--start-time", str(int(at.timestamp() * 1000)), "--query", "events[].message", "--output", "text",
    ]

    def ran(times):
        shown = server.aws(*tail) if "/aws/lambda/pix-monitor" in server.aws("logs", "describe-log-groups") else ""
        return shown if shown.count("REPORT RequestId") == times else None

    # A rate begins at once.
    assert '"new_cash_outs":0' in until(lambda: ran(1))
    assert posted == []
    event = [{"timestamp": int(at.timestamp() * 1000), "message": cash_out(at)}]
    server.aws(
        "logs", "create-log-stream", "--log-group-name", "/aws/lambda/pix-api", "--log-stream-name", "one"
    )
    server.aws(
        "logs", "put-log-events", "--log-group-name", "/aws/lambda/pix-api", "--log-stream-name", "one",
        "--log-events", json.dumps(event),
    )

    server.admin("POST", "clock/advance", {"seconds": 180})
    told = until(lambda: ran(2))
    assert "START RequestId" in told and "END RequestId" in told and '"new_cash_outs":1' in told
    (alert,) = posted
    assert "R$ 1.234,00" in json.dumps(alert, ensure_ascii=False)
    assert server.aws("s3", "ls", "s3://pix-state/").split()[-1] == "lastId.txt"
    found = server.aws(
        "logs", "filter-log-events", "--log-group-name", "/aws/lambda/pix-api", "--filter-pattern", "transactionId",
        "--query", "events[].eventId", "--output", "text",
    )
    assert server.aws("s3", "cp", "s3://pix-state/lastId.txt", "-") == found.strip()

    # The next run has nothing to tell.
    server.admin("POST", "clock/advance", {"seconds": 180})
    until(lambda: ran(3))
    assert len(posted) == 1
    server.aws("s3", "rm", "s3://pix-state/lastId.txt")
    server.aws("cloudformation", "delete-stack", "--stack-name", "pix-monitor")
    server.aws("cloudformation", "wait", "stack-delete-complete", "--stack-name", "pix-monitor")
    assert "pix-state" not in server.aws("s3", "ls")
