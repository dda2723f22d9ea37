//! Requests as clients write them, from inputs, in any protocol that the service's model names.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use fastrand::Rng;
use garoa::model::{Kind, Location, Member, Model, OperationModel, Segment, Shape};
use garoa::wire::{cbor, xml};
use http::Request;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::memory::Memory;
use super::odd::{self, Bait};

/// A request; `None` if HTTP itself cannot carry it. `choice` picks one of the service's protocols.
pub fn of(operation: &'static OperationModel, input: &Map<String, Value>, protocol: &str) -> Option<Request<Bytes>> {
    let model = operation.model();
    let request = Request::builder()
        .header("host", "localhost:4566")
        .header("authorization", scope(model))
        .header("x-amz-date", "20260101T000000Z");
    let target = || format!("{}.{}", model.metadata.target_prefix.unwrap_or(""), operation.name);
    let request = match protocol {
        "json" => {
            let content_type = format!("application/x-amz-json-{}", model.metadata.json_version);
            let request = request.method("POST").uri("/").header("content-type", content_type);
            request.header("x-amz-target", target()).body(Value::from(input.clone()).to_string().into())
        }
        "query" | "ec2" => {
            let mut form = vec![
                ("Action".to_owned(), operation.name.to_owned()),
                ("Version".to_owned(), model.metadata.api_version.to_owned()),
            ];
            for member in operation.input_members() {
                if let Some(value) = input.get(member.name) {
                    fields(model, member, &member.form_name(), value, &mut form);
                }
            }
            let form: Vec<_> =
                form.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
            let request = request.method("POST").uri("/").header("content-type", "application/x-www-form-urlencoded");
            request.body(form.join("&").into())
        }
        "smithy-rpc-v2-cbor" => {
            let structure = operation.input_shape().and_then(Shape::structure)?;
            let path = format!("/service/{}/operation/{}", model.metadata.target_prefix?, operation.name);
            let request = request.method("POST").uri(path).header("smithy-protocol", "rpc-v2-cbor");
            request.body(cbor::write(model, structure, input).ok()?.into())
        }
        _ => return rest(operation, input, request),
    };
    request.ok()
}

