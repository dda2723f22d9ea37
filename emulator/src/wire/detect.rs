//! Which service, operation and protocol a request is for.
//!
//! The sources in order: `smithy-protocol`, `X-Amz-Target`, `Action`, the credential scope of the signature, the
//! host name; a request that none of them explains is S3's, path style, as an unsigned request to a bucket is.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;

use super::headers::{AMZ_TARGET, SMITHY_PROTOCOL, text};
use super::host::{self, Host};
use super::query::{QUEUE_URL, form, pairs};
use super::query_json::negotiated;
use super::{Detected, Protocol, compression, route};
use crate::model::{Model, OperationModel};
use crate::{Error, Result};

/// The longest form that is searched for an `Action`; AWS takes 1 MiB at most, and CloudFormation comes near.
const MAX_FORM: usize = 16 << 20;

/// The actions of links in messages of SNS, which name no version and are not signed.
/// <https://docs.aws.amazon.com/sns/latest/dg/http-subscription-confirmation-json.html>
pub(crate) const LINKS: [&str; 2] = ["ConfirmSubscription", "Unsubscribe"];

/// Finds service, operation and protocol, and for REST the labels of the path.
///
/// Errors name what is unknown: an operation that the service does not have answers as AWS does, a service that
/// Garoa does not have answers `NotImplemented`.
pub fn detect(head: &Parts, body: &Bytes) -> Result<Detected> {
    check_query(head)?;
    if let Some(protocol) = text(&head.headers, &SMITHY_PROTOCOL) {
        return smithy(head, protocol);
    }
    if let Some(target) = text(&head.headers, &AMZ_TARGET) {
        return targeted(head, target);
    }
    let scope = scope(head);
    if scope.as_deref() != Some("s3")
        && let Some((action, version)) = action(head, body)
    {
        // Who calls a queue's own URL without a signature calls SQS.
        let on_queue = is_queue(head.uri.path());
        // So does who follows a link in a message of SNS.
        let is_link = || LINKS.contains(&&*action) && scope.is_none() && version.is_none();
        let unsigned = || if on_queue { Some("sqs") } else { is_link().then_some("sns") };
        let detected = query(&action, version.as_deref(), scope.as_deref().or_else(unsigned))?;
        let takes_queue = || detected.operation.input_members().iter().any(|member| member.name == QUEUE_URL);
        // Of what takes no queue, a queue's address takes the question for another's.
        if on_queue && !takes_queue() && action != "GetQueueUrl" {
            return Err(no_action_here(&action));
        }
        let is_query = detected.protocol == Protocol::Query;
        return Ok(Detected { protocol: if is_query { negotiated(head) } else { detected.protocol }, ..detected });
    }
    rest(head, scope.as_deref())
}

/// What is not UTF-8 in a query string would be read as something else.
fn check_query(head: &Parts) -> Result<()> {
    let Some(query) = head.uri.query() else { return Ok(()) };
    match percent_encoding::percent_decode_str(query).decode_utf8() {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::client("MalformedQueryString", "The query string contains a syntax error")),
    }
}

/// The protocol and service in which a request that could not be detected is to be answered.
pub fn likely(head: &Parts, body: &Bytes) -> (Protocol, &'static str) {
    if head.headers.contains_key(&SMITHY_PROTOCOL) {
        return (Protocol::RpcV2Cbor, "cloudwatch");
    }
    if let Some(target) = text(&head.headers, &AMZ_TARGET) {
        let prefix = target.rsplit_once('.').map_or(target, |(prefix, _)| prefix);
        return (json_version(head, None), Model::by_target_prefix(prefix).map_or("", |model| model.service));
    }
    let model = scope(head).map(|scope| Model::by_signing_name(&scope));
    let service = model.map(|model| model.map_or("", |model| model.service));
    match (service, action(head, body)) {
        (Some("lambda" | "scheduler" | "apigateway" | "execute-api" | "glacier"), _) => {
            (Protocol::RestJson, service.unwrap_or(""))
        }
        (Some("s3"), _) => (Protocol::RestXml, "s3"),
        (Some("ec2"), _) => (Protocol::Ec2, "ec2"),
        (None, Some(_)) if is_queue(head.uri.path()) => (negotiated(head), "sqs"),
        (_, Some(_)) => (negotiated(head), service.unwrap_or("")),
        (Some("sqs"), None) if body.is_empty() => (Protocol::Query, "sqs"),
        (Some("iam" | "sts" | "cloudformation"), None) => (Protocol::Query, service.unwrap_or("")),
        (Some(service), None) => (json_version(head, None), service),
        (None, None) => (Protocol::RestXml, "s3"),
    }
}

