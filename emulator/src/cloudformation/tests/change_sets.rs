//! Change sets, in the order of calls of `aws cloudformation deploy`.

use serde_json::json;

use super::*;

async fn change_set(cloud: &Cloud, kind: &str, name: &str, template: &str) -> Value {
    let input = json!({
        "StackName": "clock", "ChangeSetName": name, "ChangeSetType": kind, "TemplateBody": template,
        "Description": "Created by AWS CLI",
    });
    let id = cfn(cloud, "CreateChangeSet", input).await.unwrap()["Id"].clone();
    cfn(cloud, "DescribeChangeSet", json!({ "ChangeSetName": id })).await.unwrap()
}

#[tokio::test]
async fn a_stack_is_made_and_changed_by_change_sets() {
    let cloud = cloud();
    let set = change_set(&cloud, "CREATE", "first", CLOCKWORK).await;
    assert_eq!((&set["Status"], &set["ExecutionStatus"]), (&json!("CREATE_COMPLETE"), &json!("AVAILABLE")));
    let added: Vec<&Value> = set["Changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| &change["ResourceChange"]["LogicalResourceId"])
        .collect();
    assert_eq!(added, ["Function", "Group", "Schedule"]);
    assert_eq!(stack(&cloud, "clock").await["StackStatus"], "REVIEW_IN_PROGRESS");
    let by_name = json!({ "ChangeSetName": "first", "StackName": "clock" });
    cfn(&cloud, "ExecuteChangeSet", by_name.clone()).await.unwrap();
    cloud.settle().await.unwrap();
    let made = stack(&cloud, "clock").await;
    assert_eq!(made["StackStatus"], "CREATE_COMPLETE");
    assert_eq!(made["ChangeSetId"], set["ChangeSetId"]);
    let again = cfn(&cloud, "ExecuteChangeSet", by_name).await;
    assert!(message(again).contains("cannot be executed in its current status of [EXECUTE_COMPLETE]"));

    let set = change_set(&cloud, "UPDATE", "second", &CLOCKWORK.replace("Default: 5", "Default: 6")).await;
    let change = &set["Changes"][0]["ResourceChange"];
    // What takes an attribute of the function may change as well: AWS does not look whether that attribute does.
    assert_eq!(set["Changes"].as_array().unwrap().len(), 2, "{set}");
    let dependent = &set["Changes"][1]["ResourceChange"];
    assert_eq!((&dependent["LogicalResourceId"], &dependent["Replacement"]), (&json!("Schedule"), &json!("False")));
    assert_eq!(dependent["Details"][0]["CausingEntity"], "Function.Arn");
    assert_eq!((&change["Action"], &change["Replacement"]), (&json!("Modify"), &json!("False")));
    assert_eq!(change["Details"][0]["Target"]["Name"], "Timeout");
    cfn(&cloud, "ExecuteChangeSet", json!({ "ChangeSetName": set["ChangeSetId"] })).await.unwrap();
    cloud.settle().await.unwrap();
    assert_eq!(stack(&cloud, "clock").await["StackStatus"], "UPDATE_COMPLETE");
    // What was executed can be described, but is not listed any more.
    let listed = cfn(&cloud, "ListChangeSets", json!({ "StackName": "clock" })).await.unwrap();
    assert_eq!(listed["Summaries"], json!([]));
    // Its name is free.
    let third = change_set(&cloud, "UPDATE", "second", &CLOCKWORK.replace("Default: 5", "Default: 7")).await;
    assert_ne!(third["ChangeSetId"], set["ChangeSetId"]);
    let named = json!({ "ChangeSetName": "second", "StackName": "clock" });
    assert_eq!(cfn(&cloud, "DescribeChangeSet", named).await.unwrap()["ChangeSetId"], third["ChangeSetId"]);
    let input = json!({ "StackName": "clock", "ChangeSetName": "second", "UsePreviousTemplate": true });
    assert!(message(cfn(&cloud, "CreateChangeSet", input).await).contains("ChangeSet second already exists"));
}

#[tokio::test]
async fn a_replacement_is_foretold_with_what_follows_from_it() {
    let cloud = cloud();
    create(&cloud, "clock", CLOCKWORK).await;
    let template = CLOCKWORK.replace("      Handler: bootstrap", "      Handler: bootstrap\n      FunctionName: named");
    let set = change_set(&cloud, "UPDATE", "replace", &template).await;
    let told: Vec<_> = set["Changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| &change["ResourceChange"])
        .map(|change| (change["LogicalResourceId"].as_str().unwrap(), change["Replacement"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [("Function", "True"), ("Schedule", "False")]);
}

#[tokio::test]
async fn without_changes_a_change_set_fails() {
    let cloud = cloud();
    create(&cloud, "clock", CLOCKWORK).await;
    let set = change_set(&cloud, "UPDATE", "none", CLOCKWORK).await;
    assert_eq!((&set["Status"], &set["ExecutionStatus"]), (&json!("FAILED"), &json!("UNAVAILABLE")));
    assert_eq!(
        set["StatusReason"],
        "The submitted information didn't contain changes. Submit different information to create a change set."
    );
    let listed = cfn(&cloud, "ListChangeSets", json!({ "StackName": "clock" })).await.unwrap();
    assert_eq!(listed["Summaries"].as_array().unwrap().len(), 1);
    cfn(&cloud, "DeleteChangeSet", json!({ "ChangeSetName": set["ChangeSetId"] })).await.unwrap();
    let missing = cfn(&cloud, "DescribeChangeSet", json!({ "ChangeSetName": "none", "StackName": "clock" })).await;
    assert_eq!(message(missing), "ChangeSetNotFound (404): ChangeSet [none] does not exist");
}

#[tokio::test]
async fn templates_are_summed_up() {
    let cloud = cloud();
    create(&cloud, "clock", CLOCKWORK).await;
    let body = cfn(&cloud, "GetTemplate", json!({ "StackName": "clock" })).await.unwrap();
    assert_eq!(body["TemplateBody"], CLOCKWORK);
    let summary = cfn(&cloud, "GetTemplateSummary", json!({ "StackName": "clock" })).await.unwrap();
    assert_eq!(summary["Parameters"][1]["NoEcho"], true);
    assert_eq!(
        summary["ResourceTypes"],
        json!(["AWS::Scheduler::Schedule", "AWS::Lambda::Function", "AWS::Scheduler::ScheduleGroup"])
    );
    let role = "Resources: {R: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {}}}}";
    let valid = cfn(&cloud, "ValidateTemplate", json!({ "TemplateBody": role })).await.unwrap();
    assert_eq!(valid["Capabilities"], json!(["CAPABILITY_IAM"]));
    assert_eq!(valid["CapabilitiesReason"], "The following resource(s) require capabilities: [AWS::IAM::Role]");
    let refused =
        cfn(&cloud, "ValidateTemplate", json!({ "TemplateBody": "Resources: {A: {Type: X::Y::Z, DependsOn: B}}" }));
    assert_eq!(
        message(refused.await),
        "ValidationError (400): Template format error: Unresolved resource dependencies [B] in the Resources block of the template"
    );
}

#[tokio::test]
async fn values_are_shown_to_those_who_ask_for_them() {
    let cloud = cloud();
    let template = |name: &str| {
        format!(
            "Parameters: {{Name: {{Type: String, Default: {name}}}}}\nResources:\n  \
             A: {{Type: AWS::SNS::Topic, Properties: {{TopicName: !Ref Name}}}}\n  \
             B: {{Type: AWS::SSM::Parameter, Properties: {{Type: String, Value: !GetAtt A.TopicName}}}}\n"
        )
    };
    let with_values = |id: &Value| json!({ "ChangeSetName": id, "IncludePropertyValues": true });
    let set = change_set(&cloud, "CREATE", "first", &template("one")).await;
    assert!(set["Changes"][0]["ResourceChange"].get("AfterContext").is_none());
    let told = cfn(&cloud, "DescribeChangeSet", with_values(&set["ChangeSetId"])).await.unwrap();
    let context = |index: usize, name: &str| -> Value {
        serde_json::from_str(told["Changes"][index]["ResourceChange"][name].as_str().unwrap()).unwrap()
    };
    assert_eq!(context(0, "AfterContext"), json!({ "Properties": { "TopicName": "one" } }));
    assert_eq!(context(1, "AfterContext")["Properties"]["Value"], "{{changeSet:KNOWN_AFTER_APPLY}}");
    cfn(&cloud, "ExecuteChangeSet", json!({ "ChangeSetName": set["ChangeSetId"] })).await.unwrap();
    cloud.settle().await.unwrap();

    let set = change_set(&cloud, "UPDATE", "second", &template("two")).await;
    let told = cfn(&cloud, "DescribeChangeSet", with_values(&set["ChangeSetId"])).await.unwrap();
    let [a, b] = [0, 1].map(|index| told["Changes"][index]["ResourceChange"].clone());
    assert_eq!((&a["PolicyAction"], &a["Replacement"]), (&json!("ReplaceAndDelete"), &json!("True")));
    assert_eq!(a["BeforeContext"], r#"{"Properties":{"TopicName":"one"}}"#);
    let cause = &a["Details"][0];
    assert_eq!((&cause["CausingEntity"], &cause["ChangeSource"]), (&json!("Name"), &json!("ParameterReference")));
    let target = json!({
        "Attribute": "Properties", "Name": "TopicName", "RequiresRecreation": "Always", "Path": "/Properties/TopicName",
        "BeforeValue": "one", "AfterValue": "two", "AttributeChangeType": "Modify",
    });
    assert_eq!(cause["Target"], target);
    assert_eq!(a["Details"][1]["Evaluation"], "Dynamic");
    assert_eq!(b["Details"][0]["CausingEntity"], "A.TopicName");
    assert_eq!(b["Details"][0]["ChangeSource"], "ResourceAttribute");
}

#[tokio::test]
async fn a_key_that_a_mapping_does_not_have_is_refused_at_once() {
    let cloud = cloud();
    let template = "Mappings: {M: {a: {x: 1}}}\nConditions: {No: !Equals [a, b]}\nResources:\n  \
                    T: {Type: AWS::SNS::Topic, Properties: {DisplayName: !If [No, !FindInMap [M, c, x], !FindInMap [M, a, x]]}}\n";
    cfn(&cloud, "CreateStack", json!({ "StackName": "good", "TemplateBody": template })).await.unwrap();
    let template = template.replace("[M, a, x]", "[M, b, x]");
    let refused = cfn(&cloud, "CreateStack", json!({ "StackName": "bad", "TemplateBody": template })).await;
    assert!(message(refused).contains("Template error: Unable to get mapping for M::b::x"));
}
