//! The rules of security groups: what is allowed in and out.
//!
//! <https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html>

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::action::{Action, act};
use super::cidr::{Block, six};
use super::groups::named;
use super::kind::{Facts, Kind, listed, new_id};
use super::tags::{Specification, keep, of_new};
use super::{Network, View, arn, invalid, missing};
use crate::cloud::{Cx, Service};
use crate::{Error, Result};

/// A group has at most so many rules for each direction.
const MAX_RULES: usize = 1000;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Network>) -> Service<Network> {
    service
        .with(listed::<Rule>)
        .with(act::<Authorize<false>>)
        .with(act::<Authorize<true>>)
        .with(act::<Revoke<false>>)
        .with(act::<Revoke<true>>)
}

/// Who is on the other side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Peer {
    Four(Block),
    Six(String),
    Group(String),
}

impl Peer {
    pub fn group(&self) -> Option<&String> {
        match self {
            Self::Group(id) => Some(id),
            _ => None,
        }
    }
}

/// A rule.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Rule {
    pub group: String,
    is_out: bool,
    protocol: String,
    ports: Option<(i64, i64)>,
    pub peer: Peer,
    description: Option<String>,
}

impl Rule {
    /// Whether another allows the same.
    fn is_like(&self, other: &Self) -> bool {
        let what = |rule: &Self| (rule.is_out, rule.protocol.clone(), rule.ports);
        self.group == other.group && what(self) == what(other) && self.peer == other.peer
    }

    /// The members that a rule has by its peer.
    fn peer_members(&self, members: &mut Map<String, Value>) {
        let (name, value) = match &self.peer {
            Peer::Four(block) => ("CidrIpv4", json!(block)),
            Peer::Six(block) => ("CidrIpv6", json!(block)),
            Peer::Group(_) => return,
        };
        members.insert(name.to_owned(), value);
    }

    fn revoked(&self, id: &str) -> Value {
        let mut shown = Map::new();
        self.peer_members(&mut shown);
        shown.extend(members(json!({
            "SecurityGroupRuleId": id,
            "GroupId": self.group,
            "IsEgress": self.is_out,
            "IpProtocol": self.protocol,
            "FromPort": self.ports.map_or(-1, |(from, _)| from),
            "ToPort": self.ports.map_or(-1, |(_, to)| to),
            "ReferencedGroupId": self.peer.group(),
            "Description": self.description,
        })));
        Value::Object(shown)
    }
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

impl Kind for Rule {
    const FACTS: Facts = Facts {
        operation: "DescribeSecurityGroupRules",
        code: "InvalidSecurityGroupRuleId.NotFound",
        text: "The security group rule ID '{}' does not exist",
        members: ("SecurityGroupRuleIds", "SecurityGroupRules"),
        filters: &[("group-id", "GroupId"), ("security-group-rule-id", "SecurityGroupRuleId")],
    };

    fn all(net: &Network) -> &imbl::OrdMap<String, Self> {
        &net.rules
    }

