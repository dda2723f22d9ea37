//! A function's `Policies`: managed policies, statements, and SAM's policy templates.
//!
//! The templates' actions and resources follow "AWS SAM policy template list". Those of services
//! that Garoa has not are refused by name.

use serde_json::{Value, json};

use super::role::managed_policy;
use super::{invalid, is_intrinsic};
use crate::{Error, Result};

/// One entry.
pub(super) enum Policy {
    /// The ARN, or a function that gives it.
    Managed(Value),
    /// A policy document.
    Inline(Value),
}

/// AWS managed policies live under paths: names with another path than the root.
const SERVICE_ROLES: [&str; 9] = [
    "AWSLambdaBasicExecutionRole",
    "AWSLambdaDynamoDBExecutionRole",
    "AWSLambdaENIManagementAccess",
    "AWSLambdaKinesisExecutionRole",
    "AWSLambdaMSKExecutionRole",
    "AWSLambdaRole",
    "AWSLambdaSQSQueueExecutionRole",
    "AWSLambdaVPCAccessExecutionRole",
    "AWSLambdaBasicDurableExecutionRolePolicy",
];

pub(super) fn read(id: &str, policies: Option<&Value>) -> Result<Vec<Policy>> {
    let entries: Vec<&Value> = match policies {
        None => Vec::new(),
        Some(Value::Array(entries)) => entries.iter().collect(),
        Some(one) => vec![one],
    };
    entries.into_iter().enumerate().map(|(index, entry)| policy(id, index, entry)).collect()
}

fn policy(id: &str, index: usize, entry: &Value) -> Result<Policy> {
    match entry {
        Value::String(name) if name.starts_with("arn:") => Ok(Policy::Managed(entry.clone())),
        Value::String(name) if SERVICE_ROLES.contains(&name.as_str()) => {
            Ok(Policy::Managed(managed_policy(&format!("service-role/{name}"))))
        }
        Value::String(name) => Ok(Policy::Managed(managed_policy(name))),
        Value::Object(members) if members.contains_key("Statement") => Ok(Policy::Inline(entry.clone())),
        // Whether the branches are statements, templates or ARNs decides what SAM makes of them.
        Value::Object(members) if members.contains_key("Fn::If") => {
            Err(Error::not_implemented(format_args!("Fn::If in Policies (resource {id}, policy {index})")))
        }
        _ if is_intrinsic(entry) => Ok(Policy::Managed(entry.clone())),
        Value::Object(members) if members.len() == 1 => {
            let (name, arguments) = members.iter().next().ok_or_else(|| bad(id, index))?;
            template(id, name, arguments).map(Policy::Inline)
        }
        _ => Err(bad(id, index)),
    }
}

fn bad(id: &str, index: usize) -> Error {
    invalid(id, format_args!("Policy at index {index} in the 'Policies' property is not valid"))
}

