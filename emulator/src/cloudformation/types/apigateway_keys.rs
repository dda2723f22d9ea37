//! `AWS::ApiGateway::ApiKey`, `UsagePlan`, `UsagePlanKey`, `ClientCertificate` and `Account`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ApiGateway.html>

use serde_json::{Value, json};

use super::apigateway_parts::call;
use super::apigateway_rest_api::{TAGS, lower, patch, renamed, replace, scalar, text};
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

const SERVICE: &str = "apigateway";
/// The longest generated name.
const NAME_LIMIT: usize = 128;

pub(super) const API_KEY: ResourceType = ResourceType {
    name: "AWS::ApiGateway::ApiKey",
    properties: &[
        may_change("CustomerId"),
        may_change("Description"),
        may_change("Enabled"),
        replaces("GenerateDistinctId"),
        replaces("Name"),
        replaces("StageKeys"),
        may_change("Tags"),
        replaces("Value"),
    ],
    name_property: Some("Name"),
    create: |task| {
        Box::pin(async move {
            let names = [
                ("CustomerId", "customerId"),
                ("Description", "description"),
                ("Enabled", "enabled"),
                ("GenerateDistinctId", "generateDistinctId"),
                ("Value", "value"),
            ];
            let mut input = renamed(task, &names);
            input.insert("name".to_owned(), task.name("Name", NAME_LIMIT).into());
            input.insert("stageKeys".to_owned(), lower(&task.get("StageKeys")));
            input.insert("tags".to_owned(), task.tag_map()?);
            let made = call(task, "CreateApiKey", input).await?;
            let id = text(&made, "id")?;
            task.begun(&id);
            Ok(Made::new(&*id, [("APIKeyId", id.as_str().into())]))
        })
    },
    update: |task| {
        Box::pin(async move {
            let members = [("CustomerId", "customerId"), ("Description", "description"), ("Enabled", "enabled")];
            let changed = members.iter().filter(|(property, _)| task.changes(&[*property]));
            let operations = changed.map(|(property, member)| replace(&format!("/{member}"), &task.get(property)));
            patch(task, "UpdateApiKey", json!({ "apiKey": task.physical_id }), operations.collect()).await?;
            retag(task, "apikeys").await?;
            Ok(Made::new(task.physical_id, [("APIKeyId", task.physical_id.into())]))
        })
    },
    delete: |task| {
        Box::pin(async move {
            task.door.call(SERVICE, "DeleteApiKey", json!({ "apiKey": task.physical_id })).await.map(drop)
        })
    },
};

async fn retag(task: &Task<'_>, collection: &str) -> Result<()> {
    let arn = format!("arn:aws:apigateway:{}::/{collection}/{}", task.door.scope.region, task.physical_id);
    task.retag(SERVICE, &arn, TAGS).await
}

pub(super) const USAGE_PLAN: ResourceType = ResourceType {
    name: "AWS::ApiGateway::UsagePlan",
    properties: &[
        may_change("ApiStages"),
        may_change("Description"),
        may_change("Quota"),
        may_change("Tags"),
        may_change("Throttle"),
        may_change("UsagePlanName"),
    ],
    name_property: None,
    create: |task| {
        Box::pin(async move {
            let mut input = renamed(task, &[("Description", "description")]);
            input.insert("name".to_owned(), task.name("UsagePlanName", NAME_LIMIT).into());
            input.insert("quota".to_owned(), lower(&task.get("Quota")));
            input.insert("throttle".to_owned(), lower(&task.get("Throttle")));
            input.insert("apiStages".to_owned(), api_stages(&task.items("ApiStages")));
            input.insert("tags".to_owned(), task.tag_map()?);
            let made = call(task, "CreateUsagePlan", input).await?;
            let id = text(&made, "id")?;
            task.begun(&id);
            Ok(Made::new(&*id, [("Id", id.as_str().into())]))
        })
    },
    update: |task| Box::pin(update_plan(task)),
    delete: |task| {
        Box::pin(async move {
            let id = task.physical_id;
            let removed = task.items("ApiStages");
            let operations =
                removed.iter().map(|stage| json!({"op": "remove", "path": "/apiStages", "value": named(stage)}));
            // A stage that went before took itself out of the plan.
            let of = json!({ "usagePlanId": id });
            let plan = task.door.call(SERVICE, "GetUsagePlan", of.clone()).await?;
            let there = |operation: &Value| {
                let stages = plan.get("apiStages").and_then(Value::as_array).into_iter().flatten();
                let mut names = stages.map(|s| format!("{}:{}", scalar(&s["apiId"]), scalar(&s["stage"])));
                names.any(|name| operation["value"] == name.as_str())
            };
            patch(task, "UpdateUsagePlan", of.clone(), operations.filter(there).collect()).await?;
            task.door.call(SERVICE, "DeleteUsagePlan", of).await.map(drop)
        })
    },
};

/// The paths of a stage's throttles stay as they are.
fn api_stages(stages: &[Value]) -> Value {
    let stage = |stage: &Value| {
        let throttle = stage.get("Throttle").and_then(Value::as_object);
        let throttle: serde_json::Map<String, Value> =
            throttle.into_iter().flatten().map(|(path, limits)| (path.clone(), lower(limits))).collect();
        json!({"apiId": stage.get("ApiId"), "stage": stage.get("Stage"), "throttle": throttle})
    };
    stages.iter().map(stage).collect()
}

