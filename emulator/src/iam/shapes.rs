//! What IAM's answers are made of: shapes that several operations share, pages, URL-encoded documents.

use imbl::OrdMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::directory::{quota, validation};
use super::policy::Policy;
use crate::token;
use crate::{Error, Result};

/// Lists answer this many if not told otherwise.
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html>
pub(super) const PAGE: usize = 100;
/// Roles, users and policies have at most so many tags.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
const MAX_TAGS: usize = 50;

/// What RFC 3986 does not let stand: all but letters, digits and `-._~`.
const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A document as IAM answers it: URL-encoded.
pub(super) fn encoded(policy: &Policy) -> String {
    utf8_percent_encode(policy.text(), &RESERVED).to_string()
}

/// The size that quotas count: characters that are no white space.
pub(super) fn size(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}

/// Nothing.
#[derive(Serialize)]
pub(super) struct Empty {}

/// Whether there is more.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Rest {
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

/// One page of items, which come in order of their keys. A marker is the key of the item to go on with.
pub(super) fn page<T>(
    items: impl IntoIterator<Item = (String, T)>,
    marker: Option<String>,
    max_items: Option<usize>,
) -> Result<(Vec<T>, Rest)> {
    let from =
        marker.map_or(Ok(String::new()), |marker| token::text(&marker).ok_or_else(|| validation("Invalid Marker.")))?;
    let mut items: Vec<_> = items.into_iter().filter(|(key, _)| *key >= from).collect();
    items.sort_by(|a, b| a.0.cmp(&b.0));
    let wanted = max_items.unwrap_or(PAGE);
    let marker = items.get(wanted).map(|(key, _)| token::of_text(key));
    items.truncate(wanted);
    let rest = Rest { is_truncated: marker.is_some(), marker };
    Ok((items.into_iter().map(|(_, item)| item).collect(), rest))
}

/// A tag.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    pub key: String,
    pub value: String,
}

/// Tags as they are kept: by the lower case of their keys.
pub(super) type Tags = OrdMap<String, (String, String)>;

/// Adds tags to those there are.
pub(super) fn add_tags(kind: &str, tags: &Tags, new: Vec<Tag>) -> Result<Tags> {
    let (mut all, count) = (Tags::new(), new.len());
    for Tag { key, value } in new {
        all.insert(key.to_lowercase(), (key, value));
    }
    if all.len() < count {
        return Err(Error::client(
            "InvalidInput",
            "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
        ));
    }
    let all = all.union(tags.clone());
    if all.len() > MAX_TAGS { Err(quota(format_args!("TagsPer{kind}"), MAX_TAGS)) } else { Ok(all) }
}

/// Tags as they are answered.
pub(super) fn list_tags(tags: &Tags) -> Vec<Tag> {
    tags.values().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()
}

/// A permissions boundary as it is answered.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AttachedPermissionsBoundary {
    permissions_boundary_type: &'static str,
    permissions_boundary_arn: String,
}

impl AttachedPermissionsBoundary {
    pub fn new(arn: &str) -> Self {
        Self { permissions_boundary_type: "Policy", permissions_boundary_arn: arn.to_owned() }
    }
}
