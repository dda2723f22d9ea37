//! Questions about templates: those of stacks, and those that may become one.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::deploy::written;
use super::plan::read;
use super::source::Source;
use super::state::{Definition, Stacks};
use super::stored::{Fetched, fetched};
use super::template::{ParameterDef, Template, dependencies, sam, validation_error, yaml};
use super::{capabilities, change_sets};
use crate::Result;
use crate::cloud::{Cx, Step};

/// The section that `Processed` has only if the original has it.
const FORMAT_VERSION: &str = "AWSTemplateFormatVersion";

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
        (Some(name), None) if !name.starts_with("arn:") => {
            return Err(validation_error("StackName is a required parameter."));
        }
        (Some(name), stack) => change_sets::find(cx.state, name, stack.as_deref())?.definition.clone(),
        (None, Some(name)) => {
            let stack =
                cx.state.find(name).ok_or_else(|| validation_error(format!("Stack with id {name} does not exist")))?;
            stack.definition.clone()
        }
        (None, None) => return Err(validation_error("StackName is required if ChangeSetName is not specified.")),
    };
    let is_processed = input.template_stage.as_deref() == Some("Processed") && !definition.transforms.is_empty();
    let template_body = if is_processed { processed(&definition)? } else { definition.body.clone() };
    Ok(GetTemplateOutput { template_body, stages_available: vec!["Original", "Processed"] })
}

/// What transforms have made: JSON, whatever it was made from.
fn processed(definition: &Definition) -> Result<String> {
    let mut template = written(&definition.template);
    let original = yaml::read(&definition.body)?;
    if let Value::Object(sections) = &mut template {
        sections.retain(|name, _| {
            name != "Transform" && (name != FORMAT_VERSION || original.get(FORMAT_VERSION).is_some())
        });
    }
    Ok(template.to_string())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetTemplateSummary {
    pub stack_name: Option<String>,
    template_body: Option<String>,
    #[serde(rename = "TemplateURL")]
    template_url: Option<String>,
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
    resource_identifier_summaries: Vec<Identified>,
    version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    declared_transforms: Vec<String>,
}

/// `ResourceIdentifierSummary` of the API.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Identified {
    resource_type: String,
    logical_resource_ids: Vec<String>,
    /// The properties that tell one resource of a type from another, when it is imported: here of the types that are known by
    /// the name that a template gives.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resource_identifiers: Vec<&'static str>,
}

impl Identified {
    fn new(id: &str, kind: &str) -> Self {
        let named = super::types::find(kind).and_then(|kind| kind.name_property);
        // Known by its ARN, which no template gives.
        let identifiers = named.filter(|_| kind != "AWS::SNS::Topic");
        Self {
            resource_type: kind.to_owned(),
            logical_resource_ids: vec![id.to_owned()],
            resource_identifiers: identifiers.into_iter().collect(),
        }
    }
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

pub(super) fn summary(cx: &mut Cx<Stacks>, input: &GetTemplateSummary) -> Result<Step<Summary>> {
    let source = match (&input.template_body, &input.template_url, &input.stack_name) {
        (body, url, None) if body.is_some() || url.is_some() => Source::new(cx, body.clone(), url.as_deref())?,
        (None, None, Some(name)) => {
            let stack = cx.state.get(name)?;
            if stack.status == "REVIEW_IN_PROGRESS" {
                return Err(validation_error("GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks."));
            }
            Source::Text(stack.definition.body.clone())
        }
        _ => return Err(validation_error("Either Template URL, Template Body or Stack name must be specified.")),
    };
    let body = match fetched(cx, &source)? {
        Fetched::Text(body, _) => body,
        Fetched::Later(later) => return Ok(Step::Later(later)),
    };
    summary_of(&body).map(Step::Done)
}

fn summary_of(body: &str) -> Result<Summary> {
    let template = read(body)?;
    let (capabilities, capabilities_reason) = needs(&template);
    let mut summaries: Vec<Identified> = Vec::new();
    for (id, resource) in &template.resources {
        match summaries.iter_mut().find(|summary| summary.resource_type == resource.kind) {
            Some(summary) => summary.logical_resource_ids.push(id.clone()),
            None => summaries.push(Identified::new(id, &resource.kind)),
        }
    }
    let resource_types = summaries.iter().map(|summary| summary.resource_type.clone()).collect();
    Ok(Summary {
        parameters: template.parameters.iter().map(declaration).collect(),
        description: template.description,
        capabilities,
        capabilities_reason,
        resource_types,
        resource_identifier_summaries: summaries,
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
    #[serde(rename = "TemplateURL")]
    template_url: Option<String>,
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
pub(super) fn validate(cx: &mut Cx<Stacks>, input: &ValidateTemplate) -> Result<Step<Validated>> {
    let source = Source::new(cx, input.template_body.clone(), input.template_url.as_deref())?;
    match fetched(cx, &source)? {
        Fetched::Text(body, _) => valid(&body).map(Step::Done),
        Fetched::Later(later) => Ok(Step::Later(later)),
    }
}

fn valid(body: &str) -> Result<Validated> {
    let template = read(body)?;
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
