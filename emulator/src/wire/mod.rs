//! Bytes to calls and replies to bytes, for every AWS protocol.
//!
//! ```text
//! bytes ─ detect ─▶ Detected ─ decode ─▶ Decoded{input, body} ─ validate ─▶ (the front and a service)
//! bytes ◀─ encode / encode_error ◀─ Reply / Error
//! ```
//! Everything here is driven by the models of `crate::model` and nothing knows an operation by itself, save for the
//! few corners of S3 and SQS that their models do not tell. A value is plain JSON, members named as in the model, timestamps
//! in epoch milliseconds, blobs in base64; the blob that is the HTTP body travels beside it as bytes.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response};
use serde_json::{Map, Value};

use crate::cloud::reply::Reply;
use crate::model::{OperationModel, Shape};
use crate::{Error, Result};

mod bound;
pub mod cbor;
pub mod chunked;
pub mod compression;
mod detect;
mod dynamodb;
mod ec2;
mod errors;
pub(crate) mod headers;
mod host;
mod iam;
pub mod json;
pub mod query;
mod query_json;
pub mod rest;
mod route;
pub(crate) mod straight;
pub mod timestamps;
mod validate;
mod words;
pub mod xml;

#[cfg(test)]
mod tests;

pub(crate) use detect::LINKS;
pub use detect::{detect, detect_of, likely};
pub(crate) use errors::host_id;
pub use errors::{encode_error, stamp};
pub(crate) use host::{bucket_of_host, host, is_nameless, without_port};
pub use validate::validate;

/// The largest body that is read as a document, in bytes. AWS's services take less, each its own; Lambda, which takes the most,
/// says so itself: 70,167,211.
const MAX_DOCUMENT: usize = 128 << 20;
/// The same of S3's XML, of which a deletion of a thousand long keys is the longest.
const MAX_XML: usize = 16 << 20;

/// A protocol of AWS, as Smithy names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// `application/x-amz-json-1.0` with `X-Amz-Target`.
    AwsJson10,
    /// `application/x-amz-json-1.1` with `X-Amz-Target`.
    AwsJson11,
    /// Forms with an `Action`, answered in XML.
    Query,
    /// The same, answered in JSON: see `query_json.rs`.
    QueryJson,
    /// Forms with an `Action`, answered in EC2's XML: see `ec2.rs`.
    Ec2,
    /// HTTP bindings with JSON bodies.
    RestJson,
    /// HTTP bindings with XML bodies.
    RestXml,
    /// Smithy RPC v2 with CBOR bodies.
    RpcV2Cbor,
}

impl Protocol {
    /// The content type of answers.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::AwsJson10 => "application/x-amz-json-1.0",
            Self::AwsJson11 => "application/x-amz-json-1.1",
            Self::Query => "text/xml",
            Self::Ec2 => "text/xml;charset=UTF-8",
            Self::QueryJson | Self::RestJson => "application/json",
            Self::RestXml => "application/xml",
            Self::RpcV2Cbor => "application/cbor",
        }
    }
}

/// What a request is for.
#[derive(Clone, Debug)]
pub struct Detected {
    /// The service, by our name for it.
    pub service: &'static str,
    /// The operation.
    pub operation: &'static OperationModel,
    /// The protocol that it speaks and wants to be answered in.
    pub protocol: Protocol,
    /// The labels of a REST path, decoded, by their names in the model; S3's bucket may come from the host.
    pub labels: Vec<(&'static str, String)>,
}

/// A request as plain data.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// The input, its members named as in the model.
    pub input: Value,
    /// The blob or stream that is the HTTP body, where the input has such a payload; empty else.
    pub body: Bytes,
    /// Members that the model does not know. AWS ignores them, and so do we; who reads the log may want to know.
    pub unknown: Vec<String>,
}

