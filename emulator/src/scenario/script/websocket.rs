//! `ws` lines: clients of WebSocket APIs.

use serde_json::Value;

use super::diagnostic::Problem;
use super::lexer::{Line, Words};
use super::template::{Scope, Template, is_identifier};

/// What stands after `ws NAME`.
const VERBS: [&str; 6] = ["connect", "send", "receives", "closed", "vanish", "close"];

/// A step of a client.
#[derive(Clone, Debug, PartialEq)]
pub struct WebSocket {
    /// The client's name in the script.
    pub client: String,
    /// What it does, or what is expected of it.
    pub act: Act,
}

/// What a client does.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// `connect URL`; with `HTTP 403` below it, that it is refused so.
    Connect(Template, Option<u16>),
    /// `send TEXT`: and waits until its route's integration has answered.
    Send(Template),
    /// `receives JSON`: what was sent to the client and not read yet begins with this. `receives nothing`: there is nothing.
    Receives(Option<Template>),
    /// `closed 1001`: the API has closed the connection with this code.
    Closed(u16),
    /// `vanish`: the client is gone without a word.
    Vanish,
    /// `close`: the client closes as a browser does.
    Close,
}

impl WebSocket {
    /// Whether the step checks something.
    pub fn is_check(&self) -> bool {
        matches!(self.act, Act::Connect(_, Some(_)) | Act::Receives(_) | Act::Closed(_))
    }

    /// Reads what stands after `ws`. `below` is the next line of the script; the second value says whether it belongs to this.
    pub(super) fn parse(
        words: &mut Words<'_>,
        below: Option<&Line<'_>>,
        scope: &Scope,
    ) -> Result<(Self, bool), Problem> {
        let name = words.expect("the client's name")?;
        if !is_identifier(name.text) {
            return Err(Problem::new(name.span, "a client's name holds letters, digits and `_`"));
        }
        let verb = words.expect("what the client does")?;
        let mut refused = None;
        let act = match verb.text {
            "connect" => {
                refused = below.filter(|line| line.text.starts_with("HTTP ")).map(status).transpose()?;
                Act::Connect(text(words, "the URL", scope)?, refused)
            }
            "send" => Act::Send(text(words, "the message", scope)?),
            "receives" => Act::Receives(received(words, scope)?),
            "closed" => {
                let code = words.expect("the close code")?;
                let parsed = code.text.parse().map_err(|_| Problem::new(code.span, "a close code is a number"))?;
                words.end().map(|()| Act::Closed(parsed))?
            }
            "vanish" => words.end().map(|()| Act::Vanish)?,
            "close" => words.end().map(|()| Act::Close)?,
            other => {
                return Err(Problem::new(verb.span, format!("a client cannot `{other}`")).did_you_mean(other, VERBS));
            }
        };
        Ok((Self { client: name.text.to_owned(), act }, refused.is_some()))
    }
}

fn text(words: &mut Words<'_>, what: &str, scope: &Scope) -> Result<Template, Problem> {
    let rest = words.rest();
    if rest.text.is_empty() {
        return Err(Problem::new(rest.span, format!("{what} is missing here")));
    }
    let template = Template::parse(rest.text.trim_end(), rest.span.start)?;
    scope.check(&template)?;
    Ok(template)
}

fn received(words: &mut Words<'_>, scope: &Scope) -> Result<Option<Template>, Problem> {
    let rest = words.rest();
    if rest.text.trim_end() == "nothing" {
        return Ok(None);
    }
    let template = text(words, "what is received", scope)?;
    // Names are filled in later: only a message without any can be checked now.
    if let Some(Err(why)) = template.as_literal().map(serde_json::from_str::<Value>) {
        return Err(Problem::new(rest.span, format!("this is not JSON: {why}"))
            .help("a text stands in quotes: ws alice receives \"hello\""));
    }
    Ok(Some(template))
}

fn status(line: &Line<'_>) -> Result<u16, Problem> {
    let status = line.text.trim_start_matches("HTTP ").trim().parse().ok().filter(|status| (400..600).contains(status));
    status.ok_or_else(|| Problem::new(line.span(), "a refusal is an HTTP status from 400 to 599"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::{StepKind, parse};
    use super::*;

    const HEADER: &str = "+++\ntitle = \"t\"\nstack = \"s\"\nstart = \"2026-03-02T12:00:00Z\"\n+++\n";

    fn acts(lines: &str) -> Result<Vec<Act>, String> {
        let script = parse("a.scn", &format!("{HEADER}{lines}\n")).map_err(|refused| refused.to_string())?;
        let act = |kind: &StepKind| match kind {
            StepKind::WebSocket(step) => Some(step.act.clone()),
            _ => None,
        };
        Ok(script.steps.iter().filter_map(|step| act(&step.kind)).collect())
    }

    #[test]
    fn every_line_is_read() {
        let lines = "ws a connect ws://x/y?z=1\nws a send {\"action\": \"b\"}\nws a receives {\"c\":1}\nws a receives nothing\n\
                     ws a vanish\nws b connect ws://x\nHTTP 403\nws b close\nws b closed 1001";
        let acts = acts(lines).unwrap();
        assert_eq!(acts.len(), 8);
        assert_eq!(acts[0], Act::Connect(Template::literal("ws://x/y?z=1"), None));
        assert_eq!(acts[3], Act::Receives(None));
        assert_eq!(acts[5], Act::Connect(Template::literal("ws://x"), Some(403)));
        assert_eq!(acts[7], Act::Closed(1001));
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (lines, wanted) in [
            ("ws", "the client's name"),
            ("ws a", "what the client does"),
            ("ws a conect ws://x", "did you mean `connect`"),
            ("ws a connect", "the URL is missing"),
            ("ws a receives {", "not JSON"),
            ("ws a closed soon", "a close code is a number"),
            ("ws a connect ws://x\nHTTP 200", "from 400 to 599"),
            ("ws a connect ws://x", "checks nothing"),
        ] {
            let error = acts(lines).unwrap_err();
            assert!(error.contains(wanted), "{lines}: {error}");
        }
    }
}
