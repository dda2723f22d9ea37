//! What DynamoDB's front does in ways of its own: its words for values of the wrong type, the namespaces of its errors,
//! its limits on table names, and the checksum of its answers.
//!
//! Facts: answers of the service as client libraries and the public test suites for DynamoDB record them, and
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html>.

use crc_fast::CrcAlgorithm;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE, ORIGIN};
use http::{HeaderMap, HeaderValue};
use serde_json::{Map, Number, Value};

use crate::model::{Kind, Member, Model, OperationModel, Shape};
use crate::{Error, Result};

/// The header with the CRC-32 of the body that each answer carries.
pub(super) const CRC32_HEADER: &str = "x-amz-crc32";
/// The namespace of the errors that the service's model has.
const NAMESPACE: &str = "com.amazonaws.dynamodb.v20120810";
/// The most violations that one answer lists.
pub(super) const MAX_VIOLATIONS: usize = 10;
/// A table's name has so many characters.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>
const TABLE_NAME: std::ops::RangeInclusive<usize> = 3..=255;
/// The most elements of a table's key schema.
const MAX_KEY_SCHEMA: usize = 2;
/// The operations that say that a table's name is missing or of the wrong length before all else.
const NAME_FIRST: [&str; 5] = ["CreateTable", "DeleteTable", "DescribeTable", "DescribeTimeToLive", "UpdateTable"];
/// The operations that look at the resource's ARN before all else.
const ARN_FIRST: [&str; 3] = ["ListTagsOfResource", "TagResource", "UntagResource"];
/// A request has at most so many bytes.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const MAX_BODY: usize = 16 << 20;
/// What is wrong with a value that is neither list nor map where a list or map stands in another one.
const CAST: &str = "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to class \
    java.lang.Class (sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and java.lang.Class are in module \
    java.base of loader 'bootstrap')";

/// Whether this is DynamoDB or its streams.
pub(super) fn is(service: &str) -> bool {
    matches!(service, "dynamodb" | "dynamodbstreams")
}

/// Refuses a request that is too large.
pub(super) fn check_size(body: &[u8]) -> Result<()> {
    if body.len() <= MAX_BODY {
        return Ok(());
    }
    Err(Error::new(413, "RequestEntityTooLarge", "The request is larger than 16 MB"))
}

/// Gives an answer the headers that depend on the request: the content type that it was sent in, and the leave for
/// browsers to read it.
pub(super) fn dress(request: &HeaderMap, response: &mut HeaderMap) {
    let asked = request.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !asked.trim_start().starts_with("application/x-amz-json") {
        response.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if request.contains_key(ORIGIN) {
        response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
}

/// Takes a value that is of another type than the model's, where the service is lenient; the error's text where it is not.
pub(super) fn coerce(model: &Model, shape: &Shape, member: Option<&Member>, value: &mut Value) -> Result<(), String> {
    match (&shape.kind, &*value) {
        (Kind::Boolean, Value::String(text)) => {
            *value = Value::Bool(boolean(text).ok_or("Unexpected token received from parser")?);
            Ok(())
        }
        (Kind::Integer { long }, Value::Number(number)) => {
            *value = Value::Number(whole(number, *long).ok_or_else(|| mismatch(model, shape, member, value))?);
            Ok(())
        }
        (Kind::Blob, Value::String(text)) => Err(bad_base64(text)),
        _ => Err(mismatch(model, shape, member, value)),
    }
}

fn boolean(text: &str) -> Option<bool> {
    let is = |words: [&str; 3]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is(["true", "yes", "1"]) { Some(true) } else { is(["false", "no", "0"]).then_some(false) }
}

/// A number with a fraction is rounded down.
fn whole(number: &Number, long: bool) -> Option<Number> {
    let floor = number.as_f64()?.floor();
    let within = if long { floor.abs() < 9.2e18 } else { floor.abs() <= f64::from(i32::MAX) };
    within.then(|| Number::from(floor as i64))
}

fn bad_base64(text: &str) -> String {
    if !text.len().is_multiple_of(4) {
        return format!("Base64 encoded length is expected a multiple of 4 bytes but found: {}", text.len());
    }
    "Invalid last non-pad Base64 character dectected".to_owned()
}

/// The service's words for a value of the wrong type: Java's, which tell the place from the type there.
fn mismatch(model: &Model, shape: &Shape, member: Option<&Member>, value: &Value) -> String {
    let nested = member.is_some_and(|member| matches!(member.name, "member" | "value"));
    match (&shape.kind, value) {
        (Kind::Structure(_) | Kind::Map(..), Value::Array(_)) => {
            format!("Unrecognized collection type {}", java_type(model, shape))
        }
        (Kind::Structure(_), _) if nested => "Unexpected value type in payload".to_owned(),
        (Kind::List(_), Value::Object(_)) => "Start of structure or map found where not expected".to_owned(),
        (Kind::List(_) | Kind::Map(..), _) if nested => CAST.to_owned(),
        (Kind::Structure(_) | Kind::List(_) | Kind::Map(..), _) => "Unexpected field type".to_owned(),
        (_, Value::Array(_)) => format!("Unrecognized collection type {}", java_type(model, shape)),
        (_, Value::Object(_)) => "Start of structure or map found where not expected".to_owned(),
        (Kind::Blob, _) => "only base-64-encoded strings are convertible to bytes".to_owned(),
        (Kind::Timestamp, _) => "Unexpected field type".to_owned(),
        _ => format!("{} cannot be converted to {}", token(value), simple_name(shape)),
    }
}

fn token(value: &Value) -> &'static str {
    match value {
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(number) if number.is_f64() => "DECIMAL_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        _ => "NULL_VALUE",
    }
}

fn simple_name(shape: &Shape) -> &'static str {
    match &shape.kind {
        Kind::Integer { long: false } => "Integer",
        Kind::Integer { long: true } => "Long",
        Kind::Float => "Double",
        Kind::Boolean => "Boolean",
        _ => "String",
    }
}

