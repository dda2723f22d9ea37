//! Text with `{{…}}` in it: sinks, stack outputs, captured variables.

use std::collections::BTreeSet;

use super::diagnostic::{Problem, Span};

/// What stands between `{{` and `}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// `{{sinks.slack}}`: the sink's URL.
    Sink(String),
    /// `{{sinks.smtp.host}}`: a part of what one needs to reach a mail server.
    SinkPart(String, SinkPart),
    /// `{{stack.outputs.Url}}`: an output of the stack.
    Output(String),
    /// `{{last}}`: what a `=> last` line captured.
    Variable(String),
    /// `{{n}}`: the number of the repetition, from 1, in a `log … repeat N` block.
    Number,
}

/// What a client must know of a mail server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkPart {
    /// `host`
    Host,
    /// `port`
    Port,
    /// `certificate`: of the authority that vouches for the server, as PEM.
    Certificate,
}

impl SinkPart {
    const ALL: [Self; 3] = [Self::Host, Self::Port, Self::Certificate];

    fn word(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Port => "port",
            Self::Certificate => "certificate",
        }
    }
}

impl Name {
    /// As the script writes it, without the braces.
    pub fn as_written(&self) -> String {
        match self {
            Self::Sink(name) => format!("sinks.{name}"),
            Self::SinkPart(name, part) => format!("sinks.{name}.{}", part.word()),
            Self::Output(name) => format!("stack.outputs.{name}"),
            Self::Variable(name) => name.clone(),
            Self::Number => "n".to_owned(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Name(Name, Span),
}

/// A text whose `{{…}}` are filled in when the step runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

impl Template {
    /// A text without any name in it.
    pub fn literal(text: impl Into<String>) -> Self {
        Self { parts: vec![Part::Text(text.into())] }
    }

    /// Reads a text that stands at byte `offset` of the script.
    pub fn parse(text: &str, offset: usize) -> Result<Self, Problem> {
        let mut parts = Vec::new();
        let mut at = 0;
        while let Some(found) = text[at..].find("{{") {
            let open = at + found;
            let inside = open + 2;
            let Some(length) = text[inside..].find("}}") else {
                let span = Span::new(offset + open, offset + open + 2);
                return Err(Problem::new(span, "`{{` is not closed by `}}`"));
            };
            let written = &text[inside..inside + length];
            let span = Span::new(offset + open, offset + inside + length + 2);
            if open > at {
                parts.push(Part::Text(text[at..open].to_owned()));
            }
            parts.push(Part::Name(name(written, span)?, span));
            at = inside + length + 2;
        }
        if at < text.len() {
            parts.push(Part::Text(text[at..].to_owned()));
        }
        Ok(Self { parts })
    }

    /// Changes the literal text between the names.
    #[must_use]
    pub(crate) fn map_text(mut self, change: impl Fn(&str) -> String) -> Self {
        for part in &mut self.parts {
            if let Part::Text(text) = part {
                *text = change(text);
            }
        }
        self
    }

    /// The same template, each of its names at this place: for text whose bytes are not those of the script.
    #[must_use]
    pub(crate) fn at(mut self, place: Span) -> Self {
        for part in &mut self.parts {
            if let Part::Name(_, span) = part {
                *span = place;
            }
        }
        self
    }

    /// Appends literal text.
    pub(crate) fn push_text(&mut self, text: &str) {
        match self.parts.last_mut() {
            Some(Part::Text(last)) => last.push_str(text),
            _ if text.is_empty() => {}
            _ => self.parts.push(Part::Text(text.to_owned())),
        }
    }

    /// Appends another template.
    pub(crate) fn append(&mut self, other: Self) {
        for part in other.parts {
            match part {
                Part::Text(text) => self.push_text(&text),
                name @ Part::Name(..) => self.parts.push(name),
            }
        }
    }

    /// The literal text, if there is no name in it.
    pub fn as_literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The names in it and their places.
    pub fn names(&self) -> impl Iterator<Item = (&Name, Span)> {
        self.parts.iter().filter_map(|part| match part {
            Part::Name(name, span) => Some((name, *span)),
            Part::Text(_) => None,
        })
    }

    /// Fills the names in. The error names the first that `lookup` does not know.
    pub fn render(&self, lookup: &dyn Fn(&Name) -> Option<String>) -> Result<String, Problem> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Name(name, span) => text.push_str(&lookup(name).ok_or_else(|| {
                    Problem::new(*span, format!("nothing is known as `{{{{{}}}}}` at this step", name.as_written()))
                })?),
            }
        }
        Ok(text)
    }

