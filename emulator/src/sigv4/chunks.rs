//! Signed chunks: the bodies of `STREAMING-AWS4-HMAC-SHA256-PAYLOAD` and its form with trailers.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html> and `…/sigv4-streaming-trailers.html`

use super::refusal::Dialect;
use super::{Signed, is_signed, sha256_hex, signing_key};
use crate::{Error, Result};

/// The longest line between chunks; a size in hexadecimal and a signature are far below it, a trailer may be longer.
const MAX_LINE: usize = 8 * 1024;

/// The most trailing headers: S3 knows one checksum a request.
const MAX_TRAILERS: usize = 16;

/// A body whose chunks are verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunked {
    /// The object's bytes.
    pub data: Vec<u8>,
    /// The trailing headers, names in lower case, without their signature.
    pub trailers: Vec<(String, String)>,
}

/// Verifies every chunk, each signed over the one before it, the first over the request's own signature, and the
/// trailers where there are any. The whole body must be there; it ends with an empty chunk.
pub fn verify_chunks(signed: &Signed<'_>, secret: &str, body: &[u8]) -> Result<Chunked> {
    let chain = Chain { signed, key: signing_key(secret, &signed.scope) };
    let mut previous = signed.signature.to_string();
    let mut rest = body;
    let mut whole = Chunked::default();
    loop {
        let head = line(&mut rest)?;
        let (size, signature) = head.split_once(";chunk-signature=").ok_or_else(incomplete)?;
        let size = usize::from_str_radix(size, 16).map_err(|_| incomplete())?;
        let chunk = rest.get(..size).ok_or_else(incomplete)?;
        rest = rest.get(size..).unwrap_or_default();
        chain.check_chunk(&previous, chunk, signature)?;
        previous = signature.to_owned();
        if size == 0 {
            break;
        }
        whole.data.extend_from_slice(chunk);
        rest = rest.strip_prefix(b"\r\n").ok_or_else(incomplete)?;
    }
    whole.trailers = trailers(&chain, &previous, rest)?;
    Ok(whole)
}

fn trailers(chain: &Chain<'_>, previous: &str, mut rest: &[u8]) -> Result<Vec<(String, String)>> {
    let mut trailers = Vec::new();
    let mut signature = None;
    while !rest.is_empty() {
        let text = line(&mut rest)?;
        if text.is_empty() {
            continue;
        }
        let (name, value) = text.split_once(':').ok_or_else(incomplete)?;
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim().to_owned());
        match name.as_str() {
            "x-amz-trailer-signature" => signature = Some(value),
            _ if trailers.len() < MAX_TRAILERS => trailers.push((name, value)),
            _ => return Err(incomplete()),
        }
    }
    match signature {
        Some(signature) => chain.check_trailers(previous, &trailers, &signature)?,
        None if trailers.is_empty() => {}
        None => return Err(Dialect::S3.mismatch()),
    }
    Ok(trailers)
}

struct Chain<'a> {
    signed: &'a Signed<'a>,
    key: [u8; 32],
}

impl Chain<'_> {
    fn check_chunk(&self, previous: &str, chunk: &[u8], signature: &str) -> Result<()> {
        self.check("AWS4-HMAC-SHA256-PAYLOAD", &[previous, &sha256_hex(b""), &sha256_hex(chunk)], signature)
    }

    fn check_trailers(&self, previous: &str, trailers: &[(String, String)], signature: &str) -> Result<()> {
        let text: String = trailers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        self.check("AWS4-HMAC-SHA256-TRAILER", &[previous, &sha256_hex(text.as_bytes())], signature)
    }

    fn check(&self, algorithm: &str, lines: &[&str], signature: &str) -> Result<()> {
        let (date, scope) = (&self.signed.amz_date, self.signed.scope.text());
        let to_sign = format!("{algorithm}\n{date}\n{scope}\n{}", lines.join("\n"));
        if is_signed(&self.key, &to_sign, signature) { Ok(()) } else { Err(Dialect::S3.mismatch()) }
    }
}

fn incomplete() -> Error {
    Error::client("IncompleteBody", "The request body terminated unexpectedly")
}

/// The next line without its end. A last line may lack one.
fn line<'a>(rest: &mut &'a [u8]) -> Result<&'a str> {
    let window = rest.get(..rest.len().min(MAX_LINE)).unwrap_or_default();
    let end = window.windows(2).position(|pair| pair == b"\r\n");
    let (text, after) = match end {
        Some(end) => (window.get(..end), rest.get(end + 2..)),
        None if window.len() == rest.len() && !rest.is_empty() => (Some(window), Some(&b""[..])),
        None => return Err(incomplete()),
    };
    *rest = after.unwrap_or_default();
    std::str::from_utf8(text.unwrap_or_default()).map_err(|_| incomplete())
}
