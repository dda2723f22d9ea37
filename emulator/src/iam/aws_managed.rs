//! AWS's own managed policies: those that serverless stacks attach most. Others are answered as if they did not exist.
//!
//! <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html>

use std::collections::BTreeMap;
use std::sync::LazyLock;

use imbl::OrdMap;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::aws_managed_rows;
use super::directory::{ManagedPolicy, PolicyVersion};
use super::policy::{Policy, Purpose};
use crate::Timestamp;

/// The policy of an ARN, `arn:aws:iam::aws:policy/…`.
pub(super) fn get(arn: &str) -> Option<&'static ManagedPolicy> {
    POLICIES.get(arn)
}

/// All of them, by ARN.
pub(super) fn all<'a>() -> impl Iterator<Item = &'a ManagedPolicy> {
    POLICIES.values()
}

static POLICIES: LazyLock<BTreeMap<String, ManagedPolicy>> =
    LazyLock::new(|| every_row().filter_map(policy).map(|policy| (policy.arn.clone(), policy)).collect());

fn every_row() -> impl Iterator<Item = Row> {
    rows().into_iter().chain(aws_managed_rows::rows())
}

/// Path, name, number and time of the default version, statements.
pub(super) type Row = (&'static str, &'static str, u32, &'static str, Value);

pub(super) const SERVICE_ROLE: &str = "/service-role/";
pub(super) const LOGS: [&str; 3] = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"];

fn rows() -> Vec<Row> {
    let with_logs = |actions: &[&'static str]| allow(&[actions, &LOGS].concat());
    vec![
        ("/", "AdministratorAccess", 1, "2015-02-06T18:39:46Z", json!([statement("*")])),
        (SERVICE_ROLE, "AWSLambdaBasicExecutionRole", 1, "2015-04-09T15:03:43Z", allow(&LOGS)),
        (SERVICE_ROLE, "AWSLambdaVPCAccessExecutionRole", 3, "2024-01-05T22:38:26Z", vpc_access()),
        (
            SERVICE_ROLE,
            "AWSLambdaSQSQueueExecutionRole",
            1,
            "2018-06-14T21:50:45Z",
            with_logs(&["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]),
        ),
        (
            SERVICE_ROLE,
            "AWSLambdaDynamoDBExecutionRole",
            1,
            "2015-04-09T15:09:29Z",
            with_logs(&[
                "dynamodb:DescribeStream",
                "dynamodb:GetRecords",
                "dynamodb:GetShardIterator",
                "dynamodb:ListStreams",
            ]),
        ),
        ("/", "AWSLambdaExecute", 1, "2015-02-06T18:40:46Z", lambda_execute()),
        (SERVICE_ROLE, "AWSLambdaRole", 1, "2015-02-06T18:41:28Z", allow(&["lambda:InvokeFunction"])),
        ("/", "AWSXRayDaemonWriteAccess", 2, "2024-02-13T21:58:30Z", xray()),
        (
            "/",
            "AmazonS3ReadOnlyAccess",
            3,
            "2023-08-10T21:31:39Z",
            allow(&["s3:Get*", "s3:List*", "s3:Describe*", "s3-object-lambda:Get*", "s3-object-lambda:List*"]),
        ),
        ("/", "AmazonS3FullAccess", 2, "2021-09-27T20:16:37Z", allow(&["s3:*", "s3-object-lambda:*"])),
        ("/", "AmazonKinesisFullAccess", 1, "2015-02-06T18:40:27Z", allow(&["kinesis:*"])),
        ("/", "AmazonSSMReadOnlyAccess", 1, "2015-05-29T17:44:19Z", allow(&["ssm:Describe*", "ssm:Get*", "ssm:List*"])),
        ("/", "AmazonSQSFullAccess", 1, "2015-02-06T18:41:07Z", allow(&["sqs:*"])),
        ("/", "AmazonDynamoDBFullAccess", 15, "2021-01-29T17:38:30Z", dynamodb()),
    ]
}

fn statement(actions: impl Into<Value>) -> Value {
    json!({ "Effect": "Allow", "Action": actions.into(), "Resource": "*" })
}

pub(super) fn allow(actions: &[&str]) -> Value {
    json!([statement(actions.to_vec())])
}

fn lambda_execute() -> Value {
    json!([
        { "Effect": "Allow", "Action": ["logs:*"], "Resource": "arn:aws:logs:*:*:*" },
        { "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::*" },
    ])
}

fn vpc_access() -> Value {
    let ec2 = [
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
    ];
    let actions = [LOGS.as_slice(), &ec2].concat();
    json!([{
        "Sid": "AWSLambdaVPCAccessExecutionPermissions", "Effect": "Allow", "Action": actions, "Resource": "*",
    }])
}

fn xray() -> Value {
    let actions = [
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
        "xray:GetSamplingStatisticSummaries",
    ];
    json!([{ "Sid": "AWSXRayDaemonWriteAccess", "Effect": "Allow", "Action": actions, "Resource": ["*"] }])
}

/// The actions of `AmazonDynamoDBFullAccess` by service.
const DYNAMODB: [(&str, &str); 12] = [
    ("dynamodb", "*"),
    ("dax", "*"),
    (
        "application-autoscaling",
        "DeleteScalingPolicy DeregisterScalableTarget DescribeScalableTargets DescribeScalingActivities \
         DescribeScalingPolicies PutScalingPolicy RegisterScalableTarget",
    ),
    (
        "cloudwatch",
        "DeleteAlarms DescribeAlarmHistory DescribeAlarms DescribeAlarmsForMetric GetMetricStatistics ListMetrics \
         PutMetricAlarm GetMetricData",
    ),
    (
        "datapipeline",
        "ActivatePipeline CreatePipeline DeletePipeline DescribeObjects DescribePipelines GetPipelineDefinition \
         ListPipelines PutPipelineDefinition QueryObjects",
    ),
    ("ec2", "DescribeVpcs DescribeSubnets DescribeSecurityGroups"),
    ("iam", "GetRole ListRoles"),
    ("kms", "DescribeKey ListAliases"),
    (
        "sns",
        "CreateTopic DeleteTopic ListSubscriptions ListSubscriptionsByTopic ListTopics Subscribe Unsubscribe \
         SetTopicAttributes",
    ),
    (
        "lambda",
        "CreateFunction ListFunctions ListEventSourceMappings CreateEventSourceMapping DeleteEventSourceMapping \
         GetFunctionConfiguration DeleteFunction",
    ),
    ("resource-groups", "ListGroups ListGroupResources GetGroup GetGroupQuery DeleteGroup CreateGroup"),
    ("kinesis", "ListStreams DescribeStream DescribeStreamSummary"),
];

fn dynamodb() -> Value {
    let of_service = |(service, names): &(&str, &str)| {
        names.split(' ').filter(|name| !name.is_empty()).map(|name| format!("{service}:{name}")).collect::<Vec<_>>()
    };
    let mut actions: Vec<String> = DYNAMODB.iter().flat_map(of_service).collect();
    actions.push("tag:GetResources".to_owned());
    let passed =
        ["application-autoscaling.amazonaws.com", "application-autoscaling.amazonaws.com.cn", "dax.amazonaws.com"];
    let linked = [
        "replication.dynamodb.amazonaws.com",
        "dax.amazonaws.com",
        "dynamodb.application-autoscaling.amazonaws.com",
        "contributorinsights.dynamodb.amazonaws.com",
        "kinesisreplication.dynamodb.amazonaws.com",
    ];
    json!([
        statement(actions),
        {
            "Effect": "Allow",
            "Action": "cloudwatch:GetInsightRuleReport",
            "Resource": "arn:aws:cloudwatch:*:*:insight-rule/DynamoDBContributorInsights*",
        },
        {
            "Effect": "Allow",
            "Action": ["iam:PassRole"],
            "Resource": "*",
            "Condition": { "StringLike": { "iam:PassedToService": passed } },
        },
        {
            "Effect": "Allow",
            "Action": ["iam:CreateServiceLinkedRole"],
            "Resource": "*",
            "Condition": { "StringEquals": { "iam:AWSServiceName": linked } },
        },
    ])
}

/// The id is made from the ARN: AWS's own ids are not published.
fn policy((path, name, version, created, statements): Row) -> Option<ManagedPolicy> {
    let document = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
    let document = Policy::parse(&document, Purpose::Identity).ok()?;
    let created: Timestamp = created.parse().ok()?;
    let arn = format!("arn:aws:iam::aws:policy{path}{name}");
    let digest = hex::encode_upper(Sha256::digest(&arn));
    Some(ManagedPolicy {
        name: name.to_owned(),
        path: path.to_owned(),
        id: format!("ANPA{}", digest.get(..17)?),
        arn,
        description: None,
        created,
        updated: created,
        default: version,
        next: version + 1,
        versions: OrdMap::unit(version, PolicyVersion { document, created }),
        tags: OrdMap::new(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_row_is_a_policy() {
        assert_eq!(all().count(), every_row().count());
        let basic = get("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole").unwrap();
        assert!(basic.document().unwrap().text().contains("logs:PutLogEvents"));
        assert!(get("arn:aws:iam::aws:policy/SecurityAudit").is_none());
    }
}
