"""Lambda functions that run uploaded code: Python and Node.js handlers, and executables, under `garoa serve`."""

import base64
import concurrent.futures
import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
import zipfile
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::123456789012:role/any"
PYTHON = f"python3.{sys.version_info.minor}"
PIX_MONITOR = Path(__file__).parents[3] / "target/debug/pix-monitor"


def node_runtime():
    """The identifier of the Node.js that is here, if one is."""
    if shutil.which("node") is None:
        return None
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    return f"nodejs{version.lstrip('v').split('.')[0]}.x"


NODE = node_runtime()
needs_node = pytest.mark.skipif(NODE is None, reason="Node.js is not installed")


def archive(**files):
    """A ZIP archive; a double underscore in a name stands for a dot. Everything in it may be executed."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name.replace("__", "."))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100755 << 16
            entry.create_system = 3
            zipped.writestr(entry, content)
    return whole.getvalue()


class Functions:
    """Makes functions and calls them."""

    def __init__(self, server):
        self.server = server
        self.client = server.client("lambda", read_timeout=60)

    def create(self, name="f", runtime=PYTHON, handler="index.handler", code=None, **more):
        more.setdefault("Timeout", 10)
        return self.client.create_function(
            FunctionName=name, Runtime=runtime, Handler=handler, Role=ROLE, Code=code or {}, **more
        )

    def python(self, source, name="f", **more):
        return self.create(name, code={"ZipFile": archive(index__py=source)}, **more)

    def node(self, source, name="f", file="index__js", **more):
        return self.create(name, NODE, code={"ZipFile": archive(**{file: source})}, **more)

    def invoke(self, name="f", event=None, **more):
        """The answer, and the kind of error."""
        answer = self.client.invoke(FunctionName=name, Payload=json.dumps(event).encode(), **more)
        payload = answer["Payload"].read()
        return json.loads(payload) if payload else None, answer.get("FunctionError")

    def tail(self, name="f", event=None):
        answer = self.client.invoke(FunctionName=name, Payload=json.dumps(event).encode(), LogType="Tail")
        return base64.b64decode(answer["LogResult"]).decode()

    def log(self, name="f", wanted="REPORT", times=1):
        """The messages of the function's log, once the wanted one is there that often."""
        logs = self.server.client("logs")
        for _ in range(300):
            try:
                pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{name}")
                events = [event for page in pages for event in page["events"]]
            except logs.exceptions.ResourceNotFoundException:
                events = []
            messages = [event["message"] for event in events]
            if sum(wanted in message for message in messages) >= times:
                return messages
            time.sleep(0.1)
        raise AssertionError(f"{wanted} is not in {[message[:200] for message in messages]}")


@pytest.fixture
def functions(server):
    return Functions(server)


def test_a_python_handler_gets_event_and_context_and_answers(functions):
    made = functions.python(
        "import json\n"
        "def handler(event, context):\n"
        "    return {'event': event, 'id': context.aws_request_id, 'arn': context.invoked_function_arn,\n"
        "            'memory': context.memory_limit_in_mb, 'left': context.get_remaining_time_in_millis(), 'é': 'ã'}\n",
        MemorySize=256,
    )
    assert made["CodeSize"] > 0 and made["State"] == "Pending"
    assert functions.client.get_function(FunctionName="f")["Configuration"]["State"] == "Active"
    answer = functions.client.invoke(FunctionName="f", Payload=b'{"n": 12345678901234567890123}')
    document = json.loads(answer["Payload"].read())
    assert document["event"] == {"n": 12345678901234567890123}
    assert document["id"] == answer["ResponseMetadata"]["RequestId"]
    assert document["arn"] == made["FunctionArn"]
    assert document["memory"] == "256"
    assert 8000 < document["left"] <= 10000
    assert document["é"] == "ã"
    assert answer["ExecutedVersion"] == "$LATEST"


def test_a_call_finds_its_lines_in_the_log_when_it_is_answered(functions, server):
    functions.python("def handler(event, context):\n    print('turn', event)\n")
    logs = server.client("logs")
    for turn in range(3):
        functions.invoke(event=turn)
        found = logs.filter_log_events(logGroupName="/aws/lambda/f", filterPattern="turn")["events"]
        assert [event["message"] for event in found] == [f"turn {past}\n" for past in range(turn + 1)]


