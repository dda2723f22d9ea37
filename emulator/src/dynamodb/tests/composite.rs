//! Indexes with keys of several attributes, against a naive model.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Dynamo, n, s};

/// An item of the model: its key, and the index's attributes: two of the partition key, two of the sort key. A negative last
/// one is left out, so that the item is not in the index.
type Row = (u8, String, i64, String, i64);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    proptest::collection::vec((0u8..40, "[ab]", 0i64..2, "[xy]{0,2}", -2i64..4), 0..40)
}

fn item((id, a, b, x, y): &Row) -> Value {
    let mut item = json!({"p": s(&id.to_string()), "a": s(a), "b": n(*b)});
    if !x.is_empty() {
        item["x"] = s(x);
    }
    if *y >= 0 {
        item["y"] = n(*y);
    }
    item
}

async fn table() -> Dynamo {
    let dynamo = Dynamo::new();
    let definition = |(name, kind): (&str, &str)| json!({"AttributeName": name, "AttributeType": kind});
    let key = |(name, kind): (&str, &str)| json!({"AttributeName": name, "KeyType": kind});
    let definitions = [("a", "S"), ("b", "N"), ("x", "S"), ("y", "N")].map(definition);
    let keys = [("a", "HASH"), ("b", "HASH"), ("x", "RANGE"), ("y", "RANGE")].map(key);
    let more = json!({
        "AttributeDefinitions": definitions,
        "GlobalSecondaryIndexes": [{
            "IndexName": "i", "Projection": {"ProjectionType": "ALL"}, "KeySchema": keys,
        }],
    });
    dynamo.create("t", None, more).await;
    dynamo
}

/// The sort keys of all items that a query answers, page by page.
async fn found(dynamo: &Dynamo, condition: &str, values: &Value, limit: usize, forward: bool) -> Vec<(String, i64)> {
    let mut input = json!({
        "TableName": "t", "IndexName": "i", "KeyConditionExpression": condition, "ScanIndexForward": forward,
        "ExpressionAttributeValues": values, "Limit": limit,
    });
    let mut all = Vec::new();
    loop {
        let page = dynamo.ok("Query", input.clone()).await;
        all.extend(page["Items"].as_array().unwrap().iter().map(|item| {
            (item["x"]["S"].as_str().unwrap().to_owned(), item["y"]["N"].as_str().unwrap().parse().unwrap())
        }));
        match page.get("LastEvaluatedKey") {
            Some(key) => {
                assert_eq!(key.as_object().unwrap().len(), 5);
                input["ExclusiveStartKey"] = key.clone();
            }
            None => return all,
        }
    }
}

type Holds = fn(&str, i64) -> bool;

/// Conditions on the sort key, and what they mean.
const CONDITIONS: &[(&str, Holds)] = &[
    ("", |_, _| true),
    (" AND x = :x", |x, _| x == "x"),
    (" AND x > :x", |x, _| x > "x"),
    (" AND x >= :x", |x, _| x >= "x"),
    (" AND x < :z", |x, _| x < "xy"),
    (" AND x <= :z", |x, _| x <= "xy"),
    (" AND x BETWEEN :x AND :z", |x, _| ("x"..="xy").contains(&x)),
    (" AND begins_with(x, :x)", |x, _| x.starts_with('x')),
    (" AND x = :x AND y = :y", |x, y| x == "x" && y == 2),
    (" AND x = :x AND y > :y", |x, y| x == "x" && y > 2),
    (" AND y <= :y AND x = :x", |x, y| x == "x" && y <= 2),
    (" AND x = :x AND y BETWEEN :w AND :y", |x, y| x == "x" && (1..=2).contains(&y)),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn queries_answer_what_the_model_holds(rows in rows(), limit in 1usize..6, forward: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let dynamo = table().await;
            let mut model = BTreeMap::new();
            for row in &rows {
                dynamo.put(item(row)).await;
                model.insert(row.0, row.clone());
            }
            for (condition, holds) in CONDITIONS {
                let mut expected: Vec<(String, i64)> = model
                    .values()
                    .filter(|(_, a, b, x, y)| a == "a" && *b == 1 && !x.is_empty() && *y >= 0 && holds(x, *y))
                    .map(|(_, _, _, x, y)| (x.clone(), *y))
                    .collect();
                expected.sort();
                if !forward {
                    expected.reverse();
                }
                let mut values = json!({":a": s("a"), ":b": n(1)});
                let all = [(":x", s("x")), (":z", s("xy")), (":y", n(2)), (":w", n(1))];
                for (name, value) in all.iter().filter(|(name, _)| condition.contains(name)) {
                    values[name] = value.clone();
                }
                let text = format!("a = :a AND b = :b{condition}");
                assert_eq!(found(&dynamo, &text, &values, limit, forward).await, expected, "{text}");
            }
        });
    }
}

