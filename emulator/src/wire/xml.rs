//! XML: a small tree for requests, a writer for answers, both driven by shapes.
//!
//! The parser refuses document types and knows the five predefined entities only, so no entity can expand; nesting
//! is limited. Namespaces are dropped from element names, as AWS's servers accept any prefix.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use serde_json::{Map, Value};

use super::json::not_of;
use super::query::scalar;
use super::timestamps;
use crate::model::{Kind, Member, Model, Shape, Structure, TimestampFormat, XmlNamespace};

/// The deepest nesting that is taken; S3's own documents end at eight.
const MAX_DEPTH: usize = 64;

/// How every document of an answer begins.
pub(crate) const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// An element with all that is in it.
#[derive(Debug, Default)]
pub struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Element>,
    text: String,
}

/// Parses a document. `None` if the body is blank; an error says what is wrong with it.
pub fn parse(body: &[u8]) -> Result<Option<Element>, String> {
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => {
                if root.is_some() || open.len() >= MAX_DEPTH {
                    return Err("nested too deeply, or more than one root".to_owned());
                }
                open.push(element(&start)?);
            }
            Event::Empty(start) => close(element(&start)?, &mut open, &mut root)?,
            Event::End(_) => {
                let element = open.pop().ok_or("an end without a start")?;
                close(element, &mut open, &mut root)?;
            }
            Event::Text(text) => characters(&mut open, &text.xml10_content())?,
            Event::CData(text) => characters(&mut open, &text.xml10_content())?,
            Event::GeneralRef(reference) => {
                let name: &str = &reference;
                let resolved =
                    quick_xml::escape::unescape(&format!("&{name};")).map_err(|error| error.to_string())?.into_owned();
                characters(&mut open, &resolved)?;
            }
            Event::DocType(_) => return Err("document types are not taken".to_owned()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    if open.is_empty() { Ok(root) } else { Err("the document ends early".to_owned()) }
}

fn element(start: &BytesStart<'_>) -> Result<Element, String> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let value =
            attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| error.to_string())?.into_owned();
        attributes.push((attribute.key.as_ref().to_owned(), value));
    }
    Ok(Element { name: start.local_name().as_ref().to_owned(), attributes, ..Element::default() })
}

fn close(element: Element, open: &mut [Element], root: &mut Option<Element>) -> Result<(), String> {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None if root.is_none() => *root = Some(element),
        None => return Err("more than one root".to_owned()),
    }
    Ok(())
}

fn characters(open: &mut [Element], text: &str) -> Result<(), String> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err("text outside of the root".to_owned()),
    }
    Ok(())
}

impl Element {
    /// The local name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The elements of this name that stand directly in it.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The text in it.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Reads the members of a structure out of an element.
pub fn read_structure(
    model: &Model,
    structure: &Structure,
    element: &Element,
    unknown: &mut Vec<String>,
) -> Result<Map<String, Value>, String> {
    let mut members = Map::new();
    let mut known: Vec<&str> = Vec::with_capacity(structure.members.len());
    for member in structure.members.iter().filter(|member| member.location.is_none()) {
        let shape = model.shape(member.shape);
        let name = element_name(shape, member);
        known.push(name);
        if member.xml_attribute {
            let local = name.rsplit(':').next().unwrap_or(name);
            let is_it = |key: &str| key == name || key.rsplit(':').next() == Some(local);
            if let Some((_, value)) = element.attributes.iter().find(|(key, _)| is_it(key)) {
                members.insert(member.name.to_owned(), text_value(shape, member, value)?);
            }
            continue;
        }
        let found = match &shape.kind {
            Kind::List(_) | Kind::Map(..) if member.flattened => {
                let elements: Vec<_> = element.named(name).collect();
                if elements.is_empty() { None } else { Some(read_many(model, shape, &elements, unknown)?) }
            }
            _ => element.named(name).next().map(|child| read(model, shape, member, child, unknown)).transpose()?,
        };
        if let Some(value) = found {
            members.insert(member.name.to_owned(), value);
        }
    }
    let strangers = element.children.iter().filter(|child| !known.contains(&child.name.as_str()));
    unknown.extend(strangers.map(|child| format!("{}.{}", element.name, child.name)));
    Ok(members)
}

/// The element that a member stands in. A flattened list is known by the member's own name, else by its elements'.
fn element_name(shape: &Shape, member: &Member) -> &'static str {
    match &shape.kind {
        Kind::List(element) if member.flattened => member.xml_name().or(element.xml_name()).unwrap_or(member.name),
        _ => member.xml_name().unwrap_or(member.name),
    }
}

