"""CloudWatch metrics in each protocol it speaks: JSON (today's boto3), CBOR, and the query protocol of older SDKs."""

import datetime
import gzip
import json
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree

import botocore.model
import pytest
from botocore.exceptions import ClientError
from conftest import ACCOUNT, TargetQueue, refusal

NOW = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0)
PROTOCOLS = ["json", "smithy-rpc-v2-cbor", "query"]


@pytest.fixture(params=PROTOCOLS)
def cloudwatch(server, request, monkeypatch):
    """A client that speaks each protocol, and says so."""
    monkeypatch.setattr(botocore.model.ServiceModel, "resolved_protocol", request.param)
    monkeypatch.setattr(botocore.model.ServiceModel, "protocol", request.param, raising=False)
    client = server.client("cloudwatch")
    seen = {}
    client.meta.events.register("before-send.cloudwatch.*", lambda request, **_: seen.update(request.headers))
    yield client
    kinds = {"json": b"application/x-amz-json", "smithy-rpc-v2-cbor": b"application/cbor", "query": b"application/x-www"}
    sent = seen["Content-Type"]
    assert (sent if isinstance(sent, bytes) else sent.encode()).startswith(kinds[request.param])


def statistics(client, metric, **more):
    return client.get_metric_statistics(
        Namespace="Own",
        MetricName=metric,
        StartTime=NOW - datetime.timedelta(minutes=10),
        EndTime=NOW + datetime.timedelta(minutes=1),
        Period=60,
        Statistics=["Sum", "SampleCount", "Maximum"],
        **more,
    )["Datapoints"]


def test_what_is_put_is_read_as_statistics(cloudwatch):
    at = NOW - datetime.timedelta(minutes=3)
    points = [{"MetricName": "m", "Timestamp": at, "Value": value, "Unit": "Count"} for value in (1.5, 2.5)]
    cloudwatch.put_metric_data(Namespace="Own", MetricData=points)
    assert statistics(cloudwatch, "m") == [
        {"Timestamp": at, "SampleCount": 2.0, "Sum": 4.0, "Maximum": 2.5, "Unit": "Count"}
    ]
    assert [metric["MetricName"] for metric in cloudwatch.list_metrics(Namespace="Own")["Metrics"]] == ["m"]


def test_a_large_request_comes_compressed(cloudwatch):
    sent = {}
    cloudwatch.meta.events.register("before-send.*.PutMetricData", lambda request, **_: sent.update(request.headers))
    at = NOW - datetime.timedelta(minutes=2)
    points = [
        {"MetricName": "m", "Timestamp": at, "Value": 1, "Dimensions": [{"Name": "n", "Value": str(number)}]}
        for number in range(300)
    ]
    cloudwatch.put_metric_data(Namespace="Own", MetricData=points)
    assert sent["Content-Encoding"] in ("gzip", b"gzip")
    assert statistics(cloudwatch, "m", Dimensions=[{"Name": "n", "Value": "299"}])[0]["Sum"] == 1


