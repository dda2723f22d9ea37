//! From lines to steps and endings. Reads top to bottom, once; a step's own file says what it means.

use std::sync::Arc;

use super::diagnostic::{Problem, Span};
use super::endings::{self, Ending};
use super::http::{self, Http};
use super::lexer::{self, Line, Words};
use super::steps::{Advance, Aws, Expected, Invoke, Log, LogLine, Step, StepKind};
use super::template::{Scope, Template, is_identifier};
use super::websocket::WebSocket;
use super::{Answer, Header, REPEAT_MAX, SCRIPT_MAX, Script, header};
use crate::scenario::awscli::split;
use crate::scenario::expect::Expectation;
use crate::scenario::fault::FaultSpec;
use crate::sqs::Quirks;

/// The words that begin a step.
const STEPS: [&str; 13] =
    ["log", "$", "repeat", "advance", "settle", "expect", "snapshot", "mark", "sink", "fault", "queue", "invoke", "ws"];
/// The words that begin an ending.
const ENDINGS: [&str; 3] = ["always", "once", "explore"];
/// What a queue can be told to do.
const QUEUES: [&str; 3] = ["duplicate", "reorder", "normal"];
/// What indents a line of a block: exactly this; further blanks belong to the line.
const INDENT: &str = "  ";

pub(super) fn parse(name: &str, source: &Arc<str>) -> Result<Script, Problem> {
    if source.len() > SCRIPT_MAX {
        return Err(Problem::new(
            Span::new(0, 0),
            format!("a script may hold {SCRIPT_MAX} bytes, this has {}", source.len()),
        ));
    }
    let lines = lexer::lines(source);
    let (header, body) = read_header(source, &lines)?;
    let scope = Scope { deployed: true, ..super::sinks::scope(&header.sinks) };
    let mut parser = Parser { source, lines: &lines, at: body, scope, steps: Vec::new(), endings: Vec::new() };
    parser.run()?;
    let Parser { steps, endings, .. } = parser;
    require_a_check(source, &steps, &endings)?;
    require_violated(&endings)?;
    Ok(Script { name: name.to_owned(), source: source.clone(), header, steps, endings })
}

fn read_header(source: &str, lines: &[Line<'_>]) -> Result<(Header, usize), Problem> {
    let fence = |line: &Line<'_>| line.text.trim_end() == "+++";
    let start = Span::new(0, lines.first().map_or(0, |line| line.text.len()));
    if !lines.first().is_some_and(fence) {
        return Err(Problem::new(start, "a script begins with its header").help("put TOML between two lines `+++`"));
    }
    let close = lines.iter().skip(1).position(fence).map(|position| position + 1);
    let close = close.ok_or_else(|| Problem::new(start, "the header is not closed by a second `+++`"))?;
    let from = lines.get(1).map_or(0, |line| line.start);
    let header = header::parse(&source[from..lines[close].start], from)?;
    Ok((header, close + 1))
}

/// A script that cannot fail tests nothing.
fn require_a_check(source: &str, steps: &[Step], endings: &[Ending]) -> Result<(), Problem> {
    let checks = steps.iter().any(|step| match &step.kind {
        StepKind::Expect(_) | StepKind::Snapshot(_) => true,
        StepKind::Aws(aws) => aws.expected.is_some(),
        StepKind::Invoke(invoke) => invoke.expected.is_some(),
        StepKind::Http(_) => true,
        StepKind::WebSocket(step) => step.is_check(),
        _ => false,
    });
    let invariants = endings.iter().any(|ending| !matches!(ending, Ending::Explore(_)));
    if checks || invariants {
        return Ok(());
    }
    let end = source.trim_end().len();
    Err(Problem::new(Span::new(end, end), "this script checks nothing")
        .help("add an `expect`, a command's expected output, a `snapshot`, or an invariant (`always`, `once`)"))
}

/// What an exploration shall find violated must be among the invariants that it checks.
fn require_violated(endings: &[Ending]) -> Result<(), Problem> {
    let known: Vec<&str> = endings.iter().flat_map(Ending::invariants).map(|named| named.name.as_str()).collect();
    let violated = endings.iter().filter_map(|ending| match ending {
        Ending::Explore(explore) => explore.violated.as_ref(),
        _ => None,
    });
    match violated.into_iter().find(|named| !known.contains(&named.name.as_str())) {
        None => Ok(()),
        Some(named) => Err(Problem::new(named.span, format!("no `always` or `once` names `{}`", named.name))
            .did_you_mean(&named.name, known)),
    }
}

struct Parser<'s> {
    source: &'s str,
    lines: &'s [Line<'s>],
    at: usize,
    scope: Scope,
    steps: Vec<Step>,
    endings: Vec<Ending>,
}