def test_the_environment_is_awss_and_nothing_of_the_host(functions):
    functions.python(
        "import os\ndef handler(event, context):\n    return [dict(os.environ), os.getcwd()]\n",
        Environment={"Variables": {"OWN": "value"}},
    )
    (variables, folder), error = functions.invoke()
    assert error is None
    assert variables["OWN"] == "value"
    assert variables["AWS_LAMBDA_FUNCTION_NAME"] == "f"
    assert variables["AWS_LAMBDA_FUNCTION_VERSION"] == "$LATEST"
    assert variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "128"
    assert variables["AWS_LAMBDA_LOG_GROUP_NAME"] == "/aws/lambda/f"
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", variables["AWS_LAMBDA_LOG_STREAM_NAME"])
    assert variables["AWS_REGION"] == variables["AWS_DEFAULT_REGION"] == "us-east-1"
    assert variables["_HANDLER"] == "index.handler"
    assert variables["TZ"] == ":UTC"
    assert variables["AWS_EXECUTION_ENV"] == f"AWS_Lambda_{PYTHON}"
    assert variables["AWS_ENDPOINT_URL"] == functions.server.url
    assert variables["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert variables["LAMBDA_TASK_ROOT"] == folder
    assert "GAROA" not in variables and "GAROA_LOG" not in variables


def test_a_python_function_calls_s3_as_its_role(functions):
    functions.server.client("s3").create_bucket(Bucket="store")
    functions.python(
        "import os, urllib.request\n"
        "def handler(event, context):\n"
        "    request = urllib.request.Request(os.environ['AWS_ENDPOINT_URL'] + '/store/key', data=b'from lambda', method='PUT')\n"
        "    return urllib.request.urlopen(request).status\n"
    )
    assert functions.invoke() == (200, None)
    stored = functions.server.client("s3").get_object(Bucket="store", Key="key")
    assert stored["Body"].read() == b"from lambda"


def test_a_python_function_uses_boto3_where_it_is_there(functions):
    folder = str(Path(__import__("boto3").__file__).parents[1])
    functions.python(
        "import sys\n"
        f"sys.path.append({folder!r})\n"
        "import boto3\n"
        "def handler(event, context):\n"
        "    return boto3.client('sts').get_caller_identity()['Arn']\n",
        Timeout=30,
    )
    # A name of one letter is too short for a session's.
    assert functions.invoke() == ("arn:aws:sts::123456789012:assumed-role/any/f@lambda_function", None)


def test_an_exception_is_answered_and_logged_as_at_aws(functions):
    functions.python("def handler(event, context):\n    raise ValueError('no\\nway')\n")
    document, error = functions.invoke()
    assert error == "Unhandled"
    assert document["errorType"] == "ValueError"
    assert document["errorMessage"] == "no\nway"
    assert len(document["stackTrace"]) == 1
    assert 'index.py", line 2, in handler' in document["stackTrace"][0]
    logged = next(message for message in functions.log() if message.startswith("[ERROR]"))
    assert logged.startswith("[ERROR] ValueError: no\nway\nTraceback (most recent call last):\n")


@pytest.mark.parametrize(
    ("source", "handler", "kind", "message"),
    [
        ("import nothing_like_it", "index.handler", "Runtime.ImportModuleError", "Unable to import module 'index'"),
        ("def handler(:", "index.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module 'index'"),
        ("x = 1", "index.handler", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'index'"),
        ("x = 1", "handler", "Runtime.MalformedHandlerName", "Bad handler 'handler'"),
        ("raise KeyError('at import')", "index.handler", "KeyError", "at import"),
        ("import sys; sys.exit(3)", "index.handler", "Runtime.ExitError", "Runtime exited with error: exit status 3"),
    ],
)
def test_code_that_does_not_start_says_why(functions, source, handler, kind, message):
    functions.python(source, handler=handler)
    document, error = functions.invoke()
    assert error == "Unhandled"
    assert document["errorType"] == kind
    assert message in document["errorMessage"]


def test_an_answer_that_is_no_json_is_an_error(functions):
    functions.python("def handler(event, context):\n    return {1, 2}\n")
    document, _ = functions.invoke()
    assert document["errorType"] == "Runtime.MarshalError"
    assert "Object of type set is not JSON serializable" in document["errorMessage"]


def test_an_answer_that_is_too_long_is_an_error(functions):
    functions.python("def handler(event, context):\n    return 'x' * event\n")
    assert functions.invoke(event=6_000_000)[1] is None
    document, error = functions.invoke(event=6_300_000)
    assert error == "Unhandled"
    assert document["errorType"] == "Function.ResponseSizeTooLarge"


def test_a_crash_is_told_and_the_next_invocation_gets_a_new_process(functions):
    functions.python(
        "import os, signal\n"
        "def handler(event, context):\n"
        "    if event: os.kill(os.getpid(), signal.SIGSEGV)\n"
        "    return 'alive'\n"
    )
    assert functions.invoke(event=0) == ("alive", None)
    document, error = functions.invoke(event=1)
    assert error == "Unhandled"
    assert document["errorType"] == "Runtime.ExitError"
    assert re.fullmatch(
        r"RequestId: \S+ Error: Runtime exited with error: signal: segmentation fault", document["errorMessage"]
    )
    assert functions.invoke(event=0) == ("alive", None)


def test_a_time_out_ends_the_process_and_whatever_it_started(functions, tmp_path):
    functions.python(
        "import subprocess, time\n"
        "def handler(event, context):\n"
        "    subprocess.Popen(['sh', '-c', 'sleep 3; touch ' + event])\n"
        "    print('started', flush=True)\n"
        "    time.sleep(60)\n",
        Timeout=1,
    )
    began = time.monotonic()
    document, error = functions.invoke(event=str(tmp_path / "survived"))
    assert time.monotonic() - began < 10
    assert error == "Unhandled"
    assert document["errorType"] == "Sandbox.Timedout"
    assert document["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    messages = functions.log()
    assert "started\n" in messages
    assert any("Task timed out after 1.00 seconds" in message for message in messages)
    time.sleep(3)
    assert not (tmp_path / "survived").exists()


def test_a_warm_process_is_used_again_until_the_function_changes(functions):
    functions.python("import os\ncount = 0\ndef handler(event, context):\n    global count\n    count += 1\n    return [os.getpid(), count]\n")
    (first, one), _ = functions.invoke()
    (second, two), _ = functions.invoke()
    assert (first, one, two) == (second, 1, 2)
    functions.client.update_function_configuration(FunctionName="f", Environment={"Variables": {"NEW": "1"}})
    (third, three), _ = functions.invoke()
    assert third != first and three == 1
    functions.client.update_function_code(FunctionName="f", ZipFile=archive(index__py="def handler(e, c): return 'new'"))
    assert functions.invoke() == ("new", None)


def test_invocations_at_once_have_processes_of_their_own(functions):
    functions.python("import os, time\ndef handler(event, context):\n    time.sleep(1)\n    return os.getpid()\n")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(functions.invoke) for _ in range(4)]
        assert len({answer.result()[0] for answer in answers}) == 4


def test_the_log_has_start_the_codes_lines_end_and_report(functions):
    functions.python(
        "import logging, sys\n"
        "print('importing')\n"
        "def handler(event, context):\n"
        "    print('to stdout')\n"
        "    print('to stderr', file=sys.stderr)\n"
        "    logging.warning('careful\\nthere')\n"
        "    print('no line end', end='')\n"
    )
    tail = functions.tail()
    messages = functions.log()
    assert "".join(m if m.endswith("\n") else m + "\n" for m in messages) == tail
    assert messages[0] == "importing\n"
    assert re.fullmatch(r"START RequestId: \S{36} Version: \$LATEST\n", messages[1])
    assert sorted(m for m in messages[2:-2] if m.startswith(("to", "no"))) == ["no line end", "to stderr\n", "to stdout\n"]
    assert any(re.fullmatch(r"\[WARNING\]\t\S+Z\t\S{36}\tcareful\nthere\n", message) for message in messages)
    assert messages[-2].startswith("END RequestId: ")
    assert re.fullmatch(
        r"REPORT RequestId: \S{36}\tDuration: \d+\.00 ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\t"
        r"Max Memory Used: \d+ MB\tInit Duration: \d+\.\d\d ms\t\n",
        messages[-1],
    )


def test_an_asynchronous_invocation_runs_and_leaves_a_log(functions):
    functions.python("def handler(event, context):\n    print('got', event['n'])\n")
    answer = functions.client.invoke(FunctionName="f", InvocationType="Event", Payload=b'{"n": 7}')
    assert answer["StatusCode"] == 202
    assert "got 7\n" in functions.log()


def test_an_asynchronous_invocation_is_retried_by_the_clock(start):
    functions = Functions(start("--clock", "frozen=2026-03-02T12:00:00Z"))
    functions.python("def handler(event, context):\n    raise RuntimeError('always')\n")
    functions.client.invoke(FunctionName="f", InvocationType="Event", Payload=b"{}")
    functions.log()
    functions.server.admin("POST", "clock/advance", {"seconds": 60})
    functions.log(times=2)
    functions.server.admin("POST", "clock/advance", {"seconds": 120})
    functions.log(times=3)


def test_a_time_out_holds_under_virtual_time_too(start):
    functions = Functions(start("--clock", "frozen=2026-03-02T12:00:00Z"))
    functions.python("import time\ndef handler(event, context):\n    time.sleep(60)\n", Timeout=1)
    document, error = functions.invoke()
    assert (document["errorType"], error) == ("Sandbox.Timedout", "Unhandled")


def test_a_function_may_wait_for_another_under_virtual_time(start):
    functions = Functions(start("--clock", "auto=2026-03-02T12:00:00Z"))
    functions.python("def handler(event, context):\n    return event + 1\n", name="inner")
    functions.python(
        "import boto3\n"
        "def handler(event, context):\n"
        "    return boto3.client('lambda').invoke(FunctionName='inner', Payload=b'41')['Payload'].read().decode()\n",
        Environment={"Variables": {"PYTHONPATH": str(Path(boto3.__file__).parents[1])}},
    )
    assert functions.invoke() == ("42", None)


@needs_node
@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("index__js", "exports.handler = async (event, context) => ({ got: event, id: context.awsRequestId });"),
        ("index__mjs", "export const handler = async (event, context) => ({ got: event, id: context.awsRequestId });"),
        ("index__cjs", "module.exports.handler = (event, context) => Promise.resolve({ got: event, id: context.awsRequestId });"),
        ("index__js", "exports.handler = (event, context, done) => setTimeout(() => done(null, { got: event, id: context.awsRequestId }), 5);"),
        ("index__js", "exports.handler = (event, context, done) => { context.callbackWaitsForEmptyEventLoop = false; setInterval(() => {}, 1000); done(null, { got: event, id: context.awsRequestId }); };"),
    ],
)
def test_node_handlers_of_every_kind_answer(functions, file, source):
    functions.node(source, file=file)
    answer, error = functions.invoke(event={"a": "ã"})
    assert error is None
    assert answer["got"] == {"a": "ã"} and len(answer["id"]) == 36
    assert functions.invoke(event=2)[0]["got"] == 2


