//! `PutParameter`: makes a parameter, or a new version of one.
//!
//! <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html>

use imbl::{OrdMap, Vector};
use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::names::Name;
use super::policies::{self, Policy};
use super::store::{ADVANCED_TIER, DEFAULT_KEY, LIST, Parameter, SECRET, STANDARD_TIER, Version};
use super::tags::{self, Tag};
use super::{Parameters, on, validation};
use crate::cloud::{Call, Caller, Cx, Later, Question, Service, Step};
use crate::{Error, Result, kms};

/// How many versions of a parameter are kept.
const VERSIONS: usize = 100;
/// The longest values of the tiers, in bytes.
const STANDARD_VALUE: usize = 4096;
const ADVANCED_VALUE: usize = 8192;
/// How many standard parameters an account has in a region, and how many advanced ones.
/// <https://docs.aws.amazon.com/general/latest/gr/ssm.html#limits_ssm>
const STANDARD_PARAMETERS: usize = 10_000;
const ADVANCED_PARAMETERS: usize = 100_000;
/// The tier that AWS chooses by what a parameter needs.
const INTELLIGENT: &str = "Intelligent-Tiering";
/// Types of data whose values AWS looks up elsewhere.
const LOOKED_UP: [&str; 2] = ["aws:ec2:image", "aws:ssm:integration"];

