//! `AWS::EC2::VPC`, `Subnet`, `InternetGateway` and `VPCGatewayAttachment`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_EC2.html>

use serde_json::{Value, json};

use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

/// The service of all types of this and its sister files.
pub(super) const SERVICE: &str = "ec2";

pub(super) const VPC: ResourceType = ResourceType {
    name: "AWS::EC2::VPC",
    properties: &[
        replaces("CidrBlock"),
        may_change("EnableDnsHostnames"),
        may_change("EnableDnsSupport"),
        may_change("InstanceTenancy"),
        may_change("Tags"),
    ],
    name_property: None,
    create: |task| Box::pin(create_vpc(task)),
    update: |task| Box::pin(update_vpc(task)),
    delete: |task| Box::pin(delete(task, "DeleteVpc", "VpcId")),
};

/// What `TagSpecifications` are for the tags of a template.
pub(super) fn tags(task: &Task<'_>, kind: &str) -> Value {
    match task.tag_list() {
        Value::Null => Value::Null,
        tags => json!([{ "ResourceType": kind, "Tags": tags }]),
    }
}

/// Brings the tags of something up to date.
pub(super) async fn retag(task: &Task<'_>, id: &str) -> Result<()> {
    if !task.changes(&["Tags"]) {
        return Ok(());
    }
    let removed: Vec<_> = task.removed_tags().into_iter().map(|key| json!({ "Key": key })).collect();
    if !removed.is_empty() {
        task.door.call(SERVICE, "DeleteTags", json!({ "Resources": [id], "Tags": removed })).await?;
    }
    match task.tag_list() {
        Value::Null => Ok(()),
        tags => {
            let input = json!({ "Resources": [id], "Tags": tags });
            task.door.call(SERVICE, "CreateTags", input).await.map(drop)
        }
    }
}

/// Deletes what is named by its physical id.
pub(super) async fn delete(task: &Task<'_>, operation: &str, member: &str) -> Result<()> {
    task.door.call(SERVICE, operation, json!({ member: task.physical_id })).await.map(drop)
}

/// The text of a member.
pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

async fn create_vpc(task: &Task<'_>) -> Result<Made> {
    let mut input = task.pick(&["CidrBlock", "InstanceTenancy"]);
    input.insert("TagSpecifications".to_owned(), tags(task, "vpc"));
    let made = task.door.call(SERVICE, "CreateVpc", Value::Object(input)).await?;
    let id = text(&made["Vpc"]["VpcId"]);
    task.begun(&id);
    set_attributes(task, &id).await?;
    vpc_made(task, &id).await
}

async fn update_vpc(task: &Task<'_>) -> Result<Made> {
    if task.changes(&["InstanceTenancy"]) {
        let text = "another tenancy of a VPC (InstanceTenancy of AWS::EC2::VPC)";
        return Err(crate::Error::not_implemented(text));
    }
    set_attributes(task, task.physical_id).await?;
    retag(task, task.physical_id).await?;
    vpc_made(task, task.physical_id).await
}

/// Attributes are set one at a time; one of which the template says nothing more is what it is in a new VPC.
async fn set_attributes(task: &Task<'_>, id: &str) -> Result<()> {
    for (name, default) in [("EnableDnsSupport", true), ("EnableDnsHostnames", false)] {
        if task.changes(&[name]) {
            let value = task.properties.get(name).cloned().unwrap_or_else(|| default.into());
            let input = json!({ "VpcId": id, name: { "Value": value } });
            task.door.call(SERVICE, "ModifyVpcAttribute", input).await?;
        }
    }
    Ok(())
}

async fn vpc_made(task: &Task<'_>, id: &str) -> Result<Made> {
    let vpcs = task.door.call(SERVICE, "DescribeVpcs", json!({ "VpcIds": [id] })).await?;
    let filters = json!({ "Filters": [{ "Name": "vpc-id", "Values": [id] }] });
    let acls = task.door.call(SERVICE, "DescribeNetworkAcls", filters).await?;
    let filters = json!({ "Filters": [
        { "Name": "vpc-id", "Values": [id] },
        { "Name": "group-name", "Values": ["default"] },
    ] });
    let groups = task.door.call(SERVICE, "DescribeSecurityGroups", filters).await?;
    let vpc = &vpcs["Vpcs"][0];
    let blocks = vpc["CidrBlockAssociationSet"].as_array().into_iter().flatten();
    let blocks: Vec<_> = blocks.map(|block| block["AssociationId"].clone()).collect();
    Ok(Made::new(
        id,
        [
            ("VpcId", id.into()),
            ("CidrBlock", vpc["CidrBlock"].clone()),
            ("CidrBlockAssociations", blocks.into()),
            ("DefaultNetworkAcl", acls["NetworkAcls"][0]["NetworkAclId"].clone()),
            ("DefaultSecurityGroup", groups["SecurityGroups"][0]["GroupId"].clone()),
            ("Ipv6CidrBlocks", json!([])),
        ],
    ))
}