impl<'s> Parser<'s> {
    fn run(&mut self) -> Result<(), Problem> {
        while let Some(line) = self.lines.get(self.at).copied() {
            self.at += 1;
            if line.is_blank() || line.is_comment() {
                continue;
            }
            if line.text.starts_with(char::is_whitespace) {
                return Err(Problem::new(
                    line.span(),
                    "an indented line belongs to a `log` block, and none is open here",
                )
                .help("a blank line ends a block; steps begin at the first column"));
            }
            self.statement(line)?;
        }
        Ok(())
    }

    fn statement(&mut self, line: Line<'s>) -> Result<(), Problem> {
        let mut words = line.words();
        let Some(verb) = words.next() else { return Ok(()) };
        if begins_a_step(verb.text) && !self.endings.is_empty() {
            return Err(Problem::new(line.span(), format!("`{}` comes after an ending", verb.text))
                .help("`always`, `once` and `explore` are the last lines of a script"));
        }
        let number = self.at;
        let kind = match verb.text {
            "always" => return endings::always(&mut words).map(|ending| self.endings.push(ending)),
            "once" => return endings::once(&mut words).map(|ending| self.endings.push(ending)),
            "explore" => return endings::explore(&mut words).map(|ending| self.endings.push(ending)),
            "log" => StepKind::Log(self.log(words, line)?),
            "$" => StepKind::Aws(self.aws(line, verb)?),
            "repeat" => StepKind::Aws(self.repeated(line, words)?),
            "advance" => StepKind::Advance(advance(&mut words)?),
            "settle" => words.end().map(|()| StepKind::Settle)?,
            "mark" => words.end().map(|()| StepKind::Mark)?,
            "snapshot" => StepKind::Snapshot(snapshot(&mut words)?),
            "sink" => self.sink(&mut words)?,
            "fault" => StepKind::Fault(FaultSpec::parse(&mut words)?),
            "queue" => queue(&mut words)?,
            "invoke" => StepKind::Invoke(self.invoke(&mut words)?),
            "ws" => {
                let (step, took_line) = WebSocket::parse(&mut words, self.lines.get(self.at), &self.scope)?;
                self.at += usize::from(took_line);
                StepKind::WebSocket(step)
            }
            "expect" => StepKind::Expect(Box::new(self.expectation(words)?)),
            method if http::METHODS.contains(&method) => StepKind::Http(Box::new(self.http(method, &mut words)?)),
            http::STATUS => {
                return Err(Problem::new(verb.span, "a status belongs to a request, and none is open here"));
            }
            other => {
                let known = STEPS.into_iter().chain(http::METHODS).chain(ENDINGS);
                return Err(Problem::new(verb.span, format!("`{other}` is not a step")).did_you_mean(other, known));
            }
        };
        self.steps.push(Step { span: line.span(), line: number, text: line.text.trim_end().to_owned(), kind });
        Ok(())
    }

    fn expectation(&self, words: Words<'_>) -> Result<Expectation, Problem> {
        let rest = words.rest();
        let expectation = Expectation::parse(rest.text, rest.span.start)?;
        expectation.check_scope(&self.scope)?;
        Ok(expectation)
    }

    fn sink(&self, words: &mut Words<'_>) -> Result<StepKind, Problem> {
        let name = words.expect("the sink's name")?;
        if !self.scope.sinks.contains(name.text) {
            return Err(Problem::new(name.span, format!("the header declares no sink `{}`", name.text))
                .did_you_mean(name.text, self.scope.sinks.iter().map(String::as_str)));
        }
        let keyword = words.expect("`answers`")?;
        if keyword.text != "answers" {
            return Err(Problem::new(keyword.span, "`answers` must stand here").help("sink slack answers 429, 200"));
        }
        let list = words.rest();
        let mail = self.scope.mail.contains(name.text);
        let parse = |word: lexer::Word<'_>| Answer::parse_for(mail, word.text, word.span.start);
        let answers = endings::listed(list)?.into_iter().map(parse).collect::<Result<_, _>>()?;
        Ok(StepKind::Sink { name: name.text.to_owned(), answers })
    }

    fn log(&mut self, mut words: Words<'_>, line: Line<'_>) -> Result<Log, Problem> {
        let group = words.expect("the log group")?.text.to_owned();
        let stream = words.expect("the log stream")?.text.to_owned();
        let mut repeat = 1;
        let repeated = words.accept("repeat");
        if repeated {
            repeat = times(&mut words)?;
        }
        words.end()?;
        let scope = Scope { repeated, ..self.scope.clone() };
        let mut lines = Vec::new();
        while let Some(next) =
            self.lines.get(self.at).filter(|next| !next.is_blank() && next.text.starts_with(char::is_whitespace))
        {
            self.at += 1;
            lines.push(log_line(*next, &scope)?);
        }
        if lines.is_empty() {
            return Err(Problem::new(line.span(), "this `log` has no lines").help("indent them by two blanks"));
        }
        Ok(Log { group, stream, repeat, lines })
    }