/// What a template's resource is, and which parameters name it.
enum Target {
    /// `*`
    Everything,
    /// `service:region:account:` and the parameter's name.
    Regional(&'static str, &'static str),
    /// Both a table and its indexes.
    Table,
    /// A bucket and its objects.
    Bucket,
    /// A parameter that is an ARN.
    Arn(&'static str),
}

/// The document of a SAM policy template.
fn template(id: &str, name: &str, arguments: &Value) -> Result<Value> {
    let (actions, target): (&[&str], Target) = match name {
        "S3ReadPolicy" => (&S3_READ, Target::Bucket),
        "S3WritePolicy" => (&["s3:PutObject", "s3:PutObjectAcl", "s3:PutLifecycleConfiguration"], Target::Bucket),
        "S3CrudPolicy" => (&S3_CRUD, Target::Bucket),
        "DynamoDBReadPolicy" => (&DYNAMODB_READ, Target::Table),
        "DynamoDBWritePolicy" => {
            (&["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"], Target::Table)
        }
        "DynamoDBCrudPolicy" => (&DYNAMODB_CRUD, Target::Table),
        "SQSPollerPolicy" => (&SQS_POLLER, Target::Regional("sqs", "QueueName")),
        "SQSSendMessagePolicy" => (&["sqs:SendMessage*"], Target::Regional("sqs", "QueueName")),
        "SNSPublishMessagePolicy" => (&["sns:Publish"], Target::Regional("sns", "TopicName")),
        "LambdaInvokePolicy" => (&["lambda:InvokeFunction"], Target::Regional("lambda", "FunctionName")),
        "FilterLogEventsPolicy" => (&["logs:FilterLogEvents"], Target::Regional("logs", "LogGroupName")),
        "AWSSecretsManagerGetSecretValuePolicy" => (&["secretsmanager:GetSecretValue"], Target::Arn("SecretArn")),
        "CloudWatchPutMetricPolicy" => (&["cloudwatch:PutMetricData"], Target::Everything),
        _ => return Err(Error::not_implemented(format_args!("the SAM policy template {name} (resource {id})"))),
    };
    let parameter = match target {
        Target::Everything => None,
        Target::Bucket => Some("BucketName"),
        Target::Table => Some("TableName"),
        Target::Regional(_, parameter) | Target::Arn(parameter) => Some(parameter),
    };
    let Some(members) = arguments.as_object() else {
        return Err(invalid(id, format_args!("Must specify valid parameter values for policy template '{name}'")));
    };
    // SAM ignores parameters that the template does not have.
    let argument = match parameter {
        None => Value::Null,
        Some(parameter) => members.get(parameter).cloned().ok_or_else(|| {
            invalid(
                id,
                format_args!(
                    "Following required parameters of policy template '{name}' don't have values: ['{parameter}']"
                ),
            )
        })?,
    };
    let resource = resources(&target, &variable(parameter.unwrap_or_default()), &argument);
    Ok(json!({"Statement": [{"Action": actions, "Effect": "Allow", "Resource": resource}]}))
}

const S3_READ: [&str; 5] =
    ["s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation", "s3:GetObjectVersion", "s3:GetLifecycleConfiguration"];
const S3_CRUD: [&str; 9] = [
    "s3:GetObject",
    "s3:ListBucket",
    "s3:GetBucketLocation",
    "s3:GetObjectVersion",
    "s3:PutObject",
    "s3:PutObjectAcl",
    "s3:GetLifecycleConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:DeleteObject",
];
const DYNAMODB_READ: [&str; 5] =
    ["dynamodb:GetItem", "dynamodb:Scan", "dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:DescribeTable"];
const DYNAMODB_CRUD: [&str; 10] = [
    "dynamodb:GetItem",
    "dynamodb:DeleteItem",
    "dynamodb:PutItem",
    "dynamodb:Scan",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:BatchGetItem",
    "dynamodb:DescribeTable",
    "dynamodb:ConditionCheckItem",
];
const SQS_POLLER: [&str; 6] = [
    "sqs:ChangeMessageVisibility",
    "sqs:ChangeMessageVisibilityBatch",
    "sqs:DeleteMessage",
    "sqs:DeleteMessageBatch",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
];

/// The name that SAM gives a parameter within `Fn::Sub`: `TableName` becomes `tableName`.
fn variable(parameter: &str) -> String {
    let mut letters = parameter.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

/// The `Resource` of a template's statement.
fn resources(target: &Target, variable: &str, argument: &Value) -> Value {
    // `@` stands for the parameter.
    let sub =
        |pattern: &str| json!({"Fn::Sub": [pattern.replace('@', &format!("${{{variable}}}")), {variable: argument}]});
    let regional = |service: &str, rest: &str| {
        sub(&["arn:${AWS::Partition}:", service, ":${AWS::Region}:${AWS::AccountId}:", rest].concat())
    };
    match target {
        Target::Everything => "*".into(),
        Target::Arn(_) => sub("@"),
        Target::Bucket => json!([sub("arn:${AWS::Partition}:s3:::@"), sub("arn:${AWS::Partition}:s3:::@/*")]),
        Target::Table => json!([regional("dynamodb", "table/@"), regional("dynamodb", "table/@/index/*")]),
        Target::Regional("lambda", _) => regional("lambda", "function:@*"),
        Target::Regional("logs", _) => json!([regional("logs", "log-group:@:log-stream:*")]),
        Target::Regional(service, _) => regional(service, "@"),
    }
}
