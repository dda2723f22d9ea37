//! `AWS::EC2::RouteTable`, `Route`, `SubnetRouteTableAssociation`, `EIP`, `NatGateway` and `VPCEndpoint`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_EC2.html>

use serde_json::{Map, Value, json};

use super::ec2_vpc::{SERVICE, delete, retag, tags, text};
use super::task::document;
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::{Error, Result, Timestamp};

pub(super) const ROUTE_TABLE: ResourceType = ResourceType {
    name: "AWS::EC2::RouteTable",
    properties: &[may_change("Tags"), replaces("VpcId").required()],
    name_property: None,
    create: |task| {
        Box::pin(async move {
            let input = json!({ "VpcId": task.get("VpcId"), "TagSpecifications": tags(task, "route-table") });
            let made = task.door.call(SERVICE, "CreateRouteTable", input).await?;
            let id = text(&made["RouteTable"]["RouteTableId"]);
            Ok(Made::new(&*id, [("RouteTableId", id.as_str().into())]))
        })
    },
    update: |task| {
        Box::pin(async move {
            retag(task, task.physical_id).await?;
            Ok(Made::new(task.physical_id, [("RouteTableId", task.physical_id.into())]))
        })
    },
    delete: |task| Box::pin(delete(task, "DeleteRouteTable", "RouteTableId")),
};

/// The targets that a route may have here, under the names that the operations have for them as well.
const TARGETS: [&str; 4] = ["GatewayId", "NatGatewayId", "NetworkInterfaceId", "VpcPeeringConnectionId"];
const DESTINATIONS: [&str; 2] = ["DestinationCidrBlock", "DestinationIpv6CidrBlock"];

/// The physical id is `TABLE|DESTINATION`, as `Ref` gives it.
pub(super) const ROUTE: ResourceType = ResourceType {
    name: "AWS::EC2::Route",
    properties: &[
        replaces("DestinationCidrBlock"),
        replaces("DestinationIpv6CidrBlock"),
        may_change("GatewayId"),
        may_change("NatGatewayId"),
        may_change("NetworkInterfaceId"),
        replaces("RouteTableId").required(),
        may_change("VpcPeeringConnectionId"),
    ],
    name_property: None,
    create: |task| Box::pin(route(task, "CreateRoute")),
    update: |task| Box::pin(route(task, "ReplaceRoute")),
    delete: |task| {
        Box::pin(async move {
            let mut input = task.pick(&DESTINATIONS);
            input.extend(task.pick(&["RouteTableId"]));
            task.door.call(SERVICE, "DeleteRoute", Value::Object(input)).await.map(drop)
        })
    },
};

async fn route(task: &Task<'_>, operation: &str) -> Result<Made> {
    let mut input = task.pick(&DESTINATIONS);
    let destination = input.values().next().map(text).unwrap_or_default();
    input.extend(task.pick(&TARGETS));
    input.extend(task.pick(&["RouteTableId"]));
    task.door.call(SERVICE, operation, Value::Object(input)).await?;
    let id = format!("{}|{destination}", text(&task.get("RouteTableId")));
    Ok(Made::new(id, [("CidrBlock", destination.into())]))
}

pub(super) const SUBNET_ASSOCIATION: ResourceType = ResourceType {
    name: "AWS::EC2::SubnetRouteTableAssociation",
    properties: &[replaces("RouteTableId").required(), replaces("SubnetId").required()],
    name_property: None,
    create: |task| {
        Box::pin(async move {
            let input = task.pick(&["RouteTableId", "SubnetId"]);
            let made = task.door.call(SERVICE, "AssociateRouteTable", Value::Object(input)).await?;
            let id = text(&made["AssociationId"]);
            Ok(Made::new(&*id, [("Id", id.as_str().into())]))
        })
    },
    update: |task| Box::pin(async move { Ok(Made::new(task.physical_id, [("Id", task.physical_id.into())])) }),
    delete: |task| Box::pin(delete(task, "DisassociateRouteTable", "AssociationId")),
};

/// `Ref` gives the address, and the allocation is an attribute.
pub(super) const EIP: ResourceType = ResourceType {
    name: "AWS::EC2::EIP",
    properties: &[may_change("Domain"), may_change("Tags")],
    name_property: None,
    create: |task| {
        Box::pin(async move {
            let input = json!({ "Domain": task.get("Domain"), "TagSpecifications": tags(task, "elastic-ip") });
            let made = task.door.call(SERVICE, "AllocateAddress", input).await?;
            Ok(eip_made(&made))
        })
    },
    update: |task| {
        Box::pin(async move {
            let input = json!({ "PublicIps": [task.physical_id] });
            let found = task.door.call(SERVICE, "DescribeAddresses", input).await?;
            let address = &found["Addresses"][0];
            retag(task, &text(&address["AllocationId"])).await?;
            Ok(eip_made(address))
        })
    },
    delete: |task| Box::pin(delete(task, "ReleaseAddress", "PublicIp")),
};

fn eip_made(address: &Value) -> Made {
    let ip = address["PublicIp"].clone();
    Made::new(text(&ip), [("AllocationId", address["AllocationId"].clone()), ("PublicIp", ip)])
}

