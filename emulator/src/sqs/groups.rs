//! Message groups of a FIFO queue: in each the order is kept, and a group of which something is in flight is locked.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html>

use std::sync::Arc;

use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

use super::books::Key;

/// The groups of which there is anything visible or in flight.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Groups {
    groups: OrdMap<Arc<str>, Group>,
    /// The first visible message of each group that is not locked.
    #[serde(with = "crate::cloud::pairs")]
    heads: OrdMap<Key, Arc<str>>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Group {
    visible: OrdSet<Key>,
    in_flight: usize,
}

impl Groups {
    /// The head of the group whose turn it is.
    pub fn next(&self) -> Option<Key> {
        self.heads.get_min().map(|(key, _)| *key)
    }

    /// The first visible message of a group, locked or not.
    pub fn next_in(&self, group: &str) -> Option<Key> {
        self.groups.get(group)?.visible.get_min().copied()
    }

    /// A message of the group becomes visible.
    pub fn enter(&mut self, key: Key, name: &Arc<str>) {
        self.change(name, |group| {
            group.visible.insert(key);
        });
    }

    /// A visible message of the group is gone.
    pub fn remove(&mut self, key: Key, name: &Arc<str>) {
        self.change(name, |group| {
            group.visible.remove(&key);
        });
    }

    /// A visible message of the group is received.
    pub fn take(&mut self, key: Key, name: &Arc<str>) {
        self.change(name, |group| {
            group.visible.remove(&key);
            group.in_flight += 1;
        });
    }

    /// A message of the group is no longer in flight.
    pub fn leave(&mut self, name: &Arc<str>) {
        self.change(name, |group| group.in_flight = group.in_flight.saturating_sub(1));
    }

    /// Changes a group and keeps `heads` in step.
    fn change(&mut self, name: &Arc<str>, change: impl FnOnce(&mut Group)) {
        let group = self.groups.entry(Arc::clone(name)).or_default();
        let before = group.head();
        change(group);
        let after = group.head();
        if group.visible.is_empty() && group.in_flight == 0 {
            self.groups.remove(name);
        }
        if before != after {
            if let Some(head) = before {
                self.heads.remove(&head);
            }
            if let Some(head) = after {
                self.heads.insert(head, Arc::clone(name));
            }
        }
    }
}

impl Group {
    /// What may be received next, unless the group is locked.
    fn head(&self) -> Option<Key> {
        self.visible.get_min().copied().filter(|_| self.in_flight == 0)
    }
}