def test_a_wrong_request_is_told_in_the_same_words(cloudwatch):
    with pytest.raises(ClientError) as refused:
        cloudwatch.get_metric_statistics(
            Namespace="Own", MetricName="m", StartTime=NOW, EndTime=NOW, Period=60, Statistics=["Sum"]
        )
    error = refused.value.response["Error"]
    assert error["Code"] == "InvalidParameterValue"
    assert error["Message"] == "The parameter StartTime must be less than the parameter EndTime."
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize("encode", [None, gzip.compress])
def test_the_query_protocol_by_hand(server, encode):
    def ask(action, **parameters):
        form = urllib.parse.urlencode({"Action": action, "Version": "2010-08-01", **parameters}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        if encode:
            form, headers["Content-Encoding"] = encode(form), "gzip"
        with urllib.request.urlopen(urllib.request.Request(server.url, data=form, headers=headers)) as answer:
            return ElementTree.fromstring(answer.read())

    one = {"MetricData.member.1.MetricName": "m", "MetricData.member.1.Value": "2"}
    assert ask("PutMetricData", Namespace="Own", **one).tag.endswith("}PutMetricDataResponse")
    names = [element.text for element in ask("ListMetrics").iter() if element.tag.endswith("}MetricName")]
    assert names == ["m"]


def alarm(client, name="hot", **settings):
    """Makes an alarm on the sum of `Own/m` above 10."""
    client.put_metric_alarm(
        **{
            "AlarmName": name,
            "Namespace": "Own",
            "MetricName": "m",
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 10,
            "ComparisonOperator": "GreaterThanThreshold",
            **settings,
        }
    )


def state(client, name="hot"):
    (found,) = client.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return found


def test_an_alarm_is_told_in_each_protocol(cloudwatch):
    alarm(cloudwatch, Tags=[{"Key": "a", "Value": "b"}])
    found = state(cloudwatch)
    assert (found["StateValue"], found["StateReason"]) == ("INSUFFICIENT_DATA", "Unchecked: Initial alarm creation")
    assert (found["Threshold"], found["OKActions"], found["ActionsEnabled"]) == (10.0, [], True)
    assert cloudwatch.list_tags_for_resource(ResourceARN=found["AlarmArn"])["Tags"] == [{"Key": "a", "Value": "b"}]
    cloudwatch.set_alarm_state(AlarmName="hot", StateValue="ALARM", StateReason="by hand")
    assert [one["AlarmName"] for one in cloudwatch.describe_alarms(StateValue="ALARM")["MetricAlarms"]] == ["hot"]
    history = cloudwatch.describe_alarm_history(AlarmName="hot", HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in history] == ["Alarm updated from INSUFFICIENT_DATA to ALARM"]
    cloudwatch.disable_alarm_actions(AlarmNames=["hot"])
    assert not state(cloudwatch)["ActionsEnabled"]
    assert len(cloudwatch.describe_alarms_for_metric(MetricName="m", Namespace="Own")["MetricAlarms"]) == 1
    cloudwatch.delete_alarms(AlarmNames=["hot", "none"])
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []
    with pytest.raises(ClientError) as refused:
        cloudwatch.set_alarm_state(AlarmName="hot", StateValue="OK", StateReason="x")
    assert refused.value.response["Error"]["Code"] == "ResourceNotFound"


@pytest.fixture
def frozen(start):
    """A server whose time only `advance` moves, and its time."""
    return start("--clock", "frozen=2026-03-02T12:00:00Z")


def advance(server, seconds):
    server.admin("POST", "clock/advance", {"seconds": seconds})


def test_alarms_follow_the_data_in_virtual_time(frozen):
    client = frozen.client("cloudwatch")
    alarm(client, "missing")
    alarm(client, "breaching", TreatMissingData="breaching")
    alarm(client, "two-of-three", EvaluationPeriods=3, DatapointsToAlarm=2, TreatMissingData="notBreaching")
    advance(frozen, 60)
    assert state(client, "missing")["StateReason"] == "Insufficient Data: 1 datapoint was unknown."
    assert state(client, "breaching")["StateReason"] == (
        "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [Breaching]."
    )
    assert state(client, "two-of-three")["StateValue"] == "OK"
    client.put_metric_data(Namespace="Own", MetricData=[{"MetricName": "m", "Value": 11}])
    advance(frozen, 60)
    found = state(client, "missing")
    assert found["StateValue"] == "ALARM"
    assert found["StateReason"].startswith("Threshold Crossed: 1 datapoint [11.0 (")
    assert found["StateReason"].endswith(")] was greater than the threshold (10.0).")
    data = json.loads(found["StateReasonData"])
    assert (data["version"], data["recentDatapoints"], data["threshold"]) == ("1.0", [11.0], 10.0)
    assert state(client, "two-of-three")["StateValue"] == "OK"
    client.put_metric_data(Namespace="Own", MetricData=[{"MetricName": "m", "Value": 12}])
    advance(frozen, 60)
    reason = state(client, "two-of-three")["StateReason"]
    assert reason.startswith("Threshold Crossed: 2 out of the last 3 datapoints [12.0 (")
    assert "(minimum 2 datapoints for OK -> ALARM transition)" in reason
    advance(frozen, 600)
    assert [state(client, name)["StateValue"] for name in ("missing", "breaching", "two-of-three")] == [
        "INSUFFICIENT_DATA",
        "ALARM",
        "OK",
    ]


TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:alarms"


def composite(server, name):
    """What a composite alarm says, without times."""
    described = server.client("cloudwatch").describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])
    assert described["MetricAlarms"] == []
    [found] = described["CompositeAlarms"]
    return found


