"""Amazon SNS (query protocol) with boto3 and the AWS CLI: topics, fan-out to queues and functions, HTTP, FIFO."""

import base64
import hashlib
import io
import json
import sys
import threading
import time
import urllib.error
import urllib.request
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from conftest import ACCOUNT, TargetQueue, refusal

TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:t"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/any"
PYTHON = f"python3.{sys.version_info.minor}"


def wait_for(look, wanted=bool, seconds=10):
    """Looks until it sees what it wants: deliveries are not waited for by who publishes."""
    end = time.monotonic() + seconds
    while True:
        seen = look()
        if wanted(seen):
            return seen
        assert time.monotonic() < end, seen
        time.sleep(0.02)


class Queue(TargetQueue):
    """A queue that a topic may send to."""

    def __init__(self, server, name="q", topic=TOPIC, allowed=True, **attributes):
        condition = {"ArnEquals": {"aws:SourceArn": topic}}
        super().__init__(server, name, "sns.amazonaws.com", condition, allowed, **attributes)


@pytest.fixture
def sns(server):
    sns = server.client("sns")
    sns.create_topic(Name="t")
    return sns


def test_a_topic_lives_its_life(server):
    sns = server.client("sns")
    assert sns.create_topic(Name="t", Tags=[{"Key": "team", "Value": "mail"}])["TopicArn"] == TOPIC
    assert sns.create_topic(Name="t")["TopicArn"] == TOPIC
    sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="DisplayName", AttributeValue="News")
    attributes = sns.get_topic_attributes(TopicArn=TOPIC)["Attributes"]
    assert (attributes["DisplayName"], attributes["Owner"], attributes["SubscriptionsPending"]) == ("News", ACCOUNT, "0")
    assert json.loads(attributes["Policy"])["Statement"][0]["Condition"] == {
        "StringEquals": {"AWS:SourceOwner": ACCOUNT}
    }
    assert sns.list_tags_for_resource(ResourceArn=TOPIC)["Tags"] == [{"Key": "team", "Value": "mail"}]
    assert refusal(sns.create_topic, Name="t", Attributes={"DisplayName": "Olds"}) == (
        "InvalidParameter", "Invalid parameter: Attributes Reason: Topic already exists with different attributes",
    )
    assert [topic["TopicArn"] for topic in sns.list_topics()["Topics"]] == [TOPIC]
    sns.delete_topic(TopicArn=TOPIC)
    sns.delete_topic(TopicArn=TOPIC)
    assert refusal(sns.get_topic_attributes, TopicArn=TOPIC) == ("NotFound", "Topic does not exist")


def test_lists_come_in_pages_of_a_hundred(sns):
    for number in range(120):
        sns.subscribe(TopicArn=TOPIC, Protocol="sms", Endpoint=f"+1555{number:04}")
    pages = list(sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=TOPIC))
    assert [len(page["Subscriptions"]) for page in pages] == [100, 20]
    assert len({s["Endpoint"] for page in pages for s in page["Subscriptions"]}) == 120
    assert len(sns.list_subscriptions()["Subscriptions"]) == 100


def test_a_queue_gets_the_envelope_or_the_message_itself(server, sns):
    queue, raw = Queue(server), Queue(server, "raw")
    subscription = sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=queue.arn)["SubscriptionArn"]
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=raw.arn, Attributes={"RawMessageDelivery": "true"})
    attributes = {
        "kind": {"DataType": "String", "StringValue": "news"},
        "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\x01"},
    }
    sent = sns.publish(TopicArn=TOPIC, Message="olá \"you\"", Subject="Hi", MessageAttributes=attributes)
    [message] = queue.receive()
    assert message["Body"].startswith('{\n  "Type" : "Notification",\n  "MessageId" : "')
    body = json.loads(message["Body"])
    assert list(body) == [
        "Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "SignatureVersion", "Signature",
        "SigningCertURL", "UnsubscribeURL", "MessageAttributes",
    ]
    assert (body["MessageId"], body["Message"], body["Subject"]) == (sent["MessageId"], "olá \"you\"", "Hi")
    assert body["MessageAttributes"]["bytes"] == {"Type": "Binary", "Value": base64.b64encode(b"\x00\x01").decode()}
    [message] = raw.receive()
    assert message["Body"] == "olá \"you\""
    assert message["MessageAttributes"]["kind"] == {"DataType": "String", "StringValue": "news"}
    assert message["MessageAttributes"]["bytes"]["BinaryValue"] == b"\x00\x01"
    # The link in the envelope works, and needs no signature.
    urllib.request.urlopen(body["UnsubscribeURL"], timeout=10).read()
    assert refusal(sns.get_subscription_attributes, SubscriptionArn=subscription)[0] == "NotFound"
    assert sns.get_topic_attributes(TopicArn=TOPIC)["Attributes"]["SubscriptionsDeleted"] == "1"


