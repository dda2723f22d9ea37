//! `CreateTopic`, `DeleteTopic` and `ListTopics`.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::attributes;
use super::errors::{because, invalid};
use super::fifo::Fifo;
use super::lists::{self, Page};
use super::tags::{self, Tag};
use super::topic::{Topic, Topics, check_place, default_policy, on, subscriptions_of};
use crate::Result;
use crate::cloud::{Cx, Service, Target};

/// The longest name of a topic.
/// <https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html>
const NAME_LIMIT: usize = 256;
/// How the name of a FIFO topic ends.
pub(super) const FIFO: &str = ".fifo";

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Topics>) -> Service<Topics> {
    service
        .op("CreateTopic", |at, i: &CreateTopic| Target::on(at.scope.arn("sns", &i.name)), create)
        .op("DeleteTopic", |at, i: &OfTopic| on(at, &i.topic_arn), delete)
        .op("ListTopics", |_, _: &ListTopics| Target::any(), list)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateTopic {
    name: String,
    #[serde(default)]
    attributes: OrdMap<String, String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TopicArn {
    topic_arn: String,
}

fn create(cx: &mut Cx<Topics>, input: CreateTopic) -> Result<TopicArn> {
    let is_fifo = input.attributes.get("FifoTopic").is_some_and(|value| value == "true");
    check_name(&input.name, is_fifo)?;
    let arn = cx.scope.arn("sns", &input.name);
    let tags = tags::read(input.tags)?;
    if let Some(topic) = cx.state.topics.get(&arn) {
        attributes::check_same(topic, &input.attributes)?;
        if tags.iter().any(|(key, value)| topic.tags.get(key) != Some(value)) {
            return Err(because("Tags", "Topic already exists with different tags"));
        }
        return Ok(TopicArn { topic_arn: arn });
    }
    let mut topic = Topic {
        owner: cx.scope.account.clone(),
        attributes: OrdMap::new(),
        policy: default_policy(&arn, &cx.scope.account).into(),
        protection: None,
        tags,
        deleted: 0,
        fifo: is_fifo.then(Fifo::default),
    };
    for (name, value) in input.attributes.iter().filter(|(name, _)| *name != "FifoTopic") {
        attributes::set(&mut topic, name, value, attributes::In::Creation)?;
    }
    cx.state.topics.insert(arn.clone(), topic);
    Ok(TopicArn { topic_arn: arn })
}

fn check_name(name: &str, is_fifo: bool) -> Result<()> {
    let stem = if is_fifo { name.strip_suffix(FIFO) } else { Some(name) };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    match stem {
        Some(stem) if !stem.is_empty() && name.len() <= NAME_LIMIT && stem.bytes().all(allowed) => Ok(()),
        _ => Err(invalid("Topic Name")),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfTopic {
    topic_arn: String,
}

/// Deletes a topic and its subscriptions. One that is not there counts as deleted.
fn delete(cx: &mut Cx<Topics>, input: OfTopic) -> Result<()> {
    check_place(cx.scope, &input.topic_arn)?;
    let gone: Vec<String> = subscriptions_of(cx.state, &input.topic_arn).map(|(arn, _)| arn.clone()).collect();
    for arn in gone {
        cx.state.subscriptions.remove(&arn);
    }
    cx.state.topics.remove(&input.topic_arn);
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListTopics {
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TopicList {
    topics: Vec<TopicArn>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn list(cx: &mut Cx<Topics>, input: ListTopics) -> Result<TopicList> {
    let prefix = cx.scope.arn("sns", "");
    let Page { items, next_token } = lists::page(&cx.state.topics, &prefix, input.next_token.as_deref(), |_| true)?;
    let topics = items.into_iter().map(|(arn, _)| TopicArn { topic_arn: arn.clone() }).collect();
    Ok(TopicList { topics, next_token })
}
