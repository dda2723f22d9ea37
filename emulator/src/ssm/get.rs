//! `GetParameter` and `GetParameters`: values by name, version and label.
//!
//! <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html>

use serde::{Deserialize, Serialize};

use super::names::{self, Name};
use super::secrets::{self, is_reference};
use super::store::Version;
use super::{Parameters, find, on, require_all};
use crate::cloud::{Cx, Service, Step, Target};
use crate::{Error, Result, Timestamp, kms};

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Parameters>) -> Service<Parameters> {
    service.waiting_op("GetParameter", |at, i: &GetParameter| on(at, &i.name), get).waiting_op(
        "GetParameters",
        |at, i: &GetParameters| i.names.first().map_or_else(Target::any, |name| on(at, name)),
        get_several,
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetParameter {
    name: String,
    #[serde(default)]
    with_decryption: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    parameter: Shown,
}

/// A parameter with its value, as the reading operations answer it.
#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Shown {
    pub name: String,
    pub r#type: String,
    pub value: String,
    pub version: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_result: Option<String>,
    pub last_modified_date: Timestamp,
    #[serde(rename = "ARN")]
    pub arn: String,
    pub data_type: String,
}

impl Shown {
    /// A version under the name that it was asked for by.
    pub fn of(cx: &Cx<Parameters>, name: &Name, version: &Version, in_clear: bool) -> Result<Self> {
        let arn = name.arn(cx.scope);
        may_decrypt(cx, &arn, version, in_clear)?;
        Ok(Self {
            name: name.given.clone(),
            r#type: version.kind.clone(),
            value: version.shown(&arn, in_clear),
            version: version.number,
            selector: name.selector.as_ref().map(|selector| format!(":{selector}")),
            source_result: None,
            last_modified_date: version.modified,
            data_type: version.data_type.clone(),
            arn,
        })
    }
}

/// Who reads a secret in clear must be allowed to use its key, unless that is AWS's own.
pub(super) fn may_decrypt(cx: &Cx<Parameters>, arn: &str, version: &Version, in_clear: bool) -> Result<()> {
    match version.key_arn.as_deref().filter(|_| in_clear) {
        Some(key) => cx.access().require("kms:Decrypt", &kms::through(key, "ssm", ("PARAMETER_ARN", arn))),
        None => Ok(()),
    }
}

fn get(cx: &mut Cx<Parameters>, input: &GetParameter) -> Result<Step<Found>> {
    let name = Name::of(&input.name);
    if is_reference(&name) {
        secrets::check(input.with_decryption)?;
        let Some(answers) = cx.answers()? else {
            let question = secrets::question(cx, &name);
            return cx.ask(vec![question]).map(Step::Later);
        };
        let answer = answers.into_iter().next().ok_or_else(|| Error::internal("a secret without an answer"))?;
        let parameter = secrets::shown(cx, &name, answer)?;
        return Ok(Step::Done(Found { parameter }));
    }
    name.check()?;
    let version = find(cx, &name)?.version(&name)?;
    Shown::of(cx, &name, version, input.with_decryption).map(|parameter| Step::Done(Found { parameter }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetParameters {
    names: Vec<String>,
    #[serde(default)]
    with_decryption: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct FoundSeveral {
    parameters: Vec<Shown>,
    invalid_parameters: Vec<String>,
}

fn get_several(cx: &mut Cx<Parameters>, input: &GetParameters) -> Result<Step<FoundSeveral>> {
    require_all(cx, "ssm:GetParameters", input.names.iter())?;
    let names: Vec<Name> = input.names.iter().map(|name| Name::of(name)).collect();
    for name in names.iter().filter(|name| !is_reference(name)) {
        names::Name::check(name)?;
    }
    let references: Vec<&Name> = names.iter().filter(|name| is_reference(name)).collect();
    let mut answers = Vec::new();
    if !references.is_empty() {
        secrets::check(input.with_decryption)?;
        answers = match cx.answers()? {
            Some(answers) => answers,
            None => {
                let questions = references.iter().map(|name| secrets::question(cx, name)).collect();
                return cx.ask(questions).map(Step::Later);
            }
        };
    }
    let mut answers = answers.into_iter();
    let mut found = FoundSeveral { parameters: Vec::new(), invalid_parameters: Vec::new() };
    for (name, asked) in names.iter().zip(&input.names) {
        let shown = if is_reference(name) {
            let answer = answers.next().ok_or_else(|| Error::internal("a secret without an answer"))?;
            secrets::shown(cx, name, answer)
        } else {
            find(cx, name)
                .and_then(|parameter| parameter.version(name))
                .and_then(|version| Shown::of(cx, name, version, input.with_decryption))
        };
        match shown {
            Ok(shown) => found.parameters.push(shown),
            Err(error) if matches!(error.code(), "ParameterNotFound" | "ParameterVersionNotFound") => {
                found.invalid_parameters.push(asked.clone());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Step::Done(found))
}