def test_a_signature_holds(server, sns):
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    queue = Queue(server)
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=queue.arn)
    for version, algorithm in [("1", hashes.SHA1()), ("2", hashes.SHA256())]:
        sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="SignatureVersion", AttributeValue=version)
        sns.publish(TopicArn=TOPIC, Message="m")
        [body] = queue.bodies()
        certificate = urllib.request.urlopen(body["SigningCertURL"], timeout=10).read()
        fields = ["Message", "MessageId", "Timestamp", "TopicArn", "Type"]
        text = "".join(f"{field}\n{body[field]}\n" for field in fields)
        key = x509.load_pem_x509_certificate(certificate).public_key()
        key.verify(base64.b64decode(body["Signature"]), text.encode(), padding.PKCS1v15(), algorithm)
        assert body["SignatureVersion"] == version


@pytest.mark.parametrize(
    "policy, scope, wanted",
    [
        ({"kind": ["a", {"prefix": "b"}]}, "MessageAttributes", ["a", "b1"]),
        ({"kind": [{"anything-but": ["a"]}]}, "MessageAttributes", ["b1", "c"]),
        ({"price": [{"numeric": [">", 1, "<=", 3]}]}, "MessageAttributes", ["b1", "c"]),
        ({"kind": ["a"], "price": [1]}, "MessageAttributes", ["a"]),
        ({"$or": [{"kind": ["a"]}, {"price": [3]}]}, "MessageAttributes", ["a", "c"]),
        ({"other": [{"exists": False}]}, "MessageAttributes", ["a", "b1", "c"]),
        ({"of": {"kind": [{"suffix": "1"}]}}, "MessageBody", ["b1"]),
        ({"of": {"kind": [{"equals-ignore-case": "C"}]}}, "MessageBody", ["c"]),
        ({"ip": [{"cidr": "10.0.0.0/24"}]}, "MessageBody", ["a"]),
    ],
)
def test_a_filter_policy_chooses(server, sns, policy, scope, wanted):
    queue = Queue(server)
    attributes = {"FilterPolicy": json.dumps(policy), "FilterPolicyScope": scope, "RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=queue.arn, Attributes=attributes)
    for number, kind in enumerate(["a", "b1", "c"]):
        sns.publish(
            TopicArn=TOPIC, Message=json.dumps({"of": {"kind": kind}, "ip": f"10.0.{number}.7"}),
            MessageAttributes={
                "kind": {"DataType": "String", "StringValue": kind},
                "price": {"DataType": "Number", "StringValue": str(number + 1)},
            },
        )
    found = []

    def look():
        found.extend(json.loads(message["Body"])["of"]["kind"] for message in queue.receive(wait=0))
        return sorted(found)

    assert wait_for(look, lambda seen: len(seen) >= len(wanted)) == wanted


def test_what_is_no_filter_policy_is_refused(sns):
    def subscribe(policy, **more):
        attributes = {"FilterPolicy": json.dumps(policy), **more}
        return refusal(sns.subscribe, TopicArn=TOPIC, Protocol="sms", Endpoint="+1555", Attributes=attributes)[1]

    prefix = "Invalid parameter: Attributes Reason: FilterPolicy: "
    assert subscribe({"a": [{"numeric": [">", 3, "<", 1]}]}) == prefix + "Bottom must be less than top"
    assert subscribe({"a": []}) == prefix + "Empty arrays are not allowed"
    assert subscribe({"a": [{"anything-but": {"suffix": "x"}}]}) == prefix + "Unsupported anything-but pattern: suffix"
    assert subscribe({str(n): ["v"] for n in range(6)}) == prefix + "Filter policy can not have more than 5 keys"
    assert subscribe({"a": [str(n) for n in range(151)]}) == prefix + "Filter policy is too complex"
    nested = "Invalid parameter: Filter policy scope MessageAttributes does not support nested filter policy"
    assert subscribe({"a": {"b": ["c"]}}) == nested
    assert subscribe({"a": ["b"]}, FilterPolicyScope="Body").startswith("Invalid parameter: Attributes Reason: ")


def test_messages_that_are_none_are_refused(sns):
    def publish(**arguments):
        return refusal(sns.publish, **{"TopicArn": TOPIC, "Message": "m", **arguments})[1]

    assert publish(Message="") == "Invalid parameter: Empty message"
    assert publish(Subject="") == "Invalid parameter: Subject"
    assert publish(Message="x" * 262145) == "Invalid parameter: Message too long"
    assert publish(TopicArn=TOPIC + "x") == "Topic does not exist"
    assert publish(TopicArn="t") == "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1"
    assert publish(Message='{"sqs": "m"}', MessageStructure="json") == (
        "Invalid parameter: Message Structure - No default entry in JSON message body"
    )
    assert publish(MessageAttributes={"a": {"DataType": "String", "StringValue": ""}}).startswith(
        "The message attribute 'a' must contain non-empty message attribute value"
    )
    assert publish(MessageDeduplicationId="d").startswith("Invalid parameter: MessageDeduplicationId Reason: ")


def test_a_batch_is_published_in_order_or_not_at_all(server, sns):
    queue = Queue(server)
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=queue.arn, Attributes={"RawMessageDelivery": "TrUe"})
    bad = {"Id": "bad", "Message": "m", "Subject": "two\nlines"}
    assert refusal(sns.publish_batch, TopicArn=TOPIC, PublishBatchRequestEntries=[{"Id": "a", "Message": "m"}, bad]) == (
        "InvalidParameter", "Invalid parameter: Subject",
    )
    forms = json.dumps({"default": "d", "sqs": "for queues"})
    entries = [{"Id": "a", "Message": forms, "MessageStructure": "json"}, {"Id": "b", "Message": "for all"}]
    answer = sns.publish_batch(TopicArn=TOPIC, PublishBatchRequestEntries=entries)
    assert ([done["Id"] for done in answer["Successful"]], answer["Failed"]) == (["a", "b"], [])
    bodies = []

    def look():
        bodies.extend(message["Body"] for message in queue.receive(wait=0))
        return bodies

    assert wait_for(look, lambda seen: len(seen) == 2) == ["for queues", "for all"]
    eleven = [{"Id": str(n), "Message": "m"} for n in range(11)]
    assert refusal(sns.publish_batch, TopicArn=TOPIC, PublishBatchRequestEntries=eleven)[0] == (
        "TooManyEntriesInBatchRequest"
    )


