//! Errors as each protocol writes them, once for every service.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use ciborium::value::Value as Cbor;
use http::header::IntoHeaderName;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::{Map, Value};

use super::headers::{AMZ_ID_2, AMZ_REQUEST_ID, AMZN_REQUESTID};
use super::{Protocol, cbor, dynamodb, ec2, json, query_json, rest, xml};
use crate::Error;
use crate::model::{Kind, Model, OperationModel, Shape, Structure};

/// What SQS calls errors that no shape of its model stands for: in JSON, and in its query protocol.
const SQS_NAMES: &[(&str, &str)] = &[
    ("InvalidParameterValueException", "InvalidParameterValue"),
    ("MissingRequiredParameterException", "MissingParameter"),
    ("AccessDeniedException", "AccessDenied"),
];

/// The error for a body that cannot be read, as the protocol answers it.
pub(super) fn malformed(protocol: Protocol, service: &str, detail: &str) -> Error {
    match (protocol, service) {
        (Protocol::RestXml, "s3") => Error::client(
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
        ),
        (Protocol::RestXml, _) => Error::client("MalformedInput", detail),
        (Protocol::Ec2, _) => Error::client("InvalidParameterValue", detail),
        (Protocol::Query | Protocol::QueryJson, _) => Error::client("MalformedInput", detail),
        _ => Error::client("SerializationException", detail),
    }
}

/// What S3 answers to a parameter of the query that has to be an integer and is none.
pub(super) fn no_integer(name: &str, text: &str) -> Error {
    Error::client("InvalidArgument", format!("Provided {name} not an integer or within integer range"))
        .with("ArgumentName", name)
        .with("ArgumentValue", text)
}

/// Writes an error in the protocol of its request. `operation` is known unless detection itself failed.
pub fn encode_error(
    protocol: Protocol,
    service: &str,
    operation: Option<&OperationModel>,
    error: &Error,
    request_id: &str,
) -> Response<Bytes> {
    let model = Model::of(service);
    let shape = model.and_then(|model| model.error_shape(error.code()));
    let facts = Facts { service, model, shape, error, request_id };
    let is_head = operation.is_some_and(|operation| operation.http.method == "HEAD");
    let mut headers = if service == "s3" { header_members(error) } else { HeaderMap::new() };
    let body = match protocol {
        Protocol::AwsJson10 | Protocol::AwsJson11 => facts.json(true),
        Protocol::RestJson => {
            insert(&mut headers, "x-amzn-errortype", facts.type_name());
            facts.json(false)
        }
        Protocol::RpcV2Cbor => facts.cbor(),
        Protocol::Query => facts.query(),
        Protocol::Ec2 => ec2::error(error.code(), error.message(), request_id),
        Protocol::QueryJson => {
            query_json::error(facts.query_code(), facts.query_message(), facts.fault(), request_id).into_bytes()
        }
        Protocol::RestXml if service == "s3" => facts.s3(),
        Protocol::RestXml => facts.query(),
    };
    if model.is_some_and(|model| model.metadata.query_compatible)
        && !matches!(protocol, Protocol::Query | Protocol::QueryJson)
    {
        insert(&mut headers, "x-amzn-query-error", &format!("{};{}", facts.query_code(), facts.fault()));
    }
    let bodiless = is_head || error.status() == 304;
    if !bodiless {
        rest::default_content_type(&mut headers, Some(protocol.content_type()));
    }
    if protocol == Protocol::RpcV2Cbor {
        headers.insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
    }
    let body = if bodiless { Bytes::new() } else { Bytes::from(body) };
    let mut response = respond(error.status(), headers, body, is_head);
    stamp(&mut response, protocol, service, request_id);
    response
}

/// S3's errors carry headers, such as the ETag of a 304: the members whose names are in lower case (`s3/errors.rs`).
fn header_members(error: &Error) -> HeaderMap {
    let members = error.members().iter().filter(|(name, _)| is_header(name));
    let pairs = members.filter_map(|(name, value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(&text).ok()?))
    });
    pairs.collect()
}

fn is_header(member: &str) -> bool {
    !member.contains(|c: char| c.is_ascii_uppercase())
}