def test_a_composite_alarm_follows_its_alarms(frozen):
    client = frozen.client("cloudwatch")
    arn = lambda name: f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:{name}"
    queue = TargetQueue(frozen, "q", "sns.amazonaws.com", {"ArnEquals": {"aws:SourceArn": TOPIC}})
    frozen.client("sns").create_topic(Name="alarms")
    frozen.client("sns").subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=queue.arn)
    for name in ["a", "b"]:
        alarm(client, name)
    rule = f'ALARM(a) OR ALARM("{arn("b")}")'
    client.put_composite_alarm(
        AlarmName="both", AlarmRule=rule, AlarmDescription="d", AlarmActions=[TOPIC], OKActions=[TOPIC],
        Tags=[{"Key": "team", "Value": "mail"}],
    )
    client.put_composite_alarm(AlarmName="upper", AlarmRule="ALARM(both) AND NOT OK(a)")
    found = composite(frozen, "both")
    assert (found["AlarmRule"], found["StateValue"], found["AlarmArn"]) == (rule, "OK", arn("both"))
    assert found["StateReason"] == f"{arn('both')} was created and its alarm rule evaluates to OK"
    children = [one["arn"] for one in json.loads(found["StateReasonData"])["triggeringAlarms"]]
    assert children == [arn("a"), arn("b")]
    assert client.list_tags_for_resource(ResourceARN=arn("both"))["Tags"] == [{"Key": "team", "Value": "mail"}]

    def set_state(name, value):
        client.set_alarm_state(AlarmName=name, StateValue=value, StateReason="by hand")
        advance(frozen, 1)
        told = []
        for message in queue.receive(wait=0):
            queue.sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"])
            told.append(json.loads(json.loads(message["Body"])["Message"]))
        return told

    advance(frozen, 1)
    [first] = [json.loads(body["Message"]) for body in queue.bodies(wait=0)]
    assert (first["OldStateValue"], first["NewStateValue"]) == ("INSUFFICIENT_DATA", "OK")
    advance(frozen, 30)
    told = set_state("b", "ALARM")[-1]
    assert (told["AlarmName"], told["NewStateValue"], told["AlarmRule"]) == ("both", "ALARM", rule)
    assert [(one["Arn"], one["State"]["Value"]) for one in told["TriggeringChildren"]] == [(arn("b"), "ALARM")]
    found = composite(frozen, "both")
    assert found["StateReason"] == f"{arn('b')} transitioned to ALARM at Monday 02 March, 2026 12:00:31 UTC"
    assert composite(frozen, "upper")["StateValue"] == "ALARM", "a is not OK"
    assert set_state("a", "OK") == []
    assert composite(frozen, "upper")["StateValue"] == "OK"
    assert [one["NewStateValue"] for one in set_state("b", "OK")] == ["OK"]
    kinds = client.describe_alarm_history(AlarmName="both", HistoryItemType="StateUpdate", AlarmTypes=["CompositeAlarm"])
    assert [one["HistorySummary"] for one in kinds["AlarmHistoryItems"]] == [
        "Alarm updated from ALARM to OK", "Alarm updated from OK to ALARM", "Alarm updated from INSUFFICIENT_DATA to OK",
    ]
    assert [one["AlarmName"] for one in client.describe_alarms()["MetricAlarms"]] == ["a", "b"]
    assert client.describe_alarms()["CompositeAlarms"] == []


def test_composite_alarms_that_are_refused(server):
    client = server.client("cloudwatch")
    for name in ["a", "b"]:
        alarm(client, name)
    client.put_composite_alarm(AlarmName="one", AlarmRule="ALARM(a) AND ALARM(b)")
    client.put_composite_alarm(AlarmName="two", AlarmRule="NOT OK(one)")
    put = lambda **more: refusal(client.put_composite_alarm, **{"AlarmName": "x", "AlarmRule": "TRUE", **more})
    assert put(AlarmRule="ALARM(none) OR OK(a)") == (
        "ValidationError", "Could not save the composite alarm as alarms [none] in the alarm rule do not exist",
    )
    assert put(AlarmRule="ALARM(a) OR")[0] == "ValidationError"
    assert put(AlarmRule="AT_LEAST(1, ALARM, (a, b))")[0] == "NotImplemented"
    assert put(ActionsSuppressor="a", ActionsSuppressorWaitPeriod=1, ActionsSuppressorExtensionPeriod=1)[0] == "NotImplemented"
    assert put(AlarmName="a")[0] == "ValidationError"
    delete = lambda *names: refusal(client.delete_alarms, AlarmNames=list(names))
    assert delete("a") == ("ValidationError", "Cannot delete a as there are composite alarm(s) depending on it.")
    assert delete("a", "b")[1] == "Cannot delete a,b as there are composite alarm(s) depending on them."
    assert delete("two", "one")[0] == "ValidationError"
    client.delete_alarms(AlarmNames=["two"])
    client.delete_alarms(AlarmNames=["one", "a", "b"])
    described = client.describe_alarms(AlarmTypes=["CompositeAlarm", "MetricAlarm"])
    assert (described["CompositeAlarms"], described["MetricAlarms"]) == ([], [])


