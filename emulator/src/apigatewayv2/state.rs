//! What there is: APIs with their parts, domain names, VPC links. Plain data, as AWS's model names it.
//!
//! Each struct is at once what is kept, what `Create…` and `Update…` read, and what is answered: a member that is none was never
//! given, and members that the answer's shape does not have are not written.

use bytes::Bytes;
use imbl::{OrdMap, Vector};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Timestamp;
use crate::cloud::{Asks, Inquiries};

/// Names to values: tags, stage variables, templates.
pub(super) type Texts = OrdMap<String, String>;

/// The WebSocket and HTTP APIs of an account in a region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Apis {
    pub(super) apis: OrdMap<String, Api>,
    pub(super) domains: OrdMap<String, Domain>,
    pub(super) vpc_links: OrdMap<String, VpcLink>,
    pub(super) connections: OrdMap<String, Connection>,
    pub(super) outboxes: OrdMap<String, Outbox>,
    pub(super) inquiries: Inquiries,
    /// The keys of issuers of tokens, by the issuer.
    pub(super) issuers: OrdMap<String, IssuerKeys>,
}

impl Asks for Apis {
    fn inquiries(&mut self) -> &mut Inquiries {
        &mut self.inquiries
    }
}

/// The keys of an issuer of tokens, and how long they may be used.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct IssuerKeys {
    /// A JSON Web Key Set: RFC 7517.
    pub keys: Value,
    pub until: Timestamp,
}

/// An API with its parts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Api {
    pub definition: Definition,
    pub routes: OrdMap<String, Route>,
    pub route_responses: OrdMap<String, RouteResponse>,
    pub integrations: OrdMap<String, Integration>,
    pub integration_responses: OrdMap<String, IntegrationResponse>,
    pub authorizers: OrdMap<String, Authorizer>,
    pub models: OrdMap<String, Model>,
    pub stages: OrdMap<String, Stage>,
    pub deployments: OrdMap<String, Deployed>,
}

impl Api {
    /// Whether clients speak WebSocket with it.
    pub fn is_websocket(&self) -> bool {
        self.definition.protocol_type.as_deref() == Some("WEBSOCKET")
    }

    /// What a stage serves now; none if nothing is deployed there.
    pub fn served(&self, stage: &Stage) -> Option<&Served> {
        self.deployments.get(stage.deployment_id.as_ref()?).map(|deployed| &deployed.served)
    }

    /// What would be served if it were deployed now.
    pub fn as_served(&self) -> Served {
        Served {
            definition: self.definition.clone(),
            routes: self.routes.clone(),
            route_responses: self.route_responses.clone(),
            integrations: self.integrations.clone(),
            integration_responses: self.integration_responses.clone(),
            authorizers: self.authorizers.clone(),
        }
    }
}

/// The API itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Definition {
    pub api_endpoint: Option<String>,
    pub api_gateway_managed: Option<bool>,
    pub api_id: Option<String>,
    pub api_key_selection_expression: Option<String>,
    pub cors_configuration: Option<Cors>,
    pub created_date: Option<Timestamp>,
    pub description: Option<String>,
    pub disable_execute_api_endpoint: Option<bool>,
    pub disable_schema_validation: Option<bool>,
    pub import_info: Option<Vec<String>>,
    pub ip_address_type: Option<String>,
    pub name: Option<String>,
    pub protocol_type: Option<String>,
    pub route_selection_expression: Option<String>,
    pub tags: Option<Texts>,
    pub version: Option<String>,
    pub warnings: Option<Vec<String>>,
}

/// Cross-origin resource sharing of an HTTP API, or of a function URL.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Cors {
    pub allow_credentials: Option<bool>,
    pub allow_headers: Option<Vec<String>>,
    pub allow_methods: Option<Vec<String>>,
    pub allow_origins: Option<Vec<String>>,
    pub expose_headers: Option<Vec<String>>,
    pub max_age: Option<i32>,
}

