//! Validation of an input by its model's constraints, in AWS's own words.
//!
//! AWS's servers collect every violation: `N validation errors detected: Value 'x' at 'path' failed to satisfy
//! constraint: …; …`. Paths are lower camel case, `tags.1.member.key` for an element of a list of structures;
//! constraints on the elements of lists and maps of scalars are reported at the collection, all of them together.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::{dynamodb, ec2, iam, rest};
use crate::model::{Kind, Location, Member, Model, OperationModel, Shape, Structure};
use crate::{Error, Result};

/// The most violations that one answer lists; AWS names no number.
const MAX_VIOLATIONS: usize = 50;

/// The most characters of a value that an answer repeats; AWS repeats all of it, which may be megabytes.
const MAX_SHOWN: usize = 4096;

/// The error code of a validation error, where it is not `ValidationException`.
const CODES: &[(&str, &str)] = &[
    ("cloudformation", "ValidationError"),
    ("cloudwatch", "ValidationError"),
    ("glacier", "InvalidParameterValueException"),
    ("iam", "ValidationError"),
    ("logs", "InvalidParameterException"),
    ("sns", "ValidationError"),
    ("sts", "ValidationError"),
];

/// Whether the inputs of a service are checked by its model and by nothing else.
pub(super) fn is_by_model(service: &str) -> bool {
    !matches!(service, "apigateway" | "ec2" | "s3" | "sqs") && !dynamodb::is(service)
}

/// Checks required members, lengths, ranges, patterns and enumerations.
///
/// S3 and SQS check their requests in ways of their own, so of their models only required members are looked at.
pub fn validate(operation: &OperationModel, input: &Value) -> Result<()> {
    let Some(structure) = operation.input_shape().and_then(Shape::structure) else { return Ok(()) };
    let empty = Map::new();
    let members = input.as_object().unwrap_or(&empty);
    if operation.service == "s3" {
        return require_s3(operation, structure, members);
    }
    if operation.service == "ec2" {
        return ec2::validate(operation, structure, members);
    }
    if operation.service == "sqs" {
        return require_sqs(structure, members);
    }
    let is_dynamodb = dynamodb::is(operation.service);
    if is_dynamodb && !dynamodb::check_first(operation, members)? {
        return Ok(());
    }
    let payload = operation.input_shape().and_then(|shape| shape.payload);
    let limit = if is_dynamodb { dynamodb::MAX_VIOLATIONS } else { MAX_VIOLATIONS };
    let is_secret = iam::is_secret(operation);
    let mut checker =
        Checker { model: operation.model(), payload, is_dynamodb, limit, is_secret, violations: Vec::new() };
    let name = operation.input_shape().map_or("", |shape| shape.name);
    let all = || structure.members.iter();
    if operation.service == "apigateway" {
        // API Gateway takes the body for a structure of its own, with a name, and looks at it before the parameters of the path.
        let beside = |member: &Member| member.location.is_some() || payload == Some(member.name);
        let body = format!("{}Input", decapitalised(operation.name));
        checker.members(name, all().filter(|member| !beside(member)), members, Some(&|| body.clone()));
        checker.members(name, all().filter(|member| beside(member)), members, None);
    } else {
        checker.members(name, all(), members, None);
    }
    if checker.violations.is_empty() {
        return Ok(());
    }
    let count = checker.violations.len();
    if count == 1
        && let Some(text) = iam::wrong_name(operation, structure, members)
    {
        return Err(Error::client("ValidationError", text));
    }
    if operation.service == "ecr" {
        return Err(Error::client("InvalidParameterException", words_of_ecr(&checker.violations[0])));
    }
    let errors = if count == 1 { "error" } else { "errors" };
    // The deliveries of CloudWatch Logs know the usual error, and not the one of the service's other operations.
    let knows = |error: &str| operation.errors.iter().any(|id| operation.model().shape(*id).name == error);
    let usual = knows("ValidationException") && !knows("InvalidParameterException");
    let code = CODES.iter().find(|(service, _)| *service == operation.service && !(usual && *service == "logs"));
    let code = code.map_or("ValidationException", |(_, code)| code);
    let listed = checker.violations.join("; ");
    Err(Error::client(code, format!("{count} validation {errors} detected: {listed}")))
}

