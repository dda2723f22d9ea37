"""EventBridge Scheduler (restJson) with boto3 and the AWS CLI."""

import json

import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::123456789012:role/any"
TARGET = {"Arn": "arn:aws:lambda:us-east-1:123456789012:function:f", "RoleArn": ROLE, "Input": "{}"}
OFF = {"Mode": "OFF"}


def test_a_schedule_lives_its_life(server):
    scheduler = server.client("scheduler")
    created = scheduler.create_schedule(
        Name="s", ScheduleExpression="cron(0 0 * * ? *)", FlexibleTimeWindow=OFF, Target=TARGET
    )
    arn = "arn:aws:scheduler:us-east-1:123456789012:schedule/default/s"
    assert created["ScheduleArn"] == arn
    schedule = scheduler.get_schedule(Name="s")
    assert (schedule["State"], schedule["ScheduleExpressionTimezone"]) == ("ENABLED", "UTC")
    assert schedule["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}
    scheduler.update_schedule(
        Name="s", ScheduleExpression="rate(1 hour)", FlexibleTimeWindow=OFF, Target=TARGET, State="DISABLED"
    )
    assert [(s["Name"], s["State"]) for s in scheduler.list_schedules()["Schedules"]] == [("s", "DISABLED")]
    scheduler.delete_schedule(Name="s")
    with pytest.raises(scheduler.exceptions.ResourceNotFoundException) as missing:
        scheduler.get_schedule(Name="s")
    assert missing.value.response["Error"]["Message"] == "Schedule s does not exist."


def test_the_paginator_finds_all(server):
    scheduler = server.client("scheduler")
    for n in range(5):
        scheduler.create_schedule(Name=f"s{n}", ScheduleExpression="rate(1 day)", FlexibleTimeWindow=OFF, Target=TARGET)
    pages = list(scheduler.get_paginator("list_schedules").paginate(PaginationConfig={"PageSize": 2}))
    assert [[s["Name"] for s in page["Schedules"]] for page in pages] == [["s0", "s1"], ["s2", "s3"], ["s4"]]


@pytest.mark.parametrize("expression", ["rate(0 minutes)", "cron(* * * * * *)", "every day"])
def test_an_expression_that_is_none_is_refused(server, expression):
    with pytest.raises(ClientError) as refused:
        server.client("scheduler").create_schedule(
            Name="s", ScheduleExpression=expression, FlexibleTimeWindow=OFF, Target=TARGET
        )
    assert refused.value.response["Error"] == {
        "Code": "ValidationException",
        "Message": f"Invalid Schedule Expression {expression}.",
    }


def test_the_command_line_reads_what_boto3_wrote(server):
    server.client("scheduler").create_schedule(
        Name="s", ScheduleExpression="rate(3 minutes)", FlexibleTimeWindow=OFF, Target=TARGET
    )
    shown = json.loads(server.aws("scheduler", "get-schedule", "--name", "s"))
    assert shown["ScheduleExpression"] == "rate(3 minutes)"
    error = server.aws("scheduler", "get-schedule", "--name", "none", fails=True)
    assert "An error occurred (ResourceNotFoundException) when calling the GetSchedule operation" in error


def test_what_is_not_implemented_says_so(server):
    cases = [
        ("arn:aws:codebuild:us-east-1:123456789012:project/p", "codebuild as the target"),
        ("arn:aws:scheduler:::aws-sdk:codebuild:startBuild", "codebuild as the target"),
        # Of this service something is offered, and not that.
        ("arn:aws:scheduler:::aws-sdk:ec2:startInstances", "ec2:startInstances as the target"),
    ]
    for arn, text in cases:
        with pytest.raises(ClientError) as refused:
            server.client("scheduler").create_schedule(
                Name="s",
                ScheduleExpression="rate(1 day)",
                FlexibleTimeWindow=OFF,
                Target={"Arn": arn, "RoleArn": ROLE},
            )
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
        assert text in str(refused.value)


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ({"Arn": "arn:aws:scheduler:::aws-sdk:sqs:receiveMessage"}, "receiveMessage of sqs is not supported"),
        ({"Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMassage"}, "no action sendMassage"),
        ({"Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", "Input": "{"}, "not a valid JSON document"),
        ({"Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", "Input": '{"X": 1}'}, "there is no parameter X"),
        ({"Arn": "arn:aws:kinesis:us-east-1:123456789012:stream/s"}, "KinesisParameters must be provided"),
    ],
)
def test_a_target_that_is_none_is_refused(server, target, text):
    with pytest.raises(ClientError, match="ValidationException.*" + text):
        server.client("scheduler").create_schedule(
            Name="s", ScheduleExpression="rate(1 day)", FlexibleTimeWindow=OFF, Target={"RoleArn": ROLE, **target}
        )


def test_queues_and_operations_are_invoked(start):
    server = start("--clock", "frozen=2026-03-02T12:00:00Z")
    sqs = server.client("sqs")
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    arn = "arn:aws:sqs:us-east-1:123456789012:q"
    scheduler = server.client("scheduler")

    def schedule(name, arn, input, **more):
        target = {"Arn": arn, "RoleArn": ROLE, "Input": input, **more}
        scheduler.create_schedule(
            Name=name,
            ScheduleExpression="at(2026-03-02T12:05:00)",
            FlexibleTimeWindow=OFF,
            Target=target,
            ActionAfterCompletion="DELETE",
        )

    schedule("plain", arn, "at <aws.scheduler.scheduled-time>")
    send = json.dumps({"QueueUrl": queue, "MessageBody": "universal"})
    schedule("universal", "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", send)
    parameter = json.dumps({"Name": "/made", "Value": "by a schedule", "Type": "String"})
    schedule("parameter", "arn:aws:scheduler:::aws-sdk:ssm:putParameter", parameter)
    schedule(
        "lost",
        "arn:aws:sqs:us-east-1:123456789012:gone",
        "lost",
        DeadLetterConfig={"Arn": arn},
        RetryPolicy={"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 60},
    )
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    server.admin("POST", "clock/advance", {"seconds": 600})
    received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"])["Messages"]
    bodies = {message["Body"]: message for message in received}
    assert set(bodies) == {"at 2026-03-02T12:05:00Z", "universal", "lost"}
    attributes = {name: value["StringValue"] for name, value in bodies["lost"]["MessageAttributes"].items()}
    assert attributes["RETRY_ATTEMPTS"] == "2"
    assert attributes["EXHAUSTED_RETRY_CONDITION"] == "MaximumRetryAttempts"
    assert attributes["TARGET_ARN"].endswith(":gone") and attributes["SCHEDULE_ARN"].endswith("/lost")
    assert server.client("ssm").get_parameter(Name="/made")["Parameter"]["Value"] == "by a schedule"
    assert scheduler.list_schedules()["Schedules"] == []


def test_a_schedule_does_not_begin_long_ago(server):
    with pytest.raises(ClientError, match="cannot be earlier than 5 minutes ago"):
        server.client("scheduler").create_schedule(
            Name="s", ScheduleExpression="rate(1 day)", FlexibleTimeWindow=OFF, Target=TARGET, StartDate="2020-01-01"
        )