#[tokio::test]
async fn what_such_a_key_may_not_be_is_refused() {
    let dynamo = table().await;
    let key = |(name, kind): (&str, &str)| json!({"AttributeName": name, "KeyType": kind});
    let many: Vec<(&str, &str)> = vec![("p", "HASH"), ("a", "HASH"), ("b", "HASH"), ("x", "HASH"), ("y", "HASH")];
    for (keys, expected) in [
        (many, "More than 4"),
        (vec![("a", "HASH"), ("x", "RANGE"), ("b", "HASH")], "after a RANGE"),
        (vec![("a", "HASH"), ("x", "RANGE"), ("a", "RANGE")], "the same name"),
        (vec![("a", "RANGE")], "not a HASH"),
    ] {
        let kinds = [("p", "S"), ("a", "S"), ("b", "N"), ("x", "S"), ("y", "N")];
        let index = json!({
            "IndexName": "j", "Projection": {"ProjectionType": "ALL"},
            "KeySchema": keys.into_iter().map(key).collect::<Vec<_>>(),
        });
        let input = json!({
            "TableName": "t", "GlobalSecondaryIndexUpdates": [{"Create": index}],
            "AttributeDefinitions": kinds.map(|(name, kind)| json!({"AttributeName": name, "AttributeType": kind})),
        });
        let error = dynamo.err("UpdateTable", input).await;
        assert!(error.message().contains(expected), "{}", error.message());
    }
    let query = |condition: &str, values: Value| {
        json!({
            "TableName": "t", "IndexName": "i", "KeyConditionExpression": condition, "ExpressionAttributeValues": values,
        })
    };
    let error = dynamo.err("Query", query("a = :a", json!({":a": s("a")}))).await;
    assert_eq!(error.message(), "Query condition missed key schema element: b");
    let values = json!({":a": s("a"), ":b": n(1), ":y": n(1)});
    let error = dynamo.err("Query", query("a = :a AND b = :b AND y = :y", values)).await;
    assert_eq!(error.message(), "Query condition missed key schema element: x");
}

#[tokio::test]
async fn partiql_reads_such_an_index() {
    let dynamo = table().await;
    for row in [(1, "a".to_owned(), 1, "x".to_owned(), 2), (2, "a".to_owned(), 2, "x".to_owned(), 1)] {
        dynamo.put(item(&row)).await;
    }
    for (text, expected) in [
        (r#"SELECT p FROM "t"."i" WHERE a = 'a' AND b = 1 AND x = 'x' AND y > 1"#, 1),
        (r#"SELECT p FROM "t"."i" WHERE a = 'a' AND b = 1 AND y > 2"#, 0),
        (r#"SELECT p FROM "t"."i" WHERE a = 'a'"#, 2),
    ] {
        let answer = dynamo.ok("ExecuteStatement", json!({"Statement": text})).await;
        assert_eq!(answer["Items"].as_array().unwrap().len(), expected, "{text}");
    }
}
