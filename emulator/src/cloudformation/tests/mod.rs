//! Stacks, through the front door.
#![allow(clippy::unwrap_used)]

mod change_sets;
mod create;
mod delete;
mod deploy;
mod exports;
mod nested;
mod types;
mod update;

use serde_json::{Value, json};

use crate::Result;
use crate::cloud::{Call, Caller, Cloud, IamMode};

const ACCOUNT: &str = "123456789012";
/// A function and a schedule that invokes it.
const CLOCKWORK: &str = r#"
Description: A function that is invoked every hour.
Parameters:
  Timeout: {Type: Number, Default: 5}
  Secret: {Type: String, NoEcho: true, Default: hush}
Conditions:
  Never: !Equals [a, b]
Resources:
  Schedule:
    Type: AWS::Scheduler::Schedule
    Properties:
      ScheduleExpression: rate(1 hour)
      FlexibleTimeWindow: {Mode: "OFF"}
      GroupName: !Ref Group
      Target: {Arn: !GetAtt Function.Arn, RoleArn: "arn:aws:iam::123456789012:role/any"}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Role: arn:aws:iam::123456789012:role/any
      Runtime: provided.al2023
      Handler: bootstrap
      Timeout: !Ref Timeout
      MemorySize: "256"
      Code: {S3Bucket: garoa-local-code, S3Key: function.zip}
      Environment: {Variables: {NUMBER: 7, SECRET: !Ref Secret}}
      Tags: [{Key: team, Value: pix}]
  Group:
    Type: AWS::Scheduler::ScheduleGroup
  Nothing:
    Type: AWS::Scheduler::ScheduleGroup
    Condition: Never
Outputs:
  Arn: {Value: !GetAtt Function.Arn, Description: The function., Export: {Name: !Sub "${AWS::StackName}-arn"}}
  Name: {Value: !Ref Schedule}
  Absent: {Value: !Ref Nothing, Condition: Never}
"#;

fn cloud() -> Cloud {
    Cloud::builder().iam(IamMode::Off).build()
}

async fn call(cloud: &Cloud, service: &'static str, operation: &str, input: Value) -> Result<Value> {
    let call = Call::new(service, operation, Caller::root(ACCOUNT), cloud.scope().clone(), input);
    Ok(cloud.call(call).await?.output)
}

async fn cfn(cloud: &Cloud, operation: &str, input: Value) -> Result<Value> {
    call(cloud, "cloudformation", operation, input).await
}

/// Creates a stack, lets it settle, and answers it.
async fn create(cloud: &Cloud, name: &str, template: &str) -> Value {
    cfn(cloud, "CreateStack", json!({ "StackName": name, "TemplateBody": template })).await.unwrap();
    cloud.settle().await.unwrap();
    stack(cloud, name).await
}

/// Updates a stack, lets it settle, and answers it.
async fn update(cloud: &Cloud, name: &str, template: &str) -> Value {
    cfn(cloud, "UpdateStack", json!({ "StackName": name, "TemplateBody": template })).await.unwrap();
    cloud.settle().await.unwrap();
    stack(cloud, name).await
}

async fn stack(cloud: &Cloud, name: &str) -> Value {
    cfn(cloud, "DescribeStacks", json!({ "StackName": name })).await.unwrap()["Stacks"][0].clone()
}

/// `LogicalId STATUS: reason`, from old to new.
async fn events(cloud: &Cloud, name: &str) -> Vec<String> {
    let events = cfn(cloud, "DescribeStackEvents", json!({ "StackName": name })).await.unwrap();
    let text = |event: &Value, name: &str| event[name].as_str().unwrap_or_default().to_owned();
    let told = |event: &Value| {
        let (id, status) = (text(event, "LogicalResourceId"), text(event, "ResourceStatus"));
        let reason = text(event, "ResourceStatusReason");
        if reason.is_empty() { format!("{id} {status}") } else { format!("{id} {status}: {reason}") }
    };
    events["StackEvents"].as_array().unwrap().iter().rev().map(told).collect()
}

/// The physical id of a resource, if the stack has it.
async fn physical(cloud: &Cloud, name: &str, id: &str) -> Option<String> {
    let input = json!({ "StackName": name, "LogicalResourceId": id });
    let found = cfn(cloud, "DescribeStackResource", input).await.ok()?;
    found["StackResourceDetail"]["PhysicalResourceId"].as_str().map(str::to_owned)
}

fn message(outcome: Result<Value>) -> String {
    outcome.unwrap_err().to_string()
}
