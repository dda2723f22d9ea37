//! A query at work: its commands on rows, one after the other.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::evaluate::{Common, Over};
use super::parse::{Command, Expression, Extraction, Named};
use super::row::Row;
use super::value::Value;

/// A line of the answer: names and values, in order.
pub(super) type Line = Vec<(String, String)>;

/// What is shown where a query does not say.
const DEFAULT: [&str; 2] = ["@timestamp", "@message"];

/// What a query found.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Found {
    pub lines: Vec<Line>,
    pub matched: usize,
    pub scanned: usize,
    pub bytes: usize,
    /// Whether it made more text than it may: then all else says nothing.
    pub spent: bool,
}

/// Runs a query over rows that come with the newest first.
pub(super) fn run<'a>(
    commands: &[Command],
    rows: impl Iterator<Item = (Row<'a>, usize)>,
    limit: usize,
    now: i64,
) -> Found {
    let common = &Common::at(now);
    let alone = commands.iter().take_while(|command| is_of_one_row(command)).count();
    let (of_one, of_all) = commands.split_at(alone);
    let mut found = Found::default();
    let mut kept = Vec::new();
    for (mut row, bytes) in rows {
        found.scanned += 1;
        found.bytes += bytes;
        if of_one.iter().all(|command| apply(command, &mut row, common)) {
            kept.push(row);
        }
        if common.is_spent() {
            break;
        }
    }
    found.matched = kept.len();
    let mut columns = Columns::default();
    of_one.iter().for_each(|command| columns.note(command));
    for command in of_all {
        columns.note(command);
        kept = apply_to_all(command, kept, common);
    }
    kept.truncate(limit);
    found.spent = common.is_spent();
    found.lines = kept.iter().map(|row| columns.line(row)).collect();
    found
}

fn is_of_one_row(command: &Command) -> bool {
    matches!(command, Command::Fields(_) | Command::Display(_) | Command::Filter(_) | Command::Parse { .. })
}

/// Works on a row; whether it is kept.
fn apply(command: &Command, row: &mut Row<'_>, common: &Common) -> bool {
    match command {
        Command::Fields(list) | Command::Display(list) => {
            for Named { name, expression } in list {
                if !matches!(expression, Expression::Field(field) if field == name) {
                    let value = Over { row, group: &[], common }.value(expression);
                    row.set(name, value);
                }
            }
            true
        }
        Command::Filter(condition) => Over { row, group: &[], common }.value(condition).holds(),
        Command::Parse { field, how, names } => {
            extract(row, field, how, names);
            true
        }
        _ => true,
    }
}

fn extract(row: &mut Row<'_>, field: &str, how: &Extraction, names: &[String]) {
    let Some(text) = row.get(field).text() else { return };
    let (Extraction::Glob(regex) | Extraction::Groups(regex)) = how;
    let Some(captures) = regex.captures(&text) else { return };
    for (place, name) in names.iter().enumerate() {
        let part = match how {
            Extraction::Glob(_) => captures.get(place + 1),
            Extraction::Groups(_) => captures.name(name),
        };
        if let Some(part) = part {
            row.set(name, Value::Text(part.as_str().to_owned()));
        }
    }
}

fn apply_to_all<'a>(command: &Command, mut rows: Vec<Row<'a>>, common: &Common) -> Vec<Row<'a>> {
    match command {
        Command::Stats { aggregations, by } => stats(aggregations, by, rows, common),
        Command::Sort(keys) => {
            let key = |row: &Row<'_>| {
                keys.iter().map(|(key, _)| Over { row, group: &[], common }.value(key)).collect::<Vec<_>>()
            };
            let mut keyed: Vec<_> = rows.into_iter().map(|row| (key(&row), row)).collect();
            keyed.sort_by(|(a, _), (b, _)| {
                let orders = a.iter().zip(b).zip(keys).map(|((a, b), (_, down))| {
                    let order = a.order(b);
                    if *down { order.reverse() } else { order }
                });
                orders.fold(Ordering::Equal, Ordering::then)
            });
            keyed.into_iter().map(|(_, row)| row).collect()
        }
        Command::Limit(limit) => {
            rows.truncate(*limit);
            rows
        }
        Command::Dedup(names) => {
            let mut seen = BTreeSet::new();
            rows.retain(|row| {
                // What lacks a field is like nothing else.
                let key: Option<Vec<String>> = names.iter().map(|name| row.get(name).text()).collect();
                key.is_none_or(|key| seen.insert(key))
            });
            rows
        }
        one => {
            rows.retain_mut(|row| apply(one, row, common));
            rows
        }
    }
}

/// The values that the rows of a group have in common, and the rows.
type Group<'a> = (Vec<Value>, Vec<Row<'a>>);

fn stats<'a>(aggregations: &[Named], by: &[Named], rows: Vec<Row<'a>>, common: &Common) -> Vec<Row<'a>> {
    let mut groups: BTreeMap<Vec<Option<String>>, Group<'a>> = BTreeMap::new();
    for row in rows {
        let values: Vec<Value> =
            by.iter().map(|one| Over { row: &row, group: &[], common }.value(&one.expression)).collect();
        let key = values.iter().map(Value::text).collect();
        groups.entry(key).or_insert_with(|| (values, Vec::new())).1.push(row);
    }
    if groups.is_empty() && by.is_empty() {
        groups.insert(Vec::new(), (Vec::new(), Vec::new()));
    }
    let nothing = Row::default();
    let line = |(values, group): Group<'a>| {
        let mut line = Row::default();
        by.iter().zip(values).for_each(|(one, value)| line.set(&one.name, value));
        for one in aggregations {
            let over = Over { row: group.first().unwrap_or(&nothing), group: &group, common };
            line.set(&one.name, over.value(&one.expression));
        }
        line
    };
    groups.into_values().map(line).collect()
}

/// Which columns an answer has.
#[derive(Default)]
struct Columns {
    names: Vec<String>,
    displayed: Option<Vec<String>>,
}

impl Columns {
    fn note(&mut self, command: &Command) {
        let names = |list: &[Named]| list.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
        match command {
            Command::Display(list) => self.displayed = Some(names(list)),
            Command::Fields(list) => self.add(names(list)),
            Command::Parse { names, .. } => self.add(names.clone()),
            Command::Stats { aggregations, by } => {
                self.names = Vec::new();
                self.displayed = None;
                self.add(names(by));
                self.add(names(aggregations));
            }
            _ => {}
        }
    }

    fn add(&mut self, names: Vec<String>) {
        for name in names {
            if !self.names.contains(&name) {
                self.names.push(name);
            }
        }
    }

    fn line(&self, row: &Row<'_>) -> Line {
        let names = self.displayed.as_ref().unwrap_or(&self.names);
        let value = |name: &str| Some((name.to_owned(), row.get(name).text()?));
        let mut line: Line = if names.is_empty() {
            DEFAULT.iter().filter_map(|name| value(name)).collect()
        } else {
            names.iter().filter_map(|name| value(name)).collect()
        };
        line.extend(row.pointer().map(|pointer| ("@ptr".to_owned(), pointer)));
        line
    }
}
