"""CloudWatch Logs (awsJson 1.1): putting, finding and paging events, filter patterns, and errors."""

import datetime
import gzip
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


def metrics(server, namespace, name, **dimensions):
    """The values of a metric in the last minutes, by statistic."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return server.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - datetime.timedelta(minutes=10),
        EndTime=now + datetime.timedelta(minutes=1),
        Period=3600,
        Statistics=["Sum", "SampleCount", "Maximum"],
    )["Datapoints"]


def test_metric_filters_make_metrics_of_events(server, logs):
    def filter_of(name, pattern, **transformation):
        logs.put_metric_filter(
            logGroupName=GROUP,
            filterName=name,
            filterPattern=pattern,
            metricTransformations=[{"metricNamespace": "Own", "metricName": name, **transformation}],
        )

    filter_of("errors", "ERROR", metricValue="1", unit="Count")
    filter_of("latency", "{ $.latency = * }", metricValue="$.latency", dimensions={"Path": "$.path"})
    filter_of("bytes", "[ip, status = 2*, bytes]", metricValue="$bytes")
    filter_of("never", "NEVER", metricValue="1", defaultValue=0)
    put(
        logs,
        "ERROR one",
        "ERROR two",
        json.dumps({"latency": 12.5, "path": "/a"}),
        json.dumps({"latency": 30, "path": "/a"}),
        json.dumps({"latency": "slow", "path": "/b"}),
        "10.0.0.1 200 1534",
    )
    assert [(one["Sum"], one["Unit"]) for one in metrics(server, "Own", "errors")] == [(2.0, "Count")]
    assert [(one["SampleCount"], one["Maximum"]) for one in metrics(server, "Own", "latency", Path="/a")] == [(2.0, 30.0)]
    assert metrics(server, "Own", "latency", Path="/b") == []
    assert metrics(server, "Own", "bytes")[0]["Sum"] == 1534
    assert (metrics(server, "Own", "never")[0]["Sum"], metrics(server, "Own", "never")[0]["SampleCount"]) == (0.0, 1.0)
    shown = logs.describe_metric_filters(logGroupName=GROUP, filterNamePrefix="la")["metricFilters"]
    assert [one["metricTransformations"][0]["dimensions"] for one in shown] == [{"Path": "$.path"}]
    assert logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"][0]["metricFilterCount"] == 4
    logs.delete_metric_filter(logGroupName=GROUP, filterName="errors")
    put(logs, "ERROR three")
    assert metrics(server, "Own", "errors")[0]["Sum"] == 2.0


def test_metric_filters_that_are_refused(logs):
    def refused(pattern, **transformation):
        with pytest.raises(ClientError) as error:
            logs.put_metric_filter(
                logGroupName=GROUP,
                filterName="f",
                filterPattern=pattern,
                metricTransformations=[{"metricNamespace": "Own", "metricName": "m", **transformation}],
            )
        return error.value.response["Error"]["Message"]

    assert refused("{ $.a = 1", metricValue="1").startswith("If a filter pattern starts")
    assert "mutually exclusive" in refused("{ $.a = 1 }", metricValue="1", defaultValue=0, dimensions={"A": "$.a"})
    assert "metricValue '$.a'" in refused("ERROR", metricValue="$.a")
    with pytest.raises(ClientError) as error:
        logs.delete_metric_filter(logGroupName=GROUP, filterName="none")
    assert error.value.response["Error"]["Message"] == "The specified metric filter does not exist."


TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "logs.amazonaws.com"}, "Action": "sts:AssumeRole"}]}


def role(server, action):
    iam = server.client("iam")
    arn = iam.create_role(RoleName="forwarder", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}
    iam.put_role_policy(RoleName="forwarder", PolicyName="p", PolicyDocument=json.dumps(allow))
    return arn


def until(found):
    """What a condition gives, once it gives something."""
    for _ in range(100):
        if result := found():
            return result
        time.sleep(0.1)
    raise AssertionError("it did not happen in time")


def records(kinesis):
    iterator = kinesis.get_shard_iterator(StreamName="s", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON")
    found = kinesis.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    return [json.loads(gzip.decompress(record["Data"])) for record in found]


def test_subscriptions_forward_events_to_a_stream(server, logs):
    kinesis = server.client("kinesis")
    kinesis.create_stream(StreamName="s", ShardCount=1)
    stream = kinesis.describe_stream_summary(StreamName="s")["StreamDescriptionSummary"]["StreamARN"]
    subscription = {"logGroupName": GROUP, "filterName": "f", "filterPattern": "ERROR", "destinationArn": stream}
    logs.put_subscription_filter(**subscription, roleArn=role(server, "kinesis:PutRecord"))
    put(logs, "ERROR one", "fine", "ERROR two")
    control, data = until(lambda: len(found := records(kinesis)) > 1 and found)
    assert (control["messageType"], control["owner"]) == ("CONTROL_MESSAGE", "CloudwatchLogs")
    assert [event["message"] for event in data.pop("logEvents")] == ["ERROR one", "ERROR two"]
    assert data == {
        "messageType": "DATA_MESSAGE",
        "owner": "123456789012",
        "logGroup": GROUP,
        "logStream": "one",
        "subscriptionFilters": ["f"],
    }
    (shown,) = logs.describe_subscription_filters(logGroupName=GROUP)["subscriptionFilters"]
    assert (shown["destinationArn"], shown["distribution"]) == (stream, "ByLogStream")


def test_subscriptions_that_are_refused(server, logs):
    def refused(**more):
        arguments = {"logGroupName": GROUP, "filterName": "f", "filterPattern": "", **more}
        with pytest.raises(ClientError) as error:
            logs.put_subscription_filter(**arguments)
        return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]

    arn = "arn:aws:{}:us-east-1:123456789012:{}"
    assert refused(destinationArn=arn.format("lambda", "function:none"))[1].startswith("Could not execute the lambda function.")
    assert refused(destinationArn=arn.format("kinesis", "stream/s")) == (
        "InvalidParameterException",
        "destinationArn for vendor kinesis cannot be used without roleArn",
    )
    missing = refused(destinationArn=arn.format("kinesis", "stream/s"), roleArn=role(server, "kinesis:PutRecord"))
    assert missing[1].startswith("Could not deliver test message to specified Kinesis stream.")
    firehose = refused(destinationArn=arn.format("firehose", "deliverystream/d"), roleArn="arn:aws:iam::123456789012:role/r")
    assert firehose[0] == "NotImplemented" and "Firehose" in firehose[1]
    assert logs.describe_subscription_filters(logGroupName=GROUP)["subscriptionFilters"] == []


def test_deliveries_of_what_logs_nothing(logs):
    """CloudFront is not here, so that nothing is ever delivered of it; other services' logs are refused by name."""
    arn = "arn:aws:cloudfront::123456789012:distribution/E1Q5F5862X9VJ5"
    source = logs.put_delivery_source(name="s", resourceArn=arn, logType="ACCESS_LOGS", tags={"a": "b"})["deliverySource"]
    assert (source["service"], source["resourceArns"]) == ("cloudfront", [arn])
    bucket = {"destinationResourceArn": "arn:aws:s3:::bucket"}
    to = logs.put_delivery_destination(name="d", deliveryDestinationConfiguration=bucket)["deliveryDestination"]["arn"]
    made = logs.create_delivery(deliverySourceName="s", deliveryDestinationArn=to)["delivery"]
    assert (made["deliveryDestinationType"], made["recordFields"][:2]) == ("S3", ["date", "time"])
    logs.update_delivery_configuration(id=made["id"], recordFields=["date"], fieldDelimiter=",")
    (shown,) = logs.describe_deliveries()["deliveries"]
    assert (shown["recordFields"], shown["fieldDelimiter"]) == (["date"], ",")
    logs.tag_resource(resourceArn=made["arn"], tags={"k": "v"})
    assert logs.get_delivery(id=made["id"])["delivery"]["tags"] == {"k": "v"}

    def refused(call, **arguments):
        with pytest.raises(ClientError) as error:
            call(**arguments)
        return error.value.response["Error"]["Code"]

    assert refused(logs.create_delivery, deliverySourceName="s", deliveryDestinationArn=to) == "ConflictException"
    assert refused(logs.delete_delivery_source, name="s") == "ConflictException"
    assert refused(logs.delete_delivery_destination, name="d") == "ConflictException"
    for call, key in [(logs.get_delivery_source, "name"), (logs.get_delivery_destination, "name"), (logs.delete_delivery, "id")]:
        assert refused(call, **{key: "none"}) == "ResourceNotFoundException"
    logs.put_delivery_destination(name="a", deliveryDestinationConfiguration=bucket)
    first = logs.describe_delivery_destinations(limit=1)
    second = logs.describe_delivery_destinations(limit=1, nextToken=first["nextToken"])
    assert [page["deliveryDestinations"][0]["name"] for page in (first, second)] == ["d", "a"], "in the order in which they were made"
    assert "nextToken" not in second
    logs.delete_delivery_destination(name="a")
    assert refused(logs.put_delivery_source, name="x", resourceArn="arn:aws:s3:::b", logType="ACCESS_LOGS") == "ResourceNotFoundException"
    bedrock = "arn:aws:bedrock:us-east-1:123456789012:knowledge-base/K"
    assert refused(logs.put_delivery_source, name="x", resourceArn=bedrock, logType="APPLICATION_LOGS") == "NotImplemented"
    logs.delete_delivery(id=made["id"])
    logs.delete_delivery_source(name="s")
    logs.delete_delivery_destination(name="d")
    assert logs.describe_delivery_sources()["deliverySources"] == []


