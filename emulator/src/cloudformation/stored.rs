//! Templates with their parameters whose values stand in SSM's Parameter Store: read before the template is checked.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html#aws-ssm-parameter-types>

use std::collections::BTreeMap;

use serde_json::json;

use super::plan::{Parameter, given, read};
use super::source::{Source, text};
use super::stacks::role_caller;
use super::state::{Definition, Stacks};
use super::template::parameters::STORED;
use super::template::{ParameterDef, sam, validation_error};
use crate::cloud::{Answer, Caller, Cx, Later, Question};
use crate::{Error, Result};

/// `GetParameters` takes so many names.
const NAMES: usize = 10;

/// A template's text and the values by the names of Parameter Store, or what to wait for to have them.
pub(super) enum Stored {
    Known(String, BTreeMap<String, String>),
    Later(Later),
}

/// Whether a parameter's value is the name of one in Parameter Store.
pub(super) fn is_stored(def: &ParameterDef) -> bool {
    def.kind.starts_with(STORED)
}

/// Reads a template and the values that it wants of Parameter Store; these as the caller or the stack's role.
pub(super) fn stored(
    cx: &mut Cx<Stacks>,
    source: &Source,
    parameters: &[Parameter],
    previous: Option<&Definition>,
    role: Option<&str>,
) -> Result<Stored> {
    let (body, answers) = match fetched(cx, source)? {
        Fetched::Text(body, answers) => (body, answers),
        Fetched::Later(later) => return Ok(Stored::Later(later)),
    };
    // Most templates want none: they are not read twice.
    if !body.contains(STORED) {
        return Ok(Stored::Known(body, BTreeMap::new()));
    }
    if let Some(answers) = answers {
        return values(answers).map(|values| Stored::Known(body, values));
    }
    let template = sam::transform(&read(&body)?)?;
    let given = given(&template, parameters, previous)?;
    let names = template.parameters.iter().filter(|(_, def)| is_stored(def));
    let names: Vec<&String> = names.filter_map(|(name, def)| given.get(name).or(def.default.as_ref())).collect();
    if names.is_empty() {
        return Ok(Stored::Known(body, BTreeMap::new()));
    }
    let caller = reader(cx, role)?;
    let question = |names: &[&String]| Question {
        service: "ssm".to_owned(),
        operation: "GetParameters".to_owned(),
        input: json!({ "Names": names }),
        caller: caller.clone(),
        scope: None,
    };
    // Nothing is kept between the calls of an operation: the template is read again.
    let questions = source.question(cx).into_iter().chain(names.chunks(NAMES).map(question)).collect();
    cx.ask(questions).map(Stored::Later)
}

/// A template's text and what else was answered, or what to wait for.
pub(super) enum Fetched {
    Text(String, Option<Vec<Answer>>),
    Later(Later),
}

/// Reads a template.
pub(super) fn fetched(cx: &mut Cx<Stacks>, source: &Source) -> Result<Fetched> {
    let answers = cx.answers()?;
    if let Source::Text(body) = source {
        return Ok(Fetched::Text(body.clone(), answers));
    }
    let Some(answers) = answers else {
        let questions = source.question(cx).into_iter().collect();
        return cx.ask(questions).map(Fetched::Later);
    };
    let mut answers = answers.into_iter();
    let first = answers.next().ok_or_else(|| Error::internal("a template that was asked for is not there"))?;
    let rest: Vec<Answer> = answers.collect();
    Ok(Fetched::Text(text(first)?, (!rest.is_empty()).then_some(rest)))
}

fn reader(cx: &Cx<Stacks>, role: Option<&str>) -> Result<Caller> {
    match role {
        Some(role) => role_caller(cx.access(), role),
        None => Ok(cx.caller.clone()),
    }
}

fn values(answers: Vec<Answer>) -> Result<BTreeMap<String, String>> {
    let (mut values, mut missing, mut secret) = (BTreeMap::new(), Vec::new(), Vec::new());
    for answer in answers {
        let found = answer.into_result().map_err(|error| match error.status() {
            501 => error,
            _ => Error::client("ValidationError", error.message()),
        })?;
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        missing.extend(found["InvalidParameters"].as_array().into_iter().flatten().map(text));
        for parameter in found["Parameters"].as_array().into_iter().flatten() {
            let name = format!("{}{}", text(&parameter["Name"]), text(&parameter["Selector"]));
            if parameter["Type"] == "SecureString" {
                secret.push(name.clone());
            }
            values.insert(name, text(&parameter["Value"]));
        }
    }
    if !missing.is_empty() {
        let names = missing.join(", ");
        return Err(validation_error(format!(
            "Unable to fetch parameters [{names}] from parameter store for this account."
        )));
    }
    if !secret.is_empty() {
        let names = secret.join(", ");
        return Err(validation_error(format!(
            "Parameters [{names}] referenced by template have types not supported by CloudFormation."
        )));
    }
    Ok(values)
}
