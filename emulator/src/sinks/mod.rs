//! Services outside the cloud: HTTP services, played by wiremock, and mail servers (`smtp/`).
//!
//! A function reaches the sink `slack` at `http://slack.sink.localhost/…`, through the HTTP client of its SDK
//! configuration. The request passes a recording door (`door.rs`): it is in the trace, counts among the calls of its
//! invocation, and can be crashed at; then it goes to a wiremock server over a real socket. What the server answers may be
//! scripted by attempt (`answer.rs`).

mod answer;
mod door;
mod network;
pub mod smtp;

pub use answer::{Answer, Outcome};
pub use door::SinkRequest;
pub use network::{Connection, Network};

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use wiremock::{Match, Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::cloud::Cloud;
use answer::Script;
use smtp::{MailServer, SmtpOptions};

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
    script: Arc<Script>,
    /// The mail server before the wiremock server, if it is one.
    mail: Option<Arc<MailServer>>,
}

impl Sink {
    /// The wiremock server, for matchers and expectations of one's own. Mocks that are mounted with a priority above the
    /// default come before the scripted answers.
    pub fn server(&self) -> &MockServer {
        &self.server
    }

    /// Scripts the answers from now on: one for each attempt, the last for all that follow.
    pub fn answer(&self, answers: Vec<Answer>) {
        self.script.set(answers);
    }

    /// Of a mail server: the certificate of the authority that vouches for it, as PEM.
    pub fn certificate(&self) -> Option<&str> {
        self.mail.as_ref().map(|mail| mail.certificate())
    }
}

impl Cloud {
    /// Starts a sink: `http://{name}.sink.localhost/` for the functions of this cloud. Without answers it answers 200 `ok`.
    pub async fn sink(&self, name: &str, answers: Vec<Answer>) -> Arc<Sink> {
        self.start_sink(name, answers, None).await
    }

    /// Starts a mail server: `smtp://{name}.sink.localhost:587/` for the functions of this cloud, through
    /// [`Network::connect`]. Each mail that it accepts becomes one POST to the sink's wiremock server, with the mail as JSON
    /// (`smtp/mail.rs`). Without answers it accepts all of them.
    ///
    /// # Errors
    /// If no certificate can be made.
    pub async fn mail_sink(&self, name: &str, options: SmtpOptions, answers: Vec<Answer>) -> crate::Result<Arc<Sink>> {
        let server = MailServer::seeded(&host(name), options, self.0.seed)?;
        Ok(self.start_sink(name, answers, Some(Arc::new(server))).await)
    }

    async fn start_sink(&self, name: &str, answers: Vec<Answer>, mail: Option<Arc<MailServer>>) -> Arc<Sink> {
        let server = MockServer::start().await;
        let script = Arc::new(Script::new(answers));
        // Last in order, so that a user's own mocks come first.
        Mock::given(Anything).respond_with(Scripted(Arc::clone(&script))).with_priority(u8::MAX).mount(&server).await;
        let (runtime, client) = (Handle::current(), reqwest::Client::new());
        let sink = Arc::new(Sink { server, runtime, client, script, mail });
        self.0.sinks.0.lock().insert(name.to_owned(), Arc::clone(&sink));
        sink
    }

    /// The sink of this name, if it was started.
    pub fn find_sink(&self, name: &str) -> Option<Arc<Sink>> {
        self.0.sinks.get(name)
    }
}

/// The URL at which functions reach an HTTP sink.
pub fn url(name: &str) -> String {
    format!("http://{}/", host(name))
}

/// The host at which functions reach a sink.
pub fn host(name: &str) -> String {
    format!("{name}{SINK_DOMAIN}")
}

struct Anything;

impl Match for Anything {
    fn matches(&self, _: &Request) -> bool {
        true
    }
}

struct Scripted(Arc<Script>);

impl Respond for Scripted {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let attempt = request.headers.get(ATTEMPT_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
        self.0.at(attempt.parse().unwrap_or(usize::MAX)).unwrap_or_default().template()
    }
}
