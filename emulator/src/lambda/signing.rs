//! Code signing configurations: which publishers' code a function takes, and what becomes of other code. There is no AWS Signer
//! here, so no code is signed: a configuration that enforces it refuses every deployment, one that warns lets it pass.
//! <https://docs.aws.amazon.com/lambda/latest/dg/configuration-codesigning.html>

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::configuration::last_modified;
use super::functions::find_mut;
use super::versions::PAGE;
use super::{Functions, on};
use crate::cloud::{Cx, Service, Target};
use crate::{Error, Result};

/// The length of what follows `csc-` in an id: so the model's pattern says.
const ID_LENGTH: usize = 17;
/// The policies of a configuration that says nothing, and the one that refuses code.
const WARN: &str = "Warn";
const ENFORCE: &str = "Enforce";

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Functions>) -> Service<Functions> {
    service
        .op("CreateCodeSigningConfig", |_, _: &Create| Target::any(), create)
        .op("GetCodeSigningConfig", |_, i: &OfConfig| Target::on(&i.code_signing_config_arn), get)
        .op("UpdateCodeSigningConfig", |_, i: &Update| Target::on(&i.code_signing_config_arn), update)
        .op("DeleteCodeSigningConfig", |_, i: &OfConfig| Target::on(&i.code_signing_config_arn), delete)
        .op("ListCodeSigningConfigs", |_, _: &List| Target::any(), list)
        .op("ListFunctionsByCodeSigningConfig", |_, i: &ListUsers| Target::on(&i.code_signing_config_arn), users)
        .op("PutFunctionCodeSigningConfig", |at, i: &Put| on(at, &i.function_name), put)
        .op("GetFunctionCodeSigningConfig", |at, i: &OfFunction| on(at, &i.function_name), of_function)
        .op("DeleteFunctionCodeSigningConfig", |at, i: &OfFunction| on(at, &i.function_name), remove)
}

/// `CodeSigningConfig` of the Lambda API.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CodeSigningConfig {
    code_signing_config_id: String,
    code_signing_config_arn: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    allowed_publishers: Publishers,
    code_signing_policies: Policies,
    last_modified: String,
}

/// A configuration, with its tags.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    shown: CodeSigningConfig,
    pub tags: OrdMap<String, String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Publishers {
    signing_profile_version_arns: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Policies {
    #[serde(default = "warn")]
    untrusted_artifact_on_deployment: String,
}

fn warn() -> String {
    WARN.to_owned()
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    code_signing_config: CodeSigningConfig,
}

/// Whether an ARN is that of a configuration.
pub(super) fn is_config(arn: &str) -> bool {
    arn.contains(":code-signing-config:")
}

/// What most operations answer of one that is not there.
pub(super) fn find<'a>(cx: &'a mut Cx<Functions>, arn: &str) -> Result<&'a mut Kept> {
    let text = format!("The Lambda code signing configuration {arn} can not be found.");
    let missing = Error::new(404, "ResourceNotFoundException", text).with("Type", Value::Null);
    cx.state.signing.get_mut(arn).ok_or(missing)
}

/// Whether a function with this configuration takes code, none of which is signed here.
///
/// # Errors
/// If there is no such configuration, or it enforces signatures.
pub(super) fn check(cx: &Cx<Functions>, arn: Option<&str>) -> Result<()> {
    let Some(arn) = arn else { return Ok(()) };
    let config = cx.state.signing.get(arn).ok_or_else(|| unknown(arn))?;
    if config.shown.code_signing_policies.untrusted_artifact_on_deployment != ENFORCE {
        return Ok(());
    }
    let text = "The code signature failed one or more of the validation checks for signature mismatch or expiry, and the code \
                signing policy is set to ENFORCE. Lambda blocks the deployment.";
    Err(Error::client("CodeVerificationFailedException", text).with("Type", "User"))
}

/// What the operations of functions answer of a configuration that is not there.
fn unknown(arn: &str) -> Error {
    let text = format!(
        "The code signing configuration cannot be found. Check that the provided configuration is not deleted: {arn}."
    );
    Error::new(404, "CodeSigningConfigNotFoundException", text).with("Type", "User")
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    description: Option<String>,
    allowed_publishers: Publishers,
    code_signing_policies: Option<Policies>,
    #[serde(default)]
    tags: OrdMap<String, String>,
}

