//! Calls with their repetitions folded: what the sequence diagrams draw.

use super::Record;
use crate::Timestamp;

/// The longest group of calls that is looked for as a repetition.
const PERIOD_MAX: usize = 24;

/// The most rows that a diagram shows; the middle of a longer run is left out.
const ROWS_MAX: usize = 160;

/// A row of a diagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Row<'t> {
    /// A call.
    Call(&'t Record),
    /// The `calls` rows above, `times` times more, until a point in time.
    Again { calls: usize, times: usize, until: Timestamp },
    /// So many calls that are not shown.
    LeftOut(usize),
}

/// Whether two calls look the same in a diagram, times and points aside.
fn alike(a: &Record, b: &Record) -> bool {
    a.from() == b.from()
        && a.to() == b.to()
        && a.operation == b.operation
        && a.resource == b.resource
        && a.answer() == b.answer()
        && a.note == b.note
}

/// Folds repetitions, then leaves the middle out if there is still too much.
pub(super) fn fold(records: &[Record]) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    let mut at = 0;
    while at < records.len() {
        let (period, times) = repetition(&records[at..]);
        rows.extend(records[at..at + period].iter().map(Row::Call));
        if times > 0 {
            let end = at + period * (times + 1);
            let until = records.get(end - 1).map_or(Timestamp::default(), |record| record.at);
            rows.push(Row::Again { calls: period, times, until });
        }
        at += period * (times + 1);
    }
    leave_out(rows)
}

/// The shortest beginning that repeats and how many times more it follows; one call and none if nothing repeats.
fn repetition(records: &[Record]) -> (usize, usize) {
    let mut best = (1, 0);
    for period in 1..=PERIOD_MAX.min(records.len() / 2) {
        let same = records.iter().zip(&records[period..]).take_while(|(a, b)| alike(a, b)).count();
        let times = same / period;
        // A fold must save at least a row, and the one that covers most wins.
        if times > 0 && period * times > 1 && period * times > best.0 * best.1 {
            best = (period, times);
        }
    }
    best
}

fn leave_out(mut rows: Vec<Row<'_>>) -> Vec<Row<'_>> {
    if rows.len() <= ROWS_MAX {
        return rows;
    }
    let tail = rows.split_off(rows.len() - ROWS_MAX / 2);
    let middle = rows.split_off(ROWS_MAX / 2);
    let calls = middle.iter().map(|row| match row {
        Row::Call(_) => 1,
        Row::Again { calls, times, .. } => calls * times,
        Row::LeftOut(calls) => *calls,
    });
    rows.push(Row::LeftOut(calls.sum()));
    rows.extend(tail);
    rows
}

/// Who takes part, in the order in which they appear.
pub(super) fn participants(records: &[Record]) -> Vec<&str> {
    let mut participants: Vec<&str> = Vec::new();
    for name in records.iter().flat_map(|record| [record.from(), record.to()]) {
        if !participants.contains(&name) {
            participants.push(name);
        }
    }
    participants
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(operations: &str) -> Vec<Record> {
        let record = |(at, letter): (usize, char)| Record {
            at: Timestamp::from_secs(i64::try_from(at).unwrap_or(0)),
            operation: letter.to_string(),
            ..Record::default()
        };
        operations.chars().enumerate().map(record).collect()
    }

    fn folded(operations: &str) -> String {
        let records = records(operations);
        let show = |row: &Row<'_>| match row {
            Row::Call(record) => record.operation.clone(),
            Row::Again { calls, times, until } => format!("({calls}x{times}@{})", until.secs()),
            Row::LeftOut(calls) => format!("…{calls}…"),
        };
        fold(&records).iter().map(show).collect()
    }

    #[test]
    fn repetitions_fold() {
        assert_eq!(folded("abc"), "abc");
        assert_eq!(folded("aab"), "aab", "folding one call saves no row");
        assert_eq!(folded("aaaab"), "a(1x3@3)b");
        assert_eq!(folded("xabcabcabcy"), "xabc(3x2@9)y");
        assert_eq!(folded("ababa"), "ab(2x1@3)a");
    }

    #[test]
    fn a_long_run_keeps_both_ends_and_counts_the_rest() {
        let mut text = String::new();
        for number in 0..500_u32 {
            text.extend(char::from_u32(0x4E00 + number));
        }
        let records = records(&text);
        let rows = fold(&records);
        assert_eq!(rows.len(), ROWS_MAX + 1);
        assert!(rows.contains(&Row::LeftOut(500 - ROWS_MAX)));
    }
}
