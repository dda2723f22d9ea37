//! Calls of Lambda functions, as API Gateway makes them: as itself, or in a role.

use bytes::Bytes;
use serde_json::{Value, json};

use super::Exchange;
use super::refusal::Refusal;
use crate::apigateway::PRINCIPAL;
use crate::cloud::{Call, Caller, Halt, Scope};

/// What stands around a function's ARN in an integration's URI.
const BEFORE: &str = ":lambda:path/2015-03-31/functions/";
const AFTER: &str = "/invocations";

/// What a function answered.
pub(super) struct Invoked {
    /// Whether it was an error.
    pub error: bool,
    pub payload: Bytes,
}

/// The function that a URI names.
pub(super) fn function(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once(BEFORE)?;
    Some(rest.strip_suffix(AFTER).unwrap_or(rest))
}

impl Exchange<'_> {
    /// As whom an integration is called: in the role of its credentials, as the caller (`arn:aws:iam::*:user/*`), or as the
    /// service itself on the method's behalf.
    pub(super) fn caller(&self, credentials: Option<&str>, source: &str) -> Result<Caller, Refusal> {
        match credentials.filter(|role| !role.is_empty()) {
            None => {
                let mut caller = Caller::service(PRINCIPAL);
                caller.source_arn = Some(source.to_owned());
                Ok(caller)
            }
            Some(role) if role.contains(":user/") => self.signer.clone().ok_or_else(|| Refusal::configuration(500)),
            Some(role) => {
                let service = Caller::service(PRINCIPAL);
                let access = self.inner.access_in(&service, self.scope);
                let session = access.role_session(role, "BackplaneAssumeRoleSession", PRINCIPAL);
                session.ok_or_else(|| Refusal::configuration(500))
            }
        }
    }

    /// The region and account that an ARN names; the API's own where it does not.
    pub(super) fn scope_of(&self, arn: &str) -> Scope {
        let mut parts = arn.split(':').skip(3);
        let mut part = |own: &str| parts.next().filter(|part| !part.is_empty()).unwrap_or(own).to_owned();
        let region = part(&self.scope.region);
        let account = part(&self.scope.account);
        if arn.starts_with("arn:") { Scope::new(account, region) } else { self.scope.clone() }
    }

    /// Invokes a function through the front door.
    pub(super) async fn invoke(
        &self,
        function: &str,
        caller: Caller,
        kind: &str,
        event: impl Into<Bytes>,
    ) -> Result<Invoked, Refusal> {
        let input = json!({"FunctionName": function, "InvocationType": kind});
        let (event, scope) = (event.into(), self.scope_of(function));
        self.note(|| {
            let region = &scope.region;
            format!("Endpoint request URI: https://lambda.{region}.amazonaws.com/2015-03-31/functions/{function}/invocations")
        });
        self.note(|| format!("Endpoint request body after transformations: {}", String::from_utf8_lossy(&event)));
        let call = Call::new("lambda", "Invoke", caller, scope, input).with_body(event);
        let request_id = self.inner.next_request_id();
        match Box::pin(self.inner.call(call, &request_id)).await {
            Ok(reply) => {
                let payload = reply.body.unwrap_or_default();
                self.note(|| {
                    let payload = String::from_utf8_lossy(&payload);
                    format!("Endpoint response body before transformations: {payload}")
                });
                let error = reply.output.get("FunctionError").is_some_and(|error| error != &Value::Null);
                Ok(Invoked { error, payload })
            }
            Err(Halt::Error(error)) => {
                tracing::warn!(function, %error, "API Gateway could not invoke a function");
                Err(Refusal::configuration(500))
            }
            Err(_) => Err(Refusal::unreachable()),
        }
    }
}
