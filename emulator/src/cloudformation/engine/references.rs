//! Dynamic references: `{{resolve:ssm:…}}`, `{{resolve:ssm-secure:…}}` and `{{resolve:secretsmanager:…}}` in properties.
//!
//! They are read when a resource is made or changed, and stay as they are written in what the stack keeps and shows.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html>

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::cloudformation::template::{EXPANDED_DEPTH, validation_error};
use crate::cloudformation::types::Door;
use crate::{Error, Result};

/// What a reference begins and ends with.
const BEGIN: &str = "{{resolve:";
const END: &str = "}}";
/// Where secret parameters may stand: type and property.
const SECURE: [(&str, &str); 1] = [("AWS::IAM::User", "LoginProfile")];

/// Properties with the values in the place of the references. `kind` is the resource's type.
///
/// # Errors
/// AWS's text for what is not there, and for a secret where none may stand.
pub(super) async fn dereferenced(
    door: &Door,
    kind: &str,
    properties: &Map<String, Value>,
) -> Result<Map<String, Value>> {
    let mut wanted = BTreeMap::new();
    for (property, value) in properties {
        collect(value, property, 0, &mut wanted);
    }
    if wanted.is_empty() {
        return Ok(properties.clone());
    }
    let mut values = BTreeMap::new();
    for (reference, property) in wanted {
        let value = read(door, kind, &property, &reference).await?;
        values.insert(reference, value);
    }
    Ok(properties.iter().map(|(name, value)| (name.clone(), replaced(value, &values, 0))).collect())
}

/// The references in a value, without their brackets, and the property that each is found in first.
fn collect(value: &Value, property: &str, depth: usize, found: &mut BTreeMap<String, String>) {
    if depth > EXPANDED_DEPTH {
        return;
    }
    match value {
        Value::String(text) => {
            let inner = text.split(BEGIN).skip(1).filter_map(|rest| rest.split_once(END));
            for (reference, _) in inner {
                found.entry(reference.to_owned()).or_insert_with(|| property.to_owned());
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, property, depth + 1, found)),
        Value::Object(members) => members.values().for_each(|member| collect(member, property, depth + 1, found)),
        _ => {}
    }
}

fn replaced(value: &Value, values: &BTreeMap<String, String>, depth: usize) -> Value {
    if depth > EXPANDED_DEPTH {
        return value.clone();
    }
    match value {
        Value::String(text) if text.contains(BEGIN) => {
            let mut parts = text.split(BEGIN);
            let mut result = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                match part.split_once(END).and_then(|(reference, rest)| Some((values.get(reference)?, rest))) {
                    Some((value, rest)) => result.extend([value, rest]),
                    None => result.extend([BEGIN, part]),
                }
            }
            Value::String(result)
        }
        Value::Array(items) => items.iter().map(|item| replaced(item, values, depth + 1)).collect(),
        Value::Object(members) => {
            let of = |(name, member): (&String, &Value)| (name.clone(), replaced(member, values, depth + 1));
            Value::Object(members.iter().map(of).collect())
        }
        other => other.clone(),
    }
}

async fn read(door: &Door, kind: &str, property: &str, reference: &str) -> Result<String> {
    let (service, rest) = reference.split_once(':').unwrap_or((reference, ""));
    match service {
        "ssm" => parameter(door, rest, false).await,
        "ssm-secure" if SECURE.contains(&(kind, property)) => parameter(door, rest, true).await,
        "ssm-secure" => {
            Err(validation_error(format!("SSM Secure reference is not supported in: [{kind}/Properties/{property}]")))
        }
        "secretsmanager" => secret(door, rest).await,
        other => Err(validation_error(format!("Dynamic references of the service {other} are not known"))),
    }
}

/// `name` or `name:version`.
async fn parameter(door: &Door, name: &str, secure: bool) -> Result<String> {
    let prefix = if secure { "ssm-secure" } else { "ssm" };
    let answer = door.call("ssm", "GetParameter", json!({ "Name": name, "WithDecryption": secure })).await;
    let answer = answer.map_err(|error| match error.code() {
        "ParameterNotFound" | "ParameterVersionNotFound" => {
            validation_error(format!("Parameters: [{prefix}:{name}] cannot be found."))
        }
        _ => error,
    })?;
    let parameter = &answer["Parameter"];
    match (parameter["Type"].as_str(), secure) {
        (Some("SecureString"), false) => {
            Err(validation_error(format!("Non-secure ssm prefix was used for secure parameter: {name}")))
        }
        (Some("SecureString"), true) | (Some(_), false) => {
            Ok(parameter["Value"].as_str().unwrap_or_default().to_owned())
        }
        _ => Err(validation_error(format!("Secure ssm prefix was used for non-secure parameter: {name}"))),
    }
}

/// `secret-id:SecretString:json-key:version-stage:version-id`, of which all but the first may be left out. The id may be an ARN.
async fn secret(door: &Door, reference: &str) -> Result<String> {
    let colons = if reference.starts_with("arn:") { 7 } else { 1 };
    let mut parts = reference.splitn(colons + 1, ':');
    let id = parts.by_ref().take(colons).collect::<Vec<_>>().join(":");
    let rest: Vec<&str> = parts.next().map(|rest| rest.split(':').collect()).unwrap_or_default();
    let part = |place: usize| rest.get(place).copied().filter(|part| !part.is_empty());
    if part(0).is_some_and(|kind| kind != "SecretString") {
        return Err(validation_error(
            "Dynamic references to secrets must be of the form {{resolve:secretsmanager:secret-id:SecretString:json-key:version-stage:version-id}}",
        ));
    }
    let input = json!({ "SecretId": id, "VersionStage": part(2), "VersionId": part(3) });
    let answer = door.call("secretsmanager", "GetSecretValue", input).await?;
    let Some(text) = answer["SecretString"].as_str() else {
        return Err(Error::not_implemented(format!("dynamic references to binary secrets ({id})")));
    };
    let Some(key) = part(1) else { return Ok(text.to_owned()) };
    let document: Value =
        serde_json::from_str(text).map_err(|_| validation_error("Could not parse SecretString JSON"))?;
    match document.get(key) {
        Some(Value::String(value)) => Ok(value.clone()),
        Some(value) => Ok(value.to_string()),
        None => Err(validation_error("Could not find a value associated with JSONKey in SecretString")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_and_replaced_wherever_they_stand() {
        let value = json!({"A": ["x{{resolve:ssm:/a:1}}y{{resolve:ssm:b}}", 1], "B": "{{resolve:ssm:/a:1}}", "C": "{{resolve:"});
        let mut found = BTreeMap::new();
        collect(&value, "P", 0, &mut found);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["ssm:/a:1", "ssm:b"]);
        let values = BTreeMap::from([("ssm:/a:1".to_owned(), "1".to_owned()), ("ssm:b".to_owned(), "2".to_owned())]);
        assert_eq!(replaced(&value, &values, 0), json!({"A": ["x1y2", 1], "B": "1", "C": "{{resolve:"}));
    }
}
