//! SAML providers.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateSAMLProvider.html>

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::directory::{Directory, already_exists, no_such_entity, quota};
use super::shapes::{Empty, Tag, Tags, add_tags, list_tags};
use super::tagging::{self, TagInput, Tagged, TagsInput, UntagInput};
use crate::cloud::{Cx, Service, Target};
use crate::wire::xml;
use crate::{Error, Result, Timestamp};

/// An account has so many.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
const MAX_PROVIDERS: usize = 100;
/// A provider whose document names no end is good for a hundred years.
const VALIDITY: Duration = Duration::from_secs(36_525 * 24 * 3_600);

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Directory>) -> Service<Directory> {
    service
        .op("CreateSAMLProvider", |at, i: &Create| Target::on(arn(&at.scope.account, &i.name)), create)
        .op("GetSAMLProvider", |_, i: &Of| Target::on(&*i.arn), get)
        .op("ListSAMLProviders", |_, _: &Nothing| Target::any(), list)
        .op("UpdateSAMLProvider", |_, i: &Update| Target::on(&*i.arn), update)
        .op("DeleteSAMLProvider", |_, i: &Of| Target::on(&*i.arn), delete)
        .op("TagSAMLProvider", |_, i: &TagInput| Target::on(&*i.name), |cx, i| tagging::tag(cx, Tagged::Saml, i))
        .op("UntagSAMLProvider", |_, i: &UntagInput| Target::on(&*i.name), |cx, i| tagging::untag(cx, Tagged::Saml, i))
        .op("ListSAMLProviderTags", |_, i: &TagsInput| Target::on(&*i.name), |cx, i| tagging::tags(cx, Tagged::Saml, i))
}

/// A provider; its ARN is the key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Provider {
    document: String,
    unique: String,
    created: Timestamp,
    valid_until: Timestamp,
    pub(super) tags: Tags,
}

impl Directory {
    /// Whether there is a SAML provider of this ARN.
    pub fn has_saml_provider(&self, account: &str, arn: &str) -> bool {
        self.account(account).is_some_and(|account| account.saml_providers.contains_key(arn))
    }
}

fn arn(account: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:saml-provider/{name}")
}

pub(super) fn find_mut<'a>(cx: &'a mut Cx<Directory>, arn: &str) -> Result<&'a mut Provider> {
    let account = cx.scope.account.clone();
    let found = cx.state.account_mut(&account).saml_providers.get_mut(arn);
    found.ok_or_else(|| no_such_entity(format!("Manifest not found for arn {arn}")))
}

/// Until when a document is good, if it is one of an identity provider.
fn valid_until(document: &str, now: Timestamp) -> Result<Timestamp> {
    let invalid = || Error::client("InvalidInput", "Could not parse metadata");
    let root = xml::parse(document.as_bytes()).ok().flatten().ok_or_else(invalid)?;
    let is_provider = root.name() == "EntityDescriptor" && root.named("IDPSSODescriptor").next().is_some();
    if !is_provider {
        return Err(invalid());
    }
    let named = root.attribute("validUntil").and_then(|text| text.parse().ok());
    Ok(named.unwrap_or(now + VALIDITY))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    #[serde(rename = "SAMLMetadataDocument")]
    document: String,
    name: String,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Created {
    #[serde(rename = "SAMLProviderArn")]
    arn: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag>,
}

fn create(cx: &mut Cx<Directory>, input: Create) -> Result<Created> {
    let valid_until = valid_until(&input.document, cx.now)?;
    let tags = add_tags("SAMLProvider", &Tags::new(), input.tags)?;
    let (account, created, unique) = (cx.scope.account.clone(), cx.now, cx.ids().upper(22));
    let arn = arn(&account, &input.name);
    let providers = &mut cx.state.account_mut(&account).saml_providers;
    if providers.contains_key(&arn) {
        return Err(already_exists(format!("Provider with name {} already exists.", input.name)));
    }
    if providers.len() >= MAX_PROVIDERS {
        return Err(quota("SAMLProvidersPerAccount", MAX_PROVIDERS));
    }
    let shown = Created { arn: arn.clone(), tags: list_tags(&tags) };
    providers.insert(arn, Provider { document: input.document, unique, created, valid_until, tags });
    Ok(shown)
}

#[derive(Deserialize)]
struct Of {
    #[serde(rename = "SAMLProviderArn")]
    arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    #[serde(rename = "SAMLProviderUUID")]
    unique: String,
    #[serde(rename = "SAMLMetadataDocument")]
    document: String,
    create_date: Timestamp,
    valid_until: Timestamp,
    tags: Vec<Tag>,
}

fn get(cx: &mut Cx<Directory>, input: Of) -> Result<Shown> {
    let found = find_mut(cx, &input.arn)?;
    Ok(Shown {
        unique: found.unique.clone(),
        document: found.document.clone(),
        create_date: found.created,
        valid_until: found.valid_until,
        tags: list_tags(&found.tags),
    })
}

#[derive(Deserialize)]
struct Nothing {}

#[derive(Serialize)]
struct Listed {
    #[serde(rename = "SAMLProviderList")]
    providers: Vec<Entry>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    arn: String,
    valid_until: Timestamp,
    create_date: Timestamp,
}

fn list(cx: &mut Cx<Directory>, _: Nothing) -> Result<Listed> {
    let account = cx.state.account(&cx.scope.account);
    let all = account.into_iter().flat_map(|account| account.saml_providers.iter());
    let entry = |(arn, one): (&String, &Provider)| Entry {
        arn: arn.clone(),
        valid_until: one.valid_until,
        create_date: one.created,
    };
    Ok(Listed { providers: all.map(entry).collect() })
}

#[derive(Deserialize)]
struct Update {
    #[serde(rename = "SAMLProviderArn")]
    arn: String,
    #[serde(rename = "SAMLMetadataDocument")]
    document: Option<String>,
}

#[derive(Serialize)]
struct Updated {
    #[serde(rename = "SAMLProviderArn")]
    arn: String,
}

fn update(cx: &mut Cx<Directory>, input: Update) -> Result<Updated> {
    let now = cx.now;
    let provider = find_mut(cx, &input.arn)?;
    if let Some(document) = input.document {
        provider.valid_until = valid_until(&document, now)?;
        provider.document = document;
    }
    Ok(Updated { arn: input.arn })
}

fn delete(cx: &mut Cx<Directory>, input: Of) -> Result<Empty> {
    find_mut(cx, &input.arn)?;
    let account = cx.scope.account.clone();
    cx.state.account_mut(&account).saml_providers.remove(&input.arn);
    Ok(Empty {})
}
