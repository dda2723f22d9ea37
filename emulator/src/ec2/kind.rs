//! Kinds of things: how each is described, by ids, filters and pages.

use std::marker::PhantomData;
use std::ops::Bound;

use imbl::OrdMap;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::action::{Action, act};
use super::filters::{Filter, is_wanted};
use super::{Network, View, invalid};
use crate::cloud::{Cx, Ids, Service};
use crate::{Error, Result, token};

/// An answer without `MaxResults` has no more than so many.
const PAGE: usize = 1000;

/// The kinds whose descriptions leave the list of tags out where there are none; those of the others have it empty.
const WITHOUT_TAGS: [&str; 6] = ["Vpcs", "Subnets", "SecurityGroups", "Addresses", "Volumes", "Snapshots"];

/// What is told of a kind.
pub(super) struct Facts {
    /// The operation that lists them.
    pub operation: &'static str,
    /// The error for an id that nothing has.
    pub code: &'static str,
    /// Its text, with the id for `{}`.
    pub text: &'static str,
    /// The input's member that lists ids, and the output's that lists what is found.
    pub members: (&'static str, &'static str),
    /// Filters, and where the description has what they look at.
    pub filters: &'static [(&'static str, &'static str)],
}

/// A kind of things that are described alike.
pub(super) trait Kind: Clone + Sized + 'static {
    const FACTS: Facts;

    /// All of them.
    fn all(net: &Network) -> &OrdMap<String, Self>;

    /// The description, without tags; `None` once nothing is to be seen of it any more.
    fn show(&self, id: &str, view: &View) -> Option<Value>;

    /// What another member of the listing's input chooses.
    fn chosen(_member: &str, _value: &Value, _view: &View) -> Result<Chosen> {
        Ok(Chosen::Unknown)
    }
}

/// What a member of a listing's input chooses.
pub(super) enum Chosen {
    /// Nothing in particular.
    All,
    /// Those of these ids, as well as others that are chosen.
    These(Vec<String>),
    /// Of all others that are chosen, those of these ids.
    Only(Vec<String>),
    /// The member is not honoured.
    Unknown,
}

/// The error for an id that nothing has.
pub(super) fn not_found<K: Kind>(id: &str) -> Error {
    if K::FACTS.members.1 == "SecurityGroups" && !id.starts_with("sg-") {
        let text = format!("Invalid id: \"{id}\" (expecting \"sg-...\")");
        return Error::client("InvalidGroupId.Malformed", text);
    }
    Error::client(K::FACTS.code, K::FACTS.text.replace("{}", id))
}

/// The thing of this id.
pub(super) fn find<'a, K: Kind>(net: &'a Network, id: &str) -> Result<&'a K> {
    K::all(net).get(id).ok_or_else(|| not_found::<K>(id))
}

/// A new id: seventeen hexadecimal digits after the prefix.
pub(super) fn new_id(ids: &mut Ids, prefix: &str) -> String {
    format!("{prefix}-0{}", ids.hex(16))
}

/// The description with its tags.
pub(super) fn shown<K: Kind>(view: &View, id: &str, it: &K) -> Option<Value> {
    let mut shown = it.show(id, view)?;
    if let Some(members) = shown.as_object_mut() {
        members.retain(|_, value| !value.is_null());
        let tags = view.net.tags.get(id).into_iter().flatten();
        let tags: Vec<_> = tags.map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
        if !(tags.is_empty() && WITHOUT_TAGS.contains(&K::FACTS.members.1)) {
            members.insert("Tags".to_owned(), tags.into());
        }
    }
    Some(shown)
}

/// The description of what was just made or changed.
pub(super) fn describe_one<K: Kind>(cx: &Cx<Network>, id: &str) -> Result<Value> {
    let view = View { net: cx.state, scope: cx.scope, now: cx.now };
    shown(&view, id, find::<K>(cx.state, id)?).ok_or_else(|| not_found::<K>(id))
}

