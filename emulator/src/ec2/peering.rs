//! VPC peering connections between VPCs of one account and region.
//!
//! <https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html>

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::action::{Action, act};
use super::cidr::Block;
use super::kind::{Facts, Kind, describe_one, find, listed, new_id, not_found};
use super::tags::{Specification, keep, of_new};
use super::vpcs::Vpc;
use super::zones::check_region;
use super::{Network, View, missing};
use crate::cloud::{Cx, Service};
use crate::{Error, Result, Timestamp};

/// How long a request waits for its acceptance.
/// <https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html#vpc-peering-lifecycle>
const WAITING: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long a deleted, rejected or failed one is seen.
const SEEN: Duration = Duration::from_secs(2 * 3600);
/// A VPC has at most so many that are active or wait.
const MAX_PEERINGS: usize = 125;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Network>) -> Service<Network> {
    service
        .with(listed::<Peering>)
        .with(act::<CreateVpcPeeringConnection>)
        .with(act::<Decide<0>>)
        .with(act::<Decide<1>>)
        .with(act::<Decide<2>>)
}

/// A connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Peering {
    requester: (String, Block),
    accepter: (String, Block),
    state: State,
    since: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    Waits,
    Active,
    Rejected,
    Failed,
    Deleted,
}

impl Peering {
    fn has_expired(&self, now: Timestamp) -> bool {
        self.state == State::Waits && now.since(self.since) >= WAITING
    }

    pub fn is_active(&self) -> bool {
        self.state == State::Active
    }

    /// Whether a VPC cannot go because of it.
    pub fn binds(&self, vpc: &str, now: Timestamp) -> bool {
        let is_live = matches!(self.state, State::Active | State::Waits) && !self.has_expired(now);
        is_live && (self.requester.0 == vpc || self.accepter.0 == vpc)
    }
}

impl Kind for Peering {
    const FACTS: Facts = Facts {
        operation: "DescribeVpcPeeringConnections",
        code: "InvalidVpcPeeringConnectionID.NotFound",
        text: "The vpcPeeringConnection ID '{}' does not exist",
        members: ("VpcPeeringConnectionIds", "VpcPeeringConnections"),
        filters: &[
            ("accepter-vpc-info.cidr-block", "AccepterVpcInfo.CidrBlock"),
            ("accepter-vpc-info.owner-id", "AccepterVpcInfo.OwnerId"),
            ("accepter-vpc-info.vpc-id", "AccepterVpcInfo.VpcId"),
            ("expiration-time", "ExpirationTime"),
            ("requester-vpc-info.cidr-block", "RequesterVpcInfo.CidrBlock"),
            ("requester-vpc-info.owner-id", "RequesterVpcInfo.OwnerId"),
            ("requester-vpc-info.vpc-id", "RequesterVpcInfo.VpcId"),
            ("status-code", "Status.Code"),
            ("status-message", "Status.Message"),
            ("vpc-peering-connection-id", "VpcPeeringConnectionId"),
        ],
    };

    fn all(net: &Network) -> &imbl::OrdMap<String, Self> {
        &net.peerings
    }

