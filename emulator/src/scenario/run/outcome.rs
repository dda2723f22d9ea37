//! What a run came to, and how it is told.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};

use super::player::{Player, Wrong};
use super::{Run, stem};
use crate::Timestamp;
use crate::cloud::{Cloud, Record};
use crate::scenario::fault::PointSpec;
use crate::scenario::report::exploration::Verdict;
use crate::scenario::report::{self, TraceView, policy, sequence, timeline};
use crate::scenario::script::Diagnostic;

/// What is left of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The run as reports see it.
    pub view: TraceView,
    /// The first step that failed.
    pub failure: Option<Failure>,
    /// The invariants and whether each held; none after a failed step.
    pub verdicts: Vec<(String, Verdict)>,
    /// What ids and chance came from.
    pub seed: u64,
    /// The fault that was aimed at a call, if one was.
    pub at: Option<PointSpec>,
    /// With `--bless`: the script's new text, if it changed.
    pub blessed: Option<String>,
    /// The operations of each service, for reports.
    pub supported: BTreeMap<String, Vec<String>>,
    /// The policies of the roles that made calls, for reports.
    pub declared: BTreeMap<String, Vec<Value>>,
    /// The trace.
    pub trace: Vec<Record>,
}

/// A step that failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What is wrong, drawn at its place in the script.
    pub diagnostic: Diagnostic,
    /// What is wrong, in one sentence.
    pub message: String,
    /// The virtual time.
    pub at: Timestamp,
    /// The call that is the matter, if one is.
    pub call: Option<String>,
    /// What was wanted and what there was.
    pub difference: Option<String>,
    /// The command that replays the run.
    pub replay: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\nat {}", self.diagnostic, self.at.to_iso_millis())?;
        if let Some(call) = &self.call {
            write!(f, ", at the call {call}")?;
        }
        if let Some(difference) = &self.difference {
            write!(f, "\n{difference}")?;
        }
        write!(f, "\nreplay: {}", self.replay)
    }
}

pub(super) fn failure(player: &Player<'_>, index: usize, wrong: Wrong) -> Failure {
    let call = player.books.calls.iter().rev().find(|call| wrong.is_call && call.step == Some(index));
    Failure {
        message: wrong.problem.message.clone(),
        diagnostic: player.script.diagnostic(wrong.problem),
        at: player.cloud.now(),
        call: call.map(report::Record::summary),
        difference: wrong.difference,
        replay: replay(&stem(player.script), player.seed, player.options.at),
    }
}

/// The command that runs the same again.
fn replay(name: &str, seed: u64, at: Option<PointSpec>) -> String {
    let at = at.map_or(String::new(), |at| format!(" --at {at}"));
    format!("cargo xtask scenario {name} --seed {seed}{at}")
}

impl Outcome {
    /// Whether every step passed, unless something was broken on purpose, and no invariant was broken.
    pub fn passed(&self) -> bool {
        self.failure.is_none() && self.verdicts.iter().all(|(_, verdict)| !matches!(verdict, Verdict::Broken(_)))
    }

    /// The trace, one record a line, as JSON.
    pub fn trace_lines(&self) -> String {
        let line =
            |record: &Record| serde_json::to_string(record).unwrap_or_else(|why| format!("{{\"error\":\"{why}\"}}"));
        self.trace.iter().map(|record| line(record) + "\n").collect()
    }

    /// The command that runs the same again.
    pub fn replay(&self) -> String {
        replay(&self.view.name, self.seed, self.at)
    }

    /// The run as people read it: each step with its virtual time, the invariants, the sequence diagram.
    pub fn report(&self) -> String {
        let mut out = timeline::steps(&self.view);
        for (name, verdict) in &self.verdicts {
            out += &match verdict {
                Verdict::Held => format!("{:14}✓ {name}\n", ""),
                Verdict::InWindow(why) => format!("{:14}✓ {name}: inside the declared window: {why}\n", ""),
                Verdict::Broken(why) => format!("{:14}✗ {name}: {why}\n", ""),
            };
        }
        if let Some(failure) = &self.failure {
            out += &format!("\n{failure}\n");
        } else if !self.passed() {
            out += &format!("\nreplay: {}\n", self.replay());
        }
        out + "\n" + &sequence::sequence(&self.drawn())
    }

    /// The run without what a diagram need not show: the making of the stack, and what Lambda itself notes of every
    /// invocation (its log lines).
    pub fn drawn(&self) -> TraceView {
        let noted = |record: &report::Record| {
            record.invocation.is_none()
                && record.caller != "scenario"
                && matches!(&*record.operation, "CreateLogGroup" | "CreateLogStream" | "PutLogEvents")
        };
        let records = self
            .view
            .records
            .iter()
            .filter(|record| (record.step.is_some() || record.invocation.is_some()) && !noted(record));
        TraceView { records: records.cloned().collect(), ..self.view.clone() }
    }
}

/// The operations of each service.
pub(super) fn supported(cloud: &Cloud) -> BTreeMap<String, Vec<String>> {
    let services = cloud.0.services.iter();
    services
        .map(|(name, service)| ((*name).to_owned(), service.operations().into_iter().map(str::to_owned).collect()))
        .collect()
}

/// The inline policies of the roles that made calls. A role that is gone by the end has none.
pub(super) fn declared(run: &Run, calls: &[report::Record]) -> BTreeMap<String, Vec<Value>> {
    let mut declared = BTreeMap::new();
    for role in policy::roles(calls) {
        let Ok(listed) = run.call("iam", "ListRolePolicies", json!({ "RoleName": role })) else { continue };
        let names = listed.output["PolicyNames"].as_array().into_iter().flatten();
        let document = |name: &Value| {
            let found = run.call("iam", "GetRolePolicy", json!({ "RoleName": role, "PolicyName": name })).ok()?;
            let text = found.output["PolicyDocument"].as_str()?.to_owned();
            let text = percent_encoding::percent_decode_str(&text).decode_utf8().ok()?.into_owned();
            serde_json::from_str(&text).ok()
        };
        declared.insert(role.clone(), names.filter_map(document).collect());
    }
    declared
}
