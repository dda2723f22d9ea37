//! HTTP blocks: a request to an API, and the status that must come.
//!
//! ```text
//! POST {{stack.outputs.Url}}/purge
//! Content-Type: application/json
//!
//! {"bucket_name":"invoices","password":"wrong"}
//! HTTP 401
//! Unauthorized
//! ```
//! Headers and the blank line after them may be left out; what stands below the status is read as below a command.

use http::{HeaderName, StatusCode};

use super::diagnostic::Problem;
use super::lexer::{Line, Words};
use super::steps::Expected;
use super::template::{Scope, Template};

/// The words that begin a block.
pub(super) const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
/// The word that ends the request.
pub(super) const STATUS: &str = "HTTP";

/// A request and what must be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// The method.
    pub method: String,
    /// The URL of a deployed API.
    pub url: Template,
    /// The headers, in order.
    pub headers: Vec<(String, Template)>,
    /// The body; empty if there is none.
    pub body: Template,
    /// The status that must come.
    pub status: u16,
    /// The body that must come; `None`: it is not looked at.
    pub expected: Option<Expected>,
    /// The name under which the answered body is kept.
    pub capture: Option<String>,
}

impl Http {
    /// Reads what stands after the method, and the lines below up to the status; the second value is how many these are. What stands
    /// below the status is not read yet.
    pub(super) fn parse(
        method: &str,
        words: &mut Words<'_>,
        below: &[Line<'_>],
        scope: &Scope,
    ) -> Result<(Self, usize), Problem> {
        let url = words.expect("the URL")?;
        words.end()?;
        let end = below.iter().position(|line| line.text.split_whitespace().next() == Some(STATUS));
        let Some(end) = end else {
            return Err(Problem::new(url.span, "this request says not what must be answered")
                .help("a line such as `HTTP 200` ends it, below its headers and body"));
        };
        let (head, body) = parts(&below[..end]);
        let http = Self {
            method: method.to_owned(),
            url: template(url.text, url.span.start, scope)?,
            headers: head.iter().map(|line| header(*line, scope)).collect::<Result<_, _>>()?,
            body: text(body, scope)?,
            status: status(below[end])?,
            expected: None,
            capture: None,
        };
        Ok((http, end + 1))
    }
}

/// Headers and body: there are headers if the first line is one, and then a blank line ends them.
fn parts<'a, 's>(lines: &'a [Line<'s>]) -> (&'a [Line<'s>], &'a [Line<'s>]) {
    if !lines.first().is_some_and(|line| named(line.text).is_some()) {
        return (&[], lines);
    }
    let blank = lines.iter().position(Line::is_blank).unwrap_or(lines.len());
    (&lines[..blank], lines.get(blank + 1..).unwrap_or_default())
}

/// A header's name and value.
fn named(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    HeaderName::from_bytes(name.as_bytes()).ok().map(|_| (name, value.trim()))
}

fn header(line: Line<'_>, scope: &Scope) -> Result<(String, Template), Problem> {
    let (name, value) = named(line.text).ok_or_else(|| {
        Problem::new(line.span(), "this is no header").help("`Name: value`; a blank line ends the headers")
    })?;
    let at = line.start + (line.text.len() - line.text[name.len() + 1..].trim_start().len());
    Ok((name.to_owned(), template(value, at, scope)?))
}

fn text(lines: &[Line<'_>], scope: &Scope) -> Result<Template, Problem> {
    let mut text = Template::default();
    for (number, line) in lines.iter().enumerate() {
        if number > 0 {
            text.push_text("\n");
        }
        text.append(template(line.text, line.start, scope)?);
    }
    Ok(text)
}

fn template(text: &str, at: usize, scope: &Scope) -> Result<Template, Problem> {
    let template = Template::parse(text, at)?;
    scope.check(&template)?;
    Ok(template)
}

fn status(line: Line<'_>) -> Result<u16, Problem> {
    let mut words = line.words();
    words.next();
    let word = words.expect("the status")?;
    words.end()?;
    let known = word.text.parse().ok().filter(|status| StatusCode::from_u16(*status).is_ok());
    known.ok_or_else(|| Problem::new(word.span, format!("`{}` is no HTTP status", word.text)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::{Step, StepKind, parse};
    use super::*;

    const HEADER: &str = "+++\ntitle = \"t\"\nstack = \"s\"\nstart = \"2026-03-02T12:00:00Z\"\n+++\n";

    fn steps(lines: &str) -> Result<Vec<Step>, String> {
        let script = parse("a.scn", &format!("{HEADER}{lines}\n")).map_err(|refused| refused.to_string())?;
        Ok(script.steps)
    }

    fn first(lines: &str) -> Http {
        match steps(lines).unwrap().swap_remove(0).kind {
            StepKind::Http(http) => *http,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn headers_and_body_may_be_left_out() {
        let http = first("GET http://x/y?z=1\nHTTP 204\nmark");
        assert_eq!((http.headers.len(), http.body.as_written().as_str(), http.status), (0, "", 204));
        assert_eq!(http.expected, None);
        let http = first("POST http://x\n{\"a\":\n\n 1}\nHTTP 200\n=> id");
        assert_eq!(http.body.as_written(), "{\"a\":\n\n 1}");
        assert_eq!(http.capture.as_deref(), Some("id"));
    }

    #[test]
    fn headers_end_at_the_blank_line() {
        let lines = "PUT {{stack.outputs.Url}}\nContent-Type: text/plain\nX-A:  {{stack.outputs.B}}\n\na: b\nHTTP 500\nwhy\n\nmark";
        let http = first(lines);
        assert_eq!(http.headers[0], ("Content-Type".to_owned(), Template::literal("text/plain")));
        assert_eq!(http.headers[1].1.as_written(), "{{stack.outputs.B}}");
        assert_eq!(http.body.as_written(), "a: b");
        assert_eq!(http.expected.unwrap().text.as_written(), "why");
        assert_eq!(steps(lines).unwrap().len(), 2);
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (lines, wanted) in [
            ("POST", "the URL is missing"),
            ("POST http://x y", "too much"),
            ("POST http://x\n{}", "says not what must be answered"),
            ("POST http://x\nHTTP ok", "no HTTP status"),
            ("POST http://x\nA: b\nc d\n\nHTTP 200", "this is no header"),
            ("POST http://{{sinks.none}}\nHTTP 200", "none"),
            ("HTTP 200", "belongs to a request"),
        ] {
            let error = steps(lines).unwrap_err();
            assert!(error.contains(wanted), "{lines}: {error}");
        }
    }
}
