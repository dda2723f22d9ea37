//! Reads a distilled model into [`Model`]: names become places, defaults of shapes become facts of members.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use super::corrections::correct;
use super::operation::{Http, HttpChecksum, OperationModel, Paginator, UriTemplate};
use super::shape::{ErrorFacts, Kind, Location, Member, Shape, ShapeId, Structure, TimestampFormat, XmlNamespace};
use super::{Metadata, Model};

/// Parses the text of `emulator/models/<service>.json`.
pub(super) fn load(service: &'static str, text: &'static str) -> Result<Model, String> {
    let raw: RawModel = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let ids: BTreeMap<&str, ShapeId> =
        raw.shapes.0.iter().enumerate().map(|(place, (name, _))| (*name, ShapeId(place as u32))).collect();
    let raw_shapes: BTreeMap<&str, &RawShape> = raw.shapes.0.iter().map(|(name, shape)| (*name, shape)).collect();
    let is_ec2 = raw.metadata.protocols.contains(&"ec2");
    let resolver = Resolver { ids: &ids, shapes: &raw_shapes, is_ec2 };
    let shapes = raw.shapes.0.iter().map(|(name, shape)| Ok(correct(service, resolver.shape(name, shape)?)));
    let shapes = shapes.collect::<Result<Vec<_>, String>>()?;
    let operations = raw.operations.0.iter();
    let operations = operations.map(|(name, operation)| resolver.operation(service, name, operation, &shapes));
    let mut operations = operations.collect::<Result<Vec<_>, String>>()?;
    operations.sort_by_key(|operation| operation.name);
    let mut by_method: BTreeMap<_, [Vec<_>; 2]> = BTreeMap::new();
    for (place, operation) in operations.iter().enumerate() {
        let is_queried = !operation.http.uri.query.is_empty();
        by_method.entry(operation.http.method).or_default()[usize::from(is_queried)].push(place);
    }
    let others = raw.others;
    Ok(Model { service, metadata: raw.metadata.into(), operations, others, by_method, shapes, by_name: ids })
}

struct Resolver<'a> {
    ids: &'a BTreeMap<&'static str, ShapeId>,
    shapes: &'a BTreeMap<&'static str, &'a RawShape>,
    /// Whether the model is of EC2's protocol.
    is_ec2: bool,
}

impl Resolver<'_> {
    fn id(&self, name: &str) -> Result<ShapeId, String> {
        self.ids.get(name).copied().ok_or_else(|| format!("no shape {name}"))
    }

    fn operation(
        &self,
        service: &'static str,
        name: &'static str,
        raw: &RawOperation,
        shapes: &[Shape],
    ) -> Result<OperationModel, String> {
        let input = raw.input.map(|shape| self.id(shape)).transpose()?;
        let structure = input.and_then(|id| shapes.get(id.0 as usize)).and_then(Shape::structure);
        let required = |location: Location| -> Vec<&'static str> {
            let members = structure.into_iter().flat_map(|structure| &structure.members);
            members.filter(|m| m.required && m.location == Some(location)).map(Member::wire_name).collect()
        };
        Ok(OperationModel {
            service,
            name,
            http: Http {
                method: raw.http.method,
                status: raw.http.response_code.unwrap_or(200),
                uri: UriTemplate::parse(raw.http.request_uri),
                required_query: required(Location::QueryString),
                required_headers: required(Location::Header),
            },
            input,
            output: raw.output.map(|shape| self.id(shape)).transpose()?,
            result_wrapper: raw.result_wrapper,
            errors: raw.errors.iter().map(|shape| self.id(shape)).collect::<Result<_, _>>()?,
            checksum: raw.http_checksum.as_ref().map(|raw| HttpChecksum {
                request_algorithm_member: raw.request_algorithm_member,
                request_checksum_required: raw.request_checksum_required,
                request_validation_mode_member: raw.request_validation_mode_member,
            }),
            host_prefix: raw.host_prefix,
            deprecated: raw.deprecated,
            paginator: raw.paginator.as_ref().map(RawPaginator::resolve),
        })
    }

    fn shape(&self, name: &'static str, raw: &RawShape) -> Result<Shape, String> {
        Ok(Shape {
            name,
            kind: self.kind(name, raw)?,
            min: raw.min,
            max: raw.max,
            pattern: raw.pattern.clone(),
            values: raw.values.iter().map(|text| text.0.clone()).collect(),
            sensitive: raw.sensitive,
            document: raw.document,
            union: raw.union,
            event_stream: raw.eventstream,
            exception: raw.exception,
            error: raw.error.as_ref().map(|error| ErrorFacts { code: error.code, status: error.status }),
            payload: raw.payload,
            location_name: raw.location_name,
            xml_namespace: raw.xml_namespace.as_ref().map(RawNamespace::resolve),
            regex: OnceLock::new(),
        })
    }

    fn kind(&self, name: &str, raw: &RawShape) -> Result<Kind, String> {
        let part = |member: &Option<RawMember>, role: &'static str| -> Result<Member, String> {
            let member = member.as_ref().ok_or_else(|| format!("{name} has no {role}"))?;
            self.member(role, member, false)
        };
        Ok(match raw.kind {
            "structure" => {
                let members = raw.members.0.iter();
                let members = members.map(|(name, member)| self.member(name, member, raw.required.contains(name)));
                Kind::Structure(Structure::new(members.collect::<Result<_, _>>()?))
            }
            "list" => Kind::List(part(&raw.member, "member")?),
            "map" => Kind::Map(part(&raw.key, "key")?, part(&raw.value, "value")?),
            "string" | "character" => Kind::String,
            "integer" | "short" | "byte" => Kind::Integer { long: false },
            "long" => Kind::Integer { long: true },
            "float" | "double" => Kind::Float,
            "boolean" => Kind::Boolean,
            "blob" => Kind::Blob,
            "timestamp" => Kind::Timestamp,
            kind => return Err(format!("{name} has the unknown type {kind}")),
        })
    }

    /// What the member does not say itself, its shape says for it.
    fn member(&self, name: &'static str, raw: &RawMember, required: bool) -> Result<Member, String> {
        let target = self.shapes.get(raw.shape).ok_or_else(|| format!("no shape {}", raw.shape))?;
        let format = raw.timestamp_format.or(target.timestamp_format);
        Ok(Member {
            name,
            shape: self.id(raw.shape)?,
            required,
            location: raw.location.map(location).transpose()?,
            location_name: raw.location_name.or(target.location_name),
            query_name: raw.query_name,
            query_name_is_of_forms: self.is_ec2,
            flattened: raw.flattened || target.flattened,
            xml_attribute: raw.xml_attribute,
            xml_namespace: raw.xml_namespace.as_ref().or(target.xml_namespace.as_ref()).map(RawNamespace::resolve),
            timestamp_format: format.map(timestamp_format).transpose()?,
            json_value: raw.jsonvalue,
            idempotency_token: raw.idempotency_token,
            host_label: raw.host_label,
            streaming: raw.streaming || target.streaming,
            header: OnceLock::new(),
        })
    }
}

