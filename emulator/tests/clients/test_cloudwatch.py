"""CloudWatch metrics in each protocol it speaks: JSON (today's boto3), CBOR, and the query protocol of older SDKs."""

import datetime
import gzip
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
