//! Deploying real templates in one go.

use std::collections::BTreeMap;

use super::*;
use crate::cloudformation::local_template;
use crate::cloudformation::template::parse;

const PIX_MONITOR: &str = include_str!("../../../../handlers/pix-monitor/template.yaml");

fn parameters() -> BTreeMap<String, String> {
    let given = [("WatchedAccounts", "A-1,A-2"), ("SlackWebhook", "http://slack.sink.localhost/hook")];
    given.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

#[test]
fn a_local_template_is_the_same_but_for_its_code() {
    let (before, after) = (parse(PIX_MONITOR).unwrap(), parse(&local_template(PIX_MONITOR).unwrap()).unwrap());
    let mut expected = before;
    let function = expected.resources.iter_mut().find(|(id, _)| id == "PixMonitor").unwrap();
    let uri = "s3://garoa-local-code/target/lambda/pix-monitor";
    function.1.properties.insert("CodeUri".to_owned(), uri.into());
    assert_eq!(after, expected);
}

#[tokio::test]
async fn pix_monitor_is_deployed_as_it_is() {
    let cloud = Cloud::builder().build();
    let outputs = cloud.deploy("pix", PIX_MONITOR, &parameters()).await.unwrap();
    assert_eq!(outputs["FunctionArn"], "arn:aws:lambda:us-east-1:123456789012:function:pix-monitor");
    assert_eq!(outputs["StateBucketName"], "pix-state");
    let name = json!({ "FunctionName": "pix-monitor" });
    let function = call(&cloud, "lambda", "GetFunctionConfiguration", name).await.unwrap();
    let variables = &function["Environment"]["Variables"];
    assert_eq!(variables["WATCHED_ACCOUNTS"], "A-1,A-2");
    assert_eq!(variables["SEARCH_RANGE_MINUTES"], "5");
    let schedule = physical(&cloud, "pix", "PixMonitorEveryThreeMinutes").await.unwrap();
    let schedule = call(&cloud, "scheduler", "GetSchedule", json!({ "Name": schedule })).await.unwrap();
    assert_eq!(schedule["ScheduleExpression"], "rate(3 minutes)");
    // Again changes nothing; other values do.
    cloud.deploy("pix", PIX_MONITOR, &parameters()).await.unwrap();
    let mut other = parameters();
    other.insert("SearchRangeMinutes".to_owned(), "30".to_owned());
    cloud.deploy("pix", PIX_MONITOR, &other).await.unwrap();
    let name = json!({ "FunctionName": "pix-monitor" });
    let function = call(&cloud, "lambda", "GetFunctionConfiguration", name).await.unwrap();
    assert_eq!(function["Environment"]["Variables"]["SEARCH_RANGE_MINUTES"], "30");
    cfn(&cloud, "DeleteStack", json!({ "StackName": "pix" })).await.unwrap();
    cloud.settle().await.unwrap();
    assert!(call(&cloud, "s3", "HeadBucket", json!({ "Bucket": "pix-state" })).await.is_err());
}

#[tokio::test]
async fn a_failed_deployment_says_why() {
    let cloud = cloud();
    call(&cloud, "s3", "CreateBucket", json!({ "Bucket": "pix-state" })).await.unwrap();
    let error = cloud.deploy("pix", PIX_MONITOR, &parameters()).await.unwrap_err();
    assert_eq!(error.code(), "StackFailed");
    assert!(error.message().contains("StateBucket (AWS::S3::Bucket) CREATE_FAILED: "), "{error}");
}
