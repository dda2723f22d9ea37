//! API keys, and what usage plans let them do.

use serde_json::json;

use super::Exchange;
use super::refusal::Refusal;
use crate::apigateway::RestApis;
use crate::apigateway::plans::{QUOTA, THROTTLED};

impl Exchange<'_> {
    /// Refuses a request to a method that requires a key if it has none that a usage plan admits, and counts it if it has.
    pub(super) fn spend_key(&mut self) -> Result<(), Refusal> {
        if !self.method.api_key_required {
            return Ok(());
        }
        let value = if self.deployment.rest.api_key_source == "AUTHORIZER" {
            self.learned.identity.api_key.clone()
        } else {
            self.request.header("X-Api-Key").map(str::to_owned)
        };
        let state = self.inner.state_of::<RestApis>("apigateway", self.scope).ok_or_else(Refusal::invalid_key)?;
        let key = state.keys.values().find(|key| Some(&key.value) == value.as_ref() && key.enabled);
        let key = key.ok_or_else(Refusal::invalid_key)?;
        let stage = &self.stage.stage_name;
        let plan = state.plans.values().find(|plan| {
            plan.keys.contains_key(&key.id)
                && plan.api_stages.iter().any(|own| own.api_id == self.api && own.stage == *stage)
        });
        let plan = plan.ok_or_else(Refusal::invalid_key)?;
        self.learned.identity.api_key = Some(key.value.clone());
        self.learned.identity.api_key_id = Some(key.id.clone());
        let spent = json!({"plan": plan.id, "key": key.id}).to_string();
        self.inner.event("apigateway", self.scope, "KeyUsed", &spent).map_err(|error| match error.code() {
            THROTTLED => Refusal::throttled(),
            QUOTA => Refusal::quota(),
            _ => {
                tracing::error!(%error, "a request could not be counted");
                Refusal::configuration(500)
            }
        })
    }
}
