//! `CreateLogGroup`, `DeleteLogGroup`, `DescribeLogGroups`.

use super::*;

const ARN: &str = "arn:aws:logs:us-east-1:123456789012:log-group:/app/a";

async fn names(logs: &Logs, input: Value) -> Vec<String> {
    members(&logs.ok("DescribeLogGroups", input).await["logGroups"], "logGroupName")
}

#[tokio::test]
async fn a_group_is_described_as_at_aws() {
    let logs = Logs::new();
    let key = "arn:aws:kms:us-east-1:123456789012:key/k";
    logs.ok("CreateLogGroup", json!({"logGroupName": "/app/a", "kmsKeyId": key, "logGroupClass": "STANDARD"})).await;
    let expected = json!({
        "logGroupName": "/app/a",
        "creationTime": START,
        "metricFilterCount": 0,
        "arn": format!("{ARN}:*"),
        "storedBytes": 0,
        "kmsKeyId": key,
        "logGroupClass": "STANDARD",
        "logGroupArn": ARN,
        "deletionProtectionEnabled": false,
        "bearerTokenAuthenticationEnabled": false,
    });
    assert_eq!(logs.ok("DescribeLogGroups", json!({})).await, json!({"logGroups": [expected]}));
}

#[tokio::test]
async fn a_pattern_leaves_out_what_must_be_looked_up() {
    let logs = Logs::new();
    logs.ok("CreateLogGroup", json!({"logGroupName": "/app/a"})).await;
    let expected = json!({
        "logGroupName": "/app/a",
        "creationTime": START,
        "metricFilterCount": 0,
        "arn": format!("{ARN}:*"),
        "logGroupClass": "STANDARD",
        "logGroupArn": ARN,
    });
    let output = logs.ok("DescribeLogGroups", json!({"logGroupNamePattern": "pp/"})).await;
    assert_eq!(output, json!({"logGroups": [expected]}));
}

#[tokio::test]
async fn names_are_unique_and_some_are_reserved() {
    let logs = Logs::with_stream().await;
    assert_eq!(
        logs.error("CreateLogGroup", json!({"logGroupName": "g"})).await,
        pair("ResourceAlreadyExistsException", "The specified log group already exists")
    );
    assert_eq!(
        logs.error("CreateLogGroup", json!({"logGroupName": "aws/spans"})).await,
        pair("InvalidParameterException", "Log groups starting with AWS/ are reserved for AWS.")
    );
}

#[tokio::test]
async fn what_is_not_there_is_refused_by_name() {
    let logs = Logs::new();
    for (member, value) in
        [("logGroupClass", json!("INFREQUENT_ACCESS")), ("deletionProtectionEnabled", json!(true)), ("x", json!(1))]
    {
        let (code, message) = logs.error("CreateLogGroup", json!({"logGroupName": "g", member: value})).await;
        assert_eq!(code, "NotImplemented");
        assert!(message.contains(member), "{message}");
    }
    assert!(names(&logs, json!({})).await.is_empty());
    let (code, _) = logs.error("DescribeLogGroups", json!({"includeLinkedAccounts": true})).await;
    assert_eq!(code, "NotImplemented");
    let (code, message) = logs.error("CreateScheduledQuery", json!({})).await;
    assert_eq!(code, "NotImplemented");
    assert!(message.contains("logs:CreateScheduledQuery"), "{message}");
}

#[tokio::test]
async fn groups_are_found_by_prefix_part_name_and_arn() {
    let logs = Logs::new();
    for name in ["b", "a", "a/x", "a/y", "ab", "B"] {
        logs.ok("CreateLogGroup", json!({"logGroupName": name})).await;
    }
    assert_eq!(names(&logs, json!({})).await, ["B", "a", "a/x", "a/y", "ab", "b"]);
    assert_eq!(names(&logs, json!({"logGroupNamePrefix": "a"})).await, ["a", "a/x", "a/y", "ab"]);
    assert_eq!(names(&logs, json!({"logGroupNamePattern": "b"})).await, ["ab", "b"]);
    let arn = "arn:aws:logs:us-east-1:123456789012:log-group:ab";
    let other = "arn:aws:logs:us-east-1:999999999999:log-group:b";
    assert_eq!(names(&logs, json!({"logGroupIdentifiers": ["a/x", arn, other]})).await, ["a/x", "ab"]);
    assert!(names(&logs, json!({"logGroupClass": "DELIVERY"})).await.is_empty());
    assert_eq!(
        logs.error("DescribeLogGroups", json!({"logGroupNamePrefix": "a", "logGroupNamePattern": "a"})).await,
        pair(
            "InvalidParameterException",
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."
        )
    );
}

#[tokio::test]
async fn a_page_has_fifty_groups_at_most_and_the_token_leads_to_the_next() {
    let logs = Logs::new();
    for number in 0..105 {
        logs.ok("CreateLogGroup", json!({"logGroupName": format!("g{number:03}")})).await;
    }
    let (mut all, mut sizes, mut token) = (Vec::new(), Vec::new(), Value::Null);
    loop {
        let output = logs.ok("DescribeLogGroups", json!({"logGroupNamePrefix": "g", "nextToken": token})).await;
        let page = members(&output["logGroups"], "logGroupName");
        sizes.push(page.len());
        all.extend(page);
        token = output["nextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(sizes, [50, 50, 5]);
    assert_eq!(all, (0..105).map(|number| format!("g{number:03}")).collect::<Vec<_>>());
    let output = logs.ok("DescribeLogGroups", json!({"limit": 105, "logGroupNamePattern": "g10"})).await;
    assert_eq!(output["logGroups"].as_array().unwrap().len(), 5);
    assert_eq!(output["nextToken"], Value::Null);
    for token in ["x", "e30", "%"] {
        assert_eq!(logs.error("DescribeLogGroups", json!({"nextToken": token})).await, invalid_token());
    }
}

#[tokio::test]
async fn a_deleted_group_is_gone_with_all_in_it() {
    let logs = Logs::with_stream().await;
    logs.put("s", &[(0, "a")]).await;
    let before = logs.ok("FilterLogEvents", json!({"logGroupName": "g"})).await;
    logs.ok("DeleteLogGroup", json!({"logGroupName": "g"})).await;
    assert_eq!(logs.error("DeleteLogGroup", json!({"logGroupName": "g"})).await, no_group());
    assert_eq!(logs.error("FilterLogEvents", json!({"logGroupName": "g"})).await, no_group());
    logs.ok("CreateLogGroup", json!({"logGroupName": "g"})).await;
    logs.ok("CreateLogStream", json!({"logGroupName": "g", "logStreamName": "s"})).await;
    assert!(messages(&logs.ok("FilterLogEvents", json!({"logGroupName": "g"})).await).is_empty());
    logs.put("s", &[(0, "a")]).await;
    let after = logs.ok("FilterLogEvents", json!({"logGroupName": "g"})).await;
    assert_ne!(before["events"][0]["eventId"], after["events"][0]["eventId"], "ids of another group are others");
}
