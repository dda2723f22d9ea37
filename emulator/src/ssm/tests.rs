//! Names, paths, expiry and permissions of parameters, without a socket.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use serde_json::{Value, json};

use super::names::{Name, below};
use crate::Result;
use crate::cloud::{Call, Caller, Cloud};

fn cloud() -> Cloud {
    Cloud::builder().build()
}

async fn call(cloud: &Cloud, operation: &str, input: Value) -> Result<Value> {
    let call = Call::new("ssm", operation.to_owned(), Caller::root("123456789012"), cloud.scope().clone(), input);
    cloud.call(call).await.map(|reply| reply.output)
}

#[test]
fn a_name_is_taken_apart_and_one_with_and_without_a_slash_is_the_same() {
    for (text, key, given, selector) in [
        ("a", "/a", "a", None),
        ("/a", "/a", "/a", None),
        ("/a/b:3", "/a/b", "/a/b", Some("3")),
        ("arn:aws:ssm:us-east-1:123456789012:parameter/a", "/a", "a", None),
        ("arn:aws:ssm:us-east-1:123456789012:parameter/a/b:prod", "/a/b", "/a/b", Some("prod")),
    ] {
        let name = Name::of(text);
        assert_eq!((&*name.key, &*name.given, name.selector.as_deref()), (key, given, selector), "{text}");
    }
    for unfit in ["a/b", "/a//b", "//a", "/a b", "é"] {
        assert!(Name::of(unfit).check().is_err(), "{unfit}");
    }
    assert_eq!(below("/a/").unwrap(), "/a/");
    assert_eq!(below("/").unwrap(), "/");
    assert!(below("a").is_err());
}

#[tokio::test]
async fn one_level_of_a_path_is_walked_without_what_lies_deeper() {
    let cloud = cloud();
    for name in ["/p/a", "/p/b/x", "/p/b/y/z", "/p/b0", "/p/c", "/pp", "/p-1/q", "plain"] {
        call(&cloud, "PutParameter", json!({"Name": name, "Value": "v", "Type": "String"})).await.unwrap();
    }
    let names = async |path: &str, deep: bool| {
        let mut names = Vec::new();
        let mut token = Value::Null;
        loop {
            let mut input = json!({"Path": path, "Recursive": deep, "MaxResults": 2});
            if !token.is_null() {
                input["NextToken"] = token.clone();
            }
            let page = call(&cloud, "GetParametersByPath", input).await.unwrap();
            names.extend(
                page["Parameters"].as_array().unwrap().iter().map(|one| one["Name"].as_str().unwrap().to_owned()),
            );
            token = page["NextToken"].clone();
            if token.is_null() {
                return names;
            }
        }
    };
    assert_eq!(names("/p", false).await, ["/p/a", "/p/b0", "/p/c"]);
    assert_eq!(names("/p/", true).await, ["/p/a", "/p/b/x", "/p/b/y/z", "/p/b0", "/p/c"]);
    assert_eq!(names("/", false).await, ["plain", "/pp"]);
}

#[tokio::test]
async fn an_advanced_parameter_ends_when_its_policy_says() {
    let cloud = cloud();
    let policy = r#"[{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"2026-01-02T00:00:00.000Z"}}]"#;
    let input = json!({"Name": "/e", "Value": "v", "Type": "String", "Tier": "Advanced", "Policies": policy});
    call(&cloud, "PutParameter", input).await.unwrap();
    cloud.advance(Duration::from_secs(23 * 3600)).await.unwrap();
    call(&cloud, "GetParameter", json!({"Name": "/e"})).await.unwrap();
    cloud.advance(Duration::from_secs(3600)).await.unwrap();
    let gone = call(&cloud, "GetParameter", json!({"Name": "/e"})).await.unwrap_err();
    assert_eq!(gone.code(), "ParameterNotFound");
}

#[tokio::test]
async fn the_oldest_of_a_hundred_versions_goes_unless_it_has_a_label() {
    let cloud = cloud();
    let put = json!({"Name": "/v", "Value": "v", "Type": "String", "Overwrite": true});
    for _ in 0..101 {
        call(&cloud, "PutParameter", put.clone()).await.unwrap();
    }
    let gone = call(&cloud, "GetParameter", json!({"Name": "/v:1"})).await.unwrap_err();
    assert_eq!(gone.code(), "ParameterVersionNotFound");
    call(&cloud, "LabelParameterVersion", json!({"Name": "/v", "ParameterVersion": 2, "Labels": ["kept"]}))
        .await
        .unwrap();
    let full = call(&cloud, "PutParameter", put).await.unwrap_err();
    assert_eq!(full.code(), "ParameterMaxVersionLimitExceeded");
}
