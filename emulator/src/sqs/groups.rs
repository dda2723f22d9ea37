//! Message groups of a FIFO queue: in each the order is kept, whatever of it is in flight.
//!
//! What is behind a message in flight waits for it; a message that became visible again is the first of its group again.
//! Groups take turns: one that can be received from anew is the last of them.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html>

use std::sync::Arc;

use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

use super::books::Key;

/// The groups of which there is anything visible or in flight.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Groups {
    groups: OrdMap<Arc<str>, Group>,
    /// The groups that can be received from, in the order of their turns.
    #[serde(with = "crate::cloud::pairs")]
    turns: OrdMap<u64, Arc<str>>,
    next_turn: u64,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Group {
    visible: OrdSet<Key>,
    in_flight: OrdSet<Key>,
    turn: Option<u64>,
}

impl Groups {
    /// The group whose turn it is, with its first message and the message in flight that the others are behind.
    pub fn next(&self) -> Option<(Arc<str>, Key, Option<Key>)> {
        let (_, name) = self.turns.get_min()?;
        let group = self.groups.get(name)?;
        Some((Arc::clone(name), group.visible.get_min().copied()?, group.in_flight.get_min().copied()))
    }

    /// The first visible message of a group that is before `barrier`.
    pub fn next_in(&self, name: &str, barrier: Option<Key>) -> Option<Key> {
        let first = self.groups.get(name)?.visible.get_min().copied()?;
        barrier.is_none_or(|barrier| first < barrier).then_some(first)
    }

    /// A message of the group becomes visible.
    pub fn enter(&mut self, key: Key, name: &Arc<str>) {
        self.change(name, |group| {
            group.in_flight.remove(&key);
            group.visible.insert(key);
        });
    }

    /// A visible message of the group is received.
    pub fn take(&mut self, key: Key, name: &Arc<str>) {
        self.change(name, |group| {
            group.visible.remove(&key);
            group.in_flight.insert(key);
        });
    }

    /// A message of the group, visible or in flight, is gone.
    pub fn remove(&mut self, key: Key, name: &Arc<str>) {
        self.change(name, |group| {
            group.visible.remove(&key);
            group.in_flight.remove(&key);
        });
    }

    /// Changes a group and keeps the turns in step.
    fn change(&mut self, name: &Arc<str>, change: impl FnOnce(&mut Group)) {
        let group = self.groups.entry(Arc::clone(name)).or_default();
        change(group);
        match (group.turn, group.is_open()) {
            (None, true) => {
                self.next_turn += 1;
                group.turn = Some(self.next_turn);
                self.turns.insert(self.next_turn, Arc::clone(name));
            }
            (Some(turn), false) => {
                group.turn = None;
                self.turns.remove(&turn);
            }
            _ => {}
        }
        if group.visible.is_empty() && group.in_flight.is_empty() {
            self.groups.remove(name);
        }
    }
}

impl Group {
    /// Whether something can be received: what is visible is before all that is in flight.
    fn is_open(&self) -> bool {
        match (self.visible.get_min(), self.in_flight.get_min()) {
            (Some(visible), Some(in_flight)) => visible < in_flight,
            (visible, _) => visible.is_some(),
        }
    }
}