@needs_node
@pytest.mark.parametrize("source", ["exports.handler = () => {};", "exports.handler = async () => {};"])
def test_a_node_handler_that_answers_nothing_answers_null(functions, source):
    functions.node(source)
    assert functions.invoke() == (None, None)


@needs_node
def test_a_node_function_calls_s3_and_logs(functions):
    functions.server.client("s3").create_bucket(Bucket="store")
    functions.node(
        "exports.handler = async () => {\n"
        "  console.log('writing\\n%d', 2);\n"
        "  const answer = await fetch(`${process.env.AWS_ENDPOINT_URL}/store/node`, { method: 'PUT', body: 'hello' });\n"
        "  return answer.status;\n"
        "};"
    )
    assert functions.invoke() == (200, None)
    assert functions.server.client("s3").get_object(Bucket="store", Key="node")["Body"].read() == b"hello"
    assert any(re.fullmatch(r"\S+Z\t\S{36}\tINFO\twriting\n2\n", message) for message in functions.log())


@needs_node
@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        ("exports.handler = async () => { throw new TypeError('boom'); };", "TypeError", "boom"),
        ("exports.handler = (event, context, done) => done(new Error('called'));", "Error", "called"),
        ("exports.handler = async () => { throw 'text'; };", "string", "text"),
        ("exports.handler = async () => { const a = {}; a.a = a; return a; };", "Runtime.MarshalError", "circular"),
        ("exports.other = 1;", "Runtime.HandlerNotFound", "index.handler is undefined or not exported"),
        ("require('nothing-like-it'); exports.handler = 1;", "Runtime.ImportModuleError", "Cannot find module 'nothing-like-it'"),
        ("exports.handler = async () => { setTimeout(() => { throw new RangeError('late'); }, 1); await new Promise(() => {}); };", "RangeError", "late"),
        ("exports.handler = async () => { process.exit(0); };", "Runtime.ExitError", "Runtime exited without providing a reason"),
    ],
)
def test_errors_of_node_handlers(functions, source, kind, message):
    functions.node(source)
    document, error = functions.invoke()
    assert error == "Unhandled"
    assert document["errorType"] == kind
    assert message in document["errorMessage"]


