//! A method that is tried out (`TestInvokeMethod`): with the API as it is, and a log of what happens.

use ::http::Request as HttpRequest;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::context::Learned;
use super::request::{Request, pairs};
use super::{Answer, Exchange, NOWHERE, route};
use crate::apigateway::state::{Deployment, Stage};
use crate::apigateway::trial::Trial;
use crate::cloud::{Entry, Inner, Scope};
use crate::execute_api::{Address, Form, Incoming, text};

/// The header of an error's type, as the answer has it.
const ERROR_TYPE: &str = "x-amzn-errortype";

/// The stage that `$context` names.
const STAGE: &str = "test-invoke-stage";
/// The domain that it names.
const DOMAIN: &str = "testPrefix.testDomainName";

/// Tries a method out. What is answered is the output of the operation.
pub(in crate::execute_api) async fn test(inner: &Inner, scope: &Scope, trial: Trial) -> Value {
    let (api, stage) = (trial.rest.id.clone(), Stage { stage_name: STAGE.to_owned(), ..Stage::default() });
    let deployment = Deployment { rest: trial.rest, content: trial.content, ..Deployment::default() };
    let found = deployment.content.resources.get(&trial.resource_id).and_then(|resource| {
        let method = resource.methods.get(&trial.method).or_else(|| resource.methods.get("ANY"))?;
        Some((resource, method))
    });
    // An authorizer is tried out at no method.
    let nowhere = trial.authorizer.is_some().then_some((&NOWHERE.0, &NOWHERE.1));
    let Some((resource, method)) = found.or(nowhere) else { return json!({}) };
    let given = trial.path.clone().unwrap_or_else(|| resource.path.clone());
    let (path, query) = given.split_once('?').unwrap_or((&given, ""));
    let uri = path.bytes().all(|byte| byte.is_ascii_graphic() && !b"{}\"<>\\^`|".contains(&byte));
    let made = HttpRequest::builder().uri(if uri { path } else { "/" }).body(());
    let head = made.map_or_else(|_| HttpRequest::new(()).into_parts().0, |request| request.into_parts().0);
    let entry = Entry { invocation: None, source_ip: None };
    let body = Bytes::from(trial.body.clone());
    let address = Address {
        api: api.clone(),
        region: None,
        domain: DOMAIN.to_owned(),
        stage: None,
        path: path.to_owned(),
        form: Form::Host,
    };
    let incoming = Incoming { address, head: &head, body: &body, entry: &entry, request_id: &trial.request_id };
    let began = inner.clock.now();
    let mut request = Request::read(&incoming, path.to_owned(), began);
    request.method.clone_from(&trial.method);
    request.headers.clone_from(&trial.headers);
    request.query = pairs(query);
    let mut exchange = Exchange {
        inner,
        incoming: &incoming,
        scope,
        api,
        stage: &stage,
        variables: trial.variables,
        deployment: &deployment,
        request,
        path_parameters: route::parameters(&resource.path, path).unwrap_or_default(),
        resource,
        method,
        learned: Learned::default(),
        signer: None,
        began,
        log: Some(parking_lot::Mutex::default()),
    };
    exchange.begin_context(false);
    if let Some(authorizer) = &trial.authorizer {
        return exchange.tried_authorizer(authorizer).await;
    }
    exchange.learned.routed = true;
    exchange.tried(path).await
}

