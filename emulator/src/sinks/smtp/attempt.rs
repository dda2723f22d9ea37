//! The recording door of a mail server: what is scripted for an attempt, which fault strikes it, what is in the trace.
//!
//! An attempt begins when a client connects, and anew with whatever follows a mail that was accepted or refused. It is
//! noted before the client can learn of it, so that the trace has one order: accepted or refused with its code, broken,
//! or not answered. A client that goes away by itself before that has attempted nothing.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::super::answer::Script;
use super::super::{ATTEMPT_HEADER, Outcome};
use super::mail::{self, Envelope};
use super::reply::Reply;
use crate::clock::{Activity, Hold, PipeEnd, Work};
use crate::cloud::{CallRecord, Cloud, Event, FaultKind, Inner, InvocationRef};

/// The operation of an attempt in the trace.
const OPERATION: &str = "MAIL";

/// Where in a session a refusal is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Greeting,
    Auth,
    Mail,
    Recipient,
    /// When the message has come.
    End,
}

impl Stage {
    /// Where servers give this code.
    fn of(code: u16) -> Self {
        match code {
            421 => Self::Greeting,
            454 | 530 | 534 | 535 => Self::Auth,
            450 | 550 | 551 | 553 => Self::Recipient,
            _ => Self::End,
        }
    }
}

/// What becomes of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Whatever the server finds right.
    Regular,
    Refuse(Stage, Reply),
    DropBeforeData,
    DropAfterData,
    /// The message comes, and no answer.
    Silence,
    /// There is no connection.
    NoConnection,
    /// The client's code dies before anything takes effect.
    Crash,
}

/// One attempt.
pub(super) struct Attempt {
    index: Option<u32>,
    fault: Option<FaultKind>,
    number: usize,
    pub delay: Duration,
    pub ending: Ending,
}

/// Whether the client learns of what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Yes,
    /// The connection breaks.
    Lost,
    /// Its code is dead.
    Dead,
}

/// Where accepted mails go.
pub(super) enum Delivery {
    /// To the wiremock server of a sink.
    Mock { client: reqwest::Client, url: String },
    /// To the cloud's mailbox.
    Mailbox,
}

/// What the sessions of one client share.
pub(super) struct Desk {
    cloud: Weak<Inner>,
    sink: String,
    script: Arc<Script>,
    delivery: Delivery,
    invocation: Option<InvocationRef>,
}

type Connecting = Pin<Box<dyn Future<Output = io::Result<PipeEnd>> + Send>>;

impl Desk {
    pub fn new(
        cloud: &Cloud,
        sink: &str,
        script: Arc<Script>,
        delivery: Delivery,
        invocation: Option<InvocationRef>,
    ) -> Self {
        Self { cloud: Arc::downgrade(&cloud.0), sink: sink.to_owned(), script, delivery, invocation }
    }

    /// Begins an attempt.
    ///
    /// # Errors
    /// If the cloud is gone; a fault that mail servers do not have.
    pub fn begin(&self) -> io::Result<Attempt> {
        let cloud = self.cloud.upgrade().ok_or(io::ErrorKind::NotConnected)?;
        let index = self.invocation.as_ref().map(|invocation| cloud.trace.next_call(invocation));
        let point = self.invocation.as_ref().zip(index).map(|(i, call)| (&*i.function, i.number, call));
        let fault = cloud.strike_outside(&self.sink, OPERATION, &super::url(&self.sink), point);
        let mut attempt = Attempt { index, fault, number: 0, delay: Duration::ZERO, ending: Ending::Regular };
        match &attempt.fault {
            Some(FaultKind::CrashBefore) => attempt.ending = Ending::Crash,
            Some(FaultKind::Refuse) => attempt.ending = Ending::NoConnection,
            Some(FaultKind::Throttle) => {
                let reply = Reply::new(421, "4.7.0 Too many connections, try again later");
                attempt.ending = Ending::Refuse(Stage::Greeting, reply);
            }
            Some(FaultKind::Deny) => {
                let reply = Reply::new(550, "5.7.1 Delivery not authorized, message refused");
                attempt.ending = Ending::Refuse(Stage::Mail, reply);
            }
            Some(FaultKind::Error { status, code }) => {
                let reply = Reply::new(*status, format!("{}.0.0 {code}", status / 100));
                attempt.ending = Ending::Refuse(Stage::of(*status), reply);
            }
            Some(FaultKind::EmptyPage) => {
                return Err(io::Error::other("a mail server has no pages that could be empty"));
            }
            Some(FaultKind::Delay(time)) => {
                let time = *time;
                self.scripted(&mut attempt);
                attempt.delay += time;
            }
            None | Some(FaultKind::CrashAfter | FaultKind::LostReply | FaultKind::Duplicate) => {
                self.scripted(&mut attempt)
            }
        }
        Ok(attempt)
    }

    fn scripted(&self, attempt: &mut Attempt) {
        let (number, answer) = self.script.next();
        attempt.number = number;
        let Some(answer) = answer else { return };
        attempt.delay = answer.delay;
        attempt.ending = match answer.outcome {
            Outcome::Status { status, .. } if status < 400 => Ending::Regular,
            Outcome::Status { status, .. } => Ending::Refuse(Stage::of(status), Reply::scripted(status)),
            Outcome::Greylist => Ending::Refuse(Stage::Recipient, Reply::new(450, "4.7.1 Greylisted, try again later")),
            Outcome::Timeout => Ending::Silence,
            Outcome::Refused => Ending::NoConnection,
            Outcome::DropBeforeData => Ending::DropBeforeData,
            Outcome::DropAfterData => Ending::DropAfterData,
        };
    }

