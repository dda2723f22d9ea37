//! Secrets of Secrets Manager that are read under the names of parameters: `/aws/reference/secretsmanager/NAME`.
//!
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/integration-ps-secretsmanager.html>

use serde_json::json;

use super::get::Shown;
use super::names::Name;
use super::store::SECRET;
use super::{Parameters, validation};
use crate::cloud::{Answer, Cx, Question};
use crate::{Error, Result, Timestamp};

/// What the names of secrets begin with.
const REFERENCE: &str = "/aws/reference/secretsmanager/";

/// Whether a name stands for a secret.
pub(super) fn is_reference(name: &Name) -> bool {
    name.given.starts_with(REFERENCE)
}

/// A secret is given out in clear or not at all.
pub(super) fn check(with_decryption: bool) -> Result<()> {
    if with_decryption {
        return Ok(());
    }
    Err(validation("WithDecryption flag must be True for retrieving a Secret Manager secret."))
}

/// The call that reads the secret, as who asks for the parameter. What stands behind a colon is a version's id or a stage.
pub(super) fn question(cx: &Cx<Parameters>, name: &Name) -> Question {
    let id = name.given.strip_prefix(REFERENCE).unwrap_or_default();
    let is_id =
        |selector: &&String| selector.len() >= 32 && selector.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    let version = name.selector.as_ref().filter(is_id);
    let stage = name.selector.as_ref().filter(|selector| !is_id(selector));
    Question {
        service: "secretsmanager".to_owned(),
        operation: "GetSecretValue".to_owned(),
        input: json!({ "SecretId": id, "VersionId": version, "VersionStage": stage }),
        caller: cx.caller.clone(),
        scope: None,
    }
}

/// The secret as a parameter.
pub(super) fn shown(cx: &Cx<Parameters>, name: &Name, answer: Answer) -> Result<Shown> {
    let secret = answer.into_result().map_err(|error| match error.code() {
        "ResourceNotFoundException" => Error::client(
            "ParameterNotFound",
            format!(
                "An error occurred (ParameterNotFound) when referencing Secrets Manager: Secret {} not found.",
                name.given
            ),
        ),
        _ => error,
    })?;
    let Some(value) = secret["SecretString"].as_str() else {
        return Err(Error::not_implemented(format!("binary secrets as parameters ({})", name.given)));
    };
    let created = secret["CreatedDate"].as_i64().map(Timestamp::from_millis).unwrap_or(cx.now);
    let source = json!({
        "ARN": secret["ARN"],
        "name": secret["Name"],
        "versionId": secret["VersionId"],
        "secretString": value,
        "versionStages": secret["VersionStages"],
        "createdDate": created.to_jiff().strftime("%b %-d, %Y %-I:%M:%S %p").to_string(),
    });
    Ok(Shown {
        name: name.given.clone(),
        r#type: SECRET.to_owned(),
        value: value.to_owned(),
        version: 0,
        selector: name.selector.as_ref().map(|selector| format!(":{selector}")),
        source_result: Some(source.to_string()),
        last_modified_date: created,
        arn: secret["ARN"].as_str().unwrap_or_default().to_owned(),
        data_type: "text".to_owned(),
    })
}
