//! The execution role that SAM generates for a function without one.

use serde_json::{Map, Value, json};

use super::policies::{self, Policy};
use super::{invalid, is_intrinsic};
use crate::Result;

/// A role in the making: events add to it.
pub(super) struct Role {
    trust: Value,
    managed: Vec<Value>,
    inline: Vec<Value>,
    path: Value,
    boundary: Value,
    tags: Vec<Value>,
}

impl Role {
    pub fn of_function(
        id: &str,
        properties: &Map<String, Value>,
        tags: Vec<Value>,
        invoke_policies: Vec<Value>,
    ) -> Result<Self> {
        let get = |name: &str| properties.get(name).cloned().unwrap_or(Value::Null);
        let trust = properties.get("AssumeRolePolicyDocument").cloned();
        let mut role = Self {
            trust: trust.unwrap_or_else(|| trust_policy("lambda.amazonaws.com")),
            managed: vec![managed_policy("service-role/AWSLambdaBasicExecutionRole")],
            inline: Vec::new(),
            path: get("RolePath"),
            boundary: get("PermissionsBoundary"),
            tags,
        };
        if properties.get("Tracing").is_some_and(|mode| mode.as_str() != Some("Disabled")) {
            role.attach(managed_policy("AWSXrayWriteOnlyAccess"));
        }
        if properties.contains_key("VpcConfig") {
            role.attach(managed_policy("service-role/AWSLambdaVPCAccessExecutionRole"));
        }
        if let Some(queue) = properties.get("DeadLetterQueue") {
            role.inline.push(dead_letter_policy(id, queue)?);
        }
        role.inline.extend(invoke_policies);
        for (index, policy) in policies::read(id, properties.get("Policies"))?.into_iter().enumerate() {
            match policy {
                Policy::Managed(arn) => role.attach(arn),
                Policy::Inline(document) => role.inline.push(json!({
                    "PolicyName": format!("{id}RolePolicy{index}"),
                    "PolicyDocument": document,
                })),
            }
        }
        Ok(role)
    }

    /// Attaches a managed policy once.
    pub fn attach(&mut self, arn: Value) {
        if !self.managed.contains(&arn) {
            self.managed.push(arn);
        }
    }

    /// Adds an inline policy.
    pub fn add(&mut self, policy: Value) {
        self.inline.push(policy);
    }

    pub fn into_properties(self) -> Value {
        json!({
            "AssumeRolePolicyDocument": self.trust,
            "ManagedPolicyArns": self.managed,
            "Policies": if self.inline.is_empty() { Value::Null } else { Value::Array(self.inline) },
            "Path": self.path,
            "PermissionsBoundary": self.boundary,
            "Tags": self.tags,
        })
    }
}

/// Lets a service assume the role.
pub(super) fn trust_policy(service: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{"Action": ["sts:AssumeRole"], "Effect": "Allow", "Principal": {"Service": [service]}}],
    })
}

/// The ARN of an AWS managed policy. SAM writes the partition out; Garoa has only `aws`.
pub(super) fn managed_policy(name: &str) -> Value {
    format!("arn:aws:iam::aws:policy/{name}").into()
}

/// A policy of one statement, named as SAM names it.
pub(super) fn allow(name: String, action: &str, resource: &Value) -> Value {
    json!({
        "PolicyName": name,
        "PolicyDocument": {"Statement": [{"Action": action, "Effect": "Allow", "Resource": resource}]},
    })
}

/// What a role needs to send to a destination; `None` if SAM knows no such type.
pub(super) fn destination_policy(owner: &str, kind: &str, arn: &Value) -> Option<Value> {
    Some(match kind {
        "SQS" => allow(format!("{owner}SQSPolicy"), "sqs:SendMessage", arn),
        "SNS" => allow(format!("{owner}SNSPolicy"), "sns:publish", arn),
        "EventBridge" => allow(format!("{owner}EventBridgePolicy"), "events:PutEvents", arn),
        "Lambda" => allow(format!("{owner}LambdaPolicy"), "lambda:InvokeFunction", arn),
        "S3Bucket" => json!({
            "PolicyName": format!("{owner}S3Policy"),
            "PolicyDocument": {"Statement": [
                {"Action": "s3:PutObject", "Effect": "Allow", "Resource": {"Fn::Join": ["/", [arn, "*"]]}},
                {"Action": "s3:ListBucket", "Effect": "Allow", "Resource": arn},
            ]},
        }),
        _ => return None,
    })
}

fn dead_letter_policy(id: &str, queue: &Value) -> Result<Value> {
    let (Some(kind), Some(arn)) = (queue.get("Type"), queue.get("TargetArn")) else {
        return Err(invalid(id, "'DeadLetterQueue' requires Type and TargetArn properties to be specified."));
    };
    let action = match kind.as_str() {
        Some("SQS") => "sqs:SendMessage",
        Some("SNS") => "sns:Publish",
        _ if is_intrinsic(kind) => return Err(invalid(id, "Property 'DeadLetterQueue.Type' should be a string.")),
        _ => return Err(invalid(id, "'DeadLetterQueue' requires Type of ['SQS', 'SNS']")),
    };
    Ok(json!({
        "PolicyName": "DeadLetterQueuePolicy",
        "PolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": action, "Resource": arn, "Effect": "Allow"}],
        },
    }))
}
