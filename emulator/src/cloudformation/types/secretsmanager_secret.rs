//! `AWS::SecretsManager::Secret`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html>

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::task::TagNames;
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::{Error, Result};

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::SecretsManager::Secret",
    properties: &[
        replaces("Name"),
        may_change("Description"),
        may_change("GenerateSecretString"),
        may_change("KmsKeyId"),
        may_change("ReplicaRegions"),
        may_change("SecretString"),
        may_change("Tags"),
    ],
    name_property: Some("Name"),
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

/// The longest name of a secret.
const NAME_LIMIT: usize = 512;
/// What stands at most in a description; AWS takes an empty one for none.
const NO_TEXT: &str = "";

async fn create(task: &Task<'_>) -> Result<Made> {
    let name = task.name("Name", NAME_LIMIT);
    let value = value(task).await?;
    let input = json!({
        "Name": name,
        "ClientRequestToken": token(task, &value),
        "Description": task.get("Description"),
        "KmsKeyId": task.get("KmsKeyId"),
        "SecretString": value,
        "Tags": task.tag_list(),
        "AddReplicaRegions": task.get("ReplicaRegions"),
    });
    let created = task.door.call("secretsmanager", "CreateSecret", input).await?;
    let arn = created["ARN"].as_str().unwrap_or_default();
    task.begun(arn);
    Ok(made(arn))
}

async fn update(task: &Task<'_>) -> Result<Made> {
    let arn = task.physical_id;
    let is_given = |names: &[&str]| names.iter().any(|name| task.properties.contains_key(*name));
    let written =
        task.changes(&["SecretString", "GenerateSecretString"]) && is_given(&["SecretString", "GenerateSecretString"]);
    if written || task.changes(&["Description", "KmsKeyId"]) {
        let value = if written { value(task).await? } else { Value::Null };
        let text = |name: &str| match task.get(name) {
            Value::Null if task.old.contains_key(name) => json!(NO_TEXT),
            text => text,
        };
        let input = json!({
            "SecretId": arn,
            "ClientRequestToken": token(task, &value),
            "Description": text("Description"),
            "KmsKeyId": text("KmsKeyId"),
            "SecretString": value,
        });
        task.door.call("secretsmanager", "UpdateSecret", input).await?;
    }
    let names = TagNames { arn: "SecretId", tags: "Tags", keys: "TagKeys", as_map: false };
    task.retag("secretsmanager", arn, names).await?;
    replicate(task, arn).await?;
    Ok(made(arn))
}

async fn delete(task: &Task<'_>) -> Result<()> {
    let arn = task.physical_id;
    remove_replicas(task, arn, &task.items("ReplicaRegions")).await?;
    // A template that is deployed again must find the name free.
    let input = json!({ "SecretId": arn, "ForceDeleteWithoutRecovery": true });
    task.door.call("secretsmanager", "DeleteSecret", input).await.map(drop)
}

async fn replicate(task: &Task<'_>, arn: &str) -> Result<()> {
    let (old, new) = (task.old_items("ReplicaRegions"), task.items("ReplicaRegions"));
    let gone: Vec<Value> = old.iter().filter(|replica| !new.contains(replica)).cloned().collect();
    remove_replicas(task, arn, &gone).await?;
    let added: Vec<Value> = new.into_iter().filter(|replica| !old.contains(replica)).collect();
    if !added.is_empty() {
        let input = json!({ "SecretId": arn, "AddReplicaRegions": added });
        task.door.call("secretsmanager", "ReplicateSecretToRegions", input).await?;
    }
    Ok(())
}

async fn remove_replicas(task: &Task<'_>, arn: &str, replicas: &[Value]) -> Result<()> {
    let regions: Vec<&Value> = replicas.iter().filter_map(|replica| replica.get("Region")).collect();
    if regions.is_empty() {
        return Ok(());
    }
    let input = json!({ "SecretId": arn, "RemoveReplicaRegions": regions });
    task.door.call("secretsmanager", "RemoveRegionsFromReplication", input).await.map(drop)
}

/// What the secret is to hold: what the template says, or a password that is made up; null if neither.
async fn value(task: &Task<'_>) -> Result<Value> {
    let Some(generate) = task.properties.get("GenerateSecretString") else { return Ok(task.get("SecretString")) };
    let invalid = |text: &str| Error::client("InvalidRequest", text);
    if task.properties.contains_key("SecretString") {
        return Err(invalid("You can't specify both SecretString and GenerateSecretString."));
    }
    let mut wanted = generate.as_object().cloned().unwrap_or_default();
    let (template, key) = (wanted.remove("SecretStringTemplate"), wanted.remove("GenerateStringKey"));
    let answer = task.door.call("secretsmanager", "GetRandomPassword", Value::Object(wanted)).await?;
    let password = answer["RandomPassword"].clone();
    match (template, key) {
        (None, None) => Ok(password),
        (Some(Value::String(template)), Some(Value::String(key))) => {
            let mut document: Map<String, Value> =
                serde_json::from_str(&template).map_err(|_| invalid("Could not parse SecretStringTemplate JSON"))?;
            document.insert(key, password);
            Ok(Value::Object(document).to_string().into())
        }
        _ => Err(invalid("SecretStringTemplate and GenerateStringKey must be specified together")),
    }
}

/// Tells one writing from another, and is the same when the same one is made again.
fn token(task: &Task<'_>, value: &Value) -> String {
    let old = task.old.get("SecretString").cloned().unwrap_or_default();
    let now = task.door.cloud.now();
    let what = format!("{}/{}/{}/{now}/{old}/{value}", task.stack_name, task.logical_id, task.suffix);
    hex::encode(Sha256::digest(what))
}

fn made(arn: &str) -> Made {
    Made::new(arn, [("Id", arn.into())])
}