def test_log_groups_by_a_pattern(logs):
    logs.create_log_group(logGroupName="/aws/one", tags={"team": "pix"})
    names = lambda **wanted: [one["logGroupName"] for one in logs.list_log_groups(**wanted)["logGroups"]]
    assert names() == sorted([GROUP, "/aws/one"])
    assert names(logGroupNamePattern="^/aws/o|nothing") == ["/aws/one"]
    assert names(logGroupNamePattern="one") == ["/aws/one"] and names(logGroupNamePattern="^one") == []
    assert names(logGroupTags=[{"key": "team", "values": ["pix"]}]) == ["/aws/one"]
    page = logs.list_log_groups(limit=1)
    assert names(nextToken=page["nextToken"]) == [sorted([GROUP, "/aws/one"])[1]]


def ask(logs, query):
    now = int(time.time())
    started = logs.start_query(logGroupName=GROUP, startTime=now - 600, endTime=now + 60, queryString=query)
    answer = logs.get_query_results(queryId=started["queryId"])
    assert answer["status"] == "Complete"
    return [{field["field"]: field["value"] for field in line if field["field"] != "@ptr"} for line in answer["results"]]


def test_insights_queries(logs):
    put(
        logs,
        json.dumps({"level": "INFO", "took": 10}),
        json.dumps({"level": "ERROR", "took": 30}),
        "REPORT RequestId: 0f0f0f0f-1111-2222-3333-444444444444\tDuration: 12.34 ms\tBilled Duration: 13 ms\t"
        "Memory Size: 128 MB\tMax Memory Used: 64 MB\t",
    )
    assert ask(logs, "fields level, took | filter ispresent(took) | sort took desc") == [
        {"level": "ERROR", "took": "30"},
        {"level": "INFO", "took": "10"},
    ]
    assert ask(logs, "stats count(*) as n, avg(took) as mean") == [{"n": "3", "mean": "20"}]
    assert ask(logs, 'filter @type = "REPORT" | fields @duration, @maxMemoryUsed') == [
        {"@duration": "12.34", "@maxMemoryUsed": "64000000"}
    ]
    assert ask(logs, "filter @message like /ERR/ | display level") == [{"level": "ERROR"}]
    with pytest.raises(ClientError) as refused:
        ask(logs, "pattern @message")
    assert refused.value.response["Error"]["Code"] == "MalformedQueryException"
    assert "command pattern" in refused.value.response["Error"]["Message"]
    (query, *_) = logs.describe_queries(logGroupName=GROUP)["queries"]
    assert query["queryString"].startswith(f'SOURCE "{GROUP}" START=') and query["queryLanguage"] == "CWLI"
    definition = logs.put_query_definition(name="q", queryString="fields @message")["queryDefinitionId"]
    assert [one["name"] for one in logs.describe_query_definitions()["queryDefinitions"]] == ["q"]
    assert logs.delete_query_definition(queryDefinitionId=definition)["success"]