fn named(stage: &Value) -> String {
    format!("{}:{}", scalar(&stage["ApiId"]), scalar(&stage["Stage"]))
}

async fn update_plan(task: &Task<'_>) -> Result<Made> {
    let mut operations = Vec::new();
    for (property, member) in [("Description", "description"), ("UsagePlanName", "name")] {
        if task.changes(&[property]) {
            operations.push(replace(&format!("/{member}"), &task.get(property)));
        }
    }
    for (property, members) in
        [("Quota", &["Limit", "Offset", "Period"][..]), ("Throttle", &["BurstLimit", "RateLimit"][..])]
    {
        let own = super::apigateway_rest_api::small(property);
        match task.get(property) {
            Value::Null if task.old.contains_key(property) => {
                operations.push(json!({"op": "remove", "path": format!("/{own}")}));
            }
            value => {
                let given = members.iter().filter_map(|name| Some((name, value.get(*name)?)));
                operations.extend(given.map(|(name, value)| {
                    replace(&format!("/{own}/{}", super::apigateway_rest_api::small(name)), value)
                }));
            }
        }
    }
    let (old, new) = (task.old_items("ApiStages"), task.items("ApiStages"));
    let gone = old.iter().filter(|stage| !new.contains(stage));
    operations.extend(gone.map(|stage| json!({"op": "remove", "path": "/apiStages", "value": named(stage)})));
    let come = new.iter().filter(|stage| !old.contains(stage));
    operations.extend(come.map(|stage| json!({"op": "add", "path": "/apiStages", "value": named(stage)})));
    patch(task, "UpdateUsagePlan", json!({ "usagePlanId": task.physical_id }), operations).await?;
    retag(task, "usageplans").await?;
    Ok(Made::new(task.physical_id, [("Id", task.physical_id.into())]))
}

pub(super) const USAGE_PLAN_KEY: ResourceType = ResourceType {
    name: "AWS::ApiGateway::UsagePlanKey",
    properties: &[replaces("KeyId").required(), replaces("KeyType").required(), replaces("UsagePlanId").required()],
    name_property: None,
    create: |task| {
        Box::pin(async move {
            let names = [("KeyId", "keyId"), ("KeyType", "keyType"), ("UsagePlanId", "usagePlanId")];
            call(task, "CreateUsagePlanKey", renamed(task, &names)).await?;
            let id = format!("{}:{}", scalar(&task.get("KeyId")), scalar(&task.get("UsagePlanId")));
            task.begun(&id);
            Ok(Made::new(&*id, [("Id", id.as_str().into())]))
        })
    },
    update: |task| Box::pin(async move { Ok(Made::new(task.physical_id, [("Id", task.physical_id.into())])) }),
    delete: |task| {
        Box::pin(async move {
            let names = [("KeyId", "keyId"), ("UsagePlanId", "usagePlanId")];
            call(task, "DeleteUsagePlanKey", renamed(task, &names)).await.map(drop)
        })
    },
};

pub(super) const CLIENT_CERTIFICATE: ResourceType = ResourceType {
    name: "AWS::ApiGateway::ClientCertificate",
    properties: &[may_change("Description"), may_change("Tags")],
    name_property: None,
    create: |task| {
        Box::pin(async move {
            let mut input = renamed(task, &[("Description", "description")]);
            input.insert("tags".to_owned(), task.tag_map()?);
            let made = call(task, "GenerateClientCertificate", input).await?;
            let id = text(&made, "clientCertificateId")?;
            task.begun(&id);
            Ok(Made::new(&*id, [("ClientCertificateId", id.as_str().into())]))
        })
    },
    update: |task| {
        Box::pin(async move {
            let of = json!({ "clientCertificateId": task.physical_id });
            patch(task, "UpdateClientCertificate", of, vec![replace("/description", &task.get("Description"))]).await?;
            retag(task, "clientcertificates").await?;
            Ok(Made::new(task.physical_id, [("ClientCertificateId", task.physical_id.into())]))
        })
    },
    delete: |task| {
        Box::pin(async move {
            let of = json!({ "clientCertificateId": task.physical_id });
            task.door.call(SERVICE, "DeleteClientCertificate", of).await.map(drop)
        })
    },
};

pub(super) const ACCOUNT: ResourceType = ResourceType {
    name: "AWS::ApiGateway::Account",
    properties: &[may_change("CloudWatchRoleArn")],
    name_property: None,
    create: |task| {
        Box::pin(async move {
            set_role(task).await?;
            let id = task.generated(NAME_LIMIT);
            task.begun(&id);
            Ok(Made::new(&*id, [("Id", id.as_str().into())]))
        })
    },
    update: |task| {
        Box::pin(async move {
            set_role(task).await?;
            Ok(Made::new(task.physical_id, [("Id", task.physical_id.into())]))
        })
    },
    // The account's settings stay, as at AWS.
    delete: |_| Box::pin(async move { Ok(()) }),
};

async fn set_role(task: &Task<'_>) -> Result<()> {
    let role = task.get("CloudWatchRoleArn");
    patch(task, "UpdateAccount", json!({}), vec![replace("/cloudwatchRoleArn", &role)]).await
}
