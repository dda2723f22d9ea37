//! Tags of roles, users, policies, instance profiles, MFA devices, SAML providers and server certificates.

use serde::{Deserialize, Serialize};

use super::directory::{Directory, Kind, no_such_entity};
use super::shapes::{Empty, Rest, Tag, Tags, add_tags, list_tags, page};
use super::{managed, mfa, profiles, saml, server_certificates};
use crate::Result;
use crate::cloud::Cx;

/// What may have tags, and how quotas call it.
#[derive(Clone, Copy)]
pub(super) enum Tagged {
    Role,
    User,
    Policy,
    Profile,
    Mfa,
    Saml,
    ServerCertificate,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TagInput {
    #[serde(alias = "RoleName", alias = "UserName", alias = "PolicyArn", alias = "InstanceProfileName")]
    #[serde(alias = "SerialNumber", alias = "SAMLProviderArn", alias = "ServerCertificateName")]
    pub name: String,
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UntagInput {
    #[serde(alias = "RoleName", alias = "UserName", alias = "PolicyArn", alias = "InstanceProfileName")]
    #[serde(alias = "SerialNumber", alias = "SAMLProviderArn", alias = "ServerCertificateName")]
    pub name: String,
    tag_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TagsInput {
    #[serde(alias = "RoleName", alias = "UserName", alias = "PolicyArn", alias = "InstanceProfileName")]
    #[serde(alias = "SerialNumber", alias = "SAMLProviderArn", alias = "ServerCertificateName")]
    pub name: String,
    marker: Option<String>,
    max_items: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TagsAnswer {
    tags: Vec<Tag>,
    #[serde(flatten)]
    rest: Rest,
}

impl Tagged {
    fn title(self) -> &'static str {
        match self {
            Self::Role => "Role",
            Self::User => "User",
            Self::Policy => "Policy",
            Self::Profile => "InstanceProfile",
            Self::Mfa => "MFADevice",
            Self::Saml => "SAMLProvider",
            Self::ServerCertificate => "ServerCertificate",
        }
    }

    fn tags<'a>(self, cx: &'a mut Cx<Directory>, name: &str) -> Result<&'a mut Tags> {
        let account = cx.scope.account.clone();
        match self {
            Self::Role => cx.state.entity_mut(Kind::Role, &account, name).map(|entity| &mut entity.tags),
            Self::User => cx.state.entity_mut(Kind::User, &account, name).map(|entity| &mut entity.tags),
            Self::Policy => managed::find_mut(cx, "TagPolicy", name).map(|policy| &mut policy.tags),
            Self::Profile => profiles::find_mut(cx, name).map(|profile| &mut profile.tags),
            Self::Mfa => mfa::find_mut(cx, name).map(|device| &mut device.tags),
            Self::Saml => saml::find_mut(cx, name).map(|provider| &mut provider.tags),
            Self::ServerCertificate => server_certificates::find_mut(cx, name).map(|one| &mut one.tags),
        }
    }
}

pub(super) fn tag(cx: &mut Cx<Directory>, kind: Tagged, input: TagInput) -> Result<Empty> {
    let there = kind.tags(cx, &input.name)?;
    *there = add_tags(kind.title(), there, input.tags)?;
    Ok(Empty {})
}

pub(super) fn untag(cx: &mut Cx<Directory>, kind: Tagged, input: UntagInput) -> Result<Empty> {
    let there = kind.tags(cx, &input.name)?;
    for key in input.tag_keys {
        there.remove(&key.to_lowercase());
    }
    Ok(Empty {})
}

pub(super) fn tags(cx: &mut Cx<Directory>, kind: Tagged, input: TagsInput) -> Result<TagsAnswer> {
    let there = match kind {
        Tagged::Policy => match cx.state.managed(&input.name) {
            Some(policy) => policy.tags.clone(),
            None => return Err(no_such_entity(format!("Policy {} was not found.", input.name))),
        },
        kind => kind.tags(cx, &input.name)?.clone(),
    };
    let tags = list_tags(&there).into_iter().map(|tag| (tag.key.to_lowercase(), tag));
    let (tags, rest) = page(tags, input.marker, input.max_items)?;
    Ok(TagsAnswer { tags, rest })
}
