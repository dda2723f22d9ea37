//! The members of a REST request that stand in its path, its query string and its headers, to an operation's input in one go: what
//! [`super::straight`] is for JSON. Whatever is out of the ordinary is left to the long way.

use http::HeaderMap;
use http::request::Parts;
use serde::de::value::{Error, MapDeserializer};
use serde::de::{Deserializer, IntoDeserializer, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};

use super::rest::{Lengths, is_raw, pairs_of_uri};
use super::{Detected, Protocol, chunked, headers};
use crate::model::{Kind, Location, Member, Shape};

/// Whether nothing of a request's input is in its body, save for a payload of bytes, and the service checks such inputs by
/// nothing but whether all is there.
pub(super) fn is_plain(detected: &Detected, head: &Parts) -> bool {
    let Some(shape) = detected.operation.input_shape() else { return false };
    let model = detected.operation.model();
    let is_payload = |member: &Member| shape.payload == Some(member.name) && is_raw(model.shape(member.shape));
    let mut members = shape.structure().into_iter().flat_map(|structure| &structure.members);
    detected.service == "s3"
        && detected.protocol == Protocol::RestXml
        && head.uri.query().is_none_or(|query| !query.contains("Signature"))
        && !chunked::is_chunked(&head.headers)
        && members.all(|member| member.location.is_some() || is_payload(member))
}

/// Reads the input. `None` if it is not as its operation wants it, or is but in an unusual way.
pub(super) fn read<'de, I: Deserialize<'de>>(detected: &Detected, head: &Parts) -> Option<I> {
    let model = detected.operation.model();
    let structure = detected.operation.input_shape()?.structure()?;
    let query = pairs_of_uri(head.uri.query().unwrap_or(""));
    let lengths = Lengths::of(head.headers.keys());
    let mut members = Vec::with_capacity(structure.members.len().min(16));
    for member in &structure.members {
        let name = member.wire_name();
        let text = match member.location {
            Some(Location::Uri) => detected.labels.iter().find(|(label, _)| *label == name).map(|(_, text)| &**text),
            Some(Location::QueryString) => query.iter().find(|(key, _)| key == name).map(|(_, text)| &**text),
            Some(Location::Header) if lengths.have(member) => header(&head.headers, member)?,
            Some(Location::Headers) if has_prefix(&head.headers, name) => return None,
            _ => None,
        };
        match text {
            Some(text) => members.push((member.name, Text { text, shape: model.shape(member.shape) })),
            None if member.required && member.location.is_some() => return None,
            None => {}
        }
    }
    I::deserialize(MapDeserializer::new(members.into_iter())).ok()
}

/// A header that is there once and is ASCII, if it is there; the outer `None` if it is there in another way.
fn header<'h>(headers: &'h HeaderMap, member: &Member) -> Option<Option<&'h str>> {
    let mut values = headers.get_all(member.header_name()?).iter();
    match (values.next(), values.next()) {
        (None, _) => Some(None),
        (Some(value), None) if !member.json_value => headers::ascii(value).map(Some),
        _ => None,
    }
}

fn has_prefix(headers: &HeaderMap, prefix: &str) -> bool {
    headers.keys().any(|name| {
        let start = name.as_str().as_bytes().get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
    })
}

/// The text of a member, of which the model says what it is.
struct Text<'a> {
    text: &'a str,
    shape: &'a Shape,
}

impl<'de> IntoDeserializer<'de, Error> for Text<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Text<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.shape.kind {
            Kind::String => visitor.visit_str(self.text),
            Kind::Integer { long } => match self.text.parse::<i64>() {
                Ok(whole) if long || i32::try_from(whole).is_ok() => visitor.visit_i64(whole),
                _ => Err(unusual()),
            },
            Kind::Boolean => match self.text {
                "true" => visitor.visit_bool(true),
                "false" => visitor.visit_bool(false),
                _ => Err(unusual()),
            },
            _ => Err(unusual()),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        // A member that the operation does not honour: it is refused by its name.
        Err(unusual())
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct
        map struct enum identifier
    }
}

/// The error of all that is left to the long way. Nobody reads it.
fn unusual() -> Error {
    serde::de::Error::custom("unusual")
}
