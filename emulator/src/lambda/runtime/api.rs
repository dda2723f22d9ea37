//! The Lambda Runtime API, as the code of a function polls it.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot, watch};

use crate::lambda::invoke::Attempt;

/// The version of the API, which its paths begin with.
pub(super) const VERSION: &str = "/2018-06-01/runtime/";
/// The longest answer of a function, in bytes: 6 MB and what AWS grants on top, as its error message says.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const RESPONSE_LIMIT: usize = 6_291_556;

/// The API's side of one process.
pub(super) struct Channel {
    /// Where the code is.
    pub phase: watch::Sender<Phase>,
    /// Until it is closed.
    orders: Mutex<Option<mpsc::UnboundedSender<Order>>>,
    ordered: tokio::sync::Mutex<mpsc::UnboundedReceiver<Order>>,
    current: Mutex<Option<Current>>,
}

/// Where the code of a process is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Phase {
    /// It has not asked for an invocation yet.
    Starting,
    /// It has.
    Ready,
    /// It reported that it cannot.
    Failed(Value),
}

/// How an invocation ended.
#[derive(Debug)]
pub(super) enum Answer {
    /// With this payload.
    Response(Bytes),
    /// With this error document.
    Error(Value),
}

struct Order {
    headers: HeaderMap,
    payload: String,
    current: Current,
}

struct Current {
    request_id: String,
    answer: oneshot::Sender<Answer>,
}

impl Channel {
    pub fn new() -> Self {
        let (orders, ordered) = mpsc::unbounded_channel();
        Self {
            phase: watch::Sender::new(Phase::Starting),
            orders: Mutex::new(Some(orders)),
            ordered: tokio::sync::Mutex::new(ordered),
            current: Mutex::default(),
        }
    }

    /// Hands an invocation to the code. `deadline` is in milliseconds of the machine's clock, which the code's is.
    pub fn order(&self, attempt: &Attempt, deadline: i64) -> oneshot::Receiver<Answer> {
        let (answer, answered) = oneshot::channel();
        let current = Current { request_id: attempt.request_id.clone(), answer };
        let order = Order { headers: headers(attempt, deadline), payload: attempt.payload.to_string(), current };
        // Who asked learns of a closed channel as `order` is dropped.
        if let Some(orders) = &*self.orders.lock() {
            // The receiver lives as long as this channel does.
            let _ = orders.send(order);
        }
        answered
    }

    /// There are no more invocations: whoever still polls for one, such as a child that outlived its process, is told so.
    pub fn close(&self) {
        self.orders.lock().take();
    }

    /// Answers a request; `path` is what follows the version.
    pub async fn serve(&self, path: &str, request: Request<Body>) -> Response {
        let parts: Vec<&str> = path.split('/').collect();
        match (request.method(), parts.as_slice()) {
            (&Method::GET, ["invocation", "next"]) => self.next().await,
            (&Method::POST, ["invocation", id, "response"]) => self.response(id, request).await,
            (&Method::POST, ["invocation", id, "error"]) => self.error(id, request).await,
            (&Method::POST, ["init", "error"]) => {
                let (kind, body) = error_body(request).await;
                self.phase.send_replace(Phase::Failed(error_document(kind, &body)));
                accepted()
            }
            _ => no_such_path(),
        }
    }

    async fn next(&self) -> Response {
        if self.current.lock().is_some() {
            let text = "Transition from Invocation to Ready is not allowed: the invocation was not answered";
            return refuse(StatusCode::FORBIDDEN, "InvalidStateTransition", text);
        }
        self.phase.send_replace(Phase::Ready);
        let Some(order) = self.ordered.lock().await.recv().await else {
            return refuse(StatusCode::GONE, "Gone", "the execution environment has ended");
        };
        *self.current.lock() = Some(order.current);
        let mut response = Response::new(Body::from(order.payload));
        *response.headers_mut() = order.headers;
        response
    }

