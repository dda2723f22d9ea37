//! The query protocol: form-encoded requests into values, and the XML envelope of answers.
//!
//! `Filters.member.1.Name=x` is a path; all paths of a request make a tree, which is then read by the shape.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;
use serde_json::{Map, Value};

use super::detect::is_queue;
use super::{ec2, rest, timestamps, xml};
use crate::model::{Kind, Member, Model, OperationModel, Shape, Structure, TimestampFormat};

/// The deepest path that is taken; AWS's own inputs end well above.
const MAX_DEPTH: usize = 64;
/// The most parameters that are taken. AWS limits the request to 1 MiB instead; no modelled input comes near.
const MAX_PARAMETERS: usize = 100_000;

/// The parameter that a queue's own URL stands for.
pub(super) const QUEUE_URL: &str = "QueueUrl";

/// The name and value pairs of a query string or a form, percent-decoded; `+` is a space.
pub(crate) fn pairs(text: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (form_decode(name), form_decode(value))
    })
}

fn form_decode(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let spaced = text.replace('+', " ");
    Cow::Owned(percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
}

/// The form of a request: the body of a POST, the query string of a GET.
pub(super) fn form<'a>(head: &'a Parts, body: &'a [u8]) -> Cow<'a, str> {
    if body.is_empty() { Cow::Borrowed(head.uri.query().unwrap_or("")) } else { String::from_utf8_lossy(body) }
}

/// Reads the request's parameters by the input's shape.
pub fn parse(
    operation: &OperationModel,
    head: &Parts,
    body: &[u8],
    unknown: &mut Vec<String>,
) -> Result<Map<String, Value>, String> {
    let form = form(head, body);
    if percent_encoding::percent_decode_str(&form).decode_utf8().is_err() || std::str::from_utf8(body).is_err() {
        return Err("The form is not UTF-8".to_owned());
    }
    if operation.service == "ec2" {
        return ec2::parse(operation, &form, unknown);
    }
    let tree = Node::of(pairs(&form).filter(|(name, _)| !is_envelope(name)))?;
    let (Some(shape), model) = (operation.input_shape(), operation.model()) else { return Ok(Map::new()) };
    let Some(structure) = shape.structure() else { return Ok(Map::new()) };
    let mut input = read_structure(model, structure, &tree, "", unknown)?;
    // SQS's queues are called at URLs of their own.
    if operation.service == "sqs"
        && structure.member(QUEUE_URL).is_some()
        && is_queue(head.uri.path())
        && !input.contains_key(QUEUE_URL)
    {
        input.insert(QUEUE_URL.to_owned(), Value::from(head.uri.path()));
    }
    Ok(input)
}

/// Parameters that belong to the protocol and to signing, not to the operation.
pub(super) fn is_envelope(name: &str) -> bool {
    matches!(name, "Action" | "Version" | "AWSAccessKeyId" | "SignatureMethod" | "SignatureVersion" | "Signature")
        || name.starts_with("X-Amz-")
}

/// The parameters of one place, by the next part of their names.
#[derive(Default)]
pub(super) struct Node<'a> {
    pub value: Option<Cow<'a, str>>,
    pub children: BTreeMap<String, Node<'a>>,
}

impl<'a> Node<'a> {
    /// The tree of these parameters.
    pub fn of(parameters: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>) -> Result<Self, String> {
        let mut tree = Self::default();
        for (count, (name, value)) in parameters.enumerate() {
            if count >= MAX_PARAMETERS {
                return Err(format!("A request may not have more than {MAX_PARAMETERS} parameters"));
            }
            tree.insert(&name, value)?;
        }
        Ok(tree)
    }

    fn insert(&mut self, name: &str, value: Cow<'a, str>) -> Result<(), String> {
        if name.split('.').count() > MAX_DEPTH {
            return Err(format!("The parameter {name} has more than {MAX_DEPTH} parts"));
        }
        let node = name.split('.').fold(self, |node, part| node.children.entry(part.to_owned()).or_default());
        node.value = Some(value);
        Ok(())
    }

    /// The children with a number for a name, in its order.
    pub fn numbered(&self) -> Vec<&Self> {
        let mut numbered: Vec<(u32, &Self)> =
            self.children.iter().filter_map(|(name, node)| Some((name.parse().ok()?, node))).collect();
        numbered.sort_by_key(|(number, _)| *number);
        numbered.into_iter().map(|(_, node)| node).collect()
    }
}

fn read_structure(
    model: &Model,
    structure: &Structure,
    node: &Node<'_>,
    path: &str,
    unknown: &mut Vec<String>,
) -> Result<Map<String, Value>, String> {
    let mut members = Map::new();
    let mut used = Vec::with_capacity(node.children.len());
    for member in &structure.members {
        let shape = model.shape(member.shape);
        // A flattened list is known by its elements' name where they have one (botocore's rule).
        let flat_name = match &shape.kind {
            Kind::List(element) if member.flattened => element.xml_name(),
            _ => None,
        };
        let own = member.xml_name().unwrap_or(member.name);
        let names = [flat_name.unwrap_or(own), own, member.name];
        let Some(name) = names.into_iter().find(|name| node.children.contains_key(*name)) else { continue };
        let Some(child) = node.children.get(name) else { continue };
        used.push(name);
        let path = if path.is_empty() { member.name.to_owned() } else { format!("{path}.{}", member.name) };
        members.insert(member.name.to_owned(), read(model, shape, member, child, &path, unknown)?);
    }
    if used.len() < node.children.len() {
        let strangers = node.children.keys().filter(|name| !used.contains(&name.as_str()));
        unknown.extend(strangers.map(|name| if path.is_empty() { name.clone() } else { format!("{path}.{name}") }));
    }
    Ok(members)
}

