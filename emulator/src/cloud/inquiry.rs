//! Questions: calls to other services whose answers an operation waits for.
//!
//! A step cannot call another service, for it must not wait while it holds its state. It asks instead: a job makes the calls
//! through the front door, keeps the answers in the asker's state, and the operation is called again.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Call, Caller, Cloud, Cx, JobFuture, Later, Reply, Scope, Service, State};
use crate::model::{Model, Shape};
use crate::{Error, Result};

/// The event and the job that every asking service has.
const ANSWERED: &str = "Answered";
const ASK: &str = "Ask";
/// So many answers may wait to be fetched. An operation that is broken off leaves its own behind.
const KEPT: usize = 256;

/// The answers that operations of a service wait for: part of its state.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Inquiries {
    asked: u64,
    answers: OrdMap<u64, Vec<Answer>>,
}

/// A state that keeps answers.
pub trait Asks: State {
    /// Where they are kept.
    fn inquiries(&mut self) -> &mut Inquiries;
}

/// One call to be made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Question {
    /// Garoa's name of the service.
    pub service: String,
    /// The operation, by AWS's name.
    pub operation: String,
    /// The input's members; null ones are left out. What goes as the HTTP body is a member, as base64.
    pub input: Value,
    /// Who calls.
    pub caller: Caller,
    /// Where, if not where the asker is.
    #[serde(default)]
    pub scope: Option<Scope>,
}

/// What a call answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Answer {
    /// The output. What it has as its HTTP body is a member of it, as base64.
    Output(Value),
    /// The error.
    Refused {
        /// The HTTP status.
        status: u16,
        /// The code.
        code: String,
        /// The text.
        message: String,
    },
}

impl Answer {
    /// The output, or the error as it was.
    ///
    /// # Errors
    /// What the called service answered.
    pub fn into_result(self) -> Result<Value> {
        match self {
            Self::Output(output) => Ok(output),
            Self::Refused { status, code, message } => Err(Error::new(status, code, message)),
        }
    }
}

/// What the job is given, and what it reports.
#[derive(Serialize, Deserialize)]
struct Inquiry<T> {
    asker: String,
    number: u64,
    parts: Vec<T>,
}

impl<S: Asks> Service<S> {
    /// Lets operations of this service ask others: see [`Cx::ask`].
    #[must_use]
    pub fn asks(self) -> Self {
        self.event(ANSWERED, answered).job(ASK, ask)
    }
}

impl<S: Asks> Cx<'_, S> {
    /// Has calls made, one after another; the operation is to answer [`super::Step::Later`] with what this gives, and
    /// finds the answers by [`Cx::answers`] when it is called again.
    ///
    /// # Errors
    /// `InternalFailure` for what cannot be written as JSON.
    pub fn ask(&mut self, questions: Vec<Question>) -> Result<Later> {
        let inquiries = self.state.inquiries();
        inquiries.asked += 1;
        let number = inquiries.asked;
        self.start(ASK, &Inquiry { asker: self.service.to_owned(), number, parts: questions })?;
        Ok(Later { signal: signal(self.service, number), until: None, token: number.to_string() })
    }

    /// The answers to what this operation asked, in the order of the questions; `None` if it has not asked yet.
    ///
    /// # Errors
    /// `InternalFailure` if they are gone, because too many other answers came since.
    pub fn answers(&mut self) -> Result<Option<Vec<Answer>>> {
        let Some(resumed) = self.resumed() else { return Ok(None) };
        // An asker may have put words of its own before the number.
        let number = resumed.token.rsplit(' ').next().unwrap_or_default().parse::<u64>().map_err(Error::internal)?;
        let answers = self.state.inquiries().answers.remove(&number);
        answers.map(Some).ok_or_else(|| Error::internal("the answers that an operation waited for are gone"))
    }
}

fn signal(service: &str, number: u64) -> String {
    format!("{service}/answer/{number}")
}

fn answered<S: Asks>(cx: &mut Cx<S>, report: &str) -> Result<()> {
    let Inquiry { number, parts, .. } = serde_json::from_str(report)?;
    let kept = &mut cx.state.inquiries().answers;
    if kept.len() >= KEPT {
        let oldest = kept.get_min().map(|(number, _)| *number);
        oldest.and_then(|oldest| kept.remove(&oldest));
    }
    kept.insert(number, parts);
    cx.signal(signal(cx.service, number));
    Ok(())
}

/// The job.
fn ask(cloud: Cloud, scope: Scope, inquiry: Value) -> JobFuture {
    Box::pin(async move {
        let outcome = async {
            let Inquiry { asker, number, parts } = serde_json::from_value::<Inquiry<Question>>(inquiry)?;
            let mut answers = Vec::new();
            for question in parts {
                answers.push(put(&cloud, &scope, question).await);
            }
            let report = serde_json::to_string(&Inquiry { asker: asker.clone(), number, parts: answers })?;
            cloud.0.event(&asker, &scope, ANSWERED, &report)
        };
        if let Err(error) = outcome.await {
            tracing::error!(%error, "what an operation asked was not answered");
        }
    })
}

async fn put(cloud: &Cloud, scope: &Scope, question: Question) -> Answer {
    match called(cloud, scope, question).await {
        Ok(output) => Answer::Output(output),
        Err(error) => Answer::Refused {
            status: error.status(),
            code: error.code().to_owned(),
            message: error.message().to_owned(),
        },
    }
}

async fn called(cloud: &Cloud, scope: &Scope, question: Question) -> Result<Value> {
    let Question { service, operation, mut input, caller, scope: elsewhere } = question;
    if let Some(members) = input.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    let model = Model::of(&service).ok_or_else(|| Error::not_implemented(format!("the service {service}")))?;
    let payload = |shape: Option<&'static Shape>| shape.and_then(|shape| shape.payload);
    let known = model.operation(&operation);
    let body = carried(&mut input, payload(known.and_then(|known| known.input_shape())))?;
    let scope = elsewhere.unwrap_or_else(|| scope.clone());
    let reply = cloud.call(Call::new(model.service, operation, caller, scope, input).with_body(body)).await?;
    Ok(whole(reply, payload(known.and_then(|known| known.output_shape()))))
}

/// Takes out of the input what travels beside it: bytes, which a value has in base64.
fn carried(input: &mut Value, payload: Option<&str>) -> Result<Bytes> {
    let Some(name) = payload else { return Ok(Bytes::new()) };
    match input.as_object_mut().and_then(|members| members.shift_remove(name)) {
        None => Ok(Bytes::new()),
        Some(Value::String(text)) => STANDARD.decode(text).map(Bytes::from).map_err(|error| unreadable(name, error)),
        Some(_) => Err(unreadable(name, "no text")),
    }
}

fn unreadable(payload: &str, why: impl std::fmt::Display) -> Error {
    Error::client("SerializationException", format!("{payload} is not base64: {why}"))
}

/// The output with what it carries beside it.
fn whole(reply: Reply, payload: Option<&str>) -> Value {
    let Reply { mut output, body, .. } = reply;
    if let (Some(name), Some(body)) = (payload, body) {
        output[name] = STANDARD.encode(body).into();
    }
    output
}
