//! `snapshot [NAME]`: what happened so far and what the sinks received, compared with a file in `snapshots/`.

use std::fs;

use super::player::{Player, Wrong};
use super::{stem, view::View};
use crate::scenario::expect::{Mismatch, RunView};
use crate::scenario::report::timeline::timeline;
use crate::scenario::report::{StepOutcome, StepView, TraceView};
use crate::scenario::script::Span;

pub(super) fn compare(player: &Player<'_>, name: Option<&str>, span: Span) -> Result<(), Wrong> {
    let file = match name {
        Some(name) => format!("{}-{name}.snap", stem(player.script)),
        None => format!("{}.snap", stem(player.script)),
    };
    let path = player.stage.root().join("snapshots").join(&file);
    // Ids are part of what was received, and come from the seed: a snapshot is of one seed.
    let text =
        format!("---\nsource: scenarios/{}.scn\nseed: {}\n---\n{}", stem(player.script), player.seed, shown(player));
    let failed = |what: &str, why: std::io::Error| Wrong::new(span, format!("the snapshot {file} {what}: {why}"));
    let kept = match fs::read_to_string(&path) {
        Ok(kept) => Some(kept),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => None,
        Err(why) => return Err(failed("cannot be read", why)),
    };
    if player.options.bless {
        if kept.as_deref() != Some(&text) {
            fs::create_dir_all(player.stage.root().join("snapshots")).map_err(|why| failed("has no folder", why))?;
            fs::write(&path, &text).map_err(|why| failed("cannot be written", why))?;
        }
        return Ok(());
    }
    match kept {
        Some(kept) if kept == text => Ok(()),
        // Of a run with other ids there is no snapshot to compare with.
        Some(kept) if seed_of(&kept) != seed_of(&text) => Ok(()),
        Some(kept) => Err(Wrong {
            difference: Some(Mismatch::new(file, kept, text).to_string()),
            ..Wrong::new(span, "the run differs from its snapshot")
        }),
        None => Err(Wrong::new(span, format!("there is no snapshot {file} yet: accept one with --bless"))),
    }
}

fn seed_of(text: &str) -> Option<&str> {
    text.lines().find(|line| line.starts_with("seed: "))
}

/// The timeline from the stack on, then the bodies that the sinks received.
fn shown(player: &Player<'_>) -> String {
    let view = player.view();
    let records = view.records.iter().filter(|record| record.step.is_some()).cloned().collect();
    let steps = view.steps.into_iter().map(|step| StepView { outcome: StepOutcome::Passed, ..step }).collect();
    let mut text = timeline(&TraceView { steps, records, ..view });
    for sink in player.script.header.sinks.keys() {
        for (number, request) in View(player).sink(sink).unwrap_or_default().iter().enumerate() {
            let status = request.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
            let body = serde_json::to_string_pretty(&request.body).unwrap_or_else(|why| why.to_string());
            text += &format!("\n{sink}[{number}] → {status}\n{body}\n");
        }
    }
    text
}