/// A type as Java prints it: `class` stands before all but parameterised ones.
fn java_type(model: &Model, shape: &Shape) -> String {
    match &shape.kind {
        Kind::List(_) | Kind::Map(..) => java_name(model, shape),
        _ => format!("class {}", java_name(model, shape)),
    }
}

fn java_name(model: &Model, shape: &Shape) -> String {
    match &shape.kind {
        Kind::Structure(_) => format!("{NAMESPACE}.{}", shape.name),
        Kind::List(element) => format!("java.util.List<{}>", java_name(model, model.shape(element.shape))),
        Kind::Map(_, element) => {
            format!("java.util.Map<java.lang.String, {}>", java_name(model, model.shape(element.shape)))
        }
        Kind::Blob => "java.nio.ByteBuffer".to_owned(),
        _ => format!("java.lang.{}", simple_name(shape)),
    }
}

/// What is checked before the model's constraints; whether these are to be checked then.
pub(super) fn check_first(operation: &OperationModel, input: &Map<String, Value>) -> Result<bool> {
    if ARN_FIRST.contains(&operation.name) {
        let Some(arn) = input.get("ResourceArn").and_then(Value::as_str) else {
            return Err(Error::client("ValidationException", "Invalid TableArn"));
        };
        // What is no ARN is denied before the rest is looked at: the operation does so.
        return Ok(arn.contains(":table/"));
    }
    if !NAME_FIRST.contains(&operation.name) {
        return Ok(true);
    }
    let Some(name) = input.get("TableName").and_then(Value::as_str) else {
        let message = "The parameter 'TableName' is required but was not present in the request";
        return Err(Error::client("ValidationException", message));
    };
    let is_arn = operation.name != "CreateTable" && name.starts_with("arn:");
    if !is_arn && !TABLE_NAME.contains(&name.chars().count()) {
        let message = "TableName must be at least 3 characters long and at most 255 characters long";
        return Err(Error::client("ValidationException", message));
    }
    Ok(true)
}

/// The constraints that a table's name breaks: the model has only those of an ARN.
pub(super) fn table_name(shape: &Shape, name: &str) -> Vec<String> {
    if shape.name != "TableArn" || name.starts_with("arn:") {
        return Vec::new();
    }
    let is_whole =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
    let length = name.chars().count();
    if is_whole && TABLE_NAME.contains(&length) {
        return Vec::new();
    }
    let mut broken = Vec::new();
    let [max, min, pattern] = table_name_constraints();
    if !is_whole {
        broken.push(pattern);
    }
    if length < *TABLE_NAME.start() {
        broken.push(min);
    }
    if length > *TABLE_NAME.end() {
        broken.push(max);
    }
    broken
}

/// All constraints on a table's name, as a map that has such names for keys reports them.
pub(super) fn table_name_constraints() -> [String; 3] {
    [
        format!("Member must have length less than or equal to {}", TABLE_NAME.end()),
        format!("Member must have length greater than or equal to {}", TABLE_NAME.start()),
        "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+".to_owned(),
    ]
}

/// The constraint on a table's key schema that the model lacks.
pub(super) fn key_schema(path: &str, value: &Value) -> Option<String> {
    let long = (path == "keySchema" || path.starts_with("localSecondaryIndexes."))
        && value.as_array().is_some_and(|elements| elements.len() > MAX_KEY_SCHEMA);
    long.then(|| format!("Member must have length less than or equal to {MAX_KEY_SCHEMA}"))
}

/// Whether an operation requires a member that its model does not.
pub(super) fn requires(structure: &str, member: &str) -> bool {
    matches!(
        (structure, member),
        ("CreateTableInput", "AttributeDefinitions" | "KeySchema")
            | ("UpdateGlobalSecondaryIndexAction", "ProvisionedThroughput")
    )
}

/// The `__type` of an error, with the namespace of the layer that raised it.
pub(super) fn qualified(code: &str) -> String {
    let namespace = match code {
        "ValidationException" => "com.amazon.coral.validate",
        "ThrottlingException" => "com.amazon.coral.availability",
        "AccessDeniedException"
        | "ExpiredTokenException"
        | "IncompleteSignatureException"
        | "InternalFailure"
        | "InvalidSignatureException"
        | "MissingAuthenticationTokenException"
        | "SerializationException"
        | "UnknownOperationException"
        | "UnrecognizedClientException" => "com.amazon.coral.service",
        _ => NAMESPACE,
    };
    format!("{namespace}#{code}")
}

/// How an error spells its message where no shape says: with a capital in what the layers above the service refuse.
pub(super) fn message_name(code: &str) -> &'static str {
    if matches!(code, "SerializationException" | "AccessDeniedException") { "Message" } else { "message" }
}

/// The CRC-32 of a body, in decimal.
pub(super) fn crc32(body: &[u8]) -> u64 {
    crc_fast::checksum(CrcAlgorithm::Crc32IsoHdlc, body)
}

/// A request's id in the service's form: 52 digits and capitals, that is 256 bits in base 32.
pub(super) fn request_id(id: &str) -> String {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHIJKLMNOPQRSTUV";
    // The id is unique already: it is spread over the digits, and that costs next to nothing.
    let mut spread = id
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |spread, byte| (spread ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mut out = String::with_capacity(52);
    for _ in 0..52 {
        spread ^= spread << 13;
        spread ^= spread >> 7;
        spread ^= spread << 17;
        out.push(char::from(DIGITS[(spread >> 59) as usize]));
    }
    out
}
