//! `$context`: what API Gateway tells of a request, and the values that mappings take from it.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html>

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};

use super::Exchange;
use crate::cloud::Caller;
use crate::execute_api::{Form, scalar};

/// What becomes known of a request on its way.
#[derive(Debug, Default)]
pub(super) struct Learned {
    /// Whether it is the canary's; none where the stage has no canary.
    pub canary: Option<bool>,
    /// Whether the method is known that it is for.
    pub routed: bool,
    pub identity: Identity,
    pub authorizer: Option<Map<String, Value>>,
}

/// Who sent the request.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Identity {
    access_key: Option<String>,
    account_id: Option<String>,
    caller: Option<String>,
    cognito_authentication_provider: (),
    cognito_authentication_type: (),
    cognito_identity_id: (),
    cognito_identity_pool_id: (),
    principal_org_id: (),
    source_ip: String,
    user: Option<String>,
    user_agent: Option<String>,
    user_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key_id: Option<String>,
}

/// `$context`. It is written where it is asked for, and borrows what it tells.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Context<'a> {
    account_id: &'a str,
    api_id: &'a str,
    deployment_id: &'a str,
    domain_name: Cow<'a, str>,
    domain_prefix: &'a str,
    extended_request_id: &'a str,
    http_method: &'a str,
    identity: &'a Identity,
    path: String,
    protocol: &'static str,
    request_id: &'a str,
    request_time: String,
    request_time_epoch: i64,
    stage: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_canary_request: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorizer: Option<&'a Map<String, Value>>,
}

impl Exchange<'_> {
    /// What is known from the start.
    pub(super) fn begin_context(&mut self, canary: bool) {
        self.learned.canary = self.stage.canary_settings.is_some().then_some(canary);
        self.learned.identity.source_ip = self.incoming.entry.client();
        self.learned.identity.user_agent = self.request.header("User-Agent").map(str::to_owned);
    }

    /// What is known by now.
    pub(super) fn context(&self) -> Context<'_> {
        let address = &self.incoming.address;
        let domain = match address.form {
            Form::Host | Form::Custom => Cow::Borrowed(&*address.domain),
            Form::Path => Cow::Owned(format!("{}.execute-api.{}.amazonaws.com", self.api, self.scope.region)),
        };
        // The first label of that name; the API's id, unless the name is a custom one.
        let prefix = match address.form {
            Form::Path => &*self.api,
            Form::Host | Form::Custom => address.domain.split('.').next().unwrap_or_default(),
        };
        let Learned { canary, routed, identity, authorizer } = &self.learned;
        Context {
            account_id: &self.scope.account,
            api_id: &self.api,
            deployment_id: &self.deployment.id,
            domain_name: domain,
            domain_prefix: prefix,
            extended_request_id: &self.request.extended_id,
            http_method: &self.request.method,
            identity,
            path: match address.form {
                Form::Custom => self.incoming.head.uri.path().to_owned(),
                Form::Host | Form::Path => format!("/{}{}", self.stage.stage_name, self.request.path),
            },
            protocol: "HTTP/1.1",
            request_id: self.incoming.request_id,
            request_time: self.began.to_log_time(),
            request_time_epoch: self.began.millis(),
            stage: &self.stage.stage_name,
            is_canary_request: *canary,
            resource_id: routed.then_some(&*self.resource.id),
            resource_path: routed.then_some(&*self.resource.path),
            authorizer: authorizer.as_ref(),
        }
    }

    /// The same as a value.
    pub(super) fn context_value(&self) -> Value {
        serde_json::to_value(self.context()).unwrap_or_default()
    }

    /// Who signed the request.
    pub(super) fn identified(&mut self, caller: &Caller) {
        let identity = &mut self.learned.identity;
        identity.access_key.clone_from(&caller.access_key);
        identity.account_id = caller.principal.account().map(str::to_owned);
        identity.caller = Some(caller.principal.user_id());
        identity.user = Some(caller.principal.user_id());
        identity.user_arn = Some(caller.principal.arn());
    }

    /// `{api}/{stage}/{method}/{path}` as an ARN. The path is the request's for a decision, the resource's for a source.
    pub(super) fn method_arn(&self, path: &str) -> String {
        let path = path.trim_start_matches('/');
        let (api, stage, method) = (&self.api, &self.stage.stage_name, &self.request.method);
        self.scope.arn("execute-api", format_args!("{api}/{stage}/{method}/{path}"))
    }

    /// What a parameter mapping's expression stands for.
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-parameter-mapping.html>
    pub(super) fn mapped(&self, expression: &str) -> Option<String> {
        if let Some(constant) = expression.strip_prefix('\'') {
            return constant.strip_suffix('\'').map(str::to_owned);
        }
        if let Some(name) = expression.strip_prefix("stageVariables.") {
            return self.variables.get(name).cloned();
        }
        if let Some(path) = expression.strip_prefix("context.") {
            let (name, below) = path.split_at(path.find(['.', '[']).unwrap_or(path.len()));
            return self.context_value().get(name).and_then(|value| at(value, below)).and_then(scalar);
        }
        let rest = expression.strip_prefix("method.request.")?;
        let (place, name) = rest.split_once('.').unwrap_or((rest, ""));
        let all = |pairs: &[(String, String)], fits: &dyn Fn(&str) -> bool| {
            let values: Vec<&str> = pairs.iter().filter(|(n, _)| fits(n)).map(|(_, value)| value.as_str()).collect();
            (!values.is_empty()).then(|| values.join(","))
        };
        match place {
            "header" => self.request.header(name).map(str::to_owned),
            "querystring" => self.request.parameter(name).map(str::to_owned),
            "path" => self.path_parameters.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone()),
            "multivalueheader" => all(&self.request.headers, &|own| own.eq_ignore_ascii_case(name)),
            "multivaluequerystring" => all(&self.request.query, &|own| own == name),
            "body" if name.is_empty() => Some(self.request.text()),
            "body" => {
                let body: Value = serde_json::from_slice(&self.request.body).ok()?;
                at(&body, name).map(|found| scalar(found).unwrap_or_else(|| found.to_string()))
            }
            _ => None,
        }
    }

    /// A text with the stage's variables filled in: `${stageVariables.name}`.
    pub(super) fn with_variables(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for (name, value) in &self.variables {
            out = out.replace(&format!("${{stageVariables.{name}}}"), value);
        }
        out
    }
}

/// The value at a path of names, with indexes: `a.b[0].c`.
pub(super) fn at<'a>(root: &'a Value, path: &str) -> Option<&'a Value> {
    let mut found = root;
    for part in path.split('.').filter(|part| !part.is_empty()) {
        let (name, indexes) = part.split_at(part.find('[').unwrap_or(part.len()));
        if !name.is_empty() {
            found = found.get(name)?;
        }
        for index in indexes.split('[').filter(|index| !index.is_empty()) {
            let index = index.strip_suffix(']')?;
            found = match index.parse::<usize>() {
                Ok(index) => found.get(index)?,
                Err(_) => found.get(index.trim_matches(['\'', '"']))?,
            };
        }
    }
    Some(found)
}
