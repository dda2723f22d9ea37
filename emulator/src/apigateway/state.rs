//! What API Gateway keeps: APIs with what is in them, their deployments and stages; and what is keyed by the account.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::errors::not_found;
use super::keys::ApiKey;
use super::plans::UsagePlan;
use crate::cloud::Scope;
use crate::{Result, Timestamp};

/// The REST APIs of an account in a region, with what is keyed by the account: API keys, usage plans, domain names.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RestApis {
    pub(crate) apis: OrdMap<String, Api>,
    pub(crate) keys: OrdMap<String, ApiKey>,
    /// How many keys were made.
    pub(super) keys_made: u64,
    pub(crate) plans: OrdMap<String, UsagePlan>,
    /// Domain names, each with its base path mappings.
    pub(super) domains: OrdMap<String, super::domains::Domain>,
    pub(super) vpc_links: OrdMap<String, super::vpc_links::VpcLink>,
    pub(super) certificates: OrdMap<String, super::certificates::ClientCertificate>,
    pub(super) account: super::account::Account,
    /// What the tests of methods gave that nobody has fetched yet, by the ids of their requests.
    pub(super) tested: OrdMap<String, Value>,
    /// What authorizers answered: see `execute_api/authorize`.
    pub(crate) verdicts: OrdMap<String, Verdict>,
}

/// What a Lambda authorizer answered, for as long as it may be used again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Verdict {
    /// The authorizer's answer.
    pub answer: Value,
    /// Until when.
    pub until: Timestamp,
}

impl RestApis {
    /// Whether there is an API of this id.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.apis.contains_key(id)
    }

    /// Forgets the answers of authorizers under keys that begin so.
    pub(super) fn forget_verdicts(&mut self, prefix: &str) {
        let keys: Vec<String> = self.verdicts.range(prefix.to_owned()..).map(|(key, _)| key.clone()).collect();
        for key in keys.iter().take_while(|key| key.starts_with(prefix)) {
            self.verdicts.remove(key);
        }
    }

    pub(super) fn api(&self, scope: &Scope, id: &str) -> Result<&Api> {
        self.apis.get(id).ok_or_else(|| no_api(scope, id))
    }

    pub(super) fn api_mut(&mut self, scope: &Scope, id: &str) -> Result<&mut Api> {
        self.apis.get_mut(id).ok_or_else(|| no_api(scope, id))
    }
}

fn no_api(scope: &Scope, id: &str) -> crate::Error {
    not_found(format!("Invalid API identifier specified {}:{id}", scope.account))
}

/// A REST API with all that belongs to it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Api {
    pub rest: RestApi,
    pub content: Content,
    pub deployments: OrdMap<String, Deployment>,
    pub stages: OrdMap<String, Stage>,
    pub parts: OrdMap<String, super::documentation::Part>,
    /// How many parts were made.
    pub parts_made: u64,
    pub versions: OrdMap<String, super::documentation::Version>,
}

/// What a deployment is a picture of.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Content {
    /// By id.
    pub resources: OrdMap<String, Resource>,
    /// By name.
    pub models: OrdMap<String, Model>,
    pub validators: OrdMap<String, RequestValidator>,
    pub authorizers: OrdMap<String, Authorizer>,
    /// By response type; those that were set.
    pub responses: OrdMap<String, GatewayResponse>,
}

impl Content {
    pub fn resource(&self, id: &str) -> Result<&Resource> {
        self.resources.get(id).ok_or_else(no_resource)
    }

    pub fn resource_mut(&mut self, id: &str) -> Result<&mut Resource> {
        self.resources.get_mut(id).ok_or_else(no_resource)
    }

    /// The resource of this whole path.
    pub fn by_path(&self, path: &str) -> Option<&Resource> {
        self.resources.values().find(|resource| resource.path == path)
    }
}

fn no_resource() -> crate::Error {
    not_found("Invalid Resource identifier specified")
}

/// `RestApi` of the API Gateway API.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct RestApi {
    pub id: String,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub created_date: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binary_media_types: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_compression_size: Option<i64>,
    pub api_key_source: String,
    pub endpoint_configuration: EndpointConfiguration,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    #[serde(skip_serializing_if = "OrdMap::is_empty")]
    pub tags: OrdMap<String, String>,
    pub disable_execute_api_endpoint: bool,
    pub root_resource_id: String,
}

/// How an API is reached.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct EndpointConfiguration {
    pub types: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_address_type: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vpc_endpoint_ids: Vec<String>,
}

/// A resource: a path of an API.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Resource {
    pub id: String,
    pub parent_id: Option<String>,
    pub path_part: Option<String>,
    pub path: String,
    pub methods: OrdMap<String, Method>,
}

impl Resource {
    pub fn method(&self, name: &str) -> Result<&Method> {
        self.methods.get(name).ok_or_else(|| not_found("Invalid Method identifier specified"))
    }

