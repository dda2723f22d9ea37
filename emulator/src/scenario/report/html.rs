//! All reports of a run as one HTML file that needs nothing else: no script, no font, no network.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{StepOutcome, TraceView, clock, coverage, mermaid, policy, sequence, timeline};

const STYLE: &str = "
:root { color-scheme: light dark; --line: #8884; --good: #1a7f37; --bad: #cf222e; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
pre { font: 13px/1.35 ui-monospace, monospace; overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; padding: .8rem; }
table { border-collapse: collapse; width: 100%; }
td, th { border-bottom: 1px solid var(--line); padding: .25rem .6rem; text-align: left; vertical-align: top; }
td.time, td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
.passed { color: var(--good); } .failed { color: var(--bad); } .skipped { opacity: .6; }
";

/// The file. `declared` gives the policy documents of roles, `supported` the operations of services.
pub fn html(
    trace: &TraceView,
    declared: &BTreeMap<String, Vec<Value>>,
    supported: &BTreeMap<String, Vec<String>>,
) -> String {
    let title = escape(&trace.title);
    let failed = trace.steps.iter().filter(|step| matches!(step.outcome, StepOutcome::Failed(_))).count();
    let verdict =
        if failed == 0 { "<span class=\"passed\">passed</span>" } else { "<span class=\"failed\">failed</span>" };
    let times = format!("{} to {}", trace.start.to_iso_millis(), trace.end.to_iso_millis());
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n\
         <p>{name}: {verdict}; virtual time {times}; {calls} calls.</p>\n",
        name = escape(&trace.name),
        calls = trace.records.len(),
    );
    out += &steps(trace);
    let coverage = coverage::coverage(&trace.records, supported);
    let policies = policy::policies(&trace.records, declared);
    for (heading, text) in [
        ("Sequence", sequence::sequence(trace)),
        ("Timeline", timeline::timeline(trace)),
        ("Least privilege", policies),
        ("Operations", coverage),
    ] {
        out += &format!("<h2>{heading}</h2>\n<pre>{}</pre>\n", escape(&text));
    }
    let source = escape(&mermaid::mermaid(trace));
    out += &format!("<details><summary>Mermaid source</summary>\n<pre>{source}</pre>\n</details>\n</body>\n</html>\n");
    out
}

fn steps(trace: &TraceView) -> String {
    let mut out = String::from("<h2>Steps</h2>\n<table>\n<tr><th>Time</th><th>Line</th><th>Step</th></tr>\n");
    for (index, step) in trace.steps.iter().enumerate() {
        let (class, why) = match &step.outcome {
            StepOutcome::Passed => ("passed", String::new()),
            StepOutcome::Skipped => ("skipped", String::new()),
            StepOutcome::Failed(why) => ("failed", format!("<pre>{}</pre>", escape(why))),
        };
        let queues: String =
            trace.queues_after(index).iter().map(|line| format!("<br><small>{}</small>", escape(line))).collect();
        out += &format!(
            "<tr class=\"{class}\"><td class=\"time\">{}</td><td class=\"number\">{}</td><td><code>{}</code>{why}{queues}</td></tr>\n",
            clock(step.at, trace.start),
            step.line,
            escape(&step.text),
        );
    }
    out + "</table>\n"
}

/// Text as HTML shows it, safe in elements and in attributes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
