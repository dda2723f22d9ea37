//! The header's sinks: `[sinks.slack]` with its answers, `[sinks.smtp]` with `kind = "smtp"` and what the server asks for.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::DeValue;

use super::answer::Answer;
use super::diagnostic::{Problem, Span};
use super::header::{RESERVED_NAMES, Reader, Table};
use super::template::{Scope, is_identifier};
use crate::sinks::smtp::{Credentials, SmtpOptions, Tls};

const HTTP_KEYS: [&str; 2] = ["kind", "answers"];
const SMTP_KEYS: [&str; 6] = ["kind", "answers", "tls", "user", "password", "max_size"];
const KINDS: [&str; 2] = ["http", "smtp"];
const TLS: [&str; 3] = ["off", "optional", "required"];

/// A sink as the header declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sink {
    /// What it is.
    pub kind: SinkKind,
    /// What it answers, by attempt; the last answer repeats.
    pub answers: Vec<Answer>,
}

/// What a sink is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkKind {
    /// An HTTP service: what a sink is that does not say otherwise.
    Http,
    /// `kind = "smtp"`: a mail server.
    Smtp(SmtpOptions),
}

impl Sink {
    /// Whether it is a mail server.
    pub fn is_mail(&self) -> bool {
        matches!(self.kind, SinkKind::Smtp(_))
    }
}

/// What can be named where only the sinks are known.
pub(super) fn scope(sinks: &BTreeMap<String, Sink>) -> Scope {
    let mail = sinks.iter().filter(|(_, sink)| sink.is_mail());
    Scope {
        sinks: sinks.keys().cloned().collect(),
        mail: mail.map(|(name, _)| name.clone()).collect(),
        ..Scope::default()
    }
}

pub(super) fn read(reader: &Reader<'_>, table: Table<'_, '_>) -> Result<BTreeMap<String, Sink>, Problem> {
    let mut sinks = BTreeMap::new();
    let keys: BTreeMap<&str, Span> = match table.get("sinks").and_then(|value| value.get_ref().as_table()) {
        Some(table) => table.keys().map(|key| (key.get_ref().as_ref(), reader.at(key))).collect(),
        None => BTreeMap::new(),
    };
    for (name, value) in reader.entries(table, "sinks")? {
        let place = keys.get(name).copied().unwrap_or(reader.at(value));
        if !is_identifier(name) || RESERVED_NAMES.contains(&name) {
            return Err(Problem::new(place, format!("`{name}` cannot name a sink"))
                .help("letters, digits and `_`, not a word that expectations use"));
        }
        let Some(sink) = value.get_ref().as_table() else {
            return Err(Problem::new(reader.at(value), format!("the sink `{name}` must be a table with `answers`")));
        };
        sinks.insert(name.to_owned(), Declared { reader, name, sink }.read(place)?);
    }
    Ok(sinks)
}

/// One sink's table.
struct Declared<'r, 't, 's> {
    reader: &'r Reader<'r>,
    name: &'t str,
    sink: Table<'t, 's>,
}

impl<'s> Declared<'_, '_, 's> {
    fn read(&self, place: Span) -> Result<Sink, Problem> {
        let name = self.name;
        let kind = match self.choice("kind", &KINDS)? {
            Some("smtp") => {
                self.reader.refuse_unknown(self.sink, &SMTP_KEYS, &format!("the mail server `{name}`"))?;
                SinkKind::Smtp(self.options()?)
            }
            _ => {
                self.reader.refuse_unknown(self.sink, &HTTP_KEYS, &format!("the sink `{name}`"))?;
                SinkKind::Http
            }
        };
        let answers = self
            .sink
            .get("answers")
            .ok_or_else(|| Problem::new(place, format!("the sink `{name}` has no `answers`")))?;
        let answers = self.answers(matches!(kind, SinkKind::Smtp(_)), answers)?;
        Ok(Sink { kind, answers })
    }

    fn options(&self) -> Result<SmtpOptions, Problem> {
        let mut options = SmtpOptions::default();
        options.tls = match self.choice("tls", &TLS)? {
            Some("off") => Tls::Off,
            Some("required") => Tls::Required,
            _ => Tls::Optional,
        };
        options.credentials = match (self.text("user")?, self.text("password")?) {
            (Some((user, _)), Some((password, _))) => {
                Some(Credentials { user: user.to_owned(), password: password.to_owned() })
            }
            (None, None) => None,
            (Some((_, span)), None) | (None, Some((_, span))) => {
                return Err(Problem::new(span, "`user` and `password` go together"));
            }
        };
        if let Some((text, span)) = self.text("max_size")? {
            options.max_size = super::files::size(text).map_err(|why| Problem::new(span, why))?;
        }
        Ok(options)
    }

    fn text(&self, key: &str) -> Result<Option<(&str, Span)>, Problem> {
        let Some(value) = self.sink.get(key) else { return Ok(None) };
        let span = self.reader.at(value);
        let text = value.get_ref().as_str().filter(|text| !text.is_empty());
        text.map(|text| Some((text, span)))
            .ok_or_else(|| Problem::new(span, format!("`{key}` must be a text in quotes")))
    }

    fn choice(&self, key: &str, choices: &[&'static str]) -> Result<Option<&'static str>, Problem> {
        let Some((text, span)) = self.text(key)? else { return Ok(None) };
        let found = choices.iter().copied().find(|choice| *choice == text);
        let wrong = || {
            let choices = choices.iter().copied();
            Problem::new(span, format!("`{text}` is no `{key}`: {}", choices.clone().collect::<Vec<_>>().join(", ")))
                .did_you_mean(text, choices)
        };
        found.map(Some).ok_or_else(wrong)
    }

    fn answers(&self, mail: bool, value: &Spanned<DeValue<'s>>) -> Result<Vec<Answer>, Problem> {
        let wrong = |span| {
            let what = format!("the answers of `{}` must be a list of texts, such as [\"429\", \"200\"]", self.name);
            Problem::new(span, what)
        };
        let list = value.get_ref().as_array().filter(|list| !list.is_empty());
        let list = list.ok_or_else(|| wrong(self.reader.at(value)))?;
        let mut answers = Vec::new();
        for item in list.iter() {
            let span = self.reader.at(item);
            let text = item.get_ref().as_str().ok_or_else(|| wrong(span))?;
            answers.push(Answer::parse_for(mail, text, 0).map_err(|problem| Problem { span, ..problem })?);
        }
        Ok(answers)
    }
}
