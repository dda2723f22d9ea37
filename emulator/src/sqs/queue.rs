//! Queues: how they are named, found, and kept.

use std::sync::Arc;
use std::time::Duration;

use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

use super::attributes::Attributes;
use super::books::{Books, Key};
use super::deduplication::Deduplication;
use super::errors::{invalid_address, no_queue};
use super::message::Message;
use super::meter::{MEASURE, Meter};
use super::moves::MoveTask;
use super::quirks::Quirks;
use crate::cloud::{At, Cx, Scope, Target};
use crate::{Result, Timestamp};

/// The queues of all accounts and regions: a queue's policy may let another account in, and a dead-letter queue may belong to
/// one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Queues {
    /// By ARN.
    pub(super) queues: OrdMap<Arc<str>, Queue>,
    /// The queues that were deleted, by when, for as long as their names may not be used again.
    pub(super) deleted: OrdSet<(Timestamp, Arc<str>)>,
    pub(super) deleted_names: OrdSet<Arc<str>>,
    /// Each dead-letter queue with each queue that names it.
    pub(super) sources: OrdSet<(Arc<str>, Arc<str>)>,
    /// The tasks that move messages out of dead-letter queues, by the ARN of these; the newest first, and few of each.
    pub(super) moves: OrdMap<Arc<str>, Vec<MoveTask>>,
}

/// One queue.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Queue {
    pub name: Arc<str>,
    pub account: Arc<str>,
    pub arn: Arc<str>,
    /// What tells this queue from one of the same name before it: part of every receipt handle.
    pub number: u64,
    pub created: Timestamp,
    pub modified: Timestamp,
    pub attributes: Attributes,
    pub tags: OrdMap<String, String>,
    pub purged: Option<Timestamp>,
    pub quirks: Quirks,
    pub deduplication: Option<Deduplication>,
    pub books: Books,
    /// When the timer is set that announces what becomes visible by itself: see [`watch`].
    pub watched: Option<Timestamp>,
    #[serde(default)]
    pub meter: Meter,
    /// What `DeduplicationScope` counts until then: see [`Queue::deduplicates_by_group`].
    #[serde(default)]
    pub former_scope: Option<(bool, Timestamp)>,
}

/// A change of attributes may take as long to spread.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html>
const SPREAD: Duration = Duration::from_secs(60);

impl Queue {
    pub fn is_fifo(&self) -> bool {
        self.deduplication.is_some()
    }

    /// Whether the groups of a FIFO queue have their own memories of what was sent. A change counts when it has spread (seen at
    /// AWS, in both directions).
    pub fn deduplicates_by_group(&self, now: Timestamp) -> bool {
        let current = self.attributes.fifo.as_ref().is_some_and(|fifo| fifo.by_group);
        self.former_scope.filter(|(_, until)| now < *until).map_or(current, |(former, _)| former)
    }

    /// Takes over changed attributes, and gives the former.
    pub fn change(&mut self, attributes: Attributes, now: Timestamp) -> Attributes {
        let former = self.deduplicates_by_group(now);
        let before = std::mem::replace(&mut self.attributes, attributes);
        let scope = |attributes: &Attributes| attributes.fifo.as_ref().is_some_and(|fifo| fifo.by_group);
        if scope(&before) != scope(&self.attributes) {
            self.former_scope = Some((former, now + SPREAD));
        }
        self.modified = now;
        before
    }

    /// Brings the books up to date.
    pub fn touch(&mut self, now: Timestamp) {
        let retention = self.attributes.retention();
        self.books.touch(now, retention);
    }

    /// The signal on which a long poll of this queue waits.
    pub fn signal(&self) -> String {
        format!("sqs/{}", self.arn)
    }

    /// Takes a message that failed elsewhere too often. It keeps its id and what is known of its receives.
    ///
    /// A standard queue keeps the time at which it was sent as well, a FIFO queue begins it anew.
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/setting-up-dead-letter-queue-retention.html>
    pub fn bury(&mut self, key: Key, mut message: Message, source: &Arc<str>, now: Timestamp) {
        message.source = Some(Arc::clone(source));
        let sent = if self.is_fifo() { now } else { key.sent };
        self.books.add(sent, message, now, now);
    }
}

impl Queues {
    pub(super) fn get_mut(&mut self, arn: &str) -> Result<&mut Queue> {
        self.queues.get_mut(arn).ok_or_else(no_queue)
    }
}

/// The ARN of the queue at a URL, whatever its host: the account and the name count. Like AWS, we take a bare name for a queue
/// of the caller's account.
pub(super) fn arn_of_url(scope: &Scope, url: &str) -> Option<String> {
    let (rest, name) = url.rsplit_once('/').unwrap_or(("", url));
    let account = rest.rsplit('/').next().unwrap_or(rest);
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let account = if is_account { account } else { &scope.account };
    (!name.is_empty()).then(|| arn(&scope.region, account, name))
}

