//! What a queue measures of itself for CloudWatch: counters that the operations add to, told a second later and once a minute.
//!
//! An operation only counts. What was counted of a minute is told as a whole each time, and replaces what was told of it before.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html>

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Queues;
use super::books::Counts;
use super::queue::{Queue, home};
use crate::cloud::{Cx, Sampled};
use crate::{Result, Timestamp};

/// The event by which a queue tells its metrics; its key is the ARN.
pub(super) const MEASURE: &str = "Measure";
/// How long a queue tells them that nobody uses. At AWS it is up to six hours; every minute of every queue is kept here.
const ACTIVE: Duration = Duration::from_secs(3_600);
/// How long after an operation they are told, but in the same minute if there is as much left of it: alarms look at a minute
/// as soon as it is over.
const DELAY: Duration = Duration::from_secs(1);
const MARGIN: Duration = Duration::from_millis(10);
/// The length of the intervals, in seconds.
const MINUTE: i64 = 60;

/// The counters of a queue.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Meter {
    now: Counted,
    /// Of the minute before, until it is told.
    before: Option<Counted>,
    /// When the queue was last used, and when it tells its metrics next.
    used: Timestamp,
    due: Option<Timestamp>,
}

/// What was counted in one minute.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Counted {
    minute: Timestamp,
    sent: u64,
    /// The sum of the sizes of what was sent, the smallest and the largest, in bytes.
    sizes: u64,
    smallest: u64,
    largest: u64,
    repeated: u64,
    received: u64,
    empty: u64,
    deleted: u64,
}

impl Meter {
    /// A message of so many bytes was sent.
    pub fn sent(&mut self, now: Timestamp, size: usize) {
        let size = size as u64;
        let counted = self.at(now);
        counted.smallest = if counted.sent == 0 { size } else { counted.smallest.min(size) };
        counted.largest = counted.largest.max(size);
        counted.sizes += size;
        counted.sent += 1;
    }

    /// A message was sent to a FIFO queue that had it already.
    pub fn repeated(&mut self, now: Timestamp) {
        self.at(now).repeated += 1;
    }

    /// A request was answered with so many messages.
    pub fn received(&mut self, now: Timestamp, messages: usize) {
        let counted = self.at(now);
        counted.received += messages as u64;
        counted.empty += u64::from(messages == 0);
    }

    /// A message was deleted, or had been.
    pub fn deleted(&mut self, now: Timestamp) {
        self.at(now).deleted += 1;
    }

    fn at(&mut self, now: Timestamp) -> &mut Counted {
        let minute = minute_of(now);
        if self.now.minute != minute {
            let before = std::mem::replace(&mut self.now, Counted { minute, ..Counted::default() });
            // Nothing was counted before the first minute.
            self.before = Some(before).filter(|before| before.minute != Timestamp::default());
        }
        &mut self.now
    }

    /// The queue is used: when it is to tell its metrics, if that has to be sooner than it would be.
    pub fn use_at(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.used = now;
        let end = minute_of(now) + Duration::from_secs(MINUTE.unsigned_abs());
        let soon = now + DELAY;
        let wanted = if soon < end || now + MARGIN >= end { soon } else { end - MARGIN };
        if self.due.is_some_and(|due| due <= wanted) {
            return None;
        }
        self.due = Some(wanted);
        self.due
    }
}

fn minute_of(at: Timestamp) -> Timestamp {
    Timestamp::from_secs(at.secs().div_euclid(MINUTE) * MINUTE)
}

/// Tells a queue's metrics, and has them told again in the next minute while it is in use.
pub(super) fn measure(cx: &mut Cx<Queues>, arn: &str) -> Result<()> {
    let now = cx.now;
    let Some(queue) = cx.state.queues.get_mut(arn) else { return Ok(()) };
    // A timer of a queue of the same name that was deleted.
    if queue.meter.due.is_none_or(|due| due > now) {
        return Ok(());
    }
    queue.touch(now);
    queue.meter.at(now);
    let next = minute_of(now) + Duration::from_secs(MINUTE.unsigned_abs());
    queue.meter.due = (next < queue.meter.used + ACTIVE).then_some(next);
    let due = queue.meter.due;
    let mut told = Vec::new();
    if let Some(before) = queue.meter.before.take() {
        told.push((before.minute, before.figures()));
    }
    let mut figures = queue.meter.now.figures();
    figures.extend(queue.gauges(now));
    told.push((queue.meter.now.minute, figures));
    let (home, name) = (home(queue), Arc::clone(&queue.name));
    for (minute, figures) in told {
        for figure in figures {
            cx.measure_in(&home, "AWS/SQS", &[("QueueName", &name)], minute, figure);
        }
    }
    if let Some(due) = due {
        cx.set_timer(MEASURE, arn, due);
    }
    Ok(())
}

/// A metric's name, what is known of it, and its unit.
type Figure = (&'static str, Sampled, &'static str);

fn one(name: &'static str, value: u64, unit: &'static str) -> Figure {
    (name, Sampled::minute(1, value, value, value), unit)
}

impl Counted {
    /// What did not happen is not told, unlike the documentation has it (seen at AWS).
    fn figures(&self) -> Vec<Figure> {
        let counts = [
            ("NumberOfMessagesSent", self.sent),
            ("NumberOfMessagesReceived", self.received),
            ("NumberOfEmptyReceives", self.empty),
            ("NumberOfMessagesDeleted", self.deleted),
            ("NumberOfDeduplicatedSentMessages", self.repeated),
        ];
        let counts = counts.into_iter().filter(|(_, count)| *count > 0);
        let mut figures: Vec<Figure> = counts.map(|(name, count)| one(name, count, "Count")).collect();
        if self.sent > 0 {
            let sizes = Sampled::minute(self.sent, self.sizes, self.smallest, self.largest);
            figures.push(("SentMessageSize", sizes, "Bytes"));
        }
        figures
    }
}

impl Queue {
    /// What is measured of the state that the queue is in.
    fn gauges(&self, now: Timestamp) -> [Figure; 4] {
        let Counts { visible, in_flight, delayed } = self.books.counts();
        let age = self.books.oldest().map_or(0, |sent| now.since(sent).as_secs());
        [
            one("ApproximateNumberOfMessagesVisible", visible as u64, "Count"),
            one("ApproximateNumberOfMessagesNotVisible", in_flight as u64, "Count"),
            one("ApproximateNumberOfMessagesDelayed", delayed as u64, "Count"),
            one("ApproximateAgeOfOldestMessage", age, "Seconds"),
        ]
    }
}