def test_a_function_gets_the_event(server, sns):
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", "import json\ndef handler(event, context):\n    print('GOT ' + json.dumps(event))\n")
    functions, logs = server.client("lambda"), server.client("logs")
    function = functions.create_function(
        FunctionName="f", Runtime=PYTHON, Handler="index.handler", Role=ROLE, Code={"ZipFile": code.getvalue()},
    )["FunctionArn"]
    functions.add_permission(
        FunctionName="f", StatementId="sns", Action="lambda:InvokeFunction", Principal="sns.amazonaws.com", SourceArn=TOPIC
    )
    subscription = sns.subscribe(TopicArn=TOPIC, Protocol="lambda", Endpoint=function)["SubscriptionArn"]
    sns.publish(TopicArn=TOPIC, Message="m", MessageAttributes={"a": {"DataType": "Number", "StringValue": "1"}})

    def look():
        try:
            events = logs.filter_log_events(logGroupName="/aws/lambda/f", filterPattern="GOT")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [json.loads(event["message"].split("GOT ", 1)[1]) for event in events]

    [event] = wait_for(look, seconds=30)
    [record] = event["Records"]
    assert (record["EventSource"], record["EventSubscriptionArn"]) == ("aws:sns", subscription)
    assert (record["Sns"]["Message"], record["Sns"]["Subject"], record["Sns"]["TopicArn"]) == ("m", None, TOPIC)
    assert record["Sns"]["MessageAttributes"] == {"a": {"Type": "Number", "Value": "1"}}