def test_alarms_that_refer_to_one_another_come_to_rest(server):
    client = server.client("cloudwatch")
    for name, rule in [("one", "FALSE"), ("two", "NOT ALARM(one)"), ("one", "ALARM(two)")]:
        client.put_composite_alarm(AlarmName=name, AlarmRule=rule)
    assert composite(server, "one")["StateReason"]


def test_a_stack_has_a_composite_alarm(server):
    own = {"Type": "AWS::CloudWatch::Alarm", "Properties": {
        "Namespace": "Own", "MetricName": "m", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1,
        "ComparisonOperator": "GreaterThanThreshold",
    }}
    both = lambda rule: {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {"AlarmName": "both", "AlarmRule": {"Fn::Sub": rule}}}
    cloudformation = server.client("cloudformation")
    template = lambda rule: json.dumps({"Resources": {"A": own, "B": own, "Both": both(rule)}})
    cloudformation.create_stack(StackName="s", TemplateBody=template("ALARM(${A}) OR ALARM(${B})"))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="s", WaiterConfig={"Delay": 0.1})
    assert composite(server, "both")["StateValue"] == "OK"
    cloudformation.update_stack(StackName="s", TemplateBody=template("NOT ALARM(${A.Arn})"))
    cloudformation.get_waiter("stack_update_complete").wait(StackName="s", WaiterConfig={"Delay": 0.1})
    found = composite(server, "both")
    assert (found["StateValue"], found["StateReason"].split(" was ")[1]) == (
        "ALARM", "updated and its alarm rule evaluates to ALARM",
    )
    cloudformation.delete_stack(StackName="s")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="s", WaiterConfig={"Delay": 0.1})
    assert server.client("cloudwatch").describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"] == []


def test_queues_measure_themselves(frozen):
    client, sqs = frozen.client("cloudwatch"), frozen.client("sqs")
    begin = datetime.datetime(2026, 3, 2, 12, tzinfo=datetime.timezone.utc)
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    dimensions = [{"Name": "QueueName", "Value": "q"}]
    client.put_metric_alarm(
        AlarmName="stuck", Namespace="AWS/SQS", MetricName="ApproximateNumberOfMessagesVisible", Dimensions=dimensions,
        Statistic="Maximum", Period=60, EvaluationPeriods=1, Threshold=0, ComparisonOperator="GreaterThanThreshold",
    )

    def minutes(metric, *statistics):
        points = client.get_metric_statistics(
            Namespace="AWS/SQS", MetricName=metric, Dimensions=dimensions, StartTime=begin,
            EndTime=begin + datetime.timedelta(hours=6), Period=60, Statistics=list(statistics),
        )["Datapoints"]
        points.sort(key=lambda point: point["Timestamp"])
        return [
            ((point["Timestamp"] - begin).seconds // 60, *(point[statistic] for statistic in statistics)) for point in points
        ]

    for body in ["a", "bbb"]:
        sqs.send_message(QueueUrl=url, MessageBody=body)
    sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=900)
    advance(frozen, 1)
    assert minutes("NumberOfMessagesSent", "Sum", "SampleCount") == [(0, 3, 1)]
    assert minutes("SentMessageSize", "Sum", "SampleCount", "Minimum", "Maximum") == [(0, 9, 3, 1, 5)]
    assert minutes("ApproximateNumberOfMessagesVisible", "Maximum") == [(0, 2)]
    assert minutes("ApproximateNumberOfMessagesDelayed", "Maximum") == [(0, 1)]
    sqs.send_message(QueueUrl=url, MessageBody="c")
    advance(frozen, 1)
    assert minutes("NumberOfMessagesSent", "Sum", "SampleCount") == [(0, 4, 1)], "of a minute there is one sample"
    advance(frozen, 58)
    assert state(client, "stuck")["StateValue"] == "ALARM"
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    sqs.receive_message(QueueUrl=url)
    advance(frozen, 10)
    assert minutes("NumberOfMessagesReceived", "Sum") == [(1, 3)]
    assert minutes("NumberOfEmptyReceives", "Sum") == [(1, 1)]
    assert minutes("ApproximateNumberOfMessagesNotVisible", "Maximum") == [(0, 0), (1, 3)]
    assert minutes("ApproximateAgeOfOldestMessage", "Maximum") == [(0, 2), (1, 61)]
    for message in received:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    advance(frozen, 120)
    assert minutes("NumberOfMessagesDeleted", "Sum") == [(1, 3)]
    assert minutes("ApproximateNumberOfMessagesVisible", "Maximum") == [(0, 3), (1, 0), (2, 0), (3, 0)]
    assert state(client, "stuck")["StateValue"] == "OK"
    advance(frozen, 3 * 3600)
    last = minutes("ApproximateNumberOfMessagesVisible", "Maximum")[-1]
    assert last[1] == 1 and 60 <= last[0] <= 90, "nobody has used it for an hour but the message that became visible"
    listed = client.list_metrics(Namespace="AWS/SQS", Dimensions=dimensions)["Metrics"]
    assert "ApproximateNumberOfMessagesVisible" in [one["MetricName"] for one in listed]


