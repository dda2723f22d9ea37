"""Runs a Python handler under Garoa: polls the Lambda Runtime API and calls the handler.

The handler sees what it sees at AWS: the event, the context, and the environment's variables. A message of several lines
begins with a record separator (0x1e), and has others for its line breaks, so that it stays one event of the log.
"""

import http.client
import importlib
import json
import logging
import os
import sys
import time
import traceback
from decimal import Decimal

JOINT = "\x1e"
BASE = "/2018-06-01/runtime"
IS_JSON = os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON"


class Refused(Exception):
    """An error that is Lambda's rather than the handler's."""

    def __init__(self, kind, message, trace=()):
        super().__init__(message)
        self.document = {"errorMessage": message, "errorType": kind, "requestId": "", "stackTrace": list(trace)}


class Runtime:
    """The Runtime API, over one connection."""

    def __init__(self):
        self.connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

    def call(self, method, path, body=None, headers=None):
        flush()
        try:
            self.connection.request(method, BASE + path, body, headers or {})
            answer = self.connection.getresponse()
            payload = answer.read()
        except OSError:
            # The server is gone, and with it whatever could be done here.
            os._exit(1)
        if answer.status == 410:
            os._exit(0)
        return answer, payload

    def next(self):
        return self.call("GET", "/invocation/next")

    def respond(self, request_id, body):
        self.call("POST", f"/invocation/{request_id}/response", body, {"Content-Type": "application/json"})

    def fail(self, path, document):
        headers = {
            "Content-Type": "application/vnd.aws.lambda.error+json",
            "Lambda-Runtime-Function-Error-Type": document["errorType"],
        }
        self.call("POST", path, json.dumps(document).encode(), headers)


class CognitoIdentity:
    """Who calls, where Amazon Cognito says so."""

    cognito_identity_id = None
    cognito_identity_pool_id = None


class ClientContext:
    """What a mobile client says of itself."""

    class Client:
        """The client's application."""

    def __init__(self, document):
        self.custom = document.get("custom")
        self.env = document.get("env")
        self.client = ClientContext.Client()
        for name in ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"):
            setattr(self.client, name, (document.get("client") or {}).get(name))


class LambdaContext:
    """The handler's second argument."""

    def __init__(self, headers):
        environment = os.environ
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.log_group_name = environment.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = environment.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = environment.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = environment.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = environment.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.identity = CognitoIdentity()
        client = headers.get("Lambda-Runtime-Client-Context")
        self.client_context = ClientContext(json.loads(client)) if client else None
        self._deadline = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self):
        return max(self._deadline - int(time.time() * 1000), 0)

    def log(self, message):
        sys.stdout.write(message if isinstance(message, str) else repr(message))


class JsonFormatter(logging.Formatter):
    """Records as the JSON objects that AWS's runtime writes where `LogFormat` is `JSON`."""

    OWN = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "aws_request_id"}

    def format(self, record):
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
        document = {"timestamp": moment, "level": record.levelname, "message": record.getMessage(), "logger": record.name}
        if record.exc_info:
            kind, error, trace = record.exc_info
            document["stackTrace"] = traceback.format_tb(trace)
            document |= {"errorType": getattr(kind, "__name__", None), "errorMessage": str(error)}
            document["location"] = f"{record.pathname}:{record.funcName}:{record.lineno}"
        document |= {name: value for name, value in record.__dict__.items() if name not in self.OWN}
        document["requestId"] = LogHandler.request_id
        return json.dumps(document, default=str)


class LogHandler(logging.Handler):
    """The root logger's handler, in the format of AWS's."""

    request_id = ""

    def emit(self, record):
        write(self.format(record))

    def format(self, record):
        record.aws_request_id = LogHandler.request_id
        return super().format(record)


def write(message):
    """Writes one message, of however many lines."""
    sys.stdout.write(JOINT + message.replace("\n", JOINT) + "\n")