fn location(name: &str) -> Result<Location, String> {
    Ok(match name {
        "uri" => Location::Uri,
        "querystring" => Location::QueryString,
        "header" => Location::Header,
        "headers" => Location::Headers,
        "statusCode" => Location::StatusCode,
        _ => return Err(format!("unknown location {name}")),
    })
}

fn timestamp_format(name: &str) -> Result<TimestampFormat, String> {
    Ok(match name {
        "iso8601" => TimestampFormat::Iso8601,
        "rfc822" => TimestampFormat::Rfc822,
        "unixTimestamp" => TimestampFormat::UnixTimestamp,
        _ => return Err(format!("unknown timestamp format {name}")),
    })
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
struct RawModel {
    metadata: RawMetadata,
    operations: Ordered<RawOperation>,
    #[serde(default)]
    others: Vec<&'static str>,
    shapes: Ordered<RawShape>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMetadata {
    api_version: &'static str,
    aws_query_compatible: Option<serde::de::IgnoredAny>,
    endpoint_prefix: &'static str,
    json_version: Option<&'static str>,
    protocols: Vec<&'static str>,
    service_id: &'static str,
    signing_name: Option<&'static str>,
    target_prefix: Option<&'static str>,
    xml_namespace: Option<&'static str>,
}

impl From<RawMetadata> for Metadata {
    fn from(raw: RawMetadata) -> Self {
        Self {
            api_version: raw.api_version,
            query_compatible: raw.aws_query_compatible.is_some(),
            endpoint_prefix: raw.endpoint_prefix,
            json_version: raw.json_version.unwrap_or("1.1"),
            protocols: raw.protocols,
            service_id: raw.service_id,
            signing_name: raw.signing_name.unwrap_or(raw.endpoint_prefix),
            target_prefix: raw.target_prefix,
            xml_namespace: raw.xml_namespace,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawOperation {
    http: RawHttp,
    input: Option<&'static str>,
    output: Option<&'static str>,
    #[serde(default)]
    errors: Vec<&'static str>,
    result_wrapper: Option<&'static str>,
    host_prefix: Option<&'static str>,
    http_checksum: Option<RawChecksum>,
    #[serde(default)]
    deprecated: bool,
    paginator: Option<RawPaginator>,
}

#[derive(Deserialize)]
struct RawPaginator {
    input_token: OneOrMore,
    output_token: OneOrMore,
    result_key: Option<OneOrMore>,
    more_results: Option<&'static str>,
}

impl RawPaginator {
    fn resolve(&self) -> Paginator {
        let list = |names: &OneOrMore| match names {
            OneOrMore::One(name) => vec![*name],
            OneOrMore::More(names) => names.clone(),
        };
        Paginator {
            input_tokens: list(&self.input_token),
            output_tokens: list(&self.output_token),
            result_keys: self.result_key.as_ref().map(list).unwrap_or_default(),
            more_results: self.more_results,
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(&'static str),
    More(Vec<&'static str>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawHttp {
    method: &'static str,
    request_uri: &'static str,
    response_code: Option<u16>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawChecksum {
    request_algorithm_member: Option<&'static str>,
    #[serde(default)]
    request_checksum_required: bool,
    request_validation_mode_member: Option<&'static str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawShape {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(default)]
    members: Ordered<RawMember>,
    member: Option<RawMember>,
    key: Option<RawMember>,
    value: Option<RawMember>,
    #[serde(default)]
    required: Vec<&'static str>,
    min: Option<i64>,
    max: Option<i64>,
    pattern: Option<String>,
    #[serde(default, rename = "enum")]
    values: Vec<Text>,
    payload: Option<&'static str>,
    #[serde(default)]
    streaming: bool,
    #[serde(default)]
    flattened: bool,
    location_name: Option<&'static str>,
    xml_namespace: Option<RawNamespace>,
    timestamp_format: Option<&'static str>,
    #[serde(default)]
    sensitive: bool,
    #[serde(default)]
    document: bool,
    #[serde(default)]
    union: bool,
    #[serde(default)]
    eventstream: bool,
    #[serde(default)]
    exception: bool,
    error: Option<RawError>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawError {
    code: Option<&'static str>,
    #[serde(rename = "httpStatusCode")]
    status: Option<u16>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct RawMemberFacts {
    shape: &'static str,
    location: Option<&'static str>,
    location_name: Option<&'static str>,
    query_name: Option<&'static str>,
    #[serde(default)]
    streaming: bool,
    #[serde(default)]
    flattened: bool,
    #[serde(default)]
    xml_attribute: bool,
    xml_namespace: Option<RawNamespace>,
    timestamp_format: Option<&'static str>,
    #[serde(default)]
    jsonvalue: bool,
    #[serde(default)]
    idempotency_token: bool,
    #[serde(default)]
    host_label: bool,
}

/// A member: its facts, or the bare name of its shape.
struct RawMember(RawMemberFacts);

impl std::ops::Deref for RawMember {
    type Target = RawMemberFacts;

    fn deref(&self) -> &RawMemberFacts {
        &self.0
    }
}

impl<'de: 'static> Deserialize<'de> for RawMember {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de: 'static> Visitor<'de> for Either {
            type Value = RawMember;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a shape's name or a member's facts")
            }

            fn visit_borrowed_str<E>(self, shape: &'de str) -> Result<RawMember, E> {
                Ok(RawMember(RawMemberFacts { shape, ..RawMemberFacts::default() }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawMember, A::Error> {
                RawMemberFacts::deserialize(MapAccessDeserializer::new(map)).map(RawMember)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// An XML namespace: a URI, or a prefix with one.
struct RawNamespace(Option<&'static str>, &'static str);

impl RawNamespace {
    fn resolve(&self) -> XmlNamespace {
        XmlNamespace { prefix: self.0, uri: self.1 }
    }
}

impl<'de: 'static> Deserialize<'de> for RawNamespace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Facts {
            prefix: Option<&'static str>,
            uri: &'static str,
        }
        struct Either;
        impl<'de: 'static> Visitor<'de> for Either {
            type Value = RawNamespace;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a namespace")
            }

            fn visit_borrowed_str<E>(self, uri: &'de str) -> Result<RawNamespace, E> {
                Ok(RawNamespace(None, uri))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawNamespace, A::Error> {
                let facts = Facts::deserialize(MapAccessDeserializer::new(map))?;
                Ok(RawNamespace(facts.prefix, facts.uri))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// Text that is borrowed from the model wherever JSON has no escape in it.
struct Text(Cow<'static, str>);

impl<'de: 'static> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrowing;
        impl<'de: 'static> Visitor<'de> for Borrowing {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Borrowing)
    }
}

/// A JSON object as a list, in the order of the file.
struct Ordered<T>(Vec<(&'static str, T)>);

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de: 'static, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(std::marker::PhantomData<T>);
        impl<'de: 'static, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Ordered<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry::<&'static str, T>()? {
                    entries.push(entry);
                }
                if entries.len() > u32::MAX as usize {
                    return Err(A::Error::custom("too many entries"));
                }
                Ok(Ordered(entries))
            }
        }
        deserializer.deserialize_map(Entries(std::marker::PhantomData))
    }
}
