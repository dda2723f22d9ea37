"""S3's event notifications: who is told what, and what AWS refuses, with boto3."""

import io
import json
import time
import zipfile

import pytest
from botocore.exceptions import ClientError
from conftest import ACCOUNT

QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:told"


@pytest.fixture
def queue(server):
    sqs = server.client("sqs")
    url = sqs.create_queue(QueueName="told")["QueueUrl"]

    def records(count):
        """The records of so many messages."""
        found = []
        end = time.monotonic() + 20
        while len(found) < count and time.monotonic() < end:
            for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1, MaxNumberOfMessages=10).get("Messages", []):
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                found += json.loads(message["Body"]).get("Records", [json.loads(message["Body"])])
        assert len(found) == count, found
        return found

    return records


def to_queue(*events, **more):
    return {"QueueConfigurations": [{"Id": "q", "QueueArn": QUEUE, "Events": list(events), **more}]}


def refusal(call, **arguments):
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return refused.value.response["Error"]


def test_a_queue_is_told_of_everything(s3, queue):
    s3.put_bucket_notification_configuration(
        Bucket="things", NotificationConfiguration=to_queue("s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectTagging:*")
    )
    [test] = queue(1)
    assert (test["Service"], test["Event"], test["Bucket"]) == ("Amazon S3", "s3:TestEvent", "things")
    s3.put_object(Bucket="things", Key="a b/é@1", Body=b"hello")
    s3.copy_object(Bucket="things", Key="copy", CopySource={"Bucket": "things", "Key": "a b/é@1"})
    s3.put_object_tagging(Bucket="things", Key="copy", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    s3.delete_object(Bucket="things", Key="copy")
    s3.delete_object(Bucket="things", Key="never there")
    told = sorted(queue(4), key=lambda one: one["eventTime"])
    assert [one["eventName"] for one in told] == [
        "ObjectCreated:Put",
        "ObjectCreated:Copy",
        "ObjectTagging:Put",
        "ObjectRemoved:Delete",
    ]
    first = told[0]
    assert (first["eventVersion"], first["eventSource"], first["awsRegion"]) == ("2.1", "aws:s3", "us-east-1")
    assert first["s3"]["configurationId"] == "q"
    assert first["s3"]["bucket"]["arn"] == "arn:aws:s3:::things"
    thing = first["s3"]["object"]
    assert (thing["key"], thing["size"], thing["eTag"]) == ("a+b/%C3%A9%401", 5, "5d41402abc4b2a76b9719d911017c592")
    order = [one["s3"]["object"].get("sequencer") for one in told]
    assert order[0] < order[1] < order[3] and order[2] is None


def test_versions_are_told(s3, queue):
    s3.put_bucket_versioning(Bucket="things", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(
        Bucket="things", NotificationConfiguration=to_queue("s3:ObjectCreated:*", "s3:ObjectRemoved:*")
    )
    queue(1)
    put = s3.put_object(Bucket="things", Key="k")
    marker = s3.delete_object(Bucket="things", Key="k")
    s3.delete_object(Bucket="things", Key="k", VersionId=put["VersionId"])
    order = sorted(queue(3), key=lambda one: one["s3"]["object"]["sequencer"])
    told = [(one["eventName"], one["s3"]["object"]["versionId"]) for one in order]
    assert told == [
        ("ObjectCreated:Put", put["VersionId"]),
        ("ObjectRemoved:DeleteMarkerCreated", marker["VersionId"]),
        ("ObjectRemoved:Delete", put["VersionId"]),
    ]


def test_filters_choose_by_prefix_and_suffix(s3, queue):
    rules = [{"Name": "prefix", "Value": "in/"}, {"Name": "suffix", "Value": ".txt"}]
    s3.put_bucket_notification_configuration(
        Bucket="things", NotificationConfiguration=to_queue("s3:ObjectCreated:Put", Filter={"Key": {"FilterRules": rules}})
    )
    queue(1)
    for key in ["in/a.txt", "in/a.csv", "out/a.txt"]:
        s3.put_object(Bucket="things", Key=key)
    assert [one["s3"]["object"]["key"] for one in queue(1)] == ["in/a.txt"]
    kept = s3.get_bucket_notification_configuration(Bucket="things")["QueueConfigurations"][0]
    assert kept["Filter"]["Key"]["FilterRules"][0] == {"Name": "Prefix", "Value": "in/"}
    s3.put_bucket_notification_configuration(Bucket="things", NotificationConfiguration={})
    assert "QueueConfigurations" not in s3.get_bucket_notification_configuration(Bucket="things")


def test_parts_and_batches_are_told(s3, queue):
    s3.put_bucket_notification_configuration(
        Bucket="things",
        NotificationConfiguration=to_queue("s3:ObjectCreated:CompleteMultipartUpload", "s3:ObjectRemoved:Delete"),
    )
    queue(1)
    upload = s3.create_multipart_upload(Bucket="things", Key="k")["UploadId"]
    etag = s3.upload_part(Bucket="things", Key="k", UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    s3.complete_multipart_upload(Bucket="things", Key="k", UploadId=upload, MultipartUpload=parts)
    s3.put_object(Bucket="things", Key="l")
    s3.delete_objects(Bucket="things", Delete={"Objects": [{"Key": "k"}, {"Key": "l"}]})
    # A standard queue may change the order; the sequencer tells it for each key.
    told = sorted((one["eventName"], one["s3"]["object"]["key"]) for one in queue(3))
    assert told == [
        ("ObjectCreated:CompleteMultipartUpload", "k"),
        ("ObjectRemoved:Delete", "k"),
        ("ObjectRemoved:Delete", "l"),
    ]


def test_destinations_are_validated(s3):
    put = s3.put_bucket_notification_configuration
    error = refusal(put, Bucket="things", NotificationConfiguration=to_queue("s3:ObjectCreated:*"))
    assert error["Message"] == "Unable to validate the following destination configurations"
    assert (error["ArgumentName1"], error["ArgumentValue1"]) == (QUEUE, "The destination queue does not exist")
    put(Bucket="things", NotificationConfiguration=to_queue("s3:ObjectCreated:*"), SkipDestinationValidation=True)
    broken = {"QueueConfigurations": [{"QueueArn": "broken", "Events": ["s3:ObjectCreated:*"]}]}
    error = refusal(put, Bucket="things", NotificationConfiguration=broken, SkipDestinationValidation=True)
    assert (error["Message"], error["ArgumentName"]) == ("The ARN could not be parsed", "Queue")
    function = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:none"
    wanted = {"LambdaFunctionConfigurations": [{"LambdaFunctionArn": function, "Events": ["s3:ObjectCreated:*"]}]}
    error = refusal(put, Bucket="things", NotificationConfiguration=wanted)
    assert error["ArgumentValue1"] == f"Not authorized to invoke function [{function}]"
    twice = to_queue("s3:ObjectCreated:*")
    twice["QueueConfigurations"].append({"Id": "r", "QueueArn": QUEUE, "Events": ["s3:ObjectCreated:Put"]})
    error = refusal(put, Bucket="things", NotificationConfiguration=twice, SkipDestinationValidation=True)
    assert error["Message"].startswith("Configurations overlap.")


def test_a_function_is_invoked(server, s3):
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "import json\ndef handler(event, context):\n    print('TOLD', json.dumps(event))\n")
    functions = server.client("lambda")
    arn = functions.create_function(
        FunctionName="tell",
        Runtime="python3.13",
        Handler="app.handler",
        Role=f"arn:aws:iam::{ACCOUNT}:role/any",
        Code={"ZipFile": code.getvalue()},
        Timeout=30,
    )["FunctionArn"]
    functions.add_permission(
        FunctionName="tell",
        StatementId="s3",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn="arn:aws:s3:::things",
        SourceAccount=ACCOUNT,
    )
    wanted = {"LambdaFunctionConfigurations": [{"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    s3.put_bucket_notification_configuration(Bucket="things", NotificationConfiguration=wanted)
    s3.put_object(Bucket="things", Key="k")
    logs = server.client("logs")
    told, end = [], time.monotonic() + 30
    while not told and time.monotonic() < end:
        time.sleep(0.2)
        try:
            told = logs.filter_log_events(logGroupName="/aws/lambda/tell", filterPattern="TOLD")["events"]
        except ClientError:
            continue
    [record] = json.loads(told[0]["message"].removeprefix("TOLD "))["Records"]
    assert (record["eventName"], record["s3"]["object"]["key"]) == ("ObjectCreated:Put", "k")


def test_a_queue_must_let_s3_send(start):
    server = start("--iam", "enforce")
    s3, sqs = server.client("s3"), server.client("sqs")
    s3.create_bucket(Bucket="things")
    url = sqs.create_queue(QueueName="told")["QueueUrl"]
    put = s3.put_bucket_notification_configuration
    error = refusal(put, Bucket="things", NotificationConfiguration=to_queue("s3:ObjectCreated:*"))
    assert error["ArgumentValue1"].startswith("Permissions on the destination queue do not allow S3")
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": QUEUE,
        "Condition": {
            "ArnLike": {"aws:SourceArn": "arn:aws:s3:::things"},
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
        },
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    put(Bucket="things", NotificationConfiguration=to_queue("s3:ObjectCreated:*"))


def test_event_bridge_needs_no_leave(start):
    server = start("--iam", "enforce")
    s3, sqs, events = server.client("s3"), server.client("sqs"), server.client("events")
    s3.create_bucket(Bucket="things")
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": QUEUE,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    url = sqs.create_queue(QueueName="told", Attributes={"Policy": policy})["QueueUrl"]
    events.put_rule(Name="made", EventPattern=json.dumps({"source": ["aws.s3"], "detail-type": ["Object Created"]}))
    events.put_targets(Rule="made", Targets=[{"Id": "q", "Arn": QUEUE}])
    s3.put_bucket_notification_configuration(
        Bucket="things", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    s3.put_object(Bucket="things", Key="k")
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
    assert json.loads(message["Body"])["detail"]["object"]["key"] == "k"


def test_a_template_connects_bucket_and_queue(server, queue):
    template = {
        "Resources": {
            "Pool": {
                "Type": "AWS::S3::Bucket",
                "Properties": {
                    "BucketName": "pool",
                    "NotificationConfiguration": {
                        "QueueConfigurations": [
                            {
                                "Event": "s3:ObjectCreated:*",
                                "Queue": QUEUE,
                                "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": "in/"}]}},
                            }
                        ]
                    },
                    "CorsConfiguration": {
                        "CorsRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "MaxAge": 60}]
                    },
                    "WebsiteConfiguration": {"IndexDocument": "index.html"},
                },
            },
            "Rules": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {
                    "Bucket": {"Ref": "Pool"},
                    "PolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Effect": "Deny",
                                "Principal": "*",
                                "Action": "s3:DeleteObject",
                                "Resource": {"Fn::Sub": "${Pool.Arn}/*"},
                            }
                        ],
                    },
                },
            },
        }
    }
    stacks = server.client("cloudformation")
    stacks.create_stack(StackName="s", TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_create_complete").wait(StackName="s", WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    s3 = server.client("s3")
    assert s3.get_bucket_cors(Bucket="pool")["CORSRules"][0]["MaxAgeSeconds"] == 60
    assert s3.get_bucket_website(Bucket="pool")["IndexDocument"] == {"Suffix": "index.html"}
    assert "s3:DeleteObject" in s3.get_bucket_policy(Bucket="pool")["Policy"]
    queue(1)
    s3.put_object(Bucket="pool", Key="in/a")
    assert queue(1)[0]["s3"]["object"]["key"] == "in/a"
