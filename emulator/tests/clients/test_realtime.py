"""realtime as it is deployed: its executables in `garoa serve`, by the AWS CLI; clients are websockets and a browser."""

import asyncio
import json
import os
import shutil
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import websockets
from conftest import Server

ROOT = Path(__file__).parents[3]
SYSTEM = ROOT / "handlers/realtime"
EXECUTABLES = ["ws-authorizer", "ws-connect", "ws-disconnect", "ws-message"]
TOKENS = "alice=alice-token,bob=bob-token-1"
BROWSER = Path(__file__).parent / "browser"


def deploy(server, folder):
    """Deploys the template as its first line says, with executables of a debug build; gives the stack's outputs."""
    template = folder / "handlers/realtime/template.yaml"
    template.parent.mkdir(parents=True)
    shutil.copy(SYSTEM / "template.yaml", template)
    for name in EXECUTABLES:
        code = folder / "target/lambda" / name
        code.mkdir(parents=True)
        executable = Path(os.environ["GAROA"]).parent / name
        assert executable.exists(), f"{executable} is not built: cargo build --workspace --bins"
        subprocess.run(["strip", "-o", code / "bootstrap", executable], check=True)
    server.aws("s3", "mb", "s3://code")
    packaged = folder / "packaged.yaml"
    server.aws(
        *("cloudformation", "package", "--template-file", str(template)),
        *("--s3-bucket", "code", "--output-template-file", str(packaged)),
        timeout=600,
    )
    server.aws(
        *("cloudformation", "deploy", "--template-file", str(packaged), "--stack-name", "realtime"),
        *("--capabilities", "CAPABILITY_IAM", "--parameter-overrides", f"AuthTokens={TOKENS}"),
        timeout=300,
    )
    stacks = server.client("cloudformation").describe_stacks(StackName="realtime")["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}


class Realtime:
    def __init__(self, server, folder):
        self.server = server
        self.outputs = deploy(server, folder)
        # wss://{api}.execute-api.us-east-1.amazonaws.com/prod is where it would be at AWS.
        address = urlsplit(self.outputs["RealtimeUrl"])
        self.api = address.netloc.split(".")[0]
        self.url = f"ws://{self.api}.execute-api.localhost:{urlsplit(server.url).port}{address.path}"

    def connect(self, token=None):
        query = "" if token is None else f"?authorization={token}"
        host, port = "127.0.0.1", urlsplit(self.server.url).port
        return websockets.connect(f"{self.url}{query}", host=host, port=port)

    def items(self, table):
        return self.server.client("dynamodb").scan(TableName=self.outputs[table])["Items"]

    def log(self, function):
        events = self.server.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
        return "".join(event["message"] for event in events)


@pytest.fixture(scope="module")
def realtime(tmp_path_factory):
    server = Server("--iam", "enforce")
    yield Realtime(server, tmp_path_factory.mktemp("realtime"))
    assert server.stop() == 0


def said(message, status="success"):
    return {"action": "sendFeedback", "status": status, "message": message}


async def hear(client):
    return json.loads(await asyncio.wait_for(client.recv(), 20))


async def refused(connecting):
    with pytest.raises(websockets.InvalidStatus) as told:
        async with connecting:
            pass
    return told.value.response.status_code


def test_who_has_no_token_is_not_let_in(realtime):
    async def knock():
        return [await refused(realtime.connect()), await refused(realtime.connect("no-such-token"))]

    assert asyncio.run(knock()) == [401, 403]
    assert realtime.items("ConnectionsTableName") == []


def test_messages_reach_who_they_are_for(realtime):
    async def talk():
        async with realtime.connect("alice-token") as alice, realtime.connect("bob-token-1") as bob:
            principals = {item["principal"]["S"] for item in realtime.items("ConnectionsTableName")}
            assert principals == {"alice", "bob"}
            await alice.send('{"action":"broadcast","message":"olá"}')
            assert await hear(alice) == await hear(bob) == said("olá"), realtime.log("ws-message")
            await bob.send('{"action":"dance"}')
            assert await hear(bob) == said("Ação desconhecida. Use sendMessage ou broadcast.", "error")
            await bob.send('{"action":"sendMessage","message":"eco"}')
            assert await hear(bob) == said("eco")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(alice.recv(), 0.5)

    asyncio.run(talk())
    wait_until(lambda: realtime.items("ConnectionsTableName") == [])
    events = [item["event"]["S"] for item in realtime.items("AuditTableName")]
    assert sorted(events) == sorted(["CONNECT", "DISCONNECT"] * 2 + ["broadcast", "unknown", "sendMessage"])


def wait_until(holds):
    """$disconnect runs after the client is gone: nobody waits for it."""
    for _ in range(200):
        if holds():
            return
        threading.Event().wait(0.05)
    raise AssertionError("it did not come to that")


@pytest.fixture
def page():
    """Where the page is served."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    service = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=SYSTEM))
    threading.Thread(target=service.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{service.server_port}/chat.html"
    service.shutdown()
    service.server_close()


@pytest.mark.skipif("GAROA_BROWSER" not in os.environ, reason="cargo xtask test says whether there is a browser")
def test_a_page_in_a_browser_talks_portuguese(realtime, page):
    wait_until(lambda: realtime.items("ConnectionsTableName") == [])
    script = str(BROWSER / "chat.mjs")
    done = subprocess.run(["node", script, page, realtime.url], capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr + realtime.log("ws-message")
    assert json.loads(done.stdout) == {
        "stranger": "A conexão foi recusada",
        "alice": "Conectado",
        "aliceHeard": ["Olá, São Paulo! 🌧"],
        "bobHeard": [
            "Olá, São Paulo! 🌧",
            "só para mim",
            "Erro: O campo message é obrigatório e deve ser um texto.",
        ],
        "bob": "Desconectado (código 1005)",
    }
