//! HTTP integrations' way out: to sinks, to this cloud itself, and to servers that the user allows. To nothing else: an API that
//! anybody may change must not become a way into the user's network.

use std::pin::Pin;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, Limited};

use super::Form;
use crate::Error;
use crate::clock::Activity;
use crate::cloud::{Entry, Halt, Inner};
use crate::lambda;
use crate::sinks::SINK_DOMAIN;
use crate::wire::without_port;

/// AWS's own hosts are this cloud's.
const AWS_DOMAIN: &str = ".amazonaws.com";
/// Names of the machine itself, of which one that serves at any of them is known by all.
const LOCAL: &[&str] = &["localhost", "localhost.localstack.cloud"];

/// The largest answer, in bytes: the payload of an API.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
const ANSWER_LIMIT: usize = 10 * 1024 * 1024;

/// Sends a request to where its URI says.
///
/// # Errors
/// `NotImplemented` for an address that is not allowed, and for TLS; a broken connection as such.
pub(crate) async fn send(inner: &Inner, mut request: Request<Bytes>) -> Result<Response<Bytes>, Halt> {
    let authority =
        request.uri().authority().map(|authority| authority.as_str().to_ascii_lowercase()).unwrap_or_default();
    if let Ok(host) = http::HeaderValue::from_str(&authority) {
        request.headers_mut().insert(header::HOST, host);
    }
    let host = request.uri().host().unwrap_or_default().to_ascii_lowercase();
    let entry = Entry { invocation: None, source_ip: None };
    if host.ends_with(SINK_DOMAIN) {
        return inner.outside(request, &entry).await;
    }
    let (head, body) = request.into_parts();
    if is_own(inner, &head, &host) {
        return own(inner, Request::from_parts(head, body)).await;
    }
    if !inner.reachable.iter().any(|known| *known == host || *known == authority) {
        return Err(Error::not_implemented(format!(
            "an HTTP integration with {authority}: it is not among the servers that may be reached (garoa serve --reach {host})"
        ))
        .into());
    }
    if head.uri.scheme_str() != Some("http") {
        return Err(Error::not_implemented(format!("TLS to the outside, which {} needs", head.uri)).into());
    }
    // Time does not pass while a server outside is asked, nor before the code that asked has gone on.
    let busy = inner.clock.busy();
    let outside = Activity::current().map(|activity| activity.outside());
    let mut headers = head.headers;
    headers.remove(header::CONTENT_LENGTH);
    // A server that may be reached must not lead on to one that may not.
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
    let client = client.map_err(Error::internal)?;
    let sent = client.request(head.method, head.uri.to_string()).headers(headers).body(body).send().await;
    let answered = match sent {
        Ok(answered) => answered,
        Err(error) => {
            tracing::warn!(%error, "an HTTP integration could not reach its server");
            return Err(Halt::Refused);
        }
    };
    let (head, body) = Response::<reqwest::Body>::from(answered).into_parts();
    let body = Limited::new(body, ANSWER_LIMIT).collect().await.map_err(|_| Halt::Lost)?.to_bytes();
    drop((busy, outside));
    let mut response = Response::new(body);
    *response.status_mut() = head.status;
    *response.headers_mut() = head.headers;
    Ok(response)
}

/// Whether a request is for this cloud: by the name of one of its APIs, of its domain names or of its function URLs, by a name of
/// AWS, or by the address at which it is served.
fn is_own(inner: &Inner, head: &Parts, host: &str) -> bool {
    let named = super::address(inner, head).is_some_and(|address| address.form != Form::Path)
        || lambda::url_address(head).is_some();
    if named || host.ends_with(AWS_DOMAIN) {
        return true;
    }
    let Some(served) = inner.served.get().and_then(|served| served.to_str().ok()) else { return false };
    let port = |authority: &str| authority.rsplit_once(':').map(|(_, port)| port.to_owned());
    let at = without_port(served);
    let local = |name: &str| {
        let below = |domain: &str| name == domain || name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
        name == "127.0.0.1" || LOCAL.iter().any(|domain| below(domain))
    };
    let same = host == at || local(at) && local(host);
    same && port(served) == Some(head.uri.port_u16().unwrap_or(80).to_string())
}

/// A request to this cloud. An API may call itself, so that the type of this must not hold that of the caller.
fn own(
    inner: &Inner,
    mut request: Request<Bytes>,
) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, Halt>> + Send + '_>> {
    Box::pin(async move {
        let entry = Entry { invocation: None, source_ip: None };
        // Over a connection request and answer would have these as well.
        if !request.body().is_empty() {
            let length = request.body().len().into();
            request.headers_mut().insert(header::CONTENT_LENGTH, length);
        }
        let mut response = inner.http(request, &entry).await?;
        let (length, date) = (response.body().len(), inner.clock.now().to_jiff());
        let headers = response.headers_mut();
        headers.entry(header::CONNECTION).or_insert(HeaderValue::from_static("keep-alive"));
        headers.entry(header::CONTENT_LENGTH).or_insert(length.into());
        if let Ok(date) = HeaderValue::from_str(&date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()) {
            headers.entry(header::DATE).or_insert(date);
        }
        Ok(response)
    })
}
