"""SQS with boto3, the AWS CLI, and the query protocol as old clients speak it."""

import hashlib
import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"
OTHER = "210987654321"
NAMESPACE = "{http://queue.amazonaws.com/doc/2012-11-05/}"


@pytest.fixture
def sqs(server):
    return server.client("sqs")


def create(sqs, name, **attributes):
    return sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]


def receive(sqs, url, **settings):
    """Up to ten messages."""
    return sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, **settings).get("Messages", [])


def bodies(messages):
    return [message["Body"] for message in messages]


def counts(sqs, url):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]
    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return tuple(int(told[name]) for name in names)


def code(failed):
    return failed.value.response["Error"]["Code"]


def query(url, **parameters):
    """Posts a form, as the query protocol has it: the status and the document."""
    form = urllib.parse.urlencode({"Version": "2012-11-05", **parameters}).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=form), timeout=30) as answer:
            return answer.status, ElementTree.fromstring(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, ElementTree.fromstring(error.read())


def texts(document, name):
    return [element.text for element in document.iter(NAMESPACE + name)]


def test_a_message_is_sent_received_hidden_and_deleted(sqs, server):
    url = create(sqs, "q", VisibilityTimeout="1")
    assert url == f"{server.url}/{ACCOUNT}/q", "a client on this machine reaches it"
    attributes = {
        "kind": {"DataType": "String", "StringValue": "pix"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    # boto3 checks the digests of both.
    sent = sqs.send_message(QueueUrl=url, MessageBody="hello", MessageAttributes=attributes)
    [message] = receive(sqs, url, AttributeNames=["All"], MessageAttributeNames=["All"])
    assert (message["MessageId"], message["Body"]) == (sent["MessageId"], "hello")
    assert message["MessageAttributes"]["raw"]["BinaryValue"] == b"\x00\xff"
    assert message["Attributes"]["SenderId"] == ACCOUNT
    assert counts(sqs, url) == (0, 1, 0)
    [again] = receive(sqs, url, WaitTimeSeconds=5, MessageSystemAttributeNames=["ApproximateReceiveCount"])
    assert again["Attributes"] == {"ApproximateReceiveCount": "2"}
    sqs.delete_message(QueueUrl=url, ReceiptHandle=again["ReceiptHandle"])
    assert counts(sqs, url) == (0, 0, 0)


def test_a_long_poll_ends_when_a_message_comes(sqs):
    url = create(sqs, "q")
    sender = threading.Timer(0.3, lambda: sqs.send_message(QueueUrl=url, MessageBody="x"))
    begun = time.monotonic()
    sender.start()
    assert bodies(receive(sqs, url, WaitTimeSeconds=10)) == ["x"]
    assert time.monotonic() - begun < 5
    sender.join()
    begun = time.monotonic()
    assert receive(sqs, url, WaitTimeSeconds=1) == []
    assert time.monotonic() - begun >= 0.9


def test_a_fifo_queue_keeps_order_and_drops_what_it_knows(sqs):
    url = create(sqs, "q.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    sent = [sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId="g") for body in ["1", "2", "1"]]
    assert sent[0]["SequenceNumber"] == sent[2]["SequenceNumber"] < sent[1]["SequenceNumber"]
    sqs.send_message(QueueUrl=url, MessageBody="other", MessageGroupId="h")
    first = sqs.receive_message(QueueUrl=url)["Messages"][0]
    assert first["Body"] == "1"
    assert bodies(receive(sqs, url)) == ["other"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
    assert bodies(receive(sqs, url)) == ["2"]


def test_batches_succeed_and_fail_by_entry(sqs):
    url = create(sqs, "q")
    entries = [{"Id": "a", "MessageBody": "x"}, {"Id": "b", "MessageBody": "y", "DelaySeconds": 1000}]
    sent = sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert [entry["Id"] for entry in sent["Successful"]] == ["a"]
    assert [(entry["Id"], entry["Code"], entry["SenderFault"]) for entry in sent["Failed"]] == [
        ("b", "InvalidParameterValue", True)
    ]
    [message] = receive(sqs, url)
    changed = sqs.change_message_visibility_batch(
        QueueUrl=url, Entries=[{"Id": "a", "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}]
    )
    assert changed["Successful"] == [{"Id": "a"}] and "Failed" not in changed
    [message] = receive(sqs, url)
    deleted = sqs.delete_message_batch(
        QueueUrl=url,
        Entries=[{"Id": "a", "ReceiptHandle": message["ReceiptHandle"]}, {"Id": "b", "ReceiptHandle": "none"}],
    )
    assert [entry["Code"] for entry in deleted["Failed"]] == ["ReceiptHandleIsInvalid"]
    with pytest.raises(sqs.exceptions.EmptyBatchRequest):
        sqs.send_message_batch(QueueUrl=url, Entries=[])


def test_a_queue_is_encrypted_in_one_way(sqs):
    url = create(sqs, "q")
    both = {"KmsMasterKeyId": "alias/aws/sqs", "SqsManagedSseEnabled": "true"}
    for call, of in [(sqs.set_queue_attributes, {"QueueUrl": url}), (sqs.create_queue, {"QueueName": "other"})]:
        with pytest.raises(ClientError, match="You can use one type of server-side encryption") as failed:
            call(Attributes=both, **of)
        assert code(failed) == "InvalidAttributeName"
    told = lambda: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": "alias/aws/sqs"})
    assert (told()["KmsMasterKeyId"], told()["SqsManagedSseEnabled"]) == ("alias/aws/sqs", "false")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"SqsManagedSseEnabled": "true"})
    assert "KmsMasterKeyId" not in told() and told()["SqsManagedSseEnabled"] == "true"


def test_the_dead_are_moved_and_moved_back(sqs):
    dead = create(sqs, "dead")
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
    url = create(sqs, "q", VisibilityTimeout="0", RedrivePolicy=policy)
    sqs.send_message(QueueUrl=url, MessageBody="poison")
    assert bodies(receive(sqs, url)) == ["poison"]
    assert receive(sqs, url) == []
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [url]
    [message] = receive(sqs, dead, AttributeNames=["All"], VisibilityTimeout=0)
    assert message["Attributes"]["DeadLetterQueueSourceArn"] == f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"
    sqs.start_message_move_task(SourceArn=arn)
    deadline = time.monotonic() + 10
    while sqs.list_message_move_tasks(SourceArn=arn)["Results"][0]["Status"] != "COMPLETED":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert (counts(sqs, url), counts(sqs, dead)) == ((1, 0, 0), (0, 0, 0))


def test_another_account_may_what_the_policy_says(start):
    server = start("--iam", "enforce")
    sqs, stranger = server.client("sqs"), server.client("sqs", key=OTHER)
    url = create(sqs, "q")
    with pytest.raises(ClientError) as denied:
        stranger.send_message(QueueUrl=url, MessageBody="x")
    assert code(denied) == "AccessDenied"
    sqs.add_permission(QueueUrl=url, Label="in", AWSAccountIds=[OTHER], Actions=["SendMessage", "GetQueueUrl"])
    assert stranger.get_queue_url(QueueName="q", QueueOwnerAWSAccountId=ACCOUNT)["QueueUrl"] == url
    stranger.send_message(QueueUrl=url, MessageBody="x")
    assert bodies(receive(sqs, url)) == ["x"]
    with pytest.raises(ClientError) as denied:
        receive(stranger, url)
    assert code(denied) == "AccessDenied"
    sqs.remove_permission(QueueUrl=url, Label="in")
    with pytest.raises(ClientError):
        stranger.send_message(QueueUrl=url, MessageBody="x")


def test_the_query_protocol_reads_and_writes_what_json_does(sqs, server):
    status, created = query(
        server.url,
        Action="CreateQueue",
        QueueName="q",
        **{"Attribute.1.Name": "VisibilityTimeout", "Attribute.1.Value": "7", "Tag.1.Key": "k", "Tag.1.Value": "v"},
    )
    [url] = texts(created, "QueueUrl")
    assert (status, created.tag) == (200, f"{NAMESPACE}CreateQueueResponse")
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"k": "v"}
    message = {
        "SendMessageBatchRequestEntry.1.Id": "a",
        "SendMessageBatchRequestEntry.1.MessageBody": "hello <you> & me",
        "SendMessageBatchRequestEntry.1.MessageAttribute.1.Name": "n",
        "SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.DataType": "Number",
        "SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.StringValue": "5",
    }
    # At the queue's own URL, which stands for the parameter QueueUrl.
    _, sent = query(url, Action="SendMessageBatch", **message)
    assert texts(sent, "MD5OfMessageBody") == [hashlib.md5(b"hello <you> & me").hexdigest()]
    status, received = query(
        server.url,
        Action="ReceiveMessage",
        QueueUrl=url,
        **{"AttributeName.1": "All", "MessageAttributeName.1": "All"},
    )
    assert texts(received, "Body") == ["hello <you> & me"]
    entry = received.find(f".//{NAMESPACE}MessageAttribute")
    assert (entry.findtext(f"{NAMESPACE}Name"), entry.findtext(f".//{NAMESPACE}StringValue")) == ("n", "5")
    [handle] = texts(received, "ReceiptHandle")
    status, deleted = query(url, Action="DeleteMessage", ReceiptHandle=handle)
    assert (status, deleted.tag) == (200, f"{NAMESPACE}DeleteMessageResponse")
    _, told = query(url, Action="GetQueueAttributes", **{"AttributeName.1": "VisibilityTimeout"})
    assert texts(told, "Value") == ["7"]
    _, empty = query(url, Action="ReceiveMessage")
    assert list(empty.find(f"{NAMESPACE}ReceiveMessageResult")) == []


def test_errors_have_the_names_of_their_protocol(sqs, server):
    with pytest.raises(sqs.exceptions.QueueDoesNotExist) as missing:
        sqs.get_queue_url(QueueName="none")
    assert missing.value.response["Error"] == {
        "Message": "The specified queue does not exist.",
        "Code": "AWS.SimpleQueueService.NonExistentQueue",
        "QueryErrorCode": "QueueDoesNotExist",
        "Type": "Sender",
    }
    status, document = query(server.url, Action="GetQueueUrl", QueueName="none")
    assert status == 400
    assert texts(document, "Code") == ["AWS.SimpleQueueService.NonExistentQueue"]
    assert texts(document, "Message") == ["The specified queue does not exist for this wsdl version."]
    url = create(sqs, "q")
    for parameters, expected in [
        ({"MaxNumberOfMessages": 11}, "InvalidParameterValue"),
        ({"WaitTimeSeconds": 21}, "InvalidParameterValue"),
    ]:
        with pytest.raises(ClientError) as refused:
            sqs.receive_message(QueueUrl=url, **parameters)
        status, document = query(url, Action="ReceiveMessage", **parameters)
        assert (code(refused), texts(document, "Code")) == (expected, [expected])
    _, document = query(url, Action="SendMessage")
    assert texts(document, "Code") == ["MissingParameter"]
    _, document = query(url, Action="ListQueues")
    assert texts(document, "Code") == ["InvalidAction"]
    _, document = query(url, Action="FooBar")
    assert texts(document, "Message") == ["The action FooBar is not valid for this endpoint."]
    # A queue's address may be asked for another's.
    other = create(sqs, "other")
    _, document = query(url, Action="GetQueueUrl", QueueName="other")
    assert texts(document, "QueueUrl") == [other]


def test_who_accepts_json_gets_json_of_the_query_protocol(sqs, server):
    def ask(url, **parameters):
        address = f"{url}?{urllib.parse.urlencode({'Version': '2012-11-05', **parameters})}"
        try:
            with urllib.request.urlopen(urllib.request.Request(address, headers={"Accept": "application/json"}), timeout=30) as answer:
                return answer.headers["Content-Type"], json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    url = create(sqs, "q")
    kind, sent = ask(url, Action="SendMessage", MessageBody="hello")
    assert (kind, list(sent["SendMessageResponse"])) == ("application/json", ["ResponseMetadata", "SendMessageResult"])
    assert sent["SendMessageResponse"]["SendMessageResult"]["SequenceNumber"] is None
    _, received = ask(url, Action="ReceiveMessage")
    (message,) = received["ReceiveMessageResponse"]["ReceiveMessageResult"]["messages"]
    assert (message["Body"], message["Attributes"]) == ("hello", None)
    _, told = ask(url, **{"Action": "GetQueueAttributes", "AttributeName.1": "DelaySeconds"})
    assert told["GetQueueAttributesResponse"]["GetQueueAttributesResult"] == {"Attributes": [{"Name": "DelaySeconds", "Value": "0"}]}
    _, listed = ask(f"{server.url}/", Action="ListQueues")
    assert listed["ListQueuesResponse"]["ListQueuesResult"] == {"NextToken": None, "queueUrls": [url]}
    status, refused = ask(url, Action="FooBar")
    assert (status, refused["Error"]["Code"], refused["Error"]["Type"]) == (400, "InvalidAction", "Sender")


def test_the_command_line_sends_and_receives(server):
    url = json.loads(server.aws("sqs", "create-queue", "--queue-name", "cli"))["QueueUrl"]
    server.aws("sqs", "send-message", "--queue-url", url, "--message-body", "from the shell")
    shown = json.loads(server.aws("sqs", "receive-message", "--queue-url", url))
    assert shown["Messages"][0]["Body"] == "from the shell"
    listed = json.loads(server.aws("sqs", "list-queues", "--queue-name-prefix", "cl"))
    assert listed["QueueUrls"] == [url]
    error = server.aws("sqs", "purge-queue", "--queue-url", url + "x", fails=True)
    assert "(AWS.SimpleQueueService.NonExistentQueue)" in error
