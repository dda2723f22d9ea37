//! `AWS::IAM::ServerCertificate`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-servercertificate.html>

use serde_json::{Value, json};

use super::iam_holder::{gone, retag_by};
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::IAM::ServerCertificate",
    properties: &[
        replaces("CertificateBody"),
        replaces("CertificateChain"),
        may_change("Path"),
        replaces("PrivateKey"),
        replaces("ServerCertificateName"),
        may_change("Tags"),
    ],
    name_property: Some("ServerCertificateName"),
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

/// The longest name of a certificate.
const NAME_LIMIT: usize = 128;

async fn create(task: &Task<'_>) -> Result<Made> {
    let name = task.name("ServerCertificateName", NAME_LIMIT);
    let mut input = task.pick(&["CertificateBody", "CertificateChain", "Path", "PrivateKey"]);
    input.insert("ServerCertificateName".to_owned(), name.as_str().into());
    input.insert("Tags".to_owned(), task.tag_list());
    let made = task.door.call("iam", "UploadServerCertificate", Value::Object(input)).await?;
    Ok(Made::new(name, [("Arn", made["ServerCertificateMetadata"]["Arn"].clone())]))
}

async fn update(task: &Task<'_>) -> Result<Made> {
    let name = task.physical_id;
    if task.changes(&["Path"]) {
        let path = task.get("Path").as_str().unwrap_or("/").to_owned();
        let input = json!({ "ServerCertificateName": name, "NewPath": path });
        task.door.call("iam", "UpdateServerCertificate", input).await?;
    }
    retag_by(task, "ServerCertificate", "ServerCertificateName").await?;
    let found = task.door.call("iam", "GetServerCertificate", json!({ "ServerCertificateName": name })).await?;
    Ok(Made::new(name, [("Arn", found["ServerCertificate"]["ServerCertificateMetadata"]["Arn"].clone())]))
}

async fn delete(task: &Task<'_>) -> Result<()> {
    gone(task.door.call("iam", "DeleteServerCertificate", json!({ "ServerCertificateName": task.physical_id })).await)
}
