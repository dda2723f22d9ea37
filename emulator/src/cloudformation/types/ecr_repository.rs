//! `AWS::ECR::Repository`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecr-repository.html>

use serde_json::{Value, json};

use super::task::{TagNames, document};
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::ECR::Repository",
    properties: &[
        may_change("EmptyOnDelete"),
        replaces("EncryptionConfiguration"),
        may_change("ImageScanningConfiguration"),
        may_change("ImageTagMutability"),
        may_change("ImageTagMutabilityExclusionFilters"),
        may_change("LifecyclePolicy"),
        replaces("RepositoryName"),
        may_change("RepositoryPolicyText"),
        may_change("Tags"),
    ],
    name_property: Some("RepositoryName"),
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

/// The longest name of a repository.
const NAME_LIMIT: usize = 256;
/// What a repository is that says nothing of its tags.
const MUTABLE: &str = "MUTABLE";

async fn create(task: &Task<'_>) -> Result<Made> {
    // A name that is made up is in lower case, as ECR wants them.
    let name = match task.get("RepositoryName") {
        Value::Null => task.generated(NAME_LIMIT).to_lowercase(),
        _ => task.name("RepositoryName", NAME_LIMIT),
    };
    let encryption = task.get("EncryptionConfiguration");
    let input = json!({
        "repositoryName": name,
        "imageTagMutability": task.get("ImageTagMutability"),
        "imageTagMutabilityExclusionFilters": filters(task),
        "imageScanningConfiguration": scanning(task),
        "encryptionConfiguration": match encryption {
            Value::Null => Value::Null,
            given => json!({ "encryptionType": given["EncryptionType"], "kmsKey": given["KmsKey"] }),
        },
        "tags": task.tag_list(),
    });
    let made = task.door.call("ecr", "CreateRepository", input).await?;
    task.begun(&name);
    put_policies(task, &name).await?;
    Ok(attributes(&name, &made["repository"]))
}

async fn update(task: &Task<'_>) -> Result<Made> {
    let name = task.physical_id;
    if task.changes(&["ImageTagMutability", "ImageTagMutabilityExclusionFilters"]) {
        let mutability = task.get("ImageTagMutability");
        let input = json!({
            "repositoryName": name,
            "imageTagMutability": mutability.as_str().unwrap_or(MUTABLE),
            "imageTagMutabilityExclusionFilters": filters(task),
        });
        task.door.call("ecr", "PutImageTagMutability", input).await?;
    }
    if task.changes(&["ImageScanningConfiguration"]) {
        let scanning = match scanning(task) {
            Value::Null => json!({ "scanOnPush": false }),
            given => given,
        };
        let input = json!({ "repositoryName": name, "imageScanningConfiguration": scanning });
        task.door.call("ecr", "PutImageScanningConfiguration", input).await?;
    }
    put_policies(task, name).await?;
    let arn = task.door.scope.arn("ecr", format_args!("repository/{name}"));
    let names = TagNames { arn: "resourceArn", tags: "tags", keys: "tagKeys", as_map: false };
    task.retag("ecr", &arn, names).await?;
    let found = task.door.call("ecr", "DescribeRepositories", json!({ "repositoryNames": [name] })).await?;
    Ok(attributes(name, &found["repositories"][0]))
}

async fn delete(task: &Task<'_>) -> Result<()> {
    let input = json!({ "repositoryName": task.physical_id, "force": task.get("EmptyOnDelete") });
    task.door.call("ecr", "DeleteRepository", input).await.map(drop)
}

/// Puts the policy of the repository and that of its images' lives, or takes away what is no longer said.
async fn put_policies(task: &Task<'_>, name: &str) -> Result<()> {
    if task.changes(&["RepositoryPolicyText"]) {
        let (operation, input) = match task.get("RepositoryPolicyText") {
            Value::Null => ("DeleteRepositoryPolicy", json!({ "repositoryName": name })),
            policy => ("SetRepositoryPolicy", json!({ "repositoryName": name, "policyText": document(&policy)? })),
        };
        task.door.call("ecr", operation, input).await?;
    }
    if task.changes(&["LifecyclePolicy"]) {
        let policy = task.get("LifecyclePolicy");
        let registry = &policy["RegistryId"];
        let (operation, input) = match &policy["LifecyclePolicyText"] {
            Value::Null => ("DeleteLifecyclePolicy", json!({ "repositoryName": name })),
            text => (
                "PutLifecyclePolicy",
                json!({ "repositoryName": name, "registryId": registry, "lifecyclePolicyText": document(text)? }),
            ),
        };
        task.door.call("ecr", operation, input).await?;
    }
    Ok(())
}

fn scanning(task: &Task<'_>) -> Value {
    match task.get("ImageScanningConfiguration") {
        Value::Null => Value::Null,
        given => json!({ "scanOnPush": given["ScanOnPush"] }),
    }
}

/// CloudFormation names the members of a filter by the whole name of their type.
fn filters(task: &Task<'_>) -> Value {
    let filter = |given: &Value| {
        json!({
            "filterType": given["ImageTagMutabilityExclusionFilterType"],
            "filter": given["ImageTagMutabilityExclusionFilterValue"],
        })
    };
    let filters = task.items("ImageTagMutabilityExclusionFilters");
    if filters.is_empty() { Value::Null } else { filters.iter().map(filter).collect() }
}

fn attributes(name: &str, repository: &Value) -> Made {
    let attribute = |member: &str| repository[member].clone();
    Made::new(name, [("Arn", attribute("repositoryArn")), ("RepositoryUri", attribute("repositoryUri"))])
}
