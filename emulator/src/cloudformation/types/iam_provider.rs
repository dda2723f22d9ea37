//! `AWS::IAM::OIDCProvider` and `AWS::IAM::SAMLProvider`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-oidcprovider.html>

use serde_json::{Value, json};

use super::iam_holder::{gone, retag_by};
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

pub(super) const OIDC: ResourceType = ResourceType {
    name: "AWS::IAM::OIDCProvider",
    properties: &[may_change("ClientIdList"), may_change("Tags"), may_change("ThumbprintList"), replaces("Url")],
    name_property: Some("Url"),
    create: |task| Box::pin(create_oidc(task)),
    update: |task| Box::pin(update_oidc(task)),
    delete: |task| Box::pin(delete_oidc(task)),
};

pub(super) const SAML: ResourceType = ResourceType {
    name: "AWS::IAM::SAMLProvider",
    properties: &[replaces("Name"), may_change("SamlMetadataDocument"), may_change("Tags")],
    name_property: Some("Name"),
    create: |task| Box::pin(create_saml(task)),
    update: |task| Box::pin(update_saml(task)),
    delete: |task| Box::pin(delete_saml(task)),
};

/// The longest name of a SAML provider.
const NAME_LIMIT: usize = 128;

async fn create_oidc(task: &Task<'_>) -> Result<Made> {
    let input = json!({
        "Url": task.get("Url"),
        "ClientIDList": task.items("ClientIdList"),
        "ThumbprintList": task.items("ThumbprintList"),
        "Tags": task.tag_list(),
    });
    let made = task.door.call("iam", "CreateOpenIDConnectProvider", input).await?;
    let arn = made["OpenIDConnectProviderArn"].as_str().unwrap_or_default();
    task.begun(arn);
    Ok(Made::new(arn, [("Arn", arn.into())]))
}

async fn update_oidc(task: &Task<'_>) -> Result<Made> {
    let arn = task.physical_id;
    if task.changes(&["ThumbprintList"]) {
        let input = json!({ "OpenIDConnectProviderArn": arn, "ThumbprintList": task.items("ThumbprintList") });
        task.door.call("iam", "UpdateOpenIDConnectProviderThumbprint", input).await?;
    }
    let (old, new) = (task.old_items("ClientIdList"), task.items("ClientIdList"));
    let changes = [("Add", &new, &old), ("Remove", &old, &new)];
    for (verb, some, others) in changes {
        let way = if verb == "Add" { "To" } else { "From" };
        for client in some.iter().filter(|client| !others.contains(client)) {
            let input = json!({ "OpenIDConnectProviderArn": arn, "ClientID": client });
            task.door.call("iam", &format!("{verb}ClientID{way}OpenIDConnectProvider"), input).await?;
        }
    }
    retag_by(task, "OpenIDConnectProvider", "OpenIDConnectProviderArn").await?;
    Ok(Made::new(arn, [("Arn", arn.into())]))
}

async fn delete_oidc(task: &Task<'_>) -> Result<()> {
    let input = json!({ "OpenIDConnectProviderArn": task.physical_id });
    gone(task.door.call("iam", "DeleteOpenIDConnectProvider", input).await)
}

async fn create_saml(task: &Task<'_>) -> Result<Made> {
    let input = json!({
        "Name": task.name("Name", NAME_LIMIT),
        "SAMLMetadataDocument": task.get("SamlMetadataDocument"),
        "Tags": task.tag_list(),
    });
    let made = task.door.call("iam", "CreateSAMLProvider", input).await?;
    saml(task, made["SAMLProviderArn"].as_str().unwrap_or_default()).await
}

async fn saml(task: &Task<'_>, arn: &str) -> Result<Made> {
    task.begun(arn);
    let found = task.door.call("iam", "GetSAMLProvider", json!({ "SAMLProviderArn": arn })).await?;
    Ok(Made::new(arn, [("Arn", arn.into()), ("SamlProviderUUID", found["SAMLProviderUUID"].clone())]))
}

async fn update_saml(task: &Task<'_>) -> Result<Made> {
    if task.changes(&["SamlMetadataDocument"]) {
        let document: Value = task.get("SamlMetadataDocument");
        let input = json!({ "SAMLProviderArn": task.physical_id, "SAMLMetadataDocument": document });
        task.door.call("iam", "UpdateSAMLProvider", input).await?;
    }
    retag_by(task, "SAMLProvider", "SAMLProviderArn").await?;
    saml(task, task.physical_id).await
}

async fn delete_saml(task: &Task<'_>) -> Result<()> {
    gone(task.door.call("iam", "DeleteSAMLProvider", json!({ "SAMLProviderArn": task.physical_id })).await)
}