def test_a_queue_must_let_the_topic_in(start):
    server = start("--iam", "enforce", "--clock", "frozen=2026-03-02T12:00:00Z")
    sns = server.client("sns")
    sns.create_topic(Name="t")
    closed, open_, dead = Queue(server, "closed", allowed=False), Queue(server, "open"), Queue(server, "dead")
    for queue in [closed, open_]:
        redrive = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead.arn})}
        sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=queue.arn, Attributes=redrive)
    sns.publish(TopicArn=TOPIC, Message="m")
    server.admin("POST", "clock/advance", {"seconds": 1})
    assert [len(queue.receive(wait=0)) for queue in [closed, open_, dead]] == [0, 1, 1]


class Endpoint(HTTPServer):
    """A server outside, which notes what it is asked."""

    def __init__(self, *statuses):
        endpoint = self
        self.seen, self.statuses = [], list(statuses)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                endpoint.seen.append((dict(self.headers), body))
                self.send_response(endpoint.statuses.pop(0) if endpoint.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/inbox"
        threading.Thread(target=self.serve_forever, daemon=True).start()


def test_an_http_endpoint_confirms_and_is_tried_again(start):
    server = start("--reach", "127.0.0.1", "--clock", "frozen=2026-03-02T12:00:00Z")
    sns, endpoint = server.client("sns"), Endpoint(200, 500, 503)
    sns.create_topic(Name="t")
    assert sns.subscribe(TopicArn=TOPIC, Protocol="http", Endpoint=endpoint.url)["SubscriptionArn"] == "pending confirmation"
    server.admin("POST", "clock/advance", {"seconds": 1})
    headers, body = endpoint.seen[0]
    headers, body = {name.lower(): value for name, value in headers.items()}, json.loads(body)
    assert headers["x-amz-sns-message-type"] == body["Type"] == "SubscriptionConfirmation"
    assert headers["content-type"] == "text/plain; charset=UTF-8"
    sns.publish(TopicArn=TOPIC, Message="too early")
    confirmed = urllib.request.urlopen(body["SubscribeURL"], timeout=10).read().decode()
    assert f"<SubscriptionArn>{TOPIC}:" in confirmed
    [subscription] = sns.list_subscriptions()["Subscriptions"]
    attributes = sns.get_subscription_attributes(SubscriptionArn=subscription["SubscriptionArn"])["Attributes"]
    assert (attributes["PendingConfirmation"], attributes["ConfirmationWasAuthenticated"]) == ("false", "false")
    assert json.loads(attributes["EffectiveDeliveryPolicy"])["healthyRetryPolicy"]["numRetries"] == 3
    sns.publish(TopicArn=TOPIC, Message="m")
    server.admin("POST", "clock/advance", {"seconds": 1})
    assert len(endpoint.seen) == 2
    server.admin("POST", "clock/advance", {"seconds": 45})
    assert len(endpoint.seen) == 4, "after 20 and 40 seconds"
    assert [json.loads(body)["Message"] for _, body in endpoint.seen[1:]] == ["m", "m", "m"]
    server.admin("POST", "clock/advance", {"seconds": 3600})
    assert len(endpoint.seen) == 4


def test_a_link_unsubscribes_and_another_restores(start):
    server = start("--reach", "127.0.0.1", "--clock", "frozen=2026-03-02T12:00:00Z")
    sns, endpoint, dead = server.client("sns"), Endpoint(), Queue(server, "dead")
    sns.create_topic(Name="t")
    arn = sns.subscribe(
        TopicArn=TOPIC, Protocol="http", Endpoint=endpoint.url, ReturnSubscriptionArn=True,
        Attributes={"RawMessageDelivery": "true", "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead.arn})},
    )["SubscriptionArn"]

    def visit(url):
        try:
            return urllib.request.urlopen(url, timeout=10).read().decode()
        except urllib.error.HTTPError as refused:
            return refused.read().decode()

    def seen():
        server.admin("POST", "clock/advance", {"seconds": 1})
        return endpoint.seen[-1]

    question = json.loads(seen()[1])
    base, query = question["SubscribeURL"].split("?")
    assert "Invalid parameter: Topic<" in visit(f"{base}?{query.replace('us-east-1', 'eu-west-1')}")
    assert "Invalid parameter: Topic<" in visit(f"{base}?Action=ConfirmSubscription&TopicArn=none&Token={question['Token']}")
    assert "Invalid parameter: Token<" in visit(f"{base}?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=abc123")
    for topic in [TOPIC, TOPIC[:-1] + "x", TOPIC]:
        told = visit(f"{base}?Action=ConfirmSubscription&TopicArn={topic}&Token={question['Token']}")
        assert f"<SubscriptionArn>{arn}<" in told, "the token alone counts, as often as it comes"
    sns.publish(TopicArn=TOPIC, Message="m")
    headers, body = seen()
    headers = {name.lower(): value for name, value in headers.items()}
    assert (body, headers["x-amz-sns-rawdelivery"], headers["x-amz-sns-subscription-arn"]) == ("m", "true", arn)
    assert headers["connection"].lower() == "keep-alive"
    assert "UnsubscribeResponse" in visit(f"{base}?Action=Unsubscribe&SubscriptionArn={arn}")
    headers, body = seen()
    farewell = json.loads(body)
    assert {name.lower(): value for name, value in headers.items()}["x-amz-sns-message-type"] == "UnsubscribeConfirmation"
    assert (farewell["Type"], farewell["Message"].split(".")[0]) == (
        "UnsubscribeConfirmation", f"You have chosen to deactivate subscription {arn}",
    )
    assert sns.list_subscriptions()["Subscriptions"] == []
    assert f"<SubscriptionArn>{arn}<" in visit(farewell["SubscribeURL"])
    sns.publish(TopicArn=TOPIC, Message="again")
    assert seen()[1] == "again"
    sns.unsubscribe(SubscriptionArn=arn)
    assert seen()[1] == "again", "the owner knows what he does"
    assert "Invalid parameter: Token<" in visit(question["SubscribeURL"])
    assert dead.receive(wait=0) == []


def test_a_subscription_that_nobody_confirms_goes_after_two_days(start):
    server = start("--clock", "frozen=2026-03-02T12:00:00Z")
    sns = server.client("sns")
    sns.create_topic(Name="t")
    for address in ["a@example.com", "b@example.com"]:
        sns.subscribe(TopicArn=TOPIC, Protocol="email", Endpoint=address)
    server.admin("POST", "clock/advance", {"seconds": 47 * 3600})
    assert [one["SubscriptionArn"] for one in sns.list_subscriptions()["Subscriptions"]] == ["PendingConfirmation"] * 2
    server.admin("POST", "clock/advance", {"seconds": 3600})
    assert sns.list_subscriptions()["Subscriptions"] == []


def test_what_became_of_deliveries_is_logged(start):
    server = start("--iam", "enforce", "--reach", "127.0.0.1", "--clock", "frozen=2026-03-02T12:00:00Z")
    iam, sns, logs = (server.client(service) for service in ["iam", "sns", "logs"])
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    role = iam.create_role(RoleName="feedback", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", **trust}))
    may = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]}
    iam.put_role_policy(RoleName="feedback", PolicyName="p", PolicyDocument=json.dumps(may))
    sns.create_topic(Name="t", Attributes={"HTTPFailureFeedbackRoleArn": role["Role"]["Arn"]})
    queue, endpoint = Queue(server), Endpoint(200, 404)
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=queue.arn)
    sns.publish(TopicArn=TOPIC, Message="not logged")
    for name, value in [("SQSSuccessFeedbackRoleArn", role["Role"]["Arn"]), ("SQSSuccessFeedbackSampleRate", "100")]:
        sns.set_topic_attributes(TopicArn=TOPIC, AttributeName=name, AttributeValue=value)
        assert sns.get_topic_attributes(TopicArn=TOPIC)["Attributes"][name] == value
    sns.subscribe(TopicArn=TOPIC, Protocol="http", Endpoint=endpoint.url)
    server.admin("POST", "clock/advance", {"seconds": 1})
    urllib.request.urlopen(json.loads(endpoint.seen[0][1])["SubscribeURL"], timeout=10)
    sent = sns.publish(TopicArn=TOPIC, Message="m")["MessageId"]
    server.admin("POST", "clock/advance", {"seconds": 1})

    def lines(group):
        [stream] = logs.describe_log_streams(logGroupName=group)["logStreams"]
        events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
        return [json.loads(event["message"]) for event in events]

    [line] = lines(f"sns/us-east-1/{ACCOUNT}/t")
    assert line["notification"] == {
        "messageMD5Sum": hashlib.md5(b"m").hexdigest(), "messageId": sent, "topicArn": TOPIC,
        "timestamp": "2026-03-02 12:00:01.000",
    }
    assert (line["status"], line["delivery"]["destination"], line["delivery"]["statusCode"]) == ("SUCCESS", queue.arn, 200)
    found = [message["MessageId"] for message in queue.receive(wait=0)]
    assert len(found) == 2 and json.loads(line["delivery"]["providerResponse"])["sqsMessageId"] in found
    [line] = lines(f"sns/us-east-1/{ACCOUNT}/t/Failure")
    assert (line["status"], line["delivery"]["destination"], line["delivery"]["statusCode"]) == ("FAILURE", endpoint.url, 404)
    assert refusal(
        sns.set_topic_attributes, TopicArn=TOPIC, AttributeName="LambdaSuccessFeedbackSampleRate", AttributeValue="101"
    ) == ("InvalidParameter", "Invalid parameter: LambdaSuccessFeedbackSampleRate")


