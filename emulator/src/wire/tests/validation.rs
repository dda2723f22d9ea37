//! Validation, word for word.

use serde_json::json;

use super::operation;
use crate::wire::validate;

fn check(service: &str, name: &str, input: serde_json::Value) -> Result<(), String> {
    validate(operation(service, name), &input).map_err(|error| format!("{}: {}", error.code(), error.message()))
}

#[test]
fn required_members() {
    let error = check("logs", "CreateLogStream", json!({"logStreamName": "s"})).unwrap_err();
    assert_eq!(
        error,
        "InvalidParameterException: 1 validation error detected: Value null at 'logGroupName' failed to satisfy constraint: Member must not be null"
    );
    let error = check(
        "logs",
        "PutLogEvents",
        json!({"logGroupName": "g", "logStreamName": "s", "logEvents": [{"timestamp": 1}]}),
    )
    .unwrap_err();
    assert!(
        error.ends_with(
            "Value null at 'logEvents.1.member.message' failed to satisfy constraint: Member must not be null"
        ),
        "{error}"
    );
    assert_eq!(check("lambda", "Invoke", json!({"FunctionName": "f"})), Ok(()));
}

#[test]
fn lengths_patterns_and_counts() {
    let error = check("logs", "CreateLogGroup", json!({"logGroupName": "a b"})).unwrap_err();
    assert_eq!(
        error,
        "InvalidParameterException: 1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+"
    );
    let long = "x".repeat(513);
    let error = check("logs", "CreateLogGroup", json!({"logGroupName": long})).unwrap_err();
    assert!(error.ends_with(
        "at 'logGroupName' failed to satisfy constraint: Member must have length less than or equal to 512"
    ));
    let error = check("logs", "CreateLogGroup", json!({"logGroupName": ""})).unwrap_err();
    assert_eq!(
        error,
        "InvalidParameterException: 2 validation errors detected: Value '' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+; Value '' at 'logGroupName' failed to satisfy constraint: Member must have length greater than or equal to 1"
    );
    let error = check("logs", "DescribeLogGroups", json!({"limit": 51})).unwrap_err();
    assert!(error.ends_with(
        "Value '51' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 50"
    ));
    let error = check("logs", "DescribeLogGroups", json!({"limit": 0})).unwrap_err();
    assert!(error.ends_with(
        "Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"
    ));
}

#[test]
fn enumerations() {
    let input = json!({"logGroupName": "g", "orderBy": "Size"});
    let error = check("logs", "DescribeLogStreams", input).unwrap_err();
    assert!(error.ends_with("Value 'Size' at 'orderBy' failed to satisfy constraint: Member must satisfy enum value set: [LogStreamName, LastEventTime]"), "{error}");
}

#[test]
fn elements_of_collections() {
    let input = json!({"UserName": "u", "Tags": [{"Key": "", "Value": "v"}]});
    let error = check("iam", "TagUser", input).unwrap_err();
    assert!(
        error.starts_with("ValidationError: 2 validation errors detected: Value '' at 'tags.1.member.key' failed"),
        "{error}"
    );
    let error = check("logs", "FilterLogEvents", json!({"logStreamNames": ["a", "b:c"]})).unwrap_err();
    assert!(error.ends_with("Value '[a, b:c]' at 'logStreamNames' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 512, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [^:*]*]"), "{error}");
    let input = json!({"logGroupName": "g", "tags": {"": "v"}});
    let error = check("logs", "CreateLogGroup", input).unwrap_err();
    assert!(error.contains("Value '{=v}' at 'tags' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 128, "), "{error}");
}

#[test]
fn secrets_are_not_shown() {
    let error = check("iam", "CreateLoginProfile", json!({"UserName": "u", "Password": ""})).unwrap_err();
    assert!(error.contains("Value at 'password' failed to satisfy constraint: "), "{error}");
}

#[test]
fn s3_answers_in_its_own_way() {
    assert_eq!(check("s3", "PutObject", json!({"Bucket": "b", "Key": "k"})), Ok(()));
    let error = check("s3", "CopyObject", json!({"Bucket": "b", "Key": "k"})).unwrap_err();
    assert_eq!(error, "InvalidRequest: Missing required header for this request: x-amz-copy-source");
    let error = check("s3", "DeleteObjects", json!({"Bucket": "b"})).unwrap_err();
    assert_eq!(error, "MissingRequestBodyError: Request Body is empty");
    let error = check("s3", "DeleteObjects", json!({"Bucket": "b", "Delete": {"Objects": [{}]}})).unwrap_err();
    assert!(error.starts_with("MalformedXML: "), "{error}");
}

#[test]
fn ecr_tells_the_first_violation() {
    let error = check("ecr", "CreateRepository", json!({"repositoryName": "a"})).unwrap_err();
    let text = "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must have length greater than or equal to 2'";
    assert_eq!(error, format!("InvalidParameterException: {text}"));
    let error = check("ecr", "BatchGetImage", json!({"repositoryName": "aa", "imageIds": []})).unwrap_err();
    let text = "Invalid parameter at 'imageIds' failed to satisfy constraint: 'Member must have length greater than or equal to 1'";
    assert_eq!(error, format!("InvalidParameterException: {text}"));
}
