//! Plays a script: the sinks, the stack, the steps in order, and what is left at the end.

use std::collections::BTreeMap;
use std::path::Path;

use super::records::Books;
use super::{Invariants, Options, Outcome, Run, Stage, outcome, stem, steps, verdict, view};
use crate::apigatewayv2::websocket::VirtualClient;
use crate::cloud::{Aim, Call, Caller, Cloud, Fault, Reply, Scope};
use crate::scenario::report::{StepOutcome, StepView, TraceView};
use crate::scenario::script::{Explore, Name, Problem, Script, SinkKind, SinkPart, Span, StepKind};
use crate::sinks;
use crate::{Error, Timestamp};

/// A script while it is played.
pub(super) struct Player<'a> {
    pub stage: &'a Stage,
    pub script: &'a Script,
    pub options: &'a Options,
    pub seed: u64,
    pub cloud: Cloud,
    pub variables: BTreeMap<String, String>,
    pub outputs: BTreeMap<String, String>,
    /// The clients of WebSocket APIs.
    pub clients: BTreeMap<String, VirtualClient>,
    pub books: Books,
    /// How many calls the books held at the last `mark`.
    pub marked: usize,
    pub steps: Vec<StepView>,
    /// What commands printed, by step, for `--bless`.
    pub printed: Vec<(usize, String)>,
}

/// What was wrong with a step.
pub(super) struct Wrong {
    /// Where, and what in a sentence.
    pub problem: Problem,
    /// What was wanted and what there was.
    pub difference: Option<String>,
    /// Whether a call of the step is the matter.
    pub is_call: bool,
}

impl Wrong {
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Problem::new(span, message).into()
    }
}

impl From<Problem> for Wrong {
    fn from(problem: Problem) -> Self {
        Self { problem, difference: None, is_call: false }
    }
}

/// Plays the whole script.
pub(super) async fn play(stage: &Stage, script: &Script, options: &Options) -> Result<Outcome, String> {
    let mut player = Player::new(stage, script, options);
    player.raise().await?;
    let mut failure = None;
    let before_stack = leading_logs(script);
    for (index, step) in script.steps.iter().enumerate() {
        if index == before_stack {
            player.deploy().await?;
        }
        let at = player.cloud.now();
        let done = match &failure {
            Some(_) => StepOutcome::Skipped,
            None => match steps::take(&mut player, index, step).await {
                Ok(()) => StepOutcome::Passed,
                Err(wrong) => {
                    player.note(Some(index));
                    let told = outcome::failure(&player, index, wrong);
                    let text = told.difference.clone().unwrap_or_else(|| told.message.clone());
                    // Where something is broken on purpose, checks may fail: the invariants tell whether that matters.
                    failure = options.at.is_none().then_some(told);
                    StepOutcome::Failed(text)
                }
            },
        };
        player.note(Some(index));
        let queues = view::queues(&player.cloud);
        player.steps.push(StepView { line: step.line, text: step.text.clone(), at, outcome: done, queues });
    }
    if script.steps.len() <= before_stack {
        player.deploy().await?;
    }
    if options.at.is_some() {
        let settle = player.explored().map(|explore| explore.settle).unwrap_or_default();
        player.cloud.advance(settle).await.map_err(|stalled| stalled.to_string())?;
        player.note(script.steps.len().checked_sub(1));
    }
    Ok(player.finish(failure))
}

/// The `log` steps that a script begins with: what they log was there before the stack.
fn leading_logs(script: &Script) -> usize {
    script.steps.iter().take_while(|step| matches!(step.kind, StepKind::Log(_))).count()
}

impl<'a> Player<'a> {
    fn new(stage: &'a Stage, script: &'a Script, options: &'a Options) -> Self {
        let seed = options.seed.or(script.header.seed).unwrap_or(0);
        let builder = Cloud::builder().seed(seed).start(script.header.start);
        let functions = stage.functions.iter();
        let cloud = functions.fold(builder, |builder, (name, code)| builder.function(name, code.clone())).build();
        Self {
            stage,
            script,
            options,
            seed,
            cloud,
            variables: BTreeMap::new(),
            outputs: BTreeMap::new(),
            clients: BTreeMap::new(),
            books: Books::default(),
            marked: 0,
            steps: Vec::new(),
            printed: Vec::new(),
        }
    }

