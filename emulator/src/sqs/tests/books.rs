//! Whatever is done to a queue, in whatever order: its books agree with those of a model that looks at every message.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// In seconds. Short, so that messages expire within a run.
const RETENTION: u64 = 100;
const MAX_RECEIVES: u32 = 3;

#[derive(Clone, Debug)]
enum Step {
    Send { group: u8, delay: u64 },
    Receive { count: usize, visibility: u64 },
    Delete { which: usize },
    Change { which: usize, visibility: u64 },
    Advance { seconds: u64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0..3_u8, prop_oneof![Just(0), 1..20_u64]).prop_map(|(group, delay)| Step::Send { group, delay }),
        4 => (1..=10_usize, 0..30_u64).prop_map(|(count, visibility)| Step::Receive { count, visibility }),
        2 => (0..64_usize).prop_map(|which| Step::Delete { which }),
        2 => (0..64_usize, 0..30_u64).prop_map(|(which, visibility)| Step::Change { which, visibility }),
        3 => (1..25_u64).prop_map(|seconds| Step::Advance { seconds }),
    ];
    prop::collection::vec(step, 1..60)
}

/// A message as the model knows it. Its number is its body, and its place.
#[derive(Clone, Debug)]
struct Known {
    group: u8,
    sent: u64,
    visible: u64,
    received: bool,
    receives: u32,
    handle: Value,
    dead: bool,
}

#[derive(Default)]
struct Model {
    now: u64,
    next: usize,
    messages: BTreeMap<usize, Known>,
}

impl Model {
    fn expire(&mut self) {
        let now = self.now;
        self.messages.retain(|_, known| known.sent + RETENTION > now);
    }

    /// Visible, in flight, delayed; then the dead.
    fn counts(&self) -> ((usize, usize, usize), usize) {
        let alive = || self.messages.values().filter(|known| !known.dead);
        let hidden =
            |received: bool| alive().filter(|known| known.visible > self.now && known.received == received).count();
        let visible = alive().filter(|known| known.visible <= self.now).count();
        ((visible, hidden(true), hidden(false)), self.messages.values().filter(|known| known.dead).count())
    }

    /// What a receive from a standard queue must answer: the oldest visible ones. The dead are buried on the way.
    fn receive(&mut self, count: usize, visibility: u64) -> Vec<usize> {
        let (now, mut taken) = (self.now, Vec::new());
        for (number, known) in &mut self.messages {
            if taken.len() == count {
                break;
            }
            if known.dead || known.visible > now {
                continue;
            }
            if known.receives == MAX_RECEIVES {
                known.dead = true;
                continue;
            }
            known.take(now + visibility);
            taken.push(*number);
        }
        taken
    }

    /// Checks what a FIFO queue answered, and takes it.
    fn receive_in_order(&mut self, answered: &[usize], count: usize, visibility: u64) {
        let mut taken: Vec<usize> = Vec::new();
        for number in answered {
            let known = &self.messages[number];
            assert!(known.visible <= self.now, "{number} is not visible");
            let before =
                self.messages.iter().filter(|(other, earlier)| *other < number && earlier.group == known.group);
            for (other, _) in before {
                assert!(taken.contains(other), "{number} came before {other} of its group");
            }
            taken.push(*number);
        }
        if answered.len() < count {
            let left = self.messages.iter().filter(|(number, known)| {
                let first = self.messages.iter().find(|(_, other)| other.group == known.group).map(|(first, _)| *first);
                known.visible <= self.now && first == Some(**number) && !answered.contains(number)
            });
            assert_eq!(left.count(), 0, "there was more to receive");
        }
        for number in answered {
            self.messages.get_mut(number).unwrap().take(self.now + visibility);
        }
    }

    /// One of the messages that were received and are in flight still.
    fn held(&mut self, which: usize) -> Option<usize> {
        let now = self.now;
        let held: Vec<usize> = self
            .messages
            .iter()
            .filter(|(_, known)| known.received && known.visible > now && !known.dead)
            .map(|(number, _)| *number)
            .collect();
        held.get(which % held.len().max(1)).copied()
    }
}

impl Known {
    fn take(&mut self, until: u64) {
        self.receives += 1;
        self.received = true;
        self.visible = until;
    }
}

/// Runs the steps against a queue and the model.
async fn play(steps: Vec<Step>, fifo: bool) {
    let sqs = Sqs::new().await;
    let queue = if fifo { "b.fifo" } else { "b" };
    let retention = RETENTION.to_string();
    let attributes = if fifo {
        json!({"FifoQueue": "true", "MessageRetentionPeriod": retention})
    } else {
        sqs.create("dead", json!({"MessageRetentionPeriod": retention})).await;
        let policy = json!({"deadLetterTargetArn": arn("dead"), "maxReceiveCount": MAX_RECEIVES}).to_string();
        json!({"MessageRetentionPeriod": retention, "RedrivePolicy": policy})
    };
    sqs.create(queue, attributes).await;
    let mut model = Model::default();
    for step in steps {
        match step {
            Step::Send { group, delay } => {
                let delay = if fifo { 0 } else { delay };
                let number = model.next;
                let mut input = json!({"QueueUrl": queue, "MessageBody": number.to_string(), "DelaySeconds": delay});
                if fifo {
                    input["MessageGroupId"] = json!(group.to_string());
                    input["MessageDeduplicationId"] = json!(number.to_string());
                }
                sqs.ok("SendMessage", input).await;
                let (sent, visible) = (model.now, model.now + delay);
                let known =
                    Known { group, sent, visible, received: false, receives: 0, handle: Value::Null, dead: false };
                model.messages.insert(number, known);
                model.next += 1;
            }
            Step::Receive { count, visibility } => {
                let input = json!({"QueueUrl": queue, "MaxNumberOfMessages": count, "VisibilityTimeout": visibility});
                let messages = sqs.receive_by(input).await;
                let answered: Vec<usize> = bodies(&messages).iter().map(|body| body.parse().unwrap()).collect();
                if fifo {
                    model.receive_in_order(&answered, count, visibility);
                } else {
                    assert_eq!(answered, model.receive(count, visibility));
                }
                for (number, message) in answered.iter().zip(&messages) {
                    let known = model.messages.get_mut(number).unwrap();
                    assert_eq!(message["Attributes"]["ApproximateReceiveCount"], known.receives.to_string());
                    known.handle = message["ReceiptHandle"].clone();
                }
            }
            Step::Delete { which } => {
                if let Some(known) = model.held(which).and_then(|number| model.messages.remove(&number)) {
                    sqs.ok("DeleteMessage", json!({"QueueUrl": queue, "ReceiptHandle": known.handle})).await;
                }
            }
            Step::Change { which, visibility } => {
                if let Some(number) = model.held(which) {
                    let known = model.messages.get_mut(&number).unwrap();
                    known.visible = model.now + visibility;
                    let input =
                        json!({"QueueUrl": queue, "ReceiptHandle": known.handle, "VisibilityTimeout": visibility});
                    sqs.ok("ChangeMessageVisibility", input).await;
                }
            }
            Step::Advance { seconds } => {
                sqs.advance(seconds).await;
                model.now += seconds;
                model.expire();
            }
        }
        let (counts, dead) = model.counts();
        assert_eq!(sqs.counts(queue), counts);
        if !fifo {
            assert_eq!(sqs.counts("dead"), (dead, 0, 0));
        }
    }
}

fn block_on(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_standard_queue_keeps_its_books(steps in steps()) {
        block_on(play(steps, false));
    }

    #[test]
    fn a_fifo_queue_keeps_its_books(steps in steps()) {
        block_on(play(steps, true));
    }
}
