//! Security groups; their rules are in `permissions.rs`.
//!
//! <https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::action::{Action, act};
use super::kind::{Chosen, Facts, Kind, find, listed, new_id, not_found};
use super::permissions::{self, Rule};
use super::tags::{Specification, keep, of_new};
use super::vpcs::Vpc;
use super::{Network, View, arn, in_use, invalid, missing};
use crate::cloud::{Cx, Service};
use crate::{Error, Result};

/// The longest name, and the longest description.
const MAX_TEXT: usize = 255;
/// A region has at most so many security groups.
const MAX_GROUPS: usize = 2500;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Network>) -> Service<Network> {
    service.with(listed::<Group>).with(act::<CreateSecurityGroup>).with(act::<DeleteSecurityGroup>)
}

/// A security group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Group {
    pub vpc: String,
    pub name: String,
    pub description: String,
}

impl Kind for Group {
    const FACTS: Facts = Facts {
        operation: "DescribeSecurityGroups",
        code: "InvalidGroup.NotFound",
        text: "The security group '{}' does not exist",
        members: ("GroupIds", "SecurityGroups"),
        filters: &[
            ("description", "Description"),
            ("egress.ip-permission.cidr", "IpPermissionsEgress.IpRanges.CidrIp"),
            ("egress.ip-permission.from-port", "IpPermissionsEgress.FromPort"),
            ("egress.ip-permission.group-id", "IpPermissionsEgress.UserIdGroupPairs.GroupId"),
            ("egress.ip-permission.group-name", "IpPermissionsEgress.UserIdGroupPairs.GroupName"),
            ("egress.ip-permission.ipv6-cidr", "IpPermissionsEgress.Ipv6Ranges.CidrIpv6"),
            ("egress.ip-permission.prefix-list-id", "IpPermissionsEgress.PrefixListIds.PrefixListId"),
            ("egress.ip-permission.protocol", "IpPermissionsEgress.IpProtocol"),
            ("egress.ip-permission.to-port", "IpPermissionsEgress.ToPort"),
            ("egress.ip-permission.user-id", "IpPermissionsEgress.UserIdGroupPairs.UserId"),
            ("group-id", "GroupId"),
            ("group-name", "GroupName"),
            ("ip-permission.cidr", "IpPermissions.IpRanges.CidrIp"),
            ("ip-permission.from-port", "IpPermissions.FromPort"),
            ("ip-permission.group-id", "IpPermissions.UserIdGroupPairs.GroupId"),
            ("ip-permission.group-name", "IpPermissions.UserIdGroupPairs.GroupName"),
            ("ip-permission.ipv6-cidr", "IpPermissions.Ipv6Ranges.CidrIpv6"),
            ("ip-permission.prefix-list-id", "IpPermissions.PrefixListIds.PrefixListId"),
            ("ip-permission.protocol", "IpPermissions.IpProtocol"),
            ("ip-permission.to-port", "IpPermissions.ToPort"),
            ("ip-permission.user-id", "IpPermissions.UserIdGroupPairs.UserId"),
            ("owner-id", "OwnerId"),
            ("vpc-id", "VpcId"),
        ],
    };

    fn all(net: &Network) -> &imbl::OrdMap<String, Self> {
        &net.groups
    }

    fn show(&self, id: &str, view: &View) -> Option<Value> {
        Some(json!({
            "GroupId": id,
            "GroupName": self.name,
            "Description": self.description,
            "VpcId": self.vpc,
            "OwnerId": &*view.scope.account,
            "SecurityGroupArn": arn(view.scope, "security-group", id),
            "IpPermissions": permissions::grouped(view, id, false),
            "IpPermissionsEgress": permissions::grouped(view, id, true),
        }))
    }

    fn chosen(member: &str, value: &Value, view: &View) -> Result<Chosen> {
        if member != "GroupNames" {
            return Ok(Chosen::Unknown);
        }
        // By their names only those of the default VPC are found.
        let names: Vec<String> = serde_json::from_value(value.clone())?;
        let one = |name: &String| by_name(view.net, name);
        names.iter().map(one).collect::<Result<_>>().map(Chosen::These)
    }
}

/// The id of a group of the default VPC by its name.
fn by_name(net: &Network, name: &str) -> Result<String> {
    let is_default = |group: &Group| net.vpcs.get(&group.vpc).is_some_and(|vpc| vpc.is_default);
    let found = net.groups.iter().find(|(_, group)| group.name == name && is_default(group));
    found.map(|(id, _)| id.clone()).ok_or_else(|| {
        let text = format!("The security group '{name}' does not exist in default VPC");
        Error::client("InvalidGroup.NotFound", text)
    })
}

/// The group that a call names by its id, or by its name.
pub(super) fn named(net: &Network, id: Option<&str>, name: Option<&str>) -> Result<String> {
    match (id, name) {
        (Some(id), _) => find::<Group>(net, id).map(|_| id.to_owned()),
        (None, Some(name)) => by_name(net, name),
        (None, None) => Err(missing("groupName or groupId")),
    }
}