/// ECR tells the first violation, and not the value. Of the name of a repository it speaks in a way of its own.
fn words_of_ecr(violation: &str) -> String {
    let (place, constraint) =
        violation.rsplit_once("' failed to satisfy constraint: ").unwrap_or((violation, "Member is not valid"));
    let place = place.rsplit_once(" at '").map_or(place, |(_, place)| place);
    let constraint = match constraint.strip_prefix("Member ").filter(|_| place == "repositoryName") {
        Some(own) => match own.strip_prefix("must satisfy regular expression pattern: ") {
            Some(pattern) => format!("must satisfy regular expression '{pattern}'"),
            None => own.to_owned(),
        },
        None => constraint.to_owned(),
    };
    format!("Invalid parameter at '{place}' failed to satisfy constraint: '{constraint}'")
}

struct Checker {
    model: &'static Model,
    /// The member that travels beside the value, if it is bytes: whether it is there is not seen here.
    payload: Option<&'static str>,
    is_dynamodb: bool,
    limit: usize,
    /// Whether neither a value is shown nor those that would be taken.
    is_secret: bool,
    violations: Vec<String>,
}

impl Checker {
    /// `parent` makes the path of the structure, whose shape has this name; the input itself has none.
    fn members<'m>(
        &mut self,
        name: &str,
        those: impl Iterator<Item = &'m Member>,
        members: &Map<String, Value>,
        parent: Option<&dyn Fn() -> String>,
    ) {
        for member in those {
            let path = || join(parent.map(|parent| parent()), member);
            match members.get(member.name).filter(|value| !value.is_null()) {
                Some(value) => self.value(self.model.shape(member.shape), value, &path),
                None if member.required && !(parent.is_none() && self.is_raw_payload(member)) => {
                    self.violate(&path(), "Value null", "Member must not be null");
                }
                None if self.is_dynamodb && dynamodb::requires(name, member.name) => {
                    self.violate(&path(), "Value null", "Member must not be null");
                }
                None => {}
            }
        }
    }

    fn is_raw_payload(&self, member: &Member) -> bool {
        self.payload == Some(member.name) && rest::is_raw(self.model.shape(member.shape))
    }

    /// The path is made only when there is something to say of it.
    fn value(&mut self, shape: &Shape, value: &Value, path: &dyn Fn() -> String) {
        for constraint in self.violated(shape, value, path) {
            self.violate(&path(), &shown(self.model, shape, value), &constraint);
        }
        self.parts(shape, value, path);
    }

    /// What stands in a structure, a list or a map.
    fn parts(&mut self, shape: &Shape, value: &Value, path: &dyn Fn() -> String) {
        match (&shape.kind, value) {
            (Kind::Structure(structure), Value::Object(members)) => {
                self.members(shape.name, structure.members.iter(), members, Some(path));
            }
            (Kind::List(element), Value::Array(values)) => {
                let part = self.model.shape(element.shape);
                if is_scalar(part) {
                    if values.iter().any(|value| value.is_null() || !violated(part, value).is_empty()) {
                        let all = constraints(part).join(", ");
                        self.violate(
                            &path(),
                            &shown(self.model, shape, value),
                            &format!("Member must satisfy constraint: [{all}]"),
                        );
                    }
                    return;
                }
                for (place, value) in values.iter().enumerate() {
                    let path = || format!("{}.{}.member", path(), place + 1);
                    if value.is_null() {
                        self.violate(&path(), "Value null", "Member must not be null");
                    } else {
                        self.value(part, value, &path);
                    }
                }
            }
            (Kind::Map(key, element), Value::Object(entries)) => self.map(shape, (key, element), value, entries, path),
            _ => {}
        }
    }

    fn map(
        &mut self,
        shape: &Shape,
        (key, element): (&Member, &Member),
        value: &Value,
        entries: &Map<String, Value>,
        path: &dyn Fn() -> String,
    ) {
        let (keys, part) = (self.model.shape(key.shape), self.model.shape(element.shape));
        if has_constraints(keys) && entries.keys().any(|key| self.breaks(keys, key)) {
            let all = if self.is_dynamodb && keys.name == "TableArn" {
                dynamodb::table_name_constraints().join(", ")
            } else {
                constraints(keys).join(", ")
            };
            self.violate(
                &path(),
                &shown(self.model, shape, value),
                &format!("Map keys must satisfy constraint: [{all}]"),
            );
        }
        if !matches!(part.kind, Kind::Structure(_)) && entries.values().any(|value| !violated(part, value).is_empty()) {
            let mut all = constraints(part).join(", ");
            if matches!(part.kind, Kind::Float) {
                all.push_str(", Member must not be null");
            }
            self.violate(
                &path(),
                &shown(self.model, shape, value),
                &format!("Map value must satisfy constraint: [{all}]"),
            );
        }
        match &part.kind {
            Kind::Structure(structure) => {
                for (key, value) in entries {
                    if let Value::Object(members) = value {
                        let path = || format!("{}.{key}.member", path());
                        self.members(part.name, structure.members.iter(), members, Some(&path));
                    }
                }
            }
            Kind::List(_) | Kind::Map(..) => {
                for (key, value) in entries {
                    self.parts(part, value, &|| format!("{}.{key}.member", path()));
                }
            }
            _ => {}
        }
    }

    /// Whether the key of a map breaks a constraint.
    fn breaks(&self, shape: &Shape, text: &str) -> bool {
        if self.is_dynamodb && shape.name == "TableArn" {
            return !dynamodb::table_name(shape, text).is_empty();
        }
        !fits(shape, text)
    }

    /// The constraints that a value breaks, with those of DynamoDB that its model lacks.
    fn violated(&self, shape: &Shape, value: &Value, path: &dyn Fn() -> String) -> Vec<String> {
        let mut broken = violated(shape, value);
        if self.is_dynamodb {
            match value {
                Value::String(name) if shape.name == "TableArn" => broken = dynamodb::table_name(shape, name),
                Value::Array(_) if shape.name == "KeySchema" => broken.extend(dynamodb::key_schema(&path(), value)),
                _ => {}
            }
        }
        broken
    }

    fn violate(&mut self, path: &str, value: &str, constraint: &str) {
        const KNOWN: &str = "enum value set";
        let (value, constraint) = match constraint.find(KNOWN) {
            Some(place) if self.is_secret => ("Value", &constraint[..place + KNOWN.len()]),
            None if self.is_secret => ("Value", constraint),
            _ => (value, constraint),
        };
        if self.violations.len() < self.limit {
            self.violations.push(format!("{value} at '{path}' failed to satisfy constraint: {constraint}"));
        }
    }
}