fn read(
    model: &Model,
    shape: &Shape,
    member: &Member,
    element: &Element,
    unknown: &mut Vec<String>,
) -> Result<Value, String> {
    match &shape.kind {
        Kind::Structure(structure) => read_structure(model, structure, element, unknown).map(Value::Object),
        Kind::List(part) => {
            let name = part.xml_name().unwrap_or("member");
            if let Some(stranger) = element.children.iter().find(|child| child.name != name) {
                return Err(format!("{} has the element {}", element.name, stranger.name));
            }
            read_many(model, shape, &element.children.iter().collect::<Vec<_>>(), unknown)
        }
        Kind::Map(..) => read_many(model, shape, &element.named("entry").collect::<Vec<_>>(), unknown),
        _ if !element.children.is_empty() => Err(format!("{} has elements in it", element.name)),
        _ => text_value(shape, member, &element.text),
    }
}

/// Reads the elements of a list, or the entries of a map.
fn read_many(model: &Model, shape: &Shape, elements: &[&Element], unknown: &mut Vec<String>) -> Result<Value, String> {
    match &shape.kind {
        Kind::List(part) => {
            let shape = model.shape(part.shape);
            elements.iter().map(|element| read(model, shape, part, element, unknown)).collect()
        }
        Kind::Map(key, value) => {
            let mut entries = Map::new();
            for entry in elements {
                let name = entry.named(key.xml_name().unwrap_or("key")).next().ok_or("a map entry has no key")?;
                let element =
                    entry.named(value.xml_name().unwrap_or("value")).next().ok_or("a map entry has no value")?;
                entries.insert(name.text.clone(), read(model, model.shape(value.shape), value, element, unknown)?);
            }
            Ok(Value::Object(entries))
        }
        _ => Err(format!("{} is no collection", shape.name)),
    }
}

fn text_value(shape: &Shape, member: &Member, text: &str) -> Result<Value, String> {
    scalar(shape, member, text, TimestampFormat::Iso8601).ok_or_else(|| format!("{} is malformed", member.wire_name()))
}

/// Writes text with `&`, `<`, `>`, quotes and control characters escaped.
pub fn escape(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // A carriage return that is not escaped is read as a line feed.
            '\r' => out.push_str("&#13;"),
            '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' => {
                out.push_str(&format!("&#x{:x};", u32::from(letter)));
            }
            _ => out.push(letter),
        }
    }
}

/// Writes the members of a structure that belong into the body, in the model's order.
pub fn write_members(
    out: &mut String,
    model: &Model,
    structure: &Structure,
    members: &Map<String, Value>,
) -> Result<(), String> {
    write_members_with(out, model, structure, members, None)
}