def test_a_trace_goes_along(server, sns):
    header = "Root=1-3152b799-8954dae64eda91bc9a23a7e8;Parent=7fa8c0f79203be72;Sampled=1"
    queue = Queue(server)
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=queue.arn)
    for client in [sns, queue.sqs]:
        client.meta.events.register("before-send", lambda request, **_: request.headers.update({"X-Amzn-Trace-Id": header}))
    sns.publish(TopicArn=TOPIC, Message="m")
    [message] = wait_for(lambda: queue.receive(wait=1))
    assert message["Attributes"]["AWSTraceHeader"] == header
    queue.sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"])
    queue.sqs.send_message(QueueUrl=queue.url, MessageBody="m")
    assert queue.receive(wait=0)[0]["Attributes"]["AWSTraceHeader"] == header


def test_a_fifo_topic_keeps_order_and_knows_what_it_has_seen(server):
    sns = server.client("sns")
    topic = sns.create_topic(
        Name="t.fifo", Attributes={"FifoTopic": "true", "ContentBasedDeduplication": "true"}
    )["TopicArn"]
    queue = Queue(server, "q.fifo", topic, FifoQueue="true")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes={"RawMessageDelivery": "true"})
    first = sns.publish(TopicArn=topic, Message="0", MessageGroupId="g")
    for text in ["0", "1", "2", "3"]:
        again = sns.publish(TopicArn=topic, Message=text, MessageGroupId="g")
        if text == "0":
            assert (again["MessageId"], again["SequenceNumber"]) == (first["MessageId"], first["SequenceNumber"])
    found = []

    def look():
        for message in queue.receive(wait=0):
            found.append(message["Body"])
            queue.sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"])
        return found

    assert wait_for(look, lambda seen: len(seen) == 4) == ["0", "1", "2", "3"]
    assert refusal(sns.publish, TopicArn=topic, Message="m")[1] == (
        "Invalid parameter: The MessageGroupId parameter is required for FIFO topics"
    )


