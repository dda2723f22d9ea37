//! aws-chunked bodies: the content coding in which SDKs stream to S3.
//!
//! `<size in hex>[;chunk-signature=<hex>]\r\n<bytes>\r\n`, repeated, a chunk of size 0, then trailing headers where
//! `x-amz-content-sha256` says so (S3 API reference, "Signature calculations: transferring payload in multiple
//! chunks" and "… including trailing headers"). Signatures are handed out here and checked by who holds the key.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::headers::{AMZ_CONTENT_SHA256, AMZ_DECODED_CONTENT_LENGTH};
use crate::{Error, Result};

/// The longest line of a chunk's head or of a trailer: a head is about 100 bytes, a checksum of 64 bytes is less.
const MAX_LINE: usize = 8192;
/// The most trailing headers; SDKs send one checksum and its signature.
const MAX_TRAILERS: usize = 32;

/// The name of the trailer that signs the others; it is not handed on as a header.
const TRAILER_SIGNATURE: &str = "x-amz-trailer-signature";

/// One chunk of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The content, a slice of the body.
    pub data: Bytes,
    /// The signature in hexadecimal, where the body is signed chunk by chunk.
    pub signature: Option<String>,
}

/// A body taken apart.
#[derive(Clone, Debug, Default)]
pub struct Chunked {
    /// The chunks, the last one (which is empty) included, for its signature counts.
    pub chunks: Vec<Chunk>,
    /// The trailing headers.
    pub trailers: HeaderMap,
    /// The signature over the trailing headers.
    pub trailer_signature: Option<String>,
}

/// Whether the headers say that the body is aws-chunked: the signature's do. Without one, the content's coding does, where the
/// length of the content comes with it; the coding alone is a name like others, which clients may send by mistake.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>
pub fn is_chunked(headers: &HeaderMap) -> bool {
    let streaming = headers.get(&AMZ_CONTENT_SHA256).is_some_and(|value| value.as_bytes().starts_with(b"STREAMING-"));
    streaming
        || headers.contains_key(&AMZ_DECODED_CONTENT_LENGTH)
            && content_encodings(headers).any(|coding| coding.eq_ignore_ascii_case("aws-chunked"))
}

pub(super) fn content_encodings(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(http::header::CONTENT_ENCODING).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|coding| !coding.is_empty())
}

/// The content and the trailing headers. A body of one chunk is sliced, not copied.
pub fn decode(headers: &HeaderMap, body: &Bytes) -> Result<(Bytes, HeaderMap)> {
    let Chunked { mut chunks, trailers, .. } = split(body)?;
    chunks.pop();
    let content = if chunks.len() == 1 {
        chunks.pop().map(|chunk| chunk.data).unwrap_or_default()
    } else {
        let mut content = BytesMut::with_capacity(chunks.iter().map(|chunk| chunk.data.len()).sum());
        chunks.iter().for_each(|chunk| content.extend_from_slice(&chunk.data));
        content.freeze()
    };
    let Some(declared) = headers.get(&AMZ_DECODED_CONTENT_LENGTH) else {
        return Err(Error::new(411, "MissingContentLength", "You must provide the Content-Length HTTP header."));
    };
    let declared: Option<usize> = declared.to_str().ok().and_then(|text| text.trim().parse().ok());
    if declared != Some(content.len()) {
        return Err(incomplete());
    }
    Ok((content, trailers))
}

/// Takes a body apart without looking at signatures.
pub fn split(body: &Bytes) -> Result<Chunked> {
    let mut chunked = Chunked::default();
    let mut at = 0;
    loop {
        let head = line(body, &mut at)?;
        let (size, signature) = chunk_head(head).ok_or_else(incomplete)?;
        let end = at.checked_add(size).filter(|end| *end <= body.len()).ok_or_else(incomplete)?;
        chunked.chunks.push(Chunk { data: body.slice(at..end), signature });
        at = end;
        if size == 0 {
            break;
        }
        if body.get(at..at + 2) != Some(b"\r\n") {
            return Err(incomplete());
        }
        at += 2;
    }
    trailers(body, at, &mut chunked)?;
    Ok(chunked)
}

