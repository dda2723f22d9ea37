"""DynamoDB and its neighbours: imports from S3, exports to it, Kinesis streams of changes; keys of several attributes."""

import gzip
import json
import time

import pytest


@pytest.fixture
def dynamodb(server):
    return server.client("dynamodb")


def create(dynamodb, name, **more):
    definitions = [{"AttributeName": "p", "AttributeType": "S"}] + more.pop("AttributeDefinitions", [])
    return dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=definitions,
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}],
        **more,
    )["TableDescription"]


def until(look, wanted):
    """Asks again until the answer is there: jobs run beside the calls."""
    for _ in range(100):
        found = look()
        if found == wanted:
            return
        time.sleep(0.05)
    assert found == wanted


def test_what_one_table_exports_another_one_imports(server, dynamodb):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="moves")
    arn = create(dynamodb, "source")["TableArn"]
    for i in range(30):
        dynamodb.put_item(TableName="source", Item={"p": {"S": str(i)}, "b": {"B": bytes([i])}, "l": {"L": [{"N": "1"}]}})
    with pytest.raises(dynamodb.exceptions.PointInTimeRecoveryUnavailableException):
        dynamodb.export_table_to_point_in_time(TableArn=arn, S3Bucket="moves")
    recovery = {"PointInTimeRecoveryEnabled": True}
    dynamodb.update_continuous_backups(TableName="source", PointInTimeRecoverySpecification=recovery)
    export = dynamodb.export_table_to_point_in_time(TableArn=arn, S3Bucket="moves", S3Prefix="out")["ExportDescription"]
    describe = lambda: dynamodb.describe_export(ExportArn=export["ExportArn"])["ExportDescription"]
    until(lambda: describe()["ExportStatus"], "COMPLETED")
    manifest = json.loads(s3.get_object(Bucket="moves", Key=describe()["ExportManifest"])["Body"].read())
    assert manifest["itemCount"] == 30
    folder = manifest["manifestFilesS3Key"].removesuffix("manifest-files.json") + "data/"
    made = dynamodb.import_table(
        S3BucketSource={"S3Bucket": "moves", "S3KeyPrefix": folder},
        InputFormat="DYNAMODB_JSON",
        InputCompressionType="GZIP",
        TableCreationParameters={
            "TableName": "target",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}],
        },
    )["ImportTableDescription"]
    describe = lambda: dynamodb.describe_import(ImportArn=made["ImportArn"])["ImportTableDescription"]
    until(lambda: describe()["ImportStatus"], "COMPLETED")
    assert describe()["ImportedItemCount"] == 30
    every = lambda table: sorted(dynamodb.scan(TableName=table)["Items"], key=lambda item: item["p"]["S"])
    assert every("target") == every("source")


def test_an_import_of_what_is_no_item_fails_and_keeps_the_rest(server, dynamodb):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="incoming")
    good = json.dumps({"Item": {"p": {"S": "good"}}})
    s3.put_object(Bucket="incoming", Key="1", Body=gzip.compress(f'{good}\n{{"p": 1}}'.encode()))
    made = dynamodb.import_table(
        S3BucketSource={"S3Bucket": "incoming"},
        InputFormat="DYNAMODB_JSON",
        InputCompressionType="GZIP",
        TableCreationParameters={
            "TableName": "orders",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}],
        },
    )["ImportTableDescription"]
    describe = lambda: dynamodb.describe_import(ImportArn=made["ImportArn"])["ImportTableDescription"]
    until(lambda: describe()["ImportStatus"], "FAILED")
    assert (describe()["ErrorCount"], describe()["ImportedItemCount"]) == (1, 1)
    assert dynamodb.list_imports()["ImportSummaryList"][0]["ImportArn"] == made["ImportArn"]


def test_changes_arrive_in_a_kinesis_stream(server, dynamodb):
    kinesis = server.client("kinesis")
    kinesis.create_stream(StreamName="changes", ShardCount=1)
    stream = kinesis.describe_stream_summary(StreamName="changes")["StreamDescriptionSummary"]["StreamARN"]
    create(dynamodb, "orders")
    enabled = dynamodb.enable_kinesis_streaming_destination(TableName="orders", StreamArn=stream)
    assert enabled["DestinationStatus"] == "ENABLING"
    destinations = lambda: dynamodb.describe_kinesis_streaming_destination(TableName="orders")["KinesisDataStreamDestinations"]
    until(lambda: destinations()[0]["DestinationStatus"], "ACTIVE")
    dynamodb.put_item(TableName="orders", Item={"p": {"S": "a"}})
    dynamodb.delete_item(TableName="orders", Key={"p": {"S": "a"}})
    iterator = kinesis.get_shard_iterator(
        StreamARN=stream, ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    read = lambda: [json.loads(record["Data"]) for record in kinesis.get_records(ShardIterator=iterator)["Records"]]
    until(lambda: [record["eventName"] for record in read()], ["INSERT", "REMOVE"])
    assert read()[0]["dynamodb"]["NewImage"] == {"p": {"S": "a"}}
    dynamodb.disable_kinesis_streaming_destination(TableName="orders", StreamArn=stream)
    assert destinations()[0]["DestinationStatus"] == "DISABLED"


def test_an_index_with_keys_of_several_attributes(dynamodb):
    names = [("region", "S", "HASH"), ("year", "N", "HASH"), ("round", "S", "RANGE"), ("game", "N", "RANGE")]
    create(
        dynamodb,
        "matches",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind, _ in names],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-match",
                "KeySchema": [{"AttributeName": name, "KeyType": role} for name, _, role in names],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    for i, (round_, game) in enumerate([("final", 1), ("semi", 2), ("semi", 1), ("quarter", 4), ("quarter", 10)]):
        item = {"p": {"S": str(i)}, "region": {"S": "eu"}, "year": {"N": "2025"}}
        dynamodb.put_item(TableName="matches", Item=item | {"round": {"S": round_}, "game": {"N": str(game)}})
    values = {":r": {"S": "eu"}, ":y": {"N": "2025"}}

    def query(condition="", more={}, **settings):
        pages = dynamodb.get_paginator("query").paginate(
            TableName="matches",
            IndexName="by-match",
            KeyConditionExpression="#r = :r AND #y = :y" + condition,
            ExpressionAttributeNames={"#r": "region", "#y": "year"} | ({"#o": "round"} if condition else {}),
            ExpressionAttributeValues=values | more,
            Limit=2,
            **settings,
        )
        return [(item["round"]["S"], int(item["game"]["N"])) for page in pages for item in page["Items"]]

    everything = [("final", 1), ("quarter", 4), ("quarter", 10), ("semi", 1), ("semi", 2)]
    assert query() == everything
    assert query(ScanIndexForward=False) == everything[::-1]
    assert query(" AND #o = :o AND game > :m", {":o": {"S": "quarter"}, ":m": {"N": "4"}}) == [("quarter", 10)]
