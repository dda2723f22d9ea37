//! The sequence diagram as Mermaid.

use super::rows::{Row, fold, participants};
use super::{Record, TraceView, clock, cut};

/// The longest label; Mermaid draws a line of text as wide as it is.
const LABEL_MAX: usize = 80;

/// A `sequenceDiagram`. Repetitions are noted, not drawn.
pub fn mermaid(trace: &TraceView) -> String {
    let names = participants(&trace.records);
    let id = |name: &str| format!("p{}", names.iter().position(|known| *known == name).unwrap_or(0));
    let mut out = String::from("sequenceDiagram\n");
    for name in &names {
        out += &format!("    participant {} as {}\n", id(name), escape(name));
    }
    let whole = |from: &str, to: &str| if from == to { from.to_owned() } else { format!("{from},{to}") };
    let (first, last) = (id(names.first().copied().unwrap_or_default()), id(names.last().copied().unwrap_or_default()));
    for row in fold(&trace.records) {
        match row {
            Row::Call(record) => call(record, trace, &id, &mut out),
            Row::Again { calls, times, until } => {
                let note = format!("the {calls} calls above {times} times more, until {}", clock(until, trace.start));
                out += &format!("    Note over {}: {}\n", whole(&first, &last), escape(&note));
            }
            Row::LeftOut(calls) => out += &format!("    Note over {}: {calls} calls left out\n", whole(&first, &last)),
        }
    }
    out
}

fn call(record: &Record, trace: &TraceView, id: &dyn Fn(&str) -> String, out: &mut String) {
    let (from, to) = (id(record.from()), id(record.to()));
    let resource = record.resource.as_ref().map_or(String::new(), |resource| format!(" {resource}"));
    let label = format!("{} {}{resource}", clock(record.at, trace.start), record.operation);
    // A cross at the head: nothing came back.
    let head = if record.status.is_some() { "->>" } else { "-x" };
    *out += &format!("    {from}{head}{to}: {}\n", escape(&label));
    if record.status.is_some() {
        *out += &format!("    {to}-->>{from}: {}\n", escape(&record.answer()));
    } else {
        *out += &format!("    Note over {to}: {}\n", escape(&record.answer()));
    }
}

/// Mermaid reads `;` and `#` as its own, and entities as text.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for letter in cut(text, LABEL_MAX).chars() {
        match letter {
            '#' | ';' | '<' | '>' | '"' | '&' | '%' => escaped += &format!("#{};", u32::from(letter)),
            other => escaped.push(other),
        }
    }
    escaped
}
