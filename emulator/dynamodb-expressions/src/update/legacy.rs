//! The legacy `AttributeUpdates`: PUT, ADD and DELETE of whole attributes.
//!
//! Model: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.AttributeUpdates.html>

use serde_json::{Map, Value};

use super::{Action, ActionKind, Expression};
use crate::path::Path;
use crate::{AttributeValue, Error, Result};

/// The actions, in the order of the request.
pub(super) fn actions(updates: &Map<String, Value>) -> Result<Vec<Action>> {
    updates.iter().map(|(name, update)| Ok(Action { path: Path::attribute(name), kind: kind(update)? })).collect()
}

fn kind(update: &Value) -> Result<ActionKind> {
    let value = update.get("Value").filter(|value| !value.is_null()).map(AttributeValue::from_json).transpose()?;
    let action = update.get("Action").and_then(Value::as_str).unwrap_or("PUT");
    match (action, value) {
        ("DELETE", None) => Ok(ActionKind::Remove),
        (_, None) => Err(Error::parameter("Only DELETE action is allowed when no attribute value is specified")),
        ("DELETE", Some(value)) => match value {
            AttributeValue::SS(_) | AttributeValue::NS(_) | AttributeValue::BS(_) => Ok(ActionKind::Delete(value)),
            other => Err(Error::parameter(format_args!(
                "DELETE action with value is not supported for the type {}",
                other.type_name()
            ))),
        },
        ("ADD", Some(value)) => match value {
            AttributeValue::N(_)
            | AttributeValue::SS(_)
            | AttributeValue::NS(_)
            | AttributeValue::BS(_)
            | AttributeValue::L(_) => Ok(ActionKind::Add(value)),
            other => {
                Err(Error::parameter(format_args!("ADD action is not supported for the type {}", other.type_name())))
            }
        },
        (_, Some(value)) => Ok(ActionKind::Set(Expression::Value(value))),
    }
}
