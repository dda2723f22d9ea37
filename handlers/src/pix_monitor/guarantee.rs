//! The guarantee, as a property: whatever arrives, whatever fails, every new cash-out of a watched account is announced
//! at least once, and exactly once while nothing fails and no runs overlap.
//!
//! The world here is pure: events, one cursor object with a version, a clock. The decisions are the function's own,
//! [`select`], [`Window`] and [`refresh_due`]; the order of the steps is that of `after-notify`.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::event_id::EventId;
use super::select::{LogEvent, select};
use super::testing::{cash_in_line, cash_out_line, watched};
use super::window::{Window, refresh_due};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const START: i64 = 1_795_317_600_000;
const SEARCH_RANGE_MINUTES: u32 = 5;

/// The time-out in the template: a run that is older is dead.
const FUNCTION_TIMEOUT: i64 = 60 * SECOND;

/// The first id: a few events later ids have one digit more.
const FIRST_ID: u64 = 9_990;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    SlackFails,
    DiesAfterSlack,
}

#[derive(Clone, Debug)]
enum Step {
    Arrive {
        kind: u8,
    },
    Wait {
        millis: i64,
    },
    /// A run reads cursor and logs.
    Begin,
    /// One of the running ones announces and writes.
    End {
        which: usize,
        fault: Fault,
    },
}

struct Stored {
    timestamp: i64,
    id: String,
    line: String,
}

struct Running {
    began: i64,
    version: u64,
    news: Vec<String>,
    next: Option<EventId>,
    refresh: bool,
}

struct World {
    now: i64,
    events: Vec<Stored>,
    owed: BTreeSet<String>,
    announced: BTreeMap<String, u32>,
    cursor: (EventId, i64, u64),
    running: Vec<Running>,
    /// No failure and no overlap so far.
    smooth: bool,
}

impl World {
    fn new() -> Self {
        let cursor = ("0".parse().unwrap(), START, 1);
        let (events, owed, announced, running) = (Vec::new(), BTreeSet::new(), BTreeMap::new(), Vec::new());
        Self { now: START, events, owed, announced, cursor, running, smooth: true }
    }

    fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match *step {
            Step::Arrive { kind } => self.arrive(kind),
            Step::Wait { millis } => self.now += millis,
            Step::Begin => self.begin(),
            Step::End { which, fault } => return self.end(which, fault),
        }
        Ok(())
    }

    fn arrive(&mut self, kind: u8) {
        let id = (FIRST_ID + self.events.len() as u64).to_string();
        let line = match kind {
            0 => cash_in_line("1", 5),
            1 => cash_out_line("2", 5),
            2 => "REPORT RequestId: x".to_owned(),
            _ => cash_out_line("1", 5),
        };
        if kind > 2 {
            self.owed.insert(id.clone());
        }
        self.events.push(Stored { timestamp: self.now, id, line });
    }

    fn begin(&mut self) {
        let (known, written, version) = self.cursor.clone();
        let window = Window::new(self.now, SEARCH_RANGE_MINUTES, Some(written));
        let inside = self.events.iter().filter(|event| (window.start..=window.end).contains(&event.timestamp));
        // Newest first, in two groups: the order of arrival must not matter.
        let read = inside.rev().enumerate().map(|(position, Stored { id, line, .. })| LogEvent {
            group: position % 2,
            id,
            message: line,
        });
        let watched = watched(&["1"]);
        let selection = select(read, Some(known), &watched);
        let news = selection.new_cash_outs().map(|(id, _)| id.to_string()).collect();
        let next = selection.greatest().cloned();
        let refresh = next.is_none() && refresh_due(self.now, written);
        self.smooth &= self.running.is_empty();
        self.running.push(Running { began: self.now, version, news, next, refresh });
    }

    fn end(&mut self, which: usize, fault: Fault) -> Result<(), TestCaseError> {
        if self.running.is_empty() {
            return Ok(());
        }
        let run = self.running.remove(which % self.running.len());
        let timed_out = self.now - run.began > FUNCTION_TIMEOUT;
        if timed_out || fault == Fault::SlackFails {
            self.smooth = false;
            return Ok(());
        }
        for id in run.news {
            *self.announced.entry(id).or_default() += 1;
        }
        if fault == Fault::DiesAfterSlack {
            self.smooth = false;
            return Ok(());
        }
        let (known, _, version) = self.cursor.clone();
        let next = run.next.or(run.refresh.then(|| known.clone()));
        let Some(next) = next.filter(|_| run.version == version) else { return Ok(()) };
        prop_assert!(next >= known, "the cursor went back from {known} to {next}");
        // S3's LastModified has whole seconds.
        self.cursor = (next, self.now - self.now % SECOND, version + 1);
        Ok(())
    }

    /// Whatever happened, one good run at last, and then the accounts are settled.
    fn settle(mut self) -> Result<(), TestCaseError> {
        self.smooth &= self.running.is_empty();
        self.running.clear();
        self.begin();
        self.end(0, Fault::None)?;
        let announced: BTreeSet<String> = self.announced.keys().cloned().collect();
        prop_assert_eq!(&announced, &self.owed);
        if self.smooth {
            prop_assert!(self.announced.values().all(|times| *times == 1), "{:?}", self.announced);
        }
        Ok(())
    }
}

fn arrive() -> impl Strategy<Value = Step> {
    (0u8..8).prop_map(|kind| Step::Arrive { kind })
}

fn wait() -> impl Strategy<Value = Step> {
    let moment = 0..25 * SECOND;
    let schedule = Just(3 * MINUTE);
    let outage = 5 * MINUTE..600 * MINUTE;
    prop_oneof![3 => moment, 2 => schedule, 1 => outage].prop_map(|millis| Step::Wait { millis })
}

fn step() -> impl Strategy<Value = Step> {
    let fault = prop_oneof![4 => Just(Fault::None), 1 => Just(Fault::SlackFails), 1 => Just(Fault::DiesAfterSlack)];
    prop_oneof![
        3 => arrive(),
        3 => wait(),
        2 => Just(Step::Begin),
        2 => (0usize..4, fault).prop_map(|(which, fault)| Step::End { which, fault }),
    ]
}

/// A whole run in good time, with events that arrive while it is under way.
fn good_run() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec((0u8..8, 0..10 * SECOND), 0..4).prop_map(|arrivals| {
        let mut steps = vec![Step::Begin];
        for (kind, millis) in arrivals {
            steps.extend([Step::Wait { millis }, Step::Arrive { kind }, Step::Wait { millis: 1 }]);
        }
        steps.push(Step::End { which: 0, fault: Fault::None });
        steps
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn at_least_once_whatever_happens(steps in prop::collection::vec(step(), 0..60)) {
        let mut world = World::new();
        for step in &steps {
            world.take(step)?;
        }
        world.settle()?;
    }

    #[test]
    fn exactly_once_while_nothing_fails(
        blocks in prop::collection::vec(
            prop_oneof![
                1 => good_run(),
                1 => arrive().prop_map(|step| vec![step]),
                1 => wait().prop_map(|step| vec![step]),
            ],
            0..40,
        ),
    ) {
        let mut world = World::new();
        for step in blocks.iter().flatten() {
            world.take(step)?;
        }
        prop_assert!(world.smooth, "the steps were meant to be smooth");
        world.settle()?;
    }
}