/// What a page is asked for with.
pub(super) struct Listing {
    ids: Option<Vec<String>>,
    only: Option<Vec<String>>,
    filters: Vec<Filter>,
    most: Option<usize>,
    after: Option<String>,
}

impl Listing {
    /// Reads the members that all listings have, and those of the kind; any other is refused by name.
    pub fn read<K: Kind>(members: Map<String, Value>, view: &View) -> Result<Self> {
        let mut listing = Self { ids: None, only: None, filters: Vec::new(), most: None, after: None };
        let ids = K::FACTS.members.0;
        for (name, value) in members {
            match &*name {
                "Filters" | "Filter" => listing.filters = serde_json::from_value(value)?,
                "MaxResults" => listing.most = value.as_u64().map(|most| most as usize),
                "NextToken" => {
                    let text = value.as_str().filter(|text| !text.is_empty());
                    let bad = || invalid("The token 'nextToken' is invalid");
                    listing.after = text.map(|text| token::text(text).ok_or_else(bad)).transpose()?;
                }
                name if name == ids => listing.name_ids(serde_json::from_value(value)?),
                name => match K::chosen(name, &value, view)? {
                    Chosen::All => {}
                    Chosen::These(those) => listing.name_ids(those),
                    Chosen::Only(those) => listing.only = Some(those),
                    Chosen::Unknown => {
                        let text = format!("the parameter {name} of ec2:{}", K::FACTS.operation);
                        return Err(Error::not_implemented(text));
                    }
                },
            }
        }
        if listing.most.is_some() && listing.ids.is_some() {
            let text = format!("The parameter {ids} cannot be used with the parameter MaxResults");
            return Err(Error::client("InvalidParameterCombination", text));
        }
        Ok(listing)
    }

    /// Only things of these ids.
    fn name_ids(&mut self, ids: Vec<String>) {
        let given = !ids.is_empty() || self.ids.is_some();
        let known = self.ids.take().unwrap_or_default();
        self.ids = given.then(|| known.into_iter().chain(ids).collect());
    }

    /// The things that are asked for, and where the next page begins.
    pub fn page<K: Kind>(&self, view: &View) -> Result<(Vec<Value>, Option<String>)> {
        let facts = K::FACTS;
        let missing =
            self.ids.iter().flatten().find(|id| K::all(view.net).get(*id).is_none_or(|it| it.show(id, view).is_none()));
        if let Some(id) = missing {
            return Err(not_found::<K>(id));
        }
        for filter in &self.filters {
            filter.check(facts.filters)?;
        }
        let start = self.after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut found = K::all(view.net)
            .range::<_, str>((start, Bound::Unbounded))
            .filter(|(id, _)| self.only.as_ref().is_none_or(|only| only.contains(id)))
            .filter(|(id, _)| self.ids.as_ref().is_none_or(|ids| ids.contains(id)))
            .filter_map(|(id, it)| Some((id, shown(view, id, it)?)))
            .filter(|(_, shown)| is_wanted(shown, &self.filters, facts.filters));
        let page: Vec<_> = found.by_ref().take(self.most.unwrap_or(PAGE)).collect();
        let next = found.next().and(page.last()).map(|(id, _)| token::of_text(id));
        Ok((page.into_iter().map(|(_, shown)| shown).collect(), next))
    }
}

/// The input of a listing.
#[derive(Deserialize)]
#[serde(transparent, bound = "")]
pub(super) struct Describe<K> {
    members: Map<String, Value>,
    #[serde(skip)]
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> Action for Describe<K> {
    const NAME: &'static str = K::FACTS.operation;

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let view = View { net: cx.state, scope: cx.scope, now: cx.now };
        let listing = Listing::read::<K>(self.members, &view)?;
        let (found, next) = listing.page::<K>(&view)?;
        Ok(json!({ K::FACTS.members.1: found, "NextToken": next }))
    }
}

/// Adds the listing of a kind.
pub(super) fn listed<K: Kind>(service: Service<Network>) -> Service<Network> {
    act::<Describe<K>>(service)
}
