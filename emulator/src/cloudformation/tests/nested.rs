//! Templates in buckets, and stacks within stacks.

use bytes::Bytes;
use serde_json::json;

use super::*;

const INNER: &str = r#"
Parameters: {Name: {Type: String}, Hours: {Type: CommaDelimitedList, Default: "1,2"}}
Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref Name, DisplayName: !Select [1, !Ref Hours]}}
Outputs: {Arn: {Value: !Ref Topic}}
"#;
const OUTER: &str = r#"
Parameters: {Name: {Type: String, Default: one}}
Resources:
  Inner:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: https://s3.amazonaws.com/templates/inner.yaml
      Parameters: {Name: !Ref Name, Hours: [7, 8]}
Outputs: {Topic: {Value: !GetAtt Inner.Outputs.Arn}, Stack: {Value: !Ref Inner}}
"#;

async fn put(cloud: &Cloud, key: &str, text: &'static str) {
    // What is there already is there.
    let _ = call(cloud, "s3", "CreateBucket", json!({ "Bucket": "templates" })).await;
    let input = json!({ "Bucket": "templates", "Key": key });
    let call = Call::new("s3", "PutObject", Caller::root(ACCOUNT), cloud.scope().clone(), input);
    cloud.call(call.with_body(Bytes::from_static(text.as_bytes()))).await.unwrap();
}

fn output<'a>(stack: &'a Value, key: &str) -> &'a str {
    let outputs = stack["Outputs"].as_array().unwrap();
    outputs.iter().find(|output| output["OutputKey"] == key).unwrap()["OutputValue"].as_str().unwrap()
}

#[tokio::test]
async fn a_template_is_read_from_a_bucket() {
    let cloud = cloud();
    put(&cloud, "inner.yaml", INNER).await;
    let url = "https://templates.s3.us-east-1.amazonaws.com/inner.yaml";
    let parameters = json!([{ "ParameterKey": "Name", "ParameterValue": "told" }]);
    let summary = cfn(&cloud, "GetTemplateSummary", json!({ "TemplateURL": url })).await.unwrap();
    assert_eq!(summary["ResourceTypes"], json!(["AWS::SNS::Topic"]));
    cfn(&cloud, "ValidateTemplate", json!({ "TemplateURL": url })).await.unwrap();
    let input = json!({ "StackName": "s", "TemplateURL": url, "Parameters": parameters });
    cfn(&cloud, "CreateStack", input).await.unwrap();
    cloud.settle().await.unwrap();
    assert_eq!(output(&stack(&cloud, "s").await, "Arn"), "arn:aws:sns:us-east-1:123456789012:told");

    let create = async |input: Value| message(cfn(&cloud, "CreateStack", input).await);
    let missing = "https://s3.amazonaws.com/templates/none.yaml";
    let text = create(json!({ "StackName": "t", "TemplateURL": missing })).await;
    assert!(text.contains("S3 error: The specified key does not exist."), "{text}");
    let text = create(json!({ "StackName": "t", "TemplateURL": "https://example.com/t.yaml" })).await;
    assert!(text.contains("TemplateURL must be a supported URL."), "{text}");
    let text = create(json!({ "StackName": "t", "TemplateURL": url, "TemplateBody": INNER })).await;
    assert!(text.contains("Cannot specify both TemplateBody and TemplateURL"), "{text}");
}

#[tokio::test]
async fn a_stack_within_a_stack_lives_with_it() {
    let cloud = cloud();
    put(&cloud, "inner.yaml", INNER).await;
    let outer = create(&cloud, "outer", OUTER).await;
    assert_eq!(outer["StackStatus"], "CREATE_COMPLETE", "{:?}", events(&cloud, "outer").await);
    assert_eq!(output(&outer, "Topic"), "arn:aws:sns:us-east-1:123456789012:one");
    let id = output(&outer, "Stack").to_owned();
    let inner = stack(&cloud, &id).await;
    assert!(inner["StackName"].as_str().unwrap().starts_with("outer-Inner-"));
    let input = json!({ "TopicArn": output(&outer, "Topic") });
    let attributes = call(&cloud, "sns", "GetTopicAttributes", input).await.unwrap();
    assert_eq!(attributes["Attributes"]["DisplayName"], "8");

    let outer = update(&cloud, "outer", &OUTER.replace("Default: one", "Default: two")).await;
    assert_eq!(outer["StackStatus"], "UPDATE_COMPLETE");
    assert_eq!(output(&outer, "Topic"), "arn:aws:sns:us-east-1:123456789012:two");
    assert_eq!(stack(&cloud, &id).await["StackStatus"], "UPDATE_COMPLETE");

    cfn(&cloud, "DeleteStack", json!({ "StackName": "outer" })).await.unwrap();
    cloud.settle().await.unwrap();
    assert_eq!(stack(&cloud, &id).await["StackStatus"], "DELETE_COMPLETE");
}

#[tokio::test]
async fn a_stack_within_a_stack_that_fails_fails_it() {
    let cloud = cloud();
    put(&cloud, "inner.yaml", "Resources: {Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: 'no name'}}}").await;
    let template = OUTER
        .replace("      Parameters: {Name: !Ref Name, Hours: [7, 8]}\n", "")
        .replace("Inner.Outputs.Arn", "Inner.Outputs.X");
    let outer = create(&cloud, "outer", &template).await;
    assert_eq!(outer["StackStatus"], "ROLLBACK_COMPLETE");
    let told = events(&cloud, "outer").await;
    let failed = told.iter().find(|event| event.starts_with("Inner CREATE_FAILED")).unwrap();
    assert!(failed.contains("Embedded stack arn:aws:cloudformation:"), "{failed}");
    assert!(
        failed.contains("was not successfully created: The following resource(s) failed to create: [Topic]."),
        "{failed}"
    );
}
