"""DynamoDB (awsJson 1.0) and its streams: the resource API, paginators, waiters, conditions, transactions, errors."""

from decimal import Decimal

import pytest
from boto3.dynamodb.conditions import Attr, Key
from boto3.dynamodb.types import Binary
from botocore.exceptions import ClientError


@pytest.fixture
def dynamodb(server):
    return server.session().resource("dynamodb", endpoint_url=server.url)


@pytest.fixture
def table(dynamodb):
    """Orders by customer and number; by state and total in an index."""
    table = dynamodb.create_table(
        TableName="orders",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "customer", "AttributeType": "S"},
            {"AttributeName": "number", "AttributeType": "N"},
            {"AttributeName": "state", "AttributeType": "S"},
            {"AttributeName": "total", "AttributeType": "N"},
        ],
        KeySchema=[
            {"AttributeName": "customer", "KeyType": "HASH"},
            {"AttributeName": "number", "KeyType": "RANGE"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-state",
                "KeySchema": [
                    {"AttributeName": "state", "KeyType": "HASH"},
                    {"AttributeName": "total", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    table.wait_until_exists()
    return table


def code(raised):
    return raised.value.response["Error"]["Code"]


def test_values_of_all_types_come_back_as_they_were(table):
    item = {
        "customer": "ä",
        "number": Decimal("1"),
        "exact": Decimal("0.1") + Decimal("0.2"),
        "digits": Decimal("12345678901234567890123456789012345678"),
        "small": Decimal("1E-130"),
        "yes": True,
        "nothing": None,
        "bytes": Binary(b"\x00\xff"),
        "list": [1, "two", [Decimal("3.5")], {"four": 4}],
        "map": {"a": {"b": {"c": "d"}}},
        "texts": {"a", "b"},
        "numbers": {Decimal("1"), Decimal("2.5")},
        "binaries": {Binary(b"1"), Binary(b"2")},
    }
    table.put_item(Item=item)
    assert table.get_item(Key={"customer": "ä", "number": 1})["Item"] == item
    assert "Item" not in table.get_item(Key={"customer": "ä", "number": 2})


def test_query_and_scan_page_through_everything(table):
    with table.batch_writer() as batch:
        for number in range(60):
            batch.put_item(
                Item={"customer": "c", "number": number, "state": "open" if number % 3 else "done", "total": number * 10}
            )
    client = table.meta.client
    pages = list(
        client.get_paginator("query").paginate(
            TableName="orders",
            KeyConditionExpression=Key("customer").eq("c") & Key("number").between(10, 49),
            FilterExpression=Attr("state").eq("open"),
            PaginationConfig={"PageSize": 7},
        )
    )
    numbers = [int(item["number"]) for page in pages for item in page["Items"]]
    assert numbers == [number for number in range(10, 50) if number % 3]
    assert [page["ScannedCount"] for page in pages[:-1]] == [7] * 5
    scanned = client.get_paginator("scan").paginate(TableName="orders", PaginationConfig={"PageSize": 7})
    assert sorted(int(item["number"]) for page in scanned for item in page["Items"]) == list(range(60))
    segments = [table.scan(Segment=segment, TotalSegments=4)["Count"] for segment in range(4)]
    assert sum(segments) == 60
    found = table.query(
        IndexName="by-state",
        KeyConditionExpression=Key("state").eq("done") & Key("total").gt(300),
        ScanIndexForward=False,
        ProjectionExpression="#n",
        ExpressionAttributeNames={"#n": "number"},
        Limit=3,
    )
    assert [item["number"] for item in found["Items"]] == [57, 54, 51]


def test_conditions_and_updates(table):
    key = {"customer": "c", "number": 1}
    table.put_item(Item={**key, "state": "open", "tags": ["a"]}, ConditionExpression=Attr("customer").not_exists())
    with pytest.raises(table.meta.client.exceptions.ConditionalCheckFailedException) as raised:
        table.put_item(
            Item={**key, "state": "other"},
            ConditionExpression=Attr("customer").not_exists(),
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert raised.value.response["Item"]["state"] == {"S": "open"}
    updated = table.update_item(
        Key=key,
        UpdateExpression="SET #s = :done, tags = list_append(tags, :more), seen = if_not_exists(seen, :zero) + :one",
        ConditionExpression="#s = :open AND size(tags) < :many",
        ExpressionAttributeNames={"#s": "state"},
        ExpressionAttributeValues={
            ":done": "done", ":open": "open", ":more": ["b"], ":zero": 0, ":one": 1, ":many": 5
        },
        ReturnValues="ALL_NEW",
    )["Attributes"]
    assert updated == {**key, "state": "done", "tags": ["a", "b"], "seen": 1}
    old = table.delete_item(Key=key, ReturnValues="ALL_OLD", ReturnConsumedCapacity="TOTAL")
    assert old["Attributes"] == updated
    assert old["ConsumedCapacity"]["TableName"] == "orders"


def test_a_transaction_is_done_as_a_whole(table):
    client = table.meta.client
    put = {"Put": {"TableName": "orders", "Item": {"customer": "c", "number": 1, "state": "open"}}}
    client.transact_write_items(TransactItems=[put])
    with pytest.raises(client.exceptions.TransactionCanceledException) as raised:
        client.transact_write_items(
            TransactItems=[
                {"Delete": {"TableName": "orders", "Key": {"customer": "c", "number": 1}}},
                {
                    "ConditionCheck": {
                        "TableName": "orders",
                        "Key": {"customer": "c", "number": 2},
                        "ConditionExpression": "attribute_exists(customer)",
                    }
                },
            ]
        )
    reasons = [reason["Code"] for reason in raised.value.response["CancellationReasons"]]
    assert reasons == ["None", "ConditionalCheckFailed"]
    got = client.transact_get_items(
        TransactItems=[{"Get": {"TableName": "orders", "Key": {"customer": "c", "number": number}}} for number in (1, 2)]
    )
    assert [response.get("Item", {}).get("state") for response in got["Responses"]] == ["open", None]


def test_batches_read_what_batches_wrote(dynamodb, table):
    with table.batch_writer() as batch:
        for number in range(30):
            batch.put_item(Item={"customer": "c", "number": number})
        batch.delete_item(Key={"customer": "c", "number": 3})
    keys = [{"customer": "c", "number": number} for number in range(30)]
    got = dynamodb.batch_get_item(RequestItems={"orders": {"Keys": keys, "ConsistentRead": True}})
    assert sorted(int(item["number"]) for item in got["Responses"]["orders"]) == [*range(3), *range(4, 30)]
    assert got["UnprocessedKeys"] == {}


def test_a_stream_tells_what_changed(server, table):
    streams = server.client("dynamodbstreams")
    arn = table.latest_stream_arn
    assert [stream["StreamArn"] for stream in streams.list_streams(TableName="orders")["Streams"]] == [arn]
    table.put_item(Item={"customer": "c", "number": 1, "state": "open"})
    table.put_item(Item={"customer": "c", "number": 1, "state": "done"})
    table.delete_item(Key={"customer": "c", "number": 1})
    described = streams.describe_stream(StreamArn=arn)["StreamDescription"]
    assert (described["StreamStatus"], described["StreamViewType"]) == ("ENABLED", "NEW_AND_OLD_IMAGES")
    iterator = streams.get_shard_iterator(
        StreamArn=arn, ShardId=described["Shards"][0]["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    got = streams.get_records(ShardIterator=iterator)
    assert [record["eventName"] for record in got["Records"]] == ["INSERT", "MODIFY", "REMOVE"]
    changed = got["Records"][1]["dynamodb"]
    assert (changed["OldImage"]["state"], changed["NewImage"]["state"]) == ({"S": "open"}, {"S": "done"})
    assert streams.get_records(ShardIterator=got["NextShardIterator"])["Records"] == []


def test_items_expire_in_virtual_time(start):
    server = start("--clock", "frozen=2026-03-02T12:00:00Z")
    client = server.client("dynamodb")
    client.create_table(
        TableName="sessions",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    client.update_time_to_live(
        TableName="sessions", TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"}
    )
    described = client.describe_time_to_live(TableName="sessions")["TimeToLiveDescription"]
    assert described == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
    at = client.describe_table(TableName="sessions")["Table"]["CreationDateTime"].timestamp()
    for name, after in (("short", 60), ("long", 7200)):
        client.put_item(TableName="sessions", Item={"id": {"S": name}, "expires": {"N": str(int(at) + after)}})
    server.admin("POST", "clock/advance", {"seconds": 3600})
    assert [item["id"]["S"] for item in client.scan(TableName="sessions")["Items"]] == ["long"]


def test_tables_are_made_listed_changed_and_deleted(dynamodb, table):
    client = table.meta.client
    described = client.describe_table(TableName="orders")["Table"]
    assert described["TableStatus"] == "ACTIVE"
    assert described["GlobalSecondaryIndexes"][0]["IndexStatus"] == "ACTIVE"
    arn = described["TableArn"]
    client.tag_resource(ResourceArn=arn, Tags=[{"Key": "team", "Value": "pix"}])
    assert client.list_tags_of_resource(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "pix"}]
    table.put_item(Item={"customer": "c", "number": 1, "kind": "x"})
    client.update_table(
        TableName="orders",
        AttributeDefinitions=[{"AttributeName": "kind", "AttributeType": "S"}],
        GlobalSecondaryIndexUpdates=[
            {
                "Create": {
                    "IndexName": "by-kind",
                    "KeySchema": [{"AttributeName": "kind", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            }
        ],
    )
    assert table.query(IndexName="by-kind", KeyConditionExpression=Key("kind").eq("x"))["Count"] == 1
    assert [found.name for found in dynamodb.tables.all()] == ["orders"]
    client.update_table(TableName="orders", DeletionProtectionEnabled=True)
    with pytest.raises(ClientError) as raised:
        table.delete()
    assert code(raised) == "ValidationException"
    client.update_table(TableName="orders", DeletionProtectionEnabled=False)
    table.delete()
    table.wait_until_not_exists()
    assert client.list_tables()["TableNames"] == []


def test_a_backup_keeps_the_items_of_its_time(table):
    client = table.meta.client
    table.put_item(Item={"customer": "c", "number": 1})
    backup = client.create_backup(TableName="orders", BackupName="before")["BackupDetails"]["BackupArn"]
    table.put_item(Item={"customer": "c", "number": 2})
    client.restore_table_from_backup(TargetTableName="restored", BackupArn=backup)
    client.get_waiter("table_exists").wait(TableName="restored")
    assert client.scan(TableName="restored")["Count"] == 1
    assert client.describe_table(TableName="restored")["Table"]["RestoreSummary"]["SourceBackupArn"] == backup


def test_errors_have_the_codes_and_texts_of_aws(table):
    client = table.meta.client
    with pytest.raises(client.exceptions.ResourceNotFoundException) as raised:
        client.get_item(TableName="none", Key={"p": "a"})
    assert raised.value.response["Error"]["Message"] == "Requested resource not found"
    with pytest.raises(client.exceptions.ResourceInUseException):
        client.create_table(
            TableName="orders",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
    with pytest.raises(ClientError) as raised:
        table.get_item(Key={"customer": "c"})
    assert code(raised) == "ValidationException"
    assert raised.value.response["Error"]["Message"] == "The provided key element does not match the schema"
    with pytest.raises(ClientError) as raised:
        table.update_item(Key={"customer": "c", "number": 1}, UpdateExpression="SET a = :none")
    assert "An expression attribute value used in expression is not defined" in str(raised.value)


def test_the_answer_carries_its_checksum(server, table):
    answer = table.meta.client.list_tables()["ResponseMetadata"]
    assert answer["HTTPHeaders"]["x-amz-crc32"].isdigit()
    assert len(answer["RequestId"]) == 52
