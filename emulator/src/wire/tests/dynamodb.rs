//! What DynamoDB's front does in ways of its own.

use serde_json::json;

use super::{operation, read, request, text};
use crate::Error;
use crate::wire::{Protocol, encode, encode_error, validate};

fn refused(target: &str, body: &str) -> String {
    let target = format!("DynamoDB_20120810.{target}");
    let headers = [("x-amz-target", target.as_str()), ("content-type", "application/x-amz-json-1.0")];
    let error = read(&request("POST", "/", &headers, body.to_owned())).unwrap_err();
    format!("{}: {}", error.code(), error.message())
}

#[test]
fn wrong_types_are_refused_in_javas_words() {
    let said = |body: &str| refused("PutItem", body);
    let serialization = |text: &str| format!("SerializationException: {text}");
    assert_eq!(said(r#"{"TableName": 1}"#), serialization("NUMBER_VALUE cannot be converted to String"));
    assert_eq!(
        said(r#"{"Item": []}"#),
        serialization(
            "Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>"
        )
    );
    assert_eq!(said(r#"{"Item": {"a": 1}}"#), serialization("Unexpected value type in payload"));
    assert_eq!(
        said(r#"{"Item": {"a": {"B": "abc"}}}"#),
        serialization("Base64 encoded length is expected a multiple of 4 bytes but found: 3")
    );
    assert_eq!(said("{"), serialization(""));
}

#[test]
fn tables_are_named_or_given_by_their_arns() {
    let check = |name: &str| {
        let input = json!({"TableName": name, "Key": {}});
        validate(operation("dynamodb", "GetItem"), &input).map_err(|error| error.message().to_owned())
    };
    assert_eq!(check("abc"), Ok(()));
    assert_eq!(check("arn:aws:dynamodb:us-east-1:123456789012:table/abc"), Ok(()));
    assert_eq!(
        check("a;").unwrap_err(),
        "2 validation errors detected: Value 'a;' at 'tableName' failed to satisfy constraint: Member must satisfy regular \
         expression pattern: [a-zA-Z0-9_.-]+; Value 'a;' at 'tableName' failed to satisfy constraint: Member must have \
         length greater than or equal to 3"
    );
    let error = validate(operation("dynamodb", "CreateTable"), &json!({})).unwrap_err();
    assert_eq!(error.message(), "The parameter 'TableName' is required but was not present in the request");
}

#[test]
fn answers_carry_their_checksum_and_errors_the_namespace_of_their_layer() {
    let of = operation("dynamodb", "ListTables");
    let answer = encode(Protocol::AwsJson10, of, &super::reply(json!({"TableNames": []})), "id");
    assert_eq!(text(&answer), r#"{"TableNames":[]}"#);
    assert_eq!(answer.headers()["x-amz-crc32"], "1315925753");
    assert_eq!(answer.headers()["x-amzn-requestid"].len(), 52);
    let error = Error::client("ResourceNotFoundException", "none");
    let answer = encode_error(Protocol::AwsJson10, "dynamodb", Some(of), &error, "id");
    assert_eq!(
        text(&answer),
        r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"none"}"#
    );
}
