//! The table of an exploration: for each invariant in how many of the runs it held, and how to replay the others.

use crate::scenario::fault::PointSpec;

/// Violations listed for one invariant; more are counted.
const LISTED_MAX: usize = 10;

/// What an exploration found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exploration {
    /// The scenario's name, for the replay command.
    pub scenario: String,
    /// The seed that was given on the command line, if one was.
    pub seed: Option<u64>,
    /// The function at whose calls things were broken.
    pub function: String,
    /// The invariants, in the script's order, as the table names them: `alert-announced once`.
    pub invariants: Vec<String>,
    /// The invariant that must be found broken, by its place in `invariants`.
    pub violated: Option<usize>,
    /// The runs, in the order in which they were made.
    pub runs: Vec<ExploredRun>,
}

/// One run of an exploration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExploredRun {
    /// What was broken, and where.
    pub at: PointSpec,
    /// The verdict on each invariant, in the order of [`Exploration::invariants`].
    pub verdicts: Vec<Verdict>,
}

/// Whether an invariant held in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It held.
    Held,
    /// It did not, inside the window that the script declares.
    InWindow(String),
    /// It did not.
    Broken(String),
}

impl Exploration {
    /// Whether no invariant was broken outside a declared window, but for the one that must be found broken: that one was.
    pub fn passed(&self) -> bool {
        (0..self.invariants.len()).all(|place| (self.broken(place) > 0) == (self.violated == Some(place)))
    }

    /// In how many runs the invariant at this place was broken.
    fn broken(&self, place: usize) -> usize {
        self.runs.iter().filter(|run| matches!(run.verdicts.get(place), Some(Verdict::Broken(_)))).count()
    }

    /// The command that replays a run.
    pub fn replay(&self, at: PointSpec) -> String {
        let seed = self.seed.map_or(String::new(), |seed| format!(" --seed {seed}"));
        format!("cargo xtask scenario {}{seed} --at {at}", self.scenario)
    }

    /// The table, the violations, and a replay command for each.
    pub fn table(&self) -> String {
        let mut out = format!("{}  {} runs\n", self.function, self.runs.len());
        let width = self.invariants.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        for (place, name) in self.invariants.iter().enumerate() {
            let count = |wanted: fn(&Verdict) -> bool| {
                self.runs.iter().filter(|run| run.verdicts.get(place).is_some_and(wanted)).count()
            };
            let held = count(|verdict| *verdict == Verdict::Held);
            let in_window = count(|verdict| matches!(verdict, Verdict::InWindow(_)));
            let broken = self.broken(place);
            out += &format!("  {name:<width$}  {held}/{}", self.runs.len());
            if in_window > 0 {
                out += &format!(", {in_window} inside the declared window");
            }
            if broken > 0 {
                out += &format!(", {broken} BROKEN");
            }
            if self.violated == Some(place) {
                out += if broken > 0 { " as the script expects" } else { ", but the script expects it BROKEN" };
            }
            out.push('\n');
        }
        out + &self.violations()
    }

    fn violations(&self) -> String {
        let mut out = String::new();
        for (place, name) in self.invariants.iter().enumerate() {
            let broken = self.runs.iter().filter_map(|run| match run.verdicts.get(place) {
                Some(Verdict::Broken(why)) => Some((run.at, why)),
                _ => None,
            });
            let broken: Vec<_> = broken.collect();
            for (at, why) in broken.iter().take(LISTED_MAX) {
                out += &format!("broken: {name} at {at}: {why}\n  replay: {}\n", self.replay(*at));
            }
            if broken.len() > LISTED_MAX {
                out += &format!("broken: {name} in {} more runs\n", broken.len() - LISTED_MAX);
            }
        }
        if out.is_empty() {
            let in_window =
                self.runs.iter().find(|run| run.verdicts.iter().any(|verdict| matches!(verdict, Verdict::InWindow(_))));
            if let Some(run) = in_window.or(self.runs.first()) {
                out = format!("replay one: {}\n", self.replay(run.at));
            }
        }
        out
    }
}
