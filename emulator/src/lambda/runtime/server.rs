//! The loopback listener that processes of functions talk to: the Runtime API, and the cloud itself where it has no port.
//!
//! It runs on a thread of its own, because a cloud without a port may be driven from a runtime that stands still between
//! calls.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Weak};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::response::{IntoResponse, Response};
use http::{Request, StatusCode};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::api::Channel;
use crate::cloud::{Cloud, Inner};

/// What the paths of the Runtime API begin with; the number of the process follows.
const BASE: &str = "/_garoa/runtime/";

/// The listener. Dropping it ends it.
pub(super) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    _stop: oneshot::Sender<()>,
}

struct Shared {
    cloud: Weak<Inner>,
    channels: Mutex<BTreeMap<u64, Arc<Channel>>>,
}

/// A process's way to the Runtime API; dropping it closes the way.
pub(super) struct Line {
    number: u64,
    pub channel: Arc<Channel>,
    shared: Arc<Shared>,
    /// What `AWS_LAMBDA_RUNTIME_API` is for it.
    pub base: String,
}

impl Server {
    /// Starts listening.
    ///
    /// # Errors
    /// If the machine gives no port or no thread.
    pub fn start(cloud: Weak<Inner>) -> std::io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let shared = Arc::new(Shared { cloud, channels: Mutex::default() });
        let (stop, stopped) = oneshot::channel::<()>();
        let app = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        std::thread::Builder::new().name("lambda-runtime".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let listener = match tokio::net::TcpListener::from_std(listener) {
                    Ok(listener) => listener,
                    Err(error) => return tracing::error!(%error, "the Lambda Runtime API has no listener"),
                };
                let listener = crate::serve::without_delay(listener);
                let service = app.into_make_service_with_connect_info::<SocketAddr>();
                tokio::select! {
                    served = axum::serve(listener, service) => {
                        if let Err(error) = served {
                            tracing::error!(%error, "the Lambda Runtime API ended");
                        }
                    }
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self { address, shared, _stop: stop })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Opens a way for the process of this number.
    pub fn line(&self, number: u64) -> Line {
        let channel = Arc::new(Channel::new());
        self.shared.channels.lock().insert(number, Arc::clone(&channel));
        let base = format!("{}{BASE}{number}", self.address);
        Line { number, channel, shared: Arc::clone(&self.shared), base }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.shared.channels.lock().remove(&self.number);
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response {
    let path = request.uri().path().to_owned();
    if let Some((number, rest)) = path.strip_prefix(BASE).and_then(|path| path.split_once('/')) {
        let channel = number.parse().ok().and_then(|number: u64| shared.channels.lock().get(&number).cloned());
        return match channel {
            Some(channel) => channel.serve(rest, request).await,
            None => (StatusCode::GONE, "there is no such execution environment (any more)").into_response(),
        };
    }
    match shared.cloud.upgrade().map(Cloud) {
        Some(cloud) => crate::serve::answer_aws(&cloud, client, request).await,
        None => (StatusCode::SERVICE_UNAVAILABLE, "the cloud is gone").into_response(),
    }
}