def test_an_alarm_on_an_expression(frozen):
    client = frozen.client("cloudwatch")
    metric = lambda name: {"Metric": {"Namespace": "Own", "MetricName": name}, "Period": 60, "Stat": "Sum"}
    client.put_metric_alarm(
        AlarmName="rate",
        EvaluationPeriods=1,
        Threshold=50,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        Metrics=[
            {"Id": "e", "MetricStat": metric("errors"), "ReturnData": False},
            {"Id": "n", "MetricStat": metric("calls"), "ReturnData": False},
            {"Id": "rate", "Expression": "FILL(e, 0) / n * 100"},
        ],
    )
    point = lambda name, value: {"MetricName": name, "Value": value}
    client.put_metric_data(Namespace="Own", MetricData=[point("errors", 5), point("calls", 10)])
    advance(frozen, 60)
    assert state(client, "rate")["StateValue"] == "ALARM"
    client.put_metric_data(Namespace="Own", MetricData=[point("calls", 10)])
    advance(frozen, 60)
    assert state(client, "rate")["StateValue"] == "OK"


def test_metric_math(cloudwatch):
    at = NOW - datetime.timedelta(minutes=3)
    for name, value in (("a", 6), ("b", 4)):
        cloudwatch.put_metric_data(Namespace="Own", MetricData=[{"MetricName": name, "Timestamp": at, "Value": value}])

    def ask(expression):
        metric = lambda name: {"Metric": {"Namespace": "Own", "MetricName": name}, "Period": 60, "Stat": "Sum"}
        return cloudwatch.get_metric_data(
            StartTime=NOW - datetime.timedelta(minutes=5),
            EndTime=NOW,
            MetricDataQueries=[
                {"Id": "a", "MetricStat": metric("a"), "ReturnData": False},
                {"Id": "b", "MetricStat": metric("b"), "ReturnData": False},
                {"Id": "e", "Expression": expression, "Label": "result"},
            ],
        )["MetricDataResults"]

    assert [(one["Label"], one["Values"]) for one in ask("(a + b) / 2")] == [("result", [5.0])]
    assert ask("SUM(METRICS())")[0]["Values"] == [10.0]
    assert ask("FILL(a, 0)")[0]["Values"] == [0.0, 0.0, 6.0, 0.0, 0.0]
    assert ask("IF(a > b, 1, 0)")[0]["Values"] == [1.0]
    for expression, code in (("a +", "ValidationError"), ("SEARCH('x', 'Sum', 60)", "NotImplemented"), ("1", "ValidationError")):
        with pytest.raises(ClientError) as refused:
            ask(expression)
        assert refused.value.response["Error"]["Code"] == code


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"Statistic": "Sum", "ExtendedStatistic": "p90"}, "Must specify either Statistic or ExtendedStatistic, but not both"),
        ({"TreatMissingData": "what"}, "Option what is not supported."),
        ({"Period": 15}, "Invalid metric period."),
        ({"DatapointsToAlarm": 2}, "DatapointsToAlarm must be less than or equal to EvaluationPeriods."),
        ({"AlarmActions": ["arn:aws:automate:us-east-1:ec2:stop"]}, "Garoa does not implement automate as the action"),
    ],
)
def test_alarms_that_are_refused(server, settings, message):
    with pytest.raises(ClientError) as refused:
        alarm(server.client("cloudwatch"), **settings)
    assert refused.value.response["Error"]["Message"].startswith(message)


def test_the_command_line_lists_alarms(server):
    alarm(server.client("cloudwatch"))
    shown = json.loads(server.aws("cloudwatch", "describe-alarms", "--alarm-name-prefix", "h"))
    assert [one["AlarmName"] for one in shown["MetricAlarms"]] == ["hot"]
    error = server.aws("cloudwatch", "get-dashboard", "--dashboard-name", "none", fails=True)
    assert "(ResourceNotFound)" in error