def test_what_there_is_not_is_refused_by_name(sns):
    code, message = refusal(sns.subscribe, TopicArn=TOPIC, Protocol="firehose", Endpoint="arn:aws:firehose:::x")
    assert (code, "firehose" in message) == ("NotImplemented", True)
    code, message = refusal(
        sns.set_topic_attributes, TopicArn=TOPIC, AttributeName="FirehoseSuccessFeedbackRoleArn", AttributeValue=ROLE
    )
    assert (code, "FirehoseSuccessFeedbackRoleArn" in message) == ("NotImplemented", True)


def test_the_command_line_publishes(server, sns):
    queue = Queue(server)
    server.aws("sns", "subscribe", "--topic-arn", TOPIC, "--protocol", "sqs", "--notification-endpoint", queue.arn)
    shown = json.loads(server.aws("sns", "publish", "--topic-arn", TOPIC, "--message", "from the command line"))
    [body] = queue.bodies()
    assert (body["MessageId"], body["Message"]) == (shown["MessageId"], "from the command line")
    error = server.aws("sns", "publish", "--topic-arn", TOPIC + "x", "--message", "m", fails=True)
    assert "An error occurred (NotFound) when calling the Publish operation: Topic does not exist" in error


def test_a_stack_has_topics_and_subscriptions(server):
    template = {
        "Resources": {
            "Queue": {"Type": "AWS::SQS::Queue"},
            "Topic": {
                "Type": "AWS::SNS::Topic",
                "Properties": {"Subscription": [{"Protocol": "sms", "Endpoint": "+1555"}], "DisplayName": "News"},
            },
            "Subscription": {
                "Type": "AWS::SNS::Subscription",
                "Properties": {
                    "TopicArn": {"Ref": "Topic"}, "Protocol": "sqs", "Endpoint": {"Fn::GetAtt": ["Queue", "Arn"]},
                    "FilterPolicy": {"a": ["b"]}, "RawMessageDelivery": True,
                },
            },
            "Policy": {
                "Type": "AWS::SNS::TopicPolicy",
                "Properties": {"Topics": [{"Ref": "Topic"}], "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
                                   "Action": "sns:Publish", "Resource": {"Ref": "Topic"}}],
                }},
            },
        },
        "Outputs": {"Topic": {"Value": {"Ref": "Topic"}}},
    }
    stacks, sns = server.client("cloudformation"), server.client("sns")

    def deployed(how, **waiter):
        how(StackName="s", TemplateBody=json.dumps(template))
        stacks.get_waiter(waiter["of"]).wait(StackName="s", WaiterConfig={"Delay": 0.1, "MaxAttempts": 100})
        return stacks.describe_stacks(StackName="s")["Stacks"][0]["Outputs"][0]["OutputValue"]

    topic = deployed(stacks.create_stack, of="stack_create_complete")
    listed = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert sorted(s["Protocol"] for s in listed) == ["sms", "sqs"]
    [to_queue] = [s["SubscriptionArn"] for s in listed if s["Protocol"] == "sqs"]
    assert sns.get_subscription_attributes(SubscriptionArn=to_queue)["Attributes"]["FilterPolicy"] == '{"a":["b"]}'
    attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert (attributes["DisplayName"], "s3.amazonaws.com" in attributes["Policy"]) == ("News", True)
    del template["Resources"]["Policy"], template["Resources"]["Topic"]["Properties"]["DisplayName"]
    template["Resources"]["Topic"]["Properties"]["Subscription"] = []
    assert deployed(stacks.update_stack, of="stack_update_complete") == topic
    attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert (attributes["DisplayName"], "AWS:SourceOwner" in attributes["Policy"]) == ("", True)
    assert [s["Protocol"] for s in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]] == ["sqs"]
    stacks.delete_stack(StackName="s")
    stacks.get_waiter("stack_delete_complete").wait(StackName="s", WaiterConfig={"Delay": 0.1, "MaxAttempts": 100})
    assert sns.list_topics()["Topics"] == []


