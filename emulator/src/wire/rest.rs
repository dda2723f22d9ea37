//! The HTTP bindings of restJson and restXml: paths, query strings, headers, status and payload.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::{Map, Value};

use super::query::{pairs, scalar};
use super::{Detected, Protocol, json, words, xml};
use crate::cloud::reply::Reply;
use crate::model::{Kind, Location, Member, Model, OperationModel, Shape, Structure, TimestampFormat, XmlNamespace};

/// The namespace of S3's documents; its model in botocore does not name it.
const S3_NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// Room for the headers of an answer: no map grows twice.
const HEADERS: usize = 24;

/// The roots of S3's answers that are not named as their shape is (API reference, "Response Syntax" of each).
const S3_ROOTS: &[(&str, &str)] = &[
    ("CompleteMultipartUploadOutput", "CompleteMultipartUploadResult"),
    ("CreateMultipartUploadOutput", "InitiateMultipartUploadResult"),
    ("CreateSessionOutput", "CreateSessionResult"),
    ("DeleteObjectsOutput", "DeleteResult"),
    ("GetBucketAccelerateConfigurationOutput", "AccelerateConfiguration"),
    ("GetBucketAclOutput", "AccessControlPolicy"),
    ("GetBucketCorsOutput", "CORSConfiguration"),
    ("GetBucketLifecycleConfigurationOutput", "LifecycleConfiguration"),
    ("GetBucketLifecycleOutput", "LifecycleConfiguration"),
    ("GetBucketLocationOutput", "LocationConstraint"),
    ("GetBucketLoggingOutput", "BucketLoggingStatus"),
    ("GetBucketRequestPaymentOutput", "RequestPaymentConfiguration"),
    ("GetBucketTaggingOutput", "Tagging"),
    ("GetBucketVersioningOutput", "VersioningConfiguration"),
    ("GetBucketWebsiteOutput", "WebsiteConfiguration"),
    ("GetObjectAclOutput", "AccessControlPolicy"),
    ("GetObjectAttributesOutput", "GetObjectAttributesResponse"),
    ("GetObjectTaggingOutput", "Tagging"),
    ("ListBucketAnalyticsConfigurationsOutput", "ListBucketAnalyticsConfigurationResult"),
    ("ListBucketInventoryConfigurationsOutput", "ListInventoryConfigurationsResult"),
    ("ListBucketMetricsConfigurationsOutput", "ListMetricsConfigurationsResult"),
    ("ListBucketsOutput", "ListAllMyBucketsResult"),
    ("ListDirectoryBucketsOutput", "ListAllMyDirectoryBucketsResult"),
    ("ListMultipartUploadsOutput", "ListMultipartUploadsResult"),
    ("ListObjectVersionsOutput", "ListVersionsResult"),
    ("ListObjectsOutput", "ListBucketResult"),
    ("ListObjectsV2Output", "ListBucketResult"),
    ("ListPartsOutput", "ListPartsResult"),
    ("NotificationConfigurationDeprecated", "NotificationConfiguration"),
];

/// The namespace of a service's XML.
pub(super) fn namespace(model: &Model) -> &'static str {
    model.metadata.xml_namespace.unwrap_or(S3_NAMESPACE)
}

/// Reads a REST request: every bound member from its place, the rest from the body.
///
/// `trailers` are headers that came behind an aws-chunked body. The payload, if it is a blob or a stream, stays in
/// `body`; any other is taken out of it.
pub fn parse(
    detected: &Detected,
    head: &Parts,
    trailers: &HeaderMap,
    body: &mut Bytes,
    unknown: &mut Vec<String>,
) -> Result<Map<String, Value>, String> {
    let operation = detected.operation;
    let model = operation.model();
    let mut input = Map::new();
    let Some(shape) = operation.input_shape() else {
        *body = Bytes::new();
        return Ok(input);
    };
    let Some(structure) = shape.structure() else { return Ok(input) };
    let query: Vec<_> = pairs_of_uri(head.uri.query().unwrap_or(""));
    let hoisted = hoisted(detected.service, &query, &head.headers);
    let headers = hoisted.as_ref().unwrap_or(&head.headers);
    let lengths = Lengths::of(headers.keys().chain(trailers.keys()));
    for member in &structure.members {
        let shape = model.shape(member.shape);
        let value = match member.location {
            None => continue,
            Some(Location::Uri) => label(detected, shape, member)?,
            Some(Location::QueryString) => query_member(operation, structure, member, &query)?,
            Some(Location::Header) if !lengths.have(member) => None,
            Some(Location::Header) => header_member(model, shape, member, headers, trailers)?,
            Some(Location::Headers) => prefix_headers(member, headers),
            Some(Location::StatusCode) => None,
        };
        if let Some(value) = value {
            input.insert(member.name.to_owned(), value);
        }
    }
    match shape.payload.and_then(|name| structure.member(name)) {
        Some(member) => parse_payload(detected, model, member, body, &mut input, unknown)?,
        None => {
            let taken = std::mem::take(body);
            if structure.members.iter().any(|member| member.location.is_none()) {
                input.extend(parse_document(detected, model, shape, &taken, unknown)?);
            }
        }
    }
    Ok(input)
}

