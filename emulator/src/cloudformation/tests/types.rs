//! Each type of resources: made, changed, deleted, with its attributes.

use serde_json::json;

use super::*;
use crate::cloud::Event;

const STORAGE: &str = r#"
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      VersioningConfiguration: {Status: Enabled}
      PublicAccessBlockConfiguration: {BlockPublicAcls: true, BlockPublicPolicy: "true"}
      BucketEncryption: {ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: AES256}}]}
      LifecycleConfiguration: {Rules: [{Id: old, Status: Enabled, Prefix: tmp/, ExpirationInDays: 7}]}
      Tags: [{Key: team, Value: pix}]
  Log:
    Type: AWS::Logs::LogGroup
    Properties: {LogGroupName: /pix/log, RetentionInDays: 7, Tags: [{Key: team, Value: pix}]}
Outputs:
  Bucket: {Value: !Ref Bucket}
  BucketArn: {Value: !GetAtt Bucket.Arn}
  Domain: {Value: !GetAtt Bucket.RegionalDomainName}
  LogArn: {Value: !GetAtt Log.Arn}
"#;

fn outputs(stack: &Value) -> Vec<&str> {
    stack["Outputs"].as_array().unwrap().iter().map(|output| output["OutputValue"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn buckets_and_log_groups() {
    let cloud = cloud();
    let made = create(&cloud, "Store", STORAGE).await;
    assert_eq!(made["StackStatus"], "CREATE_COMPLETE", "{:#?}", events(&cloud, "Store").await);
    let [bucket, arn, domain, log] = outputs(&made)[..] else { panic!("four outputs") };
    assert!(bucket.starts_with("store-bucket-") && bucket.to_lowercase() == bucket, "{bucket}");
    assert_eq!(arn, format!("arn:aws:s3:::{bucket}"));
    assert_eq!(domain, format!("{bucket}.s3.us-east-1.amazonaws.com"));
    assert_eq!(log, "arn:aws:logs:us-east-1:123456789012:log-group:/pix/log:*");
    let of = |operation: &'static str| call(&cloud, "s3", operation, json!({ "Bucket": bucket }));
    assert_eq!(of("GetBucketVersioning").await.unwrap()["Status"], "Enabled");
    let public = &of("GetPublicAccessBlock").await.unwrap()["PublicAccessBlockConfiguration"];
    assert_eq!((&public["BlockPublicAcls"], &public["BlockPublicPolicy"]), (&json!(true), &json!(true)));
    let rule = &of("GetBucketLifecycleConfiguration").await.unwrap()["Rules"][0];
    assert_eq!(
        (&rule["ID"], &rule["Filter"]["Prefix"], &rule["Expiration"]["Days"]),
        (&json!("old"), &json!("tmp/"), &json!(7))
    );
    assert_eq!(of("GetBucketTagging").await.unwrap()["TagSet"], json!([{ "Key": "team", "Value": "pix" }]));

    let changed = STORAGE
        .replace("      VersioningConfiguration: {Status: Enabled}\n", "")
        .replace("      Tags: [{Key: team, Value: pix}]\n", "")
        .replace("RetentionInDays: 7", "RetentionInDays: 30");
    let stack = update(&cloud, "Store", &changed).await;
    assert_eq!(stack["StackStatus"], "UPDATE_COMPLETE", "{:#?}", events(&cloud, "Store").await);
    assert_eq!(of("GetBucketVersioning").await.unwrap()["Status"], "Suspended");
    assert_eq!(of("GetBucketTagging").await.unwrap_err().code(), "NoSuchTagSet");
    let groups = call(&cloud, "logs", "DescribeLogGroups", json!({})).await.unwrap();
    assert_eq!(groups["logGroups"][0]["retentionInDays"], 30);

    cfn(&cloud, "DeleteStack", json!({ "StackName": "Store" })).await.unwrap();
    cloud.settle().await.unwrap();
    assert!(of("HeadBucket").await.is_err());
    let groups = call(&cloud, "logs", "DescribeLogGroups", json!({})).await.unwrap();
    assert_eq!(groups["logGroups"], json!([]));
}

const PERMISSIONS: &str = r#"
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      Description: before
      ManagedPolicyArns: [!Ref Managed]
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
      Policies:
        - PolicyName: inline
          PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: s3:GetObject, Resource: "*"}]}
  Managed:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: s3:PutObject, Resource: "*"}]}
  Attached:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: attached
      Roles: [!Ref Role]
      PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: s3:ListBucket, Resource: "*"}]}