/// A request to what has no model: APIs and functions behind their addresses, websites, forms, and addresses of nothing at all.
pub fn beside(rng: &mut Rng, memory: &Memory, bait: &Bait) -> Option<Request<Bytes>> {
    let mut known = |service: &str, name: &str| memory.recall(rng, service, name).unwrap_or("fuzz-a").to_owned();
    let (rest, other, link) =
        (known("apigateway", "restApiId"), known("apigatewayv2", "ApiId"), known("lambda", "FunctionUrl"));
    let link = link.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let host = match rng.u8(..8) {
        0 => format!("{rest}.execute-api.us-east-1.amazonaws.com"),
        1 => format!("{other}.execute-api.localhost"),
        2 => link,
        3 => "fuzz-a.s3-website-us-east-1.amazonaws.com".to_owned(),
        4 => "fuzz-a.s3.localhost:4566".to_owned(),
        5 => "a.example.com".to_owned(),
        6 => odd::text(rng, bait, None, Some(60)),
        _ => "localhost:4566".to_owned(),
    };
    let text = odd::text(rng, bait, None, Some(200));
    let path = match rng.u8(..7) {
        0 => format!("/_aws/execute-api/{rest}/s/{}", escaped(&text)),
        1 => format!("/_aws/execute-api/{other}/s/a?{text}"),
        2 => format!("/restapis/{rest}/s/_user_request_/x?a={}", escaped(&text)),
        3 => format!("/s/@connections/{}", escaped(&text)),
        4 => "/fuzz-a?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a/20260101/us-east-1/s3/aws4_request&X-Amz-Date=20260101T000000Z\
              &X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature="
            .to_owned()
            + &escaped(&text),
        5 => format!("/{}", text.trim_start_matches('/')),
        _ => format!("/s/{}", escaped(&text)),
    };
    let method = *rng.choice(&["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "ODD"])?;
    let mut request = header(Request::builder().method(method).uri(path), "host", &host);
    for name in [
        "origin",
        "content-type",
        "range",
        "x-amz-content-sha256",
        "authorization",
        "expect",
        "cookie",
        "if-match",
        "x-amz-date",
    ] {
        if rng.u8(..4) == 0 {
            let value = match name {
                "content-type" => "multipart/form-data; boundary=--".to_owned(),
                "x-amz-content-sha256" => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD".to_owned(),
                _ => odd::text(rng, bait, None, Some(100)),
            };
            request = header(request, name, &value);
        }
    }
    request.body(odd::text(rng, bait, None, None).into()).ok()
}

fn scope(model: &Model) -> String {
    let service = model.metadata.signing_name;
    format!(
        "AWS4-HMAC-SHA256 Credential=123456789012/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host;x-amz-date, Signature=00"
    )
}

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The parameters of a form that a value comes to.
fn fields(model: &Model, member: &Member, path: &str, value: &Value, form: &mut Vec<(String, String)>) {
    match (&model.shape(member.shape).kind, value) {
        (Kind::Structure(structure), Value::Object(members)) => {
            for member in &structure.members {
                if let Some(value) = members.get(member.name) {
                    fields(model, member, &format!("{path}.{}", member.form_name()), value, form);
                }
            }
        }
        (Kind::List(element), Value::Array(values)) => {
            let holder = if member.flattened || member.query_name_is_of_forms {
                path.to_owned()
            } else {
                format!("{path}.{}", element.xml_name().unwrap_or("member"))
            };
            for (place, value) in values.iter().enumerate() {
                fields(model, element, &format!("{holder}.{}", place + 1), value, form);
            }
        }
        (Kind::Map(key, element), Value::Object(entries)) => {
            let holder = if member.flattened { path.to_owned() } else { format!("{path}.entry") };
            for (place, (name, value)) in entries.iter().enumerate() {
                let entry = format!("{holder}.{}", place + 1);
                form.push((format!("{entry}.{}", key.xml_name().unwrap_or("key")), name.clone()));
                fields(model, element, &format!("{entry}.{}", element.xml_name().unwrap_or("value")), value, form);
            }
        }
        _ => form.push((path.to_owned(), plain(value))),
    }
}

fn rest(
    operation: &'static OperationModel,
    input: &Map<String, Value>,
    mut request: http::request::Builder,
) -> Option<Request<Bytes>> {
    let model = operation.model();
    let mut query: Vec<(String, String)> = Vec::new();
    for (name, value) in &operation.http.uri.query {
        query.push(((*name).to_owned(), value.unwrap_or("").to_owned()));
    }
    let shape = operation.input_shape();
    let mut path = String::new();
    for segment in &operation.http.uri.segments {
        let label = |name: &str| {
            let member = operation.input_members().iter().find(|member| member.wire_name() == name);
            member.and_then(|member| input.get(member.name)).map(plain).unwrap_or_default()
        };
        path.push('/');
        match segment {
            Segment::Literal(text) => path.push_str(text),
            Segment::Label(name) => path.push_str(&escaped(&label(name))),
            Segment::Greedy(name) => path.push_str(&escaped(&label(name)).replace("%2F", "/")),
        }
    }
    let mut document = Map::new();
    for member in operation.input_members() {
        let Some(value) = input.get(member.name) else { continue };
        match (member.location, value) {
            (Some(Location::QueryString), Value::Array(values)) => {
                query.extend(values.iter().map(|value| (member.wire_name().to_owned(), plain(value))));
            }
            (Some(Location::QueryString), Value::Object(entries)) => {
                query.extend(entries.iter().map(|(name, value)| (name.clone(), plain(value))));
            }
            (Some(Location::QueryString), value) => query.push((member.wire_name().to_owned(), plain(value))),
            (Some(Location::Headers), Value::Object(entries)) => {
                for (name, value) in entries {
                    request = header(request, &format!("{}{name}", member.wire_name()), &plain(value));
                }
            }
            (Some(Location::Header), Value::Array(values)) => {
                let texts: Vec<_> = values.iter().map(plain).collect();
                request = header(request, member.wire_name(), &texts.join(","));
            }
            (Some(Location::Header), value) => request = header(request, member.wire_name(), &plain(value)),
            (None, value) => drop(document.insert(member.name.to_owned(), value.clone())),
            _ => {}
        }
    }
    let body = body(model, shape, &document);
    let query: Vec<_> = query.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
    let path = if path.is_empty() { "/".to_owned() } else { path };
    let uri = if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) };
    request.method(operation.http.method).uri(uri).body(body.into()).ok()
}

