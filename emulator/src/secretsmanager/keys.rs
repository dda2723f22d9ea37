//! Secrets under customers' keys of AWS KMS: a data key for each version, which is decrypted for who reads it. The calls are made as
//! who calls Secrets Manager. The key that AWS manages is everybody's in the account, and KMS is not asked about it.
//!
//! <https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html>

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::store::{DEFAULT_KEY, Secret, Secrets, Version};
use super::values::{
    BatchGetSecretValue, CreateSecret, GetSecretValue, PutSecretValue, UpdateSecret, chosen, may_read,
};
use crate::cloud::{Answer, Caller, Cx, Later, Question, Scope};
use crate::{Error, Result};

/// What a version is encrypted with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Sealed {
    /// The key's ARN.
    key: String,
    /// The data key, encrypted under it, in base64.
    data_key: String,
}

/// What KMS is asked; nothing to ask is nothing to wait for.
type Asking = Result<Option<Later>>;

/// A customer's key, if it is one. The empty name stands for AWS's own.
fn customers(key: Option<&Arc<str>>) -> Option<&str> {
    key.map(|key| &**key).filter(|key| !key.is_empty() && !key.ends_with(DEFAULT_KEY))
}

/// A new secret's ARN ends in letters of chance, and its data key is bound to it: they are chosen before KMS is asked.
pub(super) fn create(cx: &mut Cx<Secrets>, input: &mut CreateSecret) -> Asking {
    let has_value = input.secret_string.is_some() || input.secret_binary.is_some();
    let (Some(key), Some(version), true) =
        (customers(input.kms_key_id.as_ref()), input.client_request_token.as_deref(), has_value)
    else {
        return Ok(None);
    };
    if cx.state.secrets.contains_key(&super::store::key(&cx.scope.account, &cx.scope.region, &input.name)) {
        return Ok(None);
    }
    let suffix = input.suffix.get_or_insert_with(|| cx.ids().mixed(6));
    let arn = cx.scope.arn("secretsmanager", format_args!("secret:{}-{suffix}", input.name));
    let question = question(cx, cx.scope.region.clone(), "GenerateDataKey", (&arn, version), json!({ "KeyId": key }));
    input.sealed = match made(cx, vec![question])? {
        Step::Asked(later) => return Ok(Some(later)),
        Step::Made(sealed) => sealed.into_iter().next(),
    };
    Ok(None)
}

pub(super) fn put(cx: &mut Cx<Secrets>, input: &mut PutSecretValue) -> Asking {
    let Ok(secret) = cx.state.to_change(cx.scope, &input.secret_id) else { return Ok(None) };
    let (Some(key), Some(version)) = (customers(secret.kms_key_id.as_ref()), input.client_request_token.as_deref())
    else {
        return Ok(None);
    };
    let question = sealing(cx, &secret, version, key);
    input.sealed = match made(cx, vec![question])? {
        Step::Asked(later) => return Ok(Some(later)),
        Step::Made(sealed) => sealed.into_iter().next(),
    };
    Ok(None)
}

/// Another key is for the versions with labels too: they are decrypted, and encrypted anew.
/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecret.html>
pub(super) fn update(cx: &mut Cx<Secrets>, input: &mut UpdateSecret) -> Asking {
    let Ok(secret) = cx.state.to_change(cx.scope, &input.secret_id) else { return Ok(None) };
    let has_value = input.secret_string.is_some() || input.secret_binary.is_some();
    let new = input.client_request_token.as_deref().filter(|_| has_value);
    let changes = input.kms_key_id.is_some() && input.kms_key_id != secret.kms_key_id;
    let kept: Vec<&Version> = secret.versions.iter().filter(|one| changes && is_kept(one)).collect();
    let mut questions: Vec<Question> = kept.iter().filter_map(|version| opening(cx, &secret, version)).collect();
    if let Some(key) = customers(input.kms_key_id.as_ref().or(secret.kms_key_id.as_ref())) {
        questions.extend(kept.iter().map(|version| sealing(cx, &secret, &version.id, key)));
        questions.extend(new.map(|version| sealing(cx, &secret, version, key)));
    }
    input.sealed = match made(cx, questions)? {
        Step::Asked(later) => return Ok(Some(later)),
        Step::Made(sealed) => sealed,
    };
    Ok(None)
}

fn is_kept(version: &Version) -> bool {
    version.value.is_some() && !version.stages.is_empty()
}

/// What an update's answers make of a secret, before it gets its new value: see [`update`]. Gives what is for that.
pub(super) fn reseal(secret: &mut Secret, key: Option<&Arc<str>>, sealed: Vec<Sealed>) -> Option<Sealed> {
    let mut sealed = sealed.into_iter();
    if key.is_some() && key != secret.kms_key_id.as_ref() {
        for version in secret.versions.iter_mut().filter(|version| is_kept(version)) {
            version.sealed = sealed.next();
        }
    }
    sealed.next()
}