/// What a presigned URL of S3 carries in its query string instead of in headers, as headers.
fn hoisted(service: &str, query: &[(String, String)], headers: &HeaderMap) -> Option<HeaderMap> {
    let has = |name: &str| query.iter().any(|(key, _)| key == name);
    if service != "s3" || !(has("X-Amz-Signature") || has("Signature")) {
        return None;
    }
    let mut all = headers.clone();
    for (name, value) in query {
        let name = name.to_ascii_lowercase();
        let is_header = name.starts_with("x-amz-")
            || name.starts_with("if-")
            || ["content-type", "content-md5", "cache-control", "range"].contains(&name.as_str());
        if let (true, Ok(name), Ok(value)) =
            (is_header, HeaderName::try_from(name.as_str()), HeaderValue::from_bytes(value.as_bytes()))
            && !all.contains_key(&name)
        {
            all.insert(name, value);
        }
    }
    Some(all)
}

fn parse_payload(
    detected: &Detected,
    model: &Model,
    member: &Member,
    body: &mut Bytes,
    input: &mut Map<String, Value>,
    unknown: &mut Vec<String>,
) -> Result<(), String> {
    let shape = model.shape(member.shape);
    if is_raw(shape) {
        return Ok(());
    }
    let taken = std::mem::take(body);
    if taken.is_empty() {
        return Ok(());
    }
    let value = match shape.kind {
        Kind::String => Value::from(std::str::from_utf8(&taken).map_err(|error| error.to_string())?),
        _ if detected.protocol == Protocol::RestXml => {
            let Some(root) = xml::parse(&taken)? else { return Ok(()) };
            let structure = shape.structure().ok_or("the payload is no structure")?;
            if root.name() != member.wire_name() {
                return Err(format!("the root is {} instead of {}", root.name(), member.wire_name()));
            }
            Value::Object(xml::read_structure(model, structure, &root, unknown)?)
        }
        _ => Value::Object(json::parse(model, shape, &taken, unknown)?),
    };
    input.insert(member.name.to_owned(), value);
    Ok(())
}

/// Whether the payload travels beside the value, as bytes.
pub(super) fn is_raw(shape: &Shape) -> bool {
    matches!(shape.kind, Kind::Blob) || shape.event_stream
}

fn parse_document(
    detected: &Detected,
    model: &Model,
    shape: &Shape,
    body: &[u8],
    unknown: &mut Vec<String>,
) -> Result<Map<String, Value>, String> {
    if detected.protocol != Protocol::RestXml {
        return json::parse(model, shape, body, unknown);
    }
    match (xml::parse(body)?, shape.structure()) {
        (Some(root), Some(structure)) => xml::read_structure(model, structure, &root, unknown),
        _ => Ok(Map::new()),
    }
}

