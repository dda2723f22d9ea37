//! Lists and their pages: `ListSubscriptions` and `ListSubscriptionsByTopic`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::errors::because;
use super::subscription::Subscription;
use super::topic::{Topics, find, on};
use crate::Result;
use crate::cloud::{Cx, Service, Target};

/// Lists answer this many at a time.
/// <https://docs.aws.amazon.com/sns/latest/api/API_ListTopics.html>
const PAGE: usize = 100;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Topics>) -> Service<Topics> {
    service.op("ListSubscriptions", |_, _: &ListAll| Target::any(), list).op(
        "ListSubscriptionsByTopic",
        |at, i: &ListByTopic| on(at, &i.topic_arn),
        list_by_topic,
    )
}

/// One page of a list.
pub(super) struct Page<'a, T> {
    pub items: Vec<(&'a String, &'a T)>,
    pub next_token: Option<String>,
}

/// A page of what a map holds under keys that begin with `prefix`. The token is the last key of the page before.
pub(super) fn page<'a, T: Clone>(
    map: &'a OrdMap<String, T>,
    prefix: &'a str,
    token: Option<&str>,
    shown: impl Fn(&T) -> bool,
) -> Result<Page<'a, T>> {
    let after = match token {
        None | Some("") => None,
        Some(token) => {
            let decoded = STANDARD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            Some(decoded.ok_or_else(|| because("NextToken", "Invalid token"))?)
        }
    };
    let from = after.as_deref().filter(|after| *after > prefix).unwrap_or(prefix).to_owned();
    let mut found = map
        .range(from..)
        .take_while(|(key, _)| key.starts_with(prefix))
        .filter(|(key, item)| after.as_ref() != Some(*key) && shown(item));
    let items: Vec<(&String, &T)> = found.by_ref().take(PAGE).collect();
    let more = found.next().is_some();
    let next_token = items.last().filter(|_| more).map(|(key, _)| STANDARD.encode(key));
    Ok(Page { items, next_token })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListAll {
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListByTopic {
    topic_arn: String,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    subscription_arn: String,
    owner: String,
    protocol: String,
    endpoint: String,
    topic_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Subscriptions {
    subscriptions: Vec<Listed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl From<Page<'_, Subscription>> for Subscriptions {
    fn from(page: Page<'_, Subscription>) -> Self {
        let listed = |(arn, subscription): (&String, &Subscription)| Listed {
            // One that is not confirmed hides its ARN.
            subscription_arn: if subscription.is_pending() { "PendingConfirmation".to_owned() } else { arn.clone() },
            owner: subscription.owner.to_string(),
            protocol: subscription.protocol.clone(),
            endpoint: subscription.endpoint.clone(),
            topic_arn: subscription.topic.to_string(),
        };
        Self { subscriptions: page.items.into_iter().map(listed).collect(), next_token: page.next_token }
    }
}

fn list(cx: &mut Cx<Topics>, input: ListAll) -> Result<Subscriptions> {
    // Subscriptions belong to who subscribed, in the region of their topic.
    let (prefix, account) = (format!("arn:aws:sns:{}:", cx.scope.region), cx.scope.account.clone());
    let own = |subscription: &Subscription| subscription.owner == account;
    Ok(page(&cx.state.subscriptions, &prefix, input.next_token.as_deref(), own)?.into())
}

fn list_by_topic(cx: &mut Cx<Topics>, input: ListByTopic) -> Result<Subscriptions> {
    find(cx, &input.topic_arn)?;
    let prefix = format!("{}:", input.topic_arn);
    Ok(page(&cx.state.subscriptions, &prefix, input.next_token.as_deref(), |_| true)?.into())
}