def flush():
    """What was printed is in the log before the answer is there, even without a line's end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass  # The handler closed it, or put something else there.


def log_error(document):
    if IS_JSON:
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        write(json.dumps({"timestamp": moment, "log_level": "ERROR", **document}))
        return
    lines = [f"[ERROR] {document['errorType']}: {document['errorMessage']}"]
    if document["stackTrace"]:
        lines += ["Traceback (most recent call last):", *(line.rstrip("\n") for line in document["stackTrace"])]
    write("\n".join(lines))


def load(handler):
    """The handler's function. Its module is imported as at AWS: a slash stands for a dot."""
    try:
        module_name, function_name = handler.rsplit(".", 1)
    except ValueError:
        message = f"Bad handler '{handler}': not enough values to unpack (expected 2, got 1)"
        raise Refused("Runtime.MalformedHandlerName", message) from None
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Refused("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}") from error
    except SyntaxError as error:
        file = place(error.filename or "")
        trace = [f'  File "{file}" Line {error.lineno}\n    {error.text}']
        raise Refused("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}", trace) from error
    try:
        return getattr(module, function_name)
    except AttributeError:
        message = f"Handler '{function_name}' missing on module '{module_name}'"
        raise Refused("Runtime.HandlerNotFound", message) from None


def place(file):
    """A file of the function's where it is at AWS."""
    root = os.environ["LAMBDA_TASK_ROOT"]
    return "/var/task" + file[len(root) :] if file.startswith(root + "/") else file


def describe(error, request_id):
    """An exception as AWS's error document; the trace begins where the function's own code does."""
    if isinstance(error, Refused):
        return {**error.document, "requestId": request_id}
    frames = traceback.extract_tb(error.__traceback__)
    while frames and frames[0].filename == __file__:
        frames = frames[1:]
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "requestId": request_id,
        # Of the plain facts, without the markers under a line that newer versions of Python add.
        "stackTrace": traceback.format_list([(place(f.filename), f.lineno, f.name, f.line) for f in frames]),
    }


def plain(value):
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def run(function, event, headers):
    try:
        event = json.loads(event)
    except ValueError as error:
        raise Refused("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from error
    answer = function(event, LambdaContext(headers))
    try:
        return json.dumps(answer, default=plain, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise Refused("Runtime.MarshalError", f"Unable to marshal response: {error}") from error


def main():
    # A line is in the log once it is written, not once a buffer is full.
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True, write_through=True)
    sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True, write_through=True)
    handler = LogHandler()
    form = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
    formatter = logging.Formatter(form, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(JsonFormatter() if IS_JSON else formatter)
    logging.root.addHandler(handler)
    if IS_JSON:
        level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "INFO")
        logging.root.setLevel({"TRACE": "DEBUG", "FATAL": "CRITICAL"}.get(level, level))

    # The function's folder is the place of its modules; this file's is not.
    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
    sdk, *layers = sys.argv[1:]
    del sys.argv[1:]
    if layers:
        # What the function's layers have, where AWS has them below /opt; it goes before what the interpreter has.
        opt, runtime = layers
        sys.path[1:1] = [f"{opt}/python/lib/{runtime}/site-packages", f"{opt}/python"]
    if sdk:
        # AWS's SDK, where this interpreter has none.
        sys.path.append(sdk)
    runtime = Runtime()
    try:
        function = load(os.environ["_HANDLER"])
    except Exception as error:  # whatever the module raises
        document = describe(error, "")
        log_error(document)
        runtime.fail("/init/error", document)
        sys.exit(1)
    while True:
        answer, event = runtime.next()
        headers = answer.headers
        request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        LogHandler.request_id = request_id
        os.environ["_X_AMZN_TRACE_ID"] = headers.get("Lambda-Runtime-Trace-Id", "")
        try:
            body = run(function, event, headers)
        except Exception as error:  # whatever the handler raises
            document = describe(error, request_id)
            log_error(document)
            runtime.fail(f"/invocation/{request_id}/error", document)
        else:
            runtime.respond(request_id, body)


if __name__ == "__main__":
    main()