/// Reads a request by its operation's model. Aws-chunked bodies are taken apart first.
///
/// # Errors
/// What the service answers to a malformed body: `SerializationException`, `MalformedXML`, `MalformedInput`; and
/// `IncompleteBody` for a broken aws-chunked one.
pub fn decode(detected: &Detected, head: &Parts, body: &Bytes) -> Result<Decoded> {
    let operation = detected.operation;
    let is_chunked = chunked::is_chunked(&head.headers);
    let (mut body, trailers) =
        if is_chunked { chunked::decode(&head.headers, body)? } else { (body.clone(), HeaderMap::new()) };
    // Only S3 keeps a content coding with the object; elsewhere it means a compressed request.
    if detected.service != "s3" {
        body = compression::inflate(&head.headers, body)?;
    }
    if dynamodb::is(detected.service) {
        dynamodb::check_size(&body)?;
    }
    check_document(detected, &body)?;
    let mut unknown = Vec::new();
    let input = match detected.protocol {
        Protocol::RestJson | Protocol::RestXml => rest::parse(detected, head, &trailers, &mut body, &mut unknown),
        protocol => {
            let body = std::mem::take(&mut body);
            match (protocol, operation.input_shape()) {
                (Protocol::Query | Protocol::QueryJson | Protocol::Ec2, _) => {
                    query::parse(operation, head, &body, &mut unknown)
                }
                (_, None) => Ok(Map::new()),
                (Protocol::RpcV2Cbor, Some(shape)) => match shape.structure() {
                    Some(structure) => cbor::parse(operation.model(), structure, &body, &mut unknown),
                    None => Err("the input is no structure".to_owned()),
                },
                (_, Some(shape)) => json::parse(operation.model(), shape, &body, &mut unknown),
            }
        }
    };
    let mut input = input.map_err(|detail| match rest::no_integer(operation, head) {
        Some((name, text)) if detected.service == "s3" => errors::no_integer(&name, &text),
        _ => errors::malformed(detected.protocol, detected.service, &detail),
    })?;
    match detected.service {
        "s3" if is_chunked => hide_chunking(&mut input, head, &body),
        "sqs" => trace_messages(&mut input, operation, head),
        _ => {}
    }
    Ok(Decoded { input: Value::Object(input), body, unknown })
}

/// A document becomes values that take many times its room, so it may not be of any length, as the bytes of an object may.
fn check_document(detected: &Detected, body: &Bytes) -> Result<()> {
    let is_s3 = detected.service == "s3";
    if body.len() <= if is_s3 { MAX_XML } else { MAX_DOCUMENT } {
        return Ok(());
    }
    let operation = detected.operation;
    let payload = operation.input_shape().and_then(|shape| shape.structure()?.member(shape.payload?));
    if payload.is_some_and(|member| rest::is_raw(operation.model().shape(member.shape))) {
        return Ok(());
    }
    Err(if is_s3 {
        Error::client("MaxMessageLengthExceeded", "Your request was too large.")
            .with("MaxMessageLengthBytes", MAX_XML.to_string())
    } else {
        Error::new(413, "RequestEntityTooLarge", format!("The body is larger than {MAX_DOCUMENT} bytes"))
    })
}

/// What AWS X-Ray traces by a header is traced on by the message: SQS keeps the header as a system attribute of it.
/// <https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html>
fn trace_messages(input: &mut Map<String, Value>, operation: &OperationModel, head: &Parts) {
    let Some(header) = head.headers.get(&headers::AMZN_TRACE_ID).and_then(|value| value.to_str().ok()) else { return };
    let trace = |message: &mut Map<String, Value>| {
        let attributes = message.entry("MessageSystemAttributes").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(attributes) = attributes {
            let value = || serde_json::json!({ "DataType": "String", "StringValue": header });
            attributes.entry("AWSTraceHeader").or_insert_with(value);
        }
    };
    match operation.name {
        "SendMessage" => trace(input),
        "SendMessageBatch" => {
            let entries = input.get_mut("Entries").and_then(Value::as_array_mut).into_iter().flatten();
            entries.filter_map(Value::as_object_mut).for_each(trace);
        }
        _ => {}
    }
}