def test_a_message_that_a_data_protection_policy_may_be_about_is_refused_by_name(sns):
    def policy(*identifiers, operation="Deny"):
        statement = {"DataDirection": "Inbound", "Principal": ["*"], "DataIdentifier": list(identifiers), "Operation": {operation: {}}}
        return json.dumps({"Name": "p", "Version": "2021-06-01", "Statement": [statement]})

    def put(text):
        sns.put_data_protection_policy(ResourceArn=TOPIC, DataProtectionPolicy=text)

    email, card = (f"arn:aws:dataprotection::aws:data-identifier/{name}" for name in ("EmailAddress", "CreditCardNumber"))
    assert "DataProtectionPolicy" not in sns.get_data_protection_policy(ResourceArn=TOPIC)
    for wrong in ("{", policy(), policy(email, operation="Allow")):
        assert refusal(put, text=wrong)[0] == "InvalidParameter"
    put(policy(email))
    assert sns.get_data_protection_policy(ResourceArn=TOPIC)["DataProtectionPolicy"] == policy(email)
    assert "DataProtectionPolicy" not in sns.get_topic_attributes(TopicArn=TOPIC)["Attributes"]
    sns.publish(TopicArn=TOPIC, Message="nobody's")
    code, words = refusal(sns.publish, TopicArn=TOPIC, Message="me@example.com")
    assert code == "NotImplemented" and email in words
    hidden = json.dumps({"default": "nobody's", "sqs": "me@example.com"}).replace("@", "\\u0040")
    assert refusal(sns.publish, TopicArn=TOPIC, Message=hidden, MessageStructure="json")[0] == "NotImplemented"
    entries = [{"Id": "a", "Message": "nobody's"}, {"Id": "b", "Message": "me@example.com"}]
    assert refusal(sns.publish_batch, TopicArn=TOPIC, PublishBatchRequestEntries=entries)[0] == "NotImplemented"
    put(policy(card))
    assert refusal(sns.publish, TopicArn=TOPIC, Message="nobody's")[0] == "NotImplemented"
    put("")
    sns.publish(TopicArn=TOPIC, Message="me@example.com")