fn trailers(body: &[u8], mut at: usize, chunked: &mut Chunked) -> Result<()> {
    // Clients end with one empty line, with two, or at once.
    while at < body.len() {
        let text = line(body, &mut at)?;
        if text.is_empty() {
            continue;
        }
        let (name, value) = text.split_once(':').ok_or_else(malformed_trailer)?;
        let (name, value) = (name.trim(), value.trim());
        if name.eq_ignore_ascii_case(TRAILER_SIGNATURE) {
            chunked.trailer_signature = Some(value.to_owned());
            continue;
        }
        if chunked.trailers.len() >= MAX_TRAILERS {
            return Err(malformed_trailer());
        }
        let name: HeaderName = name.parse().map_err(|_| malformed_trailer())?;
        chunked.trailers.append(name, HeaderValue::from_str(value).map_err(|_| malformed_trailer())?);
    }
    Ok(())
}

/// The line at this place, without its end; a trailer's line may end with a line feed alone.
fn line<'a>(body: &'a [u8], at: &mut usize) -> Result<&'a str> {
    let rest = body.get(*at..).unwrap_or_default();
    let window = rest.get(..MAX_LINE).unwrap_or(rest);
    let Some(end) = window.iter().position(|byte| *byte == b'\n') else {
        // The last trailer of some clients has no end at all.
        if rest.len() <= MAX_LINE && *at < body.len() && rest.contains(&b':') {
            *at = body.len();
            return std::str::from_utf8(rest).map_err(|_| malformed_trailer());
        }
        return Err(incomplete());
    };
    *at += end + 1;
    let text = std::str::from_utf8(rest.get(..end).unwrap_or_default()).map_err(|_| malformed_trailer())?;
    Ok(text.strip_suffix('\r').unwrap_or(text))
}

fn chunk_head(text: &str) -> Option<(usize, Option<String>)> {
    let (size, extension) = text.split_once(';').map_or((text, None), |(size, rest)| (size, Some(rest)));
    let size = usize::from_str_radix(size.trim(), 16).ok()?;
    let signature = extension.and_then(|rest| rest.trim().strip_prefix("chunk-signature=")).map(str::to_owned);
    Some((size, signature))
}

fn incomplete() -> Error {
    Error::client("IncompleteBody", "The request body terminated unexpectedly")
}

fn malformed_trailer() -> Error {
    Error::client(
        "MalformedTrailerError",
        "The request contained trailing data that was not well-formed or did not conform to our published schema.",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn headers(length: usize) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-content-sha256", HeaderValue::from_static("STREAMING-UNSIGNED-PAYLOAD-TRAILER"));
        headers.insert("x-amz-decoded-content-length", length.to_string().parse().unwrap());
        headers
    }

    #[test]
    fn one_chunk_is_sliced_and_its_trailer_kept() {
        let body = Bytes::from_static(b"b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n");
        let (content, trailers) = decode(&headers(11), &body).unwrap();
        assert_eq!(content, "hello world");
        assert_eq!(content.as_ptr(), body[3..].as_ptr(), "the content was copied");
        assert_eq!(trailers["x-amz-checksum-crc32"], "DUoRhQ==");
    }

    #[test]
    fn signed_chunks_join_and_their_signatures_are_handed_out() {
        let body = Bytes::from_static(
            b"3;chunk-signature=aa\r\nabc\r\n2;chunk-signature=bb\r\nde\r\n0;chunk-signature=cc\r\nx-amz-checksum-crc32c:AAAAAA==\nx-amz-trailer-signature:dd\r\n\r\n",
        );
        let (content, trailers) = decode(&headers(5), &body).unwrap();
        assert_eq!(content, "abcde");
        assert_eq!(trailers["x-amz-checksum-crc32c"], "AAAAAA==");
        let split = split(&body).unwrap();
        assert_eq!(split.chunks.iter().filter_map(|c| c.signature.as_deref()).collect::<Vec<_>>(), ["aa", "bb", "cc"]);
        assert_eq!(split.trailer_signature.as_deref(), Some("dd"));
    }

    #[test]
    fn wrong_lengths_are_refused() {
        let body = Bytes::from_static(b"b\r\nhello world\r\n0\r\n\r\n");
        assert_eq!(decode(&headers(10), &body).unwrap_err().code(), "IncompleteBody");
        for broken in ["", "b\r\nhello", "ffffffffffffffff\r\nx", "zz\r\n", "3\r\nabcX0\r\n\r\n", "3\r\nabc\r\n"] {
            assert_eq!(decode(&headers(3), &Bytes::from(broken)).unwrap_err().code(), "IncompleteBody", "{broken:?}");
        }
        let empty = Bytes::from_static(b"0\r\n\r\n");
        assert_eq!(decode(&headers(0), &empty).unwrap().0, "");
    }
}
