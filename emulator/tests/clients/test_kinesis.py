"""Kinesis Data Streams: records through shards, waiters, paginators, tags, errors."""

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def kinesis(server):
    client = server.client("kinesis")
    client.create_stream(StreamName="clicks", ShardCount=2)
    client.get_waiter("stream_exists").wait(StreamName="clicks")
    return client


def read(client, shard, **how):
    """All data of a shard, two records a page."""
    iterator = client.get_shard_iterator(StreamName="clicks", ShardId=shard, **how)["ShardIterator"]
    data = []
    while True:
        page = client.get_records(ShardIterator=iterator, Limit=2)
        data += [record["Data"] for record in page["Records"]]
        if page["MillisBehindLatest"] == 0 and not page["Records"]:
            return data
        iterator = page["NextShardIterator"]


def test_records_of_one_key_come_back_in_order(kinesis):
    put = [kinesis.put_record(StreamName="clicks", PartitionKey="one", Data=bytes([i, 255])) for i in range(5)]
    assert len({answer["ShardId"] for answer in put}) == 1
    assert [answer["SequenceNumber"] for answer in put] == sorted(answer["SequenceNumber"] for answer in put)
    shard = put[0]["ShardId"]
    assert read(kinesis, shard, ShardIteratorType="TRIM_HORIZON") == [bytes([i, 255]) for i in range(5)]
    after = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": put[2]["SequenceNumber"]}
    assert read(kinesis, shard, **after) == [bytes([3, 255]), bytes([4, 255])]
    assert read(kinesis, shard, ShardIteratorType="LATEST") == []


def test_keys_spread_over_the_shards(kinesis):
    records = [{"PartitionKey": f"key-{i}", "Data": b"x"} for i in range(50)]
    answer = kinesis.put_records(StreamName="clicks", Records=records)
    assert answer["FailedRecordCount"] == 0
    shards = [shard["ShardId"] for shard in kinesis.list_shards(StreamName="clicks")["Shards"]]
    assert {record["ShardId"] for record in answer["Records"]} == set(shards)
    assert sum(len(read(kinesis, shard, ShardIteratorType="TRIM_HORIZON")) for shard in shards) == 50


def test_a_stream_is_described_tagged_and_deleted(kinesis):
    kinesis.create_stream(StreamName="on-demand", StreamModeDetails={"StreamMode": "ON_DEMAND"})
    names = [name for page in kinesis.get_paginator("list_streams").paginate(Limit=1) for name in page["StreamNames"]]
    assert names == ["clicks", "on-demand"]
    summary = kinesis.describe_stream_summary(StreamName="on-demand")["StreamDescriptionSummary"]
    assert (summary["StreamStatus"], summary["OpenShardCount"], summary["RetentionPeriodHours"]) == ("ACTIVE", 4, 24)
    kinesis.increase_stream_retention_period(StreamARN=summary["StreamARN"], RetentionPeriodHours=48)
    kinesis.add_tags_to_stream(StreamName="on-demand", Tags={"team": "a"})
    assert kinesis.list_tags_for_stream(StreamName="on-demand")["Tags"] == [{"Key": "team", "Value": "a"}]
    kinesis.delete_stream(StreamName="on-demand", EnforceConsumerDeletion=True)
    kinesis.get_waiter("stream_not_exists").wait(StreamName="on-demand")


def test_errors_and_what_is_not_there(kinesis):
    with pytest.raises(kinesis.exceptions.ResourceNotFoundException) as error:
        kinesis.describe_stream(StreamName="none")
    assert "Stream none under account 123456789012 not found." in str(error.value)
    with pytest.raises(kinesis.exceptions.ResourceInUseException):
        kinesis.create_stream(StreamName="clicks", ShardCount=1)
    with pytest.raises(kinesis.exceptions.InvalidArgumentException):
        kinesis.get_records(ShardIterator="nonsense")
    with pytest.raises(ClientError, match="NotImplemented.*MergeShards"):
        kinesis.merge_shards(StreamName="clicks", ShardToMerge="shardId-000000000000", AdjacentShardToMerge="shardId-000000000001")