/// Whether elements of this shape are reported at their collection.
fn is_scalar(shape: &Shape) -> bool {
    !matches!(shape.kind, Kind::Structure(_) | Kind::List(_) | Kind::Map(..))
}

/// The constraints that a value breaks, in the order in which AWS reports them.
pub(super) fn violated(shape: &Shape, value: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    if let (Kind::String, Value::String(text)) = (&shape.kind, value) {
        if fits(shape, text) {
            return broken;
        }
        if shape.regex().is_some_and(|regex| !regex.is_match(text)) {
            broken.extend(pattern_constraint(shape));
        }
        if !shape.values.is_empty() && !shape.values.iter().any(|known| known == text) {
            broken.push(enum_constraint(shape));
        }
    }
    if shape.min.is_none() && shape.max.is_none() {
        return broken;
    }
    let size = size(shape, value);
    if let (Some(max), Some(size)) = (shape.max, size)
        && size > max as f64
    {
        broken.push(max_constraint(shape, max));
    }
    if let (Some(min), Some(size)) = (shape.min, size)
        && size < min as f64
    {
        broken.push(min_constraint(shape, min));
    }
    broken
}

/// Whether a text keeps to every constraint of its shape. No value is made of it: there is a text to each attribute of an item.
pub(super) fn fits(shape: &Shape, text: &str) -> bool {
    let is_matched = || shape.regex().is_none_or(|regex| regex.is_match(text));
    let is_known = || shape.values.is_empty() || shape.values.iter().any(|known| known == text);
    // Where the length in bytes says already that the one in characters is right, those need not be counted.
    let (most, least) = (text.len() as i64, text.len().div_ceil(4) as i64);
    let is_surely_within = is_within(shape, most) && is_within(shape, least);
    (is_surely_within || is_within(shape, text.chars().count() as i64)) && is_known() && is_matched()
}

