//! Transforms that others carry out before a template is read: macros, which are functions of the account, and `AWS::Include`, which
//! puts in what an object holds. The deepest are carried out first, those of the template's own section last, in their order.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-macros.html>,
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-include.html>

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::lookup::{Known, pseudo};
use super::plan::{Parameter, given};
use super::source::{Source, text};
use super::state::{Definition, Stacks};
use super::template::resolve::{Resolver, Scope as Names};
use super::template::{MAX_DEPTH, SAM_TRANSFORM, Template, extensions, parameters, parse, validation_error, yaml};
use crate::cloud::{Answer, Caller, Cx, Question};
use crate::{Error, Result};

/// The type of the resources that register macros.
pub(super) const MACRO: &str = "AWS::CloudFormation::Macro";
/// The transform that AWS itself offers to every template.
const INCLUDE: &str = "AWS::Include";
/// The section that names a template's transforms.
const SECTION: &str = "Transform";
/// The function that names those of a part of a template.
const CALL: &str = "Fn::Transform";
/// How many transforms a template may have: ours, for what a macro makes may name others.
const MAX_TRANSFORMS: usize = 100;

/// A template on its way through its transforms.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Expansion {
    /// As it was sent.
    pub original: String,
    /// As it is by now.
    pub template: Value,
    /// The transforms that were carried out.
    pub done: Vec<String>,
    /// The one that is being carried out.
    pub awaited: Option<Transform>,
}

/// One transform to be carried out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Transform {
    /// The JSON pointer of the object that has the call; none: the template's own section names it.
    at: Option<String>,
    name: String,
    parameters: Map<String, Value>,
}

impl Transform {
    fn read(at: Option<String>, call: &Value) -> Result<Self> {
        let malformed = || validation_error("Key Name of transform definition must be a string.");
        match call {
            Value::String(name) => Ok(Self { at, name: name.clone(), parameters: Map::new() }),
            Value::Object(members) => {
                let name = members.get("Name").and_then(Value::as_str).ok_or_else(malformed)?.to_owned();
                let parameters = members.get("Parameters").and_then(Value::as_object).cloned().unwrap_or_default();
                Ok(Self { at, name, parameters })
            }
            _ => Err(malformed()),
        }
    }
}

/// Transforms as a list, of which there may be one or many.
fn listed(calls: &Value) -> Vec<Value> {
    match calls {
        Value::Array(calls) => calls.clone(),
        one => vec![one.clone()],
    }
}

/// Whether somebody else carries the transform out. SAM's and the language extensions are known to templates themselves.
fn is_foreign(call: &Value) -> bool {
    call.as_str().is_none_or(|name| name != SAM_TRANSFORM && name != extensions::EXTENSIONS)
}

impl Expansion {
    /// A template with transforms of others; `None` if it has none.
    ///
    /// # Errors
    /// `ValidationError` if it is no template, or a transform has no name.
    pub fn of(body: &str) -> Result<Option<Self>> {
        // Most templates have none: they are not read twice.
        if !body.contains(SECTION) {
            return Ok(None);
        }
        let template = yaml::read(body)?;
        let expansion = Self { original: body.to_owned(), template, done: Vec::new(), awaited: None };
        Ok(expansion.next()?.map(|_| expansion))
    }

    /// What is to be carried out next.
    ///
    /// # Errors
    /// `ValidationError` for a transform without a name, and for too many.
    pub fn next(&self) -> Result<Option<Transform>> {
        if self.done.len() >= MAX_TRANSFORMS {
            return Err(validation_error(format!("A template may have {MAX_TRANSFORMS} transforms.")));
        }
        if let Some((at, calls)) = deepest(&self.template, "", 0) {
            let first = listed(calls).into_iter().next().unwrap_or_default();
            return Transform::read(Some(at), &first).map(Some);
        }
        let declared = self.template.get(SECTION).map(listed).unwrap_or_default();
        declared.iter().find(|call| is_foreign(call)).map(|call| Transform::read(None, call)).transpose()
    }

    /// The part of the template that a transform may change.
    pub fn fragment(&self, transform: &Transform) -> Value {
        let (part, own) = match &transform.at {
            Some(at) => (self.template.pointer(at), CALL),
            None => (Some(&self.template), SECTION),
        };
        let mut part = part.cloned().unwrap_or_default();
        if let Value::Object(members) = &mut part {
            members.shift_remove(own);
        }
        part
    }

