//! Regions and their availability zones.
//!
//! <https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html>

use serde::Deserialize;
use serde_json::{Value, json};

use super::action::{Action, act};
use super::filters::{Filter, is_wanted};
use super::{Network, invalid};
use crate::cloud::{Cx, Service};
use crate::{Error, Result};

/// The regions that every account has, by the short names that ids of their zones begin with.
const REGIONS: &[(&str, &str)] = &[
    ("ap-northeast-1", "apne1"),
    ("ap-northeast-2", "apne2"),
    ("ap-northeast-3", "apne3"),
    ("ap-south-1", "aps1"),
    ("ap-southeast-1", "apse1"),
    ("ap-southeast-2", "apse2"),
    ("ca-central-1", "cac1"),
    ("eu-central-1", "euc1"),
    ("eu-north-1", "eun1"),
    ("eu-west-1", "euw1"),
    ("eu-west-2", "euw2"),
    ("eu-west-3", "euw3"),
    ("sa-east-1", "sae1"),
    ("us-east-1", "use1"),
    ("us-east-2", "use2"),
    ("us-west-1", "usw1"),
    ("us-west-2", "usw2"),
];

/// Those that an account must opt in to, and has not.
const OPTIONAL: &[(&str, &str)] = &[
    ("af-south-1", "afs1"),
    ("ap-east-1", "ape1"),
    ("ap-south-2", "aps2"),
    ("ap-southeast-3", "apse3"),
    ("ap-southeast-4", "apse4"),
    ("ca-west-1", "caw1"),
    ("eu-central-2", "euc2"),
    ("eu-south-1", "eus1"),
    ("eu-south-2", "eus2"),
    ("il-central-1", "ilc1"),
    ("me-central-1", "mec1"),
    ("me-south-1", "mes1"),
];

const ZONE_FILTERS: &[(&str, &str)] = &[
    ("group-name", "GroupName"),
    ("message", "Messages.Message"),
    ("opt-in-status", "OptInStatus"),
    ("parent-zone-id", "ParentZoneId"),
    ("parent-zone-name", "ParentZoneName"),
    ("region-name", "RegionName"),
    ("state", "State"),
    ("zone-id", "ZoneId"),
    ("zone-name", "ZoneName"),
    ("zone-type", "ZoneType"),
];

const REGION_FILTERS: &[(&str, &str)] =
    &[("endpoint", "Endpoint"), ("opt-in-status", "OptInStatus"), ("region-name", "RegionName")];

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Network>) -> Service<Network> {
    service.with(act::<DescribeAvailabilityZones>).with(act::<DescribeRegions>)
}

/// The zones of a region: `a` to `c`, and up to `f` in `us-east-1`. Which zones an account sees is its own affair at AWS.
pub(crate) fn zones_of(region: &str) -> Vec<String> {
    let last = if region == "us-east-1" { 'f' } else { 'c' };
    ('a'..=last).map(|zone| format!("{region}{zone}")).collect()
}

/// The id of a zone. Which zone of an account has which id is its own affair as well: here they have the same order.
pub(super) fn id_of(region: &str, zone: &str) -> String {
    let place = zones_of(region).iter().position(|known| known == zone).unwrap_or(0) + 1;
    let short = REGIONS.iter().chain(OPTIONAL).find(|(name, _)| *name == region).map_or(region, |(_, short)| short);
    format!("{short}-az{place}")
}