pub(super) const SUBNET: ResourceType = ResourceType {
    name: "AWS::EC2::Subnet",
    properties: &[
        replaces("AvailabilityZone"),
        replaces("AvailabilityZoneId"),
        replaces("CidrBlock"),
        may_change("MapPublicIpOnLaunch"),
        may_change("Tags"),
        replaces("VpcId").required(),
    ],
    name_property: None,
    create: |task| {
        Box::pin(async move {
            let mut input = task.pick(&["AvailabilityZone", "AvailabilityZoneId", "CidrBlock", "VpcId"]);
            input.insert("TagSpecifications".to_owned(), tags(task, "subnet"));
            let made = task.door.call(SERVICE, "CreateSubnet", Value::Object(input)).await?;
            let id = text(&made["Subnet"]["SubnetId"]);
            task.begun(&id);
            map_public(task, &id).await?;
            Ok(subnet_made(&made["Subnet"]))
        })
    },
    update: |task| {
        Box::pin(async move {
            map_public(task, task.physical_id).await?;
            retag(task, task.physical_id).await?;
            let input = json!({ "SubnetIds": [task.physical_id] });
            let found = task.door.call(SERVICE, "DescribeSubnets", input).await?;
            Ok(subnet_made(&found["Subnets"][0]))
        })
    },
    delete: |task| Box::pin(delete(task, "DeleteSubnet", "SubnetId")),
};

async fn map_public(task: &Task<'_>, id: &str) -> Result<()> {
    if !task.changes(&["MapPublicIpOnLaunch"]) {
        return Ok(());
    }
    let value = task.properties.get("MapPublicIpOnLaunch").cloned().unwrap_or_else(|| false.into());
    let input = json!({ "SubnetId": id, "MapPublicIpOnLaunch": { "Value": value } });
    task.door.call(SERVICE, "ModifySubnetAttribute", input).await.map(drop)
}

fn subnet_made(subnet: &Value) -> Made {
    let attribute = |name: &str| subnet[name].clone();
    Made::new(
        text(&subnet["SubnetId"]),
        [
            ("SubnetId", attribute("SubnetId")),
            ("VpcId", attribute("VpcId")),
            ("AvailabilityZone", attribute("AvailabilityZone")),
            ("AvailabilityZoneId", attribute("AvailabilityZoneId")),
            ("CidrBlock", attribute("CidrBlock")),
            ("Ipv6CidrBlocks", json!([])),
        ],
    )
}

pub(super) const INTERNET_GATEWAY: ResourceType = ResourceType {
    name: "AWS::EC2::InternetGateway",
    properties: &[may_change("Tags")],
    name_property: None,
    create: |task| {
        Box::pin(async move {
            let input = json!({ "TagSpecifications": tags(task, "internet-gateway") });
            let made = task.door.call(SERVICE, "CreateInternetGateway", input).await?;
            let id = text(&made["InternetGateway"]["InternetGatewayId"]);
            Ok(Made::new(&*id, [("InternetGatewayId", id.as_str().into())]))
        })
    },
    update: |task| {
        Box::pin(async move {
            retag(task, task.physical_id).await?;
            Ok(Made::new(task.physical_id, [("InternetGatewayId", task.physical_id.into())]))
        })
    },
    delete: |task| Box::pin(delete(task, "DeleteInternetGateway", "InternetGatewayId")),
};

/// The physical id is `IGW|VPC`, as `Ref` gives it.
pub(super) const GATEWAY_ATTACHMENT: ResourceType = ResourceType {
    name: "AWS::EC2::VPCGatewayAttachment",
    properties: &[may_change("InternetGatewayId"), replaces("VpcId").required()],
    name_property: None,
    create: |task| Box::pin(attach(task)),
    update: |task| {
        Box::pin(async move {
            if task.changes(&["InternetGatewayId"]) {
                detach(task, task.old).await?;
            }
            attach(task).await
        })
    },
    delete: |task| Box::pin(detach(task, task.properties)),
};

async fn attach(task: &Task<'_>) -> Result<Made> {
    let input = task.pick(&["InternetGatewayId", "VpcId"]);
    task.door.call(SERVICE, "AttachInternetGateway", Value::Object(input)).await?;
    Ok(Made::new(format!("IGW|{}", text(&task.get("VpcId"))), [("AttachmentType", "IGW".into())]))
}

async fn detach(task: &Task<'_>, properties: &serde_json::Map<String, Value>) -> Result<()> {
    let input = json!({ "InternetGatewayId": properties.get("InternetGatewayId"), "VpcId": properties.get("VpcId") });
    task.door.call(SERVICE, "DetachInternetGateway", input).await.map(drop)
}