    /// Puts in what a transform has made.
    ///
    /// # Errors
    /// Why the stack fails, if that is no template.
    pub fn apply(&mut self, transform: &Transform, made: Value) -> std::result::Result<(), String> {
        self.done.push(transform.name.clone());
        let mut made = made;
        let (own, place) = match &transform.at {
            Some(at) => (CALL, self.template.pointer_mut(at)),
            None => (SECTION, Some(&mut self.template)),
        };
        let Some(place) = place else { return Ok(()) };
        let mut rest = place.get(own).map(listed).unwrap_or_default();
        let is_done = |call: &Value| transform.at.is_some() || is_foreign(call);
        if let Some(first) = rest.iter().position(is_done) {
            rest.remove(first);
        }
        match &mut made {
            Value::Object(members) if !rest.is_empty() => {
                members.insert(own.to_owned(), Value::Array(rest));
            }
            Value::Object(_) => {}
            _ if transform.at.is_none() => return Err("Template format error: unsupported structure.".to_owned()),
            _ => {}
        }
        *place = made;
        Ok(())
    }
}

/// The first call of which no other is inside, and the way to the object that has it.
fn deepest<'a>(value: &'a Value, at: &str, depth: usize) -> Option<(String, &'a Value)> {
    if depth > MAX_DEPTH {
        return None;
    }
    let members: Vec<(String, &Value)> = match value {
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.replace('~', "~0").replace('/', "~1"), member)).collect()
        }
        Value::Array(items) => items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect(),
        _ => return None,
    };
    let inside = members.iter().find_map(|(name, member)| deepest(member, &format!("{at}/{name}"), depth + 1));
    inside.or_else(|| value.as_object()?.get(CALL).map(|calls| (at.to_owned(), calls)))
}

/// The values of a template's parameters, and its parameters alone: all that transforms may refer to.
pub(super) struct Given {
    declared: Template,
    values: Map<String, Value>,
}

impl Given {
    /// # Errors
    /// `ValidationError` for values that do not fit.
    pub fn new(template: &Value, sent: &[Parameter], previous: Option<&Definition>) -> Result<Self> {
        let mut alone = json!({ "Resources": { "None": { "Type": "AWS::CloudFormation::WaitConditionHandle" } } });
        for section in ["Parameters", "Mappings"] {
            if let Some(members) = template.get(section) {
                alone[section] = members.clone();
            }
        }
        let declared = parse(&alone.to_string())?;
        let given = given(&declared, sent, previous)?;
        let values = parameters::values(&declared, &given, &|name| Some(name.to_owned()))?;
        Ok(Self { declared, values })
    }

    /// A transform's parameters, evaluated as far as that is possible.
    fn parameters(&self, cx: &Cx<Stacks>, stack_name: &str, transform: &Transform) -> Value {
        let pseudo = pseudo(cx.scope, stack_name, "");
        let (no_resources, no_exports, no_conditions) = (OrdMap::new(), BTreeMap::new(), BTreeMap::new());
        let known = Known::new(cx.scope, &no_resources, &no_exports);
        let names = Names {
            template: &self.declared,
            parameters: &self.values,
            pseudo: &pseudo,
            conditions: &no_conditions,
            resources: &known,
        };
        let resolver = Resolver::new(&names);
        let evaluated = |value: &Value| resolver.resolve(value).unwrap_or_else(|_| value.clone());
        transform.parameters.iter().map(|(name, value)| (name.clone(), evaluated(value))).collect()
    }
}

/// What is to be asked for a transform, or why it cannot be carried out.
pub(super) fn question(
    cx: &mut Cx<Stacks>,
    (expansion, transform): (&Expansion, &Transform),
    (stack_name, given, caller): (&str, &Given, Caller),
) -> std::result::Result<Question, String> {
    let parameters = given.parameters(cx, stack_name, transform);
    if transform.name == INCLUDE {
        let location = parameters["Location"].as_str().unwrap_or_default();
        let object = location.strip_prefix("s3://").and_then(|path| path.split_once('/'));
        let source = object.map(|(bucket, key)| Source::Object {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            version: None,
        });
        let asked = source.and_then(|source| source.question(cx));
        return asked
            .map(|asked| Question { caller, ..asked })
            .ok_or_else(|| format!("Transform {INCLUDE} failed with: The location parameter is not a valid S3 uri."));
    }
    let id = format!("{}::{}", cx.scope.account, transform.name);
    let function = function(cx.state, &transform.name).ok_or_else(|| format!("No transform named {id} found"))?;
    let event = json!({
        "accountId": &*cx.scope.account,
        "fragment": expansion.fragment(transform),
        "transformId": id,
        "requestId": cx.ids().uuid(),
        "region": &*cx.scope.region,
        "params": parameters,
        "templateParameterValues": given.values,
    });
    let input = json!({ "FunctionName": function, "Payload": STANDARD.encode(event.to_string()) });
    Ok(Question { service: "lambda".to_owned(), operation: "Invoke".to_owned(), input, caller, scope: None })
}

