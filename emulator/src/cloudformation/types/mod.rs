//! Resource types: what CloudFormation knows of each, one file a type, and the one table of them.
//!
//! A type says which properties it honours and what a change of each means, and makes, changes and deletes its resource by
//! calls through the front door. <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/>

mod apigateway_documentation;
mod apigateway_domain;
mod apigateway_keys;
mod apigateway_method;
mod apigateway_parts;
mod apigateway_rest_api;
mod apigateway_stage;
mod apigatewayv2_api;
mod apigatewayv2_domain;
mod apigatewayv2_parts;
mod apigatewayv2_stage;
mod cloudformation_custom;
mod cloudformation_macro;
mod cloudformation_nothing;
mod cloudformation_stack;
mod cloudformation_wait;
mod cloudwatch_alarm;
mod door;
mod dynamodb_global_table;
mod dynamodb_table;
mod ec2_routes;
mod ec2_security_group;
mod ec2_vpc;
mod ecr_repository;
mod events_event_bus;
mod events_rule;
mod fit;
mod iam_access_key;
mod iam_holder;
mod iam_inline_policy;
mod iam_instance_profile;
mod iam_managed_policy;
mod iam_policy;
mod iam_provider;
mod iam_role;
mod iam_server_certificate;
mod iam_service_linked_role;
mod iam_user;
mod iam_virtual_mfa_device;
mod kinesis_stream;
mod kms_key;
mod lambda_event_source_mapping;
mod lambda_function;
mod lambda_layer;
mod lambda_permission;
mod lambda_signing;
mod lambda_url;
mod lambda_version;
mod logs_log_group;
mod logs_parts;
mod s3_bucket;
mod s3_bucket_policy;
mod s3_bucket_shapes;
mod scheduler_schedule;
mod scheduler_schedule_group;
mod secretsmanager_policy;
mod secretsmanager_rotation;
mod secretsmanager_secret;
mod sns_subscription;
mod sns_topic;
mod sqs_queue;
mod sqs_queue_policy;
mod ssm_parameter;
mod task;

use std::pin::Pin;

pub(super) use door::Door;
use serde_json::{Map, Value};
pub(super) use task::Task;

use crate::Result;

/// All types that there are here.
static TYPES: &[&ResourceType] = &[
    &apigateway_documentation::PART,
    &apigateway_documentation::VERSION,
    &apigateway_domain::BASE_PATH_MAPPING,
    &apigateway_domain::DOMAIN_NAME,
    &apigateway_domain::VPC_LINK,
    &apigateway_keys::ACCOUNT,
    &apigateway_keys::API_KEY,
    &apigateway_keys::CLIENT_CERTIFICATE,
    &apigateway_keys::USAGE_PLAN,
    &apigateway_keys::USAGE_PLAN_KEY,
    &apigateway_method::TYPE,
    &apigateway_parts::AUTHORIZER,
    &apigateway_parts::GATEWAY_RESPONSE,
    &apigateway_parts::MODEL,
    &apigateway_parts::REQUEST_VALIDATOR,
    &apigateway_parts::RESOURCE,
    &apigateway_rest_api::TYPE,
    &apigateway_stage::DEPLOYMENT,
    &apigateway_stage::STAGE,
    &apigatewayv2_api::TYPE,
    &apigatewayv2_domain::DOMAIN_NAME,
    &apigatewayv2_domain::VPC_LINK,
    &apigatewayv2_parts::API_MAPPING,
    &apigatewayv2_parts::AUTHORIZER,
    &apigatewayv2_parts::DEPLOYMENT,
    &apigatewayv2_parts::INTEGRATION,
    &apigatewayv2_parts::INTEGRATION_RESPONSE,
    &apigatewayv2_parts::MODEL,
    &apigatewayv2_parts::ROUTE,
    &apigatewayv2_parts::ROUTE_RESPONSE,
    &apigatewayv2_stage::TYPE,
    &cloudformation_custom::TYPE,
    &cloudformation_macro::TYPE,
    &cloudformation_nothing::METADATA,
    &cloudformation_stack::TYPE,
    &cloudformation_wait::CONDITION,
    &cloudformation_wait::HANDLE,
    &cloudwatch_alarm::COMPOSITE_ALARM,
    &cloudwatch_alarm::DASHBOARD,
    &cloudwatch_alarm::TYPE,
    &dynamodb_global_table::TYPE,
    &dynamodb_table::TYPE,
    &ec2_routes::EIP,
    &ec2_routes::NAT_GATEWAY,
    &ec2_routes::ROUTE,
    &ec2_routes::ROUTE_TABLE,
    &ec2_routes::SUBNET_ASSOCIATION,
    &ec2_routes::VPC_ENDPOINT,
    &ec2_security_group::EGRESS,
    &ec2_security_group::GROUP,
    &ec2_security_group::INGRESS,
    &ec2_vpc::GATEWAY_ATTACHMENT,
    &ec2_vpc::INTERNET_GATEWAY,
    &ec2_vpc::SUBNET,
    &ec2_vpc::VPC,
    &ecr_repository::TYPE,
    &events_event_bus::POLICY,
    &events_event_bus::TYPE,
    &events_rule::TYPE,
    &iam_access_key::TYPE,
    &iam_inline_policy::GROUP,
    &iam_inline_policy::ROLE,
    &iam_inline_policy::USER,
    &iam_instance_profile::TYPE,
    &iam_managed_policy::TYPE,
    &iam_policy::TYPE,
    &iam_provider::OIDC,
    &iam_provider::SAML,
    &iam_role::TYPE,
    &iam_server_certificate::TYPE,
    &iam_service_linked_role::TYPE,
    &iam_user::ADDITION,
    &iam_user::GROUP,
    &iam_user::USER,
    &iam_virtual_mfa_device::TYPE,
    &kinesis_stream::TYPE,
    &kms_key::ALIAS,
    &kms_key::KEY,
    &lambda_event_source_mapping::TYPE,
    &lambda_function::TYPE,
    &lambda_layer::PERMISSION,
    &lambda_layer::VERSION,
    &lambda_permission::TYPE,
    &lambda_signing::TYPE,
    &lambda_url::TYPE,
    &lambda_version::ALIAS,
    &lambda_version::EVENT_INVOKE_CONFIG,
    &lambda_version::VERSION,
    &logs_log_group::TYPE,
    &logs_parts::LOG_STREAM,
    &logs_parts::METRIC_FILTER,
    &logs_parts::QUERY_DEFINITION,
    &logs_parts::RESOURCE_POLICY,
    &logs_parts::SUBSCRIPTION_FILTER,
    &s3_bucket::TYPE,
    &s3_bucket_policy::TYPE,
    &scheduler_schedule::TYPE,
    &scheduler_schedule_group::TYPE,
    &sns_subscription::TOPIC_POLICY,
    &sns_subscription::TYPE,
    &sns_topic::TYPE,
    &sqs_queue::TYPE,
    &sqs_queue_policy::INLINE,
    &sqs_queue_policy::TYPE,
    &secretsmanager_policy::TYPE,
    &secretsmanager_rotation::TYPE,
    &secretsmanager_secret::TYPE,
    &ssm_parameter::TYPE,
];

