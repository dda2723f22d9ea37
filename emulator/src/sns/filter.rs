//! Filter policies: which messages a subscription wants.
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html>

use serde_json::{Map, Number, Value};

use super::errors::invalid;
use super::message::Message;
use crate::Error;
use crate::event_pattern::EventPattern;

/// The scopes.
pub(super) const ATTRIBUTES: &str = "MessageAttributes";
pub(super) const BODY: &str = "MessageBody";
/// A policy has at most this many keys, and combinations of values.
/// <https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html>
const MAX_KEYS: usize = 5;
const MAX_COMBINATIONS: usize = 150;
/// Numbers are compared to five digits after the point (same page).
const ACCURACY: f64 = 1e5;
/// The one reason that stands by itself, whichever operation gives it.
const NESTED: &str = "Filter policy scope MessageAttributes does not support nested filter policy";
/// The deepest JSON that is looked into.
const DEPTH: usize = 128;

/// A filter policy that was read.
pub(super) struct Filter {
    /// None for the empty policy, which wants everything.
    pattern: Option<EventPattern>,
    on_body: bool,
}

/// Refuses a policy that AWS refuses. `wrong` gives the reason the words of the operation.
pub(super) fn check(policy: &str, scope: &str, wrong: &dyn Fn(String) -> Error) -> Result<(), Error> {
    match Filter::parse(policy, scope) {
        Ok(_) => Ok(()),
        Err(reason) if reason == NESTED => Err(invalid(NESTED)),
        Err(reason) => Err(wrong(format!("FilterPolicy: {reason}"))),
    }
}

impl Filter {
    /// Reads a policy. The error is AWS's reason.
    pub fn parse(text: &str, scope: &str) -> Result<Self, String> {
        let on_body = scope == BODY;
        let mut policy: Value = serde_json::from_str(text).map_err(|error| format!("failed to parse JSON. {error}"))?;
        let Value::Object(members) = &policy else { return Err("Filter is not an object".to_owned()) };
        if members.is_empty() {
            return Ok(Self { pattern: None, on_body });
        }
        if members.len() > MAX_KEYS {
            return Err(format!("Filter policy can not have more than {MAX_KEYS} keys"));
        }
        let nested = members.values().any(Value::is_object);
        round(&mut policy, DEPTH);
        let pattern = EventPattern::read_filter_policy(&policy).map_err(|error| error.0)?;
        if nested && !on_body {
            return Err(NESTED.to_owned());
        }
        if pattern.combinations() > MAX_COMBINATIONS {
            return Err("Filter policy is too complex".to_owned());
        }
        Ok(Self { pattern: Some(pattern), on_body })
    }

    /// Whether a message is wanted.
    pub fn wants(&self, message: &Message) -> bool {
        let Some(pattern) = &self.pattern else { return true };
        let mut looked_at = if self.on_body {
            match serde_json::from_str(&message.text) {
                Ok(body @ Value::Object(_)) => body,
                _ => return false,
            }
        } else {
            attributes(message)
        };
        round(&mut looked_at, DEPTH);
        pattern.matches(&looked_at)
    }
}

/// The attributes as an object. Binary ones are not looked at.
fn attributes(message: &Message) -> Value {
    let value = |kind: &str, text: &str| match kind {
        // One value counts as a list of it.
        "String.Array" => serde_json::from_str(text).ok().filter(|value: &Value| !value.is_object()),
        kind if kind == "Number" || kind.starts_with("Number.") => {
            serde_json::from_str::<Number>(text.trim()).ok().map(Value::Number)
        }
        kind if kind == "Binary" || kind.starts_with("Binary.") => None,
        _ => Some(Value::String(text.to_owned())),
    };
    let found = message.attributes.iter().filter_map(|(name, attribute)| {
        let text = attribute.string_value.as_deref().unwrap_or_default();
        Some((name.clone(), value(&attribute.data_type, text)?))
    });
    Value::Object(found.collect::<Map<_, _>>())
}

/// Rounds all numbers that are not whole. What lies deeper than JSON is read is left.
fn round(value: &mut Value, depth: usize) {
    match value {
        _ if depth == 0 => {}
        Value::Number(number) if number.is_f64() => {
            let rounded = number.as_f64().map(|float| (float * ACCURACY).trunc() / ACCURACY);
            if let Some(rounded) = rounded.and_then(Number::from_f64) {
                *number = rounded;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| round(item, depth - 1)),
        Value::Object(members) => members.values_mut().for_each(|member| round(member, depth - 1)),
        _ => {}
    }
}
