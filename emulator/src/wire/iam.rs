//! What IAM says otherwise than other services of inputs that its model does not allow.

use serde_json::{Map, Value};

use super::validate::{decapitalised, pattern_constraint, violated};
use crate::model::{OperationModel, Structure};

/// Its words for names and paths that do not follow these patterns, as public logs show them.
const TEXTS: [(&str, &str); 3] = [
    (r"[\w+=,.@-]+", "It must contain only alphanumeric characters and/or the following: +=,.@_-"),
    (
        r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)",
        "It must begin and end with / and contain only alphanumeric characters and/or / characters.",
    ),
    (
        r"\u002F[\u0021-\u007F]*",
        "It must begin with the / character and contain only alphanumeric characters and/or / characters.",
    ),
];

/// Whether AWS shows no values of this operation: so it was recorded for credentials of single services.
pub(super) fn is_secret(operation: &OperationModel) -> bool {
    operation.service == "iam" && operation.name.contains("ServiceSpecificCredential")
}

/// What is said of the one member whose pattern alone is violated.
pub(super) fn wrong_name(
    operation: &OperationModel,
    structure: &Structure,
    members: &Map<String, Value>,
) -> Option<String> {
    if operation.service != "iam" {
        return None;
    }
    structure.members.iter().find_map(|member| {
        let shape = operation.model().shape(member.shape);
        let wrong = violated(shape, members.get(member.name)?);
        let own = shape.pattern.as_deref()?;
        let (_, text) = TEXTS.iter().find(|(pattern, _)| own == *pattern)?;
        let alone = wrong.len() == 1 && pattern_constraint(shape).as_ref() == wrong.first();
        alone.then(|| format!("The specified value for {} is invalid. {text}", decapitalised(member.name)))
    })
}
