//! The loopback listeners that processes of functions talk to, one for each: the Runtime API, and the cloud itself where it has
//! no port. One for each, because clients take `AWS_LAMBDA_RUNTIME_API` for a host and a port, and keep no path of it.
//!
//! They run on a thread of their own, because a cloud without a port may be driven from a runtime that stands still between
//! calls.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Weak};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::response::{IntoResponse, Response};
use http::{Request, StatusCode};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::api::{Channel, VERSION};
use crate::cloud::{Cloud, Inner};

/// The thread of the listeners. Dropping it ends them.
pub(super) struct Server {
    cloud: Weak<Inner>,
    runtime: Handle,
    _stop: oneshot::Sender<()>,
}

/// A process's way to the Runtime API; dropping it closes the way.
pub(super) struct Line {
    pub channel: Arc<Channel>,
    /// What `AWS_LAMBDA_RUNTIME_API` is for it.
    pub address: SocketAddr,
    listener: AbortHandle,
}

/// What a listener answers from.
#[derive(Clone)]
struct Answers {
    cloud: Weak<Inner>,
    channel: Arc<Channel>,
}

impl Server {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the machine gives none.
    pub fn start(cloud: Weak<Inner>) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        std::thread::Builder::new().name("lambda-runtime".to_owned()).spawn(move || {
            // It ends when the sender is dropped, which is no message.
            let _ = runtime.block_on(stopped);
        })?;
        Ok(Self { cloud, runtime: handle, _stop: stop })
    }

    /// Opens a way for a process.
    ///
    /// # Errors
    /// If the machine gives no port.
    pub fn line(&self) -> std::io::Result<Line> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let channel = Arc::new(Channel::new());
        let answers = Answers { cloud: self.cloud.clone(), channel: Arc::clone(&channel) };
        let app = Router::new().fallback(answer).with_state(answers);
        let listening = self.runtime.spawn(async move {
            let listener = match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => crate::serve::without_delay(listener),
                Err(error) => return tracing::error!(%error, "the Lambda Runtime API has no listener"),
            };
            if let Err(error) = axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await {
                tracing::error!(%error, "the Lambda Runtime API ended");
            }
        });
        Ok(Line { channel, address, listener: listening.abort_handle() })
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.listener.abort();
        self.channel.close();
    }
}

async fn answer(
    State(Answers { cloud, channel }): State<Answers>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response {
    let path = request.uri().path().to_owned();
    if let Some(rest) = path.strip_prefix(VERSION) {
        return channel.serve(rest, request).await;
    }
    match cloud.upgrade().map(Cloud) {
        Some(cloud) => crate::serve::answer_aws(&cloud, client, request).await,
        None => (StatusCode::SERVICE_UNAVAILABLE, "the cloud is gone").into_response(),
    }
}
