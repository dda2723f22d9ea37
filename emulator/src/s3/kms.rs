//! What S3 asks AWS KMS for objects under its keys: a data key for each that is written, and to decrypt that data key for each
//! that is read. KMS says whether there is such a key, whether it is usable, and whether the caller may use it.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html>. The calls are made as who called S3, through
//! S3: a key's policy sees that (`kms:ViaService`). Whoever uses no key of KMS pays for a look at one flag.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::copy::{CopyObject, Source};
use super::encryption::{AES, Asked, CustomerKey, ServerSide};
use super::errors;
use super::get::GetObject;
use super::lookup::{bucket, bucket_arn, object_arn};
use super::multipart::{self, CompleteMultipartUpload, CreateMultipartUpload, UploadPart, UploadPartCopy};
use super::object::Version;
use super::put::PutObject;
use super::state::{Bucket, Buckets};
use crate::cloud::{Answer, Caller, Cx, Later, Question, Scope};
use crate::iam::Principal;
use crate::{Error, Result};

/// What S3 binds a data key to, besides what the request says: the object, or the bucket where that has a key.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#encryption-context>
const BOUND: &str = "aws:s3:arn";
/// The key where a request names none.
pub(super) const DEFAULT_KEY: &str = "alias/aws/s3";

/// What KMS is asked, in this order; nothing to ask is nothing to wait for.
type Asking = Result<Option<Later>>;

/// What an input that writes an object says about its encryption; the input keeps it.
macro_rules! asked {
    ($input:expr) => {
        Asked {
            algorithm: $input.server_side_encryption.clone(),
            kms_key: $input.kms_key.clone(),
            kms_context: $input.kms_context.clone(),
            bucket_key: $input.bucket_key_enabled,
            customer: CustomerKey {
                algorithm: $input.customer_algorithm.clone(),
                key: $input.customer_key.clone(),
                md5: $input.customer_md5.clone(),
            },
            sealed: None,
        }
    };
}

/// Whether neither the request nor anything that was kept before has to do with KMS.
fn is_quiet(cx: &Cx<Buckets>, algorithm: Option<&str>) -> bool {
    !cx.state.uses_kms && algorithm.is_none_or(|algorithm| algorithm == AES)
}

pub(super) fn put(cx: &mut Cx<Buckets>, input: &mut PutObject) -> Asking {
    if is_quiet(cx, input.server_side_encryption.as_deref()) {
        return Ok(None);
    }
    let owner = input.expected_bucket_owner.as_deref();
    write(cx, (&input.bucket, &input.key, owner), asked!(input), None, &mut input.sealed)
}

pub(super) fn create(cx: &mut Cx<Buckets>, input: &mut CreateMultipartUpload) -> Asking {
    if is_quiet(cx, input.server_side_encryption.as_deref()) {
        return Ok(None);
    }
    let owner = input.expected_bucket_owner.as_deref();
    write(cx, (&input.bucket, &input.key, owner), asked!(input), None, &mut input.sealed)
}

/// A copy reads its source first.
pub(super) fn copy(cx: &mut Cx<Buckets>, input: &mut CopyObject) -> Asking {
    if is_quiet(cx, input.server_side_encryption.as_deref()) {
        return Ok(None);
    }
    let source = of_source(cx, &input.copy_source)?;
    let owner = input.expected_bucket_owner.as_deref();
    write(cx, (&input.bucket, &input.key, owner), asked!(input), source, &mut input.sealed)
}

pub(super) fn get(cx: &mut Cx<Buckets>, input: &mut GetObject) -> Asking {
    if !cx.state.uses_kms {
        return Ok(None);
    }
    let Ok(found) = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref()) else { return Ok(None) };
    let question = of_object(cx, found, &input.key, input.version_id.as_deref())?;
    use_keys(cx, question)
}

/// The key is needed for a checksum alone.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>, `x-amz-checksum-mode`
pub(super) fn head(cx: &mut Cx<Buckets>, input: &mut GetObject) -> Asking {
    let wants_checksum = input.checksum_mode.as_deref().is_some_and(|mode| mode.eq_ignore_ascii_case("enabled"));
    if wants_checksum { get(cx, input) } else { Ok(None) }
}

/// S3 reads the parts that are there to go on.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions>
pub(super) fn upload_part(cx: &mut Cx<Buckets>, input: &mut UploadPart) -> Asking {
    if !cx.state.uses_kms {
        return Ok(None);
    }
    let question = of_upload(cx, &input.bucket, &input.key, &input.upload_id)?;
    use_keys(cx, question)
}

pub(super) fn upload_part_copy(cx: &mut Cx<Buckets>, input: &mut UploadPartCopy) -> Asking {
    if !cx.state.uses_kms {
        return Ok(None);
    }
    let source = of_source(cx, &input.copy_source)?;
    let upload = of_upload(cx, &input.bucket, &input.key, &input.upload_id)?;
    use_keys(cx, source.into_iter().chain(upload))
}

pub(super) fn complete(cx: &mut Cx<Buckets>, input: &mut CompleteMultipartUpload) -> Asking {
    if !cx.state.uses_kms {
        return Ok(None);
    }
    let question = of_upload(cx, &input.bucket, &input.key, &input.upload_id)?;
    use_keys(cx, question)
}

