//! What the parts of an API have in common: to be found, listed, changed member by member, and taken away.

use imbl::OrdMap;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Apis;
use super::page::{Asked, Page, page};
use super::state::{Api, Authorizer, Integration, IntegrationResponse, Model, Route, RouteResponse};
use crate::cloud::{Cx, Ids};
use crate::{Error, Result};

/// The length of the ids of APIs and VPC links.
pub(super) const API_ID: usize = 10;
/// The length of the ids of parts.
pub(super) const PART_ID: usize = 7;

/// A part of an API that is known by an id.
pub(super) trait Part: Clone + Serialize + DeserializeOwned {
    /// What AWS's error texts call it.
    const KIND: &'static str;
    /// The parts of this kind.
    fn of(api: &mut Api) -> &mut OrdMap<String, Self>;
    /// Whether it belongs to this route or integration; other parts belong to the API alone.
    fn belongs(&self, owner: &str) -> bool {
        owner.is_empty()
    }
}

impl Part for Route {
    const KIND: &'static str = "Route";
    fn of(api: &mut Api) -> &mut OrdMap<String, Self> {
        &mut api.routes
    }
}

impl Part for Integration {
    const KIND: &'static str = "Integration";
    fn of(api: &mut Api) -> &mut OrdMap<String, Self> {
        &mut api.integrations
    }
}

impl Part for Authorizer {
    const KIND: &'static str = "Authorizer";
    fn of(api: &mut Api) -> &mut OrdMap<String, Self> {
        &mut api.authorizers
    }
}

impl Part for Model {
    const KIND: &'static str = "Model";
    fn of(api: &mut Api) -> &mut OrdMap<String, Self> {
        &mut api.models
    }
}

impl Part for RouteResponse {
    const KIND: &'static str = "RouteResponse";
    fn of(api: &mut Api) -> &mut OrdMap<String, Self> {
        &mut api.route_responses
    }
    fn belongs(&self, owner: &str) -> bool {
        self.route_id.as_deref() == Some(owner)
    }
}

impl Part for IntegrationResponse {
    const KIND: &'static str = "IntegrationResponse";
    fn of(api: &mut Api) -> &mut OrdMap<String, Self> {
        &mut api.integration_responses
    }
    fn belongs(&self, owner: &str) -> bool {
        self.integration_id.as_deref() == Some(owner)
    }
}

/// `GetApis`, and every listing of an API's parts. Listings of responses name what they belong to as well.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listing {
    pub api_id: String,
    pub route_id: Option<String>,
    pub integration_id: Option<String>,
    pub max_results: Option<String>,
    pub next_token: Option<String>,
}

impl Listing {
    pub fn asked(&self) -> Asked<'_> {
        Asked { max_results: self.max_results.as_deref(), next_token: self.next_token.as_deref() }
    }
}

pub(super) fn not_found(kind: &str, id: &str) -> Error {
    let error = Error::new(404, "NotFoundException", format!("Invalid {kind} identifier specified {id}"));
    error.with("ResourceType", kind)
}

pub(super) fn bad_request(message: impl Into<String>) -> Error {
    Error::client("BadRequestException", message)
}

pub(super) fn conflict(message: impl Into<String>) -> Error {
    Error::new(409, "ConflictException", message)
}

/// The API of an id.
pub(super) fn api<'a>(cx: &'a mut Cx<Apis>, id: &str) -> Result<&'a mut Api> {
    cx.state.apis.get_mut(id).ok_or_else(|| not_found("API", id))
}

/// A part by its id; `owner` is the route or integration that it must belong to, or empty.
pub(super) fn get<P: Part>(cx: &mut Cx<Apis>, api_id: &str, owner: &str, id: &str) -> Result<P> {
    let found = P::of(api(cx, api_id)?).get(id).filter(|part| part.belongs(owner));
    found.cloned().ok_or_else(|| not_found(P::KIND, id))
}

/// The parts of a kind, in pages.
pub(super) fn list<P: Part>(cx: &mut Cx<Apis>, owner: &str, input: &Listing) -> Result<Page<P>> {
    let parts = P::of(api(cx, &input.api_id)?);
    page(parts, input.asked(), |_, part| part.belongs(owner).then(|| part.clone()))
}

/// Keeps a part under its id, new or changed, and deploys where stages deploy by themselves.
pub(super) fn keep<P: Part>(cx: &mut Cx<Apis>, api_id: &str, id: &str, part: P) -> Result<P> {
    P::of(api(cx, api_id)?).insert(id.to_owned(), part.clone());
    super::deployments::automatic(cx, api_id)?;
    Ok(part)
}

/// Takes a part away.
pub(super) fn remove<P: Part>(cx: &mut Cx<Apis>, api_id: &str, owner: &str, id: &str) -> Result<()> {
    get::<P>(cx, api_id, owner, id)?;
    P::of(api(cx, api_id)?).remove(id);
    super::deployments::automatic(cx, api_id)
}

/// What there is with the members that a change gives.
pub(super) fn changed<P: Serialize + DeserializeOwned>(old: &P, change: &P) -> Result<P> {
    let mut merged = serde_json::to_value(old)?;
    if let (Value::Object(merged), Value::Object(change)) = (&mut merged, serde_json::to_value(change)?) {
        for (member, value) in change.into_iter().filter(|(_, value)| !value.is_null()) {
            merged.insert(member, value);
        }
    }
    Ok(serde_json::from_value(merged)?)
}

/// A new id of lower-case letters and digits that is not among `taken`.
pub(super) fn new_id<V: Clone>(ids: &mut Ids, length: usize, taken: &OrdMap<String, V>) -> String {
    loop {
        let id = ids.lower(length);
        if !taken.contains_key(&id) {
            return id;
        }
    }
}

/// A new id for a part of an API.
pub(super) fn new_part_id<P: Part>(cx: &mut Cx<Apis>, api_id: &str) -> Result<String> {
    let taken = P::of(api(cx, api_id)?).clone();
    Ok(new_id(cx.ids(), PART_ID, &taken))
}
