//! `AWS::ApiGatewayV2::DomainName` and `AWS::ApiGatewayV2::VpcLink`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ApiGatewayV2.html>

use serde_json::{Map, Value, json};

use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

const SERVICE: &str = "apigatewayv2";

pub(super) const DOMAIN_NAME: ResourceType = ResourceType {
    name: "AWS::ApiGatewayV2::DomainName",
    properties: &[
        replaces("DomainName").required(),
        may_change("DomainNameConfigurations"),
        may_change("MutualTlsAuthentication"),
        may_change("Tags"),
    ],
    name_property: Some("DomainName"),
    create: |task| {
        Box::pin(async move {
            let input = Value::Object(task.properties.clone());
            let made = task.door.call(SERVICE, "CreateDomainName", input).await?;
            let domain = task.get("DomainName");
            task.begun(domain.as_str().unwrap_or_default());
            Ok(domain_name(&made))
        })
    },
    update: |task| {
        Box::pin(async move {
            let input = task.pick(&["DomainName", "DomainNameConfigurations", "MutualTlsAuthentication"]);
            let made = task.door.call(SERVICE, "UpdateDomainName", Value::Object(input)).await?;
            retag(task, made["DomainNameArn"].as_str().unwrap_or_default()).await?;
            Ok(domain_name(&made))
        })
    },
    delete: |task| {
        Box::pin(async move {
            task.door.call(SERVICE, "DeleteDomainName", json!({ "DomainName": task.physical_id })).await.map(drop)
        })
    },
};

/// What was made. The ids of hosted zones are of Amazon Route 53, which is not here.
fn domain_name(found: &Value) -> Made {
    let mut made = Made::new(found["DomainName"].as_str().unwrap_or_default(), []);
    let regional = &found["DomainNameConfigurations"][0]["ApiGatewayDomainName"];
    for (attribute, value) in [
        ("DomainName", &found["DomainName"]),
        ("DomainNameArn", &found["DomainNameArn"]),
        ("RegionalDomainName", regional),
    ] {
        if !value.is_null() {
            made.attributes.insert(attribute.to_owned(), value.clone());
        }
    }
    made
}

pub(super) const VPC_LINK: ResourceType = ResourceType {
    name: "AWS::ApiGatewayV2::VpcLink",
    properties: &[
        may_change("Name").required(),
        replaces("SecurityGroupIds"),
        replaces("SubnetIds").required(),
        may_change("Tags"),
    ],
    name_property: None,
    create: |task| {
        Box::pin(async move {
            let input = Value::Object(task.properties.clone());
            let made = task.door.call(SERVICE, "CreateVpcLink", input).await?;
            let id = made["VpcLinkId"].as_str().unwrap_or_default();
            task.begun(id);
            Ok(Made::new(id, [("VpcLinkId", id.into())]))
        })
    },
    update: |task| {
        Box::pin(async move {
            let id = task.physical_id;
            let input = json!({ "VpcLinkId": id, "Name": task.get("Name") });
            task.door.call(SERVICE, "UpdateVpcLink", input).await?;
            retag(task, &format!("arn:aws:apigateway:{}::/vpclinks/{id}", task.door.scope.region)).await?;
            Ok(Made::new(id, [("VpcLinkId", id.into())]))
        })
    },
    delete: |task| {
        Box::pin(async move {
            task.door.call(SERVICE, "DeleteVpcLink", json!({ "VpcLinkId": task.physical_id })).await.map(drop)
        })
    },
};

/// Brings the tags up to date, which templates have as a map here.
async fn retag(task: &Task<'_>, arn: &str) -> Result<()> {
    if !task.changes(&["Tags"]) {
        return Ok(());
    }
    let none = Map::new();
    let wanted = task.get("Tags");
    let wanted = wanted.as_object().unwrap_or(&none);
    let old = task.old.get("Tags").and_then(Value::as_object).unwrap_or(&none);
    let removed: Vec<&String> = old.keys().filter(|key| !wanted.contains_key(*key)).collect();
    if !removed.is_empty() {
        let input = json!({ "ResourceArn": arn, "TagKeys": removed });
        task.door.call(SERVICE, "UntagResource", input).await?;
    }
    if !wanted.is_empty() {
        task.door.call(SERVICE, "TagResource", json!({ "ResourceArn": arn, "Tags": wanted })).await?;
    }
    Ok(())
}
