//! `AWS::ApiGateway::DomainName`, `BasePathMapping` and `VpcLink`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ApiGateway.html>

use serde_json::{Value, json};

use super::apigateway_parts::call;
use super::apigateway_rest_api::{TAGS, lower, patch, renamed, replace, text};
use super::{Made, ResourceType, Task, may_change, replaces};

const SERVICE: &str = "apigateway";
/// How API Gateway writes the base path of a mapping that has none.
const NO_PATH: &str = "(none)";
/// Stands between domain and path in the id of a mapping.
const SEPARATOR: char = '|';

pub(super) const DOMAIN_NAME: ResourceType = ResourceType {
    name: "AWS::ApiGateway::DomainName",
    properties: &[
        may_change("CertificateArn"),
        replaces("DomainName").required(),
        replaces("EndpointConfiguration"),
        may_change("RegionalCertificateArn"),
        may_change("SecurityPolicy"),
        may_change("Tags"),
    ],
    name_property: Some("DomainName"),
    create: |task| {
        Box::pin(async move {
            let mut input = renamed(task, &[("DomainName", "domainName")]);
            input.extend(renamed(task, &DOMAIN));
            input.insert("endpointConfiguration".to_owned(), lower(&task.get("EndpointConfiguration")));
            input.insert("tags".to_owned(), task.tag_map()?);
            let made = call(task, "CreateDomainName", input).await?;
            let name = text(&made, "domainName")?;
            task.begun(&name);
            Ok(domain(task, &name, &made))
        })
    },
    update: |task| {
        Box::pin(async move {
            let name = task.physical_id;
            let changed = DOMAIN.iter().filter(|(property, _)| task.changes(&[*property]));
            let operations = changed.map(|(property, member)| replace(&format!("/{member}"), &task.get(property)));
            patch(task, "UpdateDomainName", json!({ "domainName": name }), operations.collect()).await?;
            task.retag(SERVICE, &arn(task, name), TAGS).await?;
            let made = task.door.call(SERVICE, "GetDomainName", json!({ "domainName": name })).await?;
            Ok(domain(task, name, &made))
        })
    },
    delete: |task| {
        Box::pin(async move {
            task.door.call(SERVICE, "DeleteDomainName", json!({ "domainName": task.physical_id })).await.map(drop)
        })
    },
};

const DOMAIN: [(&str, &str); 3] = [
    ("CertificateArn", "certificateArn"),
    ("RegionalCertificateArn", "regionalCertificateArn"),
    ("SecurityPolicy", "securityPolicy"),
];

fn arn(task: &Task<'_>, name: &str) -> String {
    format!("arn:aws:apigateway:{}::/domainnames/{name}", task.door.scope.region)
}

/// What was made. The ids of hosted zones are of Amazon Route 53, which is not here.
fn domain(task: &Task<'_>, name: &str, found: &Value) -> Made {
    let mut made = Made::new(name, [("DomainNameArn", arn(task, name).into())]);
    for (attribute, member) in
        [("DistributionDomainName", "distributionDomainName"), ("RegionalDomainName", "regionalDomainName")]
    {
        if let Some(value) = found.get(member).filter(|value| !value.is_null()) {
            made.attributes.insert(attribute.to_owned(), value.clone());
        }
    }
    made
}

pub(super) const BASE_PATH_MAPPING: ResourceType = ResourceType {
    name: "AWS::ApiGateway::BasePathMapping",
    properties: &[
        replaces("BasePath"),
        replaces("DomainName").required(),
        may_change("RestApiId"),
        may_change("Stage"),
    ],
    name_property: None,
    create: |task| {
        Box::pin(async move {
            let names = [
                ("BasePath", "basePath"),
                ("DomainName", "domainName"),
                ("RestApiId", "restApiId"),
                ("Stage", "stage"),
            ];
            let made = call(task, "CreateBasePathMapping", renamed(task, &names)).await?;
            let domain = task.get("DomainName");
            let id = format!("{}{SEPARATOR}{}", domain.as_str().unwrap_or_default(), text(&made, "basePath")?);
            task.begun(&id);
            Ok(Made::new(id, []))
        })
    },
    update: |task| {
        Box::pin(async move {
            let members = [("RestApiId", "restapiId"), ("Stage", "stage")];
            let changed = members.iter().filter(|(property, _)| task.changes(&[*property]));
            let operations = changed.map(|(property, member)| replace(&format!("/{member}"), &task.get(property)));
            patch(task, "UpdateBasePathMapping", mapping(task), operations.collect()).await?;
            Ok(Made::new(task.physical_id, []))
        })
    },
    delete: |task| {
        Box::pin(async move { task.door.call(SERVICE, "DeleteBasePathMapping", mapping(task)).await.map(drop) })
    },
};

fn mapping(task: &Task<'_>) -> Value {
    let (domain, path) = task.physical_id.split_once(SEPARATOR).unwrap_or((task.physical_id, NO_PATH));
    json!({ "domainName": domain, "basePath": path })
}

pub(super) const VPC_LINK: ResourceType = ResourceType {
    name: "AWS::ApiGateway::VpcLink",
    properties: &[
        may_change("Description"),
        may_change("Name").required(),
        may_change("Tags"),
        replaces("TargetArns").required(),
    ],
    name_property: None,
    create: |task| {
        Box::pin(async move {
            let names = [("Description", "description"), ("Name", "name"), ("TargetArns", "targetArns")];
            let mut input = renamed(task, &names);
            input.insert("tags".to_owned(), task.tag_map()?);
            let made = call(task, "CreateVpcLink", input).await?;
            let id = text(&made, "id")?;
            task.begun(&id);
            Ok(Made::new(&*id, [("VpcLinkId", id.as_str().into())]))
        })
    },
    update: |task| {
        Box::pin(async move {
            let members = [("Description", "description"), ("Name", "name")];
            let changed = members.iter().filter(|(property, _)| task.changes(&[*property]));
            let operations = changed.map(|(property, member)| replace(&format!("/{member}"), &task.get(property)));
            let id = task.physical_id;
            patch(task, "UpdateVpcLink", json!({ "vpcLinkId": id }), operations.collect()).await?;
            let arn = format!("arn:aws:apigateway:{}::/vpclinks/{id}", task.door.scope.region);
            task.retag(SERVICE, &arn, TAGS).await?;
            Ok(Made::new(id, [("VpcLinkId", id.into())]))
        })
    },
    delete: |task| {
        Box::pin(async move {
            task.door.call(SERVICE, "DeleteVpcLink", json!({ "vpcLinkId": task.physical_id })).await.map(drop)
        })
    },
};
