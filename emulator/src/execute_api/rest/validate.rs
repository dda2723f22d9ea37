//! Request validators: required parameters, and bodies by the models of their content types.

use serde_json::Value;

use super::refusal::Refusal;
use super::{Exchange, schema};

impl Exchange<'_> {
    /// Refuses a request that is not as the method's validator requires.
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        let content = &self.deployment.content;
        let validator = self.method.request_validator_id.as_ref().and_then(|id| content.validators.get(id));
        let Some(validator) = validator else { return Ok(()) };
        if validator.validate_request_parameters {
            let mut missing = Vec::new();
            for (parameter, required) in self.method.request_parameters.iter().flatten() {
                let there = self.mapped(parameter).is_some_and(|value| !value.is_empty());
                if *required && !there {
                    missing.push(parameter.splitn(4, '.').nth(3).unwrap_or_default().to_owned());
                }
            }
            if !missing.is_empty() {
                return Err(Refusal::parameters(&missing));
            }
        }
        if validator.validate_request_body { self.validate_body() } else { Ok(()) }
    }

    fn validate_body(&self) -> Result<(), Refusal> {
        let Some(models) = &self.method.request_models else { return Ok(()) };
        let kind = self.request.content_type();
        let name = models.get(&kind).or_else(|| models.get("$default"));
        let Some(model) = name.and_then(|name| self.deployment.content.models.get(name)) else { return Ok(()) };
        let unreadable = |_| Refusal::configuration(500);
        let root: Value = serde_json::from_str(model.schema.as_deref().unwrap_or("{}")).map_err(unreadable)?;
        let body: Value = if self.request.body.is_empty() {
            serde_json::json!({})
        } else {
            serde_json::from_slice(&self.request.body).map_err(|_| Refusal::body(Vec::new()))?
        };
        let mut other = |name: &str| {
            let model = self.deployment.content.models.get(name)?;
            serde_json::from_str::<Value>(model.schema.as_deref()?).ok()
        };
        let errors = schema::errors(&root, &body, &mut other).map_err(|what| {
            tracing::warn!(what, model = model.name, "a model's schema cannot be used");
            Refusal::configuration(500)
        })?;
        if errors.is_empty() { Ok(()) } else { Err(Refusal::body(errors)) }
    }
}