/// As [`pairs`], but `+` is itself: that is how SDKs and S3 write query strings of REST requests.
pub(super) fn pairs_of_uri(query: &str) -> Vec<(String, String)> {
    if query.is_empty() {
        return Vec::new();
    }
    let escaped = query.replace('+', "%2B");
    pairs(&escaped).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

fn label(detected: &Detected, shape: &Shape, member: &Member) -> Result<Option<Value>, String> {
    let name = member.wire_name();
    let Some((_, text)) = detected.labels.iter().find(|(label, _)| *label == name) else { return Ok(None) };
    scalar(shape, member, text, TimestampFormat::Iso8601).map(Some).ok_or_else(|| malformed(name, text))
}

/// The first parameter of the query that has to be an integer and is none, with what it is.
pub(super) fn no_integer(operation: &OperationModel, head: &Parts) -> Option<(String, String)> {
    let model = operation.model();
    let structure = operation.input_shape()?.structure()?;
    pairs_of_uri(head.uri.query()?).into_iter().find(|(name, text)| {
        let bound = |member: &&Member| member.location == Some(Location::QueryString) && member.wire_name() == name;
        structure.members.iter().find(bound).is_some_and(|member| {
            let shape = model.shape(member.shape);
            let is_integer = matches!(shape.kind, Kind::Integer { .. });
            is_integer && !text.is_empty() && scalar(shape, member, text, TimestampFormat::Iso8601).is_none()
        })
    })
}

fn malformed(name: &str, text: &str) -> String {
    format!("The value '{text}' of {name} is malformed")
}

fn query_member(
    operation: &OperationModel,
    structure: &Structure,
    member: &Member,
    query: &[(String, String)],
) -> Result<Option<Value>, String> {
    let model = operation.model();
    let shape = model.shape(member.shape);
    let name = member.wire_name();
    let read = |shape: &Shape, member: &Member, text: &str| {
        scalar(shape, member, text, TimestampFormat::Iso8601).ok_or_else(|| malformed(name, text))
    };
    let mut texts = query.iter().filter(|(key, _)| key == name).map(|(_, text)| text);
    match &shape.kind {
        Kind::List(element) => {
            let shape = model.shape(element.shape);
            let values = texts.map(|text| read(shape, element, text)).collect::<Result<Vec<_>, _>>()?;
            Ok((!values.is_empty()).then_some(Value::Array(values)))
        }
        // A map holds all that no member and not the operation's own address names.
        Kind::Map(..) => {
            let bound = |key: &str| {
                let mut others = structure.members.iter().filter(|other| other.location == Some(Location::QueryString));
                let mut fixed = operation.http.uri.query.iter();
                others.any(|other| other.wire_name() == key) || fixed.any(|(name, _)| *name == key)
            };
            let rest = query.iter().filter(|(key, _)| !bound(key));
            let entries: Map<_, _> = rest.map(|(key, text)| (key.clone(), Value::from(text.as_str()))).collect();
            Ok((!entries.is_empty()).then_some(Value::Object(entries)))
        }
        // An empty number is none to S3.
        Kind::Integer { .. } if model.service == "s3" => {
            texts.next().filter(|text| !text.is_empty()).map(|text| read(shape, member, text)).transpose()
        }
        _ => texts.next().map(|text| read(shape, member, text)).transpose(),
    }
}

/// How long the names of a request's headers are, a bit for each length: a request has a handful of headers, and S3's model asks
/// for forty.
pub(super) struct Lengths(u64);

impl Lengths {
    pub(super) fn of<'h>(names: impl Iterator<Item = &'h HeaderName>) -> Self {
        Self(names.fold(0, |all, name| all | Self::bit(name)))
    }

    fn bit(name: &HeaderName) -> u64 {
        1 << name.as_str().len().min(63)
    }

    /// Whether the member's header may be among them.
    pub(super) fn have(&self, member: &Member) -> bool {
        member.header_name().is_some_and(|name| self.0 & Self::bit(name) != 0)
    }
}

fn header_member(
    model: &Model,
    shape: &Shape,
    member: &Member,
    headers: &HeaderMap,
    trailers: &HeaderMap,
) -> Result<Option<Value>, String> {
    let Some(name) = member.header_name() else { return Ok(None) };
    let trailer = || if trailers.is_empty() { None } else { trailers.get(name) };
    let Some(header) = headers.get(name).or_else(trailer) else { return Ok(None) };
    let text = header_text(header);
    if member.json_value {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| malformed(name.as_str(), &text))?;
        return Ok(Some(Value::from(String::from_utf8(bytes).map_err(|_| malformed(name.as_str(), &text))?)));
    }
    if let Kind::List(element) = &shape.kind {
        let shape = model.shape(element.shape);
        let all = headers.get_all(name).iter().chain(trailers.get_all(name));
        let texts =
            all.flat_map(|value| header_text(value).split(',').map(|part| part.trim().to_owned()).collect::<Vec<_>>());
        let read = |text: String| {
            scalar(shape, element, &text, TimestampFormat::Rfc822).ok_or_else(|| malformed(name.as_str(), &text))
        };
        return texts.filter(|text| !text.is_empty()).map(read).collect::<Result<Value, _>>().map(Some);
    }
    scalar(shape, member, &text, TimestampFormat::Rfc822).map(Some).ok_or_else(|| malformed(name.as_str(), &text))
}

/// Header values are UTF-8 here; what is not is Latin-1, as HTTP once had it.
fn header_text(value: &HeaderValue) -> String {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => text.to_owned(),
        Err(_) => value.as_bytes().iter().map(|byte| char::from(*byte)).collect(),
    }
}

