//! The canonical request and the string to sign.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{ALGORITHM, Signed, sha256_hex};

/// What SigV4 leaves as it is: RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same with the slashes of a path.
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// The parameters of a query, decoded. A `+` is a space, as the SDKs read it.
pub(super) fn query_pairs(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', "%20")).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// The canonical request, whose hash is signed.
pub(super) fn request(signed: &Signed<'_>, head: &Parts, payload_hash: &str) -> String {
    let s3 = is_s3(&signed.scope.service);
    let headers: String = signed.header_names().map(|name| header(signed, head, name)).collect();
    format!(
        "{}\n{}\n{}\n{headers}\n{}\n{payload_hash}",
        head.method,
        path(head.uri.path(), s3),
        query(head.uri.query().unwrap_or(""), signed),
        signed.header_names().collect::<Vec<_>>().join(";"),
    )
}

/// The string to sign of a request.
pub(super) fn string_to_sign(signed: &Signed<'_>, canonical: &str) -> String {
    format!("{ALGORITHM}\n{}\n{}\n{}", signed.amz_date, signed.scope.text(), sha256_hex(canonical.as_bytes()))
}

/// Services whose paths are names of objects: encoded once, and dots and slashes left alone.
pub(super) fn is_s3(service: &str) -> bool {
    matches!(service, "s3" | "s3express" | "s3-object-lambda" | "s3-outposts")
}

fn path(path: &str, s3: bool) -> String {
    if s3 {
        // Clients may leave characters as they are that the canonical form encodes: decode, then encode again.
        let decoded: Vec<u8> = percent_decode_str(path).collect();
        return percent_encoding::percent_encode(&decoded, RESERVED_IN_PATH).to_string();
    }
    utf8_percent_encode(&normalized(path), RESERVED_IN_PATH).to_string()
}

/// RFC 3986's removal of dot segments, and of empty ones; a closing slash stays.
fn normalized(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            other => kept.push(other),
        }
    }
    let directory = ["/", "/.", "/.."].iter().any(|end| path.ends_with(end));
    let closing = if directory && !kept.is_empty() { "/" } else { "" };
    format!("/{}{closing}", kept.join("/"))
}

/// Parameters encoded and sorted. A presigned URL signs all but its signature; and where the service adds the session
/// token after signing, as IoT does, the token is not covered: such URLs are not verified here.
fn query(query: &str, signed: &Signed<'_>) -> String {
    let encode = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
    let mut pairs: Vec<(String, String)> = query_pairs(query)
        .iter()
        .filter(|(name, _)| !(signed.presigned && name == "X-Amz-Signature"))
        .map(|(name, value)| (encode(name), encode(value)))
        .collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// One line of the canonical headers: several values are joined by commas.
fn header(signed: &Signed<'_>, head: &Parts, name: &str) -> String {
    let mut values = header_values(head, name);
    // HTTP/2 and requests that never saw a socket carry the host in the URI.
    if values.is_empty() && name == "host" {
        values.extend(head.uri.authority().map(|authority| authority.as_str().to_owned()));
    }
    if values.is_empty() && signed.presigned {
        values.extend(in_query(head, name));
    }
    format!("{name}:{}\n", values.join(","))
}

/// A signed header that a presigned URL carries in its query need not be sent.
pub(super) fn in_query(head: &Parts, name: &str) -> Option<String> {
    let pairs = query_pairs(head.uri.query().unwrap_or(""));
    pairs.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// The values of a header, trimmed and with runs of spaces made one.
pub(super) fn header_values(head: &Parts, name: &str) -> Vec<String> {
    head.headers
        .get_all(name)
        .iter()
        .map(|value| {
            let text = String::from_utf8_lossy(value.as_bytes());
            text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
        })
        .collect()
}