/// Groups of one VPC that a call lists, or the default one if it lists none.
pub(super) fn of_vpc(net: &Network, vpc: &str, ids: Vec<String>) -> Result<Vec<String>> {
    if ids.is_empty() {
        let mut groups = net.groups.iter().filter(|(_, group)| group.vpc == vpc && group.name == "default");
        return Ok(groups.next().map(|(id, _)| id.clone()).into_iter().collect());
    }
    for id in &ids {
        if find::<Group>(net, id)?.vpc != vpc {
            return Err(other_network());
        }
    }
    Ok(ids)
}

/// Two things are not of one VPC.
pub(super) fn other_network() -> Error {
    invalid("You have specified two resources that belong to different networks.")
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateSecurityGroup {
    group_name: String,
    description: String,
    vpc_id: Option<String>,
    #[serde(default)]
    tag_specifications: Vec<Specification>,
}

/// The characters of a name or a description besides letters and digits.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html>
const SPECIAL: &str = " ._-:/()#,@[]+=&;{}!$*";

fn check_text(text: &str, parameter: &str) -> Result<()> {
    if text.is_empty() {
        return Err(missing(parameter));
    }
    let is_fine = |letter: char| letter.is_ascii_alphanumeric() || SPECIAL.contains(letter);
    if text.chars().count() > MAX_TEXT || !text.chars().all(is_fine) {
        let shown: String = text.chars().take(MAX_TEXT).collect();
        return Err(invalid(format!(
            "Value ({shown}) for parameter {parameter} is invalid. Character sets beyond ASCII are not supported."
        )));
    }
    Ok(())
}

impl Action for CreateSecurityGroup {
    const NAME: &'static str = "CreateSecurityGroup";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("security-group", None))
    }

    fn tags(&self) -> &[Specification] {
        &self.tag_specifications
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let tags = of_new(&self.tag_specifications, "security-group")?;
        let name = self.group_name;
        check_text(&name, "groupName")?;
        check_text(&self.description, "GroupDescription")?;
        if name.starts_with("sg-") {
            let text = "invalid value for parameter groupName: may not be in the format sg-*";
            return Err(invalid(text));
        }
        let vpc = match self.vpc_id {
            Some(id) => find::<Vpc>(cx.state, &id).map(|_| id)?,
            None => {
                let first = cx.state.vpcs.iter().find(|(_, vpc)| vpc.is_default);
                let none = || Error::client("VPCIdNotSpecified", "No default VPC for this user");
                first.map(|(id, _)| id.clone()).ok_or_else(none)?
            }
        };
        if name == "default" {
            let text = "Cannot use reserved security group name: default";
            return Err(invalid(text));
        }
        if cx.state.groups.values().any(|group| group.vpc == vpc && group.name == name) {
            let text = format!("The security group '{name}' already exists for VPC '{vpc}'");
            return Err(Error::client("InvalidGroup.Duplicate", text));
        }
        if cx.state.groups.len() >= MAX_GROUPS {
            let text = "The maximum number of security groups has been reached.";
            return Err(Error::client("SecurityGroupLimitExceeded", text));
        }
        let id = new_id(cx.ids(), "sg");
        cx.state.groups.insert(id.clone(), Group { vpc, name, description: self.description });
        permissions::allow_out(cx, &id);
        let shown: Vec<_> = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
        keep(cx.state, &id, tags);
        Ok(json!({ "GroupId": id, "SecurityGroupArn": arn(cx.scope, "security-group", &id), "Tags": shown }))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteSecurityGroup {
    group_id: Option<String>,
    group_name: Option<String>,
}

impl Action for DeleteSecurityGroup {
    const NAME: &'static str = "DeleteSecurityGroup";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("security-group", self.group_id.as_deref()))
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let id = named(cx.state, self.group_id.as_deref(), self.group_name.as_deref())?;
        let group = cx.state.groups.get(&id).ok_or_else(|| not_found::<Group>(&id))?;
        if group.name == "default" {
            let text = format!("the specified group: \"{id}\" name: \"default\" cannot be deleted by a user");
            return Err(Error::client("CannotDelete", text));
        }
        let names_it = |rule: &Rule| rule.group != id && rule.peer.group() == Some(&id);
        let net = &mut *cx.state;
        let is_needed = net.rules.values().any(names_it)
            || net.interfaces.values().any(|interface| interface.groups.contains(&id))
            || net.endpoints.values().any(|endpoint| endpoint.groups.contains(&id));
        if is_needed {
            return Err(in_use(format!("resource {id} has a dependent object")));
        }
        permissions::forget_group(net, &id);
        Ok(json!({ "Return": true, "GroupId": id }))
    }
}
