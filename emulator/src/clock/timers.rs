//! Timers: what a service wants done at a later time, as values.

use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::cloud::Scope;

/// What fires: an event of a service, about the thing that `key` names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Timer {
    pub service: Arc<str>,
    pub scope: Scope,
    pub event: Arc<str>,
    pub key: Arc<str>,
}

/// What a step asks of the timers. There is one timer for each service, scope, event and key: setting it again moves it.
#[derive(Clone, Debug)]
pub(crate) enum TimerChange {
    Set(Timer, Timestamp),
    Cancel(Timer),
}

/// The timers that are set, in order of time; among equals, in the order in which they were set.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Timers {
    #[serde(with = "crate::cloud::pairs")]
    queue: OrdMap<(Timestamp, u64), Timer>,
    #[serde(skip)]
    places: OrdMap<Timer, (Timestamp, u64)>,
    next: u64,
}

impl Timers {
    pub fn apply(&mut self, change: TimerChange) {
        match change {
            TimerChange::Cancel(timer) => self.cancel(&timer),
            TimerChange::Set(timer, at) => {
                self.cancel(&timer);
                self.next += 1;
                self.queue.insert((at, self.next), timer.clone());
                self.places.insert(timer, (at, self.next));
            }
        }
    }

    fn cancel(&mut self, timer: &Timer) {
        if let Some(place) = self.places.remove(timer) {
            self.queue.remove(&place);
        }
    }

    /// When the earliest is due.
    pub fn first(&self) -> Option<Timestamp> {
        self.queue.get_min().map(|((at, _), _)| *at)
    }

    /// Takes the earliest.
    pub fn pop(&mut self) -> Option<Timer> {
        let (place, timer) = self.queue.get_min().cloned()?;
        self.queue.remove(&place);
        self.places.remove(&timer);
        Some(timer)
    }

    /// Restores the index that is not saved.
    pub fn reindexed(mut self) -> Self {
        self.places = self.queue.iter().map(|(place, timer)| (timer.clone(), *place)).collect();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timer(key: &str) -> Timer {
        Timer { service: "s".into(), scope: Scope::new("1", "r"), event: "Fire".into(), key: key.into() }
    }

    #[test]
    fn they_fire_by_time_then_by_the_order_of_setting_and_setting_again_moves() {
        let mut timers = Timers::default();
        for (key, at) in [("late", 9), ("first", 5), ("second", 5), ("moved", 1), ("gone", 2)] {
            timers.apply(TimerChange::Set(timer(key), Timestamp::from_secs(at)));
        }
        timers.apply(TimerChange::Set(timer("moved"), Timestamp::from_secs(7)));
        timers.apply(TimerChange::Cancel(timer("gone")));
        let saved = serde_json::to_string(&timers).unwrap_or_default();
        let mut timers = serde_json::from_str::<Timers>(&saved).unwrap_or_default().reindexed();
        timers.apply(TimerChange::Cancel(timer("none")));
        let order: Vec<String> = std::iter::from_fn(|| timers.pop().map(|t| t.key.to_string())).collect();
        assert_eq!(order, ["first", "second", "moved", "late"]);
    }
}