/// A route: what kind of request goes to which integration.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Route {
    pub api_id: Option<String>,
    pub route_id: Option<String>,
    pub api_gateway_managed: Option<bool>,
    pub api_key_required: Option<bool>,
    pub authorization_scopes: Option<Vec<String>>,
    pub authorization_type: Option<String>,
    pub authorizer_id: Option<String>,
    pub model_selection_expression: Option<String>,
    pub operation_name: Option<String>,
    pub request_models: Option<Texts>,
    pub request_parameters: Option<OrdMap<String, Value>>,
    pub route_key: Option<String>,
    pub route_response_selection_expression: Option<String>,
    pub target: Option<String>,
}

/// That a route answers its client.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct RouteResponse {
    pub api_id: Option<String>,
    pub route_id: Option<String>,
    pub route_response_id: Option<String>,
    pub model_selection_expression: Option<String>,
    pub response_models: Option<Texts>,
    pub response_parameters: Option<OrdMap<String, Value>>,
    pub route_response_key: Option<String>,
}

/// Where a route leads.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Integration {
    pub api_id: Option<String>,
    pub integration_id: Option<String>,
    pub api_gateway_managed: Option<bool>,
    pub connection_id: Option<String>,
    pub connection_type: Option<String>,
    pub content_handling_strategy: Option<String>,
    pub credentials_arn: Option<String>,
    pub description: Option<String>,
    pub integration_method: Option<String>,
    pub integration_response_selection_expression: Option<String>,
    pub integration_subtype: Option<String>,
    pub integration_type: Option<String>,
    pub integration_uri: Option<String>,
    pub passthrough_behavior: Option<String>,
    pub payload_format_version: Option<String>,
    pub request_parameters: Option<Texts>,
    pub request_templates: Option<Texts>,
    pub response_parameters: Option<OrdMap<String, Texts>>,
    pub template_selection_expression: Option<String>,
    pub timeout_in_millis: Option<u64>,
    pub tls_config: Option<TlsConfig>,
}

/// How an integration's certificate is checked.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct TlsConfig {
    pub server_name_to_verify: Option<String>,
}

/// What becomes of an integration's answer.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct IntegrationResponse {
    pub api_id: Option<String>,
    pub integration_id: Option<String>,
    pub integration_response_id: Option<String>,
    pub content_handling_strategy: Option<String>,
    pub integration_response_key: Option<String>,
    pub response_parameters: Option<Texts>,
    pub response_templates: Option<Texts>,
    pub template_selection_expression: Option<String>,
}

/// Who may call.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Authorizer {
    pub api_id: Option<String>,
    pub authorizer_id: Option<String>,
    pub authorizer_credentials_arn: Option<String>,
    pub authorizer_payload_format_version: Option<String>,
    pub authorizer_result_ttl_in_seconds: Option<u32>,
    pub authorizer_type: Option<String>,
    pub authorizer_uri: Option<String>,
    pub enable_simple_responses: Option<bool>,
    pub identity_source: Option<Vec<String>>,
    pub identity_validation_expression: Option<String>,
    pub jwt_configuration: Option<JwtConfiguration>,
    pub name: Option<String>,
}

/// Whose tokens a JWT authorizer takes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct JwtConfiguration {
    pub audience: Option<Vec<String>>,
    pub issuer: Option<String>,
}

/// The form of a message.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Model {
    pub api_id: Option<String>,
    pub model_id: Option<String>,
    pub content_type: Option<String>,
    pub description: Option<String>,
    pub name: Option<String>,
    pub schema: Option<String>,
}

/// A name under which a deployment is served.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Stage {
    pub api_id: Option<String>,
    pub access_log_settings: Option<AccessLogSettings>,
    pub api_gateway_managed: Option<bool>,
    pub auto_deploy: Option<bool>,
    pub client_certificate_id: Option<String>,
    pub created_date: Option<Timestamp>,
    pub default_route_settings: Option<RouteSettings>,
    pub deployment_id: Option<String>,
    pub description: Option<String>,
    pub last_deployment_status_message: Option<String>,
    pub last_updated_date: Option<Timestamp>,
    pub route_settings: Option<OrdMap<String, RouteSettings>>,
    pub stage_name: Option<String>,
    pub stage_variables: Option<Texts>,
    pub tags: Option<Texts>,
}