/// The type of this name. What begins with `Custom::` is a custom resource.
pub(super) fn find(name: &str) -> Option<&'static ResourceType> {
    if name.strip_prefix(cloudformation_custom::PREFIX).is_some_and(|rest| !rest.is_empty()) {
        return Some(&cloudformation_custom::TYPE);
    }
    TYPES.iter().copied().find(|kind| kind.name == name)
}

/// What CloudFormation knows of a type of resources.
pub(super) struct ResourceType {
    /// `AWS::S3::Bucket`.
    pub name: &'static str,
    /// The properties that are honoured.
    pub properties: &'static [Property],
    /// The property that names the resource, where there is one: a replacement needs another name.
    pub name_property: Option<&'static str>,
    /// Makes the resource.
    pub create: for<'a> fn(&'a Task<'a>) -> Doing<'a, Made>,
    /// Changes what may change in place; the attributes as they are then.
    pub update: for<'a> fn(&'a Task<'a>) -> Doing<'a, Made>,
    /// Deletes the resource. One that is gone already is an error here, which the engine takes for success.
    pub delete: for<'a> fn(&'a Task<'a>) -> Doing<'a, ()>,
}

impl ResourceType {
    /// What is known of a property.
    pub fn property(&self, name: &str) -> Option<&'static Property> {
        let known = |name: &str| self.properties.iter().find(|property| property.name == name);
        known(name).or_else(|| known(ANY))
    }

    /// Whether templates may give it any properties: what they mean, somebody else knows.
    pub fn is_custom(&self) -> bool {
        self.properties.iter().any(|property| property.name == ANY)
    }

    /// The first required property that is not there.
    pub fn lacks(&self, properties: &Map<String, Value>) -> Option<&'static str> {
        let mut required = self.properties.iter().filter(|property| property.required);
        required.find(|property| !properties.contains_key(property.name)).map(|property| property.name)
    }

    /// Whether the resource must be made anew to get from some properties to others.
    pub fn must_replace(&self, old: &Map<String, Value>, new: &Map<String, Value>) -> bool {
        self.properties.iter().any(|p| p.change == Change::Replacement && old.get(p.name) != new.get(p.name))
    }
}

/// The name of a property that stands for all others.
const ANY: &str = "*";

/// A property that is honoured.
pub(super) struct Property {
    /// Its name.
    pub name: &'static str,
    /// Whether there must be one.
    pub required: bool,
    /// What a change of it means.
    pub change: Change,
}

/// What a change of a property means: "Update requires" of its reference page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// No interruption, or some.
    InPlace,
    /// The resource is made anew, and the old one deleted.
    Replacement,
}

/// A property that may change.
const fn may_change(name: &'static str) -> Property {
    Property { name, required: false, change: Change::InPlace }
}

/// A property whose change replaces the resource.
const fn replaces(name: &'static str) -> Property {
    Property { name, required: false, change: Change::Replacement }
}

impl Property {
    /// The same property, which there must be.
    const fn required(self) -> Self {
        Self { required: true, ..self }
    }
}

/// Work that may wait.
pub(super) type Doing<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// A resource that was made.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Made {
    /// What `Ref` gives.
    pub physical_id: String,
    /// What `Fn::GetAtt` gives.
    pub attributes: Map<String, Value>,
    /// Whether events must not show these attributes.
    pub no_echo: bool,
}

impl Made {
    fn new<const N: usize>(physical_id: impl Into<String>, attributes: [(&str, Value); N]) -> Self {
        let attributes = attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { physical_id: physical_id.into(), attributes, no_echo: false }
    }
}
