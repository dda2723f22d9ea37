//! The timeline: each step with its virtual time, and below it the calls that were made meanwhile.

use super::{Record, StepOutcome, StepView, TraceView, clock, cut};

/// Columns of the text.
const WIDTH: usize = 100;
/// Calls shown below one step; the middle of more is left out.
const CALLS_MAX: usize = 40;

/// The timeline as text.
pub fn timeline(trace: &TraceView) -> String {
    let mut out = format!("{}\n", trace.title);
    let before: Vec<&Record> = trace.records.iter().filter(|record| record.step.is_none()).collect();
    if !before.is_empty() {
        out += &format!("{}  deploy\n", clock(trace.start, trace.start));
        calls(&before, trace, &mut out);
    }
    for (index, step) in trace.steps.iter().enumerate() {
        write_step(step, trace, &mut out);
        let made: Vec<&Record> = trace.records.iter().filter(|record| record.step == Some(index)).collect();
        calls(&made, trace, &mut out);
        queues(trace, index, &mut out);
    }
    out += &format!("{}  end\n", clock(trace.end, trace.start));
    out
}

/// The steps alone, each with the virtual time at which it began, and how it ended.
pub fn steps(trace: &TraceView) -> String {
    let mut out = format!("{}\n", trace.title);
    for (index, step) in trace.steps.iter().enumerate() {
        write_step(step, trace, &mut out);
        queues(trace, index, &mut out);
    }
    out
}

fn write_step(step: &StepView, trace: &TraceView, out: &mut String) {
    let mark = match step.outcome {
        StepOutcome::Passed => "✓",
        StepOutcome::Failed(_) => "✗",
        StepOutcome::Skipped => "·",
    };
    let line = format!("{}  {mark} {:>3} {}", clock(step.at, trace.start), step.line, step.text);
    *out += &(cut(&line, WIDTH) + "\n");
    if let StepOutcome::Failed(why) = &step.outcome {
        why.lines().for_each(|line| *out += &format!("{:20}{line}\n", ""));
    }
}

/// What the queues hold after a step.
fn queues(trace: &TraceView, index: usize, out: &mut String) {
    for line in trace.queues_after(index) {
        *out += &(cut(&format!("{:16}{line}", ""), WIDTH) + "\n");
    }
}

fn calls(records: &[&Record], trace: &TraceView, out: &mut String) {
    let left_out = records.len().saturating_sub(CALLS_MAX);
    for (at, record) in records.iter().enumerate() {
        if left_out > 0 && at == CALLS_MAX / 2 {
            *out += &format!("{:16}… {left_out} calls left out\n", "");
        }
        if left_out > 0 && (CALLS_MAX / 2..CALLS_MAX / 2 + left_out).contains(&at) {
            continue;
        }
        let line = format!("{:4}{}  {} {}", "", clock(record.at, trace.start), record.from(), record.summary());
        *out += &(cut(&line, WIDTH) + "\n");
    }
}
