//! Who may call a method: the API's own policy, signatures, and Lambda authorizers.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::refusal::Refusal;
use super::{Exchange, lambda};
use crate::apigateway::RestApis;
use crate::apigateway::state::Authorizer;
use crate::cloud::{Caller, IamMode, Target};
use crate::execute_api::scalar;
use crate::iam::Principal;
use crate::iam::policy::pattern::Context;
use crate::iam::policy::{Attached, Decision, Policy, Request, evaluate};
use crate::sigv4::Dialect;

/// What a Lambda authorizer may take, in milliseconds: as an integration.
const AUTHORIZER_TIMEOUT: i64 = 29_000;
/// The action of calling an API.
const INVOKE: &str = "execute-api:Invoke";

impl Exchange<'_> {
    /// Refuses the request if its sender may not call the method.
    pub(super) async fn authorize(&mut self) -> Result<(), Refusal> {
        match self.method.authorization_type.as_str() {
            "AWS_IAM" => self.signature(),
            "CUSTOM" => {
                self.resource_policy(Caller::new(Principal::Anonymous))?;
                Box::pin(self.lambda_authorizer()).await
            }
            "COGNITO_USER_POOLS" => Err(Refusal::not_implemented("Amazon Cognito user pools as authorizers")),
            _ => self.resource_policy(Caller::new(Principal::Anonymous)),
        }
    }

    fn target(&self) -> Target {
        let arn = self.method_arn(&self.request.path);
        let short = self.scope.arn("execute-api", format_args!("{}/", self.api));
        // A policy may name the API's resources without the API.
        let policy = self.deployment.rest.policy.as_ref();
        let policy = policy.map(|policy| Arc::from(policy.replace("\"execute-api:/", &format!("\"{short}"))));
        Target::on(arn).policy(policy).owner(&*self.scope.account)
    }

    /// The API's policy, for those who come without a signature.
    fn resource_policy(&self, mut caller: Caller) -> Result<(), Refusal> {
        if self.deployment.rest.policy.is_none() {
            return Ok(());
        }
        caller.source_ip = self.incoming.entry.source_ip;
        if self.inner.access_in(&caller, self.scope).may_on(INVOKE, &self.target()) {
            return Ok(());
        }
        Err(self.denied(&caller))
    }

    fn denied(&self, caller: &Caller) -> Refusal {
        // The account is shown in part.
        let masked = self.scope.account.get(8..).unwrap_or_default();
        let arn = self.method_arn(&self.request.path).replace(&*self.scope.account, &format!("********{masked}"));
        Refusal::denied(format!(
            "User: {} is not authorized to perform: {INVOKE} on resource: {arn}",
            caller.principal.arn()
        ))
    }

    /// `AWS_IAM`: a request signed for `execute-api`, by somebody whose policies allow it.
    fn signature(&mut self) -> Result<(), Refusal> {
        let (head, body) = (self.incoming.head, self.incoming.body);
        let signer = self.inner.signer(head, body, Dialect::Json { rest: true }).map_err(|e| Refusal::signature(&e))?;
        let mut caller = match signer {
            Some((caller, _)) => caller,
            None if self.inner.iam == IamMode::Enforce => return Err(Refusal::missing_token()),
            None => Caller::root(&self.scope.account),
        };
        caller.source_ip = self.incoming.entry.source_ip;
        self.identified(&caller);
        self.signer = Some(caller.clone());
        if self.inner.access_in(&caller, self.scope).may_on(INVOKE, &self.target()) {
            return Ok(());
        }
        Err(self.denied(&caller))
    }

    async fn lambda_authorizer(&mut self) -> Result<(), Refusal> {
        let deployment = self.deployment;
        let id = self.method.authorizer_id.as_deref().unwrap_or_default();
        let broken = || Refusal::authorizer("AUTHORIZER_CONFIGURATION_ERROR");
        let authorizer = deployment.content.authorizers.get(id).ok_or_else(broken)?;
        let (key, token) = self.identity_sources(authorizer)?;
        let ttl = authorizer.authorizer_result_ttl_in_seconds.unwrap_or(300);
        let key = format!("{}/{}/{id}/{key}", self.api, self.stage.stage_name);
        let began = self.inner.clock.now();
        let kept = (ttl > 0).then(|| self.kept(&key)).flatten();
        let answer = match kept {
            Some(answer) => answer,
            None => {
                let answer = self.ask(authorizer, token).await?;
                if ttl > 0 {
                    self.keep(&key, &answer, ttl);
                }
                answer
            }
        };
        let latency = self.inner.clock.now().since(began).as_millis();
        self.judge(&answer, u64::try_from(latency).unwrap_or_default())
    }

    /// The values of the authorizer's identity sources: what its answers are kept by; and the token, for those that take one.
    pub(super) fn identity_sources(&self, authorizer: &Authorizer) -> Result<(String, Option<String>), Refusal> {
        let source = authorizer.identity_source.as_deref().unwrap_or_default();
        if authorizer.kind == "TOKEN" {
            let source = if source.is_empty() { "method.request.header.Authorization" } else { source };
            let token = self.mapped(source).filter(|token| !token.is_empty()).ok_or_else(Refusal::unauthorized)?;
            if let Some(expression) = authorizer.identity_validation_expression.as_deref().filter(|e| !e.is_empty()) {
                let expression = regex::Regex::new(&format!("^(?:{expression})$"));
                let expression = expression.map_err(|_| Refusal::authorizer("AUTHORIZER_CONFIGURATION_ERROR"))?;
                if !expression.is_match(&token) {
                    return Err(Refusal::unauthorized());
                }
            }
            return Ok((token.clone(), Some(token)));
        }
        let mut values = Vec::new();
        for source in source.split(',').map(str::trim).filter(|source| !source.is_empty()) {
            let value = self.mapped(source).filter(|value| !value.is_empty());
            values.push(value.ok_or_else(Refusal::unauthorized)?);
        }
        Ok((json!(values).to_string(), None))
    }

    fn kept(&self, key: &str) -> Option<Value> {
        let state = self.inner.state_of::<RestApis>("apigateway", self.scope)?;
        let verdict = state.verdicts.get(key)?;
        (verdict.until > self.inner.clock.now()).then(|| verdict.answer.clone())
    }

    fn keep(&self, key: &str, answer: &Value, ttl: i64) {
        let kept = json!({"key": key, "answer": answer, "ttl": ttl}).to_string();
        if let Err(error) = self.inner.event("apigateway", self.scope, "Authorized", &kept) {
            tracing::error!(%error, "an authorizer's answer could not be kept");
        }
    }

    pub(super) async fn ask(&self, authorizer: &Authorizer, token: Option<String>) -> Result<Value, Refusal> {
        let failed = || Refusal::authorizer("AUTHORIZER_FAILURE");
        let uri = self.with_variables(authorizer.authorizer_uri.as_deref().unwrap_or_default());
        let function = lambda::function(&uri).ok_or_else(failed)?;
        let source = self.scope.arn("execute-api", format_args!("{}/authorizers/{}", self.api, authorizer.id));
        let caller = self.caller(authorizer.authorizer_credentials.as_deref(), &source).map_err(|_| failed())?;
        let arn = self.method_arn(&self.request.path);
        let event = match &token {
            Some(token) => {
                json!({"type": authorizer.kind, "methodArn": arn, "authorizationToken": token}).to_string().into_bytes()
            }
            None => self.authorizer_event(&authorizer.kind, arn).map_err(|_| failed())?,
        };
        let invoking = self.invoke(function, caller, "RequestResponse", event);
        let invoked = self.within(AUTHORIZER_TIMEOUT, invoking).await.map_err(|_| failed())?;
        let answer: Value = serde_json::from_slice(&invoked.payload).map_err(|_| failed())?;
        if !invoked.error {
            return Ok(answer);
        }
        // The one error that an authorizer may tell by.
        let message = answer.get("errorMessage").and_then(Value::as_str);
        Err(if message == Some("Unauthorized") { Refusal::unauthorized() } else { failed() })
    }

    /// Decides by the policy that an authorizer answered, and passes its context on.
    pub(super) fn judge(&mut self, answer: &Value, latency: u64) -> Result<(), Refusal> {
        let broken = || Refusal::authorizer("AUTHORIZER_CONFIGURATION_ERROR");
        let principal = answer.get("principalId").and_then(scalar).ok_or_else(broken)?;
        let policy = answer.get("policyDocument").filter(|policy| policy.is_object()).ok_or_else(broken)?;
        let policy = Policy::read(&policy.to_string()).map_err(|_| broken())?;
        let mut context: Map<String, Value> = Map::new();
        context.insert("principalId".to_owned(), json!(principal));
        context.insert("integrationLatency".to_owned(), json!(latency));
        for (name, value) in answer.get("context").and_then(Value::as_object).into_iter().flatten() {
            match value {
                Value::Null => {}
                value => {
                    context.insert(name.clone(), json!(scalar(value).ok_or_else(broken)?));
                }
            }
        }
        self.learned.authorizer = Some(context);
        if let Some(key) = answer.get("usageIdentifierKey").and_then(Value::as_str)
            && self.deployment.rest.api_key_source == "AUTHORIZER"
        {
            self.learned.identity.api_key = Some(key.to_owned());
        }
        let request = Request {
            principal: Principal::User {
                account: self.scope.account.to_string(),
                path: "/".to_owned(),
                name: principal.clone(),
                id: principal,
            },
            resource_account: self.scope.account.to_string(),
            action: INVOKE.to_owned(),
            resource: self.method_arn(&self.request.path),
            context: self.conditions(),
        };
        let identity = [Attached { name: "authorizer", policy: &policy }];
        let decision = evaluate(&request, &identity, None, &[], None);
        if decision.is_allowed() {
            return Ok(());
        }
        let explicit = matches!(decision, Decision::ExplicitDeny { .. });
        let end = if explicit { " with an explicit deny" } else { "" };
        Err(Refusal::denied(format!("User is not authorized to access this resource{end}")))
    }

    fn conditions(&self) -> Context {
        let mut context = Context::new();
        let ip = self.incoming.entry.client();
        context.insert("aws:SourceIp".to_owned(), vec![ip]);
        context.insert("aws:CurrentTime".to_owned(), vec![self.began.to_iso_secs()]);
        if let Some(agent) = self.request.header("User-Agent") {
            context.insert("aws:UserAgent".to_owned(), vec![agent.to_owned()]);
        }
        context
    }
}