def test_an_executable_polls_the_runtime_api(functions):
    bootstrap = (
        f"#!{sys.executable}\n"
        "import os, urllib.request\n"
        "base = f\"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation/\"\n"
        "while True:\n"
        "    with urllib.request.urlopen(base + 'next') as event:\n"
        "        identity, body = event.headers['Lambda-Runtime-Aws-Request-Id'], event.read()\n"
        "    urllib.request.urlopen(base + identity + '/response', data=b'echo ' + body)\n"
    )
    functions.create(runtime="provided.al2023", handler="any", code={"ZipFile": archive(bootstrap=bootstrap)})
    for _ in range(2):
        answer = functions.client.invoke(FunctionName="f", Payload=b"1")
        assert answer["Payload"].read() == b"echo 1"


def test_an_archive_without_a_bootstrap_says_so(functions):
    functions.create(runtime="provided.al2", handler="any", code={"ZipFile": archive(other="x")})
    document, error = functions.invoke()
    assert error == "Unhandled"
    assert document["errorType"] == "Runtime.InvalidEntrypoint"
    assert "Couldn't find valid bootstrap(s)" in document["errorMessage"]


def test_a_missing_interpreter_is_named(functions):
    functions.create(runtime="java21", code={"ZipFile": archive(a="x")})
    document, error = functions.invoke()
    assert (document["errorType"], error) == ("Runtime.InvalidRuntime", "Unhandled")
    assert "java21" in document["errorMessage"]


