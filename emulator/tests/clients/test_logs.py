"""CloudWatch Logs (awsJson 1.1): putting, finding and paging events, filter patterns, and errors."""

import json
import time

import pytest
from botocore.exceptions import ClientError

GROUP = "/aws/lambda/pix"


@pytest.fixture
def logs(server):
    client = server.client("logs")
    client.create_log_group(logGroupName=GROUP)
    client.create_log_stream(logGroupName=GROUP, logStreamName="one")
    return client


def put(logs, *messages, stream="one", at=None):
    at = at or int(time.time() * 1000) - 1000
    events = [{"timestamp": at + number, "message": message} for number, message in enumerate(messages)]
    return logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=events)


def found(logs, **arguments):
    return [event["message"] for event in logs.filter_log_events(logGroupName=GROUP, **arguments)["events"]]


def test_events_are_put_and_found_in_order_of_time(logs):
    logs.create_log_stream(logGroupName=GROUP, logStreamName="two")
    at = int(time.time() * 1000) - 1000
    put(logs, "a", "c", at=at)
    put(logs, "b", stream="two", at=at)
    events = logs.filter_log_events(logGroupName=GROUP)["events"]
    assert sorted(event["message"] for event in events) == ["a", "b", "c"]
    assert [event["timestamp"] for event in events] == [at, at, at + 1]
    assert {len(event["eventId"]) for event in events} == {56} and all(event["eventId"].isdigit() for event in events)
    assert len({event["eventId"] for event in events}) == 3
    assert found(logs, logStreamNames=["two"]) == ["b"]
    assert found(logs, startTime=at + 1) == ["c"]
    assert found(logs, endTime=at, logStreamNamePrefix="o") == ["a"]


def test_the_paginator_walks_through_all(logs):
    put(logs, *[f"m{number}" for number in range(25)])
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP, PaginationConfig={"PageSize": 10})
    assert [event["message"] for page in pages for event in page["events"]] == [f"m{number}" for number in range(25)]
    names = [f"/p/{number:02}" for number in range(7)]
    for name in names:
        logs.create_log_group(logGroupName=name)
    groups = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix="/p/", PaginationConfig={"PageSize": 3})
    assert [group["logGroupName"] for page in groups for group in page["logGroups"]] == names


def test_get_log_events_goes_forward_until_its_token_stands(logs):
    put(logs, "a", "b", "c")
    read = {"logGroupName": GROUP, "logStreamName": "one"}
    first = logs.get_log_events(**read, startFromHead=True, limit=2)
    second = logs.get_log_events(**read, nextToken=first["nextForwardToken"], limit=2)
    last = logs.get_log_events(**read, nextToken=second["nextForwardToken"], limit=2)
    assert [[event["message"] for event in page["events"]] for page in (first, second, last)] == [["a", "b"], ["c"], []]
    assert last["nextForwardToken"] == second["nextForwardToken"]
    assert [event["message"] for event in logs.get_log_events(**read, limit=1)["events"]] == ["c"]


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("ERROR", [0]),
        ("ERROR pix", [0]),
        ("?ERROR ?cashout", [0, 1]),
        ("-ERROR", [1, 2, 3]),
        ('"ERROR: pix"', [0]),
        ("%WARN|ERR%", [0, 3]),
        ('{ $.type = "cashout" }', [1]),
        ("{ $.amount > 10 && $.account.id = 7 }", [1]),
        ("{ $.amount IS NULL }", []),
        ("{ $.tags[0] = a* }", [1]),
        ("[ip, user, status = 4*]", [2]),
    ],
)
def test_filter_patterns(logs, pattern, matches):
    messages = [
        "ERROR: pix failed",
        json.dumps({"type": "cashout", "amount": 12.5, "account": {"id": 7}, "tags": ["abc"]}),
        "127.0.0.1 frank 404",
        "WARN: slow",
    ]
    put(logs, *messages)
    assert found(logs, filterPattern=pattern) == [messages[index] for index in matches]


def test_errors_say_what_aws_says(logs):
    cases = [
        (
            logs.create_log_group,
            {"logGroupName": GROUP},
            "ResourceAlreadyExistsException",
            "The specified log group already exists",
        ),
        (
            logs.filter_log_events,
            {"logGroupName": "none"},
            "ResourceNotFoundException",
            "The specified log group does not exist.",
        ),
        (
            logs.get_log_events,
            {"logGroupName": GROUP, "logStreamName": "none"},
            "ResourceNotFoundException",
            "The specified log stream does not exist.",
        ),
        (
            logs.create_log_group,
            {"logGroupName": "a b"},
            "InvalidParameterException",
            "1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy constraint: Member must satisfy "
            "regular expression pattern: [\\.\\-_/#A-Za-z0-9]+",
        ),
        (
            logs.filter_log_events,
            {"logGroupName": GROUP, "nextToken": "none"},
            "InvalidParameterException",
            "The specified nextToken is invalid.",
        ),
    ]
    for call, arguments, code, message in cases:
        with pytest.raises(ClientError) as refused:
            call(**arguments)
        error = refused.value.response["Error"]
        assert (error["Code"], error["Message"]) == (code, message)
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_events_that_are_too_old_or_new_are_told(logs):
    day = 86_400_000
    now = int(time.time() * 1000)
    old = put(logs, "old", at=now - 15 * day)["rejectedLogEventsInfo"]
    assert old == {"tooOldLogEventEndIndex": 1}
    new = put(logs, "new", at=now + 3 * 3_600_000)["rejectedLogEventsInfo"]
    assert new == {"tooNewLogEventStartIndex": 0}
    assert found(logs) == []


def test_the_command_line_filters_and_tails(server, logs):
    put(logs, "one pix", "two")
    shown = json.loads(server.aws("logs", "filter-log-events", "--log-group-name", GROUP, "--filter-pattern", "pix"))
    assert [event["message"] for event in shown["events"]] == ["one pix"]
    # `aws logs tail` is of version 2 of the command line alone.
    error = server.aws("logs", "describe-log-streams", "--log-group-name", "none", fails=True)
    assert "An error occurred (ResourceNotFoundException) when calling the DescribeLogStreams operation: The specified" in error
