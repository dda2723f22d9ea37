//! Who may call what, as an OpenAPI document says: security schemes, authorizers, API keys.

use serde_json::{Map, Value};

use super::Importer;
use super::document::{list, text};
use crate::Result;
use crate::apigateway::authorizers;
use crate::apigateway::state::{Authorizer, Method};

/// The header in which API keys come.
const KEY_HEADER: &str = "x-api-key";

impl<'a> Importer<'a> {
    fn schemes(&self) -> Option<&'a Map<String, Value>> {
        let schemes = self.document.get("securityDefinitions");
        schemes.or_else(|| self.document.pointer("/components/securitySchemes")).and_then(Value::as_object)
    }

    pub fn authorizers(&mut self) -> Result<()> {
        for (name, scheme) in self.schemes().into_iter().flatten() {
            let Some(given) = scheme.get("x-amazon-apigateway-authorizer") else { continue };
            let kind = text(given.get("type")).unwrap_or_default().to_uppercase();
            let old =
                self.api.content.authorizers.values().find(|other| other.name == *name).map(|other| other.id.clone());
            let id = old.unwrap_or_else(|| self.ids.lower(6));
            // A token comes where the scheme says.
            let header = text(scheme.get("name")).map(|header| format!("method.request.header.{header}"));
            let token = kind != "REQUEST";
            let source = text(given.get("identitySource"));
            let authorizer = Authorizer {
                id: id.clone(),
                name: name.clone(),
                provider_arns: list(given.get("providerARNs")),
                auth_type: text(scheme.get("x-amazon-apigateway-authtype")),
                authorizer_uri: text(given.get("authorizerUri")),
                authorizer_credentials: text(given.get("authorizerCredentials")),
                identity_source: if token { header.or(source) } else { source },
                identity_validation_expression: text(given.get("identityValidationExpression")),
                authorizer_result_ttl_in_seconds: given.get("authorizerResultTtlInSeconds").and_then(Value::as_i64),
                kind,
            };
            authorizers::check(&authorizer)?;
            self.api.content.authorizers.insert(id, authorizer);
        }
        Ok(())
    }

    /// What the operation, or else the document, requires.
    pub fn secure(&self, method: &mut Method, operation: &Value) {
        let none = operation.pointer("/x-amazon-apigateway-auth/type").and_then(Value::as_str) == Some("NONE");
        let required = operation.get("security").or_else(|| self.document.get("security")).and_then(Value::as_array);
        method.authorization_type = "NONE".to_owned();
        for (name, scopes) in required.into_iter().flatten().filter_map(Value::as_object).flatten() {
            let Some(scheme) = self.schemes().and_then(|schemes| schemes.get(name)) else { continue };
            let authorizer = self.api.content.authorizers.values().find(|authorizer| authorizer.name == *name);
            let header = text(scheme.get("name")).unwrap_or_default();
            if let Some(authorizer) = authorizer {
                let cognito = authorizer.kind == "COGNITO_USER_POOLS";
                method.authorization_type = if cognito { "COGNITO_USER_POOLS" } else { "CUSTOM" }.to_owned();
                method.authorizer_id = Some(authorizer.id.clone());
                method.authorization_scopes = list(Some(scopes)).filter(|scopes| !scopes.is_empty());
            } else if scheme.get("x-amazon-apigateway-authtype").and_then(Value::as_str) == Some("awsSigv4") {
                method.authorization_type = "AWS_IAM".to_owned();
            } else if header.eq_ignore_ascii_case(KEY_HEADER) {
                method.api_key_required = true;
            }
        }
        let auth = operation.pointer("/x-amazon-apigateway-auth/type").and_then(Value::as_str);
        if auth == Some("AWS_IAM") {
            method.authorization_type = "AWS_IAM".to_owned();
        }
        if none {
            method.authorization_type = "NONE".to_owned();
            method.authorizer_id = None;
        }
    }
}
