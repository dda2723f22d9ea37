//! Queues as things: made, found, listed, emptied, deleted.

use std::sync::Arc;
use std::time::Duration;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::Queues;
use super::attributes::Attributes;
use super::books::Books;
use super::configure::check_redrive;
use super::deduplication::Deduplication;
use super::errors::{invalid, invalid_address, invalid_value, no_queue};
use super::meter::Meter;
use super::queue::{Queue, SURFACE, arn_of_url, find, on, on_own, url, watch};
use super::quirks::Quirks;
use super::tags;
use crate::cloud::{Cx, Service, Target};
use crate::token;
use crate::{Error, Result, Timestamp};

/// The longest name, in characters; it includes the suffix of FIFO queues.
const MAX_NAME: usize = 80;
/// What the name of a FIFO queue ends with.
const FIFO: &str = ".fifo";
/// The most queues that one page lists.
const MAX_PAGE: i64 = 1000;
/// How long the name of a queue that was deleted cannot be used.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html>
const DELETED_RECENTLY: Duration = Duration::from_secs(60);
/// How often a queue can be purged.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_PurgeQueue.html>
const PURGE_INTERVAL: Duration = Duration::from_secs(60);

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Queues>) -> Service<Queues> {
    service
        .op("CreateQueue", |at, i: &CreateQueue| Target::on(at.scope.arn("sqs", &i.queue_name)), create)
        .op("GetQueueUrl", |at, i: &GetQueueUrl| on(at, &i.address(&at.scope.account)), get_url)
        .op("ListQueues", |_, _: &ListQueues| Target::any(), list)
        .op("ListDeadLetterSourceQueues", |at, i: &ListDeadLetterSourceQueues| on(at, &i.queue_url), list_sources)
        .op("PurgeQueue", |at, i: &Named| on(at, &i.queue_url), purge)
        .op("DeleteQueue", |at, i: &Named| on_own(at, &i.queue_url), delete)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateQueue {
    queue_name: String,
    #[serde(default)]
    attributes: OrdMap<String, String>,
    #[serde(default, rename = "tags")]
    tags: OrdMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Address {
    queue_url: String,
}

fn create(cx: &mut Cx<Queues>, input: CreateQueue) -> Result<Address> {
    let given_fifo = input.attributes.get("FifoQueue").map(|value| value.eq_ignore_ascii_case("true"));
    let fifo = given_fifo == Some(true);
    check_name(&input.queue_name, fifo)?;
    let (name, now): (Arc<str>, _) = (input.queue_name.as_str().into(), cx.now);
    let arn: Arc<str> = cx.scope.arn("sqs", &name).into();
    let queue_url = url(cx, &cx.scope.account, &name);
    if let Some(queue) = cx.state.queues.get(&arn) {
        return queue.check_same(&input.attributes).map(|()| Address { queue_url });
    }
    cx.state.forget_deleted(now);
    if cx.state.deleted_names.contains(&arn) {
        return Err(Error::client(
            "QueueDeletedRecently",
            "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
        ));
    }
    let mut attributes = Attributes::new(fifo);
    attributes.set(&input.attributes)?;
    check_redrive(cx.state, &arn, &attributes)?;
    tags::check(&input.queue_name, &input.tags)?;
    let queue = Queue {
        name,
        account: Arc::clone(&cx.scope.account),
        arn: Arc::clone(&arn),
        number: cx.ids.below(u64::MAX),
        created: now,
        modified: now,
        attributes,
        tags: input.tags,
        purged: None,
        quirks: Quirks::default(),
        deduplication: fifo.then(Deduplication::default),
        books: Books::new(fifo),
        watched: None,
        meter: Meter::default(),
        former_scope: None,
    };
    cx.state.queues.insert(Arc::clone(&arn), queue);
    cx.state.index_source(&arn, None);
    watch(cx, &arn);
    Ok(Address { queue_url })
}

fn check_name(name: &str, fifo: bool) -> Result<()> {
    let (stem, what) = match (fifo, name.strip_suffix(FIFO)) {
        (true, Some(stem)) => (stem, true),
        (true, None) => ("", true),
        (false, _) => (name, false),
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !stem.is_empty() && name.len() <= MAX_NAME && stem.chars().all(allowed) {
        return Ok(());
    }
    Err(if what {
        invalid(
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo \
             suffix and be 1 to 80 in length",
        )
    } else {
        invalid("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
    })
}

impl Queue {
    /// Whether a second `CreateQueue` asks for the queue that is there.
    fn check_same(&self, given: &OrdMap<String, String>) -> Result<()> {
        let mut wanted = self.attributes.clone();
        wanted.set(given)?;
        let differs = |name: &&String| wanted.get(name) != self.attributes.get(name);
        match given.keys().find(differs) {
            None => Ok(()),
            Some(name) => Err(Error::client(
                "QueueNameExists",
                format!("A queue already exists with the same name and a different value for attribute {name}"),
            )),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetQueueUrl {
    queue_name: String,
    #[serde(rename = "QueueOwnerAWSAccountId")]
    owner: Option<String>,
}

impl GetQueueUrl {
    /// Account and name, as the end of a queue's URL has them.
    fn address(&self, own: &str) -> String {
        format!("/{}/{}", self.owner.as_deref().unwrap_or(own), self.queue_name)
    }
}

fn get_url(cx: &mut Cx<Queues>, input: GetQueueUrl) -> Result<Address> {
    let own = Arc::clone(&cx.scope.account);
    let arn = arn_of_url(cx.scope, &input.address(&own)).ok_or_else(no_queue)?;
    let queue = cx.state.queues.get(arn.as_str()).ok_or_else(no_queue)?;
    Ok(Address { queue_url: url(cx, &queue.account, &queue.name) })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListQueues {
    #[serde(default)]
    queue_name_prefix: String,
    next_token: Option<String>,
    max_results: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    queue_urls: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn list(cx: &mut Cx<Queues>, input: ListQueues) -> Result<Listed> {
    let page = page(input.max_results)?;
    let prefix = cx.scope.arn("sqs", &input.queue_name_prefix);
    let from: Arc<str> = match &input.next_token {
        Some(token) => behind(token)?.into(),
        None => prefix.as_str().into(),
    };
    let is_listed = |arn: &Arc<str>| *arn == from && input.next_token.is_some();
    let found = cx.state.queues.range(Arc::clone(&from)..).filter(|(arn, _)| !is_listed(arn));
    let mut found = found.take_while(|(arn, _)| arn.starts_with(&prefix));
    let names: Vec<&Queue> = found.by_ref().take(page).map(|(_, queue)| queue).collect();
    // Without a page's size there are no pages: AWS leaves out what is beyond the first thousand.
    let more = input.max_results.is_some() && found.next().is_some();
    let next_token = names.last().filter(|_| more).map(|queue| token::of_text(&queue.arn));
    let queue_urls = names.into_iter().map(|queue| url(cx, &queue.account, &queue.name)).collect();
    Ok(Listed { queue_urls, next_token })
}

fn page(max_results: Option<i64>) -> Result<usize> {
    let page = max_results.unwrap_or(MAX_PAGE);
    if (1..=MAX_PAGE).contains(&page) {
        return Ok(usize::try_from(page).unwrap_or(1));
    }
    Err(invalid_value(page, "MaxResults", format!("MaxResults must be an integer between 1 and {MAX_PAGE}.")))
}

/// The ARN behind which a listing goes on.
fn behind(token: &str) -> Result<String> {
    token::text(token).ok_or_else(|| invalid("Invalid or expired next token."))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListDeadLetterSourceQueues {
    queue_url: String,
    next_token: Option<String>,
    max_results: Option<i64>,
}

#[derive(Serialize)]
struct Sources {
    #[serde(rename = "queueUrls")]
    queue_urls: Vec<String>,
    #[serde(rename = "NextToken", skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn list_sources(cx: &mut Cx<Queues>, input: ListDeadLetterSourceQueues) -> Result<Sources> {
    let target = Arc::clone(&find(cx, &input.queue_url)?.arn);
    let page = page(input.max_results)?;
    let from: Arc<str> = input.next_token.as_deref().map(behind).transpose()?.unwrap_or_default().into();
    let first = (Arc::clone(&target), Arc::clone(&from));
    let sources = cx.state.sources.range(first..).filter(|(_, source)| *source > from);
    let mut sources = sources.take_while(|(dead, _)| *dead == target);
    let names: Vec<_> = sources.by_ref().take(page).map(|(_, source)| source).collect();
    let more = input.max_results.is_some() && sources.next().is_some();
    let next_token = names.last().filter(|_| more).map(|arn| token::of_text(arn));
    let queues = names.into_iter().filter_map(|arn| cx.state.queues.get(arn));
    Ok(Sources { queue_urls: queues.map(|queue| url(cx, &queue.account, &queue.name)).collect(), next_token })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    queue_url: String,
}

fn purge(cx: &mut Cx<Queues>, input: Named) -> Result<()> {
    let now = cx.now;
    let queue = find(cx, &input.queue_url)?;
    if queue.purged.is_some_and(|at| at + PURGE_INTERVAL > now) {
        return Err(Error::new(
            403,
            "PurgeQueueInProgress",
            format!("Only one PurgeQueue operation on {} is allowed every 60 seconds.", queue.name),
        ));
    }
    queue.purged = Some(now);
    queue.books.clear();
    if let Some(memory) = &mut queue.deduplication {
        memory.purge();
    }
    Ok(())
}

fn delete(cx: &mut Cx<Queues>, input: Named) -> Result<()> {
    let now = cx.now;
    let arn = arn_of_url(cx.scope, &input.queue_url).ok_or_else(|| invalid_address(&input.queue_url))?;
    let queue = cx.state.queues.remove(arn.as_str()).ok_or_else(no_queue)?;
    if let Some(policy) = &queue.attributes.redrive {
        cx.state.sources.remove(&(policy.target.as_str().into(), Arc::clone(&queue.arn)));
    }
    cx.state.forget_deleted(now);
    cx.state.deleted.insert((now, Arc::clone(&queue.arn)));
    cx.state.deleted_names.insert(Arc::clone(&queue.arn));
    // Who polls learns that there is no queue any more.
    cx.signal(queue.signal());
    cx.cancel_timer(SURFACE, Arc::clone(&queue.arn));
    Ok(())
}

impl Queues {
    /// The names of queues that were deleted long enough ago are free again.
    fn forget_deleted(&mut self, now: Timestamp) {
        while let Some((at, arn)) = self.deleted.get_min()
            && *at + DELETED_RECENTLY <= now
        {
            let arn = Arc::clone(arn);
            self.deleted.remove_min();
            self.deleted_names.remove(&arn);
        }
    }
}
