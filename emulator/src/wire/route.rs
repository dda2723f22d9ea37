//! REST routing: from method, path, query and headers to an operation, the most specific one.
//!
//! The path is taken raw: S3's keys may be `.`, `..`, begin with slashes and hold any character, so nothing is
//! normalised and each label is decoded by itself.

use std::cmp::Reverse;

use http::header::CONTENT_TYPE;
use http::request::Parts;

use super::rest::pairs_of_uri;
use crate::model::{Model, OperationModel, Segment};
use crate::{Error, Result};

/// The labels of a path, by their names in the template.
pub(super) type Labels = Vec<(&'static str, String)>;

/// Finds the operation and its labels. `bucket` is the one that the host names.
pub(super) fn route(
    model: &'static Model,
    head: &Parts,
    bucket: Option<String>,
) -> Result<(&'static OperationModel, Labels)> {
    let query = pairs_of_uri(head.uri.query().unwrap_or(""));
    let path = head.uri.path();
    let [unqueried, queried] = model.operations_of(head.method.as_str());
    // Of what needs a query, a request without one is nothing.
    let queried = (!query.is_empty()).then_some(queried).into_iter().flatten();
    let queried = queried.filter(|operation| {
        let mut fixed = operation.http.uri.query.iter();
        fixed.all(|(name, value)| query.iter().any(|(n, v)| n == name && value.is_none_or(|value| v == value)))
    });
    let candidates = unqueried.chain(queried);
    // Without what its query string requires, an operation of S3 is another one, or none.
    let candidates = candidates.filter(|operation| {
        let http = &operation.http;
        model.service != "s3" || !http.uri.query.is_empty() || http.required_query.iter().all(|name| has(&query, name))
    });
    let candidates =
        candidates.filter(|operation| match_path(&operation.http.uri.segments, bucket.as_deref(), path, |_, _| ()));
    let candidates = candidates.map(|operation| (specificity(operation, head, &query), operation));
    // Of equals the first by name wins, so that an answer never depends on chance.
    let best = candidates.reduce(|best, next| if next.0 > best.0 { next } else { best });
    let Some((_, operation)) = best else { return Err(no_route(model, head)) };
    let mut labels = Vec::with_capacity(operation.http.uri.segments.len());
    match_path(&operation.http.uri.segments, bucket.as_deref(), path, |name, raw| labels.push((name, raw)));
    if model.service == "s3" && operation.http.uri.query.is_empty() && names_sub_resource(model, &query) {
        return Err(no_route(model, head));
    }
    if operation.http.method == "PUT" && operation.http.required_query.is_empty() {
        refuse_half_a_part(model, &query)?;
    }
    let labels = labels.into_iter().map(|(name, raw)| Ok((name, decode(model, raw)?)));
    Ok((operation, labels.collect::<Result<_>>()?))
}

fn has(query: &[(String, String)], name: &str) -> bool {
    query.iter().any(|(key, _)| key == name)
}

/// A part of an upload needs both its parameters: with one of them it must not be stored as an object.
fn refuse_half_a_part(model: &Model, query: &[(String, String)]) -> Result<()> {
    let half = ["uploadId", "partNumber"].into_iter().find(|name| has(query, name));
    match half {
        Some(name) if model.service == "s3" => Err(Error::client(
            "InvalidArgument",
            "This operation does not accept a partNumber without uploadId, nor an uploadId without partNumber",
        )
        .with("ArgumentName", name)),
        _ => Ok(()),
    }
}

/// How specific an operation is: fixed parts of the path, fixed parameters, then how well what it requires is there.
type Specificity = (usize, usize, Reverse<usize>, usize, bool, bool);

fn specificity(operation: &OperationModel, head: &Parts, query: &[(String, String)]) -> Specificity {
    let http = &operation.http;
    let literals = http.uri.segments.iter().filter(|segment| matches!(segment, Segment::Literal(_))).count();
    let in_query = http.required_query.iter().filter(|name| has(query, name)).count();
    let in_head = http.required_headers.iter().filter(|name| head.headers.contains_key(**name)).count();
    let required = http.required_query.len() + http.required_headers.len();
    let present = in_query + in_head;
    // SDKs name the operation in `x-id`; it decides between what nothing else tells apart.
    let named = query.iter().any(|(key, value)| key == "x-id" && value == operation.name);
    (literals, http.uri.query.len(), Reverse(required - present), present, !operation.deprecated, named)
}

/// Whether a path is of this template. What its labels are is told to `found`, also of a path that turns out to be another.
fn match_path<'a>(
    template: &[Segment],
    bucket: Option<&'a str>,
    path: &'a str,
    mut found: impl FnMut(&'static str, Raw<'a>),
) -> bool {
    let mut rest = Some(path.strip_prefix('/').unwrap_or(path));
    let mut bucket = bucket;
    for segment in template {
        if let (Some(name), Segment::Label(label)) = (bucket, segment) {
            found(label, Raw::Plain(name));
            bucket = None;
            continue;
        }
        let Some(whole) = rest else { return false };
        let (part, after) = whole.split_once('/').map_or((whole, None), |(part, after)| (part, Some(after)));
        match segment {
            Segment::Literal(literal) if part == *literal => rest = after,
            Segment::Label(label) if !part.is_empty() => {
                found(label, Raw::Encoded(part));
                rest = after;
            }
            Segment::Greedy(label) if !whole.is_empty() => {
                found(label, Raw::Encoded(whole));
                rest = None;
            }
            _ => return false,
        }
    }
    // A slash at the end is taken, as AWS takes it (`/bucket/`, `/2015-03-31/functions/`).
    bucket.is_none() && rest.is_none_or(str::is_empty)
}