/// Whether a number, or the length of something, is one that its shape allows.
pub(super) fn is_within(shape: &Shape, measure: i64) -> bool {
    shape.max.is_none_or(|max| measure <= max) && shape.min.is_none_or(|min| measure >= min)
}

fn has_constraints(shape: &Shape) -> bool {
    shape.min.is_some() || shape.max.is_some() || shape.pattern.is_some() || !shape.values.is_empty()
}

/// Every constraint of a shape, as lists and maps report them.
fn constraints(shape: &Shape) -> Vec<String> {
    let max = shape.max.map(|max| max_constraint(shape, max));
    let min = shape.min.map(|min| min_constraint(shape, min));
    let values = (!shape.values.is_empty()).then(|| enum_constraint(shape));
    let all: Vec<_> = [max, min, pattern_constraint(shape), values].into_iter().flatten().collect();
    // A list that is refused for a null in it, and has no constraint else, still has to say so.
    if all.is_empty() { vec!["Member must not be null".to_owned()] } else { all }
}

pub(super) fn pattern_constraint(shape: &Shape) -> Option<String> {
    shape.pattern.as_ref().map(|pattern| format!("Member must satisfy regular expression pattern: {pattern}"))
}

fn enum_constraint(shape: &Shape) -> String {
    // The order is that of a hash table of 32 chains, to whose fronts the values are added: so it is in every answer of AWS that
    // public test suites recorded, whatever the service.
    let mut values: Vec<&str> = shape.values.iter().rev().map(|value| &**value).collect();
    values.sort_by_key(|value| hash_code(value) % 32);
    format!("Member must satisfy enum value set: [{}]", values.join(", "))
}

/// `String.hashCode` of Java.
fn hash_code(text: &str) -> u32 {
    text.encode_utf16().fold(0, |hash: u32, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)))
}

fn max_constraint(shape: &Shape, max: i64) -> String {
    format!("Member must have {} less than or equal to {}", measure(shape), limit(shape, max))
}

fn min_constraint(shape: &Shape, min: i64) -> String {
    format!("Member must have {} greater than or equal to {}", measure(shape), limit(shape, min))
}

/// A limit of fractions is one itself: `1.0`.
fn limit(shape: &Shape, limit: i64) -> String {
    if matches!(shape.kind, Kind::Float) { format!("{limit}.0") } else { limit.to_string() }
}

fn measure(shape: &Shape) -> &'static str {
    if matches!(shape.kind, Kind::Integer { .. } | Kind::Float) { "value" } else { "length" }
}

/// What `min` and `max` limit: the value of a number, the length of all else, in characters and in bytes of a blob.
fn size(shape: &Shape, value: &Value) -> Option<f64> {
    Some(match (&shape.kind, value) {
        (Kind::Integer { .. } | Kind::Float, Value::Number(number)) => number.as_f64()?,
        (Kind::String, Value::String(text)) => text.chars().count() as f64,
        (Kind::Blob, Value::String(text)) => STANDARD.decode(text).ok()?.len() as f64,
        (Kind::List(_), Value::Array(values)) => values.len() as f64,
        (Kind::Map(..), Value::Object(entries)) => entries.len() as f64,
        _ => return None,
    })
}

/// `Value 'x'`; a secret, or a collection of them, is not shown.
fn shown(model: &Model, shape: &Shape, value: &Value) -> String {
    let part = match &shape.kind {
        Kind::List(element) | Kind::Map(_, element) => Some(model.shape(element.shape)),
        _ => None,
    };
    if shape.sensitive || part.is_some_and(|part| part.sensitive) {
        return "Value".to_owned();
    }
    let mut text = String::new();
    match (part, value) {
        // As fractions, however the caller writes them.
        (Some(Shape { kind: Kind::Float, .. }), Value::Object(entries)) => {
            let fractions = entries.iter().map(|(key, value)| (key.clone(), value.as_f64().into())).collect();
            show(&mut text, &Value::Object(fractions));
        }
        _ => show(&mut text, value),
    }
    if let Some((end, _)) = text.char_indices().nth(MAX_SHOWN) {
        text.truncate(end);
        text.push('…');
    }
    format!("Value '{text}'")
}