    fn show(&self, id: &str, view: &View) -> Option<Value> {
        let account = &*view.scope.account;
        let mut shown = members(json!({
            "SecurityGroupRuleId": id,
            "SecurityGroupRuleArn": arn(view.scope, "security-group-rule", id),
            "GroupId": self.group,
            "GroupOwnerId": account,
            "IsEgress": self.is_out,
            "IpProtocol": self.protocol,
            "FromPort": self.ports.map_or(-1, |(from, _)| from),
            "ToPort": self.ports.map_or(-1, |(_, to)| to),
            "Description": self.description,
        }));
        self.peer_members(&mut shown);
        if let Some(group) = self.peer.group() {
            let vpc = view.net.groups.get(group).map(|group| &group.vpc);
            let referenced = json!({ "GroupId": group, "UserId": account, "VpcId": vpc });
            shown.insert("ReferencedGroupInfo".to_owned(), referenced);
        }
        Some(Value::Object(shown))
    }
}

/// The rules of a group in one direction as `IpPermission`s, those of the same protocol and ports together.
pub(super) fn grouped(view: &View, group: &str, is_out: bool) -> Vec<Value> {
    let mut all: Vec<Permission> = Vec::new();
    let account = &*view.scope.account;
    for rule in view.net.rules.values().filter(|rule| rule.group == group && rule.is_out == is_out) {
        let place = all.iter().position(|one| one.protocol == rule.protocol && one.ports == rule.ports);
        let place = place.unwrap_or_else(|| {
            all.push(Permission { protocol: rule.protocol.clone(), ports: rule.ports, ..Permission::default() });
            all.len() - 1
        });
        let Some(one) = all.get_mut(place) else { continue };
        let (list, name, value) = match &rule.peer {
            Peer::Four(block) => (&mut one.four, "CidrIp", block.to_string()),
            Peer::Six(block) => (&mut one.six, "CidrIpv6", block.clone()),
            Peer::Group(id) => (&mut one.groups, "GroupId", id.clone()),
        };
        let mut shown = json!({ name: value, "Description": rule.description });
        if name == "GroupId" {
            shown["UserId"] = account.into();
        }
        list.push(shown);
    }
    all.into_iter().map(Permission::shown).collect()
}

#[derive(Default)]
struct Permission {
    protocol: String,
    ports: Option<(i64, i64)>,
    four: Vec<Value>,
    six: Vec<Value>,
    groups: Vec<Value>,
}

impl Permission {
    fn shown(self) -> Value {
        json!({
            "IpProtocol": self.protocol,
            "FromPort": self.ports.map(|(from, _)| from),
            "ToPort": self.ports.map(|(_, to)| to),
            "IpRanges": self.four,
            "Ipv6Ranges": self.six,
            "PrefixListIds": [],
            "UserIdGroupPairs": self.groups,
        })
    }
}

/// A new group lets everything out.
pub(super) fn allow_out(cx: &mut Cx<Network>, group: &str) {
    allow_all(cx, group, true, Peer::Four(Block::new(std::net::Ipv4Addr::UNSPECIFIED, 0)));
}

/// A default group lets in what comes from itself.
pub(super) fn allow_own(cx: &mut Cx<Network>, group: &str) {
    allow_all(cx, group, false, Peer::Group(group.to_owned()));
}

fn allow_all(cx: &mut Cx<Network>, group: &str, is_out: bool, peer: Peer) {
    let id = new_id(cx.ids(), "sgr");
    let (group, protocol) = (group.to_owned(), "-1".to_owned());
    cx.state.rules.insert(id, Rule { group, is_out, protocol, ports: None, peer, description: None });
}

/// Takes a group away, with its rules and tags.
pub(super) fn forget_group(net: &mut Network, group: &str) {
    let gone: Vec<_> = net.rules.iter().filter(|(_, rule)| rule.group == group).map(|(id, _)| id.clone()).collect();
    for id in gone {
        net.rules.remove(&id);
        net.tags.remove(&id);
    }
    net.groups.remove(group);
    net.tags.remove(group);
}

/// `IpPermission` of the model, as a call gives it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Given {
    ip_protocol: Option<String>,
    from_port: Option<i64>,
    to_port: Option<i64>,
    #[serde(default)]
    ip_ranges: Vec<FourRange>,
    #[serde(default)]
    ipv6_ranges: Vec<SixRange>,
    #[serde(default)]
    prefix_list_ids: Vec<PrefixRange>,
    #[serde(default)]
    user_id_group_pairs: Vec<GroupRange>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FourRange {
    cidr_ip: Option<String>,
    description: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SixRange {
    cidr_ipv6: Option<String>,
    description: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PrefixRange {
    prefix_list_id: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GroupRange {
    group_id: Option<String>,
    group_name: Option<String>,
    user_id: Option<String>,
    /// What the group is of follows from its id.
    #[serde(rename = "VpcId")]
    _vpc_id: Option<String>,
    description: Option<String>,
}

/// The rules that a call speaks of, which either lists them or says one.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Authorize<const OUT: bool> {
    group_id: Option<String>,
    group_name: Option<String>,
    #[serde(default)]
    ip_permissions: Vec<Given>,
    cidr_ip: Option<String>,
    ip_protocol: Option<String>,
    from_port: Option<i64>,
    to_port: Option<i64>,
    source_security_group_name: Option<String>,
    source_security_group_owner_id: Option<String>,
    #[serde(default)]
    tag_specifications: Vec<Specification>,
}

impl<const OUT: bool> Authorize<OUT> {
    /// The rules as they are kept, with the group that they are of.
    fn rules(&self, net: &Network, account: &str) -> Result<(String, Vec<Rule>)> {
        let group = named(net, self.group_id.as_deref(), self.group_name.as_deref())?;
        let single = Given {
            ip_protocol: self.ip_protocol.clone(),
            from_port: self.from_port,
            to_port: self.to_port,
            ip_ranges: self
                .cidr_ip
                .iter()
                .map(|cidr| FourRange { cidr_ip: Some(cidr.clone()), description: None })
                .collect(),
            user_id_group_pairs: (self.source_security_group_name.iter())
                .map(|name| GroupRange {
                    group_id: None,
                    group_name: Some(name.clone()),
                    user_id: self.source_security_group_owner_id.clone(),
                    _vpc_id: None,
                    description: None,
                })
                .collect(),
            ..Given::default()
        };
        let is_single =
            self.ip_protocol.is_some() || self.cidr_ip.is_some() || self.source_security_group_name.is_some();
        let mut rules = Vec::new();
        for given in self.ip_permissions.iter().chain(is_single.then_some(&single)) {
            read(net, account, &group, OUT, given, &mut rules)?;
        }
        Ok((group, rules))
    }
}

/// Reads a permission into rules, one for each of its peers.
fn read(net: &Network, account: &str, group: &str, is_out: bool, given: &Given, rules: &mut Vec<Rule>) -> Result<()> {
    let protocol = protocol(given.ip_protocol.as_deref().ok_or_else(|| missing("ipProtocol"))?)?;
    let ports = ports(&protocol, given.from_port, given.to_port)?;
    let begin = rules.len();
    let mut put = |peer: Peer, description: &Option<String>| -> Result<()> {
        if description.as_ref().is_some_and(|text| text.chars().count() > 255) {
            return Err(invalid("Invalid rule description. Rule descriptions may not be longer than 255 characters."));
        }
        let (group, protocol) = (group.to_owned(), protocol.clone());
        rules.push(Rule { group, is_out, protocol, ports, peer, description: description.clone() });
        Ok(())
    };
    let bad_block = |text: &str| invalid(format!("CIDR block {text} is malformed"));
    for range in &given.ip_ranges {
        let text = range.cidr_ip.as_deref().unwrap_or_default();
        put(Peer::Four(Block::parse(text).ok_or_else(|| bad_block(text))?), &range.description)?;
    }
    for range in &given.ipv6_ranges {
        let text = range.cidr_ipv6.as_deref().unwrap_or_default();
        put(Peer::Six(six(text).ok_or_else(|| bad_block(text))?), &range.description)?;
    }
    if let Some(range) = given.prefix_list_ids.first() {
        let id = range.prefix_list_id.clone().unwrap_or_default();
        return Err(Error::not_implemented(format!("managed prefix lists in rules of security groups ({id})")));
    }
    for range in &given.user_id_group_pairs {
        if let Some(other) = range.user_id.as_deref().filter(|user| *user != account) {
            let text = format!("security groups of other accounts (UserId={other}) in rules of security groups");
            return Err(Error::not_implemented(text));
        }
        let id = named(net, range.group_id.as_deref(), range.group_name.as_deref())?;
        let vpc = |id: &str| net.groups.get(id).map(|group| group.vpc.clone());
        if vpc(&id) != vpc(group) {
            return Err(super::groups::other_network());
        }
        put(Peer::Group(id), &range.description)?;
    }
    if rules.len() == begin {
        return Err(missing("ipRanges, ipv6Ranges, prefixListIds or groups"));
    }
    Ok(())
}

/// A protocol by its name or number: the three that have ports, and those of ICMP, by their names.
fn protocol(text: &str) -> Result<String> {
    let lower = text.to_ascii_lowercase();
    Ok(match &*lower {
        "tcp" | "6" => "tcp".to_owned(),
        "udp" | "17" => "udp".to_owned(),
        "icmp" | "1" => "icmp".to_owned(),
        "icmpv6" | "58" => "icmpv6".to_owned(),
        "-1" | "all" => "-1".to_owned(),
        number => match number.parse::<u8>() {
            Ok(number) => number.to_string(),
            Err(_) => {
                return Err(invalid(format!("Invalid value '{text}' for IP protocol. Unknown protocol.")));
            }
        },
    })
}

fn ports(protocol: &str, from: Option<i64>, to: Option<i64>) -> Result<Option<(i64, i64)>> {
    match protocol {
        "tcp" | "udp" => {
            let (Some(from), Some(to)) = (from, to) else {
                let text = "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.";
                return Err(invalid(text));
            };
            // Both as -1 mean all.
            let (from, to) = if (from, to) == (-1, -1) { (0, 65_535) } else { (from, to) };
            for port in [from, to] {
                if !(0..=65_535).contains(&port) {
                    return Err(invalid(format!("Invalid TCP/UDP port: {port}")));
                }
            }
            if from > to {
                return Err(invalid(format!("Invalid TCP/UDP port range ({from}:{to})")));
            }
            Ok(Some((from, to)))
        }
        "icmp" | "icmpv6" => {
            let (kind, code) = (from.unwrap_or(-1), to.unwrap_or(-1));
            if !(-1..=255).contains(&kind) || !(-1..=255).contains(&code) {
                return Err(invalid(format!("ICMP type ({kind}) or code ({code}) out of range")));
            }
            Ok(Some((kind, code)))
        }
        _ => Ok(None),
    }
}

/// How a rule is told of in errors.
fn told(rule: &Rule) -> String {
    let peer = match &rule.peer {
        Peer::Four(block) => block.to_string(),
        Peer::Six(text) | Peer::Group(text) => text.clone(),
    };
    let protocol = if rule.protocol == "-1" { "ALL".to_owned() } else { rule.protocol.to_ascii_uppercase() };
    let ports = match rule.ports {
        Some((from, to)) => format!("from port: {from}, to port: {to}, "),
        None => String::new(),
    };
    format!("peer: {peer}, {protocol}, {ports}ALLOW")
}

impl<const OUT: bool> Action for Authorize<OUT> {
    const NAME: &'static str = if OUT { "AuthorizeSecurityGroupEgress" } else { "AuthorizeSecurityGroupIngress" };

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("security-group", self.group_id.as_deref()))
    }

    fn tags(&self) -> &[Specification] {
        &self.tag_specifications
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let tags = of_new(&self.tag_specifications, "security-group-rule")?;
        let (group, rules) = self.rules(cx.state, &cx.scope.account)?;
        if rules.is_empty() {
            return Err(missing("ipPermissions"));
        }
        for (place, rule) in rules.iter().enumerate() {
            if rules.iter().take(place).any(|other| other.is_like(rule)) {
                return Err(invalid("The same permission must not appear multiple times"));
            }
            if cx.state.rules.values().any(|other| other.is_like(rule)) {
                let text = format!("the specified rule \"{}\" already exists", told(rule));
                return Err(Error::client("InvalidPermission.Duplicate", text));
            }
        }
        let known = cx.state.rules.values().filter(|rule| rule.group == group && rule.is_out == OUT).count();
        if known + rules.len() > MAX_RULES {
            let text = "The maximum number of rules per security group has been reached.";
            return Err(Error::client("RulesPerSecurityGroupLimitExceeded", text));
        }
        let mut made = Vec::new();
        for rule in rules {
            let id = new_id(cx.ids(), "sgr");
            cx.state.rules.insert(id.clone(), rule);
            keep(cx.state, &id, tags.clone());
            made.push(super::kind::describe_one::<Rule>(cx, &id)?);
        }
        Ok(json!({ "Return": true, "SecurityGroupRules": made }))
    }
}

/// The same rules, to take them away; or rules by their ids.
struct Revoke<const OUT: bool> {
    rules: Authorize<OUT>,
    ids: Vec<String>,
}

impl<'de, const OUT: bool> Deserialize<'de> for Revoke<OUT> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut members = Map::deserialize(deserializer)?;
        let ids = members.shift_remove("SecurityGroupRuleIds").unwrap_or_else(|| json!([]));
        let read = || Ok((serde_json::from_value(ids)?, serde_json::from_value(Value::Object(members))?));
        let (ids, rules) = read().map_err(|error: serde_json::Error| serde::de::Error::custom(error))?;
        Ok(Self { rules, ids })
    }
}