/// The same where one member is written already: it stands where the model has it.
pub(super) fn write_members_with(
    out: &mut String,
    model: &Model,
    structure: &Structure,
    members: &Map<String, Value>,
    written: Option<&(&'static str, String)>,
) -> Result<(), String> {
    for member in structure.members.iter().filter(|member| member.location.is_none() && !member.xml_attribute) {
        if let Some((_, elements)) = written.filter(|(name, _)| *name == member.name) {
            out.push_str(elements);
            continue;
        }
        let Some(value) = members.get(member.name).filter(|value| !value.is_null()) else { continue };
        let shape = model.shape(member.shape);
        write(out, model, shape, member, element_name(shape, member), value)?;
    }
    Ok(())
}

/// Writes a value as an element of this name (or as many, for a flattened list or map).
pub fn write(
    out: &mut String,
    model: &Model,
    shape: &Shape,
    member: &Member,
    name: &str,
    value: &Value,
) -> Result<(), String> {
    match (&shape.kind, value) {
        (Kind::Structure(structure), Value::Object(members)) => {
            start(out, name, member.xml_namespace, &attributes(model, structure, members)?);
            write_members(out, model, structure, members)?;
        }
        (Kind::List(part), Value::Array(values)) => {
            let shape = model.shape(part.shape);
            if member.flattened {
                return values.iter().try_for_each(|value| write(out, model, shape, part, name, value));
            }
            start(out, name, member.xml_namespace, "");
            let part_name = part.xml_name().unwrap_or("member");
            values.iter().try_for_each(|value| write(out, model, shape, part, part_name, value))?;
        }
        (Kind::Map(key, part), Value::Object(entries)) => {
            if !member.flattened {
                start(out, name, member.xml_namespace, "");
            }
            let entry = if member.flattened { name } else { "entry" };
            for (text, value) in entries.iter().filter(|(_, value)| !value.is_null()) {
                start(out, entry, None, "");
                write(
                    out,
                    model,
                    model.shape(key.shape),
                    key,
                    key.xml_name().unwrap_or("key"),
                    &Value::from(text.as_str()),
                )?;
                write(out, model, model.shape(part.shape), part, part.xml_name().unwrap_or("value"), value)?;
                end(out, entry);
            }
            if member.flattened {
                return Ok(());
            }
        }
        _ => {
            let text = text_of(shape, member, value, TimestampFormat::Iso8601)?;
            start(out, name, member.xml_namespace, "");
            // S3 always writes milliseconds, the query services only where there are any.
            match text.strip_suffix(".000Z") {
                Some(whole) if matches!(shape.kind, Kind::Timestamp) && model.service != "s3" => {
                    out.extend([whole, "Z"])
                }
                _ => escape(out, &text),
            }
        }
    }
    end(out, name);
    Ok(())
}

/// A scalar as the text that headers, query strings and XML carry. A blob stays base64.
pub(super) fn text_of(
    shape: &Shape,
    member: &Member,
    value: &Value,
    default: TimestampFormat,
) -> Result<String, String> {
    match (&shape.kind, value) {
        (Kind::String | Kind::Blob, Value::String(text)) => Ok(text.clone()),
        (Kind::Integer { .. } | Kind::Float, Value::Number(number)) => Ok(number.to_string()),
        (Kind::Float, Value::String(text)) if super::json::is_special_float(text) => Ok(text.clone()),
        (Kind::Boolean, Value::Bool(flag)) => Ok(flag.to_string()),
        (Kind::Timestamp, Value::Number(millis)) => {
            let millis = millis.as_i64().ok_or_else(|| not_of(shape, value))?;
            Ok(timestamps::text(millis, member.timestamp_format.unwrap_or(default)))
        }
        _ => Err(not_of(shape, value)),
    }
}

fn attributes(model: &Model, structure: &Structure, members: &Map<String, Value>) -> Result<String, String> {
    let mut attributes = String::new();
    for member in structure.members.iter().filter(|member| member.xml_attribute) {
        let Some(value) = members.get(member.name).filter(|value| !value.is_null()) else { continue };
        let text = text_of(model.shape(member.shape), member, value, TimestampFormat::Iso8601)?;
        attributes.push_str(&format!(" {}=\"", member.wire_name()));
        escape(&mut attributes, &text);
        attributes.push('"');
    }
    Ok(attributes)
}

/// Opens an element; `attributes` are escaped already and begin with a space.
pub(crate) fn start(out: &mut String, name: &str, namespace: Option<XmlNamespace>, attributes: &str) {
    out.extend(["<", name]);
    match namespace {
        Some(XmlNamespace { prefix: Some(prefix), uri }) => out.extend([" xmlns:", prefix, "=\"", uri, "\""]),
        Some(XmlNamespace { prefix: None, uri }) => out.extend([" xmlns=\"", uri, "\""]),
        None => {}
    }
    out.extend([attributes, ">"]);
}

pub(crate) fn end(out: &mut String, name: &str) {
    out.extend(["</", name, ">"]);
}
