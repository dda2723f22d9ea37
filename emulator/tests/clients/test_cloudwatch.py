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
