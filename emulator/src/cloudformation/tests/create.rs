//! Making stacks, and failing to.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::cloud::{Aim, CallAim, Fault, FaultKind, InvocationRef};

#[tokio::test]
async fn a_stack_is_made_in_the_order_of_its_references() {
    let cloud = cloud();
    let answer = cfn(&cloud, "CreateStack", json!({ "StackName": "clock", "TemplateBody": CLOCKWORK })).await.unwrap();
    let id = answer["StackId"].as_str().unwrap();
    assert!(id.starts_with("arn:aws:cloudformation:us-east-1:123456789012:stack/clock/"), "{id}");

    let stack = stack(&cloud, id).await;
    assert_eq!(stack["StackStatus"], "CREATE_COMPLETE");
    assert_eq!(stack["Description"], "A function that is invoked every hour.");
    assert_eq!(
        events(&cloud, "clock").await,
        [
            "clock CREATE_IN_PROGRESS: User Initiated",
            "Function CREATE_IN_PROGRESS",
            "Function CREATE_IN_PROGRESS: Resource creation Initiated",
            "Function CREATE_COMPLETE",
            "Group CREATE_IN_PROGRESS",
            "Group CREATE_IN_PROGRESS: Resource creation Initiated",
            "Group CREATE_COMPLETE",
            "Schedule CREATE_IN_PROGRESS",
            "Schedule CREATE_IN_PROGRESS: Resource creation Initiated",
            "Schedule CREATE_COMPLETE",
            "clock CREATE_COMPLETE",
        ]
    );
    let function = physical(&cloud, "clock", "Function").await.unwrap();
    assert!(function.starts_with("clock-Function-"), "{function}");
    let found = call(&cloud, "lambda", "GetFunction", json!({ "FunctionName": function })).await.unwrap();
    let configuration = &found["Configuration"];
    assert_eq!((&configuration["Timeout"], &configuration["MemorySize"]), (&json!(5), &json!(256)));
    assert_eq!(configuration["Environment"]["Variables"], json!({ "NUMBER": "7", "SECRET": "hush" }));
    let own = json!({
        "aws:cloudformation:stack-name": "clock",
        "aws:cloudformation:logical-id": "Function",
        "aws:cloudformation:stack-id": id,
        "team": "pix",
    });
    assert_eq!(found["Tags"], own);
    let outputs = stack["Outputs"].as_array().unwrap();
    assert_eq!(outputs.len(), 2);
    assert_eq!(outputs[0]["OutputValue"], configuration["FunctionArn"]);
    assert_eq!(outputs[0]["ExportName"], "clock-arn");
    let group = physical(&cloud, "clock", "Group").await.unwrap();
    let name = outputs[1]["OutputValue"].as_str().unwrap();
    let found = call(&cloud, "scheduler", "GetSchedule", json!({ "Name": name, "GroupName": group })).await.unwrap();
    assert_eq!(found["Target"]["Arn"], configuration["FunctionArn"]);
}

#[tokio::test]
async fn a_stack_that_takes_longer_is_not_waited_for() {
    let cloud = cloud();
    let calls = "scheduler:CreateSchedule".parse().unwrap();
    let aim = Aim::Calls(CallAim { calls, nth: None, resource: None, times: None });
    cloud.inject(Fault { aim, kind: FaultKind::Delay(Duration::from_secs(60)) });
    let begun = cloud.now();
    cfn(&cloud, "CreateStack", json!({ "StackName": "clock", "TemplateBody": CLOCKWORK })).await.unwrap();
    assert_eq!(cloud.now(), begun + Duration::from_secs(1));
    assert_eq!(stack(&cloud, "clock").await["StackStatus"], "CREATE_IN_PROGRESS");
    cloud.advance(Duration::from_secs(58)).await.unwrap();
    assert_eq!(stack(&cloud, "clock").await["StackStatus"], "CREATE_IN_PROGRESS");
    cloud.advance(Duration::from_secs(1)).await.unwrap();
    assert_eq!(stack(&cloud, "clock").await["StackStatus"], "CREATE_COMPLETE");
}