/// An HTTP response; a length is the body's own, except for HEAD, whose answer tells the length of another.
pub(super) fn respond(status: u16, mut headers: HeaderMap, body: Bytes, is_head: bool) -> Response<Bytes> {
    let bodiless = status == 204 || status == 304;
    if bodiless {
        headers.remove(header::CONTENT_LENGTH);
    } else if !is_head {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    let mut response = Response::new(if is_head || bodiless { Bytes::new() } else { body });
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = headers;
    response
}

/// Puts the request's id on a response, under the names that the service uses.
pub fn stamp(response: &mut Response<Bytes>, protocol: Protocol, service: &str, request_id: &str) {
    let crc32 = if dynamodb::is(service) { dynamodb::crc32(response.body()) } else { 0 };
    let headers = response.headers_mut();
    if protocol == Protocol::RestXml && service == "s3" {
        insert(headers, &AMZ_REQUEST_ID, request_id);
        insert(headers, &AMZ_ID_2, &host_id(request_id));
    } else if dynamodb::is(service) {
        insert(headers, &AMZN_REQUESTID, &dynamodb::request_id(request_id));
        headers.insert(dynamodb::CRC32_HEADER, HeaderValue::from(crc32));
    } else {
        insert(headers, &AMZN_REQUESTID, request_id);
    }
}

/// S3's second id; it names the host that answered there, and says nothing here but which request it was.
pub(crate) fn host_id(request_id: &str) -> String {
    STANDARD.encode(request_id)
}

fn insert(headers: &mut HeaderMap, name: impl IntoHeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

struct Facts<'a> {
    service: &'a str,
    model: Option<&'static Model>,
    shape: Option<&'static Shape>,
    error: &'a Error,
    request_id: &'a str,
}

impl Facts<'_> {
    /// The name in JSON and CBOR: the shape's.
    fn type_name(&self) -> &str {
        match self.sqs_names() {
            Some((json, _)) => json,
            None => self.shape.map_or(self.error.code(), |shape| shape.name),
        }
    }

    fn sqs_names(&self) -> Option<&'static (&'static str, &'static str)> {
        let code = self.error.code();
        SQS_NAMES.iter().find(|(json, query)| self.service == "sqs" && (*json == code || *query == code))
    }

    /// The name in XML: the model's code for the shape.
    fn query_code(&self) -> &str {
        match self.sqs_names() {
            Some((_, query)) => query,
            None => self.shape.map_or(self.error.code(), |shape| shape.error_code()),
        }
    }

    /// Whose fault it is, in the query protocol's words.
    fn fault(&self) -> &'static str {
        if self.error.is_client_fault() { "Sender" } else { "Receiver" }
    }

    /// The text in XML: SQS's query protocol says one thing in other words.
    fn query_message(&self) -> &str {
        match (self.service, self.error.code()) {
            ("sqs", "QueueDoesNotExist") => "The specified queue does not exist for this wsdl version.",
            _ => self.error.message(),
        }
    }

    fn structure(&self) -> Option<(&'static Model, &'static Structure)> {
        Some((self.model?, self.shape?.structure()?))
    }

    /// How the error spells its message: as its shape does, and by Coral's habit where no shape says.
    fn message_name(&self) -> &'static str {
        let members = self.structure().map(|(_, structure)| &structure.members);
        let member = members.into_iter().flatten().find(|member| member.name.eq_ignore_ascii_case("message"));
        match (member, self.service) {
            (Some(member), _) => member.wire_name(),
            (None, "lambda") => "Message",
            (None, service) if dynamodb::is(service) => dynamodb::message_name(self.error.code()),
            (None, _) => "message",
        }
    }

    /// Whether the error says nothing: then these services leave the message out.
    fn is_mute(&self) -> bool {
        self.error.message().is_empty() && (dynamodb::is(self.service) || matches!(self.service, "cloudwatch" | "kms"))
    }

    /// The members besides the message, with what the shape wants and the service did not give.
    fn members(&self) -> Map<String, Value> {
        let mut members = self.error.members().clone();
        members.retain(|name, _| self.service != "s3" || !is_header(name));
        // Lambda's errors say whose fault they are in a member of their own.
        if self.service == "lambda" && self.structure().is_some_and(|(_, structure)| structure.member("Type").is_some())
        {
            let fault = if self.error.is_client_fault() { "User" } else { "Service" };
            members.entry("Type").or_insert_with(|| Value::from(fault));
            // Some leave it out: those say so by a null.
            members.retain(|_, value| !value.is_null());
        }
        // S3 Glacier repeats the code in the body, and says whose fault it is.
        if self.service == "glacier" {
            members.insert("code".to_owned(), self.error.code().into());
            members.insert("type".to_owned(), if self.error.is_client_fault() { "Client" } else { "Server" }.into());
        }
        members
    }

    fn json(&self, with_type: bool) -> Vec<u8> {
        let mut body = vec![b'{'];
        let mut first = true;
        let mut put = |name: &str, value: &Value| {
            if !std::mem::take(&mut first) {
                body.push(b',');
            }
            // Writing to memory cannot fail.
            let _ = json::scalar(&mut body, &Value::from(name));
            body.push(b':');
            let _ = json::scalar(&mut body, value);
        };
        if with_type {
            let name = self.type_name();
            put(
                "__type",
                &Value::from(if dynamodb::is(self.service) { dynamodb::qualified(name) } else { name.to_owned() }),
            );
        }
        let unknown = self.error.code() == "UnknownOperationException" && dynamodb::is(self.service);
        if !(self.is_mute() || unknown) {
            put(self.message_name(), &Value::from(self.error.message()));
        }
        for (name, value) in &self.members() {
            let known = self.structure().and_then(|(model, structure)| Some((model, structure.member(name)?)));
            let mut written = Vec::new();
            let fits = known.map(|(model, member)| {
                json::write(&mut written, model, model.shape(member.shape), Some(member), value).map(|()| member)
            });
            match fits {
                Some(Ok(member)) => {
                    let value = serde_json::from_slice(&written).unwrap_or(Value::Null);
                    put(member.wire_name(), &value);
                }
                _ => put(name, value),
            }
        }
        body.push(b'}');
        body
    }

    fn cbor(&self) -> Vec<u8> {
        let name = format!("com.amazonaws.{}#{}", self.service, self.type_name());
        let mut entries = vec![(Cbor::from("__type"), Cbor::from(name))];
        if !self.is_mute() {
            entries.push((Cbor::from(self.message_name()), Cbor::from(self.error.message())));
        }
        let members = self.members();
        if let Some((model, structure)) = self.structure() {
            entries.extend(cbor::write_members(model, structure, &members).unwrap_or_default());
        }
        let known = |name: &str| self.structure().is_some_and(|(_, structure)| structure.member(name).is_some());
        let strangers = members.iter().filter(|(name, _)| !known(name));
        entries.extend(strangers.map(|(name, value)| (Cbor::from(name.as_str()), Cbor::from(text(value)))));
        cbor::to_bytes(&Cbor::Map(entries)).unwrap_or_default()
    }

    fn query(&self) -> Vec<u8> {
        // So Coral answers to what names no operation at all.
        if self.error.code() == "UnknownOperationException" && self.error.message().is_empty() {
            return b"<UnknownOperationException/>\n".to_vec();
        }
        let namespace = self.model.map_or("http://webservices.amazon.com/AWSFault/2005-15-09", rest::namespace);
        let mut out = format!("<ErrorResponse xmlns=\"{namespace}\"><Error>");
        element(&mut out, "Type", self.fault());
        element(&mut out, "Code", self.query_code());
        if !self.is_mute() {
            element(&mut out, "Message", self.query_message());
        }
        if self.service == "sqs" {
            out.push_str("<Detail/>");
        }
        self.extra(&mut out);
        out.push_str("</Error>");
        element(&mut out, "RequestId", self.request_id);
        out.push_str("</ErrorResponse>");
        out.into_bytes()
    }

    fn s3(&self) -> Vec<u8> {
        let mut out = format!("{}<Error>", xml::HEAD);
        element(&mut out, "Code", self.error.code());
        element(&mut out, "Message", self.error.message());
        self.extra(&mut out);
        element(&mut out, "RequestId", self.request_id);
        element(&mut out, "HostId", &host_id(self.request_id));
        out.push_str("</Error>");
        out.into_bytes()
    }

    /// The members besides code and message: modelled ones by their shape, others as text.
    fn extra(&self, out: &mut String) {
        for (name, value) in &self.members() {
            let known = self.structure().and_then(|(model, structure)| Some((model, structure.member(name)?)));
            let mut written = String::new();
            let fits = known.is_some_and(|(model, member)| {
                let shape = model.shape(member.shape);
                let is_plain = !matches!(shape.kind, Kind::Timestamp) || value.is_number();
                is_plain && xml::write(&mut written, model, shape, member, member.wire_name(), value).is_ok()
            });
            if fits { out.push_str(&written) } else { element(out, name, &text(value)) }
        }
    }
}

fn element(out: &mut String, name: &str, text: &str) {
    xml::start(out, name, None, "");
    xml::escape(out, text);
    xml::end(out, name);
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
