//! Queries and scans against a naive model: whatever the size of their pages, they answer the same items in order.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Dynamo, n, s};

/// An item of the model: partition key, sort key, the index's keys where it has them.
type Row = (String, i64, Option<(String, i64)>);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let index = proptest::option::of(("[xy]", -3i64..3));
    proptest::collection::vec(("[abc]", -20i64..20, index), 0..60)
}

fn item((p, sort, index): &Row) -> Value {
    let mut item = json!({"p": s(p), "s": n(*sort)});
    if let Some((g, r)) = index {
        item["g"] = s(g);
        item["r"] = n(*r);
    }
    item
}

/// A table with these rows, a global index by `g` and `r`, and what the model holds.
async fn table(rows: &[Row]) -> (Dynamo, BTreeMap<(String, i64), Row>) {
    let dynamo = Dynamo::new();
    let definition = |name: &str, kind: &str| json!({"AttributeName": name, "AttributeType": kind});
    let more = json!({
        "AttributeDefinitions": [definition("g", "S"), definition("r", "N")],
        "GlobalSecondaryIndexes": [{
            "IndexName": "i", "Projection": {"ProjectionType": "ALL"},
            "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}, {"AttributeName": "r", "KeyType": "RANGE"}],
        }],
    });
    dynamo.create("t", Some("N"), more).await;
    let mut model = BTreeMap::new();
    for row in rows {
        dynamo.put(item(row)).await;
        model.insert((row.0.clone(), row.1), row.clone());
    }
    (dynamo, model)
}

/// All items of a query or scan, page by page. Every page but the last is full.
async fn all(dynamo: &Dynamo, operation: &str, mut input: Value, limit: usize) -> Vec<Value> {
    input["Limit"] = json!(limit);
    let mut found = Vec::new();
    loop {
        let page = dynamo.ok(operation, input.clone()).await;
        let items = page["Items"].as_array().unwrap().clone();
        assert_eq!(page["Count"], items.len());
        found.extend(items);
        match page.get("LastEvaluatedKey") {
            Some(key) => {
                assert_eq!(page["ScannedCount"], limit);
                input["ExclusiveStartKey"] = key.clone();
            }
            None => return found,
        }
    }
}

fn sorted(mut items: Vec<Value>) -> Vec<String> {
    items.sort_by_key(ToString::to_string);
    items.iter().map(ToString::to_string).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_page_size_answers_the_same_items_in_order(rows in rows(), limit in 1usize..9, low in -20i64..20, forward: bool) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let (dynamo, model) = table(&rows).await;
            let query = json!({
                "TableName": "t", "KeyConditionExpression": "p = :p AND s >= :low", "ScanIndexForward": forward,
                "ExpressionAttributeValues": {":p": s("a"), ":low": n(low)},
            });
            let mut expected: Vec<Value> =
                model.values().filter(|row| row.0 == "a" && row.1 >= low).map(item).collect();
            if !forward {
                expected.reverse();
            }
            assert_eq!(all(&dynamo, "Query", query, limit).await, expected);

            let scanned = all(&dynamo, "Scan", json!({"TableName": "t"}), limit).await;
            let whole = all(&dynamo, "Scan", json!({"TableName": "t"}), 1000).await;
            assert_eq!(scanned, whole);
            assert_eq!(sorted(scanned), sorted(model.values().map(item).collect()));
        });
    }

    #[test]
    fn an_index_answers_its_items_in_the_order_of_its_sort_key(rows in rows(), limit in 1usize..9, forward: bool) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let (dynamo, model) = table(&rows).await;
            let query = json!({
                "TableName": "t", "IndexName": "i", "KeyConditionExpression": "g = :g", "ScanIndexForward": forward,
                "ExpressionAttributeValues": {":g": s("x")},
            });
            let found = all(&dynamo, "Query", query.clone(), limit).await;
            assert_eq!(found, all(&dynamo, "Query", query, 1000).await);
            let in_index = |row: &&Row| row.2.as_ref().is_some_and(|(g, _)| g == "x");
            assert_eq!(sorted(found.clone()), sorted(model.values().filter(in_index).map(item).collect()));
            let ranges: Vec<i64> = found.iter().map(|item| item["r"]["N"].as_str().unwrap().parse().unwrap()).collect();
            let in_order = ranges.windows(2).all(|pair| if forward { pair[0] <= pair[1] } else { pair[0] >= pair[1] });
            assert!(in_order, "{ranges:?}");

            let mut segments = Vec::new();
            for segment in 0..3 {
                let scan = json!({"TableName": "t", "IndexName": "i", "Segment": segment, "TotalSegments": 3});
                segments.extend(all(&dynamo, "Scan", scan, limit).await);
            }
            assert_eq!(sorted(segments), sorted(model.values().filter(|row| row.2.is_some()).map(item).collect()));
        });
    }
}

#[tokio::test]
async fn a_page_ends_with_the_item_that_brings_it_to_a_megabyte() {
    let dynamo = Dynamo::with_table(Some("N")).await;
    for number in 0..5 {
        dynamo.put(json!({"p": s("a"), "s": n(number), "x": s(&"x".repeat(300_000))})).await;
    }
    let query = json!({
        "TableName": "t", "KeyConditionExpression": "p = :p", "ExpressionAttributeValues": {":p": s("a")}, "Select": "COUNT",
    });
    let page = dynamo.ok("Query", query).await;
    assert_eq!((&page["Count"], &page["LastEvaluatedKey"]), (&json!(4), &json!({"p": s("a"), "s": n(3)})));
    assert_eq!(page.get("Items"), None);
}

#[tokio::test]
async fn a_filter_hides_items_and_does_not_make_pages_longer() {
    let dynamo = Dynamo::with_table(Some("N")).await;
    for number in 0..10 {
        dynamo.put(json!({"p": s("a"), "s": n(number), "even": {"BOOL": number % 2 == 0}})).await;
    }
    let scan = json!({
        "TableName": "t", "FilterExpression": "even = :yes", "ExpressionAttributeValues": {":yes": {"BOOL": true}}, "Limit": 4,
    });
    let page = dynamo.ok("Scan", scan).await;
    assert_eq!((&page["Count"], &page["ScannedCount"]), (&json!(2), &json!(4)));
    assert_eq!(page["LastEvaluatedKey"], json!({"p": s("a"), "s": n(3)}));
}