impl<const OUT: bool> Action for Revoke<OUT> {
    const NAME: &'static str = if OUT { "RevokeSecurityGroupEgress" } else { "RevokeSecurityGroupIngress" };

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("security-group", self.rules.group_id.as_deref()))
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let (group, rules) = self.rules.rules(cx.state, &cx.scope.account)?;
        if rules.is_empty() && self.ids.is_empty() {
            return Err(missing("ipPermissions"));
        }
        let mut gone = Vec::new();
        for id in self.ids {
            match cx.state.rules.get(&id).filter(|rule| rule.group == group && rule.is_out == OUT) {
                Some(_) => gone.push(id),
                None => return Err(super::kind::not_found::<Rule>(&id)),
            }
        }
        for rule in &rules {
            // Outside of the default VPC what is not there is an error, and so it is here for every group.
            match cx.state.rules.iter().find(|(_, known)| known.is_like(rule)) {
                Some((id, _)) => gone.push(id.clone()),
                None => {
                    let text = "The specified rule does not exist in this security group.";
                    return Err(Error::client("InvalidPermission.NotFound", text));
                }
            }
        }
        let mut revoked = Vec::new();
        for id in gone {
            let Some(rule) = cx.state.rules.remove(&id) else { continue };
            cx.state.tags.remove(&id);
            revoked.push(rule.revoked(&id));
        }
        Ok(json!({ "Return": true, "RevokedSecurityGroupRules": revoked }))
    }
}
