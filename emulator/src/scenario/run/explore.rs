//! Exploration: a recorded run, then one more for each fault at each call that the function made in it.

use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::{Options, Outcome, Stage, stem, verdict};
use crate::cloud::Event;
use crate::scenario::fault::{Point, PointKind, PointSpec};
use crate::scenario::report::exploration::{Exploration, ExploredRun};
use crate::scenario::script::{Explore, Script};

/// Runs at the same time.
const THREADS: usize = 2;

/// Explores what the script's `explore` lines ask for, in their order.
///
/// # Errors
/// If the script explores nothing, does not pass by itself, or does not repeat; a run that cannot be carried out.
pub fn explore(stage: &Stage, script: &Script, seed: Option<u64>) -> Result<Vec<Exploration>, String> {
    let name = stem(script);
    let wanted: Vec<&Explore> = script.explorations().collect();
    if wanted.is_empty() {
        return Err(format!("{name} has no `explore` line"));
    }
    if wanted.len() > 1 {
        // `--at` names a call without its function.
        return Err(format!("{name} has more than one `explore` line, which is not supported yet"));
    }
    let options = Options { seed, ..Options::default() };
    let recorded = stage.run(script, &options)?;
    if !recorded.passed() {
        return Err(format!("{name} fails by itself; nothing was explored\n\n{}", recorded.report()));
    }
    refuse_difference(&recorded, &stage.run(script, &options)?)?;
    wanted.into_iter().map(|explore| one(stage, script, seed, explore, &recorded)).collect()
}

/// Refuses runs that do not repeat: what is found in one of them could not be replayed.
fn refuse_difference(first: &Outcome, second: &Outcome) -> Result<(), String> {
    let (first, second) = (first.trace_lines(), second.trace_lines());
    if first == second {
        return Ok(());
    }
    let differs = first.lines().zip(second.lines()).enumerate().find(|(_, (a, b))| a != b);
    let (at, a, b) = match differs {
        Some((at, (a, b))) => (at + 1, a, b),
        None => (first.lines().count().min(second.lines().count()) + 1, "", "one run has more records"),
    };
    Err(format!(
        "two runs with one seed differ, so that nothing found could be replayed\nrecord {at} was first\n{a}\nand then\n{b}"
    ))
}

/// The calls that the function made, in order.
fn points(recorded: &Outcome, function: &str) -> Vec<Point> {
    let mut points: Vec<Point> = recorded
        .trace
        .iter()
        .filter_map(|record| match &record.event {
            Event::Call(call) => {
                let made = call.invocation.as_ref().filter(|made| &*made.function == function)?;
                Some(Point { invocation: made.number, call: call.index? })
            }
            _ => None,
        })
        .collect();
    points.sort_unstable();
    points.dedup();
    points
}

/// The records of queues that the function was given, in order: by the attempt, and by their place in its event.
fn records(recorded: &Outcome, function: &str) -> Vec<Point> {
    let mut points = Vec::new();
    for record in &recorded.trace {
        let Event::Call(call) = &record.event else { continue };
        let is_of_queue = call.source_arn.as_deref().is_some_and(|arn| arn.starts_with("arn:aws:sqs:"));
        let is_its = call.operation == "Invoke" && call.resource.ends_with(&format!(":function:{function}"));
        let number = call.output["Attempt"].as_u64().and_then(|number| u32::try_from(number).ok());
        let Some(invocation) = number.filter(|_| is_of_queue && is_its) else { continue };
        let event: serde_json::Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let count = event["Records"].as_array().map_or(0, Vec::len);
        points.extend((1..=u32::try_from(count).unwrap_or(0)).map(|call| Point { invocation, call }));
    }
    points
}

fn one(
    stage: &Stage,
    script: &Script,
    seed: Option<u64>,
    explore: &Explore,
    recorded: &Outcome,
) -> Result<Exploration, String> {
    let function = &explore.function.name;
    let at = |points: Vec<Point>, duplicates: bool| {
        let kinds = move || explore.kinds.iter().filter(move |kind| (**kind == PointKind::Duplicate) == duplicates);
        points.into_iter().flat_map(move |point| kinds().map(move |kind| PointSpec { point, kind: *kind }))
    };
    let calls = at(points(recorded, function), false);
    let all: Vec<PointSpec> = calls.chain(at(records(recorded, function), true)).collect();
    if all.is_empty() {
        let name = stem(script);
        return Err(format!("{function} made no call and got no message in {name}; nothing can be explored"));
    }
    let runs = run_all(stage, script, seed, &all)?;
    Ok(Exploration {
        scenario: stem(script),
        seed,
        function: function.clone(),
        invariants: verdict::names(script),
        violated: explore.violated.as_ref().and_then(|named| {
            verdict::names(script).iter().position(|name| name.split(' ').next() == Some(named.name.as_str()))
        }),
        runs,
    })
}

/// Every run, a few at a time, in the order of `all`.
fn run_all(stage: &Stage, script: &Script, seed: Option<u64>, all: &[PointSpec]) -> Result<Vec<ExploredRun>, String> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<Option<Result<ExploredRun, String>>>> = Mutex::new(all.iter().map(|_| None).collect());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::SeqCst);
                    let Some(at) = all.get(place) else { return };
                    let run = stage.run(script, &Options { seed, at: Some(*at), bless: false }).map(|outcome| {
                        ExploredRun { at: *at, verdicts: outcome.verdicts.into_iter().map(|(_, v)| v).collect() }
                    });
                    if let Some(slot) = done.lock().get_mut(place) {
                        *slot = Some(run.map_err(|why| format!("at {at}: {why}")));
                    }
                }
            });
        }
    });
    let done = done.into_inner();
    done.into_iter().map(|run| run.unwrap_or_else(|| Err("a run did not end".to_owned()))).collect()
}