Outputs:
  Role: {Value: !Ref Role}
  Arn: {Value: !GetAtt Role.Arn}
"#;

async fn with_capabilities(cloud: &Cloud, operation: &str, template: &str) -> Value {
    let input = json!({ "StackName": "iam", "TemplateBody": template, "Capabilities": ["CAPABILITY_IAM"] });
    cfn(cloud, operation, input).await.unwrap();
    cloud.settle().await.unwrap();
    let stack = stack(cloud, "iam").await;
    assert!(stack["StackStatus"].as_str().unwrap().ends_with("E_COMPLETE"), "{:#?}", events(cloud, "iam").await);
    stack
}

#[tokio::test]
async fn roles_and_policies() {
    let cloud = cloud();
    let made = with_capabilities(&cloud, "CreateStack", PERMISSIONS).await;
    let [role, arn] = outputs(&made)[..] else { panic!("two outputs") };
    assert_eq!(arn, format!("arn:aws:iam::123456789012:role/{role}"));
    let of = |operation: &'static str| call(&cloud, "iam", operation, json!({ "RoleName": role }));
    assert_eq!(of("ListRolePolicies").await.unwrap()["PolicyNames"], json!(["attached", "inline"]));
    let managed = physical(&cloud, "iam", "Managed").await.unwrap();
    assert_eq!(of("ListAttachedRolePolicies").await.unwrap()["AttachedPolicies"][0]["PolicyArn"], json!(managed));

    let changed = PERMISSIONS
        .replace("Description: before", "Description: after\n      MaxSessionDuration: 7200")
        .replace("PolicyName: inline", "PolicyName: other")
        .replace("s3:PutObject", "s3:DeleteObject")
        .replace("      ManagedPolicyArns: [!Ref Managed]\n", "");
    with_capabilities(&cloud, "UpdateStack", &changed).await;
    let found = of("GetRole").await.unwrap();
    assert_eq!((&found["Role"]["Description"], &found["Role"]["MaxSessionDuration"]), (&json!("after"), &json!(7200)));
    assert_eq!(of("ListRolePolicies").await.unwrap()["PolicyNames"], json!(["attached", "other"]));
    assert_eq!(of("ListAttachedRolePolicies").await.unwrap()["AttachedPolicies"], json!([]));
    let policy = call(&cloud, "iam", "GetPolicy", json!({ "PolicyArn": managed })).await.unwrap();
    assert_eq!(policy["Policy"]["DefaultVersionId"], "v2");

    cfn(&cloud, "DeleteStack", json!({ "StackName": "iam" })).await.unwrap();
    cloud.settle().await.unwrap();
    assert!(cfn(&cloud, "DescribeStacks", json!({ "StackName": "iam" })).await.is_err());
    assert_eq!(of("GetRole").await.unwrap_err().code(), "NoSuchEntity");
}

