//! What jobs have in common: they are given an input as data, and report by an event.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Cloud, Scope};
use crate::Error;

/// The input that a job was started with.
pub(crate) fn job_input<T: DeserializeOwned>(input: Value) -> Option<T> {
    serde_json::from_value(input).inspect_err(|error| tracing::error!(%error, "a job without its input")).ok()
}

impl Cloud {
    /// Tells a service by one of its events how a job of it ended.
    pub(crate) fn report(&self, service: &str, scope: &Scope, event: &str, report: &impl Serialize) {
        let told = serde_json::to_string(report).map_err(Error::from);
        if let Err(error) = told.and_then(|key| self.0.event(service, scope, event, &key)) {
            tracing::error!(%error, service, event, "the end of a job was not noted");
        }
    }
}
