//! OpenID Connect providers. `AssumeRoleWithWebIdentity` looks up whose tokens are taken, and for which clients.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html>

use serde::{Deserialize, Serialize};

use super::directory::{Directory, already_exists, no_such_entity, quota, validation};
use super::shapes::{Empty, Rest, Tag, Tags, add_tags, list_tags, page};
use crate::cloud::{Cx, Service, Target};
use crate::{Error, Result, Timestamp};

/// An account has so many; a provider knows so many clients, and so many thumbprints.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
const MAX_PROVIDERS: usize = 100;
const MAX_CLIENTS: usize = 100;
const MAX_THUMBPRINTS: usize = 5;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Directory>) -> Service<Directory> {
    service
        .op(
            "CreateOpenIDConnectProvider",
            |at, i: &Create| Target::on(arn(&at.scope.account, address(&i.url).unwrap_or_default())),
            create,
        )
        .op("GetOpenIDConnectProvider", |_, i: &Of| on(&i.arn), get)
        .op("ListOpenIDConnectProviders", |_, _: &Nothing| Target::any(), list)
        .op("DeleteOpenIDConnectProvider", |_, i: &Of| on(&i.arn), delete)
        .op("UpdateOpenIDConnectProviderThumbprint", |_, i: &Thumbprints| on(&i.arn), update)
        .op("AddClientIDToOpenIDConnectProvider", |_, i: &Client| on(&i.arn), add_client)
        .op("RemoveClientIDFromOpenIDConnectProvider", |_, i: &Client| on(&i.arn), remove_client)
        .op("TagOpenIDConnectProvider", |_, i: &Tagging| on(&i.arn), tag)
        .op("UntagOpenIDConnectProvider", |_, i: &Untagging| on(&i.arn), untag)
        .op("ListOpenIDConnectProviderTags", |_, i: &ListTags| on(&i.arn), tags)
}

/// A provider; its ARN is the key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Provider {
    /// Without its scheme.
    url: String,
    clients: Vec<String>,
    thumbprints: Vec<String>,
    created: Timestamp,
    tags: Tags,
}

impl Directory {
    /// The ARN of an account's provider of tokens with this issuer, and the clients that they may be for.
    pub fn oidc_provider(&self, account: &str, issuer: &str) -> Option<(String, &[String])> {
        let arn = arn(account, address(issuer)?.trim_end_matches('/'));
        let found = self.account(account)?.oidc_providers.get(&arn)?;
        Some((arn, &found.clients))
    }
}

fn on(arn: &str) -> Target {
    Target::on(arn)
}

fn arn(account: &str, address: &str) -> String {
    format!("arn:aws:iam::{account}:oidc-provider/{address}")
}

/// A URL without scheme and query.
fn address(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    rest.split('?').next().filter(|rest| !rest.is_empty() && !rest.starts_with('/'))
}

fn find<'a>(cx: &'a mut Cx<Directory>, arn: &str) -> Result<&'a mut Provider> {
    let account = cx.scope.account.clone();
    let found = cx.state.account_mut(&account).oidc_providers.get_mut(arn);
    found.ok_or_else(|| no_such_entity(format!("OpenIDConnect Provider not found for arn {arn}")))
}

fn check_thumbprints(thumbprints: &[String]) -> Result<()> {
    if thumbprints.len() <= MAX_THUMBPRINTS {
        return Ok(());
    }
    let text = format!("Thumbprint list must contain fewer than {MAX_THUMBPRINTS} entries.");
    Err(Error::client("InvalidInput", text))
}

