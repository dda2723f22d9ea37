"""WebSocket APIs with PyPI's websockets, and the management of their connections with boto3."""

import asyncio
import json
import time
from urllib.parse import urlsplit

import pytest
import websockets
from botocore.exceptions import ClientError
from test_apigatewayv2 import Echo, integration_uri
from test_lambda_code import Functions
from test_permissions import allow, user

START = "2026-03-02T12:00:00Z"
MINUTE = 60


class Chat:
    """A WebSocket API on a server: $connect is a mock, and what is sent to the route echo comes back."""

    def __init__(self, server, echo):
        self.server = server
        apis = server.client("apigatewayv2")
        self.api = apis.create_api(
            Name="w", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
        )["ApiId"]
        mock = apis.create_integration(
            ApiId=self.api, IntegrationType="MOCK", RequestTemplates={"200": '{"statusCode":200}'}
        )["IntegrationId"]
        http = apis.create_integration(
            ApiId=self.api, IntegrationType="HTTP_PROXY", IntegrationMethod="POST", IntegrationUri=f"{echo.url}/"
        )["IntegrationId"]
        apis.create_route(ApiId=self.api, RouteKey="$connect", Target=f"integrations/{mock}")
        route = apis.create_route(
            ApiId=self.api,
            RouteKey="echo",
            Target=f"integrations/{http}",
            RouteResponseSelectionExpression="$default",
        )["RouteId"]
        apis.create_route_response(ApiId=self.api, RouteId=route, RouteResponseKey="$default")
        apis.create_stage(ApiId=self.api, StageName="prod", AutoDeploy=True)

    def url(self, scheme="ws", stage="prod"):
        return f"{scheme}://{urlsplit(self.server.url).netloc}/_aws/execute-api/{self.api}/{stage}"

    def connect(self, **settings):
        return websockets.connect(self.url(), **settings)

    def manager(self, session=None):
        session = session or self.server.session()
        return session.client("apigatewaymanagementapi", endpoint_url=self.url("http"))


async def identified(client):
    """The id of a client's connection: errors tell it."""
    await client.send('{"action":"unknown"}')
    told = json.loads(await client.recv())
    assert told["message"] == "Forbidden"
    return told["connectionId"]


async def code_of_close(client):
    """With which code the other side closes."""
    with pytest.raises(websockets.ConnectionClosed) as closed:
        while True:
            await asyncio.wait_for(client.recv(), 10)
    return closed.value.rcvd and closed.value.rcvd.code


def refusal(call, **arguments):
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    answer = refused.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


@pytest.fixture(scope="module")
def echo():
    with Echo() as service:
        yield service


@pytest.fixture
def chat(start, echo):
    return Chat(start("--reach", echo.authority), echo)


def test_messages_are_routed_and_answered(chat):
    async def talk():
        async with chat.connect() as client:
            await client.send('{"action":"echo","text":"olá"}')
            answer = json.loads(await client.recv())
            await (await client.ping())
            return answer

    assert asyncio.run(talk()) == {"action": "echo", "text": "olá"}


def test_connections_are_managed(chat):
    manage = chat.manager()

    async def talk():
        async with chat.connect(user_agent_header="me") as client:
            connection = await identified(client)
            await asyncio.to_thread(manage.post_to_connection, ConnectionId=connection, Data=b"hello")
            assert await client.recv() == "hello"
            described = await asyncio.to_thread(manage.get_connection, ConnectionId=connection)
            assert described["Identity"] == {"SourceIp": "127.0.0.1", "UserAgent": "me"}
            assert described["ConnectedAt"] <= described["LastActiveAt"]
            await asyncio.to_thread(manage.delete_connection, ConnectionId=connection)
            assert await code_of_close(client) == 1000
            return connection

    connection = asyncio.run(talk())
    for call, more in [
        (manage.post_to_connection, {"Data": b"x"}),
        (manage.get_connection, {}),
        (manage.delete_connection, {}),
    ]:
        assert refusal(call, ConnectionId=connection, **more) == (410, "GoneException")


def test_the_management_is_reached_at_the_services_own_address_too(chat):
    """A function's SDK that is told AWS_ENDPOINT_URL goes there, and not to the API's own address."""
    manage = chat.server.client("apigatewaymanagementapi")

    async def talk():
        async with chat.connect() as client:
            connection = await identified(client)
            await asyncio.to_thread(manage.post_to_connection, ConnectionId=connection, Data=b"hello")
            return await client.recv()

    assert asyncio.run(talk()) == "hello"


def test_a_frame_of_more_than_32_kib_closes_with_1009(chat):
    async def talk(size):
        async with chat.connect() as client:
            await client.send(json.dumps({"action": "echo", "x": "x" * size})[-size:].rjust(size))
            return await code_of_close(client) if size > 32 * 1024 else json.loads(await client.recv())["message"]

    assert asyncio.run(talk(32 * 1024)) == "Forbidden"
    assert asyncio.run(talk(32 * 1024 + 1)) == 1009


def test_a_message_of_more_than_128_kib_closes_with_1009(chat):
    async def talk(size):
        empty = json.dumps({"action": "echo", "x": ""})
        message = json.dumps({"action": "echo", "x": "x" * (size - len(empty))})
        frames = [message[at : at + 32 * 1024] for at in range(0, size, 32 * 1024)]
        async with chat.connect() as client:
            await client.send(frames)
            if size > 128 * 1024:
                return await code_of_close(client)
            assert await client.recv() == message

    assert asyncio.run(talk(128 * 1024)) is None
    assert asyncio.run(talk(128 * 1024 + 1)) == 1009


