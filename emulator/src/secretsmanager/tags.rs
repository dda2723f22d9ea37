//! `TagResource` and `UntagResource`.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::on;
use super::store::{Secrets, Tag, invalid_parameter};
use crate::cloud::{Cx, Service};
use crate::{Error, Result};

/// A secret has at most so many tags.
/// <https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html>
const MAX_TAGS: usize = 50;
/// What AWS keeps for itself.
const RESERVED: &str = "aws:";

pub(super) fn operations(service: Service<Secrets>) -> Service<Secrets> {
    service.op("TagResource", |at, i: &TagResource| on(at, &i.secret_id), tag).op(
        "UntagResource",
        |at, i: &UntagResource| on(at, &i.secret_id),
        untag,
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagResource {
    secret_id: String,
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UntagResource {
    secret_id: String,
    tag_keys: Vec<String>,
}

/// The tags of one request.
pub(super) fn check(tags: &[Tag]) -> Result<()> {
    if let Some(tag) = tags.iter().find(|tag| tag.key.to_ascii_lowercase().starts_with(RESERVED)) {
        return Err(invalid_parameter(format!(
            "The tag key {} is invalid: tag keys can't begin with {RESERVED}.",
            tag.key
        )));
    }
    let mut keys = BTreeSet::new();
    if tags.iter().all(|tag| keys.insert(tag.key.as_str())) {
        return check_count(tags);
    }
    Err(invalid_parameter("You can't specify the same tag key more than once in one request."))
}

fn check_count(tags: &[Tag]) -> Result<()> {
    if tags.len() <= MAX_TAGS {
        return Ok(());
    }
    Err(Error::client("LimitExceededException", format!("You can't attach more than {MAX_TAGS} tags to a secret.")))
}

/// The tags with others set; new ones stand behind.
pub(super) fn merged(mut tags: Vec<Tag>, set: Vec<Tag>) -> Vec<Tag> {
    for tag in set {
        match tags.iter_mut().find(|old| old.key == tag.key) {
            Some(old) => *old = tag,
            None => tags.push(tag),
        }
    }
    tags
}

fn tag(cx: &mut Cx<Secrets>, input: TagResource) -> Result<()> {
    let mut secret = cx.state.to_change(cx.scope, &input.secret_id)?;
    check(&input.tags)?;
    let tags = merged(secret.tags.unwrap_or_default(), input.tags);
    check_count(&tags)?;
    secret.tags = Some(tags);
    secret.changed = cx.now;
    cx.state.save(secret);
    Ok(())
}

fn untag(cx: &mut Cx<Secrets>, input: UntagResource) -> Result<()> {
    let mut secret = cx.state.to_change(cx.scope, &input.secret_id)?;
    if let Some(tags) = &mut secret.tags {
        tags.retain(|tag| !input.tag_keys.contains(&tag.key));
    }
    secret.changed = cx.now;
    cx.state.save(secret);
    Ok(())
}