    pub fn method_mut(&mut self, name: &str) -> Result<&mut Method> {
        self.methods.get_mut(name).ok_or_else(|| not_found("Invalid Method identifier specified"))
    }
}

/// A method of a resource. `None` for a map that was never given: AWS leaves it out of its answers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Method {
    pub http_method: String,
    pub authorization_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorizer_id: Option<String>,
    pub api_key_required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_validator_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_parameters: Option<OrdMap<String, bool>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_models: Option<OrdMap<String, String>>,
    #[serde(skip_serializing_if = "OrdMap::is_empty")]
    pub method_responses: OrdMap<String, MethodResponse>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method_integration: Option<Integration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_scopes: Option<Vec<String>>,
}

impl Method {
    pub fn integration(&self) -> Result<&Integration> {
        self.method_integration.as_ref().ok_or_else(|| not_found("Invalid Integration identifier specified"))
    }

    pub fn integration_mut(&mut self) -> Result<&mut Integration> {
        self.method_integration.as_mut().ok_or_else(|| not_found("Invalid Integration identifier specified"))
    }
}

/// A response that a method declares.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct MethodResponse {
    pub status_code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_parameters: Option<OrdMap<String, bool>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_models: Option<OrdMap<String, String>>,
}

/// What a method does with a request.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Integration {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_parameters: Option<OrdMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_templates: Option<OrdMap<String, Option<String>>>,
    pub passthrough_behavior: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_handling: Option<String>,
    pub timeout_in_millis: i64,
    pub cache_namespace: String,
    pub cache_key_parameters: Vec<String>,
    #[serde(skip_serializing_if = "OrdMap::is_empty")]
    pub integration_responses: OrdMap<String, IntegrationResponse>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_config: Option<TlsConfig>,
}

/// How the certificate of an HTTP endpoint is checked: recorded.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct TlsConfig {
    pub insecure_skip_verification: bool,
}

/// How an answer of the integration becomes one of the method.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct IntegrationResponse {
    pub status_code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selection_pattern: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_parameters: Option<OrdMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_templates: Option<OrdMap<String, Option<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_handling: Option<String>,
}

/// `Model`: a JSON schema for bodies.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Model {
    pub id: String,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    pub content_type: String,
}

/// What is checked of a request.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct RequestValidator {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub validate_request_body: bool,
    pub validate_request_parameters: bool,
}

/// Who decides who may call a method.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Authorizer {
    pub id: String,
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(rename = "providerARNs", skip_serializing_if = "Option::is_none")]
    pub provider_arns: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorizer_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorizer_credentials: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_validation_expression: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorizer_result_ttl_in_seconds: Option<i64>,
}

/// How the gateway itself answers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct GatewayResponse {
    pub response_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_code: Option<String>,
    pub response_parameters: OrdMap<String, String>,
    pub response_templates: OrdMap<String, String>,
    pub default_response: bool,
}

/// A picture of an API that stages show. It never changes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Deployment {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub created_date: Timestamp,
    /// The API's own settings as they were.
    pub rest: RestApi,
    pub content: Content,
}

/// A name under which a deployment is reached.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Stage {
    pub deployment_id: String,
    pub stage_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub cache_cluster_enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_cluster_size: Option<String>,
    pub cache_cluster_status: String,
    pub method_settings: OrdMap<String, MethodSetting>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variables: Option<OrdMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub documentation_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_log_settings: Option<OrdMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary_settings: Option<Canary>,
    pub tracing_enabled: bool,
    #[serde(skip_serializing_if = "OrdMap::is_empty")]
    pub tags: OrdMap<String, String>,
    pub created_date: Timestamp,
    pub last_updated_date: Timestamp,
}

/// Settings of a stage's methods: recorded.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct MethodSetting {
    pub metrics_enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logging_level: Option<String>,
    pub data_trace_enabled: bool,
    pub throttling_burst_limit: i64,
    pub throttling_rate_limit: f64,
    pub caching_enabled: bool,
    pub cache_ttl_in_seconds: i64,
    pub cache_data_encrypted: bool,
    pub require_authorization_for_cache_control: bool,
    pub unauthorized_cache_control_header_strategy: String,
}

impl Default for MethodSetting {
    /// The account's limits: <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
    fn default() -> Self {
        Self {
            metrics_enabled: false,
            logging_level: None,
            data_trace_enabled: false,
            throttling_burst_limit: 5000,
            throttling_rate_limit: 10_000.0,
            caching_enabled: false,
            cache_ttl_in_seconds: 300,
            cache_data_encrypted: false,
            require_authorization_for_cache_control: true,
            unauthorized_cache_control_header_strategy: "SUCCEED_WITH_RESPONSE_HEADER".to_owned(),
        }
    }
}

/// A canary: another deployment for a part of a stage's requests.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Canary {
    pub percent_traffic: f64,
    pub deployment_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage_variable_overrides: Option<OrdMap<String, String>>,
    pub use_stage_cache: bool,
}
