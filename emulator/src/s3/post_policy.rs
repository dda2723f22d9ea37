//! The policy of a form: what its author lets others upload.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::errors;
use super::form::Form;
use crate::{Error, Result, Timestamp};

/// Fields that a policy need not mention.
const FREE: [&str; 6] = ["policy", "x-amz-signature", "signature", "awsaccesskeyid", "file", "submit"];

fn invalid(text: &str) -> Error {
    Error::new(400, "InvalidPolicyDocument", format!("Invalid Policy: {text}"))
}

fn denied(text: &str) -> Error {
    Error::new(403, "AccessDenied", format!("Invalid according to Policy: {text}"))
}

fn failed(operator: &str, name: &str, value: &str) -> Error {
    denied(&format!("Policy Condition failed: [\"{operator}\", \"{name}\", \"{value}\"]"))
}

/// Checks a form by its policy, if it has one.
///
/// # Errors
/// 403 for what the policy does not let through; 400 for what is no policy, and for a file of the wrong size.
pub(super) fn check(form: &Form, bucket: &str, now: Timestamp) -> Result<()> {
    let Some(policy) = form.get("policy") else { return Ok(()) };
    let document = decode(policy).and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let Some(Value::Object(document)) = document else { return Err(invalid("Invalid JSON.")) };
    let expiration = document.get("expiration").and_then(Value::as_str);
    let expiration = expiration.ok_or_else(|| invalid("Policy missing expiration."))?;
    // In universal time, and written in this one way of ISO 8601's.
    let is_dated = expiration.contains('T') && expiration.ends_with('Z');
    let expires: Option<Timestamp> = is_dated.then(|| expiration.parse().ok()).flatten();
    let expires = expires.ok_or_else(|| invalid(&format!("Invalid 'expiration' value: '{expiration}'")))?;
    if expires <= now {
        return Err(denied("Policy expired."));
    }
    let conditions = document.get("conditions").and_then(Value::as_array);
    let conditions = conditions.ok_or_else(|| invalid("Policy missing conditions."))?;
    let mut mentioned: Vec<String> = Vec::new();
    // What a condition says of the key, it says of the one that is stored.
    let key = form.key().ok();
    let field = |name: &str| match name {
        _ if name.eq_ignore_ascii_case("bucket") => Some(bucket),
        _ if name.eq_ignore_ascii_case("key") => key.as_deref(),
        _ => form.get(name),
    };
    for condition in conditions {
        mentioned.push(check_one(condition, form, &field)?.to_ascii_lowercase());
    }
    for (name, _) in &form.fields {
        let name = name.to_ascii_lowercase();
        if !FREE.contains(&&*name) && !name.starts_with("x-ignore-") && !mentioned.contains(&name) {
            return Err(denied(&format!("Extra input fields: {name}")));
        }
    }
    Ok(())
}

/// A policy is written in base64, which may be broken into lines.
fn decode(policy: &str) -> Option<Vec<u8>> {
    STANDARD.decode(policy.split_ascii_whitespace().collect::<String>()).ok()
}

/// Checks a condition, and gives the name of the field that it is about.
fn check_one<'f>(condition: &Value, form: &Form, field: &dyn Fn(&str) -> Option<&'f str>) -> Result<String> {
    match condition {
        Value::Object(members) => {
            let mut members = members.iter();
            let (Some((name, value)), None) = (members.next(), members.next()) else {
                let text = "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.";
                return Err(invalid(text));
            };
            let value = value.as_str().ok_or_else(|| invalid("Invalid Simple-Condition: value must be a string."))?;
            if field(name).is_some_and(|given| given == value) {
                Ok(name.clone())
            } else {
                Err(failed("eq", &format!("${name}"), value))
            }
        }
        Value::Array(parts) => check_list(parts, form, field),
        _ => Err(invalid("Invalid Condition: must be a list or an object.")),
    }
}

fn check_list<'f>(parts: &[Value], form: &Form, field: &dyn Fn(&str) -> Option<&'f str>) -> Result<String> {
    let [operator, first, second] = parts else {
        return Err(invalid("Invalid Condition: wrong number of arguments."));
    };
    let operator = operator.as_str().ok_or_else(|| invalid("Invalid Condition: unknown operation."))?;
    let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let (name, value) = (shown(first), shown(second));
    match &*operator.to_ascii_lowercase() {
        "content-length-range" => {
            let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
            let (Some(least), Some(most)) = (number(first), number(second)) else {
                return Err(failed(operator, &name, &value));
            };
            let size = form.file.len() as u64;
            if size > most {
                return Err(errors::too_large(size, most));
            }
            if size < least {
                let text = "Your proposed upload is smaller than the minimum allowed size";
                return Err(Error::new(400, "EntityTooSmall", text)
                    .with("ProposedSize", size.to_string())
                    .with("MinSizeAllowed", least.to_string()));
            }
            Ok("file".to_owned())
        }
        kind @ ("eq" | "starts-with") => {
            let Some(bare) = name.strip_prefix('$') else { return Err(failed(operator, &name, &value)) };
            let given = field(bare);
            let holds = match (kind, given) {
                ("eq", Some(given)) => given == value,
                // Several types may be given; each has to begin so.
                (_, Some(given)) if bare.eq_ignore_ascii_case("content-type") => {
                    given.split(',').all(|one| one.trim().starts_with(&value))
                }
                (_, Some(given)) => given.starts_with(&value),
                (_, None) => kind == "starts-with" && value.is_empty(),
            };
            if holds { Ok(bare.to_owned()) } else { Err(failed(operator, &name, &value)) }
        }
        _ => Err(invalid("Invalid Condition: unknown operation.")),
    }
}