/// What aws-chunked did to the headers is undone: the object's own coding and length remain.
fn hide_chunking(input: &mut Map<String, Value>, head: &Parts, body: &Bytes) {
    if input.contains_key("ContentEncoding") {
        let codings: Vec<_> = chunked::content_encodings(&head.headers)
            .filter(|coding| !coding.eq_ignore_ascii_case("aws-chunked"))
            .collect();
        if codings.is_empty() {
            input.shift_remove("ContentEncoding");
        } else {
            input.insert("ContentEncoding".to_owned(), Value::from(codings.join(",")));
        }
    }
    if let Some(length) = input.get_mut("ContentLength") {
        *length = Value::from(body.len());
    }
}

/// Writes the answer of an operation, with its request id.
///
/// An output that is not as the model has it is a fault of ours and answers as `InternalFailure`.
pub fn encode(protocol: Protocol, operation: &OperationModel, reply: &Reply, request_id: &str) -> Response<Bytes> {
    match try_encode(protocol, operation, reply, request_id) {
        Ok(response) => response,
        Err(detail) => {
            let error = Error::internal(format!("{}: {detail}", operation.name));
            encode_error(protocol, operation.service, Some(operation), &error, request_id)
        }
    }
}

/// Gives an answer what its request decides on besides protocol and operation: see [`dynamodb`].
pub fn dress(service: &str, head: &Parts, response: &mut Response<Bytes>) {
    if dynamodb::is(service) {
        dynamodb::dress(&head.headers, response.headers_mut());
    }
}

fn try_encode(
    protocol: Protocol,
    operation: &OperationModel,
    reply: &Reply,
    request_id: &str,
) -> Result<Response<Bytes>, String> {
    let model = operation.model();
    let empty = Map::new();
    let members = match &reply.output {
        Value::Object(members) => members,
        Value::Null => &empty,
        _ => return Err("the output is not an object".to_owned()),
    };
    let structure = operation.output_shape().and_then(Shape::structure);
    let (mut status, mut headers, mut content_type) =
        (operation.http.status, HeaderMap::new(), Some(protocol.content_type()));
    let body: Bytes = match protocol {
        Protocol::AwsJson10 | Protocol::AwsJson11 => {
            // Without an output AWS's JSON services answer with no body at all.
            let mut body = Vec::with_capacity(256);
            if let Some(structure) = structure {
                body.push(b'{');
                json::write_members(&mut body, model, structure, members, &mut true)?;
                body.push(b'}');
            }
            reply.body.clone().unwrap_or_else(|| body.into())
        }
        Protocol::RpcV2Cbor => {
            headers.insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
            match structure {
                Some(structure) => cbor::write(model, structure, members)?.into(),
                None => {
                    content_type = None;
                    Bytes::new()
                }
            }
        }
        Protocol::Query => query::write(operation, &reply.output, request_id)?.into(),
        Protocol::Ec2 => ec2::write(operation, &reply.output, request_id)?.into(),
        Protocol::QueryJson => query_json::write(operation, &reply.output, request_id)?.into(),
        Protocol::RestJson | Protocol::RestXml => {
            let answer = rest::write(protocol, operation, reply)?;
            (status, headers, content_type) = (answer.status, answer.headers, answer.content_type);
            answer.body
        }
    };
    let status = reply.status.unwrap_or(status);
    if status != 204 && status != 304 {
        rest::default_content_type(&mut headers, content_type);
    }
    for (name, value) in &reply.headers {
        headers.insert(name, value.clone());
    }
    let mut response = errors::respond(status, headers, body, operation.http.method == "HEAD");
    stamp(&mut response, protocol, operation.service, request_id);
    Ok(response)
}
