//! Tags: `CreateTags`, `DeleteTags`, `DescribeTags`, and those that come with what is made.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html>

use imbl::OrdMap;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::action::{Action, act};
use super::filters::{Filter, is_wanted};
use super::{Network, invalid};
use crate::cloud::{Cx, Service};
use crate::{Error, Result, token};

/// Something has at most so many tags.
const MAX_TAGS: usize = 50;
const MAX_KEY: usize = 128;
const MAX_VALUE: usize = 256;
/// A call tags at most so many things.
const MAX_RESOURCES: usize = 1000;
/// `DescribeTags` answers so many if nobody says.
const PAGE: usize = 1000;

/// What `DescribeTags` can be filtered by.
const FILTERS: &[(&str, &str)] =
    &[("key", "Key"), ("resource-id", "ResourceId"), ("resource-type", "ResourceType"), ("value", "Value")];

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Network>) -> Service<Network> {
    service.with(act::<CreateTags>).with(act::<DeleteTags>).with(act::<DescribeTags>)
}

/// `Tag` of the model.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    #[serde(default)]
    pub key: String,
    pub value: Option<String>,
}

/// `TagSpecification` of the model.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Specification {
    resource_type: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

impl Specification {
    pub fn tags(&self) -> impl Iterator<Item = &Tag> {
        self.tags.iter()
    }
}

/// The tags that come with something of this type, checked.
pub(super) fn of_new(specifications: &[Specification], kind: &str) -> Result<OrdMap<String, String>> {
    let mut tags = OrdMap::new();
    for specification in specifications {
        let given = specification.resource_type.as_deref().unwrap_or_default();
        if given != kind {
            return Err(invalid(format!("'{given}' is not a valid taggable resource type for this operation.")));
        }
        add(&mut tags, &specification.tags)?;
    }
    Ok(tags)
}

/// Keeps the tags of something new.
pub(super) fn keep(net: &mut Network, id: &str, tags: OrdMap<String, String>) {
    if !tags.is_empty() {
        net.tags.insert(id.to_owned(), tags);
    }
}

fn add(tags: &mut OrdMap<String, String>, given: &[Tag]) -> Result<()> {
    for Tag { key, value } in given {
        let value = value.as_deref().unwrap_or_default();
        if key.is_empty() || key.chars().count() > MAX_KEY {
            let text = if key.is_empty() {
                "Tag key cannot be null or empty".to_owned()
            } else {
                format!("Tag key exceeds the maximum length of {MAX_KEY} characters")
            };
            return Err(invalid(text));
        }
        if value.chars().count() > MAX_VALUE {
            return Err(invalid(format!("Tag value exceeds the maximum length of {MAX_VALUE} characters")));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid("Tag keys starting with 'aws:' are reserved for internal use"));
        }
        tags.insert(key.clone(), value.to_owned());
    }
    if tags.len() > MAX_TAGS {
        let text = format!("The maximum number of tags ({MAX_TAGS}) for the resource is exceeded");
        return Err(Error::client("TagLimitExceeded", text));
    }
    Ok(())
}

/// The type of the thing that has this id, if there is one.
fn type_of(net: &Network, id: &str) -> Option<&'static str> {
    let is = |there: bool, name: &'static str| there.then_some(name);
    match id.split('-').next()? {
        "vpc" => is(net.vpcs.contains_key(id), "vpc"),
        "subnet" => is(net.subnets.contains_key(id), "subnet"),
        "sg" => is(net.groups.contains_key(id), "security-group"),
        "sgr" => is(net.rules.contains_key(id), "security-group-rule"),
        "rtb" => is(net.tables.contains_key(id), "route-table"),
        "igw" => is(net.gateways.contains_key(id), "internet-gateway"),
        "acl" => is(net.acls.contains_key(id), "network-acl"),
        "dopt" => is(net.dhcp.contains_key(id), "dhcp-options"),
        "eipalloc" => is(net.addresses.contains_key(id), "elastic-ip"),
        "nat" => is(net.nats.contains_key(id), "natgateway"),
        "eni" => is(net.interfaces.contains_key(id), "network-interface"),
        "vpce" => is(net.endpoints.contains_key(id), "vpc-endpoint"),
        "pcx" => is(net.peerings.contains_key(id), "vpc-peering-connection"),
        "vol" => is(net.volumes.contains_key(id), "volume"),
        "snap" => is(net.snapshots.contains_key(id), "snapshot"),
        "key" => is(net.keys.contains_key(id), "key-pair"),
        _ => None,
    }
}

