//! A template's text, JSON or YAML, as one plain value with every short form (`!Ref`) in its long form.
//!
//! Follows "CloudFormation template formats" (user guide): YAML 1.1 without aliases, merges, and the tags `binary`,
//! `omap`, `pairs`, `set`, `timestamp`.
//!
//! A plain scalar becomes a boolean or a number only when it prints back as it was written. So dates, account ids with
//! leading zeros, `1.10`, `yes` and `on` stay text, and no property type ever sees another text than the author's.

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};
use serde_json::{Map, Number, Value};

use super::{MAX_DEPTH, MAX_TEMPLATE_BYTES, format_error, validation_error};
use crate::{Error, Result};

/// Reads JSON (if the first character is `{`, and it is JSON) or YAML.
///
/// # Errors
/// `ValidationError`, "Template format error: … not well-formed. (line L, column C)" and its like.
pub(crate) fn read(text: &str) -> Result<Value> {
    if text.len() > MAX_TEMPLATE_BYTES {
        return Err(validation_error(format!("Template may not exceed {MAX_TEMPLATE_BYTES} bytes in size.")));
    }
    let mut value = if text.trim_start().starts_with('{') {
        // What only YAML allows, such as a comma before a closing bracket, is let pass: JSON is a part of YAML.
        serde_json::from_str(text).or_else(|error| {
            let built = Builder::default().run(text);
            built.map_err(|_| not_well_formed("JSON", error.line(), error.column()))
        })?
    } else {
        Builder::default().run(text)?
    };
    normalise(&mut value);
    Ok(value)
}

fn not_well_formed(language: &str, line: usize, column: usize) -> Error {
    format_error(format!("{language} not well-formed. (line {line}, column {column})"))
}

fn broken(at: Marker) -> Error {
    not_well_formed("YAML", at.line(), at.col() + 1)
}

/// `Fn::GetAtt: a.b` and `!GetAtt a.b` become lists, so that nothing behind this file sees two forms.
fn normalise(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(normalise),
        Value::Object(members) => {
            if members.len() == 1
                && let Some(target) = members.get_mut("Fn::GetAtt")
                && let Some((resource, attribute)) = target.as_str().and_then(|text| text.split_once('.'))
            {
                *target = Value::Array(vec![resource.into(), attribute.into()]);
            }
            members.values_mut().for_each(normalise);
        }
        _ => {}
    }
}

/// Values under construction. Built from events, without recursion: the parser bounds nothing for us.
#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    document: Option<Value>,
}

/// A collection whose end has not come.
struct Open {
    tag: Option<String>,
    kind: Collection,
}

enum Collection {
    List(Vec<Value>),
    /// Members so far, and the key that waits for its value.
    Map(Map<String, Value>, Option<String>),
}

impl Builder {
    fn run(mut self, text: &str) -> Result<Value> {
        let mut parser = Parser::new_from_str(text);
        while let Some(next) = parser.next_event() {
            let (event, span) = next.map_err(|error| broken(*error.marker()))?;
            let at = span.start;
            match event {
                Event::Alias(_) => {
                    return Err(format_error("YAML aliases are not allowed in CloudFormation templates"));
                }
                Event::Scalar(text, style, _, tag) => {
                    let is_key = matches!(self.open.last(), Some(Open { kind: Collection::Map(_, None), .. }));
                    let value = if is_key { text.into_owned().into() } else { scalar(&text, style, tag.as_deref())? };
                    self.place(value, at)?;
                }
                Event::SequenceStart(_, tag) => {
                    self.start(tag.as_deref(), Collection::List(Vec::new()), at)?;
                }
                Event::MappingStart(_, tag) => {
                    self.start(tag.as_deref(), Collection::Map(Map::new(), None), at)?;
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    let Some(Open { tag, kind }) = self.open.pop() else { return Err(broken(at)) };
                    let value = match kind {
                        Collection::List(items) => Value::Array(items),
                        Collection::Map(members, _) => Value::Object(members),
                    };
                    self.place(long_form(tag, value), at)?;
                }
                Event::DocumentStart(_) if self.document.is_some() => return Err(broken(at)),
                _ => {}
            }
        }
        self.document.ok_or_else(|| format_error("unsupported structure."))
    }

