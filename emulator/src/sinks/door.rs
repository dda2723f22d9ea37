//! The recording door in front of the sinks: faults, the script's delays and refusals, the trace.

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use super::{ATTEMPT_HEADER, Outcome, SINK_DOMAIN, Sink};
use crate::Error;
use crate::clock::Activity;
use crate::cloud::{CallRecord, Cloud, Entry, Event, FaultKind, Halt, Inner, InvocationRef};

/// A request that reached a sink.
#[derive(Clone, Debug, PartialEq)]
pub struct SinkRequest {
    /// The HTTP method.
    pub method: String,
    /// The body, as JSON if it is, else as a string.
    pub body: Value,
    /// The status that was answered.
    pub status: Option<u16>,
}

impl Cloud {
    /// The requests that reached a sink, in order, from the trace.
    pub fn sink_requests(&self, name: &str) -> Vec<SinkRequest> {
        let requests = self.trace().into_iter().filter_map(|record| match record.event {
            Event::Call(call) if call.service == name && call.action.is_empty() && reached(&call) => {
                Some(SinkRequest { method: call.operation.clone(), body: call.input.clone(), status: call.status })
            }
            _ => None,
        });
        requests.collect()
    }
}

/// Whether the sink saw the request. One that was refused, or whose sender died before, it did not see.
fn reached(call: &CallRecord) -> bool {
    !matches!(call.fault, Some(FaultKind::CrashBefore | FaultKind::Refuse)) && call.error.is_none()
}

/// Notes a request whose sender does not wait for the answer any more: its own time-out was shorter, or it died.
struct Noted<'a> {
    inner: &'a Inner,
    passage: &'a Passage,
    done: bool,
}

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.inner.note(self.passage, &Err(Halt::Lost));
        }
    }
}

/// A request on its way to a sink.
struct Passage {
    sink: String,
    method: String,
    url: String,
    body: Bytes,
    invocation: Option<InvocationRef>,
    index: Option<u32>,
    fault: Option<FaultKind>,
}

impl Inner {
    /// Passes a request to the sink that its host names.
    pub(crate) async fn outside(&self, request: Request<Bytes>, entry: &Entry) -> Result<Response<Bytes>, Halt> {
        let name = request.uri().host().and_then(|host| host.strip_suffix(SINK_DOMAIN)).unwrap_or_default().to_owned();
        let Some(sink) = self.sinks.get(&name).filter(|sink| sink.mail.is_none()) else {
            tracing::warn!(sink = name, "there is no such HTTP sink; the connection is refused");
            return Err(Halt::Refused);
        };
        let index = entry.invocation.as_ref().map(|invocation| self.trace.next_call(invocation));
        let mut passage = Passage {
            sink: name,
            method: request.method().to_string(),
            url: request.uri().to_string(),
            body: request.body().clone(),
            invocation: entry.invocation.clone(),
            index,
            fault: None,
        };
        let point = passage.invocation.as_ref().zip(index).map(|(i, call)| (&*i.function, i.number, call));
        passage.fault = self.strike_outside(&passage.sink, &passage.method, &passage.url, point);

        let mut noted = Noted { inner: self, passage: &passage, done: false };
        let outcome = self.pass(&sink, request, &passage).await;
        noted.done = true;
        drop(noted);
        self.note(&passage, &outcome);
        let seen = match passage.fault {
            Some(FaultKind::CrashAfter) => Err(Halt::Crashed),
            Some(FaultKind::LostReply) => Err(Halt::Lost),
            _ => outcome,
        };
        if let (Err(Halt::Crashed), Some(invocation)) = (&seen, &passage.invocation) {
            self.kill(invocation);
            if Activity::current().is_some() {
                std::future::pending::<()>().await;
            }
        }
        seen
    }