/// Finds the operation of a request to an API that is known already.
///
/// # Errors
/// As [`detect`].
pub fn detect_of(service: &'static str, head: &Parts) -> Result<Detected> {
    let model = Model::of(service).ok_or_else(|| Error::not_implemented(format!("the service {service}")))?;
    let (operation, labels): (&'static OperationModel, _) = route::route(model, head, None)?;
    Ok(Detected { service: model.service, operation, protocol: Protocol::RestJson, labels })
}

fn smithy(head: &Parts, protocol: &str) -> Result<Detected> {
    if protocol != "rpc-v2-cbor" {
        return Err(Error::not_implemented(format!("the protocol {protocol}")));
    }
    let mut parts = head.uri.path().trim_end_matches('/').rsplit('/');
    let (operation, word, service) = (parts.next(), parts.next(), parts.next());
    let (Some(operation), Some("operation"), Some(service)) = (operation, word, service) else {
        return Err(unknown_operation("", head.uri.path()));
    };
    let model = Model::by_target_prefix(service).filter(|model| speaks(model, "smithy-rpc-v2-cbor"));
    let model = model.ok_or_else(|| Error::not_implemented(format!("the service {service}")))?;
    detected(model, operation, Protocol::RpcV2Cbor)
}

fn targeted(head: &Parts, target: &str) -> Result<Detected> {
    let (prefix, operation) = target.rsplit_once('.').ok_or_else(|| unknown_operation("", target))?;
    let model = Model::by_target_prefix(prefix)
        .ok_or_else(|| Error::not_implemented(format!("the service of the X-Amz-Target {target}")))?;
    detected(model, operation, json_version(head, Some(model)))
}

fn json_version(head: &Parts, model: Option<&Model>) -> Protocol {
    let content_type = text(&head.headers, CONTENT_TYPE).unwrap_or("");
    let version = match content_type.strip_prefix("application/x-amz-json-") {
        Some(version) => version,
        None => model.map_or("1.1", |model| model.metadata.json_version),
    };
    if version.starts_with("1.0") { Protocol::AwsJson10 } else { Protocol::AwsJson11 }
}

fn detected(model: &'static Model, operation: &str, protocol: Protocol) -> Result<Detected> {
    let operation = model.operation(operation).ok_or_else(|| unknown_operation(model.service, operation))?;
    Ok(Detected { service: model.service, operation, protocol, labels: Vec::new() })
}

fn unknown_operation(service: &str, operation: &str) -> Error {
    let message = if service.is_empty() {
        format!("There is no operation {operation}")
    } else {
        format!("The service {service} has no operation {operation}")
    };
    Error::client("UnknownOperationException", message)
}

fn speaks(model: &Model, protocol: &str) -> bool {
    model.metadata.protocols.contains(&protocol)
}

/// The parameters `Action` and `Version`, from a form or from the query string of a GET.
fn action(head: &Parts, body: &Bytes) -> Option<(Cow<'static, str>, Option<Cow<'static, str>>)> {
    let content_type = head.headers.get(CONTENT_TYPE).map(|value| value.as_bytes());
    let is_form = content_type.is_some_and(|value| value.starts_with(b"application/x-www-form-urlencoded"));
    let is_place = head.uri.path() == "/" || is_queue(head.uri.path());
    if !is_place || !(is_form || body.is_empty()) || body.len() > MAX_FORM {
        return None;
    }
    let body = compression::inflate(&head.headers, body.clone()).ok()?;
    // The form's text may be borrowed from the body or be made for it; either way these two are short.
    let form = form(head, &body);
    let find = |wanted: &str| {
        pairs(&form).find(|(name, _)| name == wanted).map(|(_, value)| Cow::<'static, str>::Owned(value.into_owned()))
    };
    Some((find("Action")?, find("Version")))
}

/// Whether a path is that of a queue's URL, `/123456789012/name`: SQS's query protocol takes it as the parameter `QueueUrl`.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-xml.html>
pub(super) fn is_queue(path: &str) -> bool {
    let mut parts = path.trim_end_matches('/').rsplit('/');
    let (name, account) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    !name.is_empty() && account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())
}

fn no_action_here(action: &str) -> Error {
    Error::client("InvalidAction", format!("The action {action} is not valid for this endpoint."))
}

fn query(action: &str, version: Option<&str>, scope: Option<&str>) -> Result<Detected> {
    let by_scope =
        scope.and_then(Model::by_signing_name).filter(|model| speaks(model, "query") || speaks(model, "ec2"));
    let model = match (by_scope, version) {
        (Some(model), _) => model,
        (None, Some(version)) => Model::by_query_version(version).ok_or_else(|| {
            let service =
                scope.map_or_else(|| format!("the API version {version}"), |scope| format!("service {scope}"));
            Error::not_implemented(format!("{action} of {service}"))
        })?,
        (None, None) => {
            return Err(match scope {
                Some(scope) => Error::not_implemented(format!("{action} of service {scope}")),
                None => Error::client("MissingParameter", "The request must contain the parameter Version"),
            });
        }
    };
    let version = version.unwrap_or(model.metadata.api_version);
    let known = (version == model.metadata.api_version).then(|| model.operation(action)).flatten();
    let operation = known.ok_or_else(|| match model.service {
        service if model.only_names(action) => Error::not_implemented(format!("the operation {service}:{action}")),
        "sqs" => no_action_here(action),
        _ => Error::client("InvalidAction", format!("Could not find operation {action} for version {version}")),
    })?;
    let protocol = if model.service == "ec2" { Protocol::Ec2 } else { Protocol::Query };
    Ok(Detected { service: model.service, operation, protocol, labels: Vec::new() })
}

fn rest(head: &Parts, scope: Option<&str>) -> Result<Detected> {
    let host = host::of(head);
    let model = match (scope, &host) {
        (Some(scope), _) => {
            Model::by_signing_name(scope).ok_or_else(|| Error::not_implemented(format!("the service {scope}")))?
        }
        (None, Some(Host { service: Some(model), .. })) => model,
        (None, Some(Host { stranger: Some(name), .. })) => {
            return Err(Error::not_implemented(format!("the service at {name}")));
        }
        (None, _) => Model::of("s3").ok_or_else(|| Error::internal("S3 has no model"))?,
    };
    // API Gateway's two versions share a name and a host; all paths of the second begin so.
    let second = model.service == "apigateway" && head.uri.path().starts_with("/v2/");
    let model = if second { Model::of("apigatewayv2").unwrap_or(model) } else { model };
    let protocol = if speaks(model, "rest-xml") {
        Protocol::RestXml
    } else if speaks(model, "rest-json") {
        Protocol::RestJson
    } else if model.service == "sqs" {
        return Err(Error::new(404, "UnknownOperationException", ""));
    } else if speaks(model, "query") || speaks(model, "ec2") {
        return Err(Error::client("MissingAction", "The request must contain the parameter Action"));
    } else {
        return Err(unknown_operation(model.service, "without an X-Amz-Target"));
    };
    let bucket = host.and_then(|host| host.bucket).filter(|_| model.service == "s3");
    let (operation, labels): (&'static OperationModel, _) = route::route(model, head, bucket)?;
    Ok(Detected { service: model.service, operation, protocol, labels })
}

/// The service's name in the credential scope, from the header or from a presigned query string.
fn scope(head: &Parts) -> Option<Cow<'_, str>> {
    if let Some(value) = text(&head.headers, AUTHORIZATION) {
        // Signature version 2 (`AWS key:signature`) is S3's alone.
        if value.starts_with("AWS ") {
            return Some("s3".into());
        }
        // That is how it begins, as a rule.
        let credential = value.strip_prefix("AWS4-HMAC-SHA256 Credential=");
        let credential = credential.or_else(|| value.split_once("Credential=").map(|(_, credential)| credential))?;
        let end = memchr::memchr2(b',', b' ', credential.as_bytes()).unwrap_or(credential.len());
        return scope_service(&credential[..end]).map(Cow::Borrowed);
    }
    let query = head.uri.query()?;
    if !query.contains("X-Amz-Credential") {
        return query.contains("AWSAccessKeyId=").then(|| "s3".into());
    }
    let (_, credential) = pairs(query).find(|(name, _)| name == "X-Amz-Credential")?;
    scope_service(&credential).map(|service| service.to_owned().into())
}

/// `key/date/region/service/aws4_request`, counted from the end: version 4a has no region.
fn scope_service(credential: &str) -> Option<&str> {
    let (before, _) = credential.rsplit_once('/')?;
    let service = before.rsplit_once('/').map_or(before, |(_, service)| service);
    (!service.is_empty()).then_some(service)
}
