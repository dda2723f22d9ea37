"""API Gateway v2 with boto3, and its WebSocket data plane with PyPI's websockets."""

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
import websockets
from botocore.exceptions import ClientError


@pytest.fixture
def echo():
    """An HTTP service on this machine that answers with what it is sent."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"] or 0))
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    service = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=service.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{service.server_port}/"
    service.shutdown()


@pytest.fixture
def chat(server, echo):
    """A WebSocket API: $connect is a mock, echo is two-way to the HTTP service."""
    apis = server.client("apigatewayv2")
    api = apis.create_api(Name="w", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action")["ApiId"]
    mock = apis.create_integration(
        ApiId=api, IntegrationType="MOCK", RequestTemplates={"200": '{"statusCode":200}'}
    )["IntegrationId"]
    http = apis.create_integration(
        ApiId=api, IntegrationType="HTTP_PROXY", IntegrationMethod="POST", IntegrationUri=echo
    )["IntegrationId"]
    apis.create_route(ApiId=api, RouteKey="$connect", Target=f"integrations/{mock}")
    route = apis.create_route(
        ApiId=api, RouteKey="echo", Target=f"integrations/{http}", RouteResponseSelectionExpression="$default"
    )["RouteId"]
    apis.create_route_response(ApiId=api, RouteId=route, RouteResponseKey="$default")
    apis.create_stage(ApiId=api, StageName="prod", AutoDeploy=True)
    return api


def address(server, api, scheme="ws"):
    return f"{scheme}://{urlsplit(server.url).netloc}/_aws/execute-api/{api}/prod"


def manager(server, api):
    return server.session().client("apigatewaymanagementapi", endpoint_url=address(server, api, "http"))


async def identified(client):
    """The id of a client's connection: errors tell it."""
    await client.send('{"action":"unknown"}')
    told = json.loads(await client.recv())
    assert told["message"] == "Forbidden"
    return told["connectionId"]


def test_an_api_lives_its_life(server):
    apis = server.client("apigatewayv2")
    api = apis.create_api(Name="a", ProtocolType="HTTP", Tags={"k": "v"})
    assert api["ApiEndpoint"].endswith(".execute-api.us-east-1.amazonaws.com")
    apis.update_api(ApiId=api["ApiId"], Description="d")
    assert apis.get_api(ApiId=api["ApiId"])["Description"] == "d"
    apis.delete_api(ApiId=api["ApiId"])
    with pytest.raises(apis.exceptions.NotFoundException):
        apis.get_api(ApiId=api["ApiId"])


def test_messages_are_routed_and_answered(server, chat):
    async def talk():
        async with websockets.connect(address(server, chat)) as client:
            await client.send('{"action":"echo","text":"oi"}')
            return json.loads(await client.recv())

    assert asyncio.run(talk()) == {"action": "echo", "text": "oi"}


def test_connections_are_managed(server, chat):
    manage = manager(server, chat)

    async def talk():
        async with websockets.connect(address(server, chat)) as client:
            connection = await identified(client)
            await asyncio.to_thread(manage.post_to_connection, ConnectionId=connection, Data=b"hello")
            assert await client.recv() == "hello"
            described = await asyncio.to_thread(manage.get_connection, ConnectionId=connection)
            assert described["Identity"]["SourceIp"] == "127.0.0.1"
            await asyncio.to_thread(manage.delete_connection, ConnectionId=connection)
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await client.recv()
            assert closed.value.rcvd.code == 1000
            return connection

    connection = asyncio.run(talk())
    with pytest.raises(ClientError) as gone:
        manage.post_to_connection(ConnectionId=connection, Data=b"x")
    assert gone.value.response["Error"]["Code"] == "GoneException"
    assert gone.value.response["ResponseMetadata"]["HTTPStatusCode"] == 410


def test_a_frame_that_is_too_large_closes_with_1009(server, chat):
    async def talk():
        async with websockets.connect(address(server, chat)) as client:
            await client.send("x" * (32 * 1024 + 1))
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await client.recv()
            return closed.value.rcvd.code

    assert asyncio.run(talk()) == 1009


def test_a_stage_that_does_not_exist_refuses_the_handshake(server, chat):
    async def talk():
        async with websockets.connect(address(server, chat).replace("/prod", "/other")):
            pass

    with pytest.raises(websockets.InvalidStatus) as refused:
        asyncio.run(talk())
    assert refused.value.response.status_code == 403
