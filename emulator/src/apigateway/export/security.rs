//! Who may call what, as a document says: API keys, signatures and authorizers.

use serde_json::{Map, Value, json};

use super::Exporter;
use crate::apigateway::state::{Authorizer, Method};

/// What the schemes of API keys and of signatures are called.
const API_KEY: &str = "api_key";
const SIGV4: &str = "sigv4";
/// Where an authorizer's token comes, as parameter mappings name it.
const HEADER: &str = "method.request.header.";

impl Exporter<'_> {
    /// The requirements of a method.
    pub(super) fn security(&self, method: &Method) -> Vec<Value> {
        let mut required = Vec::new();
        let mut require = |name: &str, scopes: Value| required.push(json!({name: scopes}));
        let authorizer = method.authorizer_id.as_ref().and_then(|id| self.deployment.content.authorizers.get(id));
        match (method.authorization_type.as_str(), authorizer) {
            ("AWS_IAM", _) => require(SIGV4, json!([])),
            ("CUSTOM" | "COGNITO_USER_POOLS", Some(authorizer)) => {
                require(&authorizer.name, json!(method.authorization_scopes.clone().unwrap_or_default()));
            }
            _ => {}
        }
        if method.api_key_required {
            require(API_KEY, json!([]));
        }
        required
    }

    /// The schemes that methods require.
    pub(super) fn security_schemes(&self) -> Map<String, Value> {
        let content = &self.deployment.content;
        let methods = || content.resources.values().flat_map(|resource| resource.methods.values());
        let mut schemes = Map::new();
        if methods().any(|method| method.authorization_type == "AWS_IAM") {
            let mut scheme = json!({"type": "apiKey", "name": "Authorization", "in": "header"});
            if self.integrations || self.authorizers {
                scheme["x-amazon-apigateway-authtype"] = json!("awsSigv4");
            }
            schemes.insert(SIGV4.to_owned(), scheme);
        }
        if methods().any(|method| method.api_key_required) {
            schemes.insert(API_KEY.to_owned(), json!({"type": "apiKey", "name": "x-api-key", "in": "header"}));
        }
        for authorizer in content.authorizers.values() {
            if methods().any(|method| method.authorizer_id.as_ref() == Some(&authorizer.id)) {
                schemes.insert(authorizer.name.clone(), self.scheme(authorizer));
            }
        }
        schemes
    }

    fn scheme(&self, authorizer: &Authorizer) -> Value {
        let source = authorizer.identity_source.as_deref().unwrap_or_default();
        let header = source.strip_prefix(HEADER).filter(|header| !header.contains(','));
        let name = header.unwrap_or(if authorizer.kind == "REQUEST" { "Unused" } else { "Authorization" });
        let mut scheme = json!({"type": "apiKey", "name": name, "in": "header"});
        if !self.authorizers {
            return scheme;
        }
        let usual = if authorizer.kind == "COGNITO_USER_POOLS" { "cognito_user_pools" } else { "custom" };
        scheme["x-amazon-apigateway-authtype"] = json!(authorizer.auth_type.as_deref().unwrap_or(usual));
        let mut own = Map::new();
        let mut put = |name: &str, value: Option<Value>| own.extend(value.map(|value| (name.to_owned(), value)));
        put("type", Some(json!(authorizer.kind.to_ascii_lowercase())));
        put("authorizerUri", authorizer.authorizer_uri.as_ref().map(|uri| json!(uri)));
        put("authorizerCredentials", authorizer.authorizer_credentials.as_ref().map(|role| json!(role)));
        put("providerARNs", authorizer.provider_arns.as_ref().map(|arns| json!(arns)));
        if authorizer.kind == "REQUEST" {
            put("identitySource", authorizer.identity_source.as_ref().map(|source| json!(source)));
        }
        let validation = authorizer.identity_validation_expression.as_ref();
        put("identityValidationExpression", validation.map(|expression| json!(expression)));
        put("authorizerResultTtlInSeconds", authorizer.authorizer_result_ttl_in_seconds.map(|ttl| json!(ttl)));
        scheme["x-amazon-apigateway-authorizer"] = Value::Object(own);
        scheme
    }
}
