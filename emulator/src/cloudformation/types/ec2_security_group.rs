//! `AWS::EC2::SecurityGroup`, `SecurityGroupIngress` and `SecurityGroupEgress`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-securitygroup.html>

use serde_json::{Map, Value, json};

use super::ec2_vpc::{SERVICE, delete, retag, tags, text};
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

/// The longest name of a group.
const NAME_LIMIT: usize = 255;

pub(super) const GROUP: ResourceType = ResourceType {
    name: "AWS::EC2::SecurityGroup",
    properties: &[
        replaces("GroupDescription").required(),
        replaces("GroupName"),
        may_change("SecurityGroupEgress"),
        may_change("SecurityGroupIngress"),
        may_change("Tags"),
        replaces("VpcId"),
    ],
    name_property: Some("GroupName"),
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task, "DeleteSecurityGroup", "GroupId")),
};

/// The directions of rules: the property of a group, the members of a rule that name another group, and the operations.
struct Direction {
    property: &'static str,
    group: &'static str,
    prefixes: &'static str,
    authorize: &'static str,
    revoke: &'static str,
}

const IN: Direction = Direction {
    property: "SecurityGroupIngress",
    group: "SourceSecurityGroupId",
    prefixes: "SourcePrefixListId",
    authorize: "AuthorizeSecurityGroupIngress",
    revoke: "RevokeSecurityGroupIngress",
};
const OUT: Direction = Direction {
    property: "SecurityGroupEgress",
    group: "DestinationSecurityGroupId",
    prefixes: "DestinationPrefixListId",
    authorize: "AuthorizeSecurityGroupEgress",
    revoke: "RevokeSecurityGroupEgress",
};

/// A rule as the operations take it.
fn permission(rule: &Value, direction: &Direction) -> Value {
    let described = |member: &str, value: &Value| match value {
        Value::Null => Value::Null,
        value => json!([{ member: value, "Description": rule["Description"] }]),
    };
    let pair = match (&rule[direction.group], &rule["SourceSecurityGroupName"]) {
        (Value::Null, Value::Null) => Value::Null,
        (id, name) => json!([{
            "GroupId": id,
            "GroupName": name,
            "UserId": rule["SourceSecurityGroupOwnerId"],
            "Description": rule["Description"],
        }]),
    };
    json!({
        "IpProtocol": rule["IpProtocol"],
        "FromPort": rule["FromPort"],
        "ToPort": rule["ToPort"],
        "IpRanges": described("CidrIp", &rule["CidrIp"]),
        "Ipv6Ranges": described("CidrIpv6", &rule["CidrIpv6"]),
        "PrefixListIds": described("PrefixListId", &rule[direction.prefixes]),
        "UserIdGroupPairs": pair,
    })
}

async fn create(task: &Task<'_>) -> Result<Made> {
    let mut input = task.pick(&["VpcId"]);
    input.insert("GroupName".to_owned(), task.name("GroupName", NAME_LIMIT).into());
    input.insert("Description".to_owned(), task.get("GroupDescription"));
    input.insert("TagSpecifications".to_owned(), tags(task, "security-group"));
    let made = task.door.call(SERVICE, "CreateSecurityGroup", Value::Object(input)).await?;
    let id = text(&made["GroupId"]);
    task.begun(&id);
    set_rules(task, &id, &[], &[everything()]).await?;
    group_made(task, &id).await
}

/// The rule out that a group has of which no rule out is said.
fn everything() -> Value {
    json!({ "IpProtocol": "-1", "CidrIp": "0.0.0.0/0" })
}

async fn update(task: &Task<'_>) -> Result<Made> {
    let old_out = match task.old_items(OUT.property) {
        rules if rules.is_empty() => vec![everything()],
        rules => rules,
    };
    set_rules(task, task.physical_id, &task.old_items(IN.property), &old_out).await?;
    retag(task, task.physical_id).await?;
    group_made(task, task.physical_id).await
}

