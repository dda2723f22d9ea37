//! HTTP services outside the cloud, played by wiremock.
//!
//! A function reaches the sink `slack` at `http://slack.sink.localhost/…`, through the HTTP client of its SDK
//! configuration. The request passes a recording door (`door.rs`): it is in the trace, counts among the calls of its
//! invocation, and can be crashed at; then it goes to a wiremock server over a real socket. What the server answers may be
//! scripted by attempt (`answer.rs`).

mod answer;
mod door;

pub use answer::{Answer, Outcome};
pub use door::SinkRequest;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::runtime::Handle;
use wiremock::{Match, Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::cloud::Cloud;

/// Hosts below this domain are sinks.
pub(crate) const SINK_DOMAIN: &str = ".sink.localhost";
/// Tells the server which of the scripted answers is due.
const ATTEMPT_HEADER: &str = "garoa-attempt";

/// The sinks of a cloud.
#[derive(Clone, Default)]
pub(crate) struct Sinks(Arc<Mutex<BTreeMap<String, Arc<Sink>>>>);

impl Sinks {
    pub fn get(&self, name: &str) -> Option<Arc<Sink>> {
        self.0.lock().get(name).cloned()
    }
}

/// A service outside the cloud.
pub struct Sink {
    server: MockServer,
    /// The runtime of the sockets: a function's own may die under them.
    runtime: Handle,
    client: reqwest::Client,
    answers: Arc<Mutex<Vec<Answer>>>,
    attempts: AtomicUsize,
}

impl Sink {
    /// The wiremock server, for matchers and expectations of one's own. Mocks that are mounted with a priority above the
    /// default come before the scripted answers.
    pub fn server(&self) -> &MockServer {
        &self.server
    }

    /// Scripts the answers from now on: one for each attempt, the last for all that follow.
    pub fn answer(&self, answers: Vec<Answer>) {
        *self.answers.lock() = answers;
        self.attempts.store(0, Ordering::SeqCst);
    }

    /// The place of this attempt in the script, and what is scripted for it.
    fn next_answer(&self) -> (usize, Answer) {
        let attempt = self.attempts.fetch_add(1, Ordering::SeqCst);
        (attempt, scripted(&self.answers, attempt))
    }
}

fn scripted(answers: &Mutex<Vec<Answer>>, attempt: usize) -> Answer {
    let answers = answers.lock();
    answers.get(attempt).or(answers.last()).cloned().unwrap_or_default()
}

impl Cloud {
    /// Starts a sink: `http://{name}.sink.localhost/` for the functions of this cloud. Without answers it answers 200 `ok`.
    pub async fn sink(&self, name: &str, answers: Vec<Answer>) -> Arc<Sink> {
        let server = MockServer::start().await;
        let answers = Arc::new(Mutex::new(answers));
        // Last in order, so that a user's own mocks come first.
        Mock::given(Anything).respond_with(Scripted(Arc::clone(&answers))).with_priority(u8::MAX).mount(&server).await;
        let sink = Arc::new(Sink {
            server,
            runtime: Handle::current(),
            client: reqwest::Client::new(),
            answers,
            attempts: AtomicUsize::new(0),
        });
        self.0.sinks.0.lock().insert(name.to_owned(), Arc::clone(&sink));
        sink
    }

    /// The sink of this name, if it was started.
    pub fn find_sink(&self, name: &str) -> Option<Arc<Sink>> {
        self.0.sinks.get(name)
    }
}

/// The URL at which functions reach a sink.
pub fn url(name: &str) -> String {
    format!("http://{name}{SINK_DOMAIN}/")
}

struct Anything;

impl Match for Anything {
    fn matches(&self, _: &Request) -> bool {
        true
    }
}

struct Scripted(Arc<Mutex<Vec<Answer>>>);

impl Respond for Scripted {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let attempt = request.headers.get(ATTEMPT_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
        scripted(&self.0, attempt.parse().unwrap_or(usize::MAX)).template()
    }
}
