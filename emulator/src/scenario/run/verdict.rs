//! Whether the invariants that a script names held in a run.

use super::{Invariants, Run};
use crate::cloud::CallRecord;
use crate::scenario::fault::PointSpec;
use crate::scenario::report::exploration::Verdict;
use crate::scenario::script::{Ending, Script, Window};

/// The names of the invariants that a script names, as tables show them.
pub(super) fn names(script: &Script) -> Vec<String> {
    let names = script.endings.iter().flat_map(|ending| match ending {
        Ending::Always(names) => names.iter().map(|named| named.name.clone()).collect(),
        Ending::Once { invariant, .. } => vec![format!("{} once", invariant.name)],
        Ending::Explore(_) => Vec::new(),
    });
    names.collect()
}

/// The verdict on each of them, in the order of [`names`].
pub(super) fn judge(script: &Script, invariants: &Invariants, run: &Run, at: Option<PointSpec>) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for ending in &script.endings {
        match ending {
            Ending::Always(names) => verdicts.extend(names.iter().map(|named| {
                let held = invariants.find_always(&named.name).map(|holds| holds(run));
                match held {
                    Some(Ok(())) => Verdict::Held,
                    Some(Err(why)) => Verdict::Broken(why),
                    None => Verdict::Broken("nobody has written it".to_owned()),
                }
            })),
            Ending::Once { invariant, except } => {
                let counts = invariants.find_once(&invariant.name).map(|counts| counts(run));
                verdicts.push(match counts {
                    Some(Ok(counts)) => once(&counts, except.as_ref(), run, at),
                    Some(Err(why)) => Verdict::Broken(why),
                    None => Verdict::Broken("nobody has written it".to_owned()),
                });
            }
            Ending::Explore(_) => {}
        }
    }
    verdicts
}

fn once(
    counts: &std::collections::BTreeMap<String, usize>,
    except: Option<&Window>,
    run: &Run,
    at: Option<PointSpec>,
) -> Verdict {
    let wrong: Vec<(&String, usize)> = counts.iter().map(|(what, times)| (what, *times)).filter(|w| w.1 != 1).collect();
    if wrong.is_empty() {
        return Verdict::Held;
    }
    let why = wrong.iter().map(|(what, times)| format!("{what}: {times} times")).collect::<Vec<_>>().join(", ");
    // A window excuses what happened twice, never what did not happen.
    let excused = wrong.iter().all(|(_, times)| *times > 1)
        && except.zip(at).is_some_and(|(window, at)| struck_inside(window, run, at));
    if excused { Verdict::InWindow(why) } else { Verdict::Broken(why) }
}

/// Whether the fault struck after a call that opens the window was made, and before one that closes it was answered.
fn struck_inside(window: &Window, run: &Run, at: PointSpec) -> bool {
    let made: Vec<&CallRecord> = run
        .calls()
        .map(|(_, call)| call)
        .filter(|call| call.invocation.as_ref().is_some_and(|made| made.number == at.point.invocation))
        .collect();
    let Some(struck) = made.iter().position(|call| call.index == Some(at.point.call) && call.fault.is_some()) else {
        return false;
    };
    let opened = made[..=struck].iter().any(|call| window.from.covers(&call.service, &call.operation));
    let closed = made[..struck]
        .iter()
        .any(|call| window.to.covers(&call.service, &call.operation) && call.took_effect() && call.status.is_some());
    opened && !closed
}