/// Adds a header if HTTP can carry it.
fn header(request: http::request::Builder, name: &str, value: &str) -> http::request::Builder {
    let name = http::HeaderName::try_from(name);
    match (name, http::HeaderValue::from_bytes(value.as_bytes())) {
        (Ok(name), Ok(value)) => request.header(name, value),
        _ => request,
    }
}

fn body(model: &Model, shape: Option<&Shape>, document: &Map<String, Value>) -> Vec<u8> {
    let Some(shape) = shape else { return Vec::new() };
    let Some(structure) = shape.structure() else { return Vec::new() };
    let is_xml = model.metadata.protocols.contains(&"rest-xml");
    let payload = shape.payload.and_then(|name| structure.member(name));
    if let Some(member) = payload {
        let Some(value) = document.get(member.name) else { return Vec::new() };
        return match model.shape(member.shape).kind {
            Kind::Blob => STANDARD.decode(plain(value)).unwrap_or_else(|_| plain(value).into_bytes()),
            Kind::String => plain(value).into_bytes(),
            _ if is_xml => {
                let mut out = String::new();
                element(model, member, member.wire_name(), value, &mut out);
                out.into_bytes()
            }
            _ => value.to_string().into_bytes(),
        };
    }
    if is_xml {
        let mut out = format!("<{}>", shape.location_name.unwrap_or(shape.name));
        for (name, value) in document {
            if let Some(member) = structure.member(name) {
                element(model, member, member.wire_name(), value, &mut out);
            }
        }
        return format!("{out}</{}>", shape.location_name.unwrap_or(shape.name)).into_bytes();
    }
    renamed(model, shape, Value::Object(document.clone())).to_string().into_bytes()
}

/// Members of structures within, by the names that they have on the wire.
fn renamed(model: &Model, shape: &Shape, value: Value) -> Value {
    match (&shape.kind, value) {
        (Kind::Structure(structure), Value::Object(members)) => {
            let members = members.into_iter().map(|(name, value)| match structure.member(&name) {
                Some(member) => (member.wire_name().to_owned(), renamed(model, model.shape(member.shape), value)),
                None => (name, value),
            });
            Value::Object(members.collect())
        }
        (Kind::List(element), Value::Array(values)) => {
            values.into_iter().map(|value| renamed(model, model.shape(element.shape), value)).collect()
        }
        (Kind::Map(_, element), Value::Object(entries)) => {
            let entries =
                entries.into_iter().map(|(name, value)| (name, renamed(model, model.shape(element.shape), value)));
            Value::Object(entries.collect())
        }
        (_, value) => value,
    }
}

fn element(model: &Model, member: &Member, name: &str, value: &Value, out: &mut String) {
    let open = |out: &mut String, name: &str| out.extend(["<", name, ">"]);
    let shut = |out: &mut String, name: &str| out.extend(["</", name, ">"]);
    match (&model.shape(member.shape).kind, value) {
        (Kind::List(part), Value::Array(values)) if member.flattened => {
            values.iter().for_each(|value| element(model, part, name, value, out));
        }
        (Kind::List(part), Value::Array(values)) => {
            open(out, name);
            values.iter().for_each(|value| element(model, part, part.location_name.unwrap_or("member"), value, out));
            shut(out, name);
        }
        (Kind::Structure(structure), Value::Object(members)) => {
            out.extend(["<", name]);
            for member in structure.members.iter().filter(|member| member.xml_attribute) {
                if let Some(value) = members.get(member.name) {
                    out.extend([
                        " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" ",
                        member.wire_name(),
                        "=\"",
                    ]);
                    xml::escape(out, &plain(value));
                    out.push('"');
                }
            }
            out.push('>');
            for member in structure.members.iter().filter(|member| !member.xml_attribute) {
                if let Some(value) = members.get(member.name) {
                    element(model, member, member.wire_name(), value, out);
                }
            }
            shut(out, name);
        }
        (_, value) => {
            open(out, name);
            xml::escape(out, &plain(value));
            shut(out, name);
        }
    }
}
