//! What there is to run: the suites, the lists with their goals, and the baselines.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Deserialize;

/// `xtask/conformance/suites.json`.
#[derive(Deserialize)]
pub struct Plan {
    /// The suites by name.
    pub suites: BTreeMap<String, Suite>,
    /// The lists in the order of the table.
    pub lists: Vec<PlannedList>,
}

/// A public suite, at the commit that its lists were made from.
#[derive(Deserialize)]
pub struct Suite {
    /// Its folder below the suites' one.
    pub folder: String,
    pub repository: String,
    pub commit: String,
    /// What is kept of the repository; everything when left out.
    #[serde(default)]
    pub keep: Vec<String>,
    /// The Python environment it needs.
    pub venv: Option<String>,
    /// Whether `npm install` sets it up.
    #[serde(default)]
    pub npm: bool,
}

/// A list of tests of one suite for one service.
#[derive(Deserialize)]
pub struct PlannedList {
    list: String,
    /// The share of the list that must pass, in percent.
    pub goal: Option<u32>,
    /// What others reach of the whole suite, as recorded in `shared/conformance.md`, in percent.
    pub peers: Option<String>,
    /// Further arguments of `garoa serve`, where the list needs them.
    #[serde(default)]
    pub serve: Vec<String>,
}

/// Where the runner, the lists and the baselines are.
pub fn folder() -> PathBuf {
    crate::root().join("xtask/conformance")
}

impl Plan {
    /// Reads it.
    pub fn read() -> Result<Self, String> {
        let file = folder().join("suites.json");
        let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))
    }

    /// The lists that a list's, a suite's or a service's name stands for; without names those with a baseline.
    pub fn choose(&self, names: &[String]) -> Result<Vec<&PlannedList>, String> {
        if names.is_empty() {
            return Ok(self.lists.iter().filter(|list| list.baseline_path().exists()).collect());
        }
        let mut chosen = Vec::new();
        for name in names {
            let found = self.lists.iter().filter(|list| [list.name(), list.suite(), list.service()].contains(&&**name));
            let before = chosen.len();
            chosen.extend(found);
            if chosen.len() == before {
                let known: Vec<_> = self.lists.iter().map(PlannedList::name).collect();
                return Err(format!("no list, suite or service is called {name}; lists: {}", known.join(", ")));
            }
        }
        Ok(chosen)
    }
}

impl PlannedList {
    /// `localstack-sqs`.
    pub fn name(&self) -> &str {
        &self.list
    }

    pub fn suite(&self) -> &str {
        self.list.split_once('-').map_or(&*self.list, |(suite, _)| suite)
    }

    pub fn service(&self) -> &str {
        self.list.split_once('-').map_or("", |(_, service)| service)
    }

    /// The file with its tests, one a line.
    pub fn path(&self) -> PathBuf {
        folder().join(format!("lists/{}-public.txt", self.list))
    }

    fn baseline_path(&self) -> PathBuf {
        folder().join(format!("baseline/{}.txt", self.list))
    }

    /// The tests that are known to fail; `None` if nobody has blessed the list yet.
    pub fn baseline(&self) -> Result<Option<BTreeSet<String>>, String> {
        let file = self.baseline_path();
        match std::fs::read_to_string(&file) {
            Ok(text) => Ok(Some(text.lines().map(str::to_owned).collect())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{}: {error}", file.display())),
        }
    }

    /// Makes these the tests that are known to fail.
    pub fn bless(&self, failing: &BTreeSet<String>) -> Result<(), String> {
        let file = self.baseline_path();
        let mut text = String::new();
        for test in failing {
            text.push_str(test);
            text.push('\n');
        }
        std::fs::create_dir_all(folder().join("baseline"))
            .and_then(|()| std::fs::write(&file, text))
            .map_err(|error| format!("{}: {error}", file.display()))
    }
}
