"""Function URLs of AWS Lambda, and mappings of Kinesis streams: code that was uploaded answers HTTP and reads records."""

import http.client
import json
import time
from urllib.parse import urlsplit

import pytest

from conftest import refusal
from test_lambda_code import Functions

ECHO = "import json\ndef handler(event, context):\n    return event\n"
ALLOW = {
    "StatementId": "url", "Action": "lambda:InvokeFunctionUrl", "Principal": "*", "FunctionUrlAuthType": "NONE",
}


@pytest.fixture
def functions(server):
    return Functions(server)


def request(url, method="GET", path="", body=None, headers=None):
    """Names below localhost are not known to every resolver: the connection goes to the server, the host stands in a header."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=30)
    connection.request(method, f"/{path}", body, {**(headers or {}), "Host": parts.netloc})
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read()


def test_a_function_answers_at_its_url(functions):
    functions.python(ECHO)
    made = functions.client.create_function_url_config(FunctionName="f", AuthType="NONE")
    assert made["FunctionArn"].endswith(":function:f") and "InvokeMode" not in made
    status, headers, body = request(
        made["FunctionUrl"], "POST", "a%20b/c?q=1&q=2", b'{"n": 1}', {"Content-Type": "application/json", "Cookie": "a=1; b=2"}
    )
    event = json.loads(body)
    assert (status, headers["content-type"]) == (200, "application/json")
    assert (event["version"], event["rawPath"], event["rawQueryString"]) == ("2.0", "/a b/c", "q=1&q=2")
    assert (event["body"], event["isBase64Encoded"], event["cookies"]) == ('{"n": 1}', False, ["a=1", "b=2"])
    context = event["requestContext"]
    assert (context["accountId"], context["stage"], context["http"]["method"]) == ("anonymous", "$default", "POST")
    assert context["domainName"] == urlsplit(made["FunctionUrl"]).netloc
    assert headers["x-amzn-requestid"] == context["requestId"]


@pytest.mark.parametrize("returned, status, kind, body", [
    ('{"statusCode": 201, "headers": {"content-type": "text/css"}, "body": "x"}', 201, "text/css", b"x"),
    ('{"statusCode": "418", "body": "eA==", "isBase64Encoded": True}', 418, "application/json", b"x"),
    ('["a", 3, True]', 200, "application/json", b'["a",3,true]'),
    ('"hello"', 200, "application/json", b"hello"),
    ("1 / 0", 502, "application/json", b"Internal Server Error"),
])
def test_what_a_function_returns_is_the_answer(functions, returned, status, kind, body):
    functions.python(f"def handler(event, context):\n    return {returned}\n")
    url = functions.client.create_function_url_config(FunctionName="f", AuthType="NONE")["FunctionUrl"]
    got, headers, text = request(url)
    assert (got, headers["content-type"], text) == (status, kind, body)


def test_url_configs_live_their_lives(functions):
    functions.python(ECHO)
    client = functions.client
    missing = ("ResourceNotFoundException", "The resource you requested does not exist.")
    assert refusal(client.get_function_url_config, FunctionName="f") == missing
    cors = {"AllowOrigins": ["https://a.test"], "AllowMethods": ["GET"], "MaxAge": 60}
    made = client.create_function_url_config(FunctionName="f", AuthType="NONE", Cors=cors)
    assert refusal(client.create_function_url_config, FunctionName="f", AuthType="NONE")[0] == "ResourceConflictException"
    client.publish_version(FunctionName="f")
    client.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    alias = client.create_function_url_config(FunctionName="f", Qualifier="live", AuthType="AWS_IAM")
    assert alias["FunctionArn"].endswith(":f:live") and alias["FunctionUrl"] != made["FunctionUrl"]
    listed = client.list_function_url_configs(FunctionName="f")["FunctionUrlConfigs"]
    assert [url["AuthType"] for url in listed] == ["NONE", "AWS_IAM"]
    assert listed[0]["InvokeMode"] == "BUFFERED" and listed[0]["Cors"] == cors

    preflight = {"Origin": "https://a.test", "Access-Control-Request-Method": "GET"}
    status, headers, _ = request(made["FunctionUrl"], "OPTIONS", headers=preflight)
    assert (status, headers["access-control-allow-origin"], headers["access-control-max-age"]) == (200, "https://a.test", "60")
    assert request(made["FunctionUrl"], headers={"Origin": "https://b.test"})[1].get("access-control-allow-origin") is None

    updated = client.update_function_url_config(FunctionName="f", AuthType="AWS_IAM")
    assert updated["AuthType"] == "AWS_IAM" and updated["FunctionUrl"] == made["FunctionUrl"]
    assert refusal(client.update_function_url_config, FunctionName="f", InvokeMode="RESPONSE_STREAM")[0] == "NotImplemented"
    client.delete_function_url_config(FunctionName="f")
    assert refusal(client.delete_function_url_config, FunctionName="f") == missing
    status, headers, body = request(made["FunctionUrl"])
    assert (status, headers["x-amzn-errortype"], body) == (403, "AccessDeniedException", b'{"Message":null}')


def test_who_may_call_a_url(start):
    functions = Functions(start("--iam", "enforce"))
    iam = functions.server.client("iam")
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]}
    iam.create_role(RoleName="any", AssumeRolePolicyDocument=json.dumps(trust))
    functions.python(ECHO)
    url = functions.client.create_function_url_config(FunctionName="f", AuthType="NONE")["FunctionUrl"]
    status, _, body = request(url)
    assert status == 403 and json.loads(body)["Message"].startswith("Forbidden. For troubleshooting Function URL")
    added = functions.client.add_permission(FunctionName="f", **ALLOW)
    condition = {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}
    assert json.loads(added["Statement"])["Condition"] == condition
    assert request(url)[0] == 200
    functions.client.update_function_url_config(FunctionName="f", AuthType="AWS_IAM")
    assert request(url)[0] == 403, "the policy is for URLs that need no signature"


READER = (
    "import base64, json\n"
    "def handler(event, context):\n"
    "    for record in event['Records']:\n"
    "        kinesis = record['kinesis']\n"
    "        print('GOT', record['eventID'], kinesis['partitionKey'], base64.b64decode(kinesis['data']).decode())\n"
)


def test_a_function_reads_every_shard_of_a_kinesis_stream(functions):
    kinesis = functions.server.client("kinesis")
    kinesis.create_stream(StreamName="s", ShardCount=3)
    arn = kinesis.describe_stream_summary(StreamName="s")["StreamDescriptionSummary"]["StreamARN"]
    functions.python(READER)
    filters = {"Filters": [{"Pattern": json.dumps({"data": {"n": [{"numeric": ["<", 10]}]}})}]}
    made = functions.client.create_event_source_mapping(
        EventSourceArn=arn, FunctionName="f", StartingPosition="TRIM_HORIZON", BatchSize=2, FilterCriteria=filters
    )
    assert (made["StartingPosition"], made["State"], made["ParallelizationFactor"]) == ("TRIM_HORIZON", "Creating", 1)
    records = [{"Data": json.dumps({"n": n}).encode(), "PartitionKey": str(n)} for n in range(12)]
    kinesis.put_records(StreamName="s", Records=records)
    deadline, got = time.monotonic() + 20, []
    while len(got) < 10 and time.monotonic() < deadline:
        got = [line for line in functions.log(wanted="GOT") if line.startswith("GOT")]
    values = [json.loads(line.split(" ", 3)[3])["n"] for line in got]
    assert sorted(values) == list(range(10))
    shards = {line.split(" ")[1].split(":")[0] for line in got}
    assert len(shards) == 3, "each shard has records of its own"


def test_a_kinesis_stream_must_be_there(functions):
    functions.python(READER)
    arn = "arn:aws:kinesis:us-east-1:123456789012:stream/none"
    code, message = refusal(
        functions.client.create_event_source_mapping, EventSourceArn=arn, FunctionName="f", StartingPosition="LATEST"
    )
    assert (code, message) == ("InvalidParameterValueException", f"Stream not found: {arn}")


def test_records_that_a_function_cannot_take_are_told_to_a_queue(functions):
    kinesis, sqs = functions.server.client("kinesis"), functions.server.client("sqs")
    kinesis.create_stream(StreamName="s", ShardCount=1)
    arn = kinesis.describe_stream_summary(StreamName="s")["StreamDescriptionSummary"]["StreamARN"]
    queue = sqs.create_queue(QueueName="failed")["QueueUrl"]
    functions.python("def handler(event, context):\n    raise ValueError('no')\n")
    functions.client.create_event_source_mapping(
        EventSourceArn=arn, FunctionName="f", StartingPosition="TRIM_HORIZON", MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:123456789012:failed"}},
    )
    sequence = kinesis.put_record(StreamName="s", Data=b"x", PartitionKey="k")["SequenceNumber"]
    [message] = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"]
    document = json.loads(message["Body"])
    batch = document["KinesisBatchInfo"]
    assert (batch["shardId"], batch["startSequenceNumber"]) == ("shardId-000000000000", sequence)
    assert (batch["streamArn"], batch["batchSize"]) == (arn, 1)
    assert document["requestContext"]["condition"] == "RetryAttemptsExhausted"