@pytest.mark.skipif(not PIX_MONITOR.exists(), reason="target/debug/pix-monitor is not built (cargo build --package handlers)")
def test_pix_monitor_starts_as_it_is_deployed(functions):
    s3 = functions.server.client("s3")
    for bucket in ("code", "pix-state"):
        s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket="code", Key="pix.zip", Body=archive(bootstrap=PIX_MONITOR.read_bytes()))
    functions.server.client("logs").create_log_group(logGroupName="/aws/lambda/pix-api")
    functions.create(
        "pix-monitor",
        "provided.al2023",
        "bootstrap",
        {"S3Bucket": "code", "S3Key": "pix.zip"},
        Timeout=60,
        Environment={
            "Variables": {
                "LOG_GROUPS": "/aws/lambda/pix-api",
                "STATE_BUCKET": "pix-state",
                "SLACK_WEBHOOK": "http://127.0.0.1:9/services/none",
                "WATCHED_ACCOUNTS": "23463567342345",
            }
        },
    )
    answer, error = functions.invoke("pix-monitor", {})
    assert error is None, (answer, functions.log("pix-monitor"))


def test_code_from_a_bucket_is_read_and_its_digest_is_real(functions):
    s3 = functions.server.client("s3")
    s3.create_bucket(Bucket="code")
    s3.put_bucket_versioning(Bucket="code", VersioningConfiguration={"Status": "Enabled"})
    old = s3.put_object(Bucket="code", Key="f.zip", Body=archive(index__py="def handler(e, c): return 'old'"))["VersionId"]
    s3.put_object(Bucket="code", Key="f.zip", Body=archive(index__py="def handler(e, c): return 'new'"))
    functions.create(code={"S3Bucket": "code", "S3Key": "f.zip", "S3ObjectVersion": old})
    assert functions.invoke() == ("old", None)
    updated = functions.client.update_function_code(FunctionName="f", S3Bucket="code", S3Key="f.zip")
    assert functions.invoke() == ("new", None)
    found = functions.client.get_function(FunctionName="f")
    assert found["Configuration"]["CodeSha256"] == updated["CodeSha256"]
    zipped = urllib.request.urlopen(found["Code"]["Location"]).read()
    assert len(zipped) == updated["CodeSize"]
    assert zipfile.ZipFile(io.BytesIO(zipped)).read("index.py") == b"def handler(e, c): return 'new'"
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(found["Code"]["Location"][:-1])


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ({"S3Bucket": "no-such-bucket", "S3Key": "k"}, "S3 Error Code: NoSuchBucket"),
        ({"ZipFile": b"no archive"}, "Could not unzip uploaded file"),
        ({}, "Please provide a source for function code."),
    ],
)
def test_code_that_cannot_be_had_is_refused(functions, code, message):
    with pytest.raises(functions.client.exceptions.InvalidParameterValueException, match=re.escape(message)):
        functions.create(code=code)


def test_an_archive_that_leads_out_is_not_unpacked(functions):
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as zipped:
        zipped.writestr("../../evil", "x")
    with pytest.raises(functions.client.exceptions.InvalidParameterValueException):
        functions.create(code={"ZipFile": whole.getvalue()})


