//! Text to an operation's input in one go, for operations that take much or are called most.
//!
//! Other inputs become values, are corrected and checked, and then become what their operation reads. Here the text is read
//! only once, and looked at by the model on the way: JSON by this file, what a REST request binds by `bound.rs`. Whatever is out of the ordinary is left to the long way, which has the words
//! for it: what is read here is what would be read there.

use bytes::Bytes;
use http::request::Parts;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};

use super::{Detected, Protocol, bound, chunked, validate};
use crate::model::{Kind, Member, Model, OperationModel, Shape, Structure};

/// Members of a structure that can be told apart in the bits of a number.
const MOST_MEMBERS: usize = 64;

/// A request whose input was not read.
pub(crate) struct Unread<'a> {
    pub detected: &'a Detected,
    pub head: &'a Parts,
    pub body: &'a Bytes,
}

/// Reads an input. `None` if it is not as its operation wants it, or is but in an unusual way.
pub(crate) fn read<I: DeserializeOwned>(request: &Unread<'_>) -> Option<I> {
    let Unread { detected, head, body } = request;
    if is_plain(detected, head) {
        of_json(detected.operation, body)
    } else if bound::is_plain(detected, head) {
        bound::read(detected, head)
    } else {
        None
    }
}

/// Whether a request carries its input as plain JSON text, and its service checks inputs by the model.
fn is_plain(detected: &Detected, head: &Parts) -> bool {
    matches!(detected.protocol, Protocol::AwsJson10 | Protocol::AwsJson11)
        && validate::is_by_model(detected.service)
        && !head.headers.contains_key(http::header::CONTENT_ENCODING)
        && !chunked::is_chunked(&head.headers)
}

pub(super) fn of_json<'de, I: Deserialize<'de>>(operation: &OperationModel, text: &'de [u8]) -> Option<I> {
    let (model, shape) = (operation.model(), operation.input_shape()?);
    let mut inner = serde_json::Deserializer::from_slice(text);
    let input = I::deserialize(Straight { model, shape, inner: &mut inner }).ok()?;
    inner.end().ok()?;
    Some(input)
}

/// The error of all that is left to the long way. Nobody reads it.
fn unusual<E: Error>() -> E {
    E::custom("unusual")
}

/// Text of which the model says what it is; the same for whoever visits it.
struct Straight<T> {
    model: &'static Model,
    shape: &'static Shape,
    inner: T,
}

impl<T> Straight<T> {
    fn with<U>(&self, inner: U) -> Straight<U> {
        Straight { model: self.model, shape: self.shape, inner }
    }

    fn of<U>(&self, member: &Member, inner: U) -> Straight<U> {
        Straight { model: self.model, shape: self.model.shape(member.shape), inner }
    }
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Straight<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let visitor = self.with(visitor);
        self.inner.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        // A null is no value here, so that what is there is one.
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, D::Error> {
        // A member that the operation does not honour: it is refused by its name.
        Err(unusual())
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct
        map struct enum identifier
    }
}

impl<T> Straight<T> {
    fn text<E: Error>(&self, text: &str) -> Result<(), E> {
        let fits = matches!(self.shape.kind, Kind::String) && !self.shape.document && validate::fits(self.shape, text);
        if fits { Ok(()) } else { Err(unusual()) }
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Straight<V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.expecting(formatter)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<V::Value, E> {
        match self.shape.kind {
            Kind::Boolean => self.inner.visit_bool(value),
            _ => Err(unusual()),
        }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<V::Value, E> {
        let fits = match self.shape.kind {
            Kind::Integer { long } => (long || i32::try_from(value).is_ok()) && validate::is_within(self.shape, value),
            _ => false,
        };
        if fits { self.inner.visit_i64(value) } else { Err(unusual()) }
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<V::Value, E> {
        self.visit_i64(i64::try_from(value).map_err(|_| unusual())?)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<V::Value, E> {
        self.text(text)?;
        self.inner.visit_str(text)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<V::Value, E> {
        self.text(text)?;
        self.inner.visit_borrowed_str(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let Kind::List(element) = &self.shape.kind else { return Err(unusual()) };
        let mut count = 0;
        let elements = Elements { access: self.of(element, access), count: &mut count };
        let (model, shape) = (self.model, self.shape);
        let value = self.inner.visit_seq(elements)?;
        let is_short = i64::try_from(count).is_ok_and(|count| validate::is_within(shape, count));
        if is_short && !shape.document && !model.shape(element.shape).document { Ok(value) } else { Err(unusual()) }
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let Kind::Structure(structure) = &self.shape.kind else { return Err(unusual()) };
        if self.shape.document || structure.members.len() > MOST_MEMBERS {
            return Err(unusual());
        }
        let mut seen = 0_u64;
        let members = Members { access: self.with(access), structure, member: None, seen: &mut seen };
        let value = self.inner.visit_map(members)?;
        let is_missing = |(place, member): (usize, &Member)| member.required && seen & (1 << place) == 0;
        if structure.members.iter().enumerate().any(is_missing) { Err(unusual()) } else { Ok(value) }
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Straight<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        let deserializer = self.with(deserializer);
        self.inner.deserialize(deserializer)
    }
}

/// The elements of a list.
struct Elements<'a, A> {
    access: Straight<A>,
    count: &'a mut usize,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Elements<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let seed = self.access.with(seed);
        let element = self.access.inner.next_element_seed(seed)?;
        *self.count += usize::from(element.is_some());
        Ok(element)
    }
}

/// The members of a structure.
struct Members<'a, A> {
    access: Straight<A>,
    structure: &'static Structure,
    /// The one whose value is next.
    member: Option<&'static Member>,
    /// A bit for each that was there.
    seen: &'a mut u64,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Members<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let Self { access, structure, member, seen } = self;
        access.inner.next_key_seed(Key { structure, member, seen, inner: seed })
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let member = self.member.take().ok_or_else(unusual)?;
        let seed = self.access.of(member, seed);
        self.access.inner.next_value_seed(seed)
    }
}

/// The name of a member, for whoever wants to know it.
struct Key<'a, T> {
    structure: &'static Structure,
    member: &'a mut Option<&'static Member>,
    seen: &'a mut u64,
    inner: T,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Key<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        let Key { structure, member, seen, inner } = self;
        inner.deserialize(Key { structure, member, seen, inner: deserializer })
    }
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Key<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let Key { structure, member, seen, inner } = self;
        inner.deserialize_str(Key { structure, member, seen, inner: visitor })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Key<'_, V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.expecting(formatter)
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<V::Value, E> {
        let (place, member) = self.structure.place(name).ok_or_else(unusual)?;
        let bit = 1 << place;
        if member.wire_name() != name || member.location.is_some() || *self.seen & bit != 0 {
            return Err(unusual());
        }
        *self.seen |= bit;
        *self.member = Some(member);
        self.inner.visit_str(name)
    }
}