def test_what_is_posted_has_128_kib_at_most(chat):
    manage = chat.manager()

    async def talk():
        async with chat.connect() as client:
            connection = await identified(client)
            largest = b"x" * (128 * 1024)
            await asyncio.to_thread(manage.post_to_connection, ConnectionId=connection, Data=largest)
            assert await client.recv() == largest.decode()
            return await asyncio.to_thread(
                refusal, manage.post_to_connection, ConnectionId=connection, Data=largest + b"x"
            )

    assert asyncio.run(talk()) == (413, "PayloadTooLargeException")


def test_a_client_that_is_gone_without_a_close_frame_is_gone(chat):
    manage = chat.manager()

    async def talk():
        client = await chat.connect()
        connection = await identified(client)
        client.transport.abort()
        return connection

    connection = asyncio.run(talk())
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            manage.get_connection(ConnectionId=connection)
        except ClientError:
            break
        time.sleep(0.02)
    assert refusal(manage.post_to_connection, ConnectionId=connection, Data=b"x") == (410, "GoneException")


def test_a_stage_that_does_not_exist_refuses_the_handshake(chat):
    async def talk():
        async with websockets.connect(chat.url(stage="other")):
            pass

    with pytest.raises(websockets.InvalidStatus) as refused:
        asyncio.run(talk())
    assert refused.value.response.status_code == 403


def test_a_connection_is_closed_after_ten_minutes_of_silence(start, echo):
    server = start("--clock", f"frozen={START}")
    chat = Chat(server, echo)

    def advance(minutes):
        return asyncio.to_thread(server.admin, "POST", "clock/advance", {"seconds": minutes * MINUTE})

    async def talk():
        async with chat.connect() as client:
            for _ in range(2):
                await advance(9)
                await identified(client)
            await advance(10)
            return await code_of_close(client)

    assert asyncio.run(talk()) == 1001


def test_a_connection_lasts_two_hours(start, echo):
    server = start("--clock", f"frozen={START}")
    chat = Chat(server, echo)

    async def talk():
        async with chat.connect() as client:
            for _ in range(13):
                await asyncio.to_thread(server.admin, "POST", "clock/advance", {"seconds": 9 * MINUTE})
                await identified(client)
            await asyncio.to_thread(server.admin, "POST", "clock/advance", {"seconds": 3 * MINUTE})
            return await code_of_close(client)

    assert asyncio.run(talk()) == 1001


def test_a_permission_is_needed_to_manage_connections(start, echo):
    server = start("--iam", "enforce")
    chat = Chat(server, echo)
    resource = f"arn:aws:execute-api:us-east-1:123456789012:{chat.api}/prod/POST/@connections/*"
    manage = user(server, allow("execute-api:ManageConnections", resource), "apigatewaymanagementapi")

    async def talk():
        async with chat.connect() as client:
            connection = await identified(client)
            await asyncio.to_thread(manage.post_to_connection, ConnectionId=connection, Data=b"hello")
            assert await client.recv() == "hello"
            return await asyncio.to_thread(refusal, manage.delete_connection, ConnectionId=connection)

    assert asyncio.run(talk()) == (403, "AccessDeniedException")


def test_a_reset_closes_all_connections(chat):
    """Ids begin anew after a reset: a connection from before must not get what is for its namesake."""

    async def talk():
        before = await chat.connect()
        await asyncio.to_thread(chat.server.admin, "POST", "reset")
        assert await code_of_close(before) == 1001

    asyncio.run(talk())


def test_the_server_ends_while_clients_are_connected(chat):
    async def talk():
        client = await chat.connect()
        assert await asyncio.to_thread(chat.server.stop) == 0
        return await code_of_close(client)

    assert asyncio.run(talk()) in (None, 1001, 1012)


def warm(server, source):
    """A function that has run once: an API waits for 29 s, and a busy machine may take that for a cold start."""
    functions = Functions(server)
    made = functions.python(source)
    functions.invoke(event={"body": "warm"})
    return made


def test_connect_chooses_the_sub_protocol(chat):
    source = "def handler(event, context):\n    return {'statusCode': 200, 'headers': {'Sec-WebSocket-Protocol': 'chat.v2'}}\n"
    apis = chat.server.client("apigatewayv2")
    integration = apis.create_integration(
        ApiId=chat.api, IntegrationType="AWS_PROXY", IntegrationUri=integration_uri(warm(chat.server, source))
    )["IntegrationId"]
    routes = {route["RouteKey"]: route["RouteId"] for route in apis.get_routes(ApiId=chat.api)["Items"]}
    apis.update_route(ApiId=chat.api, RouteId=routes["$connect"], Target=f"integrations/{integration}")

    async def talk():
        async with chat.connect(subprotocols=["chat.v1", "chat.v2"], open_timeout=60) as client:
            return client.subprotocol

    assert asyncio.run(talk()) == "chat.v2"


def test_a_function_that_fails_is_told_to_its_client(chat):
    apis = chat.server.client("apigatewayv2")
    made = warm(chat.server, "def handler(event, context):\n    raise ValueError(event['body'])\n")
    integration = apis.create_integration(
        ApiId=chat.api, IntegrationType="AWS_PROXY", IntegrationUri=integration_uri(made)
    )["IntegrationId"]
    apis.create_route(ApiId=chat.api, RouteKey="$default", Target=f"integrations/{integration}")

    async def talk():
        async with chat.connect() as client:
            await client.send("oi")
            return json.loads(await client.recv())

    assert asyncio.run(talk())["message"] == "Internal server error"