    async fn pass(&self, sink: &Sink, request: Request<Bytes>, passage: &Passage) -> Result<Response<Bytes>, Halt> {
        match &passage.fault {
            Some(FaultKind::CrashBefore) => return Err(Halt::Crashed),
            Some(FaultKind::Refuse) => return Err(Halt::Refused),
            Some(FaultKind::Throttle) => return answer(429),
            Some(FaultKind::Deny) => return answer(403),
            Some(FaultKind::Error { status, .. }) => return answer(*status),
            Some(FaultKind::Delay(time)) => self.pause(*time).await?,
            Some(FaultKind::EmptyPage) => {
                return Err(Error::not_implemented("the fault empty-page at a sink, which has no pages").into());
            }
            // A duplicate is of a record, and strikes no request.
            None | Some(FaultKind::CrashAfter | FaultKind::LostReply | FaultKind::Duplicate) => {}
        }
        let (attempt, scripted) = sink.script.next();
        let scripted = scripted.unwrap_or_default();
        if !scripted.delay.is_zero() {
            self.pause(scripted.delay).await?;
        }
        match scripted.outcome {
            Outcome::Refused => Err(Halt::Refused),
            Outcome::Timeout => {
                // No answer, ever: the caller's own time-out ends it.
                self.wait(None).await?;
                Err(Halt::Lost)
            }
            Outcome::Status { .. } => {
                // Time does not pass while the server is asked, whoever asks it.
                let _busy = self.clock.busy();
                forward(sink, request, attempt).await
            }
            Outcome::Greylist | Outcome::DropBeforeData | Outcome::DropAfterData => {
                Err(Error::not_implemented("an answer of mail servers at an HTTP sink").into())
            }
        }
    }

    async fn pause(&self, time: std::time::Duration) -> Result<(), Halt> {
        let (_, hold) = self.wait(Some(self.clock.now() + time)).await?;
        drop(hold);
        Ok(())
    }

    fn note(&self, passage: &Passage, outcome: &Result<Response<Bytes>, Halt>) {
        let body = serde_json::from_slice(&passage.body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&passage.body).into_owned()));
        let (status, answer) = match outcome {
            Ok(response) => (Some(response.status().as_u16()), response.body().clone()),
            Err(_) => (None, Bytes::new()),
        };
        let error = match outcome {
            Err(Halt::Refused) => Some(("ConnectionRefused".to_owned(), "the connection is refused".to_owned())),
            Err(Halt::Lost) => Some(("Timeout".to_owned(), "no answer".to_owned())),
            Err(Halt::Error(error)) => Some((error.code().to_owned(), error.message().to_owned())),
            Ok(_) | Err(Halt::Crashed) => None,
        };
        let record = CallRecord {
            service: passage.sink.clone(),
            operation: passage.method.clone(),
            action: String::new(),
            resource: passage.url.clone(),
            caller: passage.invocation.as_ref().map_or_else(|| "outside".to_owned(), |i| i.function.to_string()),
            source_arn: None,
            invocation: passage.invocation.clone(),
            index: passage.index,
            input: body,
            body: Bytes::new(),
            status,
            error,
            output: json!(null),
            answer,
            fault: passage.fault.clone(),
        };
        self.trace.add(self.clock.now(), Event::Call(std::sync::Arc::new(record)));
    }
}

/// Sends the request to the wiremock server, on the runtime that the server's sockets belong to.
async fn forward(sink: &Sink, request: Request<Bytes>, attempt: usize) -> Result<Response<Bytes>, Halt> {
    let outside = Activity::current().map(|activity| activity.outside());
    let (head, body) = request.into_parts();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut headers = head.headers;
    headers.remove(http::header::HOST);
    let sending = sink
        .client
        .request(head.method, format!("{}{path}", sink.server.uri()))
        .headers(headers)
        .header(ATTEMPT_HEADER, attempt)
        .body(body)
        .send();
    let answered = sink.runtime.spawn(async move {
        let response = sending.await?;
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = response.headers().clone();
        *answer.body_mut() = response.bytes().await?;
        Ok::<_, reqwest::Error>(answer)
    });
    let answer = answered.await.map_err(Error::internal)?.map_err(Error::internal)?;
    drop(outside);
    Ok(answer)
}

fn answer(status: u16) -> Result<Response<Bytes>, Halt> {
    Response::builder().status(status).body(Bytes::new()).map_err(|e| Halt::Error(Error::internal(e)))
}