fn create(cx: &mut Cx<Functions>, input: Create) -> Result<Shown> {
    super::tags::check_number(&input.tags)?;
    let id = format!("csc-{}", cx.ids().hex(ID_LENGTH));
    let arn = cx.scope.arn("lambda", format_args!("code-signing-config:{id}"));
    let config = CodeSigningConfig {
        code_signing_config_id: id,
        code_signing_config_arn: arn.clone(),
        description: input.description,
        allowed_publishers: input.allowed_publishers,
        code_signing_policies: input
            .code_signing_policies
            .unwrap_or(Policies { untrusted_artifact_on_deployment: warn() }),
        last_modified: last_modified(cx.now),
    };
    cx.state.signing.insert(arn, Kept { shown: config.clone(), tags: input.tags });
    Ok(Shown { code_signing_config: config })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfConfig {
    code_signing_config_arn: String,
}

fn get(cx: &mut Cx<Functions>, input: OfConfig) -> Result<Shown> {
    Ok(Shown { code_signing_config: find(cx, &input.code_signing_config_arn)?.shown.clone() })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Update {
    code_signing_config_arn: String,
    description: Option<String>,
    allowed_publishers: Option<Publishers>,
    code_signing_policies: Option<Policies>,
}

fn update(cx: &mut Cx<Functions>, input: Update) -> Result<Shown> {
    let now = last_modified(cx.now);
    let config = &mut find(cx, &input.code_signing_config_arn)?.shown;
    config.description = input.description.or_else(|| config.description.take());
    if let Some(publishers) = input.allowed_publishers {
        config.allowed_publishers = publishers;
    }
    if let Some(policies) = input.code_signing_policies {
        config.code_signing_policies = policies;
    }
    config.last_modified = now;
    Ok(Shown { code_signing_config: config.clone() })
}

/// The ARNs of the functions that have a configuration.
fn functions_with<'a>(state: &'a Functions, config: &'a str) -> impl Iterator<Item = (&'a String, &'a String)> {
    let with = state.functions.iter().filter(move |(_, function)| function.signing.as_deref() == Some(config));
    with.map(|(name, function)| (name, &function.configuration.function_arn))
}

fn delete(cx: &mut Cx<Functions>, input: OfConfig) -> Result<()> {
    let arn = input.code_signing_config_arn;
    find(cx, &arn)?;
    if functions_with(cx.state, &arn).next().is_some() {
        // The condition is of AWS's page; its text is not known.
        let text = format!("The Lambda code signing configuration {arn} is used by functions and can not be deleted.");
        return Err(Error::new(409, "ResourceConflictException", text).with("Type", "User"));
    }
    cx.state.signing.remove(&arn);
    cx.answer_status(204);
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    marker: Option<String>,
    max_items: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Configs {
    code_signing_configs: Vec<CodeSigningConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

fn list(cx: &mut Cx<Functions>, input: List) -> Result<Configs> {
    let size = input.max_items.unwrap_or(PAGE).min(PAGE);
    let mut left = cx.state.signing.range(input.marker.unwrap_or_default()..);
    let code_signing_configs = left.by_ref().take(size).map(|(_, config)| config.shown.clone()).collect();
    Ok(Configs { code_signing_configs, next_marker: left.next().map(|(arn, _)| arn.clone()) })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListUsers {
    code_signing_config_arn: String,
    marker: Option<String>,
    max_items: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Users {
    function_arns: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

fn users(cx: &mut Cx<Functions>, input: ListUsers) -> Result<Users> {
    find(cx, &input.code_signing_config_arn)?;
    let size = input.max_items.unwrap_or(PAGE).min(PAGE);
    let from = input.marker.unwrap_or_default();
    let mut left = functions_with(cx.state, &input.code_signing_config_arn).filter(|(name, _)| **name >= from);
    let function_arns = left.by_ref().take(size).map(|(_, arn)| arn.clone()).collect();
    Ok(Users { function_arns, next_marker: left.next().map(|(name, _)| name.clone()) })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    function_name: String,
    code_signing_config_arn: String,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct OfFunctionOutput {
    #[serde(skip_serializing_if = "Option::is_none")]
    code_signing_config_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_name: Option<String>,
}

/// What the function runs already stays as it is.
fn put(cx: &mut Cx<Functions>, input: Put) -> Result<OfFunctionOutput> {
    let arn = input.code_signing_config_arn;
    if !cx.state.signing.contains_key(&arn) {
        return Err(unknown(&arn));
    }
    let function = find_mut(cx, &input.function_name)?;
    function.signing = Some(arn.clone());
    let function_name = Some(function.configuration.function_name.clone());
    Ok(OfFunctionOutput { code_signing_config_arn: Some(arn), function_name })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfFunction {
    function_name: String,
}

/// Of a function without a configuration, AWS answers nothing. Who looks, as Terraform does after each creation, learns that.
fn of_function(cx: &mut Cx<Functions>, input: OfFunction) -> Result<OfFunctionOutput> {
    let function = find_mut(cx, &input.function_name)?;
    let Some(arn) = function.signing.clone() else { return Ok(OfFunctionOutput::default()) };
    let function_name = Some(function.configuration.function_name.clone());
    Ok(OfFunctionOutput { code_signing_config_arn: Some(arn), function_name })
}

fn remove(cx: &mut Cx<Functions>, input: OfFunction) -> Result<()> {
    find_mut(cx, &input.function_name)?.signing = None;
    cx.answer_status(204);
    Ok(())
}