def test_versions_and_aliases_run_what_they_name(functions):
    client = functions.client
    functions.python("def handler(e, c): return ['one', c.function_version, c.invoked_function_arn.split(':')[-1]]")
    assert client.publish_version(FunctionName="f")["Version"] == "1"
    assert client.publish_version(FunctionName="f")["Version"] == "1"
    client.update_function_code(
        FunctionName="f", ZipFile=archive(index__py="def handler(e, c): return ['two', c.function_version]"), Publish=True
    )
    alias = client.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    assert alias["AliasArn"].endswith(":function:f:live")
    assert functions.invoke("f:live") == (["one", "1", "live"], None)
    assert functions.invoke("f", Qualifier="2") == (["two", "2"], None)
    assert functions.invoke("f") == (["two", "$LATEST"], None)
    client.update_alias(FunctionName="f", Name="live", FunctionVersion="2")
    assert client.invoke(FunctionName="f", Qualifier="live")["ExecutedVersion"] == "2"
    versions = client.list_versions_by_function(FunctionName="f")["Versions"]
    assert [version["Version"] for version in versions] == ["$LATEST", "1", "2"]
    with pytest.raises(client.exceptions.ResourceConflictException):
        client.delete_function(FunctionName="f", Qualifier="2")
    client.update_alias(
        FunctionName="f", Name="live", RoutingConfig={"AdditionalVersionWeights": {"1": 0.5}}
    )
    drawn = {client.invoke(FunctionName="f", Qualifier="live")["ExecutedVersion"] for _ in range(30)}
    assert drawn == {"1", "2"}
    client.delete_alias(FunctionName="f", Name="live")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        functions.invoke("f:live")


def test_reserved_concurrency_throttles(functions):
    client = functions.client
    functions.python("import time\ndef handler(e, c):\n    time.sleep(2)\n    return 1")
    client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=1)
    assert client.get_function(FunctionName="f")["Concurrency"] == {"ReservedConcurrentExecutions": 1}
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        first = pool.submit(functions.invoke)
        time.sleep(0.5)
        with pytest.raises(client.exceptions.TooManyRequestsException) as throttled:
            client.invoke(FunctionName="f")
        assert throttled.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
        # An event waits for its turn.
        client.invoke(FunctionName="f", InvocationType="Event")
        assert first.result() == (1, None)
    functions.log(times=2)
    with pytest.raises(client.exceptions.InvalidParameterValueException):
        client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=901)
    client.delete_function_concurrency(FunctionName="f")
    assert "ReservedConcurrentExecutions" not in client.get_function_concurrency(FunctionName="f")


def test_provisioned_concurrency_is_taken_out_of_what_is_reserved(functions):
    client = functions.client
    source = "import os, time\ndef handler(e, c):\n    time.sleep((e or {}).get('wait', 0))\n    return os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']"
    functions.python(source)
    client.publish_version(FunctionName="f")
    provision = {"FunctionName": "f", "Qualifier": "1"}
    client.put_provisioned_concurrency_config(**provision, ProvisionedConcurrentExecutions=1)
    ready = lambda: client.get_provisioned_concurrency_config(**provision)["Status"] == "READY"
    while not ready():
        time.sleep(0.1)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        first = pool.submit(functions.invoke, "f:1", {"wait": 2})
        time.sleep(0.5)
        assert functions.invoke("f:1") == ("on-demand", None)
        assert first.result() == ("provisioned-concurrency", None)
    with pytest.raises(client.exceptions.InvalidParameterValueException) as refused:
        client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=0)
    assert "should not be lower than function's total provisioned concurrency [1]" in str(refused.value)
    assert "Type" not in refused.value.response
    client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=1)
    with pytest.raises(client.exceptions.TooManyRequestsException):
        client.invoke(FunctionName="f")
    assert functions.invoke("f:1") == ("provisioned-concurrency", None)
    with pytest.raises(client.exceptions.InvalidParameterValueException) as refused:
        client.put_provisioned_concurrency_config(**provision, ProvisionedConcurrentExecutions=2)
    assert refused.value.response["Type"] == "User"


def test_retired_runtimes_and_large_requests_are_refused(functions):
    client = functions.client
    with pytest.raises(client.exceptions.InvalidParameterValueException) as refused:
        functions.create("old", "python3.7", code={"ZipFile": archive(index__py="pass")})
    assert "The runtime parameter of python3.7 is no longer supported" in refused.value.response["Error"]["Message"]
    functions.python("pass")
    with pytest.raises(client.exceptions.InvalidParameterValueException):
        client.update_function_configuration(FunctionName="f", Runtime="nodejs14.x")
    with pytest.raises(ClientError) as refused:
        functions.create("large", code={"ZipFile": bytes(52428800)})
    assert refused.value.response["Error"] == {
        "Code": "RequestEntityTooLargeException", "Message": "Zipped size must be smaller than 52428800 bytes",
    }