fn check_resources(net: &Network, ids: &[String]) -> Result<()> {
    if ids.len() > MAX_RESOURCES {
        return Err(invalid(format!("The maximum number of resources is {MAX_RESOURCES}")));
    }
    match ids.iter().find(|id| type_of(net, id).is_none()) {
        Some(id) => Err(Error::client("InvalidID", format!("The ID '{id}' is not valid"))),
        None => Ok(()),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateTags {
    resources: Vec<String>,
    tags: Vec<Tag>,
}

impl Action for CreateTags {
    const NAME: &'static str = "CreateTags";

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        check_resources(cx.state, &self.resources)?;
        let mut all = cx.state.tags.clone();
        for id in &self.resources {
            add(all.entry(id.clone()).or_default(), &self.tags)?;
        }
        cx.state.tags = all;
        Ok(Value::Null)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteTags {
    resources: Vec<String>,
    tags: Option<Vec<Tag>>,
}

impl Action for DeleteTags {
    const NAME: &'static str = "DeleteTags";

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        check_resources(cx.state, &self.resources)?;
        for id in &self.resources {
            let Some(mut tags) = cx.state.tags.remove(id) else { continue };
            match &self.tags {
                // A tag with a value goes only if it has that value.
                Some(given) => given.iter().for_each(|tag| {
                    let is_it = |value: &String| tag.value.as_ref().is_none_or(|wanted| wanted == value);
                    if tags.get(&tag.key).is_some_and(is_it) {
                        tags.remove(&tag.key);
                    }
                }),
                None => tags.clear(),
            }
            keep(cx.state, id, tags);
        }
        Ok(Value::Null)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeTags {
    #[serde(default)]
    filters: Vec<Filter>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

impl Action for DescribeTags {
    const NAME: &'static str = "DescribeTags";

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        // A filter by one tag, `tag:KEY`, is one by its key and value.
        let is_tag = |name: &str| name.strip_prefix("tag:").map(str::to_owned);
        let (mut filters, mut keyed) = (Vec::new(), Vec::new());
        for filter in self.filters {
            filter.check(FILTERS)?;
            match filter.name.as_deref().and_then(is_tag) {
                Some(key) => {
                    keyed.push(Filter { name: Some("key".to_owned()), values: vec![key] });
                    keyed.push(Filter { name: Some("value".to_owned()), ..filter });
                }
                None => filters.push(filter),
            }
        }
        filters.extend(keyed);
        let skip: usize = match self.next_token.as_deref().filter(|text| !text.is_empty()) {
            Some(text) => token::read(text).ok_or_else(|| invalid("The token 'nextToken' is invalid"))?,
            None => 0,
        };
        let one = |id: &str, key: &str, value: &str| {
            let kind = type_of(cx.state, id)?;
            Some(json!({ "ResourceId": id, "ResourceType": kind, "Key": key, "Value": value }))
        };
        let all = cx.state.tags.iter().flat_map(|(id, tags)| tags.iter().map(move |(key, value)| (id, key, value)));
        let shown = all.filter_map(|(id, key, value)| one(id, key, value));
        let mut found = shown.filter(|shown| is_wanted(shown, &filters, FILTERS)).skip(skip);
        let page: Vec<_> = found.by_ref().take(self.max_results.unwrap_or(PAGE)).collect();
        let mut answer = Map::new();
        if found.next().is_some() {
            answer.insert("NextToken".to_owned(), token::of(&(skip + page.len()))?.into());
        }
        answer.insert("Tags".to_owned(), page.into());
        Ok(Value::Object(answer))
    }
}