    fn aws(&mut self, first: Line<'s>, dollar: lexer::Word<'_>) -> Result<Aws, Problem> {
        let scope = self.scope.clone();
        let mut aws = self.aws_words(first, dollar, &scope)?;
        (aws.capture, aws.expected) = self.outcome()?;
        Ok(aws)
    }

    /// `repeat N $ aws …`: what it prints is not looked at.
    fn repeated(&mut self, first: Line<'s>, mut words: Words<'_>) -> Result<Aws, Problem> {
        let repeat = times(&mut words)?;
        let dollar = words.expect("the command")?;
        if dollar.text != "$" {
            return Err(Problem::new(dollar.span, "only a command can be repeated: `repeat 3 $ aws …`"));
        }
        let scope = Scope { repeated: true, ..self.scope.clone() };
        Ok(Aws { repeat, ..self.aws_words(first, dollar, &scope)? })
    }

    fn aws_words(&mut self, first: Line<'s>, dollar: lexer::Word<'_>, scope: &Scope) -> Result<Aws, Problem> {
        let command = self.command_lines(first, dollar.span.end);
        let words = split::split(command)?;
        words.iter().try_for_each(|word| scope.check(&word.text))?;
        let mut words = words.into_iter();
        let program = words.next();
        if program.as_ref().and_then(|word| word.text.as_literal()) != Some("aws") {
            let span = program.map_or(first.span(), |word| word.span);
            return Err(Problem::new(span, "only `aws` can be run: a script starts no other program"));
        }
        let aws = Aws { words: words.collect(), repeat: 1, expected: None, capture: None };
        if aws.words.is_empty() {
            return Err(Problem::new(first.span(), "`aws` needs a service and an operation"));
        }
        Ok(aws)
    }

    fn invoke(&mut self, words: &mut Words<'_>) -> Result<Invoke, Problem> {
        let function = words.expect("the function's name")?.text.to_owned();
        let rest = words.rest();
        let text = if rest.text.is_empty() { "{}" } else { rest.text };
        let event = Template::parse(text, rest.span.start)?;
        self.scope.check(&event)?;
        // Names are filled in later: only an event without any can be checked now.
        if let Some(Err(why)) = event.as_literal().map(serde_json::from_str::<serde::de::IgnoredAny>) {
            return Err(Problem::new(rest.span, format!("the event is not JSON: {why}"))
                .help("invoke FUNCTION {\"a\": 1}, or nothing after the name for {}"));
        }
        let (capture, expected) = self.outcome()?;
        Ok(Invoke { function, event, expected, capture })
    }

    fn http(&mut self, method: &str, words: &mut Words<'_>) -> Result<Http, Problem> {
        let below = self.lines.get(self.at..).unwrap_or_default();
        let (mut http, lines) = Http::parse(method, words, below, &self.scope)?;
        self.at += lines;
        (http.capture, http.expected) = self.outcome()?;
        Ok(http)
    }

    /// What stands below a command: the name that its output is kept under, or the output.
    fn outcome(&mut self) -> Result<(Option<String>, Option<Expected>), Problem> {
        match self.lines.get(self.at) {
            Some(line) if line.text.starts_with("=>") => {
                self.at += 1;
                Ok((Some(self.capture(*line)?), None))
            }
            _ => Ok((None, self.expected_output()?)),
        }
    }