    /// What becomes of an attempt that gets no connection, after its delay.
    pub fn before_connection(&self, attempt: &Attempt) -> Option<Connecting> {
        let cloud = self.cloud.upgrade()?;
        match &attempt.ending {
            Ending::NoConnection => {
                let delay = attempt.delay;
                self.note(attempt, None, Some(REFUSED), Value::Null);
                Some(Box::pin(async move {
                    if !delay.is_zero() {
                        _ = cloud.wait(Some(cloud.clock.now() + delay)).await;
                    }
                    Err(io::ErrorKind::ConnectionRefused.into())
                }))
            }
            Ending::Crash => {
                self.note(attempt, None, None, Value::Null);
                self.kill();
                Some(Box::pin(async {
                    if Activity::current().is_some() {
                        std::future::pending::<()>().await;
                    }
                    Err(io::ErrorKind::ConnectionAborted.into())
                }))
            }
            _ => None,
        }
    }

    /// Notes that an attempt was answered with a code, and whether the client learns of it.
    pub fn answered(&self, attempt: &Attempt, code: u16, mail: Value) -> Told {
        self.note(attempt, Some(code), None, mail);
        match attempt.fault {
            Some(FaultKind::CrashAfter) => {
                self.kill();
                Told::Dead
            }
            Some(FaultKind::LostReply) => Told::Lost,
            _ => Told::Yes,
        }
    }

    /// Notes that an attempt gets no answer.
    pub fn unanswered(&self, attempt: &Attempt, envelope: &Envelope) {
        let error = match attempt.ending {
            Ending::Silence => ("Timeout", "no answer"),
            Ending::NoConnection => REFUSED,
            _ => ("ConnectionReset", "the connection is broken"),
        };
        self.note(attempt, None, Some(error), envelope.json());
    }

    /// The client's code dies before the attempt takes effect.
    pub fn crash(&self, attempt: &Attempt) {
        self.note(attempt, None, None, Value::Null);
        self.kill();
    }

    fn kill(&self) {
        if let (Some(cloud), Some(invocation)) = (self.cloud.upgrade(), &self.invocation) {
            cloud.kill(invocation);
        }
    }

    /// Delivers a mail: the code that the client is answered with, and the mail as it is noted.
    pub async fn deliver(&self, attempt: &Attempt, envelope: &Envelope, raw: &[u8]) -> (u16, Value) {
        let mail = mail::describe(envelope, raw);
        let code = match &self.delivery {
            Delivery::Mock { client, url } => post(client, url, attempt.number, &mail).await,
            Delivery::Mailbox => {
                if let Some(cloud) = self.cloud.upgrade() {
                    cloud.mails.keep(mail.clone());
                }
                250
            }
        };
        (code, mail)
    }

    /// Waits by the cloud's clock; the server's work rests meanwhile.
    pub async fn pause(&self, time: Duration, work: Option<&Work>) {
        let Some(cloud) = self.cloud.upgrade() else { return };
        if time.is_zero() {
            return;
        }
        let mut waiting = Box::pin(async move { cloud.wait(Some(cloud.clock.now() + time)).await });
        // Once it is in the clock's books, time may move; not before.
        let first = std::future::poll_fn(|cx| std::task::Poll::Ready(waiting.as_mut().poll(cx))).await;
        let hold: Option<Hold> = match first {
            std::task::Poll::Ready(done) => done.ok().map(|(_, hold)| hold),
            std::task::Poll::Pending => {
                work.inspect(|work| work.rest());
                let done = waiting.await;
                work.inspect(|work| work.resume());
                done.ok().map(|(_, hold)| hold)
            }
        };
        drop(hold);
    }

    fn note(&self, attempt: &Attempt, status: Option<u16>, error: Option<(&str, &str)>, mail: Value) {
        let Some(cloud) = self.cloud.upgrade() else { return };
        let record = CallRecord {
            service: self.sink.clone(),
            operation: OPERATION.to_owned(),
            resource: super::url(&self.sink),
            caller: self.invocation.as_ref().map_or_else(|| "outside".to_owned(), |i| i.function.to_string()),
            invocation: self.invocation.clone(),
            index: attempt.index,
            input: mail,
            answer: Bytes::new(),
            status,
            error: error.map(|(code, text)| (code.to_owned(), text.to_owned())),
            fault: attempt.fault.clone(),
            ..CallRecord::default()
        };
        cloud.trace.add(cloud.clock.now(), Event::Call(Arc::new(record)));
    }
}

const REFUSED: (&str, &str) = ("ConnectionRefused", "the connection is refused");

/// Gives the mail to the wiremock server. A mock's status below 300 accepts it, one from 400 on is the reply's code.
async fn post(client: &reqwest::Client, url: &str, attempt: usize, mail: &Value) -> u16 {
    let sent = client.post(url).header(ATTEMPT_HEADER, attempt).json(mail).send().await;
    match sent.map(|response| response.status().as_u16()) {
        Ok(200..300) => 250,
        Ok(code @ 400..600) => code,
        Ok(_) => 451,
        Err(error) => {
            tracing::error!(%error, "a mail could not be given to the sink's mocks");
            451
        }
    }
}
