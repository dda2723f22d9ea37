//! The runner: plays a script against a fresh cloud, checks it, and explores what breaks it.
//!
//! ```text
//! Script ─ player.rs: sinks, stack, steps ─▶ trace ─ records.rs ─▶ expectations (view.rs), reports, snapshots
//!                                             └─ verdict.rs: the invariants of invariants.rs
//! explore.rs: the same once for each fault at each call of a function
//! ```
//! A run is a function of the script, the template, the functions' code and the seed: its trace repeats to the byte.

pub mod explore;
mod http;
pub mod invariants;
mod models;
mod outcome;
mod player;
mod records;
mod snapshot;
mod steps;
mod verdict;
mod view;
mod websocket;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use invariants::{Invariants, Run};
pub use outcome::{Failure, Outcome};

use super::fault::PointSpec;
use super::script::Script;
use crate::lambda::FunctionFactory;

/// What scripts are played on: where templates and snapshots are, the functions' code, the invariants.
pub struct Stage {
    root: PathBuf,
    functions: BTreeMap<String, FunctionFactory>,
    invariants: Invariants,
}

/// How a script is run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What ids and chance come from; without it the script's own seed, or 0.
    pub seed: Option<u64>,
    /// A fault at a call of the explored function. Checks that fail do not end such a run: only invariants count.
    pub at: Option<PointSpec>,
    /// Whether what was printed becomes what is expected, in the script and in its snapshots.
    pub bless: bool,
}

impl Stage {
    /// A stage whose templates and snapshots are found below `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), functions: BTreeMap::new(), invariants: Invariants::default() }
    }

    /// The code of the function of this name. See [`crate::lambda::handler`].
    #[must_use]
    pub fn function(mut self, name: &str, factory: FunctionFactory) -> Self {
        self.functions.insert(name.to_owned(), factory);
        self
    }

    /// The invariants that scripts may name.
    #[must_use]
    pub fn invariants(mut self, invariants: Invariants) -> Self {
        self.invariants = invariants;
        self
    }

    /// The folder that templates and snapshots are below.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Runs a script, on this thread, in a runtime of its own.
    ///
    /// # Errors
    /// What keeps the script from being run at all: an invariant that nobody has written, a template that cannot be read or
    /// deployed. A step that fails is part of the outcome.
    pub fn run(&self, script: &Script, options: &Options) -> Result<Outcome, String> {
        self.invariants.check(script)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
        runtime.block_on(player::play(self, script, options))
    }
}

/// What a script is called on the command line: its file's name without folder and ending.
pub(crate) fn stem(script: &Script) -> String {
    let stem = Path::new(&script.name).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    stem.unwrap_or_else(|| script.name.clone())
}
