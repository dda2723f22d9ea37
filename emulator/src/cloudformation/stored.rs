//! Templates with their parameters whose values stand in SSM's Parameter Store: read before the template is checked.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html#aws-ssm-parameter-types>

use std::collections::BTreeMap;

use serde_json::json;

use super::capabilities;
use super::macros::{self, Expansion, Given};
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

/// So many templates may be on their way through transforms. An operation that is broken off leaves its own behind.
const KEPT: usize = 64;

/// A template's text.
#[derive(Clone, Debug, Default)]
pub(super) struct Body {
    /// As it was sent.
    pub original: String,
    /// As the transforms of others have made it.
    pub expanded: Option<String>,
    /// Those transforms.
    pub transforms: Vec<String>,
}

impl Body {
    /// What is to be read.
    pub fn text(&self) -> &str {
        self.expanded.as_deref().unwrap_or(&self.original)
    }
}

/// A template's text and the values by the names of Parameter Store, or what to wait for to have them.
pub(super) enum Stored {
    Known(Body, BTreeMap<String, String>),
    /// A transform failed for this reason.
    Failed(Body, String),
    Later(Later),
}

/// What a template is read for.
pub(super) struct Reader<'a> {
    /// The stack's name.
    pub stack_name: &'a str,
    pub parameters: &'a [Parameter],
    pub previous: Option<&'a Definition>,
    pub role: Option<&'a str>,
    /// What was acknowledged, where macros need that: not in change sets, which show what comes of them.
    pub acknowledged: Option<&'a [String]>,
}

/// Whether a parameter's value is the name of one in Parameter Store.
pub(super) fn is_stored(def: &ParameterDef) -> bool {
    def.kind.starts_with(STORED)
}

/// Reads a template, has its transforms carried out, and reads the values that it wants of Parameter Store; all as the caller or
/// the stack's role.
pub(super) fn stored(cx: &mut Cx<Stacks>, source: &Source, reader: &Reader<'_>) -> Result<Stored> {
    let token = cx.resumed().map(|resumed| resumed.token.clone());
    if let Some(expansion) = token.and_then(|token| cx.state.expansions.remove(&token)) {
        let answers = cx.answers()?.unwrap_or_default();
        return resumed(cx, expansion, answers, reader);
    }
    let (body, answers) = match fetched(cx, source)? {
        Fetched::Text(body, answers) => (body, answers),
        Fetched::Later(later) => return Ok(Stored::Later(later)),
    };
    if answers.is_none()
        && let Some(expansion) = Expansion::of(&body)?
    {
        return expand(cx, expansion, reader);
    }
    let known = |body, values| Stored::Known(Body { original: body, ..Body::default() }, values);
    if let Some(answers) = answers {
        return values(answers).map(|values| known(body, values));
    }
    let wanted = wanted(cx, &body, reader)?;
    if wanted.is_empty() {
        return Ok(known(body, BTreeMap::new()));
    }
    // Nothing is kept between the calls of an operation: the template is read again.
    let questions = source.question(cx).into_iter().chain(wanted).collect();
    cx.ask(questions).map(Stored::Later)
}

/// What a template wants of Parameter Store.
fn wanted(cx: &Cx<Stacks>, body: &str, reader: &Reader<'_>) -> Result<Vec<Question>> {
    // Most templates want nothing: they are not read twice.
    if !body.contains(STORED) {
        return Ok(Vec::new());
    }
    let template = sam::transform(&read(body)?)?;
    let given = given(&template, reader.parameters, reader.previous)?;
    let names = template.parameters.iter().filter(|(_, def)| is_stored(def));
    let names: Vec<&String> = names.filter_map(|(name, def)| given.get(name).or(def.default.as_ref())).collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let caller = caller(cx, reader.role)?;
    let question = |names: &[&String]| Question {
        service: "ssm".to_owned(),
        operation: "GetParameters".to_owned(),
        input: json!({ "Names": names }),
        caller: caller.clone(),
        scope: None,
    };
    Ok(names.chunks(NAMES).map(question).collect())
}

/// Has the transforms of a template carried out, one after another.
fn expand(cx: &mut Cx<Stacks>, mut expansion: Expansion, reader: &Reader<'_>) -> Result<Stored> {
    if let Some(next) = expansion.next()? {
        capabilities::check_expansion(reader.acknowledged)?;
        let given = Given::new(&expansion.template, reader.parameters, reader.previous)?;
        let caller = caller(cx, reader.role)?;
        let asked = macros::question(cx, (&expansion, &next), (reader.stack_name, &given, caller));
        expansion.awaited = Some(next);
        return match asked {
            Ok(question) => keep(cx, expansion, vec![question]),
            Err(why) => Ok(failed(expansion, why)),
        };
    }
    let text = expansion.template.to_string();
    let wanted = wanted(cx, &text, reader)?;
    if wanted.is_empty() { Ok(Stored::Known(expansion.body(), BTreeMap::new())) } else { keep(cx, expansion, wanted) }
}

/// Goes on with a template for which something was asked.
fn resumed(cx: &mut Cx<Stacks>, mut expansion: Expansion, answers: Vec<Answer>, reader: &Reader<'_>) -> Result<Stored> {
    let Some(transform) = expansion.awaited.take() else {
        return values(answers).map(|values| Stored::Known(expansion.body(), values));
    };
    let answer = answers.into_iter().next().ok_or_else(|| Error::internal("a transform was not answered"))?;
    let made = macros::outcome(&cx.scope.account, (&expansion, &transform), answer);
    match made.and_then(|made| expansion.apply(&transform, made)) {
        Ok(()) => expand(cx, expansion, reader),
        Err(why) => Ok(failed(expansion, why)),
    }
}

fn failed(expansion: Expansion, why: String) -> Stored {
    Stored::Failed(Body { original: expansion.original, ..Body::default() }, why)
}

fn keep(cx: &mut Cx<Stacks>, expansion: Expansion, questions: Vec<Question>) -> Result<Stored> {
    let later = cx.ask(questions)?;
    let kept = &mut cx.state.expansions;
    if kept.len() >= KEPT {
        let oldest = kept.get_min().map(|(token, _)| token.clone());
        oldest.and_then(|oldest| kept.remove(&oldest));
    }
    kept.insert(later.token.clone(), expansion);
    Ok(Stored::Later(later))
}

impl Expansion {
    fn body(self) -> Body {
        let expanded = Some(self.template.to_string());
        Body { original: self.original, expanded, transforms: self.done }
    }
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

fn caller(cx: &Cx<Stacks>, role: Option<&str>) -> Result<Caller> {
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
