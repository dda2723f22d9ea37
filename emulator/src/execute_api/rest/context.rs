//! `$context`: what API Gateway tells of a request, and the values that mappings take from it.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html>

use serde_json::{Map, Value, json};

use super::Exchange;
use crate::cloud::Caller;
use crate::execute_api::{log_time, scalar};

impl Exchange<'_> {
    /// What is known before it is known what the request is for.
    pub(super) fn begin_context(&mut self, canary: bool) {
        let address = &self.incoming.address;
        let domain = if address.stage.is_none() {
            address.domain.clone()
        } else {
            format!("{}.execute-api.{}.amazonaws.com", self.api, self.scope.region)
        };
        let path = format!("/{}{}", self.stage.stage_name, self.request.path);
        let prefix = domain.split('.').next().unwrap_or_default().to_owned();
        let time = log_time(self.began);
        let mut context = json!({
            "accountId": &*self.scope.account,
            "apiId": self.api,
            "deploymentId": self.deployment.id,
            "domainName": domain,
            "domainPrefix": prefix,
            "extendedRequestId": self.request.extended_id,
            "httpMethod": self.request.method,
            "identity": {
                "accessKey": null, "accountId": null, "caller": null, "cognitoAuthenticationProvider": null,
                "cognitoAuthenticationType": null, "cognitoIdentityId": null, "cognitoIdentityPoolId": null,
                "principalOrgId": null, "sourceIp": self.incoming.entry.client(), "user": null,
                "userAgent": self.request.header("User-Agent"), "userArn": null,
            },
            "path": path,
            "protocol": "HTTP/1.1",
            "requestId": self.incoming.request_id,
            "requestTime": time,
            "requestTimeEpoch": self.began.millis(),
            "stage": self.stage.stage_name,
        });
        if let Some(members) = context.as_object_mut() {
            if self.stage.canary_settings.is_some() {
                members.insert("isCanaryRequest".to_owned(), json!(canary));
            }
            self.context = std::mem::take(members);
        }
    }

    /// What is known once the method is.
    pub(super) fn routed_context(&mut self) {
        self.context.insert("resourceId".to_owned(), json!(self.resource.id));
        self.context.insert("resourcePath".to_owned(), json!(self.resource.path));
    }

    /// Who signed the request.
    pub(super) fn identified(&mut self, caller: &Caller) {
        let account = caller.principal.account().map(str::to_owned);
        let identity = self.identity_mut();
        identity.insert("accessKey".to_owned(), json!(caller.access_key));
        identity.insert("accountId".to_owned(), json!(account));
        identity.insert("caller".to_owned(), json!(caller.principal.user_id()));
        identity.insert("user".to_owned(), json!(caller.principal.user_id()));
        identity.insert("userArn".to_owned(), json!(caller.principal.arn()));
    }

    /// `$context.identity`.
    pub(super) fn identity_mut(&mut self) -> &mut Map<String, Value> {
        let identity = self.context.entry("identity").or_insert_with(|| json!({}));
        if !identity.is_object() {
            *identity = json!({});
        }
        match identity {
            Value::Object(members) => members,
            // It was just made one.
            _ => unreachable!("an identity is an object"),
        }
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
            return self.context.get(name).and_then(|value| at(value, below)).and_then(scalar);
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