/// Where a stage writes who called.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct AccessLogSettings {
    pub destination_arn: Option<String>,
    pub format: Option<String>,
}

/// What a stage does with a route.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct RouteSettings {
    pub data_trace_enabled: Option<bool>,
    pub detailed_metrics_enabled: Option<bool>,
    pub logging_level: Option<String>,
    pub throttling_burst_limit: Option<i64>,
    pub throttling_rate_limit: Option<f64>,
}

/// A deployment and what was deployed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Deployed {
    pub deployment: Deployment,
    pub served: Served,
}

/// The API as it was at a deployment. Its maps are shared with the API's own.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Served {
    pub definition: Definition,
    pub routes: OrdMap<String, Route>,
    pub route_responses: OrdMap<String, RouteResponse>,
    pub integrations: OrdMap<String, Integration>,
    pub integration_responses: OrdMap<String, IntegrationResponse>,
    pub authorizers: OrdMap<String, Authorizer>,
}

/// A deployment.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Deployment {
    pub api_id: Option<String>,
    pub auto_deployed: Option<bool>,
    pub created_date: Option<Timestamp>,
    pub deployment_id: Option<String>,
    pub deployment_status: Option<String>,
    pub description: Option<String>,
}

/// A domain name of one's own, and which APIs it leads to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Domain {
    pub name: DomainName,
    pub mappings: OrdMap<String, ApiMapping>,
    /// Whether the name is one that the API of REST APIs made, and is here for its mappings alone.
    #[serde(default)]
    pub borrowed: bool,
}

/// A domain name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct DomainName {
    pub api_mapping_selection_expression: Option<String>,
    pub domain_name: Option<String>,
    pub domain_name_arn: Option<String>,
    pub domain_name_configurations: Option<Vec<Value>>,
    pub mutual_tls_authentication: Option<Value>,
    pub routing_mode: Option<String>,
    pub tags: Option<Texts>,
}

/// Which API a path of a domain name leads to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ApiMapping {
    pub api_id: Option<String>,
    pub api_mapping_id: Option<String>,
    pub api_mapping_key: Option<String>,
    pub domain_name: Option<String>,
    pub stage: Option<String>,
}

/// A way into a private network.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct VpcLink {
    pub created_date: Option<Timestamp>,
    pub name: Option<String>,
    pub security_group_ids: Option<Vec<String>>,
    pub subnet_ids: Option<Vec<String>>,
    pub tags: Option<Texts>,
    pub vpc_link_id: Option<String>,
    pub vpc_link_status: Option<String>,
    pub vpc_link_status_message: Option<String>,
    pub vpc_link_version: Option<String>,
}

/// A client that is connected to a WebSocket API.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Connection {
    pub api_id: String,
    pub stage: String,
    pub connected_at: Timestamp,
    pub last_active_at: Timestamp,
    pub source_ip: String,
    pub user_agent: String,
    /// The host name that the client connected to: `requestContext.domainName`.
    pub domain: String,
    /// What the authorizer said: `requestContext.authorizer`.
    pub authorizer: Option<Value>,
    /// Whether the client is gone without a word: nobody has noticed yet.
    pub vanished: bool,
}

/// What waits to be sent to a client. It outlives its connection until the client's side has let go of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Outbox {
    pub frames: Vector<Bytes>,
    /// The size of all of them.
    pub bytes: usize,
    /// How many frames were taken out so far.
    pub taken: u64,
    /// How the connection was closed from this side, if it was: after the last frame.
    pub close: Option<Close>,
}

/// A close frame: RFC 6455, section 7.4.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Close {
    pub code: u16,
    pub reason: String,
}