/// Brings the rules from what they were to what the template says.
async fn set_rules(task: &Task<'_>, id: &str, old_in: &[Value], old_out: &[Value]) -> Result<()> {
    let new_out = match task.items(OUT.property) {
        rules if rules.is_empty() => vec![everything()],
        rules => rules,
    };
    for (direction, old, new) in [(&IN, old_in, &task.items(IN.property)), (&OUT, old_out, &new_out)] {
        let changes = [(direction.revoke, old, &**new), (direction.authorize, &**new, old)];
        for (operation, those, others) in changes {
            let those = those.iter().filter(|rule| !others.contains(rule));
            let those: Vec<_> = those.map(|rule| permission(rule, direction)).collect();
            if !those.is_empty() {
                let input = json!({ "GroupId": id, "IpPermissions": those });
                task.door.call(SERVICE, operation, input).await?;
            }
        }
    }
    Ok(())
}

async fn group_made(task: &Task<'_>, id: &str) -> Result<Made> {
    let found = task.door.call(SERVICE, "DescribeSecurityGroups", json!({ "GroupIds": [id] })).await?;
    let vpc = found["SecurityGroups"][0]["VpcId"].clone();
    Ok(Made::new(id, [("GroupId", id.into()), ("Id", id.into()), ("VpcId", vpc)]))
}

pub(super) const INGRESS: ResourceType = ResourceType {
    name: "AWS::EC2::SecurityGroupIngress",
    properties: &[
        replaces("CidrIp"),
        replaces("CidrIpv6"),
        replaces("Description"),
        replaces("FromPort"),
        replaces("GroupId"),
        replaces("GroupName"),
        replaces("IpProtocol").required(),
        replaces("SourcePrefixListId"),
        replaces("SourceSecurityGroupId"),
        replaces("SourceSecurityGroupName"),
        replaces("SourceSecurityGroupOwnerId"),
        replaces("ToPort"),
    ],
    name_property: None,
    create: |task| Box::pin(create_rule(task, &IN)),
    update: |task| Box::pin(async move { Ok(rule_made(task.physical_id)) }),
    delete: |task| Box::pin(delete_rule(task, &IN)),
};

pub(super) const EGRESS: ResourceType = ResourceType {
    name: "AWS::EC2::SecurityGroupEgress",
    properties: &[
        replaces("CidrIp"),
        replaces("CidrIpv6"),
        replaces("Description"),
        replaces("DestinationPrefixListId"),
        replaces("DestinationSecurityGroupId"),
        replaces("FromPort"),
        replaces("GroupId").required(),
        replaces("IpProtocol").required(),
        replaces("ToPort"),
    ],
    name_property: None,
    create: |task| Box::pin(create_rule(task, &OUT)),
    update: |task| Box::pin(async move { Ok(rule_made(task.physical_id)) }),
    delete: |task| Box::pin(delete_rule(task, &OUT)),
};

/// A group with one rule.
fn of_group(task: &Task<'_>) -> Map<String, Value> {
    task.pick(&["GroupId", "GroupName"])
}

async fn create_rule(task: &Task<'_>, direction: &Direction) -> Result<Made> {
    let mut input = of_group(task);
    let rule = permission(&Value::Object(task.properties.clone()), direction);
    input.insert("IpPermissions".to_owned(), json!([rule]));
    let made = task.door.call(SERVICE, direction.authorize, Value::Object(input)).await?;
    Ok(rule_made(&text(&made["SecurityGroupRules"][0]["SecurityGroupRuleId"])))
}

fn rule_made(id: &str) -> Made {
    Made::new(id, [("Id", id.into())])
}

async fn delete_rule(task: &Task<'_>, direction: &Direction) -> Result<()> {
    let mut input = of_group(task);
    input.insert("SecurityGroupRuleIds".to_owned(), json!([task.physical_id]));
    task.door.call(SERVICE, direction.revoke, Value::Object(input)).await.map(drop)
}