const MAIL: &str = r#"
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 60
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 5}
      Tags: [{Key: team, Value: mail}]
  Dead: {Type: AWS::SQS::Queue, Properties: {QueueName: mail-dead}}
  Ordered: {Type: AWS::SQS::Queue, Properties: {FifoQueue: "true", ContentBasedDeduplication: true}}
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue]
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: sns.amazonaws.com}, Action: sqs:SendMessage, Resource: !GetAtt Queue.Arn}]
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      BillingMode: PAY_PER_REQUEST
      StreamSpecification: {StreamViewType: NEW_IMAGE}
      TimeToLiveSpecification: {AttributeName: expires, Enabled: true}
      Tags: [{Key: team, Value: mail}]
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Role: arn:aws:iam::123456789012:role/any
      Runtime: provided.al2023
      Handler: bootstrap
      Timeout: 30
      Code: {S3Bucket: garoa-local-code, S3Key: function.zip}
  Permission:
    Type: AWS::Lambda::Permission
    Properties: {Action: lambda:InvokeFunction, FunctionName: !Ref Function, Principal: s3.amazonaws.com}
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      EventSourceArn: !GetAtt Queue.Arn
      FunctionName: !Ref Function
      BatchSize: 5
      FunctionResponseTypes: [ReportBatchItemFailures]
  Changes:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      EventSourceArn: !GetAtt Table.StreamArn
      FunctionName: !Ref Function
      StartingPosition: LATEST
Outputs:
  Url: {Value: !Ref Queue}
  Dead: {Value: !GetAtt Dead.Arn}
  Ordered: {Value: !GetAtt Ordered.QueueName}
  Table: {Value: !Ref Table}
  Function: {Value: !Ref Function}
  Mapping: {Value: !Ref Mapping}
  Changes: {Value: !GetAtt Changes.EventSourceMappingArn}
"#;

#[tokio::test]
async fn queues_tables_and_mappings() {
    let cloud = cloud();
    let made = create(&cloud, "Mail", MAIL).await;
    assert_eq!(made["StackStatus"], "CREATE_COMPLETE", "{:#?}", events(&cloud, "Mail").await);
    let [url, dead, ordered, table, function, mapping, changes] = outputs(&made)[..] else {
        panic!("seven outputs: {:?}", outputs(&made))
    };
    assert!(url.starts_with("https://sqs.us-east-1.amazonaws.com/123456789012/Mail-Queue-"), "{url}");
    assert!(ordered.starts_with("Mail-Ordered-") && ordered.ends_with(".fifo"), "{ordered}");
    assert!(changes.starts_with("arn:aws:lambda:us-east-1:123456789012:event-source-mapping:"), "{changes}");
    let attributes = async || {
        let input = json!({ "QueueUrl": url, "AttributeNames": ["All"] });
        call(&cloud, "sqs", "GetQueueAttributes", input).await.unwrap()["Attributes"].clone()
    };
    let had = attributes().await;
    assert_eq!(had["VisibilityTimeout"], "60");
    let redrive: Value = serde_json::from_str(had["RedrivePolicy"].as_str().unwrap()).unwrap();
    assert_eq!(redrive, json!({ "deadLetterTargetArn": dead, "maxReceiveCount": 5 }));
    assert!(had["Policy"].as_str().unwrap().contains("sns.amazonaws.com"));
    let ttl = call(&cloud, "dynamodb", "DescribeTimeToLive", json!({ "TableName": table })).await.unwrap();
    assert_eq!(ttl["TimeToLiveDescription"]["AttributeName"], "expires");
    let policy = call(&cloud, "lambda", "GetPolicy", json!({ "FunctionName": function })).await.unwrap();
    assert!(policy["Policy"].as_str().unwrap().contains("s3.amazonaws.com"));
    let of_mapping = async || call(&cloud, "lambda", "GetEventSourceMapping", json!({ "UUID": mapping })).await;
    let found = of_mapping().await.unwrap();
    assert_eq!((&found["BatchSize"], &found["State"]), (&json!(5), &json!("Enabled")));

    let changed = MAIL
        .replace("VisibilityTimeout: 60", "DelaySeconds: 5")
        .replace("BatchSize: 5", "Enabled: false")
        .replace("NEW_IMAGE", "NEW_AND_OLD_IMAGES")
        .replace("AttributeName: expires", "AttributeName: until");
    let stack = update(&cloud, "Mail", &changed).await;
    assert_eq!(stack["StackStatus"], "UPDATE_COMPLETE", "{:#?}", events(&cloud, "Mail").await);
    let has = attributes().await;
    assert_eq!((&has["VisibilityTimeout"], &has["DelaySeconds"]), (&json!("30"), &json!("5")));
    assert_eq!(of_mapping().await.unwrap()["State"], "Disabled");

    cfn(&cloud, "DeleteStack", json!({ "StackName": "Mail" })).await.unwrap();
    cloud.settle().await.unwrap();
    assert!(cfn(&cloud, "DescribeStacks", json!({ "StackName": "Mail" })).await.is_err());
    assert!(of_mapping().await.is_err());
}

