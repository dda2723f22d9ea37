//! Values of options: text, JSON or shorthand to what the model asks for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value};

use super::shapes::{Shape, Shapes, Structure};
use super::shorthand::{self, Loose};
use crate::Timestamp;

/// How deep a value may be nested: above what any AWS input needs, below what could exhaust the stack.
const DEPTH_MAX: usize = 64;

/// What values are read against.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// The models.
    pub shapes: &'a dyn Shapes,
    /// The service whose shapes are meant.
    pub service: &'a str,
    /// `--cli-binary-format base64`: blobs come as base64, not as text.
    pub base64: bool,
}

impl Context<'_> {
    /// A shape by its name.
    pub fn shape(&self, name: &str) -> Result<Shape, String> {
        self.shapes
            .shape(self.service, name)
            .ok_or_else(|| format!("the model of {} has no shape {name}", self.service))
    }

    /// The value of an option that takes one word.
    pub fn single(&self, shape: &str, text: &str) -> Result<Value, String> {
        refuse_files(text)?;
        match self.shape(shape)? {
            Shape::List(member) => self.list(&member, &[text]),
            Shape::Map(_) | Shape::Structure(_) | Shape::Document => {
                let trimmed = text.trim_start();
                if trimmed.starts_with(['{', '[']) {
                    return self.json(shape, &parse_json(text)?, 0);
                }
                self.loose(shape, &Loose::Map(shorthand::pairs(text)?), 0)
            }
            scalar => self.scalar(&scalar, text),
        }
    }

    /// The value of an option that takes several words.
    pub fn list(&self, member: &str, words: &[&str]) -> Result<Value, String> {
        words.iter().try_for_each(|word| refuse_files(word))?;
        if let [word] = words
            && word.trim_start().starts_with('[')
        {
            let Value::Array(items) = parse_json(word)? else { return Err(format!("`{word}` is not a JSON list")) };
            return items.iter().map(|item| self.json(member, item, 1)).collect();
        }
        words.iter().map(|word| self.single(member, word)).collect()
    }

    fn scalar(&self, shape: &Shape, text: &str) -> Result<Value, String> {
        let wrong = |what: &str| format!("`{text}` is not {what}");
        match shape {
            Shape::String => Ok(text.into()),
            Shape::Integer => text.parse::<i64>().map(Value::from).map_err(|_| wrong("a whole number")),
            Shape::Float => {
                let number = text.parse().ok().and_then(Number::from_f64);
                number.map(Value::Number).ok_or_else(|| wrong("a number"))
            }
            Shape::Boolean => match text {
                "true" | "True" => Ok(true.into()),
                "false" | "False" => Ok(false.into()),
                _ => Err(wrong("true or false")),
            },
            Shape::Timestamp => timestamp(text).ok_or_else(|| wrong("a point in time")),
            Shape::Blob => self.blob(text).map(|bytes| STANDARD.encode(bytes).into()),
            Shape::Document | Shape::List(_) | Shape::Map(_) | Shape::Structure(_) => Err(wrong("JSON or shorthand")),
        }
    }

    /// The bytes of a blob: its text as it stands, or base64 where that was asked for.
    pub fn blob(&self, text: &str) -> Result<Vec<u8>, String> {
        refuse_files(text)?;
        if !self.base64 {
            return Ok(text.as_bytes().to_vec());
        }
        STANDARD.decode(text).map_err(|_| format!("`{text}` is not base64, which --cli-binary-format base64 asks for"))
    }

    /// JSON to what the model asks for.
    pub fn json(&self, shape: &str, value: &Value, depth: usize) -> Result<Value, String> {
        too_deep(depth)?;
        let shape = self.shape(shape)?;
        match (&shape, value) {
            (_, Value::Null) => Ok(Value::Null),
            (Shape::Document, any) => Ok(any.clone()),
            (Shape::List(member), Value::Array(items)) => {
                items.iter().map(|item| self.json(member, item, depth + 1)).collect()
            }
            (Shape::Map(member), Value::Object(members)) => {
                let convert = |(key, item): (&String, &Value)| Ok((key.clone(), self.json(member, item, depth + 1)?));
                Ok(Value::Object(members.iter().map(convert).collect::<Result<_, String>>()?))
            }
            (Shape::Structure(structure), Value::Object(members)) => {
                let mut converted = Map::new();
                for (key, item) in members {
                    converted.insert(key.clone(), self.json(member_of(structure, key)?, item, depth + 1)?);
                }
                Ok(Value::Object(converted))
            }
            (Shape::String | Shape::Blob | Shape::Timestamp, Value::String(text)) => self.scalar(&shape, text),
            (Shape::Timestamp | Shape::Integer | Shape::Float, Value::Number(number)) => {
                self.scalar(&shape, &number.to_string())
            }
            (Shape::Boolean, Value::Bool(_)) => Ok(value.clone()),
            (_, other) => Err(format!("{other} is not {}", described(&shape))),
        }
    }

    /// Shorthand to what the model asks for. A single value stands for a list of one.
    fn loose(&self, shape: &str, value: &Loose, depth: usize) -> Result<Value, String> {
        too_deep(depth)?;
        let shape = self.shape(shape)?;
        match (&shape, value) {
            (Shape::List(member), Loose::List(items)) => {
                items.iter().map(|item| self.loose(member, item, depth + 1)).collect()
            }
            (Shape::List(member), one) => Ok(Value::Array(vec![self.loose(member, one, depth + 1)?])),
            (Shape::Map(member), Loose::Map(pairs)) => {
                let convert = |(key, item): &(String, Loose)| Ok((key.clone(), self.loose(member, item, depth + 1)?));
                Ok(Value::Object(pairs.iter().map(convert).collect::<Result<_, String>>()?))
            }
            (Shape::Structure(structure), Loose::Map(pairs)) => {
                let mut converted = Map::new();
                for (key, item) in pairs {
                    converted.insert(key.clone(), self.loose(member_of(structure, key)?, item, depth + 1)?);
                }
                Ok(Value::Object(converted))
            }
            (Shape::Document | Shape::Structure(_) | Shape::Map(_), _) => {
                Err(format!("this is not {}", described(&shape)))
            }
            (scalar, Loose::Text(text)) => self.scalar(scalar, text),
            (scalar, _) => Err(format!("this is not {}", described(scalar))),
        }
    }
}

