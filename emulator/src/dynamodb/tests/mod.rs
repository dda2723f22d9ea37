//! DynamoDB through the front door, as its clients meet it.
#![allow(clippy::unwrap_used)]

mod composite;
mod elsewhere;
mod items;
mod lifetime;
mod paging;
mod place;
mod transactions;

use serde_json::{Value, json};

use crate::Error;
use crate::cloud::{Call, Caller, Cloud, Scope};

/// A cloud with tables in it.
struct Dynamo {
    cloud: Cloud,
    scope: Scope,
}

impl Dynamo {
    fn new() -> Self {
        let cloud = Cloud::builder().build();
        let scope = cloud.scope().clone();
        Self { cloud, scope }
    }

    /// A cloud with the table `t`: partition key `p`, sort key `s` if it says so.
    async fn with_table(sort: Option<&str>) -> Self {
        let dynamo = Self::new();
        dynamo.create("t", sort, json!({})).await;
        dynamo
    }

    /// Creates a table; `more` adds members to the request.
    async fn create(&self, name: &str, sort: Option<&str>, more: Value) {
        let mut definitions = vec![json!({"AttributeName": "p", "AttributeType": "S"})];
        let mut keys = vec![json!({"AttributeName": "p", "KeyType": "HASH"})];
        if let Some(kind) = sort {
            definitions.push(json!({"AttributeName": "s", "AttributeType": kind}));
            keys.push(json!({"AttributeName": "s", "KeyType": "RANGE"}));
        }
        let mut input = json!({"TableName": name, "KeySchema": keys, "BillingMode": "PAY_PER_REQUEST"});
        for (member, value) in more.as_object().unwrap() {
            match (member.as_str(), value) {
                ("AttributeDefinitions", Value::Array(more)) => definitions.extend(more.iter().cloned()),
                _ => input[member] = value.clone(),
            }
        }
        input["AttributeDefinitions"] = json!(definitions);
        self.ok("CreateTable", input).await;
    }

    async fn call(&self, service: &'static str, operation: &str, input: Value) -> Result<Value, Error> {
        let caller = Caller::root(&self.scope.account);
        let call = Call::new(service, operation, caller, self.scope.clone(), input);
        self.cloud.call(call).await.map(|reply| reply.output)
    }

    async fn ok(&self, operation: &str, input: Value) -> Value {
        self.call("dynamodb", operation, input).await.unwrap_or_else(|e| panic!("{operation}: {e}"))
    }

    async fn streams(&self, operation: &str, input: Value) -> Value {
        self.call("dynamodbstreams", operation, input).await.unwrap_or_else(|e| panic!("{operation}: {e}"))
    }

    async fn err(&self, operation: &str, input: Value) -> Error {
        match self.call("dynamodb", operation, input).await {
            Ok(output) => panic!("{operation} succeeded: {output}"),
            Err(error) => error,
        }
    }

    async fn put(&self, item: Value) {
        self.ok("PutItem", json!({"TableName": "t", "Item": item})).await;
    }

    async fn get(&self, key: Value) -> Option<Value> {
        self.ok("GetItem", json!({"TableName": "t", "Key": key})).await.get("Item").cloned()
    }

    async fn describe(&self, name: &str) -> Value {
        self.ok("DescribeTable", json!({"TableName": name})).await["Table"].clone()
    }
}

/// A text on the wire.
fn s(text: &str) -> Value {
    json!({"S": text})
}

/// A number on the wire.
fn n(number: i64) -> Value {
    json!({"N": number.to_string()})
}