    fn start(&mut self, tag: Option<&Tag>, kind: Collection, at: Marker) -> Result<()> {
        let is_key = matches!(self.open.last(), Some(Open { kind: Collection::Map(_, None), .. }));
        if is_key || self.open.len() >= MAX_DEPTH {
            return Err(broken(at));
        }
        let tag = tag.map(|tag| function(tag).map(|name| name.map(str::to_owned))).transpose()?.flatten();
        self.open.push(Open { tag, kind });
        Ok(())
    }

    fn place(&mut self, value: Value, at: Marker) -> Result<()> {
        match self.open.last_mut() {
            None => self.document = Some(value),
            Some(Open { kind: Collection::List(items), .. }) => items.push(value),
            Some(Open { kind: Collection::Map(members, waiting), .. }) => match (waiting.take(), value) {
                (Some(key), value) => {
                    // A key given twice: one of the two would be lost silently.
                    if members.insert(key, value).is_some() {
                        return Err(broken(at));
                    }
                }
                (None, Value::String(key)) => *waiting = Some(key),
                (None, _) => return Err(broken(at)),
            },
        }
        Ok(())
    }
}

/// The long name of a short form; `None` for the tags of YAML's own core schema.
fn function(tag: &Tag) -> Result<Option<&'static str>> {
    if tag.is_yaml_core_schema() {
        return match tag.suffix.as_str() {
            "str" | "int" | "float" | "bool" | "null" | "map" | "seq" => Ok(None),
            other => Err(format_error(format!("YAML tag !!{other} is not supported in CloudFormation templates"))),
        };
    }
    let name = match tag.suffix.as_str() {
        "!" | "" => return Ok(None),
        "Ref" => "Ref",
        "Condition" => "Condition",
        "And" => "Fn::And",
        "Base64" => "Fn::Base64",
        "Cidr" => "Fn::Cidr",
        "Equals" => "Fn::Equals",
        "FindInMap" => "Fn::FindInMap",
        "GetAZs" => "Fn::GetAZs",
        "GetAtt" => "Fn::GetAtt",
        "If" => "Fn::If",
        "ImportValue" => "Fn::ImportValue",
        "Join" => "Fn::Join",
        "Not" => "Fn::Not",
        "Or" => "Fn::Or",
        "Select" => "Fn::Select",
        "Split" => "Fn::Split",
        "Sub" => "Fn::Sub",
        "Transform" => return Err(Error::not_implemented("CloudFormation's macro function Fn::Transform")),
        other => return Err(format_error(format!("YAML tag !{other} is not supported in CloudFormation templates"))),
    };
    Ok(Some(name))
}

fn long_form(name: Option<String>, value: Value) -> Value {
    match name {
        None => value,
        Some(name) => Value::Object(Map::from_iter([(name, value)])),
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value> {
    let Some(tag) = tag else {
        return Ok(if style == ScalarStyle::Plain { plain(text) } else { text.into() });
    };
    let core = tag.is_yaml_core_schema().then_some(tag.suffix.as_str());
    Ok(match (core, function(tag)?) {
        (_, Some(name)) => long_form(Some(name.to_owned()), text.into()),
        (Some("int" | "float" | "bool" | "null"), None) => plain(text),
        _ => text.into(),
    })
}

/// What an untagged, unquoted scalar means.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let number = text
        .parse::<i64>()
        .ok()
        .map(Number::from)
        .or_else(|| text.parse::<f64>().ok().and_then(Number::from_f64))
        .filter(|number| number.to_string() == text);
    number.map_or_else(|| text.into(), Value::Number)
}
