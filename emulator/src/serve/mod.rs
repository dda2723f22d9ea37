//! The same cloud behind a port: `garoa serve`.
//!
//! Everything but Garoa's own paths below `/_garoa/` (`admin.rs`) goes through the wire to the front door.

mod admin;
mod body;

use std::cell::RefCell;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::{get, post};
use axum::serve::{IncomingStream, ListenerExt, TapIo};
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tower::{ServiceExt, service_fn};

use crate::Timestamp;
use crate::apigatewayv2::websocket;
use crate::cloud::{Cloud, Entry, Halt};

/// The runtime that a cloud is best served on. It has a thread for each second processor: what calls the cloud runs on the same
/// machine, and where the two have no processor each, switching between them costs a third of a request that takes
/// microseconds. A large payload does not hold a thread up: see [`crate::cloud::Service::op_after`].
///
/// # Errors
/// If the machine gives no threads.
pub fn runtime() -> std::io::Result<Runtime> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    tokio::runtime::Builder::new_multi_thread().worker_threads(processors.div_ceil(2)).enable_all().build()
}

/// Serves a cloud on a listener until `stop` completes; requests that are under way are answered.
///
/// # Errors
/// If the listener fails.
pub async fn serve(
    cloud: Cloud,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    if let Ok(host) = HeaderValue::from_str(&host(listener.local_addr()?)) {
        // Served again at another port, the first host stays; nothing does that.
        let _ = cloud.0.served.set(host);
    }
    let driver = tokio::spawn({
        let cloud = cloud.clone();
        async move {
            // Whatever it is that keeps the clock from moving, it may end.
            loop {
                let stalled = cloud.0.driver.serve(&*cloud.0).await;
                tracing::error!(%stalled, "the clock stands");
            }
        }
    });
    if let Ok(address) = listener.local_addr() {
        cloud.0.environments.serve_at(address);
    }
    let stop = {
        let cloud = cloud.clone();
        async move {
            stop.await;
            cloud.0.end_functions();
        }
    };
    let own = Router::new()
        .route("/_garoa/health", get(admin::health))
        .route("/_garoa/reset", post(admin::reset))
        .route("/_garoa/mails", get(admin::mails))
        .route("/_garoa/clock/advance", post(admin::advance))
        .route("/_garoa/code/{account}/{region}/{name}/{version}/{hash}/{proof}", get(admin::code))
        .with_state(Arc::new(cloud.clone()));
    let connected = service_fn(move |stream: IncomingStream<'_, Tapped>| {
        let (cloud, own, client) = (cloud.clone(), own.clone(), *stream.remote_addr());
        std::future::ready(Ok::<_, Infallible>(service_fn(move |request| {
            answer(cloud.clone(), own.clone(), client, request)
        })))
    });
    let outcome = axum::serve(without_delay(listener), connected).with_graceful_shutdown(stop).await;
    driver.abort();
    outcome
}

/// A listener whose connections are prepared.
type Tapped = TapIo<TcpListener, fn(&mut TcpStream)>;

/// Small answers must not wait for a full packet.
pub(crate) fn without_delay(listener: TcpListener) -> Tapped {
    listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY");
        }
    })
}

/// Garoa's own paths are routed; what is AWS's goes straight to the wire, for that is nearly everything.
async fn answer(cloud: Cloud, own: Router, client: SocketAddr, request: Request<Body>) -> Result<Response, Infallible> {
    if request.uri().path().starts_with("/_garoa/") {
        return own.oneshot(request).await;
    }
    // On the heap: the server moves what answers about.
    Ok(Box::pin(answer_aws(&cloud, client, request)).await)
}

/// Answers a request of the AWS API.
pub(crate) async fn answer_aws(cloud: &Cloud, client: SocketAddr, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    if let Some(to) = websocket::socket::wanted(cloud, &head) {
        return Box::pin(websocket::socket::answer(cloud.clone(), to, head, address(client))).await;
    }
    if head.headers.contains_key(header::EXPECT)
        && let Some(refusal) = crate::s3::web::refused_ahead(&cloud.0, &head)
    {
        return refusal.map(Body::from);
    }
    let body::Whole { bytes, digested } = match body::whole(body, crate::s3::web::is_upload(&head)).await {
        Ok(whole) => whole,
        Err(error) => return plain(StatusCode::PAYLOAD_TOO_LARGE, format!("the body cannot be read: {error}")),
    };
    let entry = Entry { invocation: None, source_ip: Some(address(client)) };
    let request = Request::from_parts(head, bytes);
    let answer = cloud.0.http(request, &entry).await;
    drop(digested);
    match answer {
        Ok(mut response) => {
            // The cloud's date, not the machine's: SDKs correct their clocks by it.
            response.headers_mut().insert(header::DATE, date(cloud.now()));
            response.map(Body::from)
        }
        Err(Halt::Error(error)) => {
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            plain(status, error.to_string())
        }
        // An injected fault that breaks the connection: a client over TCP sees a gateway that gives up.
        Err(broken) => plain(StatusCode::BAD_GATEWAY, format!("no answer, by an injected fault: {broken:?}")),
    }
}

/// How a client on this machine reaches the server.
fn host(address: SocketAddr) -> String {
    if address.ip().is_unspecified() { format!("localhost:{}", address.port()) } else { address.to_string() }
}

thread_local! {
    /// The date of the last answer: it is the same for a second of answers.
    static DATE: RefCell<(i64, HeaderValue)> = const { RefCell::new((i64::MIN, HeaderValue::from_static(""))) };
}

fn date(now: Timestamp) -> HeaderValue {
    DATE.with_borrow_mut(|(second, date)| {
        if *second != now.secs() {
            // The text of a date is always one of a header.
            *date = HeaderValue::from_str(&now.to_http_date()).unwrap_or(HeaderValue::from_static(""));
            *second = now.secs();
        }
        date.clone()
    })
}

fn address(client: SocketAddr) -> IpAddr {
    client.ip().to_canonical()
}

fn plain(status: StatusCode, text: String) -> Response {
    let mut response = Response::new(Body::from(Bytes::from(text)));
    *response.status_mut() = status;
    response
}
