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
    with pytest.raises(ClientError) as refused:
        server.client("scheduler").create_schedule(
            Name="s",
            ScheduleExpression="rate(1 day)",
            FlexibleTimeWindow=OFF,
            Target={"Arn": "arn:aws:sqs:us-east-1:123456789012:q", "RoleArn": ROLE},
        )
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert "sqs as the target of a schedule" in refused.value.response["Error"]["Message"]