/// The function of a macro: some stack has registered it.
fn function(state: &Stacks, name: &str) -> Option<String> {
    let resources = state.stacks.values().filter(|stack| stack.deleted.is_none()).flat_map(|s| s.resources.values());
    let mut macros = resources.filter(|resource| resource.kind == MACRO && resource.exists());
    let found = macros.find(|resource| resource.physical_id.as_deref() == Some(name))?;
    found.properties.get("FunctionName").and_then(Value::as_str).map(str::to_owned)
}

/// What a transform has made, or why the stack fails.
pub(super) fn outcome(
    account: &str,
    (expansion, transform): (&Expansion, &Transform),
    answer: Answer,
) -> std::result::Result<Value, String> {
    let fragment = expansion.fragment(transform);
    if transform.name == INCLUDE {
        let bucket = transform.parameters.get("Location").and_then(Value::as_str).unwrap_or_default().split('/').nth(2);
        let included = included(answer, bucket).map_err(|why| format!("Transform {INCLUDE} failed with: {why}"))?;
        return Ok(merged(fragment, included, 0));
    }
    let id = format!("{account}::{}", transform.name);
    let malformed = || format!("Received malformed response from transform {id}");
    let answered = answer.into_result().map_err(|error| format!("Transform {id} failed with: {}", error.message()))?;
    if answered.get("FunctionError").is_some_and(|error| !error.is_null()) {
        return Err(malformed());
    }
    let payload = STANDARD.decode(answered["Payload"].as_str().unwrap_or_default()).map_err(|_| malformed())?;
    let payload: Value = serde_json::from_slice(&payload).map_err(|_| malformed())?;
    let status = payload.get("status").and_then(Value::as_str).ok_or_else(malformed)?;
    if !status.eq_ignore_ascii_case("success") {
        return Err(match payload.get("errorMessage").and_then(Value::as_str) {
            Some(why) => format!("Transform {id} failed with: {why}"),
            None => format!("Transform {id} failed without an error message."),
        });
    }
    payload.get("fragment").cloned().ok_or_else(malformed)
}

/// What an object holds that a template includes.
fn included(answer: Answer, bucket: Option<&str>) -> std::result::Result<Value, String> {
    if let (Answer::Refused { code, .. }, Some(bucket)) = (&answer, bucket)
        && code == "NoSuchBucket"
    {
        return Err(format!("S3 bucket [{bucket}] does not exist."));
    }
    let said = |error: Error| error.message().to_owned();
    yaml::read(&text(answer).map_err(said)?).map_err(said)
}

/// What is included beside what is there already, which it adds to.
fn merged(there: Value, included: Value, depth: usize) -> Value {
    match (there, included) {
        (Value::Object(mut there), Value::Object(included)) if depth <= MAX_DEPTH => {
            for (name, member) in included {
                let member = match there.shift_remove(&name) {
                    Some(old) => merged(old, member, depth + 1),
                    None => member,
                };
                there.insert(name, member);
            }
            Value::Object(there)
        }
        (_, included) => included,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_deepest_transform_is_first_and_the_section_last() {
        let body = json!({
            "Transform": [SAM_TRANSFORM, "Last", { "Name": "AWS::Include", "Parameters": { "Location": "s3://b/k" } }],
            "Resources": { "A": {
                "Properties": { "x/y": [{ "Fn::Transform": "Inner", "K": 1 }], "Fn::Transform": ["One", "Two"] },
            } },
        });
        let mut expansion = Expansion::of(&body.to_string()).unwrap().unwrap();
        let mut order = Vec::new();
        while let Some(next) = expansion.next().unwrap() {
            let made = merged(expansion.fragment(&next), json!({ next.name.replace(':', ""): true }), 0);
            expansion.apply(&next, made).unwrap();
            order.push(next.name);
        }
        assert_eq!(order, ["Inner", "One", "Two", "Last", "AWS::Include"]);
        assert_eq!(expansion.done, order);
        assert_eq!(
            expansion.template,
            json!({
                "Resources": { "A": { "Properties": { "x/y": [{ "K": 1, "Inner": true }], "One": true, "Two": true } } },
                "Last": true, "AWSInclude": true, "Transform": [SAM_TRANSFORM],
            })
        );
    }

    #[test]
    fn a_transform_has_a_name_and_makes_a_template() {
        let body = json!({ "Resources": { "A": { "Fn::Transform": { "Name": { "Ref": "P" } } } } });
        let error = Expansion::of(&body.to_string()).unwrap_err();
        assert_eq!(error.message(), "Key Name of transform definition must be a string.");
        let mut expansion = Expansion::of(r#"{"Transform": "M", "Resources": {}}"#).unwrap().unwrap();
        let next = expansion.next().unwrap().unwrap();
        let why = expansion.apply(&next, "text".into()).unwrap_err();
        assert_eq!(why, "Template format error: unsupported structure.");
        let only_sam = json!({ "Transform": SAM_TRANSFORM, "Resources": {} });
        assert!(Expansion::of(&only_sam.to_string()).unwrap().is_none());
    }
}