/// A label as it stands in the request.
enum Raw<'a> {
    /// From the host name: nothing is encoded.
    Plain(&'a str),
    /// From the path: percent-encoded.
    Encoded(&'a str),
}

fn decode(model: &Model, raw: Raw<'_>) -> Result<String> {
    match raw {
        Raw::Plain(text) => Ok(text.to_owned()),
        Raw::Encoded(text) if memchr::memchr(b'%', text.as_bytes()).is_none() => Ok(text.to_owned()),
        Raw::Encoded(text) => match percent_encoding::percent_decode_str(text).decode_utf8() {
            Ok(text) => Ok(text.into_owned()),
            Err(_) if model.service == "s3" => {
                Err(Error::client("InvalidURI", "Couldn't parse the specified URI.").with("URI", text))
            }
            Err(_) => Err(Error::client("SerializationException", format!("The path is not UTF-8: {text}"))),
        },
    }
}

/// Whether the query names a sub-resource of S3 (`?acl`): then an operation without one must not answer for it.
fn names_sub_resource(model: &Model, query: &[(String, String)]) -> bool {
    let fixed = || model.operations().flat_map(|operation| &operation.http.uri.query);
    query.iter().any(|(name, _)| fixed().any(|(fixed, value)| value.is_none() && fixed == name))
}

fn no_route(model: &Model, head: &Parts) -> Error {
    let (method, path) = (head.method.as_str(), head.uri.path());
    if model.service == "s3" {
        let content_type = head.headers.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
        if method == "POST" && head.uri.query().is_none() && !content_type.starts_with(b"multipart/form-data") {
            let text = "At least one of the pre-conditions you specified did not hold";
            return Error::new(412, "PreconditionFailed", text)
                .with("Condition", "Bucket POST must be of the enclosure-type multipart/form-data");
        }
        return Error::new(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
            .with("Method", method)
            .with("ResourceType", if path.trim_matches('/').contains('/') { "OBJECT" } else { "BUCKET" });
    }
    Error::new(404, "UnknownOperationException", format!("The service {} has no {method} {path}", model.service))
}