/// The zone that a call names by its name, by its id, or not at all.
pub(super) fn choose(region: &str, name: Option<&str>, id: Option<&str>) -> Result<Option<String>> {
    let zones = zones_of(region);
    let found = match (name, id) {
        (None, None) => return Ok(None),
        (Some(name), _) => zones.iter().find(|zone| *zone == name),
        (None, Some(id)) => zones.iter().find(|zone| id_of(region, zone) == id),
    };
    let given = name.or(id).unwrap_or_default();
    found.cloned().map(Some).ok_or_else(|| {
        let listed = zones.join(", ");
        invalid(format!(
            "Value ({given}) for parameter availabilityZone is invalid. Subnets can currently only be created in the \
             following availability zones: {listed}."
        ))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeAvailabilityZones {
    zone_names: Option<Vec<String>>,
    zone_ids: Option<Vec<String>>,
    /// Those that are not opted in to as well, of which there are none.
    #[serde(rename = "AllAvailabilityZones")]
    _all: Option<bool>,
    #[serde(default)]
    filters: Vec<Filter>,
}

impl Action for DescribeAvailabilityZones {
    const NAME: &'static str = "DescribeAvailabilityZones";

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        self.filters.iter().try_for_each(|filter| filter.check(ZONE_FILTERS))?;
        let region = &*cx.scope.region;
        let zones = zones_of(region);
        let (names, ids) = (self.zone_names.unwrap_or_default(), self.zone_ids.unwrap_or_default());
        let id_is_known = |id: &String| zones.iter().any(|zone| id_of(region, zone) == *id);
        let stranger = names.iter().find(|name| !zones.contains(name)).or(ids.iter().find(|id| !id_is_known(id)));
        if let Some(stranger) = stranger {
            return Err(invalid(format!("Invalid availability zone: [{stranger}]")));
        }
        let shown = zones.iter().map(|zone| {
            json!({
                "OptInStatus": "opt-in-not-required",
                "Messages": [],
                "RegionName": region,
                "ZoneName": zone,
                "ZoneId": id_of(region, zone),
                "GroupName": format!("{region}-zg-1"),
                "NetworkBorderGroup": region,
                "ZoneType": "availability-zone",
                "State": "available",
            })
        });
        let is_named = |zone: &Value| {
            let is_in = |list: &[String], member: &str| list.iter().any(|one| zone[member] == one.as_str());
            (names.is_empty() && ids.is_empty()) || is_in(&names, "ZoneName") || is_in(&ids, "ZoneId")
        };
        let found = shown.filter(|zone| is_named(zone) && is_wanted(zone, &self.filters, ZONE_FILTERS));
        Ok(json!({ "AvailabilityZones": found.collect::<Vec<_>>() }))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeRegions {
    region_names: Option<Vec<String>>,
    all_regions: Option<bool>,
    #[serde(default)]
    filters: Vec<Filter>,
}

impl Action for DescribeRegions {
    const NAME: &'static str = "DescribeRegions";

    fn run(self, _cx: &mut Cx<Network>) -> Result<Value> {
        self.filters.iter().try_for_each(|filter| filter.check(REGION_FILTERS))?;
        let names = self.region_names.unwrap_or_default();
        let is_known = |name: &&String| REGIONS.iter().chain(OPTIONAL).any(|(known, _)| known == name);
        if let Some(stranger) = names.iter().find(|name| !is_known(name)) {
            return Err(invalid(format!("Invalid region: [{stranger}]")));
        }
        let show = |name: &str, status: &str| {
            let endpoint = format!("ec2.{name}.amazonaws.com");
            json!({ "OptInStatus": status, "RegionName": name, "Endpoint": endpoint })
        };
        let all = self.all_regions == Some(true) || !names.is_empty();
        let optional = OPTIONAL.iter().filter(|_| all).map(|(name, _)| show(name, "not-opted-in"));
        let shown = REGIONS.iter().map(|(name, _)| show(name, "opt-in-not-required")).chain(optional);
        let is_named =
            |region: &Value| names.is_empty() || names.iter().any(|name| region["RegionName"] == name.as_str());
        let found = shown.filter(|region| is_named(region) && is_wanted(region, &self.filters, REGION_FILTERS));
        Ok(json!({ "Regions": found.collect::<Vec<_>>() }))
    }
}

/// A region that there is.
pub(super) fn check_region(name: &str) -> Result<()> {
    if REGIONS.iter().chain(OPTIONAL).any(|(known, _)| *known == name) {
        return Ok(());
    }
    Err(Error::client("InvalidParameterValue", format!("Invalid region: [{name}]")))
}