def test_tail_as_the_second_command_line_does_it(logs):
    """`aws logs tail --follow` is `FilterLogEvents` again and again, from the last event's time on, without what was shown."""
    put(logs, "a", "b")
    shown, start = {}, int(time.time() * 1000) - 600_000
    for messages in (["c"], ["d", "e"], []):
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP, startTime=start, interleaved=True):
            for event in page["events"]:
                shown.setdefault(event["eventId"], event["message"])
                start = max(start, event["timestamp"])
        if messages:
            put(logs, *messages, at=int(time.time() * 1000))
    assert list(shown.values()) == ["a", "b", "c", "d", "e"]


STACK = {
    "Resources": {
        "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/own"}},
        "Stream": {"Type": "AWS::Logs::LogStream", "Properties": {"LogGroupName": {"Ref": "Group"}, "LogStreamName": "s"}},
        "Filter": {
            "Type": "AWS::Logs::MetricFilter",
            "Properties": {
                "LogGroupName": {"Ref": "Group"},
                "FilterPattern": "{ $.took > 0 }",
                "MetricTransformations": [
                    {
                        "MetricName": "took",
                        "MetricNamespace": "Own",
                        "MetricValue": "$.took",
                        "Dimensions": [{"Key": "Level", "Value": "$.level"}],
                    }
                ],
            },
        },
        "Query": {"Type": "AWS::Logs::QueryDefinition", "Properties": {"Name": "q", "QueryString": "fields @message"}},
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "MetricName": "took",
                "Namespace": "Own",
                "Statistic": "Sum",
                "Period": "60",
                "EvaluationPeriods": 1,
                "Threshold": 1,
                "ComparisonOperator": "GreaterThanThreshold",
            },
        },
        "Dashboard": {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardBody": "{\"widgets\": []}"}},
    },
    "Outputs": {"Alarm": {"Value": {"Fn::GetAtt": ["Alarm", "Arn"]}}},
}


def test_a_stack_of_logs_and_alarms(server):
    cloudformation = server.client("cloudformation")
    cloudformation.create_stack(StackName="watch", TemplateBody=json.dumps(STACK))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="watch", WaiterConfig={"Delay": 1})
    logs, cloudwatch = server.client("logs"), server.client("cloudwatch")
    now = int(time.time() * 1000)
    event = {"timestamp": now, "message": json.dumps({"took": 5, "level": "INFO"})}
    logs.put_log_events(logGroupName="/own", logStreamName="s", logEvents=[event])
    assert metrics(server, "Own", "took", Level="INFO")[0]["Sum"] == 5
    (alarm,) = cloudwatch.describe_alarms()["MetricAlarms"]
    outputs = cloudformation.describe_stacks(StackName="watch")["Stacks"][0]["Outputs"]
    assert (outputs[0]["OutputValue"], alarm["Period"]) == (alarm["AlarmArn"], 60)
    assert len(cloudwatch.list_dashboards()["DashboardEntries"]) == 1
    cloudformation.delete_stack(StackName="watch")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="watch", WaiterConfig={"Delay": 1})
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []
    assert logs.describe_query_definitions()["queryDefinitions"] == []