/// Adds the operation of this file.
pub(super) fn operations(service: Service<Parameters>) -> Service<Parameters> {
    service.waiting_op(
        "PutParameter",
        |at, i: &PutParameter| {
            let target = on(at, &i.name).context("ssm:Overwrite", i.overwrite.to_string());
            tags::requested(target, &i.tags)
        },
        put,
    )
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutParameter {
    name: String,
    description: Option<String>,
    value: String,
    r#type: Option<String>,
    key_id: Option<String>,
    #[serde(default)]
    overwrite: bool,
    allowed_pattern: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
    tier: Option<String>,
    policies: Option<String>,
    data_type: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Written {
    version: i64,
    tier: String,
}

fn put(cx: &mut Cx<Parameters>, input: &PutParameter) -> Result<Step<Written>> {
    let name = Name::of(&input.name);
    if input.name.starts_with("arn:") {
        return Err(validation(
            "Parameter name: can't be an ARN. Specify the name of the parameter without the ARN in front of it.",
        ));
    }
    name.check_new(cx.scope)?;
    let old = cx.state.parameters.get(&name.key).cloned();
    let mut version = check(cx, &name, input, old.as_ref())?;
    if let Some(wait) = ask_for_key(cx, &name, &mut version)? {
        return Ok(Step::Later(wait));
    }
    let mut parameter = match old {
        Some(old) => old,
        None => {
            let mut own = OrdMap::new();
            tags::add(&mut own, &input.tags)?;
            Parameter { name: name.given.clone(), versions: Vector::new(), tags: own }
        }
    };
    if parameter.versions.len() >= VERSIONS {
        drop_oldest(&mut parameter)?;
    }
    let answer = Written { version: version.number, tier: version.tier.clone() };
    policies::plan(cx, &name.key, &version.policies);
    parameter.versions.push_back(version);
    cx.state.parameters.insert(name.key, parameter);
    Ok(Step::Done(answer))
}

/// Checks a request and makes the version of it. What it leaves out stays as it was.
fn check(cx: &Cx<Parameters>, name: &Name, input: &PutParameter, old: Option<&Parameter>) -> Result<Version> {
    if input.overwrite && !input.tags.is_empty() {
        return Err(validation(
            "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove \
             overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or \
             RemoveTagsFromResource.",
        ));
    }
    if old.is_some() && !input.overwrite {
        return Err(Error::client(
            "ParameterAlreadyExists",
            "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
        ));
    }
    let before = old.map(Parameter::latest).transpose()?;
    let kind = kind(input, before)?;
    check_data_type(input)?;
    if kind != SECRET && input.key_id.is_some() {
        return Err(validation("KeyId is required for SecureString type parameter only."));
    }
    let allowed_pattern = input.allowed_pattern.clone().or_else(|| before?.allowed_pattern.clone());
    if let Some(pattern) = allowed_pattern.as_deref().filter(|pattern| !pattern.is_empty()) {
        check_pattern(pattern, &kind, &input.value)?;
    }
    let policies = match &input.policies {
        Some(text) => policies::read(text, cx.now)?,
        None => before.map(|before| before.policies.clone()).unwrap_or_default(),
    };
    let tier = tier(cx, input, before, &policies)?;
    let key_id = (kind == SECRET).then(|| {
        let kept = || before.and_then(|before| before.key_id.clone());
        input.key_id.clone().or_else(kept).unwrap_or_else(|| DEFAULT_KEY.to_owned())
    });
    if old.is_none() {
        check_number(cx, &tier, name)?;
    }
    Ok(Version {
        number: before.map_or(1, |before| before.number + 1),
        kind,
        value: input.value.clone(),
        key_id,
        key_arn: None,
        description: input.description.clone().or_else(|| before?.description.clone()),
        allowed_pattern,
        tier,
        data_type: "text".to_owned(),
        policies,
        modified: cx.now,
        modified_by: cx.caller.principal.arn(),
        labels: Vec::new(),
    })
}

/// The type, which a parameter keeps.
fn kind(input: &PutParameter, before: Option<&Version>) -> Result<String> {
    match (&input.r#type, before) {
        (Some(kind), Some(before)) if *kind != before.kind => Err(Error::client(
            "HierarchyTypeMismatchException",
            "Parameter Store doesn't support changing a parameter type in a hierarchy. For example, you can't change a \
             parameter from a String type to a SecureString type. You must create a new, unique parameter.",
        )),
        (Some(kind), _) => Ok(kind.clone()),
        (None, Some(before)) => Ok(before.kind.clone()),
        (None, None) => Err(validation("A parameter type is required when you create a parameter.")),
    }
}

fn check_data_type(input: &PutParameter) -> Result<()> {
    match input.data_type.as_deref() {
        None | Some("text") => Ok(()),
        Some(other) if LOOKED_UP.contains(&other) => {
            Err(Error::not_implemented(format!("parameters of the data type {other}")))
        }
        Some(other) => Err(validation(format!(
            "The following data type is not supported: {other} (Data type names are all lowercase.)"
        ))),
    }
}

/// Each item of a list is looked at by itself.
fn check_pattern(pattern: &str, kind: &str, value: &str) -> Result<()> {
    // Java knows look-around and back references, which are not to be had here.
    let is_known_elsewhere = ["(?=", "(?!", "(?<", "\\1"].iter().any(|part| pattern.contains(part));
    let whole = Regex::new(&format!(r"\A(?:{pattern})\z")).map_err(|_| {
        if is_known_elsewhere {
            return Error::not_implemented(format!("the AllowedPattern {pattern} (look-around and back references)"));
        }
        Error::client("InvalidAllowedPatternException", "The request does not meet the regular expression requirement.")
    })?;
    let fits = if kind == LIST { value.split(',').all(|item| whole.is_match(item)) } else { whole.is_match(value) };
    if fits {
        return Ok(());
    }
    let text = format!("Parameter value, cannot be validated against allowedPattern: {pattern}");
    Err(Error::client("ParameterPatternMismatchException", text))
}

/// The tier that the parameter gets. Once advanced, it stays so.
fn tier(cx: &Cx<Parameters>, input: &PutParameter, before: Option<&Version>, policies: &[Policy]) -> Result<String> {
    let was_advanced = before.is_some_and(|before| before.tier == ADVANCED_TIER);
    let size = input.value.len();
    let tier = match input.tier.as_deref() {
        Some(INTELLIGENT) => {
            let full = before.is_none() && count(cx, STANDARD_TIER) >= STANDARD_PARAMETERS;
            let needs_more = size > STANDARD_VALUE || !policies.is_empty() || was_advanced || full;
            if needs_more { ADVANCED_TIER } else { STANDARD_TIER }
        }
        Some(STANDARD_TIER) if was_advanced => {
            return Err(validation(
                "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the \
                 advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced \
                 parameter and recreate it as a standard parameter.",
            ));
        }
        Some(tier) => tier,
        None if was_advanced => ADVANCED_TIER,
        None => STANDARD_TIER,
    };
    if tier == STANDARD_TIER && size > STANDARD_VALUE {
        return Err(validation(format!(
            "Standard tier parameters support a maximum parameter value of {STANDARD_VALUE} characters. To create a larger \
             parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, see \
             https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"
        )));
    }
    if size > ADVANCED_VALUE {
        return Err(validation(format!(
            "Advanced tier parameters support a maximum parameter value of {ADVANCED_VALUE} characters."
        )));
    }
    if tier == STANDARD_TIER && !policies.is_empty() {
        return Err(validation(
            "Parameter policies are supported for parameters of the advanced-parameter tier only. For more information, see \
             https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-policies.html",
        ));
    }
    Ok(tier.to_owned())
}

/// Looks at all parameters only where there could be too many.
fn count(cx: &Cx<Parameters>, tier: &str) -> usize {
    let all = &cx.state.parameters;
    if all.len() < STANDARD_PARAMETERS {
        return all.len();
    }
    all.values().filter(|parameter| parameter.latest().is_ok_and(|version| version.tier == tier)).count()
}

fn check_number(cx: &Cx<Parameters>, tier: &str, name: &Name) -> Result<()> {
    let limit = if tier == STANDARD_TIER { STANDARD_PARAMETERS } else { ADVANCED_PARAMETERS };
    if cx.state.parameters.len() < limit || count(cx, tier) < limit {
        return Ok(());
    }
    let text = format!(
        "You have exceeded the number of parameters for this AWS account: there is no room for {}. Delete one or more \
         parameters and try again.",
        name.given
    );
    Err(Error::client("ParameterLimitExceeded", text))
}

/// Makes room for another version.
fn drop_oldest(parameter: &mut Parameter) -> Result<()> {
    if let Some(oldest) = parameter.versions.front().filter(|oldest| !oldest.labels.is_empty()) {
        let text = format!(
            "You attempted to create a new version of {} by calling the PutParameter API with the overwrite flag. Version {}, \
             the oldest version, can't be deleted because it has a label associated with it. Move the label to another \
             version of the parameter, and try again.",
            parameter.name, oldest.number
        );
        return Err(Error::client("ParameterMaxVersionLimitExceeded", text));
    }
    parameter.versions.pop_front();
    Ok(())
}

/// A key of one's own must be there: KMS is asked first. That which AWS manages is made when it is first needed.
fn ask_for_key(cx: &mut Cx<Parameters>, name: &Name, version: &mut Version) -> Result<Option<Later>> {
    let Some(key) = &version.key_id else { return Ok(None) };
    let caller = Caller::service("ssm.amazonaws.com");
    let input = json!({ "KeyId": key });
    if key == DEFAULT_KEY {
        cx.emit(Call::new("kms", "DescribeKey", caller, cx.scope.clone(), input));
        return Ok(None);
    }
    let Some(answers) = cx.answers()? else {
        let question = Question { service: "kms".into(), operation: "DescribeKey".into(), input, caller, scope: None };
        return cx.ask(vec![question]).map(Some);
    };
    let invalid = |message: String| Error::client("InvalidKeyId", message);
    let action = if version.tier == ADVANCED_TIER { "kms:GenerateDataKey" } else { "kms:Encrypt" };
    for answer in answers {
        let described = answer.into_result().map_err(|error| match error.code() {
            "NotFoundException" => invalid(error.message().to_owned()),
            _ => error,
        })?;
        let metadata = &described["KeyMetadata"];
        let arn = metadata["Arn"].as_str().unwrap_or_default();
        match metadata["KeyState"].as_str() {
            Some("Enabled") => {
                let parameter = name.arn(cx.scope);
                cx.access().require(action, &kms::through(arn, "ssm", ("PARAMETER_ARN", &parameter)))?;
            }
            Some("Disabled") => return Err(invalid(format!("{arn} is disabled."))),
            _ => return Err(invalid(format!("{arn} is pending deletion."))),
        }
        version.key_arn = Some(arn.to_owned());
    }
    Ok(None)
}
