//! The code of functions: taken from a call or from a bucket, kept, and given out again.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::functions::invalid;
use super::qualifier::LATEST;
use super::runtime::{Archive, Flaw, UNZIPPED_LIMIT};
use super::{Functions, network};
use crate::cloud::{Call, Caller, Cloud, Cx, JobFuture, Later, Resumed, Scope, Service};
use crate::{Error, Result};

/// The largest archive that a call may carry, in bytes: 50 MiB.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const ZIP_LIMIT: usize = 52_428_800;
/// How many archives may wait for the calls that fetched them. A call that is broken off leaves its own behind.
const FETCHED_LIMIT: usize = 16;

/// Adds what fetches code from a bucket.
pub(super) fn operations(service: Service<Functions>) -> Service<Functions> {
    service.event("CodeFetched", fetched).job("FetchCode", fetch)
}

/// The code of a version as it is kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct StoredCode {
    pub bucket: Option<String>,
    pub key: Option<String>,
    /// The archive; none for a function whose code is in this process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zip: Option<Bytes>,
    pub sha256: String,
    pub size: u64,
}

/// Where the code comes from.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Source {
    pub zip_file: Option<String>,
    pub s3_bucket: Option<String>,
    pub s3_key: Option<String>,
    pub s3_object_version: Option<String>,
    pub image_uri: Option<String>,
}

/// Code, or what to wait for to have it.
pub(super) enum Obtained {
    Code(StoredCode),
    Later(Later),
}

/// What became of an archive that was fetched.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Fetched {
    Zip(Bytes),
    Failed { code: String, message: String },
}

/// What the job is given.
#[derive(Serialize, Deserialize)]
struct Fetch {
    number: u64,
    caller: Caller,
    input: Value,
}

/// What it reports.
#[derive(Serialize, Deserialize)]
struct Report {
    number: u64,
    zip: Option<String>,
    code: String,
    message: String,
}

/// Whether an archive that a call carries, of this many letters as base64, is small enough.
pub(super) fn check_zip_size(encoded: usize) -> Result<()> {
    if encoded / 4 * 3 < ZIP_LIMIT {
        return Ok(());
    }
    let text = format!("Zipped size must be smaller than {ZIP_LIMIT} bytes");
    Err(Error::new(413, "RequestEntityTooLargeException", text))
}

/// The code of the function of this name. An object in a bucket is read as the caller of the operation, which waits for it.
pub(super) fn obtain(cx: &mut Cx<Functions>, name: &str, source: &Source) -> Result<Obtained> {
    if source.image_uri.is_some() {
        return Err(Error::not_implemented("container images as the code of a Lambda function (ImageUri)"));
    }
    let in_process = cx.environments().has_code_for(name) || source.s3_bucket.as_deref() == Some(super::LOCAL_CODE);
    match (&source.zip_file, &source.s3_bucket, &source.s3_key) {
        (Some(zip), None, None) => {
            check_zip_size(zip.len())?;
            let zip = STANDARD.decode(zip).map_err(|_| unreadable(&Flaw::NotAnArchive))?;
            kept(zip.into(), source, in_process).map(Obtained::Code)
        }
        // The object need not exist: the function's code is registered by the function's name, or said to be local.
        (None, Some(bucket), Some(key)) if in_process => {
            let name = Bytes::from(format!("s3://{bucket}/{key}"));
            kept(name, source, true).map(Obtained::Code)
        }
        (None, Some(_), Some(_)) => from_bucket(cx, source),
        _ => Err(invalid("Please provide a source for function code.")),
    }
}

fn from_bucket(cx: &mut Cx<Functions>, source: &Source) -> Result<Obtained> {
    if let Some(Resumed { token, .. }) = cx.resumed().filter(|resumed| !resumed.token.starts_with(network::WAITS)) {
        // What stands before the number is of who asked.
        let fetched = token
            .rsplit(' ')
            .next()
            .unwrap_or_default()
            .parse()
            .ok()
            .and_then(|number: u64| cx.state.fetched.remove(&number));
        return match fetched {
            Some(Fetched::Zip(zip)) => kept(zip, source, false).map(Obtained::Code),
            Some(Fetched::Failed { code, message }) => Err(refused(source, &code, &message)),
            None => Err(Error::internal("the code that was fetched is gone")),
        };
    }
    cx.state.fetches += 1;
    let number = cx.state.fetches;
    let order = Fetch {
        number,
        caller: cx.caller.for_job(),
        input: json!({ "Bucket": source.s3_bucket, "Key": source.s3_key, "VersionId": source.s3_object_version }),
    };
    cx.start("FetchCode", &order)?;
    Ok(Obtained::Later(Later { signal: signal(number), until: None, token: number.to_string() }))
}