    fn show(&self, id: &str, view: &View) -> Option<Value> {
        let account = &*view.scope.account;
        let is_over = matches!(self.state, State::Rejected | State::Failed | State::Deleted);
        if is_over && view.now.since(self.since) >= SEEN {
            return None;
        }
        let (code, message) = match self.state {
            State::Waits if self.has_expired(view.now) => ("expired", "Expired".to_owned()),
            State::Waits => ("pending-acceptance", format!("Pending Acceptance by {account}")),
            State::Active => ("active", "Active".to_owned()),
            State::Rejected => ("rejected", format!("Rejected by {account}")),
            State::Failed => {
                ("failed", "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range".to_owned())
            }
            State::Deleted => ("deleted", format!("Deleted by {account}")),
        };
        let side = |(vpc, block): &(String, Block)| {
            json!({
                "VpcId": vpc,
                "OwnerId": account,
                "Region": &*view.scope.region,
                "CidrBlock": block,
                "CidrBlockSet": [{ "CidrBlock": block }],
                "PeeringOptions": {
                    "AllowDnsResolutionFromRemoteVpc": false,
                    "AllowEgressFromLocalClassicLinkToRemoteVpc": false,
                    "AllowEgressFromLocalVpcToRemoteClassicLink": false,
                },
            })
        };
        let expires = (self.state == State::Waits)
            .then(|| Timestamp::from_millis(self.since.millis().saturating_add(WAITING.as_millis() as i64)));
        Some(json!({
            "VpcPeeringConnectionId": id,
            "RequesterVpcInfo": side(&self.requester),
            "AccepterVpcInfo": side(&self.accepter),
            "Status": { "Code": code, "Message": message },
            "ExpirationTime": expires,
        }))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateVpcPeeringConnection {
    vpc_id: String,
    peer_vpc_id: Option<String>,
    peer_owner_id: Option<String>,
    peer_region: Option<String>,
    #[serde(default)]
    tag_specifications: Vec<Specification>,
}

impl Action for CreateVpcPeeringConnection {
    const NAME: &'static str = "CreateVpcPeeringConnection";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("vpc-peering-connection", None))
    }

    fn tags(&self) -> &[Specification] {
        &self.tag_specifications
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let tags = of_new(&self.tag_specifications, "vpc-peering-connection")?;
        let peer = self.peer_vpc_id.ok_or_else(|| missing("peerVpcId"))?;
        if let Some(region) = &self.peer_region {
            check_region(region)?;
        }
        let elsewhere = (self.peer_owner_id.filter(|owner| **owner != *cx.scope.account))
            .or(self.peer_region.filter(|region| **region != *cx.scope.region));
        if let Some(place) = elsewhere {
            return Err(Error::not_implemented(format!("VPC peering with another account or region ({place})")));
        }
        let requester = (self.vpc_id.clone(), find::<Vpc>(cx.state, &self.vpc_id)?.block);
        let accepter = (peer.clone(), find::<Vpc>(cx.state, &peer)?.block);
        let now = cx.now;
        let live = |peering: &&Peering| peering.binds(&self.vpc_id, now);
        if cx.state.peerings.values().filter(live).count() >= MAX_PEERINGS {
            let text = "The maximum number of VPC peering connections has been reached.";
            return Err(Error::client("VpcPeeringConnectionLimitExceeded", text));
        }
        let is_same = |one: &Peering| {
            let ends = [&one.requester.0, &one.accepter.0];
            one.binds(&self.vpc_id, now) && ends.contains(&&peer) && ends.contains(&&self.vpc_id)
        };
        if let Some((id, _)) = cx.state.peerings.iter().find(|(_, one)| is_same(one)) {
            let id = id.clone();
            return Ok(json!({ "VpcPeeringConnection": describe_one::<Peering>(cx, &id)? }));
        }
        // Blocks that overlap make a connection that has failed; so does a VPC that would be peered with itself.
        let state = if requester.1.overlaps(accepter.1) { State::Failed } else { State::Waits };
        let id = new_id(cx.ids(), "pcx");
        forget_old(cx);
        cx.state.peerings.insert(id.clone(), Peering { requester, accepter, state, since: now });
        keep(cx.state, &id, tags);
        let mut made = describe_one::<Peering>(cx, &id)?;
        if state == State::Waits {
            made["Status"] = json!({ "Code": "initiating-request", "Message": format!("Initiating Request to {}", cx.scope.account) });
        }
        Ok(json!({ "VpcPeeringConnection": made }))
    }
}

fn forget_old(cx: &mut Cx<Network>) {
    let view = View { net: cx.state, scope: cx.scope, now: cx.now };
    let is_over = |(id, it): &(&String, &Peering)| it.show(id, &view).is_none();
    let gone: Vec<_> = view.net.peerings.iter().filter(is_over).map(|(id, _)| id.clone()).collect();
    for id in gone {
        cx.state.peerings.remove(&id);
        cx.state.tags.remove(&id);
    }
}

/// What is done about a connection: it is accepted (0), rejected (1) or deleted (2).
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Decide<const HOW: u8> {
    vpc_peering_connection_id: String,
}

impl<const HOW: u8> Action for Decide<HOW> {
    const NAME: &'static str = match HOW {
        0 => "AcceptVpcPeeringConnection",
        1 => "RejectVpcPeeringConnection",
        _ => "DeleteVpcPeeringConnection",
    };

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("vpc-peering-connection", Some(&self.vpc_peering_connection_id)))
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let id = self.vpc_peering_connection_id;
        let shown = describe_one::<Peering>(cx, &id)?;
        let code = shown["Status"]["Code"].as_str().unwrap_or_default().to_owned();
        let (verb, state, allowed): (_, _, &[&str]) = match HOW {
            0 => ("accepted", State::Active, &["pending-acceptance", "active"]),
            1 => ("rejected", State::Rejected, &["pending-acceptance"]),
            _ => ("deleted", State::Deleted, &["active", "pending-acceptance", "failed", "expired"]),
        };
        if !allowed.contains(&&*code) {
            let text = format!("VpcPeeringConnection {id} cannot be {verb} because it is in state {code}");
            return Err(Error::client("InvalidStateTransition", text));
        }
        let now = cx.now;
        let peering = cx.state.peerings.get_mut(&id).ok_or_else(|| not_found::<Peering>(&id))?;
        if peering.state != state {
            (peering.state, peering.since) = (state, now);
        }
        if HOW == 0 {
            return Ok(json!({ "VpcPeeringConnection": describe_one::<Peering>(cx, &id)? }));
        }
        Ok(json!({ "Return": true }))
    }
}