    /// The command's lines: a line that ends with a backslash goes on in the next one.
    fn command_lines(&mut self, first: Line<'s>, start: usize) -> split::Source<'s> {
        let mut last = first;
        while last.text.ends_with('\\') {
            let Some(next) = self.lines.get(self.at) else { break };
            self.at += 1;
            last = *next;
        }
        split::Source { text: &self.source[start..last.start + last.text.len()], offset: start }
    }

    fn capture(&mut self, line: Line<'_>) -> Result<String, Problem> {
        let mut words = line.words();
        words.next();
        let name = words.expect("the name to keep the output under")?;
        words.end()?;
        let taken = self.scope.sinks.contains(name.text) || header::RESERVED_NAMES.contains(&name.text);
        if !is_identifier(name.text) || taken {
            return Err(Problem::new(name.span, format!("`{}` cannot name what is captured", name.text))
                .help("letters, digits and `_`, not a sink's name nor a word that expectations use"));
        }
        self.scope.variables.insert(name.text.to_owned());
        Ok(name.text.to_owned())
    }

    /// The lines below a command up to a blank line, a comment or the next step.
    fn expected_output(&mut self) -> Result<Option<Expected>, Problem> {
        let from = self.at;
        let mut text = Template::default();
        while let Some(line) = self.lines.get(self.at).filter(|line| is_output(line)) {
            if self.at > from {
                text.push_text("\n");
            }
            let escaped = usize::from(line.text.starts_with('\\'));
            text.append(Template::parse(&line.text[escaped..], line.start + escaped)?);
            self.at += 1;
        }
        if self.at == from {
            return Ok(None);
        }
        self.scope.check(&text)?;
        let last = self.lines[self.at - 1];
        Ok(Some(Expected { text, span: Span::new(self.lines[from].start, last.start + last.text.len()) }))
    }
}

/// Whether a line below a command is what it should print.
pub(super) fn is_output(line: &Line<'_>) -> bool {
    let first = line.text.split_whitespace().next().unwrap_or("");
    let begins = begins_a_step(first) || ENDINGS.contains(&first) || first == http::STATUS;
    let begins = begins && !line.text.starts_with(char::is_whitespace);
    !line.is_blank() && !line.is_comment() && !begins
}

fn begins_a_step(word: &str) -> bool {
    STEPS.contains(&word) || http::METHODS.contains(&word)
}

fn times(words: &mut Words<'_>) -> Result<u32, Problem> {
    let word = words.expect("how many times")?;
    let number = word.text.parse().ok().filter(|number| (1..=REPEAT_MAX).contains(number));
    number.ok_or_else(|| Problem::new(word.span, format!("a block is repeated 1 to {REPEAT_MAX} times")))
}

fn advance(words: &mut Words<'_>) -> Result<Advance, Problem> {
    if !words.accept("to") {
        let word = words.expect("how far to advance")?;
        let by = super::duration::parse(word.text).map_err(|why| Problem::new(word.span, why))?;
        return words.end().map(|()| Advance::By(by));
    }
    let word = words.expect("the point in time")?;
    let to = word.text.parse().map_err(|_| {
        Problem::new(word.span, format!("`{}` is not a point in time", word.text))
            .help("write it as RFC 3339 with its offset, such as 2026-03-03T00:00:00Z")
    })?;
    words.end().map(|()| Advance::To(to))
}

/// `NAME duplicate, reorder`, or `NAME normal`.
fn queue(words: &mut Words<'_>) -> Result<StepKind, Problem> {
    let name = words.expect("the queue's name")?.text.to_owned();
    let rest = words.rest();
    if rest.text.is_empty() {
        return Err(
            Problem::new(rest.span, "what the queue shall do is missing here").help("duplicate, reorder, normal")
        );
    }
    let mut quirks = Quirks::default();
    for word in endings::listed(rest)? {
        match word.text {
            "duplicate" => quirks.duplicate = true,
            "reorder" => quirks.reorder = true,
            "normal" if word.text == rest.text => {}
            "normal" => return Err(Problem::new(word.span, "`normal` stands alone")),
            other => {
                return Err(Problem::new(word.span, format!("a queue cannot `{other}`")).did_you_mean(other, QUEUES));
            }
        }
    }
    Ok(StepKind::Queue { name, quirks })
}

fn snapshot(words: &mut Words<'_>) -> Result<Option<String>, Problem> {
    let Some(word) = words.next() else { return Ok(None) };
    words.end()?;
    if word.text.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter)) {
        return Ok(Some(word.text.to_owned()));
    }
    Err(Problem::new(word.span, "a snapshot's name holds letters, digits, `-` and `_`: it names a file"))
}

fn log_line(line: Line<'_>, scope: &Scope) -> Result<LogLine, Problem> {
    let Some(text) = line.text.strip_prefix(INDENT) else {
        return Err(Problem::new(line.span(), "a line of a block is indented by two blanks"));
    };
    let template = Template::parse(text, line.start + INDENT.len())?;
    scope.check(&template)?;
    Ok(LogLine { timestamp: timestamp(text, line.start + INDENT.len())?, message: template.map_text(unescape) })
}

/// The time that a line begins with. What looks like a date and is none is an error, not a line without time.
fn timestamp(text: &str, offset: usize) -> Result<Option<crate::Timestamp>, Problem> {
    let first = text.split(|letter: char| letter.is_whitespace() || letter == '\\').next().unwrap_or("");
    let date = first.as_bytes();
    if date.len() < 5 || !date[..4].iter().all(u8::is_ascii_digit) || date[4] != b'-' {
        return Ok(None);
    }
    let wrong = |_| Problem::new(Span::of(first, offset), format!("`{first}` is not a point in time"));
    first.parse().map(Some).map_err(wrong)
}

/// `\t` is a tab and `\\` a backslash; any other backslash stands for itself, as JSON in a line needs it.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, letters.peek()) {
            ('\\', Some('t')) => plain.push('\t'),
            ('\\', Some('\\')) => plain.push('\\'),
            _ => {
                plain.push(letter);
                continue;
            }
        }
        letters.next();
    }
    plain
}