pub(super) fn arn(region: &str, account: &str, name: &str) -> String {
    format!("arn:aws:sqs:{region}:{account}:{name}")
}

/// The URL of a queue, as the caller can reach it.
pub(super) fn url<S>(cx: &Cx<S>, account: &str, name: &str) -> String {
    match cx.endpoint() {
        Some(endpoint) => format!("{endpoint}/{account}/{name}"),
        None => format!("https://sqs.{}.amazonaws.com/{account}/{name}", cx.scope.region),
    }
}

/// The URL of the queue of an ARN, as it is at AWS: for services that send to queues.
pub(crate) fn url_of_arn(arn: &str) -> String {
    let mut parts = arn.split(':').skip(3);
    let mut part = || parts.next().unwrap_or_default();
    let (region, account, name) = (part(), part(), part());
    format!("https://sqs.{region}.amazonaws.com/{account}/{name}")
}

/// What an operation acts on that its queue's policy may allow to other accounts.
pub(super) fn on(at: &At<Queues>, url: &str) -> Target {
    let Some(arn) = arn_of_url(at.scope, url) else { return Target::any() };
    match at.state.queues.get(arn.as_str()) {
        Some(queue) => Target::on(arn).policy(queue.attributes.policy.clone()).owner(&*queue.account),
        None => Target::on(arn).open_to_services(),
    }
}

/// What an operation acts on that nobody but the queue's own account may do.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-customer-managed-policy-examples.html#limitations-of-custom-policies>
pub(super) fn on_own(at: &At<Queues>, url: &str) -> Target {
    let arn = arn_of_url(at.scope, url);
    arn.map_or_else(Target::any, |arn| on_own_arn(at, &arn))
}

/// The same by the queue's ARN.
pub(super) fn on_own_arn(at: &At<Queues>, arn: &str) -> Target {
    match at.state.queues.get(arn) {
        Some(queue) => Target::on(arn).owner(&*queue.account),
        None => Target::on(arn),
    }
}

/// The queue at a URL, its books up to date.
pub(super) fn find<'a>(cx: &'a mut Cx<Queues>, url: &str) -> Result<&'a mut Queue> {
    find_in(cx.state, cx.scope, cx.now, url)
}

/// The same for who needs the rest of the context besides.
pub(super) fn find_in<'a>(state: &'a mut Queues, scope: &Scope, now: Timestamp, url: &str) -> Result<&'a mut Queue> {
    let arn = arn_of_url(scope, url).ok_or_else(|| invalid_address(url))?;
    let queue = state.get_mut(&arn)?;
    queue.touch(now);
    Ok(queue)
}

/// The event by which what is due becomes visible: see [`watch`].
pub(super) const SURFACE: &str = "Surface";

/// Something may have become visible: tells who waits for it, here or in Lambda.
pub(super) fn announce(cx: &mut Cx<Queues>, arn: &str) {
    let Some(queue) = cx.state.queues.get(arn) else { return };
    let (home, signal) = (home(queue), queue.signal());
    cx.signal_in(&home, signal);
    watch(cx, arn);
}

/// A queue was used: it has its metrics told, and announces the next message that becomes visible by itself. Each of the two has a
/// timer of the queue's own.
pub(super) fn watch(cx: &mut Cx<Queues>, arn: &str) {
    let now = cx.now;
    let Some(queue) = cx.state.queues.get_mut(arn) else { return cx.cancel_timer(SURFACE, arn) };
    let (due, measured) = (queue.books.next_due(), queue.meter.use_at(now));
    let watched = std::mem::replace(&mut queue.watched, due);
    if let Some(at) = measured {
        cx.set_timer(MEASURE, arn, at);
    }
    if watched == due {
        return;
    }
    match due {
        Some(at) => cx.set_timer(SURFACE, arn, at),
        None => cx.cancel_timer(SURFACE, arn),
    }
}

/// The next message has become visible.
pub(super) fn surface(cx: &mut Cx<Queues>, arn: &str) -> Result<()> {
    let now = cx.now;
    if let Some(queue) = cx.state.queues.get_mut(arn) {
        queue.touch(now);
        queue.watched = None;
    }
    announce(cx, arn);
    Ok(())
}

/// The account and region of a queue.
pub(super) fn home(queue: &Queue) -> Scope {
    Scope::new(Arc::clone(&queue.account), region_of(&queue.arn))
}

/// The region of a queue's ARN.
pub(super) fn region_of(arn: &str) -> &str {
    arn.split(':').nth(3).unwrap_or("")
}

/// A number of seconds as time.
pub(super) fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(seconds.into())
}