/// Asks for a data key where the object gets one, and for that of a copy's source; what came of it is left in `sealed`.
fn write(
    cx: &mut Cx<Buckets>,
    (name, key, owner): (&str, &str, Option<&str>),
    asked: Asked,
    source: Option<Question>,
    sealed: &mut Option<ServerSide>,
) -> Asking {
    let mut made = None;
    let answers = cx.answers()?;
    let is_first = answers.is_none();
    for answer in answers.into_iter().flatten() {
        let output = answered(answer)?;
        // To decrypt answers no ciphertext.
        if output["CiphertextBlob"].is_string() {
            made = Some(output);
        }
    }
    // What is wrong with the request is the operation's to say.
    let Ok(found) = bucket(cx, name, owner) else { return Ok(None) };
    let Ok(ServerSide::Kms { algorithm, key: named, bucket_key, context, .. }) = asked.decide(found) else {
        return if is_first { ask(cx, source) } else { Ok(None) };
    };
    let Some(made) = made else {
        let object = if bucket_key { bucket_arn(name) } else { object_arn(name, key) };
        let input = json!({
            "KeyId": named, "KeySpec": "AES_256", "EncryptionContext": bound(context.as_deref(), object)?,
        });
        let question = question(cx, found, "GenerateDataKey", input)?;
        return ask(cx, source.filter(|_| is_first).into_iter().chain([question]));
    };
    let text = |member: &str| made[member].as_str().unwrap_or_default().to_owned();
    let data_key = Some(text("CiphertextBlob"));
    *sealed = Some(ServerSide::Kms { algorithm, key: text("KeyId"), bucket_key, context, data_key });
    cx.state.uses_kms = true;
    Ok(None)
}

/// Asks, if there is anything to ask; and once it is answered, whether every answer is a good one.
fn use_keys(cx: &mut Cx<Buckets>, questions: impl IntoIterator<Item = Question>) -> Asking {
    if let Some(answers) = cx.answers()? {
        answers.into_iter().try_for_each(|answer| answered(answer).map(drop))?;
        return Ok(None);
    }
    ask(cx, questions)
}

fn ask(cx: &mut Cx<Buckets>, questions: impl IntoIterator<Item = Question>) -> Asking {
    let questions: Vec<Question> = questions.into_iter().collect();
    if questions.is_empty() { Ok(None) } else { cx.ask(questions).map(Some) }
}

/// KMS's errors as S3 passes them on (recorded for what is not there, disabled, or waits for its deletion).
fn answered(answer: Answer) -> Result<Value> {
    answer.into_result().map_err(|error| match error.code() {
        "AccessDeniedException" => Error::new(403, "AccessDenied", error.message().to_owned()),
        "NotImplemented" => error,
        code => Error::new(error.status().max(400), format!("KMS.{code}"), error.message().to_owned()),
    })
}

/// The call that opens the data key of a copy's source.
fn of_source(cx: &Cx<Buckets>, header: &str) -> Result<Option<Question>> {
    let Ok(source) = Source::read(header) else { return Ok(None) };
    let Some(found) = cx.state.buckets.get(&*source.bucket) else { return Ok(None) };
    of_object(cx, found, &source.key, source.version_id.as_deref())
}

fn of_object(cx: &Cx<Buckets>, found: &Bucket, key: &str, version: Option<&str>) -> Result<Option<Question>> {
    let version = match version {
        None => found.latest(key),
        Some(id) => found.version(key, id),
    };
    match version {
        Some(Version::Object(object)) => open(cx, found, key, &object.description.encryption),
        _ => Ok(None),
    }
}

fn of_upload(cx: &Cx<Buckets>, name: &str, key: &str, id: &str) -> Result<Option<Question>> {
    let Some(found) = cx.state.buckets.get(name) else { return Ok(None) };
    match multipart::upload(found, key, id) {
        Ok((upload, _)) => open(cx, found, key, &upload.description.encryption),
        Err(_) => Ok(None),
    }
}

/// The call that opens the data key of what is under a key of KMS. What was stored when S3 did not ask has none.
fn open(cx: &Cx<Buckets>, found: &Bucket, key: &str, encryption: &ServerSide) -> Result<Option<Question>> {
    let ServerSide::Kms { key: arn, bucket_key, context, data_key: Some(data_key), .. } = encryption else {
        return Ok(None);
    };
    let object = if *bucket_key { bucket_arn(&found.name) } else { object_arn(&found.name, key) };
    let input = json!({
        "CiphertextBlob": data_key, "KeyId": arn, "EncryptionContext": bound(context.as_deref(), object)?,
    });
    question(cx, found, "Decrypt", input).map(Some)
}

/// A call of KMS as who calls S3. The name of a key that is no ARN is one of the caller's account, not of the bucket's:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html>
fn question(cx: &Cx<Buckets>, found: &Bucket, operation: &str, input: Value) -> Result<Question> {
    if cx.caller.principal == Principal::Anonymous {
        let text =
            "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.";
        return Err(errors::invalid_argument("Authorization", "null", text));
    }
    let account = match cx.caller.principal.account() {
        Some(account) => account.into(),
        None => found.owner.clone(),
    };
    Ok(Question {
        service: "kms".to_owned(),
        operation: operation.to_owned(),
        input,
        caller: Caller { invocation: None, ..cx.caller.through("s3") },
        scope: Some(Scope::new(account, found.region.clone())),
    })
}

/// The encryption context: that of the request, with what the key is for.
fn bound(context: Option<&str>, object: String) -> Result<BTreeMap<String, String>> {
    let mut pairs: BTreeMap<String, String> = match context {
        None => BTreeMap::new(),
        Some(text) => {
            let read = STANDARD.decode(text).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
            read.ok_or_else(|| {
                let name = "x-amz-server-side-encryption-context";
                let told = format!(
                    "The header '{name}' shall be Base64-encoded UTF-8 string holding JSON which represents a string-string map"
                );
                errors::invalid_argument(name, text, told)
            })?
        }
    };
    pairs.insert(BOUND.to_owned(), object);
    Ok(pairs)
}