fn prefix_headers(member: &Member, headers: &HeaderMap) -> Option<Value> {
    let prefix = member.wire_name().to_ascii_lowercase();
    let mut entries = Map::new();
    for name in headers.keys() {
        if let Some(rest) = name.as_str().strip_prefix(&prefix) {
            // A header that comes twice is one value with a comma, in S3 as in HTTP.
            let values: Vec<_> = headers.get_all(name).iter().map(header_text).collect();
            entries.insert(rest.to_owned(), Value::from(words::read(values.join(","))));
        }
    }
    (!entries.is_empty()).then_some(Value::Object(entries))
}

/// The parts of a REST answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) content_type: Option<&'static str>,
    pub(super) body: Bytes,
}

/// Writes a REST answer. Fails when the output is not as the model has it.
pub(super) fn write(protocol: Protocol, operation: &OperationModel, reply: &Reply) -> Result<Answer, String> {
    let model = operation.model();
    let mut answer = Answer {
        status: operation.http.status,
        headers: HeaderMap::with_capacity(HEADERS),
        content_type: None,
        body: Bytes::new(),
    };
    let empty = Map::new();
    let output = reply.output.as_object().unwrap_or(&empty);
    let Some((shape, structure)) = operation.output_shape().and_then(|shape| Some((shape, shape.structure()?))) else {
        answer.body = reply.body.clone().unwrap_or_default();
        return Ok(answer);
    };
    // By what there is: an object's answer has a dozen of the forty members that it may have.
    for (name, value) in output.iter().filter(|(_, value)| !value.is_null()) {
        if let Some(member) = structure.member(name).filter(|member| member.location.is_some()) {
            write_bound(model, member, value, &mut answer)?;
        }
    }
    match shape.payload.and_then(|name| structure.member(name)) {
        Some(member) => write_payload(protocol, model, member, reply, output, &mut answer)?,
        None if structure.members.iter().any(|member| member.location.is_none()) || protocol == Protocol::RestJson => {
            write_document(protocol, model, shape, (structure, output), reply.written.as_ref(), &mut answer)?;
        }
        None => {}
    }
    Ok(answer)
}

fn write_bound(model: &Model, member: &Member, value: &Value, answer: &mut Answer) -> Result<(), String> {
    let shape = model.shape(member.shape);
    let header = || member.header_name().ok_or_else(|| format!("{} is no header name", member.wire_name()));
    match (member.location, &shape.kind, value) {
        (Some(Location::StatusCode), _, Value::Number(status)) => {
            answer.status =
                status.as_u64().and_then(|status| u16::try_from(status).ok()).ok_or("a status is no status")?;
        }
        (Some(Location::Headers), _, Value::Object(entries)) => {
            for (key, value) in entries {
                let text = value.as_str().ok_or_else(|| json::not_of(shape, value))?;
                let name = format!("{}{key}", member.wire_name());
                let name = name.parse().map_err(|_| format!("{name} is no header name"))?;
                insert(&mut answer.headers, name, words::write(text))?;
            }
        }
        (Some(Location::Header), Kind::List(element), Value::Array(values)) => {
            let shape = model.shape(element.shape);
            let texts = values.iter().map(|value| xml::text_of(shape, element, value, TimestampFormat::Rfc822));
            insert(&mut answer.headers, header()?.clone(), texts.collect::<Result<Vec<_>, _>>()?.join(","))?;
        }
        (Some(Location::Header), ..) => {
            let text = xml::text_of(shape, member, value, TimestampFormat::Rfc822)?;
            let text = if member.json_value { STANDARD.encode(text) } else { text };
            insert(&mut answer.headers, header()?.clone(), text)?;
        }
        _ => return Err(json::not_of(shape, value)),
    }
    Ok(())
}

/// Text beyond ASCII travels as the bytes that it is.
fn insert(headers: &mut HeaderMap, name: HeaderName, text: String) -> Result<(), String> {
    let value =
        HeaderValue::try_from(text.into_bytes()).map_err(|_| format!("the value of {name} is no header value"))?;
    headers.insert(name, value);
    Ok(())
}

