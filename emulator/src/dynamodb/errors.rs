//! The errors of DynamoDB that more than one operation answers with.
//!
//! Model: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>

use dynamodb_expressions::Item;

use super::shown;
use crate::Error;

/// A request that is wrong.
pub(super) fn validation(message: impl Into<String>) -> Error {
    Error::client("ValidationException", message)
}

/// A parameter that is wrong: AWS begins most of these texts alike.
pub(super) fn parameter(message: impl std::fmt::Display) -> Error {
    validation(format!("One or more parameter values were invalid: {message}"))
}

/// What a refusal of the writing of one item says more since 2025, if its text has one of these pieces. Refusals of
/// batches, transactions and reads do not, as tests of moto show that were run at AWS.
pub(super) fn detected(error: Error, pieces: &[&str]) -> Error {
    if error.code() == "ValidationException" && pieces.iter().any(|piece| error.message().contains(piece)) {
        return validation(format!("1 validation error detected: {}", error.message()));
    }
    error
}

/// An expression does not use what it is given.
pub(super) const UNUSED: &str = " unused in expressions: keys: ";
/// A set has no elements.
pub(super) const EMPTY_SET: &str = " set  may not be empty";

/// There is no such table, says an operation on items.
pub(super) fn not_found() -> Error {
    Error::client("ResourceNotFoundException", "Requested resource not found")
}

/// There is no such table, says an operation on tables.
pub(super) fn no_table(name: &str) -> Error {
    let message = format!("Requested resource not found: Table: {name} not found");
    Error::client("ResourceNotFoundException", message)
}

/// There is no resource of this ARN, says an operation on tags or policies.
pub(super) fn no_resource(arn: &str) -> Error {
    Error::client("ResourceNotFoundException", format!("Requested resource not found: ResourcArn: {arn} not found"))
}

/// What is there may not be changed now.
pub(super) fn in_use(message: impl Into<String>) -> Error {
    Error::client("ResourceInUseException", message)
}

/// More than AWS allows.
pub(super) fn limit(message: impl Into<String>) -> Error {
    Error::client("LimitExceededException", message)
}

/// A condition did not hold; with the item as it is, if the request asks for that.
pub(super) fn condition_failed(item: Option<&Item>) -> Error {
    let error = Error::client("ConditionalCheckFailedException", "The conditional request failed");
    match item {
        Some(item) => error.with("Item", shown::to_json(item)),
        None => error,
    }
}