impl Exchange<'_> {
    /// Adds a line to the log, if one is kept.
    pub(super) fn note(&self, line: impl FnOnce() -> String) {
        let Some(log) = &self.log else { return };
        let time = self.inner.clock.now().to_jiff().strftime("%a %b %d %H:%M:%S UTC %Y").to_string();
        log.lock().push(format!("{time} : {}", line()));
    }

    /// Asks an authorizer, whatever it was asked before. What the policy says is not looked at.
    async fn tried_authorizer(&mut self, id: &str) -> Value {
        let deployment = self.deployment;
        let Some(authorizer) = deployment.content.authorizers.get(id) else { return json!({}) };
        self.note(|| format!("Starting authorizer: {id} for request: {}", self.incoming.request_id));
        let answer = match self.identity_sources(authorizer) {
            Ok((identity, token)) => {
                self.note(|| format!("Incoming identity: {}", token.as_ref().unwrap_or(&identity)));
                self.ask(authorizer, token).await
            }
            Err(refusal) => Err(refusal),
        };
        // The status that a client would see; none if it is let in.
        let mut told = json!({ "clientStatus": 0 });
        match answer {
            Ok(answer) => {
                let judged = self.judge(&answer, 0);
                let broken = judged.is_err() && self.learned.authorizer.is_none();
                self.note(|| format!("Endpoint response body before transformations: {answer}"));
                if broken {
                    told["clientStatus"] = 500.into();
                    self.note(|| "Execution failed due to configuration error: Invalid JSON in response".to_owned());
                } else {
                    told["principalId"] = answer["principalId"].clone();
                    told["policy"] = answer["policyDocument"].to_string().into();
                    self.note(|| format!("Successfully completed authorizer execution: {}", answer["principalId"]));
                }
            }
            Err(refusal) => {
                let status = refusal.answer(self).status().as_u16();
                told["clientStatus"] = status.into();
                self.note(|| format!("{} request", refusal.message.as_deref().unwrap_or("Failed")));
            }
        }
        let lines = self.log.as_ref().map(|log| log.lock().join("\n")).unwrap_or_default();
        told["log"] = format!("Execution log for request {}\n{lines}\n", self.incoming.request_id).into();
        let latency = self.inner.clock.now().since(self.began).as_millis();
        told["latency"] = u64::try_from(latency).unwrap_or_default().into();
        told
    }

    async fn tried(&mut self, path: &str) -> Value {
        self.note(|| format!("Starting execution for request: {}", self.incoming.request_id));
        self.note(|| format!("HTTP Method: {}, Resource Path: {path}", self.request.method));
        self.note(|| format!("Method request path: {}", shown(&self.path_parameters)));
        self.note(|| format!("Method request query string: {}", shown(&self.request.query)));
        self.note(|| format!("Method request headers: {}", shown(&self.request.headers)));
        self.note(|| format!("Method request body before transformations: {}", self.request.text()));
        let (status, headers, body) = match self.answered().await {
            Ok(Answer { status, headers, body }) => {
                self.note(|| format!("Method response body after transformations: {}", text(&body)));
                self.note(|| format!("Method response headers: {}", shown(&headers)));
                self.note(|| "Successfully completed execution".to_owned());
                (status, headers, body)
            }
            Err(refusal) => {
                let why = refusal.message.clone().unwrap_or_default();
                self.note(|| format!("Execution failed due to configuration error: {why}"));
                let response = refusal.answer(self);
                let value = |value: &::http::HeaderValue| text(value.as_bytes()).into_owned();
                // The type of the error, and what the gateway response adds: not the type of the body.
                let shown = response.headers().iter().filter(|(name, _)| *name != ::http::header::CONTENT_TYPE);
                let written = |name: &str| if name == ERROR_TYPE { "x-amzn-ErrorType" } else { name }.to_owned();
                let headers = shown.map(|(name, v)| (written(name.as_str()), value(v))).collect();
                (response.status().as_u16(), headers, response.into_body())
            }
        };
        self.note(|| format!("Method completed with status: {status}"));
        let lines = self.log.as_ref().map(|log| log.lock().join("\n")).unwrap_or_default();
        let latency = self.inner.clock.now().since(self.began).as_millis();
        let mut multiple: Map<String, Value> = Map::new();
        for (name, value) in &headers {
            if let Value::Array(values) = multiple.entry(name.clone()).or_insert_with(|| json!([])) {
                values.push(json!(value));
            }
        }
        json!({
            "status": status,
            "body": text(&body),
            "headers": headers.into_iter().map(|(name, value)| (name, json!(value))).collect::<Map<_, _>>(),
            "multiValueHeaders": multiple,
            "log": format!("Execution log for request {}\n{lines}\n", self.incoming.request_id),
            "latency": u64::try_from(latency).unwrap_or_default(),
        })
    }
}

/// Pairs as Java prints a map.
pub(super) fn shown(pairs: &[(String, String)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{{{}}}", pairs.join(", "))
}
