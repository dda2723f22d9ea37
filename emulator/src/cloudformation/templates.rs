//! Questions about templates: those of stacks, and those that may become one.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::plan::read;
use super::stacks::no_template;
use super::state::Stacks;
use super::template::{ParameterDef, Template, dependencies, sam, validation_error};
use super::{capabilities, change_sets};
use crate::cloud::Cx;
use crate::{Error, Result};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetTemplate {
    pub stack_name: Option<String>,
    change_set_name: Option<String>,
    template_stage: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetTemplateOutput {
    template_body: String,
    stages_available: Vec<&'static str>,
}

pub(super) fn get(cx: &mut Cx<Stacks>, input: GetTemplate) -> Result<GetTemplateOutput> {
    let definition = match (&input.change_set_name, &input.stack_name) {
        (Some(name), stack) => change_sets::find(cx.state, name, stack.as_deref())?.definition.clone(),
        (None, Some(name)) => {
            let stack =
                cx.state.find(name).ok_or_else(|| validation_error(format!("Stack with id {name} does not exist")))?;
            stack.definition.clone()
        }
        (None, None) => return Err(validation_error("StackName is required if ChangeSetName is not specified.")),
    };
    if input.template_stage.as_deref() == Some("Processed") && !definition.transforms.is_empty() {
        return Err(Error::not_implemented("templates after their transforms (TemplateStage=Processed)"));
    }
    Ok(GetTemplateOutput { template_body: definition.body.clone(), stages_available: vec!["Original", "Processed"] })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetTemplateSummary {
    pub stack_name: Option<String>,
    template_body: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Summary {
    parameters: Vec<Declaration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    capabilities: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capabilities_reason: Option<String>,
    resource_types: Vec<String>,
    version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    declared_transforms: Vec<String>,
}

/// `ParameterDeclaration` of the API.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Declaration {
    parameter_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_value: Option<String>,
    parameter_type: String,
    no_echo: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    parameter_constraints: Constraints,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Constraints {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allowed_values: Vec<String>,
}

pub(super) fn summary(cx: &mut Cx<Stacks>, input: GetTemplateSummary) -> Result<Summary> {
    let body = match (input.template_body, &input.stack_name) {
        (Some(body), None) => body,
        (None, Some(name)) => cx.state.get(name)?.definition.body.clone(),
        _ => return Err(validation_error("Either Template URL, Template Body or Stack name must be specified.")),
    };
    let template = read(&body)?;
    let (capabilities, capabilities_reason) = needs(&template);
    let mut resource_types: Vec<String> = Vec::new();
    for (_, resource) in &template.resources {
        if !resource_types.contains(&resource.kind) {
            resource_types.push(resource.kind.clone());
        }
    }
    Ok(Summary {
        parameters: template.parameters.iter().map(declaration).collect(),
        description: template.description,
        capabilities,
        capabilities_reason,
        resource_types,
        version: "2010-09-09",
        metadata: template.metadata.as_ref().map(Value::to_string),
        declared_transforms: template.transforms,
    })
}

fn declaration((name, def): &(String, ParameterDef)) -> Declaration {
    Declaration {
        parameter_key: name.clone(),
        default_value: def.default.clone(),
        parameter_type: def.kind.clone(),
        no_echo: def.no_echo,
        description: def.description.clone(),
        parameter_constraints: Constraints { allowed_values: def.allowed_values.clone() },
    }
}

/// What a template needs acknowledged, and why. A transform is not run for it, for its code may not be packaged yet.
fn needs(template: &Template) -> (Vec<String>, Option<String>) {
    let iam = capabilities::needed(template);
    let mut needed: Vec<String> = iam.iter().map(|(capability, _)| (*capability).to_owned()).collect();
    if !template.transforms.is_empty() {
        needed.push("CAPABILITY_AUTO_EXPAND".to_owned());
    }
    let reason =
        iam.map(|(_, types)| format!("The following resource(s) require capabilities: [{}]", types.join(", ")));
    (needed, reason)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ValidateTemplate {
    template_body: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Validated {
    parameters: Vec<TemplateParameter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    capabilities: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capabilities_reason: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    declared_transforms: Vec<String>,
}

/// `TemplateParameter` of the API.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TemplateParameter {
    parameter_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_value: Option<String>,
    no_echo: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

/// AWS does not run transforms here, so references into what they make are not checked either.
pub(super) fn validate(_: &mut Cx<Stacks>, input: ValidateTemplate) -> Result<Validated> {
    let template = read(&input.template_body.ok_or_else(no_template)?)?;
    if template.transforms.is_empty() {
        let plain = sam::transform(&template)?;
        dependencies::check(&plain)?;
        dependencies::order(&plain)?;
    }
    let (capabilities, capabilities_reason) = needs(&template);
    let shown = |(name, def): &(String, ParameterDef)| TemplateParameter {
        parameter_key: name.clone(),
        default_value: def.default.clone(),
        no_echo: def.no_echo,
        description: def.description.clone(),
    };
    Ok(Validated {
        parameters: template.parameters.iter().map(shown).collect(),
        description: template.description,
        capabilities,
        capabilities_reason,
        declared_transforms: template.transforms,
    })
}