fn signal(number: u64) -> String {
    format!("lambda/code/{number}")
}

/// The job: reads the object.
fn fetch(cloud: Cloud, scope: Scope, order: Value) -> JobFuture {
    Box::pin(async move {
        let outcome = async {
            let Fetch { number, caller, mut input } = serde_json::from_value(order)?;
            if let Some(members) = input.as_object_mut() {
                members.retain(|_, value| !value.is_null());
            }
            let read = cloud.call(Call::new("s3", "GetObject", caller, scope.clone(), input)).await;
            let report = match read {
                // What is packed has at least as much in it, near enough.
                Ok(reply) if reply.body.as_ref().is_some_and(|body| body.len() as u64 > UNZIPPED_LIMIT) => {
                    Report { number, zip: None, code: String::new(), message: Flaw::TooLarge.to_string() }
                }
                Ok(reply) => {
                    let zip = Some(STANDARD.encode(reply.body.unwrap_or_default()));
                    Report { number, zip, code: String::new(), message: String::new() }
                }
                Err(error) => {
                    Report { number, zip: None, code: error.code().to_owned(), message: error.message().to_owned() }
                }
            };
            cloud.0.event("lambda", &scope, "CodeFetched", &serde_json::to_string(&report)?)
        };
        if let Err(error) = outcome.await {
            tracing::error!(%error, "the code of a function was not fetched");
        }
    })
}

fn fetched(cx: &mut Cx<Functions>, report: &str) -> Result<()> {
    let Report { number, zip, code, message } = serde_json::from_str(report)?;
    let fetched = match zip {
        Some(zip) => Fetched::Zip(STANDARD.decode(zip).map_err(Error::internal)?.into()),
        None => Fetched::Failed { code, message },
    };
    if cx.state.fetched.len() >= FETCHED_LIMIT {
        let oldest = cx.state.fetched.get_min().map(|(number, _)| *number);
        oldest.and_then(|oldest| cx.state.fetched.remove(&oldest));
    }
    cx.state.fetched.insert(number, fetched);
    cx.signal(signal(number));
    Ok(())
}

fn kept(zip: Bytes, source: &Source, in_process: bool) -> Result<StoredCode> {
    if !in_process {
        Archive::read(&zip).map_err(|flaw| unreadable(&flaw))?;
    }
    Ok(StoredCode {
        bucket: source.s3_bucket.clone(),
        key: source.s3_key.clone(),
        sha256: STANDARD.encode(Sha256::digest(&zip)),
        size: zip.len() as u64,
        zip: (!in_process).then_some(zip),
    })
}

fn unreadable(flaw: &Flaw) -> Error {
    match flaw {
        Flaw::TooLarge => invalid(format!("Unzipped size must be smaller than {UNZIPPED_LIMIT} bytes")),
        Flaw::Unsupported(what) => Error::not_implemented(format!("{what} as the code of a Lambda function")),
        _ => invalid("Could not unzip uploaded file. Please check your file, then try to upload again."),
    }
}

/// AWS's words for an object that Lambda could not read.
fn refused(source: &Source, code: &str, message: &str) -> Error {
    if code.is_empty() {
        return invalid(message);
    }
    if code == "AccessDenied" {
        let (bucket, key) = (source.s3_bucket.as_deref().unwrap_or(""), source.s3_key.as_deref().unwrap_or(""));
        let text = format!(
            "Your access has been denied by S3, please make sure your request credentials have permission to GetObject for \
             {bucket}/{key}. S3 Error Code: {code}. S3 Error Message: {message}"
        );
        return Error::new(403, "AccessDeniedException", text).with("Type", "User");
    }
    invalid(format!("Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {message}"))
}

/// The archive of a version, for the environment that unpacks it.
pub(super) fn stored(cloud: &Cloud, scope: &Scope, name: &str, version: &str) -> Option<Bytes> {
    let functions = cloud.0.state_of::<Functions>("lambda", scope)?;
    if let Some(zip) = super::layers::archive(&functions, name, version) {
        return Some(zip);
    }
    let function = functions.functions.get(name)?;
    match version {
        LATEST => function.code.zip.clone(),
        number => function.version(number)?.code.zip.clone(),
    }
}