    /// What the script explores, if it does.
    pub fn explored(&self) -> Option<&'a Explore> {
        self.script.explorations().next()
    }

    /// Starts the sinks, and arms the fault that is explored.
    async fn raise(&mut self) -> Result<(), String> {
        for (name, sink) in &self.script.header.sinks {
            let answers = sink.answers.clone();
            match &sink.kind {
                SinkKind::Http => _ = self.cloud.sink(name, answers).await,
                SinkKind::Smtp(options) => {
                    let started = self.cloud.mail_sink(name, options.clone(), answers).await;
                    started.map_err(|error| format!("the mail server {name}: {error}"))?;
                }
            }
        }
        if let Some(at) = self.options.at {
            let explored =
                self.explored().ok_or("the script has no `explore` line that says what function is meant")?;
            let function = explored.function.name.clone();
            let aim = Aim::Point { function, invocation: at.point.invocation, call: at.point.call };
            self.cloud.inject(Fault { aim, kind: at.kind.fault() });
        }
        Ok(())
    }

    /// Makes the header's stack, named after the template's folder.
    async fn deploy(&mut self) -> Result<(), String> {
        let header = &self.script.header;
        let path = self.stage.root.join(&header.stack);
        let text = std::fs::read_to_string(&path).map_err(|why| format!("{}: {why}", path.display()))?;
        let name = Path::new(&header.stack).parent().and_then(Path::file_name);
        let name = name.map_or_else(|| stem(self.script), |name| name.to_string_lossy().into_owned());
        let parameters = header.parameters.iter().map(|(key, value)| {
            let value = value.render(&|name| self.name(name)).map_err(|p| self.script.diagnostic(p).to_string())?;
            Ok((key.clone(), value))
        });
        let parameters = parameters.collect::<Result<BTreeMap<_, _>, String>>()?;
        self.note(self.steps.len().checked_sub(1));
        let deployed = self.cloud.deploy(&name, &text, &parameters).await;
        self.note(None);
        self.outputs = deployed.map_err(|error| format!("{}: {}", header.stack, error.message()))?;
        Ok(())
    }

    /// Enters into the books what happened since.
    pub fn note(&mut self, step: Option<usize>) {
        let more = self.cloud.0.trace.records_from(self.books.trace.len());
        self.books.enter(more, step);
    }

    /// Makes a call of the script's own: as the account's root user, and passed by by faults.
    pub async fn call(&self, call: Call) -> Result<Reply, Error> {
        let call = Call { caller: script_caller(&call.scope), ..call };
        self.cloud.call(call).await
    }

    /// Fills in a name.
    pub fn name(&self, name: &Name) -> Option<String> {
        match name {
            Name::Sink(name) => {
                let sink = self.script.header.sinks.get(name)?;
                Some(if sink.is_mail() { sinks::smtp::url(name) } else { sinks::url(name) })
            }
            Name::SinkPart(name, part) => Some(match part {
                SinkPart::Host => sinks::host(name),
                SinkPart::Port => sinks::smtp::PORT.to_string(),
                SinkPart::Certificate => self.cloud.find_sink(name)?.certificate()?.to_owned(),
            }),
            Name::Output(output) => self.outputs.get(output).cloned(),
            Name::Variable(variable) => self.variables.get(variable).cloned(),
            Name::Number => None,
        }
    }

    /// The run as reports see it.
    pub fn view(&self) -> TraceView {
        TraceView {
            title: self.script.header.title.clone(),
            name: stem(self.script),
            start: self.script.header.start,
            end: self.cloud.now(),
            steps: self.steps.clone(),
            records: self.books.calls.clone(),
        }
    }

    fn finish(self, failure: Option<outcome::Failure>) -> Outcome {
        let run = Run::of(&self.cloud, self.books.trace.clone());
        // What a script stopped half-way left behind proves nothing.
        let verdicts = match &failure {
            Some(_) => Vec::new(),
            None => judged(self.script, &self.stage.invariants, &run, self.options),
        };
        let blessed = self.options.bless.then(|| self.script.bless(&self.printed));
        Outcome {
            view: self.view(),
            failure,
            verdicts,
            seed: self.seed,
            at: self.options.at,
            blessed: blessed.filter(|text| **text != *self.script.source),
            supported: outcome::supported(&self.cloud),
            declared: outcome::declared(&run, &self.books.calls),
            trace: self.books.trace,
        }
    }
}

type Judged = Vec<(String, crate::scenario::report::exploration::Verdict)>;

fn judged(script: &Script, invariants: &Invariants, run: &Run, options: &Options) -> Judged {
    verdict::names(script).into_iter().zip(verdict::judge(script, invariants, run, options.at)).collect()
}

fn script_caller(scope: &Scope) -> Caller {
    let mut caller = Caller::root(&scope.account);
    caller.spared = true;
    caller
}

/// When a step that names a point in time asks for one that is past.
pub(super) fn is_past(now: Timestamp, to: Timestamp) -> bool {
    to < now
}