fn member_of<'s>(structure: &'s Structure, key: &str) -> Result<&'s str, String> {
    structure.member(key).ok_or_else(|| {
        let known: Vec<&str> = structure.members.iter().map(|(name, _)| name.as_str()).collect();
        format!("there is no member `{key}`; there are: {}", known.join(", "))
    })
}

fn too_deep(depth: usize) -> Result<(), String> {
    if depth > DEPTH_MAX { Err(format!("a value may be nested {DEPTH_MAX} deep")) } else { Ok(()) }
}

fn refuse_files(text: &str) -> Result<(), String> {
    match ["file://", "fileb://"].into_iter().find(|prefix| text.starts_with(prefix)) {
        Some(prefix) => Err(format!("`{prefix}` is not supported: a script holds its values itself")),
        None => Ok(()),
    }
}

pub(super) fn parse_json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|why| format!("this is not JSON: {why}"))
}

fn described(shape: &Shape) -> &'static str {
    match shape {
        Shape::String => "a text",
        Shape::Integer => "a whole number",
        Shape::Float => "a number",
        Shape::Boolean => "true or false",
        Shape::Blob => "bytes",
        Shape::Timestamp => "a point in time",
        Shape::Document => "JSON",
        Shape::List(_) => "a list",
        Shape::Map(_) => "a map",
        Shape::Structure(_) => "a structure",
    }
}

/// ISO 8601 with or without an offset (then UTC), a date alone, or seconds since the epoch; as milliseconds.
fn timestamp(text: &str) -> Option<Value> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(Timestamp::from_secs(seconds).millis().into());
    }
    if let Ok(point) = text.parse::<Timestamp>() {
        return Some(point.millis().into());
    }
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    let point = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(point.timestamp().as_millisecond().into())
}
