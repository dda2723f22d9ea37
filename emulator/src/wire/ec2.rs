//! Amazon EC2's protocol: forms as in the query protocol, whose lists and names are otherwise, and answers without a wrapper.
//!
//! <https://docs.aws.amazon.com/ec2/latest/devguide/Query-Requests.html>, and for names the AWS EC2 query protocol of Smithy:
//! <https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html>

use serde_json::{Map, Value};

use super::query::{Node, is_envelope, pairs, scalar, wanted};
use super::validate::{decapitalised, violated};
use super::{rest, xml};
use crate::model::{Kind, Member, Model, OperationModel, Shape, Structure, TimestampFormat};
use crate::{Error, Result};

/// Reads the request's parameters by the input's shape.
pub(super) fn parse(
    operation: &OperationModel,
    form: &str,
    unknown: &mut Vec<String>,
) -> Result<Map<String, Value>, String> {
    let tree = Node::of(pairs(form).filter(|(name, _)| !is_envelope(name)))?;
    let Some(structure) = operation.input_shape().and_then(Shape::structure) else { return Ok(Map::new()) };
    read_structure(operation.model(), structure, &tree, "", unknown)
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
        let name = member.form_name();
        let Some(child) = node.children.get(&*name) else { continue };
        let path = join(path, &name);
        members.insert(member.name.to_owned(), read(model, model.shape(member.shape), member, child, &path, unknown)?);
        used.push(name);
    }
    if used.len() < node.children.len() {
        let strangers = node.children.keys().filter(|name| !used.iter().any(|used| used == *name));
        unknown.extend(strangers.map(|name| join(path, name)));
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
            let shape = model.shape(element.shape);
            node.numbered().into_iter().map(|node| read(model, shape, element, node, path, unknown)).collect()
        }
        Kind::Map(..) => Err(format!("{path} is a map, which the protocol does not have")),
        _ => {
            let text = node.value.as_deref().unwrap_or("");
            scalar(shape, member, text, TimestampFormat::Iso8601)
                .ok_or_else(|| format!("Value ({text}) for parameter {path} is invalid. It is not {}", wanted(shape)))
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// The body of a successful answer. What the model has no output for answers that it was done.
pub(super) fn write(operation: &OperationModel, output: &Value, request_id: &str) -> Result<String, String> {
    let (model, name) = (operation.model(), operation.name);
    let mut out = format!("{}<{name}Response xmlns=\"{}/\"><requestId>", xml::HEAD, rest::namespace(model));
    xml::escape(&mut out, request_id);
    out.push_str("</requestId>");
    let empty = Map::new();
    match operation.output_shape().and_then(Shape::structure) {
        Some(structure) => xml::write_members(&mut out, model, structure, output.as_object().unwrap_or(&empty))?,
        None => out.push_str("<return>true</return>"),
    }
    out.extend(["</", name, "Response>"]);
    Ok(out)
}

/// The body of an error.
/// <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-error-response.html>
pub(super) fn error(code: &str, message: &str, request_id: &str) -> Vec<u8> {
    let mut out = format!("{}<Response><Errors><Error><Code>", xml::HEAD);
    xml::escape(&mut out, code);
    out.push_str("</Code><Message>");
    xml::escape(&mut out, message);
    out.push_str("</Message></Error></Errors><RequestID>");
    xml::escape(&mut out, request_id);
    out.push_str("</RequestID></Response>");
    out.into_bytes()
}

/// EC2 names the first parameter that is missing, or that is not as its model has it.
pub(super) fn validate(operation: &OperationModel, structure: &Structure, members: &Map<String, Value>) -> Result<()> {
    for member in &structure.members {
        let shape = operation.model().shape(member.shape);
        match members.get(member.name).filter(|value| !value.is_null()) {
            None if member.required => {
                let text = format!("The request must contain the parameter {}", decapitalised(member.name));
                return Err(Error::client("MissingParameter", text));
            }
            None => {}
            Some(value) => check(operation.model(), shape, value, member.name)?,
        }
    }
    Ok(())
}

/// Decoding has limited the depth of a value.
fn check(model: &Model, shape: &Shape, value: &Value, name: &str) -> Result<()> {
    match (&shape.kind, value) {
        (Kind::Structure(structure), Value::Object(members)) => {
            members.iter().try_for_each(|(name, value)| match structure.member(name) {
                Some(member) => check(model, model.shape(member.shape), value, name),
                None => Ok(()),
            })
        }
        (Kind::List(element), Value::Array(values)) => {
            values.iter().try_for_each(|value| check(model, model.shape(element.shape), value, name))
        }
        (_, value) if !violated(shape, value).is_empty() => {
            let name = decapitalised(name);
            let text = match (value, shape.min) {
                (Value::Number(number), Some(min)) if number.as_i64().is_some_and(|number| number < min) => {
                    format!("Value ( {number} ) for parameter {name} is invalid. Expecting a value greater than {min}.")
                }
                (Value::Number(number), _) => format!("Value ( {number} ) for parameter {name} is invalid."),
                (value, _) => format!(
                    "Value ({}) for parameter {name} is invalid.",
                    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
                ),
            };
            Err(Error::client("InvalidParameterValue", text))
        }
        _ => Ok(()),
    }
}