fn read(
    model: &Model,
    shape: &Shape,
    member: &Member,
    node: &Node<'_>,
    path: &str,
    unknown: &mut Vec<String>,
) -> Result<Value, String> {
    match &shape.kind {
        Kind::Structure(structure) => read_structure(model, structure, node, path, unknown).map(Value::Object),
        Kind::List(element) => {
            let names = [element.xml_name().unwrap_or("member"), "member"];
            let wrapped = names.iter().find_map(|name| node.children.get(*name));
            let holder = if member.flattened { node } else { wrapped.unwrap_or(node) };
            let shape = model.shape(element.shape);
            let elements = holder.numbered().into_iter();
            elements.map(|node| read(model, shape, element, node, path, unknown)).collect()
        }
        Kind::Map(key, value) => {
            let holder = if member.flattened { node } else { node.children.get("entry").unwrap_or(node) };
            let mut entries = Map::new();
            for entry in holder.numbered() {
                let name = entry.children.get(key.xml_name().unwrap_or("key")).and_then(|node| node.value.as_ref());
                let Some(name) = name else { return Err(format!("An entry of {path} has no key")) };
                if let Some(node) = entry.children.get(value.xml_name().unwrap_or("value")) {
                    let value = read(model, model.shape(value.shape), value, node, path, unknown)?;
                    entries.insert(name.clone().into_owned(), value);
                }
            }
            Ok(Value::Object(entries))
        }
        _ => {
            let text = node.value.as_deref().unwrap_or("");
            scalar(shape, member, text, TimestampFormat::Iso8601)
                .ok_or_else(|| format!("The value '{text}' of {path} is not {}", wanted(shape)))
        }
    }
}

/// Reads a scalar that stands as text in a form, a header, a query string or XML; `None` if it is none.
pub(super) fn scalar(shape: &Shape, member: &Member, text: &str, default: TimestampFormat) -> Option<Value> {
    Some(match &shape.kind {
        Kind::String => Value::from(text),
        Kind::Integer { long } => {
            let whole: i64 = text.trim().parse().ok()?;
            if !long {
                i32::try_from(whole).ok()?;
            }
            Value::from(whole)
        }
        Kind::Float => match text.trim() {
            special if super::json::is_special_float(special) => Value::from(special),
            text => serde_json::Number::from_f64(text.parse().ok()?).map(Value::Number)?,
        },
        Kind::Boolean => match text.trim() {
            text if text.eq_ignore_ascii_case("true") => Value::Bool(true),
            text if text.eq_ignore_ascii_case("false") => Value::Bool(false),
            _ => return None,
        },
        Kind::Blob => {
            STANDARD.decode(text.trim()).ok()?;
            Value::from(text.trim())
        }
        Kind::Timestamp => {
            let format = member.timestamp_format.unwrap_or(default);
            let point = timestamps::parse(text, format);
            // Clients of the query protocol and of headers may send epoch seconds for any format.
            Value::from(point.or_else(|| timestamps::parse(text, TimestampFormat::UnixTimestamp))?)
        }
        Kind::Structure(_) | Kind::List(_) | Kind::Map(..) => return None,
    })
}

pub(super) fn wanted(shape: &Shape) -> &'static str {
    match shape.kind {
        Kind::Integer { .. } => "an integer",
        Kind::Float => "a number",
        Kind::Boolean => "a boolean",
        Kind::Blob => "base64",
        Kind::Timestamp => "a timestamp",
        _ => "of the right type",
    }
}

/// The body of a successful answer.
pub fn write(operation: &OperationModel, output: &Value, request_id: &str) -> Result<String, String> {
    let model = operation.model();
    let name = operation.name;
    let mut out = format!("<{name}Response xmlns=\"{}\">", rest::namespace(model));
    let empty = Map::new();
    let members = output.as_object().unwrap_or(&empty);
    if let Some(structure) = operation.output_shape().and_then(Shape::structure) {
        let wrapper = operation.result_wrapper;
        out.extend(wrapper.into_iter().flat_map(|wrapper| ["<", wrapper, ">"]));
        let begin = out.len();
        xml::write_members(&mut out, model, structure, members)?;
        match wrapper {
            // AWS closes an empty result in its own tag.
            Some(_) if out.len() == begin => out.insert(begin - 1, '/'),
            wrapper => out.extend(wrapper.into_iter().flat_map(|wrapper| ["</", wrapper, ">"])),
        }
    }
    out.push_str("<ResponseMetadata><RequestId>");
    xml::escape(&mut out, request_id);
    out.push_str("</RequestId></ResponseMetadata></");
    out.push_str(name);
    out.push_str("Response>");
    Ok(out)
}
