//! A request as API Gateway shows it to authorizers and integrations.

use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serializer;
use sha2::{Digest, Sha256};

use crate::Timestamp;
use crate::execute_api::{Incoming, text};

/// Headers that nothing behind the gateway sees, by the answers of AWS that public test suites recorded.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html>
const DROPPED: &[&str] = &[
    "connection",
    "content-length",
    "content-md5",
    "expect",
    "keep-alive",
    "max-forwards",
    "proxy-authenticate",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "www-authenticate",
];

/// A request, read.
pub(super) struct Request {
    pub method: String,
    /// Below the stage, as it was sent, with its leading slash.
    pub path: String,
    /// In the order of the request. The names are in title case: the HTTP server does not keep how they were written, and this
    /// is how clients of HTTP/1.1 write them.
    pub headers: Vec<(String, String)>,
    /// Decoded, in the order of the request.
    pub query: Vec<(String, String)>,
    pub body: Bytes,
    /// `X-Amzn-Trace-Id`.
    pub trace_id: String,
    /// The gateway's own part of the trace, which its answer tells beside `trace_id`.
    pub span: String,
    /// `x-amz-apigw-id`.
    pub extended_id: String,
}

impl Request {
    pub fn read(incoming: &Incoming<'_>, path: String, now: Timestamp) -> Self {
        let digest = Sha256::digest(incoming.request_id.as_bytes());
        let mut request = Self {
            method: incoming.head.method.to_string(),
            path,
            headers: Vec::new(),
            query: pairs(incoming.head.uri.query().unwrap_or_default()),
            body: incoming.body.clone(),
            trace_id: format!("Root=1-{:08x}-{}", now.secs(), hex::encode(digest.get(..12).unwrap_or_default())),
            span: hex::encode(digest.get(24..).unwrap_or_default()),
            extended_id: extended(&digest),
        };
        for (name, value) in &incoming.head.headers {
            if DROPPED.contains(&name.as_str()) {
                continue;
            }
            request.headers.push((titled(name.as_str()), text(value.as_bytes()).into_owned()));
        }
        let client = incoming.entry.client();
        let forwarded = request.header("X-Forwarded-For").map(|before| format!("{before}, {client}"));
        request.set("X-Forwarded-For", forwarded.unwrap_or(client));
        request.set("X-Forwarded-Port", "443".to_owned());
        request.set("X-Forwarded-Proto", "https".to_owned());
        let trace_id = request.header("X-Amzn-Trace-Id").map_or_else(|| request.trace_id.clone(), str::to_owned);
        request.set("X-Amzn-Trace-Id", trace_id.clone());
        request.trace_id = trace_id;
        request
    }

    fn set(&mut self, name: &str, value: String) {
        self.headers.retain(|(other, _)| other != name);
        self.headers.push((name.to_owned(), value));
    }

    /// The value of a header; the last, if it came more than once.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().rev().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter of the query string; the last, if it came more than once.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().rev().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The type of the body, without its parameters; JSON if nothing is said.
    pub fn content_type(&self) -> String {
        let given = self.header("Content-Type").unwrap_or("application/json");
        given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// The body as text; what is not UTF-8 in it is replaced, as API Gateway does with payloads it takes for text.
    pub fn text(&self) -> String {
        text(&self.body).into_owned()
    }
}

/// `content-type` is `Content-Type`.
fn titled(name: &str) -> String {
    let mut begin = true;
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        out.push(if begin { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() });
        begin = c == '-';
    }
    out
}

fn extended(digest: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE.encode(digest.get(12..23).unwrap_or_default())
}

/// The pairs of a query string or form, decoded; a plus stands for a space.
pub(super) fn pairs(query: &str) -> Vec<(String, String)> {
    crate::wire::query::pairs(query).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// Pairs as a query string or form.
pub(super) fn form(pairs: &[(String, String)]) -> String {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs: Vec<String> = pairs.iter().map(|(k, v)| format!("{}={}", encode(k), encode(v))).collect();
    pairs.join("&")
}

/// Pairs of which a name may come more than once, as an event shows them: in their order, null for none at all.
type Pairs = [(String, String)];

/// Each name with its last value.
pub(super) fn single<S: Serializer>(pairs: &&Pairs, serializer: S) -> Result<S::Ok, S::Error> {
    if pairs.is_empty() {
        return serializer.serialize_none();
    }
    let sorted = by_name(pairs);
    serializer.collect_map(
        groups(&sorted).into_iter().filter_map(|group| group.last()).map(|(_, (name, value))| (name, value)),
    )
}

/// Each name with all its values.
pub(super) fn multi<S: Serializer>(pairs: &&Pairs, serializer: S) -> Result<S::Ok, S::Error> {
    if pairs.is_empty() {
        return serializer.serialize_none();
    }
    let sorted = by_name(pairs);
    let groups = groups(&sorted).into_iter().filter_map(|group| {
        let values: Vec<_> = group.iter().map(|(_, (_, value))| value).collect();
        Some((&group.first()?.1.0, values))
    });
    serializer.collect_map(groups)
}

/// A pair, and its place in the request.
type Placed<'a> = (usize, &'a (String, String));

/// The pairs by their names; those of one name in their order.
fn by_name(pairs: &Pairs) -> Vec<Placed<'_>> {
    let mut sorted: Vec<_> = pairs.iter().enumerate().collect();
    sorted.sort_by(|(_, (name, _)), (_, (other, _))| name.cmp(other));
    sorted
}

/// The pairs of each name together, in the order in which the names come first.
fn groups<'s, 'a>(sorted: &'s [Placed<'a>]) -> Vec<&'s [Placed<'a>]> {
    let mut groups: Vec<_> = sorted.chunk_by(|(_, (name, _)), (_, (next, _))| name == next).collect();
    groups.sort_by_key(|group| group.first().map(|(place, _)| *place));
    groups
}

/// Whether a media type is one that an API takes for binary.
pub(super) fn is_binary(types: Option<&Vec<String>>, media: Option<&str>) -> bool {
    let Some(types) = types else { return false };
    let media = media.unwrap_or_default().split([';', ',']).next().unwrap_or_default().trim().to_ascii_lowercase();
    types.iter().any(|kind| {
        let kind = kind.to_ascii_lowercase();
        kind == "*/*"
            // There is no wildcard before the slash, not even for a client that sends the same.
            || kind == media && !kind.starts_with("*/")
            || kind.strip_suffix("/*").is_some_and(|main| media.starts_with(&format!("{main}/")))
    })
}