fn check_clients(clients: usize) -> Result<()> {
    if clients <= MAX_CLIENTS { Ok(()) } else { Err(quota("ClientIdsPerOpenIdConnectProvider", MAX_CLIENTS)) }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    url: String,
    #[serde(default, rename = "ClientIDList")]
    clients: Vec<String>,
    #[serde(default)]
    thumbprint_list: Vec<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Created {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag>,
}

fn create(cx: &mut Cx<Directory>, input: Create) -> Result<Created> {
    let address = address(&input.url).ok_or_else(|| validation("Invalid Open ID Connect Provider URL"))?.to_owned();
    check_thumbprints(&input.thumbprint_list)?;
    check_clients(input.clients.len())?;
    let tags = add_tags("OpenIdConnectProvider", &Tags::new(), input.tags)?;
    let (account, created) = (cx.scope.account.clone(), cx.now);
    let arn = arn(&account, &address);
    let providers = &mut cx.state.account_mut(&account).oidc_providers;
    if providers.contains_key(&arn) {
        return Err(already_exists(format!("Provider with url {} already exists.", input.url)));
    }
    if providers.len() >= MAX_PROVIDERS {
        return Err(quota("OpenIdConnectProvidersPerAccount", MAX_PROVIDERS));
    }
    let shown = list_tags(&tags);
    let (clients, thumbprints) = (input.clients, input.thumbprint_list);
    providers.insert(arn.clone(), Provider { url: address, clients, thumbprints, created, tags });
    Ok(Created { arn, tags: shown })
}

#[derive(Deserialize)]
struct Of {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    url: String,
    #[serde(rename = "ClientIDList")]
    clients: Vec<String>,
    thumbprint_list: Vec<String>,
    create_date: Timestamp,
    tags: Vec<Tag>,
}

fn get(cx: &mut Cx<Directory>, input: Of) -> Result<Shown> {
    let found = find(cx, &input.arn)?;
    Ok(Shown {
        url: found.url.clone(),
        clients: found.clients.clone(),
        thumbprint_list: found.thumbprints.clone(),
        create_date: found.created,
        tags: list_tags(&found.tags),
    })
}

#[derive(Deserialize)]
struct Nothing {}

#[derive(Serialize)]
struct Listed {
    #[serde(rename = "OpenIDConnectProviderList")]
    providers: Vec<Entry>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    arn: String,
}

fn list(cx: &mut Cx<Directory>, _: Nothing) -> Result<Listed> {
    let account = cx.state.account(&cx.scope.account);
    let arns = account.into_iter().flat_map(|account| account.oidc_providers.keys());
    Ok(Listed { providers: arns.map(|arn| Entry { arn: arn.clone() }).collect() })
}

/// One that is not there counts as deleted.
fn delete(cx: &mut Cx<Directory>, input: Of) -> Result<Empty> {
    let account = cx.scope.account.clone();
    cx.state.account_mut(&account).oidc_providers.remove(&input.arn);
    Ok(Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Thumbprints {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
    thumbprint_list: Vec<String>,
}

fn update(cx: &mut Cx<Directory>, input: Thumbprints) -> Result<Empty> {
    check_thumbprints(&input.thumbprint_list)?;
    find(cx, &input.arn)?.thumbprints = input.thumbprint_list;
    Ok(Empty {})
}

#[derive(Deserialize)]
struct Client {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
    #[serde(rename = "ClientID")]
    client: String,
}

/// One that is known already is not added again.
fn add_client(cx: &mut Cx<Directory>, input: Client) -> Result<Empty> {
    let provider = find(cx, &input.arn)?;
    if !provider.clients.contains(&input.client) {
        check_clients(provider.clients.len() + 1)?;
        provider.clients.push(input.client);
    }
    Ok(Empty {})
}

fn remove_client(cx: &mut Cx<Directory>, input: Client) -> Result<Empty> {
    find(cx, &input.arn)?.clients.retain(|client| *client != input.client);
    Ok(Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tagging {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
    tags: Vec<Tag>,
}

fn tag(cx: &mut Cx<Directory>, input: Tagging) -> Result<Empty> {
    let provider = find(cx, &input.arn)?;
    provider.tags = add_tags("OpenIdConnectProvider", &provider.tags, input.tags)?;
    Ok(Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Untagging {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
    tag_keys: Vec<String>,
}

fn untag(cx: &mut Cx<Directory>, input: Untagging) -> Result<Empty> {
    let provider = find(cx, &input.arn)?;
    for key in &input.tag_keys {
        provider.tags.remove(&key.to_lowercase());
    }
    Ok(Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListTags {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
    marker: Option<String>,
    max_items: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TagsAnswer {
    tags: Vec<Tag>,
    #[serde(flatten)]
    rest: Rest,
}

fn tags(cx: &mut Cx<Directory>, input: ListTags) -> Result<TagsAnswer> {
    let tags = find(cx, &input.arn)?.tags.clone();
    let all = tags.iter().map(|(by, (key, value))| (by.clone(), Tag { key: key.clone(), value: value.clone() }));
    let (tags, rest) = page(all, input.marker, input.max_items)?;
    Ok(TagsAnswer { tags, rest })
}