def test_a_destination_is_told_of_the_end(functions):
    client = functions.client
    arn = functions.python("def handler(e, c):\n    if e['n']: raise ValueError('bad')\n    return 'good'")["FunctionArn"]
    target = functions.python("def handler(e, c): print('RECORD', __import__('json').dumps(e))", name="target")["FunctionArn"]
    client.put_function_event_invoke_config(
        FunctionName="f",
        MaximumRetryAttempts=0,
        DestinationConfig={"OnSuccess": {"Destination": target}, "OnFailure": {"Destination": target}},
    )
    for n in (0, 1):
        client.invoke(FunctionName="f", InvocationType="Event", Payload=json.dumps({"n": n}))
    messages = functions.log("target", "RECORD", 2)
    records = [json.loads(message.split(" ", 1)[1]) for message in messages if message.startswith("RECORD")]
    good, bad = sorted(records, key=lambda record: record["requestPayload"]["n"])
    assert good["requestContext"]["functionArn"] == f"{arn}:$LATEST"
    assert good["requestContext"]["condition"] == "Success"
    assert good["responsePayload"] == "good"
    assert bad["requestContext"]["condition"] == "RetriesExhausted"
    assert bad["requestContext"]["approximateInvokeCount"] == 1
    assert bad["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    assert bad["responsePayload"]["errorType"] == "ValueError"


def test_inline_code_of_a_template_runs(functions):
    template = {
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": [
                            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
                        ],
                    }
                },
            },
            "F": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "FunctionName": "inline",
                    "Runtime": PYTHON,
                    "Handler": "index.handler",
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Code": {"ZipFile": "def handler(event, context):\n    return 'inline'\n"},
                },
            },
        }
    }
    cloudformation = functions.server.client("cloudformation")
    cloudformation.create_stack(
        StackName="inline", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"]
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName="inline", WaiterConfig={"Delay": 1})
    assert functions.invoke("inline") == ("inline", None)


def test_processes_end_with_the_server(start, tmp_path):
    functions = Functions(start())
    functions.python(
        "import os, pathlib, subprocess\n"
        "def handler(event, context):\n"
        "    subprocess.Popen(['sh', '-c', 'sleep 3; touch ' + event])\n"
        "    return [os.getpid(), os.environ['LAMBDA_TASK_ROOT']]\n"
    )
    (_, folder), _ = functions.invoke(event=str(tmp_path / "survived"))
    assert Path(folder).exists()
    assert functions.server.stop() == 0
    assert not Path(folder).exists()
    time.sleep(3.5)
    assert not (tmp_path / "survived").exists()


def alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def gone(process):
    """Whether a process ends within a few seconds."""
    for _ in range(50):
        if not alive(process):
            return True
        time.sleep(0.1)
    return False


def test_a_reset_ends_what_runs_and_what_waits(functions, tmp_path):
    functions.python("import os\ndef handler(event, context):\n    return os.getpid()\n", name="idle")
    idle, _ = functions.invoke("idle")
    assert alive(idle)
    functions.python(
        "import os, pathlib\n"
        "def handler(event, context):\n"
        "    pathlib.Path(event).write_text(str(os.getpid()))\n"
        "    while True: pass\n",
        Timeout=600,
    )
    told = tmp_path / "pid"
    functions.client.invoke(FunctionName="f", InvocationType="Event", Payload=json.dumps(str(told)).encode())
    for _ in range(100):
        if told.exists() and told.read_text():
            break
        time.sleep(0.1)
    busy = int(told.read_text())
    assert alive(busy)
    functions.server.admin("POST", "reset")
    assert gone(idle) and gone(busy)
    # And what comes after is not disturbed.
    functions.python("def handler(event, context):\n    return 1\n")
    assert functions.invoke() == (1, None)


def test_a_deleted_function_leaves_no_process(functions):
    functions.python("import os\ndef handler(event, context):\n    return os.getpid()\n")
    process, _ = functions.invoke()
    assert functions.client.delete_function(FunctionName="f")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert gone(process)


def test_more_memory_than_the_function_has_ends_it(functions):
    functions.python("import time\ndef handler(event, context):\n    event = bytearray(300 * 2**20)\n    time.sleep(20)\n")
    document, error = functions.invoke()
    assert (document["errorType"], error) == ("Runtime.ExitError", "Unhandled")
    assert "signal: killed" in document["errorMessage"]
    assert functions.invoke(event=None)[1] == "Unhandled"


