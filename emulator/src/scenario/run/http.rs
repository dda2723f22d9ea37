//! HTTP blocks: requests to deployed APIs, without sockets.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, header};

use super::player::{Player, Wrong};
use super::steps;
use crate::execute_api;
use crate::scenario::expect::Mismatch;
use crate::scenario::script::http::Http;
use crate::scenario::script::{Name, Span};

/// Sends a request, and compares what is answered.
pub(super) async fn take(player: &mut Player<'_>, index: usize, http: &Http, span: Span) -> Result<(), Wrong> {
    let (request, what) = request(player, http, span)?;
    let answered = player.cloud.http(request).await;
    let answered = answered.map_err(|error| Wrong { is_call: true, ..Wrong::new(span, error.to_string()) })?;
    let status = answered.status().as_u16();
    let body = String::from_utf8_lossy(answered.body()).into_owned();
    if status != http.status {
        let mismatch = Mismatch::new(what, format!("HTTP {}", http.status), format!("HTTP {status}\n{body}"));
        return Err(Wrong {
            difference: Some(mismatch.to_string()),
            is_call: true,
            ..Wrong::new(span, "the API answered another status")
        });
    }
    let printed = body.trim_end_matches('\n').to_owned();
    steps::compare(player, index, &what, printed, http.capture.as_ref(), http.expected.as_ref())
}

/// The request, and what messages call it.
fn request(player: &Player<'_>, http: &Http, span: Span) -> Result<(Request<Bytes>, String), Wrong> {
    let fill = |name: &Name| player.name(name);
    let url = http.url.render(&fill)?;
    let body = Bytes::from(http.body.render(&fill)?);
    let mut request = Request::builder().method(http.method.as_str()).uri(&url);
    for (name, value) in &http.headers {
        let named = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::try_from(value.render(&fill)?));
        let (Ok(key), Ok(value)) = named else {
            return Err(Wrong::new(span, format!("`{name}` cannot be sent as a header")));
        };
        request = request.header(key, value);
    }
    let built = request.body(body).map_err(|why| Wrong::new(span, format!("`{url}` is no URL: {why}")))?;
    let (mut head, body) = built.into_parts();
    if execute_api::address(&player.cloud.0, &head).is_none() {
        return Err(Wrong::new(span, format!("`{url}` is not the URL of a deployed API")));
    }
    let host = head.uri.authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    if let Some(host) = host {
        head.headers.entry(header::HOST).or_insert(host);
    }
    Ok((Request::from_parts(head, body), format!("{} {url}", http.method)))
}
