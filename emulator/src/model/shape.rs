//! The shapes of a model: what a value looks like, what limits it has, and how each protocol writes it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use http::HeaderName;
use regex::Regex;

use super::pattern;

/// The place of a shape in its [`Model`](super::Model).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShapeId(pub(super) u32);

/// One named type of a model.
#[derive(Debug)]
pub struct Shape {
    /// The name in the model, `LogGroupName`.
    pub name: &'static str,
    /// What kind of value it is, with its members.
    pub kind: Kind,
    /// The least length (strings, blobs, lists, maps) or value (numbers).
    pub min: Option<i64>,
    /// The greatest length or value.
    pub max: Option<i64>,
    /// The regular expression that the whole string must match, as AWS writes it (Java's dialect).
    pub pattern: Option<String>,
    /// The only values that the string may have; empty if any.
    pub values: Vec<Cow<'static, str>>,
    /// Whether the value must not appear in messages or logs.
    pub sensitive: bool,
    /// Whether any JSON may stand here (a Smithy document).
    pub document: bool,
    /// Whether exactly one member is set.
    pub union: bool,
    /// Whether this is a stream of events.
    pub event_stream: bool,
    /// Whether the model marks the shape as an error.
    pub exception: bool,
    /// What an error answers with, where the model says so.
    pub error: Option<ErrorFacts>,
    /// The member that is the whole HTTP body, in REST protocols.
    pub payload: Option<&'static str>,
    /// The name that the shape has as the root of an XML document.
    pub location_name: Option<&'static str>,
    /// The XML namespace of the shape's element.
    pub xml_namespace: Option<XmlNamespace>,
    pub(super) regex: OnceLock<Option<Regex>>,
}

/// The kind of a shape.
#[derive(Debug)]
pub enum Kind {
    /// Named members.
    Structure(Structure),
    /// Elements of one shape.
    List(Member),
    /// Keys and values of one shape each.
    Map(Member, Member),
    /// Text, perhaps with a pattern or an enumeration.
    String,
    /// A whole number, 32 bits for `integer` and 64 for `long`.
    Integer {
        /// Whether it has 64 bits.
        long: bool,
    },
    /// A floating-point number; the wire also knows `NaN` and the infinities.
    Float,
    /// `true` or `false`.
    Boolean,
    /// Bytes.
    Blob,
    /// A point in time.
    Timestamp,
}

/// The members of a structure, in the model's order.
#[derive(Debug, Default)]
pub struct Structure {
    /// The members, in the model's order.
    pub members: Vec<Member>,
    /// Where a member is by its name in the model.
    by_name: BTreeMap<&'static str, usize>,
    /// Where a member is by its name on the wire.
    by_wire_name: BTreeMap<&'static str, usize>,
}

impl Structure {
    pub(super) fn new(members: Vec<Member>) -> Self {
        let by_name = members.iter().enumerate().map(|(place, member)| (member.name, place)).collect();
        let by_wire_name = members.iter().enumerate().map(|(place, member)| (member.wire_name(), place)).collect();
        Self { members, by_name, by_wire_name }
    }

    /// The member of this name in the model.
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.by_name.get(name).and_then(|place| self.members.get(*place))
    }

    /// The same, with its place among the members.
    pub(crate) fn place(&self, name: &str) -> Option<(usize, &Member)> {
        let place = *self.by_name.get(name)?;
        self.members.get(place).map(|member| (place, member))
    }

    /// The member of this name on the wire (`locationName` where there is one).
    pub fn member_on_wire(&self, name: &str) -> Option<&Member> {
        self.by_wire_name.get(name).and_then(|place| self.members.get(*place))
    }
}

