//! Rows of AWS's managed policies that give the use of a service: all of it, or to read.
//!
//! <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html>

use serde_json::{Value, json};

use super::aws_managed::{LOGS, Row, SERVICE_ROLE, allow};

/// The rows, by service.
pub(super) fn rows() -> Vec<Row> {
    [execution(), messaging(), gateways(), monitoring(), identities(), readers()].concat()
}

fn one(sid: &str, actions: &[&str]) -> Value {
    json!([{ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": "*" }])
}

fn on(resource: &str, actions: &[&str]) -> Value {
    json!([{ "Effect": "Allow", "Action": actions, "Resource": resource }])
}

fn execution() -> Vec<Row> {
    let with_logs = |actions: &[&'static str]| allow(&[actions, &LOGS].concat());
    let kinesis = [
        "kinesis:DescribeStream",
        "kinesis:DescribeStreamSummary",
        "kinesis:GetRecords",
        "kinesis:GetShardIterator",
        "kinesis:ListShards",
        "kinesis:ListStreams",
        "kinesis:SubscribeToShard",
    ];
    let invokes = ["execute-api:Invoke", "execute-api:ManageConnections"];
    vec![
        (SERVICE_ROLE, "AWSLambdaKinesisExecutionRole", 2, "2018-11-19T20:09:24Z", with_logs(&kinesis)),
        (
            SERVICE_ROLE,
            "AmazonAPIGatewayPushToCloudWatchLogs",
            1,
            "2015-11-11T23:41:46Z",
            allow(&[
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:DescribeLogGroups",
                "logs:DescribeLogStreams",
                "logs:PutLogEvents",
                "logs:GetLogEvents",
                "logs:FilterLogEvents",
            ]),
        ),
        ("/", "AmazonAPIGatewayInvokeFullAccess", 2, "2018-12-18T18:25:10Z", on("arn:aws:execute-api:*:*:*", &invokes)),
    ]
}

/// What is allowed of text messages to those who come by way of SNS.
fn texting(actions: &[&str]) -> Value {
    let actions: Vec<String> = actions.iter().map(|action| format!("sms-voice:{action}")).collect();
    json!({
        "Sid": "SMSAccessViaSNS", "Effect": "Allow", "Action": actions, "Resource": "*",
        "Condition": { "StringEquals": { "aws:CalledViaLast": "sns.amazonaws.com" } },
    })
}

fn sns() -> Value {
    let texts = texting(&[
        "DescribeVerifiedDestinationNumbers",
        "CreateVerifiedDestinationNumber",
        "SendDestinationNumberVerificationCode",
        "SendTextMessage",
        "DeleteVerifiedDestinationNumber",
        "VerifyDestinationNumber",
        "DescribeAccountAttributes",
        "DescribeSpendLimits",
        "DescribePhoneNumbers",
        "SetTextMessageSpendLimitOverride",
        "DescribeOptedOutNumbers",
        "DeleteOptedOutNumber",
    ]);
    json!([{ "Sid": "SNSFullAccess", "Effect": "Allow", "Action": "sns:*", "Resource": "*" }, texts])
}

fn reads_sns() -> Value {
    let texts = texting(&[
        "DescribeVerifiedDestinationNumbers",
        "DescribeAccountAttributes",
        "DescribeSpendLimits",
        "DescribePhoneNumbers",
        "DescribeOptedOutNumbers",
    ]);
    let reads = [
        "sns:GetTopicAttributes",
        "sns:List*",
        "sns:CheckIfPhoneNumberIsOptedOut",
        "sns:GetEndpointAttributes",
        "sns:GetDataProtectionPolicy",
        "sns:GetPlatformApplicationAttributes",
        "sns:GetSMSAttributes",
        "sns:GetSMSSandboxAccountStatus",
        "sns:GetSubscriptionAttributes",
    ];
    json!([{ "Sid": "SNSReadOnlyAccess", "Effect": "Allow", "Action": reads, "Resource": "*" }, texts])
}

fn messaging() -> Vec<Row> {
    let queues = [
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:ListDeadLetterSourceQueues",
        "sqs:ListQueues",
        "sqs:ListMessageMoveTasks",
        "sqs:ListQueueTags",
    ];
    let schedules = json!([
        { "Effect": "Allow", "Action": "scheduler:*", "Resource": "*" },
        {
            "Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::*:role/*",
            "Condition": { "StringLike": { "iam:PassedToService": "scheduler.amazonaws.com" } },
        },
    ]);
    let streams = allow(&["kinesis:Get*", "kinesis:List*", "kinesis:Describe*"]);
    vec![
        ("/", "AmazonSNSFullAccess", 2, "2024-09-24T22:32:05Z", sns()),
        ("/", "AmazonSNSReadOnlyAccess", 2, "2024-09-24T22:13:12Z", reads_sns()),
        ("/", "AmazonSQSReadOnlyAccess", 4, "2024-05-24T18:16:44Z", one("AmazonSQSReadOnlyAccess", &queues)),
        ("/", "AmazonKinesisReadOnlyAccess", 1, "2015-02-06T18:40:30Z", streams),
        ("/", "AmazonEventBridgeSchedulerFullAccess", 2, "2025-05-16T19:22:05Z", schedules),
    ]
}

fn gateways() -> Vec<Row> {
    let all = on("arn:aws:apigateway:*::/*", &["apigateway:*"]);
    vec![("/", "AmazonAPIGatewayAdministrator", 1, "2015-07-09T17:34:45Z", all)]
}

fn monitoring() -> Vec<Row> {
    let all = [
        "logs:*",
        "cloudwatch:GenerateQuery",
        "cloudwatch:GenerateQueryResultsSummary",
        "observabilityadmin:GetS3TableIntegration",
        "observabilityadmin:ListS3TableIntegrations",
        "observabilityadmin:ListTelemetryPipelines",
    ];
    let reads = [
        "logs:Describe*",
        "logs:Get*",
        "logs:List*",
        "logs:StartQuery",
        "logs:StopQuery",
        "logs:TestMetricFilter",
        "logs:FilterLogEvents",
        "logs:StartLiveTail",
        "logs:StopLiveTail",
        "cloudwatch:GenerateQuery",
        "cloudwatch:GenerateQueryResultsSummary",
        "observabilityadmin:ListS3TableIntegrations",
        "observabilityadmin:GetS3TableIntegration",
        "observabilityadmin:ListTelemetryPipelines",
    ];
    let traces = [
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
        "xray:GetSamplingStatisticSummaries",
    ];
    let insights = json!([
        { "Effect": "Allow", "Action": "logs:CreateLogGroup", "Resource": "*" },
        {
            "Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": "arn:aws:logs:*:*:log-group:/aws/lambda-insights:*",
        },
    ]);
    vec![
        ("/", "CloudWatchLogsFullAccess", 4, "2025-12-02T16:34:08Z", one("CloudWatchLogsFullAccess", &all)),
        ("/", "CloudWatchLogsReadOnlyAccess", 8, "2025-12-02T16:34:10Z", one("CloudWatchLogsReadOnlyAccess", &reads)),
        ("/", "AWSXrayWriteOnlyAccess", 2, "2018-08-28T23:03:04Z", allow(&traces)),
        ("/", "CloudWatchLambdaInsightsExecutionRolePolicy", 1, "2020-10-07T19:27:06Z", insights),
    ]
}

fn identities() -> Vec<Row> {
    let power = json!([
        { "Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*" },
        {
            "Effect": "Allow",
            "Action": [
                "account:GetAccountInformation",
                "account:GetPrimaryEmail",
                "account:ListRegions",
                "iam:CreateServiceLinkedRole",
                "iam:DeleteServiceLinkedRole",
                "iam:ListRoles",
                "organizations:DescribeEffectivePolicy",
                "organizations:DescribeOrganization",
            ],
            "Resource": "*",
        },
    ]);
    let reads = [
        "iam:GenerateCredentialReport",
        "iam:GenerateServiceLastAccessedDetails",
        "iam:Get*",
        "iam:List*",
        "iam:SimulateCustomPolicy",
        "iam:SimulatePrincipalPolicy",
    ];
    vec![
        ("/", "PowerUserAccess", 7, "2025-04-29T19:07:07Z", power),
        ("/", "IAMReadOnlyAccess", 4, "2018-01-25T19:11:27Z", allow(&reads)),
    ]
}

/// The actions of `ReadOnlyAccess` by service, for the services that are here: AWS's has those of all others besides.
const READS: [(&str, &str); 20] = [
    ("apigateway", "GET"),
    ("cloudformation", "BatchDescribeTypeConfigurations Describe* Detect* Estimate* Get* List* ValidateTemplate"),
    ("cloudwatch", "Describe* GenerateQuery GenerateQueryResultsSummary Get* List*"),
    ("dynamodb", "BatchGet* Describe* Get* List* PartiQLSelect Query Scan"),
    (
        "ec2",
        "Describe* Get* ListImagesInRecycleBin ListSnapshotsInRecycleBin SearchLocalGatewayRoutes SearchTransitGatewayRoutes",
    ),
    ("ecr", "BatchCheck* BatchGet* Describe* Get* List*"),
    ("events", "Describe* List* Test*"),
    ("glacier", "Describe* Get* List*"),
    ("iam", "Generate* Get* List* Simulate*"),
    ("kinesis", "Describe* Get* List*"),
    ("kms", "Describe* Get* List*"),
    ("lambda", "Get* List*"),
    (
        "logs",
        "Describe* FilterLogEvents Get* ListAggregateLogGroupSummaries ListAnomalies ListEntitiesForLogGroup \
         ListIntegrations ListLogAnomalyDetectors ListLogDeliveries ListLogGroupsForEntity ListLogGroupsForQuery \
         ListScheduledQueries ListSourcesForS3TableIntegration ListTagsForResource ListTagsLogGroup StartLiveTail \
         StartQuery StopLiveTail StopQuery TestMetricFilter",
    ),
    ("s3", "DescribeJob Get* List*"),
    ("scheduler", "GetSchedule GetScheduleGroup ListScheduleGroups ListSchedules ListTagsForResource"),
    ("secretsmanager", "Describe* GetResourcePolicy List*"),
    ("sns", "Check* Get* List*"),
    ("sqs", "Get* List* Receive*"),
    ("ssm", "Describe* Get* List*"),
    ("sts", "GetAccessKeyInfo GetCallerIdentity GetSessionToken"),
];

/// What the roles of the CDK's bootstrap stack have, besides `AdministratorAccess`.
fn readers() -> Vec<Row> {
    let of_service = |(service, names): &(&str, &str)| {
        names.split_whitespace().map(|name| format!("{service}:{name}")).collect::<Vec<_>>()
    };
    let actions: Vec<String> = READS.iter().flat_map(of_service).collect();
    let all = json!([{ "Sid": "ReadOnlyActionsGroup1", "Effect": "Allow", "Action": actions, "Resource": "*" }]);
    let stacks = ["Describe*", "EstimateTemplateCost", "Get*", "List*", "ValidateTemplate", "Detect*"];
    let stacks: Vec<String> = stacks.iter().map(|name| format!("cloudformation:{name}")).collect();
    let stacks = json!([{ "Effect": "Allow", "Action": stacks, "Resource": "*" }]);
    vec![
        ("/", "ReadOnlyAccess", 178, "2026-02-12T18:01:33Z", all),
        ("/", "AWSCloudFormationReadOnlyAccess", 4, "2019-11-13T17:40:07Z", stacks),
    ]
}