    /// The text as it was written, names in their braces.
    pub fn as_written(&self) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Name(name, _) => format!("{{{{{}}}}}", name.as_written()),
        };
        self.parts.iter().map(part).collect()
    }
}

fn name(written: &str, span: Span) -> Result<Name, Problem> {
    if let Some(sink) = written.strip_prefix("sinks.") {
        let Some((sink, part)) = sink.split_once('.') else { return Ok(Name::Sink(sink.to_owned())) };
        let known = SinkPart::ALL.into_iter().find(|known| known.word() == part);
        let wrong = || {
            Problem::new(span, format!("a sink has no `{part}`"))
                .did_you_mean(part, SinkPart::ALL.into_iter().map(SinkPart::word))
        };
        return Ok(Name::SinkPart(sink.to_owned(), known.ok_or_else(wrong)?));
    }
    if let Some(output) = written.strip_prefix("stack.outputs.").filter(|output| !output.is_empty()) {
        return Ok(Name::Output(output.to_owned()));
    }
    match written {
        "n" => Ok(Name::Number),
        _ if is_identifier(written) => Ok(Name::Variable(written.to_owned())),
        _ => Err(Problem::new(span, format!("`{{{{{written}}}}}` is not a name that can be filled in"))
            .help("known forms: {{sinks.NAME}}, {{sinks.NAME.host}}, {{stack.outputs.NAME}}, {{captured}}, {{n}} in a repeated log block")),
    }
}

/// Whether JMESPath and `{{…}}` can both name it without quotes: letters, digits and `_`, not starting with a digit.
pub(crate) fn is_identifier(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// What can be named at some point of a script.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// The header's sinks.
    pub sinks: BTreeSet<String>,
    /// Those of them that are mail servers.
    pub mail: BTreeSet<String>,
    /// What the steps so far have captured.
    pub variables: BTreeSet<String>,
    /// Whether `{{n}}` has a meaning here.
    pub repeated: bool,
    /// Whether the stack exists yet: its outputs cannot be its own parameters.
    pub deployed: bool,
}

impl Scope {
    /// Refuses a template that names what is not known here.
    pub(crate) fn check(&self, template: &Template) -> Result<(), Problem> {
        template.names().try_for_each(|(name, span)| self.check_name(name, span))
    }

    fn check_name(&self, name: &Name, span: Span) -> Result<(), Problem> {
        let unknown = |what: String| Problem::new(span, what);
        match name {
            Name::SinkPart(sink, _) if self.sinks.contains(sink) && !self.mail.contains(sink) => {
                Err(unknown(format!("`{sink}` is an HTTP sink, which has no more than its URL: {{{{sinks.{sink}}}}}")))
            }
            Name::Sink(sink) | Name::SinkPart(sink, _) if !self.sinks.contains(sink) => {
                Err(unknown(format!("there is no sink `{sink}`"))
                    .did_you_mean(sink, self.sinks.iter().map(String::as_str)))
            }
            Name::Variable(variable) if !self.variables.contains(variable) => {
                Err(unknown(format!("nothing has been captured as `{variable}` before this line"))
                    .did_you_mean(variable, self.variables.iter().map(String::as_str)))
            }
            Name::Number if !self.repeated => {
                Err(unknown("`{{n}}` counts only in a `log … repeat N` block".to_owned()))
            }
            Name::Output(_) if !self.deployed => {
                Err(unknown("the stack has no outputs before it is deployed".to_owned()))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fills_names_in_and_leaves_json_alone() {
        let template = Template::parse(r#"{"a":{"b":{}}} {{sinks.slack}} {{last}}!"#, 0).unwrap();
        let lookup = |name: &Name| Some(format!("<{}>", name.as_written()));
        assert_eq!(template.render(&lookup).unwrap(), r#"{"a":{"b":{}}} <sinks.slack> <last>!"#);
    }

    #[test]
    fn an_unknown_name_is_an_error_at_its_place() {
        let problem = Template::parse("x {{last}}", 10).unwrap().render(&|_| None).unwrap_err();
        assert_eq!(problem.span, Span::new(12, 20));
        assert!(Template::parse("{{last", 0).is_err());
        assert!(Template::parse("{{ last }}", 0).is_err());
        assert!(Template::parse("{{}}", 0).is_err());
    }

    proptest! {
        #[test]
        fn reads_back_as_written(text in "([a-z {}]|\\{\\{x\\}\\})*") {
            if let Ok(template) = Template::parse(&text, 0) {
                prop_assert_eq!(template.as_written(), text);
            }
        }
    }
}
