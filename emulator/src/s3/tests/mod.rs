//! S3 through the front door, as its clients meet it.
#![allow(clippy::unwrap_used)]

mod buckets;
mod configuration;
mod copy;
mod guarded;
mod lifecycle;
mod listing;
mod multipart;
mod objects;
mod saving;
mod versioning;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::Error;
use crate::cloud::{Call, Caller, Cloud, Reply, Scope};

/// The account of the tests.
const ACCOUNT: &str = "123456789012";

/// A cloud with one bucket, `bkt`.
struct S3 {
    cloud: Cloud,
    scope: Scope,
}

impl S3 {
    async fn new() -> Self {
        let cloud = Cloud::builder().build();
        let scope = cloud.scope().clone();
        let s3 = Self { cloud, scope };
        s3.ok("CreateBucket", json!({"Bucket": "bkt"})).await;
        s3
    }

    /// The same cloud, called by another account or in another region.
    fn at(&self, account: &str, region: &str) -> Self {
        Self { cloud: self.cloud.clone(), scope: Scope::new(account, region) }
    }

    async fn call(&self, operation: &str, input: Value, body: &[u8]) -> Result<Reply, Error> {
        let caller = Caller::root(&self.scope.account);
        let call = Call::new("s3", operation, caller, self.scope.clone(), input);
        self.cloud.call(call.with_body(Bytes::copy_from_slice(body))).await
    }

    async fn ok(&self, operation: &str, input: Value) -> Value {
        self.call(operation, input, b"").await.unwrap_or_else(|e| panic!("{operation}: {e}")).output
    }

    async fn err(&self, operation: &str, input: Value) -> Error {
        match self.call(operation, input, b"").await {
            Ok(reply) => panic!("{operation} succeeded: {:?}", reply.output),
            Err(error) => error,
        }
    }

    async fn put(&self, key: &str, body: &str) -> Value {
        let input = json!({"Bucket": "bkt", "Key": key});
        self.call("PutObject", input, body.as_bytes()).await.unwrap().output
    }

    async fn get(&self, key: &str) -> Result<String, Error> {
        let reply = self.call("GetObject", json!({"Bucket": "bkt", "Key": key}), b"").await?;
        Ok(String::from_utf8(reply.body.unwrap().to_vec()).unwrap())
    }

    /// Turns versioning on, or suspends it.
    async fn versioning(&self, status: &str) {
        let input = json!({"Bucket": "bkt", "VersioningConfiguration": {"Status": status}});
        self.ok("PutBucketVersioning", input).await;
    }
}

/// The input of an operation on `bkt`, with these members besides.
fn with(members: Value) -> Value {
    let mut input = json!({"Bucket": "bkt"});
    for (name, value) in members.as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

/// Asserts status and code.
fn is(error: &Error, status: u16, code: &str) {
    assert_eq!((error.status(), error.code()), (status, code), "{error}");
}

/// A member of each entry of a list, which is left out where it is empty.
fn column(list: &Value, member: &str) -> Vec<String> {
    list.as_array().into_iter().flatten().map(|entry| entry[member].as_str().unwrap().to_owned()).collect()
}
