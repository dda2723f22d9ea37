//! The header between `+++` lines: TOML that names the stack, its parameters, the sinks and the start.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::{Problem, Span};
use super::files::{self, File};
use super::sinks::{self, Sink};
use super::template::{Scope, Template};
use crate::Timestamp;

const KEYS: [&str; 7] = ["title", "stack", "start", "seed", "parameters", "sinks", "files"];

/// Words that mean something else where a sink could be named.
pub(crate) const RESERVED_NAMES: [&str; 8] = ["stack", "calls", "invocations", "logs", "queue", "count", "n", "sinks"];

/// What a scenario starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the scenario shows, in a few words.
    pub title: String,
    /// The template to deploy, a path relative to the workspace.
    pub stack: String,
    /// The virtual time at which the run starts.
    pub start: Timestamp,
    /// The seed of ids and chance, unless the command line gives one.
    pub seed: Option<u64>,
    /// The stack's parameters.
    pub parameters: BTreeMap<String, Template>,
    /// The sinks.
    pub sinks: BTreeMap<String, Sink>,
    /// The files that commands may name: what each holds.
    pub files: BTreeMap<String, File>,
}

pub(super) type Table<'t, 's> = &'t DeTable<'s>;

/// Reads the header's text, which stands at byte `offset` of the script.
pub(crate) fn parse(text: &str, offset: usize) -> Result<Header, Problem> {
    let reader = Reader { text, offset };
    let document = DeTable::parse(text).map_err(|error| {
        let range = error.span().unwrap_or(0..text.trim_end().len());
        Problem::new(reader.span(range), format!("the header is not TOML: {}", error.message()))
    })?;
    let table = document.get_ref();
    reader.refuse_unknown(table, &KEYS, "the header")?;
    let sinks = sinks::read(&reader, table)?;
    let scope = sinks::scope(&sinks);
    Ok(Header {
        files: files::read(&reader, table)?,
        title: reader.required_text(table, "title")?.0,
        stack: reader.required_text(table, "stack")?.0,
        start: reader.start(table)?,
        seed: reader.seed(table)?,
        parameters: reader.parameters(table, &scope)?,
        sinks,
    })
}

/// The header's text, for the places of what is wrong in it.
pub(super) struct Reader<'s> {
    text: &'s str,
    offset: usize,
}

impl Reader<'_> {
    fn span(&self, range: Range<usize>) -> Span {
        Span::new(self.offset + range.start, self.offset + range.end)
    }

    pub(super) fn at<T>(&self, value: &Spanned<T>) -> Span {
        self.span(value.span())
    }

    /// The first unknown key in the order of the text.
    pub(super) fn refuse_unknown(&self, table: Table<'_, '_>, known: &[&str], place: &str) -> Result<(), Problem> {
        let unknown = table.keys().filter(|key| !known.contains(&key.get_ref().as_ref()));
        match unknown.min_by_key(|key| key.span().start) {
            None => Ok(()),
            Some(key) => Err(Problem::new(self.at(key), format!("{place} has no key `{}`", key.get_ref()))
                .did_you_mean(key.get_ref(), known.iter().copied())),
        }
    }

    fn required_text(&self, table: Table<'_, '_>, key: &str) -> Result<(String, Span), Problem> {
        let Some(value) = table.get(key) else {
            let end = self.text.len();
            return Err(Problem::new(self.span(end..end + 3), format!("the header does not give `{key}`")));
        };
        let text = value.get_ref().as_str().filter(|text| !text.trim().is_empty());
        let text = text.ok_or_else(|| Problem::new(self.at(value), format!("`{key}` must be a text in quotes")))?;
        Ok((text.to_owned(), self.at(value)))
    }

    fn start(&self, table: Table<'_, '_>) -> Result<Timestamp, Problem> {
        let (text, span) = match table.get("start").map(|value| (value, value.get_ref().as_datetime())) {
            Some((value, Some(time))) => (time.to_string(), self.at(value)),
            _ => self.required_text(table, "start")?,
        };
        text.parse().map_err(|_| {
            Problem::new(span, format!("`{text}` is not a point in time"))
                .help("write it as RFC 3339 with its offset, such as 2026-03-02T12:00:00Z")
        })
    }

    fn seed(&self, table: Table<'_, '_>) -> Result<Option<u64>, Problem> {
        let Some(value) = table.get("seed") else { return Ok(None) };
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|integer| u64::from_str_radix(&integer.as_str().replace('_', ""), integer.radix()).ok());
        number.map(Some).ok_or_else(|| Problem::new(self.at(value), "`seed` must be a whole number from 0 to 2^64-1"))
    }

    fn parameters(&self, table: Table<'_, '_>, scope: &Scope) -> Result<BTreeMap<String, Template>, Problem> {
        let mut parameters = BTreeMap::new();
        for (key, value) in self.entries(table, "parameters")? {
            let span = self.at(value);
            let text = match value.get_ref() {
                DeValue::String(text) => text.to_string(),
                DeValue::Integer(number) => number.to_string(),
                DeValue::Boolean(truth) => truth.to_string(),
                _ => {
                    return Err(Problem::new(
                        span,
                        format!("the parameter `{key}` must be a text, a number or a truth value"),
                    ));
                }
            };
            // Escapes in the TOML text shift offsets, so the whole value is the place of what is wrong in it.
            let template = Template::parse(&text, span.start).map_err(|problem| Problem { span, ..problem })?;
            scope.check(&template).map_err(|problem| Problem { span, ..problem })?;
            parameters.insert(key.to_owned(), template);
        }
        Ok(parameters)
    }

    pub(super) fn entries<'t, 's>(
        &self,
        table: Table<'t, 's>,
        key: &str,
    ) -> Result<Vec<(&'t str, &'t Spanned<DeValue<'s>>)>, Problem> {
        let Some(value) = table.get(key) else { return Ok(Vec::new()) };
        let entries = value.get_ref().as_table();
        let entries = entries.ok_or_else(|| Problem::new(self.at(value), format!("`{key}` must be a table")))?;
        Ok(entries.iter().map(|(name, value)| (name.get_ref().as_ref(), value)).collect())
    }
}