pub(super) const NAT_GATEWAY: ResourceType = ResourceType {
    name: "AWS::EC2::NatGateway",
    properties: &[
        replaces("AllocationId"),
        replaces("ConnectivityType"),
        replaces("SubnetId").required(),
        may_change("Tags"),
    ],
    name_property: None,
    create: |task| {
        Box::pin(async move {
            let mut input = task.pick(&["AllocationId", "ConnectivityType", "SubnetId"]);
            input.insert("TagSpecifications".to_owned(), tags(task, "natgateway"));
            let made = task.door.call(SERVICE, "CreateNatGateway", Value::Object(input)).await?;
            Ok(nat_made(&made["NatGateway"]))
        })
    },
    update: |task| {
        Box::pin(async move {
            retag(task, task.physical_id).await?;
            let input = json!({ "NatGatewayIds": [task.physical_id] });
            let found = task.door.call(SERVICE, "DescribeNatGateways", input).await?;
            Ok(nat_made(&found["NatGateways"][0]))
        })
    },
    delete: |task| Box::pin(delete(task, "DeleteNatGateway", "NatGatewayId")),
};

fn nat_made(nat: &Value) -> Made {
    let id = nat["NatGatewayId"].clone();
    let interface = nat["NatGatewayAddresses"][0]["NetworkInterfaceId"].clone();
    Made::new(text(&id), [("NatGatewayId", id), ("EniId", interface)])
}

pub(super) const VPC_ENDPOINT: ResourceType = ResourceType {
    name: "AWS::EC2::VPCEndpoint",
    properties: &[
        may_change("PolicyDocument"),
        may_change("PrivateDnsEnabled"),
        may_change("RouteTableIds"),
        may_change("SecurityGroupIds"),
        replaces("ServiceName"),
        may_change("SubnetIds"),
        may_change("Tags"),
        replaces("VpcEndpointType"),
        replaces("VpcId").required(),
    ],
    name_property: None,
    create: |task| {
        Box::pin(async move {
            let mut input = task.pick(&[
                "PrivateDnsEnabled",
                "RouteTableIds",
                "SecurityGroupIds",
                "ServiceName",
                "SubnetIds",
                "VpcEndpointType",
                "VpcId",
            ]);
            if task.properties.contains_key("PolicyDocument") {
                input.insert("PolicyDocument".to_owned(), task.document("PolicyDocument")?.into());
            }
            input.insert("TagSpecifications".to_owned(), tags(task, "vpc-endpoint"));
            let made = task.door.call(SERVICE, "CreateVpcEndpoint", Value::Object(input)).await?;
            Ok(endpoint_made(&made["VpcEndpoint"]))
        })
    },
    update: |task| Box::pin(update_endpoint(task)),
    delete: |task| {
        Box::pin(async move {
            let input = json!({ "VpcEndpointIds": [task.physical_id] });
            let answer = task.door.call(SERVICE, "DeleteVpcEndpoints", input).await?;
            match &answer["Unsuccessful"][0]["Error"] {
                Value::Null => Ok(()),
                error => Err(Error::client(text(&error["Code"]), text(&error["Message"]))),
            }
        })
    },
};

async fn update_endpoint(task: &Task<'_>) -> Result<Made> {
    let mut input = Map::new();
    for list in ["RouteTableIds", "SecurityGroupIds", "SubnetIds"] {
        let (new, old) = (task.items(list), task.old_items(list));
        let missing_in =
            |from: &[Value], of: &[Value]| of.iter().filter(|id| !from.contains(id)).cloned().collect::<Vec<_>>();
        for (verb, those) in [("Add", missing_in(&old, &new)), ("Remove", missing_in(&new, &old))] {
            if !those.is_empty() {
                input.insert(format!("{verb}{list}"), those.into());
            }
        }
    }
    if task.changes(&["PolicyDocument"]) {
        match task.get("PolicyDocument") {
            Value::Null => input.insert("ResetPolicy".to_owned(), true.into()),
            policy => input.insert("PolicyDocument".to_owned(), document(&policy)?.into()),
        };
    }
    if task.changes(&["PrivateDnsEnabled"]) {
        input.extend(task.pick(&["PrivateDnsEnabled"]));
    }
    if !input.is_empty() {
        input.insert("VpcEndpointId".to_owned(), task.physical_id.into());
        task.door.call(SERVICE, "ModifyVpcEndpoint", Value::Object(input)).await?;
    }
    retag(task, task.physical_id).await?;
    let found =
        task.door.call(SERVICE, "DescribeVpcEndpoints", json!({ "VpcEndpointIds": [task.physical_id] })).await?;
    Ok(endpoint_made(&found["VpcEndpoints"][0]))
}

fn endpoint_made(endpoint: &Value) -> Made {
    let id = endpoint["VpcEndpointId"].clone();
    let created = endpoint["CreationTimestamp"].as_i64().unwrap_or_default();
    let created = Timestamp::from_millis(created).to_iso_millis();
    // Endpoints have no DNS entries here: nothing answers at them.
    Made::new(
        text(&id),
        [
            ("Id", id),
            ("CreationTimestamp", created.into()),
            ("NetworkInterfaceIds", endpoint["NetworkInterfaceIds"].clone()),
        ],
    )
}