fn write_payload(
    protocol: Protocol,
    model: &Model,
    member: &Member,
    reply: &Reply,
    output: &Map<String, Value>,
    answer: &mut Answer,
) -> Result<(), String> {
    let shape = model.shape(member.shape);
    if is_raw(shape) {
        answer.body = reply.body.clone().unwrap_or_default();
        answer.content_type = Some(match (shape.event_stream, model.service) {
            (true, _) => "application/vnd.amazon.eventstream",
            (_, "s3") => "binary/octet-stream",
            (_, "lambda") => "application/json",
            _ => "application/octet-stream",
        });
        return Ok(());
    }
    let Some(value) = output.get(member.name).filter(|value| !value.is_null()) else { return Ok(()) };
    match (&shape.kind, value, protocol) {
        (Kind::String, Value::String(text), _) => {
            answer.body = Bytes::from(text.clone());
            // The one string payload of S3 is a bucket's policy, which S3 calls JSON.
            answer.content_type = Some(if model.service == "s3" { "application/json" } else { "text/plain" });
        }
        (Kind::Structure(structure), Value::Object(members), Protocol::RestXml) => {
            let root = member.location_name.unwrap_or(shape.name);
            answer.body = xml_document(model, root, structure, members, None)?;
            answer.content_type = Some("application/xml");
        }
        _ => {
            let mut body = Vec::with_capacity(256);
            json::write(&mut body, model, shape, Some(member), value)?;
            answer.body = body.into();
            answer.content_type = Some("application/json");
        }
    }
    Ok(())
}

fn write_document(
    protocol: Protocol,
    model: &Model,
    shape: &Shape,
    (structure, output): (&Structure, &Map<String, Value>),
    written: Option<&(&'static str, String)>,
    answer: &mut Answer,
) -> Result<(), String> {
    if answer.status == 204 {
        return Ok(());
    }
    if protocol == Protocol::RestXml {
        let root = S3_ROOTS.iter().find(|(name, _)| model.service == "s3" && *name == shape.name);
        let root = root.map_or(shape.location_name.unwrap_or(shape.name), |(_, root)| root);
        answer.body = if shape.name == "GetBucketLocationOutput" {
            bucket_location(output)
        } else if shape.name == "ListBucketsOutput" {
            owner_first(model, root, structure, output)?
        } else {
            xml_document(model, root, structure, output, written)?
        };
        answer.content_type = Some("application/xml");
        return Ok(());
    }
    let mut body = Vec::with_capacity(256);
    body.push(b'{');
    json::write_members(&mut body, model, structure, output, &mut true)?;
    body.push(b'}');
    answer.body = body.into();
    answer.content_type = Some("application/json");
    Ok(())
}

fn xml_document(
    model: &Model,
    root: &str,
    structure: &Structure,
    members: &Map<String, Value>,
    written: Option<&(&'static str, String)>,
) -> Result<Bytes, String> {
    let mut out = String::with_capacity(xml::HEAD.len() + 512 + written.map_or(0, |(_, elements)| elements.len()));
    out.push_str(xml::HEAD);
    xml::start(&mut out, root, Some(XmlNamespace { prefix: None, uri: namespace(model) }), "");
    xml::write_members_with(&mut out, model, structure, members, written)?;
    xml::end(&mut out, root);
    Ok(out.into())
}

/// The one document of S3 whose order is not its model's: the buckets' owner comes first.
fn owner_first(
    model: &Model,
    root: &str,
    structure: &Structure,
    members: &Map<String, Value>,
) -> Result<Bytes, String> {
    let mut rest = members.clone();
    let owner: Map<_, _> = rest.shift_remove_entry("Owner").into_iter().collect();
    let mut out = String::from(xml::HEAD);
    xml::start(&mut out, root, Some(XmlNamespace { prefix: None, uri: namespace(model) }), "");
    xml::write_members(&mut out, model, structure, &owner)?;
    xml::write_members(&mut out, model, structure, &rest)?;
    xml::end(&mut out, root);
    Ok(out.into())
}

/// The one document of S3 whose root is the member itself; it is empty for us-east-1.
fn bucket_location(output: &Map<String, Value>) -> Bytes {
    let mut out = String::from(xml::HEAD);
    if !output.contains_key("LocationConstraint") {
        out.extend(["<LocationConstraint xmlns=\"", S3_NAMESPACE, "\"/>"]);
        return out.into();
    }
    xml::start(&mut out, "LocationConstraint", Some(XmlNamespace { prefix: None, uri: S3_NAMESPACE }), "");
    xml::escape(&mut out, output.get("LocationConstraint").and_then(Value::as_str).unwrap_or(""));
    xml::end(&mut out, "LocationConstraint");
    out.into()
}

/// Sets the content type unless the operation or the caller has.
pub(super) fn default_content_type(headers: &mut HeaderMap, content_type: Option<&'static str>) {
    if let Some(content_type) = content_type {
        headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
    }
}