/// A member of a structure, the element of a list, or the key or value of a map.
#[derive(Debug)]
pub struct Member {
    /// The name in the model; `member`, `key` or `value` in lists and maps.
    pub name: &'static str,
    /// The shape it has.
    pub shape: ShapeId,
    /// Whether the structure requires it.
    pub required: bool,
    /// Where HTTP carries it; the body where `None`.
    pub location: Option<Location>,
    /// The name on the wire, if it differs from the model's or the place wants one.
    pub location_name: Option<&'static str>,
    /// The name in the query protocol, where the model is written for another one (SQS), or in forms of EC2's.
    pub query_name: Option<&'static str>,
    /// Whether that name is its parameter's only, and its element in an answer has `location_name`: EC2's protocol.
    pub query_name_is_of_forms: bool,
    /// Whether a list or map stands in its parent without an element of its own.
    pub flattened: bool,
    /// Whether XML carries it as an attribute.
    pub xml_attribute: bool,
    /// The XML namespace of its element.
    pub xml_namespace: Option<XmlNamespace>,
    /// How a timestamp is written, if not as the protocol does by itself.
    pub timestamp_format: Option<TimestampFormat>,
    /// Whether the header carries JSON in base64.
    pub json_value: bool,
    /// Whether SDKs fill it with a random token.
    pub idempotency_token: bool,
    /// Whether it is part of the host name.
    pub host_label: bool,
    /// Whether it travels as a stream.
    pub streaming: bool,
    pub(super) header: OnceLock<Option<HeaderName>>,
}

impl Member {
    /// The name of the member in a message body.
    pub fn wire_name(&self) -> &'static str {
        self.location_name.unwrap_or(self.name)
    }

    /// The name that the model gives the member's element in XML, or, save in EC2's protocol, its parameter in a form; `None` if
    /// it has its own.
    pub fn xml_name(&self) -> Option<&'static str> {
        if self.query_name_is_of_forms {
            return self.location_name;
        }
        self.query_name.or(self.location_name)
    }

    /// The name of its parameter in a form. EC2's protocol capitalises names that are none of forms alone.
    /// <https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html>
    pub fn form_name(&self) -> Cow<'static, str> {
        let name = self.query_name.or(self.location_name).unwrap_or(self.name);
        let is_capitalised = !name.starts_with(|first: char| first.is_ascii_lowercase());
        if is_capitalised || self.query_name.is_some() || !self.query_name_is_of_forms {
            return name.into();
        }
        let (first, rest) = name.split_at(1);
        format!("{}{rest}", first.to_ascii_uppercase()).into()
    }

    /// The header that carries it; made once, since a request to S3 is asked for some fifty of them.
    pub fn header_name(&self) -> Option<&HeaderName> {
        self.header.get_or_init(|| self.wire_name().parse().ok()).as_ref()
    }

    /// The name of the option by which the AWS CLI sets it, `log-group-name`.
    pub fn cli_name(&self) -> String {
        super::names::kebab(self.name)
    }
}

/// Where HTTP carries a member that is not in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    /// A part of the path.
    Uri,
    /// A parameter of the query string.
    QueryString,
    /// A header.
    Header,
    /// All headers that begin with the member's `locationName`.
    Headers,
    /// The status of the response.
    StatusCode,
}

/// How a timestamp is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampFormat {
    /// `2026-03-02T12:00:00Z`.
    Iso8601,
    /// `Mon, 02 Mar 2026 12:00:00 GMT`.
    Rfc822,
    /// Seconds since 1970, with a fraction where there is one.
    UnixTimestamp,
}

/// The XML namespace of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XmlNamespace {
    /// The prefix that it is bound to, if any.
    pub prefix: Option<&'static str>,
    /// The namespace.
    pub uri: &'static str,
}

/// What the model says about an error's answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErrorFacts {
    /// The code, where it differs from the shape's name (`NoSuchEntity` of `NoSuchEntityException`).
    pub code: Option<&'static str>,
    /// The HTTP status.
    pub status: Option<u16>,
}

impl Shape {
    /// The members, if the shape is a structure.
    pub fn structure(&self) -> Option<&Structure> {
        match &self.kind {
            Kind::Structure(structure) => Some(structure),
            _ => None,
        }
    }

    /// The code by which an error of this shape is known: the model's, else the shape's name.
    pub fn error_code(&self) -> &'static str {
        self.error.and_then(|facts| facts.code).unwrap_or(self.name)
    }

    /// The compiled pattern. `None` without one, or where [`pattern::UNCHECKED`] names it.
    pub fn regex(&self) -> Option<&Regex> {
        self.regex.get_or_init(|| pattern::compile(self.pattern.as_deref()?)).as_ref()
    }
}
