//! Transactions and batches.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Dynamo, n, s};

fn put(p: &str, x: i64) -> Value {
    json!({"Put": {"TableName": "t", "Item": {"p": s(p), "x": n(x)}}})
}

fn transaction(items: Vec<Value>) -> Value {
    json!({"TransactItems": items})
}

#[tokio::test]
async fn a_transaction_writes_all_or_nothing_and_says_why() {
    let dynamo = Dynamo::with_table(None).await;
    dynamo.put(json!({"p": s("a"), "x": n(1)})).await;
    let check = json!({"ConditionCheck": {
        "TableName": "t", "Key": {"p": s("a")}, "ConditionExpression": "x = :two",
        "ExpressionAttributeValues": {":two": n(2)}, "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }});
    let error = dynamo.err("TransactWriteItems", transaction(vec![put("b", 1), check])).await;
    assert_eq!(error.code(), "TransactionCanceledException");
    assert_eq!(
        error.message(),
        "Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]"
    );
    let reasons = &error.members()["CancellationReasons"];
    assert_eq!(reasons[0], json!({"Code": "None"}));
    assert_eq!(reasons[1]["Item"], json!({"p": s("a"), "x": n(1)}));
    assert_eq!(dynamo.get(json!({"p": s("b")})).await, None);

    dynamo.ok("TransactWriteItems", transaction(vec![put("b", 1), put("c", 2)])).await;
    let get = |p: &str| json!({"Get": {"TableName": "t", "Key": {"p": s(p)}}});
    let got = dynamo.ok("TransactGetItems", transaction(vec![get("b"), get("none"), get("c")])).await;
    assert_eq!(got["Responses"], json!([{"Item": {"p": s("b"), "x": n(1)}}, {}, {"Item": {"p": s("c"), "x": n(2)}}]));
}

#[tokio::test]
async fn one_item_may_be_in_a_transaction_once() {
    let dynamo = Dynamo::with_table(None).await;
    let delete = json!({"Delete": {"TableName": "t", "Key": {"p": s("a")}}});
    let error = dynamo.err("TransactWriteItems", transaction(vec![put("a", 1), delete])).await;
    assert_eq!(error.message(), "Transaction request cannot include multiple operations on one item");
}

#[tokio::test]
async fn a_token_stands_for_one_request_for_ten_minutes() {
    let dynamo = Dynamo::with_table(None).await;
    let update = json!({"Update": {
        "TableName": "t", "Key": {"p": s("a")}, "UpdateExpression": "ADD x :one",
        "ExpressionAttributeValues": {":one": n(1)},
    }});
    let mut request = transaction(vec![update]);
    request["ClientRequestToken"] = json!("token");
    for _ in 0..3 {
        dynamo.ok("TransactWriteItems", request.clone()).await;
    }
    assert_eq!(dynamo.get(json!({"p": s("a")})).await.unwrap()["x"], n(1));
    let mut other = transaction(vec![put("b", 1)]);
    other["ClientRequestToken"] = json!("token");
    let error = dynamo.err("TransactWriteItems", other.clone()).await;
    assert_eq!(error.code(), "IdempotentParameterMismatchException");
    dynamo.cloud.advance(Duration::from_secs(601)).await.unwrap();
    dynamo.ok("TransactWriteItems", other).await;
}

#[tokio::test]
async fn a_batch_is_checked_as_a_whole_and_names_an_item_once() {
    let dynamo = Dynamo::with_table(None).await;
    let write = |p: &str| json!({"PutRequest": {"Item": {"p": s(p)}}});
    let batch = |writes: Vec<Value>| json!({"RequestItems": {"t": writes}});
    let error = dynamo.err("BatchWriteItem", batch(vec![write("a"), write("a")])).await;
    assert_eq!(error.message(), "Provided list of item keys contains duplicates");
    assert_eq!(dynamo.get(json!({"p": s("a")})).await, None);
    let written = dynamo.ok("BatchWriteItem", batch(vec![write("a"), write("b")])).await;
    assert_eq!(written["UnprocessedItems"], json!({}));
    let keys = json!({"RequestItems": {"t": {"Keys": [{"p": s("b")}, {"p": s("z")}, {"p": s("a")}]}}});
    let got = dynamo.ok("BatchGetItem", keys).await;
    assert_eq!(got["Responses"]["t"], json!([{"p": s("b")}, {"p": s("a")}]));
}

#[tokio::test]
async fn what_does_not_fit_into_the_answer_of_a_batch_is_left_unprocessed() {
    let dynamo = Dynamo::with_table(None).await;
    let names: Vec<String> = (0..45).map(|number| format!("{number:02}")).collect();
    for name in &names {
        dynamo.put(json!({"p": s(name), "x": s(&"x".repeat(390_000))})).await;
    }
    let keys: Vec<Value> = names.iter().map(|name| json!({"p": s(name)})).collect();
    let mut wanted = json!({"t": {"Keys": keys, "ConsistentRead": true}});
    let (mut found, mut rounds) = (0, 0);
    while wanted != json!({}) {
        let got = dynamo.ok("BatchGetItem", json!({"RequestItems": wanted})).await;
        found += got["Responses"]["t"].as_array().unwrap().len();
        wanted = got["UnprocessedKeys"].clone();
        rounds += 1;
    }
    // Three of these items are more than a megabyte, which is what a table answers at once.
    assert_eq!((found, rounds), (45, 15));
}

#[tokio::test]
async fn partiql_statements_mean_what_the_other_operations_mean() {
    let dynamo = Dynamo::with_table(Some("N")).await;
    let execute = |text: &str, parameters: Vec<Value>| {
        let mut input = json!({"Statement": text});
        if !parameters.is_empty() {
            input["Parameters"] = json!(parameters);
        }
        input
    };
    for number in 0..4 {
        let insert = execute("INSERT INTO t VALUE {'p': 'a', 's': ?, 'tags': <<'x', 'y'>>}", vec![n(number)]);
        dynamo.ok("ExecuteStatement", insert).await;
    }
    let again = execute("INSERT INTO t VALUE {'p': 'a', 's': 0}", vec![]);
    assert_eq!(dynamo.err("ExecuteStatement", again).await.code(), "DuplicateItemException");
    let select = "SELECT s FROM \"t\" WHERE p = 'a' AND s BETWEEN 1 AND ? AND tags IS NOT MISSING ORDER BY s DESC";
    let found = dynamo.ok("ExecuteStatement", execute(select, vec![n(2)])).await;
    assert_eq!(found["Items"], json!([{"s": n(2)}, {"s": n(1)}]));
    let update =
        execute("UPDATE t SET x = 1 SET y = 'z' REMOVE tags WHERE p = 'a' AND s = 1 RETURNING ALL NEW *", vec![]);
    let changed = dynamo.ok("ExecuteStatement", update).await;
    assert_eq!(changed["Items"], json!([{"p": s("a"), "s": n(1), "x": n(1), "y": s("z")}]));
    let other = execute("UPDATE t SET x = 1 WHERE p = 'b' AND s = 1", vec![]);
    assert_eq!(dynamo.err("ExecuteStatement", other).await.code(), "ConditionalCheckFailedException");
    dynamo.ok("ExecuteStatement", execute("DELETE FROM t WHERE p = 'a' AND s = 3", vec![])).await;
    let rest = execute("select s from t where x = 1 or not (s < 2)", vec![]);
    assert_eq!(dynamo.ok("ExecuteStatement", rest).await["Items"], json!([{"s": n(1)}, {"s": n(2)}]));
    let few = dynamo.err("ExecuteStatement", execute("DELETE FROM t WHERE p = ? AND s = ?", vec![n(1)])).await;
    assert_eq!(few.message(), "Number of parameters in request and statement don't match.");
    let deep = execute(&format!("SELECT * FROM t WHERE {}x = 1{}", "(".repeat(500), ")".repeat(500)), vec![]);
    assert_eq!(dynamo.err("ExecuteStatement", deep).await.code(), "ValidationException");
}

#[tokio::test]
async fn a_transaction_of_statements_is_done_as_a_whole() {
    let dynamo = Dynamo::with_table(None).await;
    dynamo.put(json!({"p": s("a")})).await;
    let both = json!({"TransactStatements": [
        {"Statement": "INSERT INTO t VALUE {'p': 'b'}"}, {"Statement": "INSERT INTO t VALUE {'p': 'a'}"},
    ]});
    let error = dynamo.err("ExecuteTransaction", both).await;
    assert_eq!(error.code(), "TransactionCanceledException");
    assert_eq!(dynamo.get(json!({"p": s("b")})).await, None);
    // The same request again under its token is not done again; reads answer their items, writes nothing.
    let insert = |key: &str| {
        json!({"ClientRequestToken": "token", "TransactStatements": [
            {"Statement": "INSERT INTO t VALUE {'p': ?}", "Parameters": [s(key)]},
        ]})
    };
    for _ in 0..2 {
        assert_eq!(dynamo.ok("ExecuteTransaction", insert("c")).await["Responses"], json!([]));
    }
    let other = dynamo.err("ExecuteTransaction", insert("d")).await;
    assert_eq!(other.code(), "IdempotentParameterMismatchException");
    let read = json!({"ClientRequestToken": "other", "TransactStatements": [
        {"Statement": "SELECT * FROM t WHERE p = 'c'"},
    ]});
    let read = dynamo.ok("ExecuteTransaction", read).await["Responses"].clone();
    assert_eq!(read, json!([{"Item": {"p": s("c")}}]));
    let batch = json!({"Statements": [
        {"Statement": "SELECT * FROM t WHERE p = 'a'"}, {"Statement": "SELECT * FROM t"}, {"Statement": "SELECT * FROM u WHERE p = 'a'"},
    ]});
    let responses = dynamo.ok("BatchExecuteStatement", batch).await["Responses"].clone();
    assert_eq!(responses[0], json!({"TableName": "t", "Item": {"p": s("a")}}));
    assert_eq!(responses[1]["Error"]["Code"], "ValidationError");
    assert_eq!(responses[2]["Error"]["Code"], "ResourceNotFound");
}