#[tokio::test]
async fn secrets_are_not_shown() {
    let cloud = cloud();
    let stack = create(&cloud, "clock", CLOCKWORK).await;
    let parameters = stack["Parameters"].as_array().unwrap();
    assert_eq!(parameters[0], json!({ "ParameterKey": "Timeout", "ParameterValue": "5" }));
    assert_eq!(parameters[1], json!({ "ParameterKey": "Secret", "ParameterValue": "****" }));
    let events = cfn(&cloud, "DescribeStackEvents", json!({ "StackName": "clock" })).await.unwrap();
    assert!(events.to_string().contains(r#"\"SECRET\":\"****\""#), "{events}");
    assert!(!events.to_string().contains("hush"));
}

#[tokio::test]
async fn what_cannot_be_made_is_taken_back() {
    let cloud = cloud();
    let template = CLOCKWORK.replace("rate(1 hour)", "rate(never)");
    let stack = create(&cloud, "clock", &template).await;
    assert_eq!(stack["StackStatus"], "ROLLBACK_COMPLETE");
    let events = events(&cloud, "clock").await;
    let failed = events.iter().position(|event| event.starts_with("Schedule CREATE_FAILED: Resource handler")).unwrap();
    assert!(events[failed].contains("(Service: Scheduler, Status Code: 400)\" (RequestToken: "), "{}", events[failed]);
    assert!(events[failed].ends_with("HandlerErrorCode: InvalidRequest)"), "{}", events[failed]);
    assert_eq!(
        events[failed + 1..],
        [
            "clock ROLLBACK_IN_PROGRESS: The following resource(s) failed to create: [Schedule]. Rollback requested by user.",
            "Schedule DELETE_IN_PROGRESS",
            "Schedule DELETE_COMPLETE",
            "Group DELETE_IN_PROGRESS",
            "Group DELETE_COMPLETE",
            "Function DELETE_IN_PROGRESS",
            "Function DELETE_COMPLETE",
            "clock ROLLBACK_COMPLETE",
        ]
    );
    let functions = call(&cloud, "lambda", "ListFunctions", json!({})).await.unwrap();
    assert_eq!(functions["Functions"], json!([]));
    let refused = cfn(&cloud, "UpdateStack", json!({ "StackName": "clock", "TemplateBody": CLOCKWORK })).await;
    assert!(message(refused).ends_with("is in ROLLBACK_COMPLETE state and can not be updated."));
    let refused = cfn(&cloud, "CreateStack", json!({ "StackName": "clock", "TemplateBody": CLOCKWORK })).await;
    assert_eq!(message(refused), "AlreadyExistsException (400): Stack [clock] already exists");
}

#[tokio::test]
async fn the_caller_says_what_becomes_of_a_failure() {
    let template = CLOCKWORK.replace("rate(1 hour)", "rate(never)");
    let cloud = cloud();
    let input = json!({ "StackName": "kept", "TemplateBody": template, "OnFailure": "DO_NOTHING" });
    cfn(&cloud, "CreateStack", input).await.unwrap();
    let input = json!({ "StackName": "gone", "TemplateBody": template, "OnFailure": "DELETE" });
    let id = cfn(&cloud, "CreateStack", input).await.unwrap()["StackId"].as_str().unwrap().to_owned();
    cloud.settle().await.unwrap();

    let kept = stack(&cloud, "kept").await;
    assert_eq!(kept["StackStatus"], "CREATE_FAILED");
    assert_eq!(kept["StackStatusReason"], "The following resource(s) failed to create: [Schedule]. ");
    assert_eq!(kept["DisableRollback"], true);
    let functions = call(&cloud, "lambda", "ListFunctions", json!({})).await.unwrap();
    assert_eq!(functions["Functions"].as_array().unwrap().len(), 1);
    assert_eq!(stack(&cloud, &id).await["StackStatus"], "DELETE_COMPLETE");
    let missing = cfn(&cloud, "DescribeStacks", json!({ "StackName": "gone" })).await;
    assert_eq!(message(missing), "ValidationError (400): Stack with id gone does not exist");
}

#[tokio::test]
async fn what_is_not_honoured_is_refused_before_anything_is_made() {
    let cloud = cloud();
    let refused = |template: String| {
        let cloud = cloud.clone();
        async move { message(cfn(&cloud, "CreateStack", json!({ "StackName": "x", "TemplateBody": template })).await) }
    };
    let kind = CLOCKWORK.replace("AWS::Scheduler::ScheduleGroup\n  Nothing", "AWS::EC2::Instance\n  Nothing");
    assert_eq!(
        refused(kind).await,
        "NotImplemented (501): Garoa does not implement the CloudFormation resource type AWS::EC2::Instance (resource Group)"
    );
    let property = CLOCKWORK.replace("MemorySize: \"256\"", "FileSystemConfigs: [a]");
    assert_eq!(
        refused(property).await,
        "NotImplemented (501): Garoa does not implement property FileSystemConfigs of AWS::Lambda::Function (resource Function)"
    );
    let stacks = "Resources: {C: {Type: AWS::CloudFormation::StackSet}}".to_owned();
    assert!(refused(stacks).await.contains("AWS::CloudFormation::StackSet (resource C)"));
    assert!(cfn(&cloud, "DescribeStacks", json!({})).await.unwrap()["Stacks"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_lacking_property_and_a_wrong_member_fail_the_resource() {
    let cloud = cloud();
    let template = CLOCKWORK.replace("      Code: {S3Bucket: garoa-local-code, S3Key: function.zip}\n", "");
    create(&cloud, "lacks", &template).await;
    let told = events(&cloud, "lacks").await;
    let reason = "Function CREATE_FAILED: Properties validation failed for resource Function with message:\n#: required key [Code] not found";
    assert!(told.iter().any(|event| event == reason), "{told:#?}");
    let template = CLOCKWORK.replace("S3Key:", "S3Kez:");
    create(&cloud, "wrong", &template).await;
    let told = events(&cloud, "wrong").await;
    assert!(told.iter().any(|event| event.contains("#/Code: extraneous key [S3Kez] is not permitted")), "{told:#?}");
}

#[tokio::test]
async fn iam_resources_and_transforms_must_be_acknowledged() {
    let cloud = cloud();
    let role = "Resources: {R: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {}, RoleName: x}}}";
    let try_with = |template: &'static str, capabilities: Value| {
        let cloud = cloud.clone();
        let input = json!({ "StackName": "x", "TemplateBody": template, "Capabilities": capabilities });
        async move { message(cfn(&cloud, "CreateStack", input).await) }
    };
    let needed = "InsufficientCapabilitiesException (400): Requires capabilities : [CAPABILITY_NAMED_IAM]";
    assert_eq!(try_with(role, json!([])).await, needed);
    assert_eq!(try_with(role, json!(["CAPABILITY_IAM"])).await, needed);
    let unnamed = "Resources: {R: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {}}}}";
    assert_eq!(
        try_with(unnamed, json!([])).await,
        "InsufficientCapabilitiesException (400): Requires capabilities : [CAPABILITY_IAM]"
    );
    let sam = "Transform: AWS::Serverless-2016-10-31\nResources: {G: {Type: AWS::Scheduler::ScheduleGroup}}";
    assert_eq!(
        try_with(sam, json!([])).await,
        "InsufficientCapabilitiesException (400): Requires capabilities : [CAPABILITY_AUTO_EXPAND]"
    );
}

#[tokio::test]
async fn resources_are_made_as_the_caller_and_in_no_invocations_name() {
    let cloud = cloud();
    let mut caller = Caller::root(ACCOUNT);
    caller.invocation = Some(InvocationRef { function: "deployer".into(), number: 1 });
    let input = json!({ "StackName": "clock", "TemplateBody": CLOCKWORK });
    cloud.call(Call::new("cloudformation", "CreateStack", caller, cloud.scope().clone(), input)).await.unwrap();
    cloud.settle().await.unwrap();
    let made: Vec<_> = cloud
        .trace()
        .into_iter()
        .filter_map(|record| match record.event {
            crate::cloud::Event::Call(call) if &*call.operation == "CreateFunction" => Some(call),
            _ => None,
        })
        .collect();
    assert_eq!(made.len(), 1);
    assert_eq!(made[0].caller, "arn:aws:iam::123456789012:root");
    assert_eq!(made[0].invocation, None);
}

#[tokio::test]
async fn the_same_token_names_the_same_stack() {
    let cloud = cloud();
    let input = json!({ "StackName": "clock", "TemplateBody": CLOCKWORK, "ClientRequestToken": "once" });
    let first = cfn(&cloud, "CreateStack", input.clone()).await.unwrap();
    assert_eq!(cfn(&cloud, "CreateStack", input).await.unwrap(), first);
}

#[tokio::test]
async fn two_clouds_of_one_seed_make_the_same_stack() {
    let (one, other) = (cloud(), cloud());
    create(&one, "clock", CLOCKWORK).await;
    create(&other, "clock", CLOCKWORK).await;
    let all = |cloud: Cloud| async move {
        cfn(&cloud, "DescribeStackEvents", json!({ "StackName": "clock" })).await.unwrap()
    };
    assert_eq!(all(one).await, all(other).await);
}