def test_what_is_logged_is_bounded(functions):
    functions.python(
        "def handler(event, context):\n    for _ in range(100):\n        print('x' * 100_000)\n    return 'done'\n"
    )
    assert functions.invoke() == ("done", None)
    messages = functions.log()
    assert sum(map(len, messages)) < 5 * 2**20
    assert any("more lines of this invocation were dropped" in message for message in messages)


def test_a_wrapper_starts_the_interpreter(functions):
    wrapper = '#!/bin/sh\nexport WRAPPED=yes\nexec "$@"\n'
    functions.create(
        code={"ZipFile": archive(index__py="import os\ndef handler(e, c): return os.environ['WRAPPED']", wrapper=wrapper)},
        Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrapper"}},
    )
    assert functions.invoke() == ("yes", None)


def test_a_trace_names_files_as_at_aws(functions):
    functions.python("def handler(event, context):\n    return event['missing']\n")
    document, _ = functions.invoke(event={})
    assert document["stackTrace"] == ['  File "/var/task/index.py", line 2, in handler\n    return event[\'missing\']\n']


def test_functions_elsewhere_are_not_taken_for_those_here(functions):
    arn = functions.python("def handler(e, c): return 1")["FunctionArn"]
    assert functions.invoke(arn) == (1, None)
    with pytest.raises(functions.client.exceptions.ResourceNotFoundException, match="not reachable in this region"):
        functions.invoke(arn.replace("us-east-1", "eu-west-1"))
    with pytest.raises(ClientError) as refused:
        functions.invoke(arn.replace("123456789012", "210987654321"))
    assert refused.value.response["Error"]["Code"] == "NotImplemented"


def test_images_and_layers_elsewhere_are_refused_by_name(functions):
    for more, name in [
        ({"Layers": ["arn:aws:lambda:us-east-1:210987654321:layer:l:1"]}, "layers of another account"),
        ({"PackageType": "Image"}, "PackageType=Image"),
    ]:
        with pytest.raises(ClientError) as refused:
            functions.python("x = 1", **more)
        assert refused.value.response["Error"]["Code"] == "NotImplemented"
        assert name in refused.value.response["Error"]["Message"]


def test_logs_in_json_have_levels(functions):
    functions.python(
        "import logging\n"
        "def handler(event, context):\n"
        "    logging.info('quiet')\n"
        "    logging.warning('loud %s', 1, extra={'order': 7})\n"
        "    print('plain')\n"
        "    return event['n']\n",
        LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "WARN"},
    )
    config = functions.client.get_function_configuration(FunctionName="f")["LoggingConfig"]
    assert config == {"LogFormat": "JSON", "ApplicationLogLevel": "WARN", "SystemLogLevel": "INFO", "LogGroup": "/aws/lambda/f"}
    functions.invoke(event={"n": 1})
    lines = functions.log(wanted="platform.report")
    start, loud, plain, report = [line.strip() for line in lines]
    start, loud, report = json.loads(start), json.loads(loud), json.loads(report)
    assert (start["type"], start["record"]["version"]) == ("platform.start", "$LATEST")
    assert (loud["level"], loud["message"], loud["logger"], loud["order"]) == ("WARNING", "loud 1", "root", 7)
    assert loud["requestId"] == start["record"]["requestId"] == report["record"]["requestId"]
    assert (plain, report["record"]["status"], report["record"]["metrics"]["memorySizeMB"]) == ("plain", "success", 128)


def test_provisioned_concurrency_is_told_to_the_code(functions):
    functions.python("import os\ndef handler(event, context):\n    return os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']\n")
    client = functions.client
    client.publish_version(FunctionName="f")
    put = client.put_provisioned_concurrency_config(FunctionName="f", Qualifier="1", ProvisionedConcurrentExecutions=2)
    assert (put["Status"], put["AllocatedProvisionedConcurrentExecutions"]) == ("IN_PROGRESS", 0)
    for _ in range(50):
        found = client.get_provisioned_concurrency_config(FunctionName="f", Qualifier="1")
        if found["Status"] == "READY":
            break
        time.sleep(0.1)
    assert (found["Status"], found["AvailableProvisionedConcurrentExecutions"]) == ("READY", 2)
    answers = [json.load(client.invoke(FunctionName="f", Qualifier=place)["Payload"]) for place in ["1", "$LATEST"]]
    assert answers == ["provisioned-concurrency", "on-demand"]
    client.delete_provisioned_concurrency_config(FunctionName="f", Qualifier="1")
    assert client.list_provisioned_concurrency_configs(FunctionName="f")["ProvisionedConcurrencyConfigs"] == []