/// Values read as Java prints them. Decoding has limited their depth.
fn show(out: &mut String, value: &Value) {
    match value {
        Value::String(text) => out.push_str(text),
        Value::Array(values) => {
            out.push('[');
            for (place, value) in values.iter().enumerate() {
                out.push_str(if place > 0 { ", " } else { "" });
                show(out, value);
            }
            out.push(']');
        }
        Value::Object(entries) => {
            out.push('{');
            for (place, (key, value)) in entries.iter().enumerate() {
                out.push_str(if place > 0 { ", " } else { "" });
                out.push_str(key);
                out.push('=');
                show(out, value);
            }
            out.push('}');
        }
        _ => out.push_str(&value.to_string()),
    }
}

fn join(parent: Option<String>, member: &Member) -> String {
    let name = decapitalised(member.name);
    parent.map_or(name.clone(), |parent| format!("{parent}.{name}"))
}

pub(super) fn decapitalised(name: &str) -> String {
    let mut letters = name.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_lowercase).collect();
    format!("{first}{}", letters.as_str())
}

/// SQS names the first parameter that is missing, and checks all else itself.
fn require_sqs(structure: &Structure, members: &Map<String, Value>) -> Result<()> {
    match structure.members.iter().find(|member| member.required && !members.contains_key(member.name)) {
        Some(member) => Err(Error::client(
            "MissingRequiredParameterException",
            format!("The request must contain the parameter {}.", member.name),
        )),
        None => Ok(()),
    }
}

/// Whether a payload is the body itself, and no document in it.
fn is_bare(shape: &Shape) -> bool {
    rest::is_raw(shape) || matches!(shape.kind, Kind::String)
}

fn require_s3(operation: &OperationModel, structure: &Structure, members: &Map<String, Value>) -> Result<()> {
    let missing = structure.members.iter().find(|member| member.required && !members.contains_key(member.name));
    if let Some(member) = missing {
        let name = member.wire_name();
        return Err(match member.location {
            Some(Location::Header) => {
                Error::client("InvalidRequest", format!("Missing required header for this request: {name}"))
            }
            Some(_) => Error::client("InvalidArgument", format!("Missing required parameter: {name}"))
                .with("ArgumentName", name),
            // An empty body is a value of these.
            None if is_bare(operation.model().shape(member.shape)) => return Ok(()),
            None => Error::client("MissingRequestBodyError", "Request Body is empty"),
        });
    }
    if required_inside(operation.model(), structure, members) { Ok(()) } else { Err(malformed_xml()) }
}

/// Whether all structures that are there have what they require. Decoding has limited their depth.
fn required_inside(model: &Model, structure: &Structure, members: &Map<String, Value>) -> bool {
    // S3 takes a set of tags that is left out for an empty one, whatever its model says.
    let is_needed = |member: &Member| member.required && member.location.is_none() && member.name != "TagSet";
    let is_missing = |member: &Member| is_needed(member) && !members.contains_key(member.name);
    // By what there is: the input of a PutObject has a few of the forty members that it may have.
    let mut given = members.iter().filter_map(|(name, value)| Some((structure.member(name)?, value)));
    !structure.members.iter().any(is_missing)
        && given.all(|(member, value)| has_required(model, model.shape(member.shape), value))
}

fn has_required(model: &Model, shape: &Shape, value: &Value) -> bool {
    match (&shape.kind, value) {
        (Kind::Structure(structure), Value::Object(members)) => required_inside(model, structure, members),
        (Kind::List(element), Value::Array(values)) => {
            let shape = model.shape(element.shape);
            values.iter().all(|value| has_required(model, shape, value))
        }
        _ => true,
    }
}

fn malformed_xml() -> Error {
    super::errors::malformed(super::Protocol::RestXml, "s3", "")
}