pub(super) fn get(cx: &mut Cx<Secrets>, input: &mut GetSecretValue) -> Asking {
    let Ok(secret) = cx.state.get(cx.scope, &input.secret_id) else { return Ok(None) };
    let stage = input.version_stage.as_deref().unwrap_or(super::store::CURRENT);
    let version = match &input.version_id {
        Some(id) => secret.version(id),
        None => secret.staged(stage),
    };
    let Some(question) = version.and_then(|version| opening(cx, secret, version)) else { return Ok(None) };
    match made(cx, vec![question])? {
        Step::Asked(later) => Ok(Some(later)),
        Step::Made(_) => Ok(None),
    }
}

/// What KMS does not open of a batch is an error beside the others' values.
pub(super) fn batch(cx: &mut Cx<Secrets>, input: &mut BatchGetSecretValue) -> Asking {
    let Ok((ids, _)) = chosen(cx, input) else { return Ok(None) };
    let asked = ids.into_iter().filter(|id| may_read(cx, id)).filter_map(|id| {
        let secret = cx.state.get(cx.scope, &id).ok().filter(|secret| secret.deletion.is_none())?;
        let question = opening(cx, secret, secret.staged(super::store::CURRENT)?)?;
        Some((id, question))
    });
    let (ids, questions): (Vec<String>, Vec<Question>) = asked.unzip();
    if questions.is_empty() {
        return Ok(None);
    }
    let Some(answers) = cx.answers()? else { return cx.ask(questions).map(Some) };
    let refused = ids.into_iter().zip(answers);
    input.refused = refused.filter_map(|(id, answer)| Some((id, answered(answer, true).err()?))).collect();
    Ok(None)
}

/// The call that makes a version's data key.
fn sealing(cx: &Cx<Secrets>, secret: &Secret, version: &str, key: &str) -> Question {
    question(cx, secret.region.clone(), "GenerateDataKey", (&secret.arn, version), json!({ "KeyId": key }))
}

/// The call that opens it, where there is one.
fn opening(cx: &Cx<Secrets>, secret: &Secret, version: &Version) -> Option<Question> {
    let Sealed { key, data_key } = version.sealed.as_ref()?;
    let input = json!({ "KeyId": key, "CiphertextBlob": data_key });
    Some(question(cx, secret.region.clone(), "Decrypt", (&secret.arn, &version.id), input))
}

/// A call of KMS as who calls Secrets Manager, whose account the name of a key is of.
/// <https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html#security-encryption-context>
fn question(
    cx: &Cx<Secrets>,
    region: Arc<str>,
    operation: &str,
    (arn, version): (&str, &str),
    mut input: Value,
) -> Question {
    input["EncryptionContext"] = json!({ "SecretARN": arn, "SecretVersionId": version });
    if operation == "GenerateDataKey" {
        input["KeySpec"] = "AES_256".into();
    }
    let account = cx.caller.principal.account().map_or_else(|| cx.scope.account.clone(), Arc::from);
    Question {
        service: "kms".to_owned(),
        operation: operation.to_owned(),
        input,
        caller: Caller { invocation: None, ..cx.caller.through("secretsmanager") },
        scope: Some(Scope::new(account, region)),
    }
}

/// How far the asking is.
enum Step {
    Asked(Later),
    /// The data keys that were made, in order.
    Made(Vec<Sealed>),
}

fn made(cx: &mut Cx<Secrets>, questions: Vec<Question>) -> Result<Step> {
    let Some(answers) = cx.answers()? else {
        return if questions.is_empty() { Ok(Step::Made(Vec::new())) } else { cx.ask(questions).map(Step::Asked) };
    };
    let mut sealed = Vec::new();
    for (answer, question) in answers.into_iter().zip(questions) {
        let output = answered(answer, question.operation == "Decrypt")?;
        if let (Some(key), Some(data_key)) = (output["KeyId"].as_str(), output["CiphertextBlob"].as_str()) {
            sealed.push(Sealed { key: key.to_owned(), data_key: data_key.to_owned() });
        }
    }
    Ok(Step::Made(sealed))
}

fn answered(answer: Answer, opens: bool) -> Result<Value> {
    let (code, verb) = if opens { ("DecryptionFailure", "decrypt") } else { ("EncryptionFailure", "encrypt") };
    answer.into_result().map_err(|error| match error.code() {
        "AccessDeniedException" => Error::client("AccessDeniedException", "Access to KMS is not allowed"),
        "NotImplemented" => error,
        // So AWS answers (https://github.com/hashicorp/terraform-provider-aws/pull/13303).
        "NotFoundException" | "InvalidArnException" if !opens => {
            let text = format!("The operation failed because of an invalid KMS key: {}", error.message());
            Error::client("InvalidParameterException", text)
        }
        told => {
            let (text, status) = (error.message(), error.status());
            let text = format!(
                "Secrets Manager can't {verb} the secret value: {text} (Service: AWSKMS; Status Code: {status}; Error Code: {told})"
            );
            Error::client(code, text)
        }
    })
}
