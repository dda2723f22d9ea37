"""KMS: keys, their states, aliases, tags and policies; the key that AWS manages for DynamoDB."""

import json

import pytest


@pytest.fixture
def kms(server):
    return server.client("kms")


def test_a_key_has_states_and_aliases(kms):
    key = kms.create_key(Description="orders", Tags=[{"TagKey": "team", "TagValue": "a"}])["KeyMetadata"]
    kms.create_alias(AliasName="alias/orders", TargetKeyId=key["KeyId"])
    assert kms.describe_key(KeyId="alias/orders")["KeyMetadata"]["Arn"] == key["Arn"]
    kms.disable_key(KeyId=key["Arn"])
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "Disabled"
    kms.enable_key(KeyId=key["KeyId"])
    assert kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)["KeyState"] == "PendingDeletion"
    with pytest.raises(kms.exceptions.KMSInvalidStateException):
        kms.enable_key(KeyId=key["KeyId"])
    assert kms.cancel_key_deletion(KeyId=key["KeyId"])["KeyId"] == key["Arn"]
    assert kms.list_resource_tags(KeyId=key["KeyId"])["Tags"] == [{"TagKey": "team", "TagValue": "a"}]
    kms.delete_alias(AliasName="alias/orders")
    with pytest.raises(kms.exceptions.NotFoundException):
        kms.describe_key(KeyId="alias/orders")


def test_keys_are_listed_page_by_page_and_have_a_policy(kms):
    made = {kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(5)}
    pages = kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 2})
    assert {key["KeyId"] for page in pages for key in page["Keys"]} == made
    key = made.pop()
    assert kms.list_key_policies(KeyId=key)["PolicyNames"] == ["default"]
    assert json.loads(kms.get_key_policy(KeyId=key)["Policy"])["Statement"][0]["Action"] == "kms:*"


def test_a_table_is_encrypted_with_the_key_that_aws_manages(server, kms):
    table = server.client("dynamodb").create_table(
        TableName="orders",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "p", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}],
        SSESpecification={"Enabled": True},
    )["TableDescription"]
    key = kms.describe_key(KeyId=table["SSEDescription"]["KMSMasterKeyArn"])["KeyMetadata"]
    assert key["KeyManager"] == "AWS"
    assert key["Description"] == "Default key that protects my DynamoDB data when no other key is defined"
    aliases = [page["AliasName"] for page in kms.list_aliases(KeyId=key["KeyId"])["Aliases"]]
    assert aliases == ["alias/aws/dynamodb"]
