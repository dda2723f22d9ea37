//! Single items: conditions, updates, sizes, indexes, capacity.

use serde_json::json;

use super::{Dynamo, n, s};

#[tokio::test]
async fn a_put_replaces_and_returns_what_was_there() {
    let dynamo = Dynamo::with_table(None).await;
    dynamo.put(json!({"p": s("a"), "x": n(1)})).await;
    let put = json!({"TableName": "t", "Item": {"p": s("a"), "y": n(2)}, "ReturnValues": "ALL_OLD"});
    assert_eq!(dynamo.ok("PutItem", put).await["Attributes"], json!({"p": s("a"), "x": n(1)}));
    assert_eq!(dynamo.get(json!({"p": s("a")})).await, Some(json!({"p": s("a"), "y": n(2)})));
    assert_eq!(dynamo.get(json!({"p": s("b")})).await, None);
}

#[tokio::test]
async fn a_condition_that_does_not_hold_changes_nothing_and_can_show_the_item() {
    let dynamo = Dynamo::with_table(None).await;
    dynamo.put(json!({"p": s("a"), "x": n(1)})).await;
    let put = json!({
        "TableName": "t", "Item": {"p": s("a"), "x": n(2)}, "ConditionExpression": "attribute_not_exists(p)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    });
    let error = dynamo.err("PutItem", put).await;
    assert_eq!(error.code(), "ConditionalCheckFailedException");
    assert_eq!(error.members()["Item"], json!({"p": s("a"), "x": n(1)}));
    assert_eq!(dynamo.get(json!({"p": s("a")})).await.unwrap()["x"], n(1));
}

#[tokio::test]
async fn an_update_makes_an_item_unless_it_only_takes_away() {
    let dynamo = Dynamo::with_table(None).await;
    let update = |text: &str| json!({"TableName": "t", "Key": {"p": s("a")}, "UpdateExpression": text});
    dynamo.ok("UpdateItem", update("REMOVE x")).await;
    assert_eq!(dynamo.get(json!({"p": s("a")})).await, None);
    let mut add = update("ADD x :one");
    add["ExpressionAttributeValues"] = json!({":one": n(1)});
    add["ReturnValues"] = json!("UPDATED_NEW");
    assert_eq!(dynamo.ok("UpdateItem", add.clone()).await["Attributes"], json!({"x": n(1)}));
    assert_eq!(dynamo.ok("UpdateItem", add).await["Attributes"], json!({"x": n(2)}));
}

#[tokio::test]
async fn an_item_has_400_kb_at_most_and_an_update_that_grows_it_is_refused() {
    let dynamo = Dynamo::with_table(None).await;
    let large = "x".repeat(400 * 1024 - "p".len() - "a".len() - "b".len());
    dynamo.put(json!({"p": s("a"), "b": s(&large)})).await;
    let put = json!({"TableName": "t", "Item": {"p": s("a"), "b": s(&format!("{large}x"))}});
    assert_eq!(dynamo.err("PutItem", put).await.message(), "Item size has exceeded the maximum allowed size");
    let update = json!({
        "TableName": "t", "Key": {"p": s("a")}, "UpdateExpression": "SET c = :c",
        "ExpressionAttributeValues": {":c": s("")},
    });
    let error = dynamo.err("UpdateItem", update).await;
    assert_eq!(error.message(), "Item size to update has exceeded the maximum allowed size");
    assert_eq!(dynamo.describe("t").await["TableSizeBytes"], json!(400 * 1024));
}

fn global(name: &str, attribute: &str, projection: serde_json::Value) -> serde_json::Value {
    json!({
        "IndexName": name, "KeySchema": [{"AttributeName": attribute, "KeyType": "HASH"}], "Projection": projection,
    })
}

#[tokio::test]
async fn an_index_is_sparse_follows_writes_and_holds_what_it_projects() {
    let dynamo = Dynamo::new();
    let more = json!({
        "AttributeDefinitions": [{"AttributeName": "g", "AttributeType": "S"}],
        "GlobalSecondaryIndexes": [
            global("keys", "g", json!({"ProjectionType": "KEYS_ONLY"})),
            global("some", "g", json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x"]})),
        ],
    });
    dynamo.create("t", None, more).await;
    dynamo.put(json!({"p": s("a"), "g": s("1"), "x": n(1), "y": n(1)})).await;
    dynamo.put(json!({"p": s("b"), "x": n(2)})).await;
    let query = |index: &str, value: &str| {
        json!({
            "TableName": "t", "IndexName": index, "KeyConditionExpression": "g = :g",
            "ExpressionAttributeValues": {":g": s(value)},
        })
    };
    assert_eq!(dynamo.ok("Query", query("keys", "1")).await["Items"], json!([{"g": s("1"), "p": s("a")}]));
    assert_eq!(dynamo.ok("Query", query("some", "1")).await["Items"], json!([{"g": s("1"), "p": s("a"), "x": n(1)}]));
    dynamo.put(json!({"p": s("a"), "g": s("2")})).await;
    assert_eq!(dynamo.ok("Query", query("keys", "1")).await["Count"], 0);
    assert_eq!(dynamo.ok("Query", query("keys", "2")).await["Count"], 1);
    let indexes = dynamo.describe("t").await["GlobalSecondaryIndexes"].clone();
    assert_eq!((&indexes[0]["ItemCount"], &indexes[0]["IndexSizeBytes"]), (&json!(1), &json!(4)));
    dynamo.ok("DeleteItem", json!({"TableName": "t", "Key": {"p": s("a")}})).await;
    assert_eq!(dynamo.ok("Query", query("keys", "2")).await["Count"], 0);
    assert_eq!(dynamo.describe("t").await["GlobalSecondaryIndexes"][0]["IndexSizeBytes"], 0);
}

#[tokio::test]
async fn a_new_index_holds_the_items_that_were_there_and_a_saved_table_has_its_indexes() {
    let dynamo = Dynamo::with_table(None).await;
    dynamo.put(json!({"p": s("a"), "g": s("1")})).await;
    dynamo.put(json!({"p": s("b"), "g": n(1)})).await;
    let update = json!({
        "TableName": "t", "AttributeDefinitions": [{"AttributeName": "g", "AttributeType": "S"}],
        "GlobalSecondaryIndexUpdates": [{"Create": global("i", "g", json!({"ProjectionType": "ALL"}))}],
    });
    dynamo.ok("UpdateTable", update).await;
    let scan = json!({"TableName": "t", "IndexName": "i"});
    let found = json!([{"g": s("1"), "p": s("a")}]);
    assert_eq!(dynamo.ok("Scan", scan.clone()).await["Items"], found);
    let saved = dynamo.cloud.save().unwrap();
    dynamo.ok("DeleteTable", json!({"TableName": "t"})).await;
    dynamo.cloud.load(saved).unwrap();
    assert_eq!(dynamo.ok("Scan", scan).await["Items"], found);
    assert_eq!(dynamo.describe("t").await["ItemCount"], 2);
}

#[tokio::test]
async fn writes_cost_a_unit_for_each_kilobyte_in_the_table_and_in_each_index_that_they_change() {
    let dynamo = Dynamo::new();
    let more = json!({
        "AttributeDefinitions": [{"AttributeName": "g", "AttributeType": "S"}],
        "GlobalSecondaryIndexes": [global("i", "g", json!({"ProjectionType": "KEYS_ONLY"}))],
    });
    dynamo.create("t", None, more).await;
    let put = |g: &str| {
        json!({
            "TableName": "t", "Item": {"p": s("a"), "g": s(g), "x": s(&"x".repeat(1500))}, "ReturnConsumedCapacity": "INDEXES",
        })
    };
    let consumed = dynamo.ok("PutItem", put("1")).await["ConsumedCapacity"].clone();
    assert_eq!(consumed["CapacityUnits"], 3.0);
    assert_eq!(consumed["Table"]["CapacityUnits"], 2.0);
    assert_eq!(consumed["GlobalSecondaryIndexes"]["i"]["CapacityUnits"], 1.0);
    // The entry did not change.
    assert_eq!(dynamo.ok("PutItem", put("1")).await["ConsumedCapacity"]["CapacityUnits"], 2.0);
    // It moved: one is deleted, one is put.
    assert_eq!(dynamo.ok("PutItem", put("2")).await["ConsumedCapacity"]["CapacityUnits"], 4.0);
}

#[tokio::test]
async fn a_table_may_be_named_by_its_arn_and_a_parameter_that_is_not_honoured_is_refused() {
    let dynamo = Dynamo::with_table(None).await;
    let arn = dynamo.describe("t").await["TableArn"].clone();
    dynamo.ok("PutItem", json!({"TableName": arn, "Item": {"p": s("a")}})).await;
    assert!(dynamo.get(json!({"p": s("a")})).await.is_some());
    let update = json!({"TableName": "t", "ReplicaUpdates": [{"Create": {"RegionName": "eu-west-1"}}]});
    let error = dynamo.err("UpdateTable", update).await;
    assert_eq!((error.status(), error.code()), (501, "NotImplemented"));
}