#[tokio::test]
async fn the_stacks_tags_go_to_its_resources() {
    let cloud = cloud();
    let tags = |value: &str| json!([{ "Key": "stage", "Value": value }, { "Key": "team", "Value": "stack" }]);
    let input = json!({ "StackName": "clock", "TemplateBody": CLOCKWORK, "Tags": tags("test") });
    cfn(&cloud, "CreateStack", input).await.unwrap();
    cloud.settle().await.unwrap();
    let name = physical(&cloud, "clock", "Function").await.unwrap();
    let function = call(&cloud, "lambda", "GetFunction", json!({ "FunctionName": name })).await.unwrap();
    assert_eq!((&function["Tags"]["stage"], &function["Tags"]["team"]), (&json!("test"), &json!("pix")));
    let group = cloud
        .scope()
        .arn("scheduler", format_args!("schedule-group/{}", physical(&cloud, "clock", "Group").await.unwrap()));
    let found = call(&cloud, "scheduler", "ListTagsForResource", json!({ "ResourceArn": group })).await.unwrap();
    assert_eq!(found["Tags"], tags("test"));
}

#[tokio::test]
async fn a_stack_with_a_role_is_made_as_that_role() {
    let cloud = Cloud::builder().build();
    let trust = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "Service": "cloudformation.amazonaws.com" } }] });
    let input = json!({ "RoleName": "maker", "AssumeRolePolicyDocument": trust.to_string() });
    let role = call(&cloud, "iam", "CreateRole", input).await.unwrap()["Role"]["Arn"].as_str().unwrap().to_owned();
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "logs:CreateLogGroup", "Resource": "*" }] });
    let input = json!({ "RoleName": "maker", "PolicyName": "p", "PolicyDocument": policy.to_string() });
    call(&cloud, "iam", "PutRolePolicy", input).await.unwrap();
    let template = "Resources: {L: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: one}}}";
    let input = json!({ "StackName": "logs", "TemplateBody": template, "RoleARN": role });
    cfn(&cloud, "CreateStack", input).await.unwrap();
    cloud.settle().await.unwrap();
    assert_eq!(stack(&cloud, "logs").await["StackStatus"], "CREATE_COMPLETE");
    let callers: Vec<String> = cloud
        .trace()
        .into_iter()
        .filter_map(|record| match record.event {
            Event::Call(call) if call.service == "logs" => Some(call.caller.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(callers, ["arn:aws:sts::123456789012:assumed-role/maker/AWSCloudFormation"]);
    // The role may make log groups, and not give them a retention.
    let more = template.replace("LogGroupName: one", "LogGroupName: one, RetentionInDays: 7");
    let input = json!({ "StackName": "logs", "TemplateBody": more });
    cfn(&cloud, "UpdateStack", input).await.unwrap();
    cloud.settle().await.unwrap();
    let told = events(&cloud, "logs").await;
    let denied = told.iter().find(|event| event.starts_with("L UPDATE_FAILED")).unwrap();
    assert!(denied.contains("is not authorized to perform: logs:PutRetentionPolicy"), "{denied}");
    assert!(denied.contains("HandlerErrorCode: AccessDenied"), "{denied}");

    let input = json!({ "StackName": "x", "TemplateBody": template, "RoleARN": "arn:aws:iam::123456789012:role/none" });
    let refused = cfn(&cloud, "CreateStack", input).await;
    assert_eq!(
        message(refused),
        "ValidationError (400): Role arn:aws:iam::123456789012:role/none is invalid or cannot be assumed"
    );
}

#[tokio::test]
async fn versions_aliases_and_urls_of_a_function() {
    let cloud = cloud();
    let template = r#"
Resources:
  Function:
    Type: AWS::Lambda::Function
    Properties: {Role: "arn:aws:iam::123456789012:role/any", Runtime: provided.al2023, Handler: bootstrap,
      TracingConfig: {Mode: Active}, Code: {S3Bucket: garoa-local-code, S3Key: function.zip}}
  Version: {Type: AWS::Lambda::Version, Properties: {FunctionName: !Ref Function, Description: first}}
  Alias:
    Type: AWS::Lambda::Alias
    Properties: {FunctionName: !Ref Function, FunctionVersion: !GetAtt Version.Version, Name: live}
  Retries:
    Type: AWS::Lambda::EventInvokeConfig
    Properties: {FunctionName: !Ref Function, Qualifier: live, MaximumRetryAttempts: 1}
    DependsOn: Alias
  Url: {Type: AWS::Lambda::Url, Properties: {TargetFunctionArn: !GetAtt Function.Arn, AuthType: NONE}}
Outputs: {Alias: {Value: !Ref Alias}, Url: {Value: !GetAtt Url.FunctionUrl}}
"#;
    let made = create(&cloud, "s", template).await;
    assert_eq!(made["StackStatus"], "CREATE_COMPLETE", "{:?}", events(&cloud, "s").await);
    let alias = made["Outputs"][0]["OutputValue"].as_str().unwrap();
    let name = alias.split(':').nth(6).unwrap().to_owned();
    assert!(alias.ends_with(":live"));
    assert!(made["Outputs"][1]["OutputValue"].as_str().unwrap().ends_with(".lambda-url.us-east-1.on.aws/"));
    let input = json!({ "FunctionName": name, "Qualifier": "live" });
    let config = call(&cloud, "lambda", "GetFunctionEventInvokeConfig", input).await.unwrap();
    assert_eq!(config["MaximumRetryAttempts"], 1);
    let input = json!({ "FunctionName": name, "Qualifier": "1" });
    assert_eq!(call(&cloud, "lambda", "GetFunctionConfiguration", input).await.unwrap()["Description"], "first");

    let described = template.replace("Name: live}", "Name: live, Description: new}");
    assert_eq!(update(&cloud, "s", &described).await["StackStatus"], "UPDATE_COMPLETE");
    let input = json!({ "FunctionName": name, "Name": "live" });
    assert_eq!(call(&cloud, "lambda", "GetAlias", input).await.unwrap()["Description"], "new");
    cfn(&cloud, "DeleteStack", json!({ "StackName": "s" })).await.unwrap();
    cloud.settle().await.unwrap();
    assert!(stack_is_gone(&cloud, "s").await);
}

#[tokio::test]
async fn keys_streams_and_what_is_nothing() {
    let cloud = cloud();
    let template = r#"
Resources:
  Key: {Type: AWS::KMS::Key, Properties: {Description: d, Enabled: false, EnableKeyRotation: true, Tags: [{Key: a, Value: b}]}}
  Alias: {Type: AWS::KMS::Alias, Properties: {AliasName: alias/mine, TargetKeyId: !Ref Key}}
  Stream: {Type: AWS::Kinesis::Stream, Properties: {Name: numbers, ShardCount: 2, RetentionPeriodHours: 48}}
  Handle: {Type: AWS::CloudFormation::WaitConditionHandle}
  CDKMetadata: {Type: AWS::CDK::Metadata, Properties: {Analytics: "v2:x"}}
Outputs: {Key: {Value: !GetAtt Key.Arn}, Stream: {Value: !GetAtt Stream.Arn}}
"#;
    let made = create(&cloud, "s", template).await;
    assert_eq!(made["StackStatus"], "CREATE_COMPLETE", "{:?}", events(&cloud, "s").await);
    assert_eq!(made["Outputs"][1]["OutputValue"], "arn:aws:kinesis:us-east-1:123456789012:stream/numbers");
    let key = call(&cloud, "kms", "DescribeKey", json!({ "KeyId": "alias/mine" })).await.unwrap();
    assert_eq!(key["KeyMetadata"]["Enabled"], false);
    assert_eq!(key["KeyMetadata"]["Arn"], made["Outputs"][0]["OutputValue"]);
    let id = &key["KeyMetadata"]["KeyId"];
    let rotation = call(&cloud, "kms", "GetKeyRotationStatus", json!({ "KeyId": id })).await.unwrap();
    assert_eq!(rotation["RotationPeriodInDays"], 365);
    let summary = call(&cloud, "kinesis", "DescribeStreamSummary", json!({ "StreamName": "numbers" })).await.unwrap();
    assert_eq!(summary["StreamDescriptionSummary"]["RetentionPeriodHours"], 48);
    assert_eq!(summary["StreamDescriptionSummary"]["OpenShardCount"], 2);
    let template = template
        .replace("Enabled: false", "Enabled: true")
        .replace("RetentionPeriodHours: 48", "RetentionPeriodHours: 24");
    let made = update(&cloud, "s", &template).await;
    assert_eq!(made["StackStatus"], "UPDATE_COMPLETE", "{:?}", events(&cloud, "s").await);
    let key = call(&cloud, "kms", "DescribeKey", json!({ "KeyId": "alias/mine" })).await.unwrap();
    assert_eq!(key["KeyMetadata"]["Enabled"], true);
    cfn(&cloud, "DeleteStack", json!({ "StackName": "s" })).await.unwrap();
    cloud.settle().await.unwrap();
    assert!(stack_is_gone(&cloud, "s").await);
}

#[tokio::test]
async fn a_name_may_be_a_number() {
    let cloud = cloud();
    let template = "Resources: {Q: {Type: AWS::SQS::Queue, Properties: {QueueName: 12345678}}}";
    let made = create(&cloud, "numbers", template).await;
    assert_eq!(made["StackStatus"], "CREATE_COMPLETE", "{:#?}", events(&cloud, "numbers").await);
    call(&cloud, "sqs", "GetQueueUrl", json!({ "QueueName": "12345678" })).await.unwrap();
}

#[tokio::test]
async fn what_a_queue_no_longer_says_goes_back_as_at_aws() {
    let cloud = cloud();
    let template = "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n    Properties:\n      QueueName: q.fifo\n      FifoQueue: true\n";
    let more = "      DeduplicationScope: messageGroup\n      FifoThroughputLimit: perMessageGroupId\n      \
                MaximumMessageSize: 2048\n      DelaySeconds: 5\n      SqsManagedSseEnabled: false\n";
    create(&cloud, "s", &format!("{template}{more}")).await;
    assert_eq!(update(&cloud, "s", template).await["StackStatus"], "UPDATE_COMPLETE");
    let url = physical(&cloud, "s", "Queue").await.unwrap();
    let input = json!({ "QueueUrl": url, "AttributeNames": ["All"] });
    let attributes = call(&cloud, "sqs", "GetQueueAttributes", input).await.unwrap()["Attributes"].clone();
    for (name, value) in [
        ("DeduplicationScope", "messageGroup"),
        ("FifoThroughputLimit", "perMessageGroupId"),
        ("SqsManagedSseEnabled", "false"),
        ("MaximumMessageSize", "262144"),
        ("DelaySeconds", "0"),
    ] {
        assert_eq!(attributes[name], value, "{name}");
    }
}

async fn stack_is_gone(cloud: &Cloud, name: &str) -> bool {
    cfn(cloud, "DescribeStacks", json!({ "StackName": name })).await.is_err()
}
