//! A row: an event with what was computed of it, or a line of statistics.

use std::cell::OnceCell;

use super::discover::{Fields, discover};
use super::value::Value;
use crate::Timestamp;
use crate::logs::id::EventKey;
use crate::logs::token;

/// What of an event a query can ask for.
#[derive(Clone, Debug)]
pub(super) struct Source<'a> {
    pub group: &'a str,
    /// `account:group`.
    pub log: String,
    pub stream: &'a str,
    pub message: &'a str,
    pub ingested: i64,
    /// Where the event stands in its group.
    pub key: EventKey,
}

impl Source<'_> {
    /// Where the event is found again: what `GetLogRecord` takes.
    fn pointer(&self) -> String {
        token::encode(&(self.group, self.key)).unwrap_or_default()
    }
}

/// A row of a query on its way.
#[derive(Debug, Default)]
pub(super) struct Row<'a> {
    source: Option<Source<'a>>,
    found: OnceCell<Fields>,
    /// In the order in which it was computed.
    pub computed: Vec<(String, Value)>,
}

impl<'a> Row<'a> {
    pub fn of(source: Source<'a>) -> Self {
        Self { source: Some(source), ..Self::default() }
    }

    /// Where the event is found again; `None` for a line of statistics.
    pub fn pointer(&self) -> Option<String> {
        self.source.as_ref().map(Source::pointer)
    }

    /// When the event happened; the epoch for a line of statistics.
    pub fn time(&self) -> Timestamp {
        self.source.as_ref().map(|source| source.key.0).unwrap_or_default()
    }

    pub fn set(&mut self, name: &str, value: Value) {
        match self.computed.iter_mut().find(|(other, _)| other == name) {
            Some((_, old)) => *old = value,
            None => self.computed.push((name.to_owned(), value)),
        }
    }

    /// The value of a field.
    pub fn get(&self, name: &str) -> Value {
        if let Some((_, value)) = self.computed.iter().find(|(other, _)| other == name) {
            return value.clone();
        }
        let Some(source) = &self.source else { return Value::Missing };
        match name {
            "@timestamp" => Value::Time(source.key.0.millis()),
            "@ingestionTime" => Value::Time(source.ingested),
            "@message" => Value::Text(source.message.to_owned()),
            "@logStream" => Value::Text(source.stream.to_owned()),
            "@log" => Value::Text(source.log.clone()),
            "@ptr" => Value::Text(source.pointer()),
            _ => self.found().get(name).cloned().unwrap_or(Value::Missing),
        }
    }

    /// All that is found in the event; nothing in a line of statistics.
    pub fn found(&self) -> &Fields {
        let find = |source: &Source<'_>| discover(source.group, source.message);
        self.found.get_or_init(|| self.source.as_ref().map(find).unwrap_or_default())
    }
}