    async fn response(&self, id: &str, request: Request<Body>) -> Response {
        let Some(current) = self.take(id) else { return unknown_id() };
        match Limited::new(request.into_body(), RESPONSE_LIMIT).collect().await {
            Ok(body) => {
                // Whoever waits for it may be gone, which is none of the code's business.
                let _ = current.answer.send(Answer::Response(body.to_bytes()));
                accepted()
            }
            Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                let text =
                    format!("Response payload size exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes).");
                let document = json!({ "errorType": "Function.ResponseSizeTooLarge", "errorMessage": text });
                let _ = current.answer.send(Answer::Error(document));
                refuse(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &text)
            }
            Err(error) => {
                let document = json!({ "errorType": "Runtime.TruncatedResponse", "errorMessage": error.to_string() });
                let _ = current.answer.send(Answer::Error(document));
                refuse(StatusCode::BAD_REQUEST, "TruncatedResponse", &error.to_string())
            }
        }
    }

    async fn error(&self, id: &str, request: Request<Body>) -> Response {
        let Some(current) = self.take(id) else { return unknown_id() };
        let (kind, body) = error_body(request).await;
        let _ = current.answer.send(Answer::Error(error_document(kind, &body)));
        accepted()
    }

    fn take(&self, id: &str) -> Option<Current> {
        self.current.lock().take_if(|current| current.request_id == id)
    }
}

async fn error_body(request: Request<Body>) -> (Option<String>, Bytes) {
    let kind = request.headers().get("lambda-runtime-function-error-type").and_then(|kind| kind.to_str().ok());
    let kind = kind.map(str::to_owned);
    let body = Limited::new(request.into_body(), RESPONSE_LIMIT).collect().await;
    (kind, body.map(|body| body.to_bytes()).unwrap_or_default())
}

/// The document as it was sent, or one made of what was.
fn error_document(kind: Option<String>, body: &[u8]) -> Value {
    match serde_json::from_slice(body) {
        Ok(Value::Object(document)) => Value::Object(document),
        _ => json!({
            "errorType": kind.unwrap_or_else(|| "Runtime.Unknown".to_owned()),
            "errorMessage": String::from_utf8_lossy(body),
        }),
    }
}

fn headers(attempt: &Attempt, deadline: i64) -> HeaderMap {
    let trace = trace_id(&attempt.request_id, deadline);
    let values = [
        ("lambda-runtime-aws-request-id", Some(attempt.request_id.as_str())),
        ("lambda-runtime-invoked-function-arn", Some(attempt.invoked_arn.as_str())),
        ("lambda-runtime-trace-id", Some(trace.as_str())),
        ("lambda-runtime-client-context", attempt.client_context.as_deref()),
    ];
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("lambda-runtime-deadline-ms", HeaderValue::from(deadline));
    for (name, value) in values {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.insert(name, value);
        }
    }
    headers
}

/// An X-Ray header that samples nothing; its ids come from the request's, so that they repeat with it.
/// <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>
fn trace_id(request_id: &str, deadline: i64) -> String {
    let digits: String = request_id.chars().filter(char::is_ascii_hexdigit).collect();
    let (root, parent) = (digits.get(..24).unwrap_or_default(), digits.get(16..32).unwrap_or_default());
    format!("Root=1-{:08x}-{root:0>24};Parent={parent:0>16};Sampled=0", deadline / 1000)
}

fn accepted() -> Response {
    json_response(StatusCode::ACCEPTED, &json!({ "status": "OK" }))
}

fn unknown_id() -> Response {
    refuse(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID")
}

fn no_such_path() -> Response {
    refuse(StatusCode::NOT_FOUND, "NotFound", "the Lambda Runtime API has no such path")
}

fn refuse(status: StatusCode, kind: &str, message: &str) -> Response {
    json_response(status, &json!({ "errorType": kind, "errorMessage": message }))
}

fn json_response(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
