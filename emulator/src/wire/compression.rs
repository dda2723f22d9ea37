//! Compressed requests: SDKs gzip large bodies of operations such as CloudWatch's `PutMetricData`.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-compression.html>. The signature is over the compressed bytes,
//! so it is checked before. S3 never comes here: there a content coding belongs to the object.

use std::io::Read;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::HeaderMap;

use super::chunked::content_encodings;
use crate::{Error, Result};

/// The largest body that comes out, in bytes. `PutMetricData` itself takes 1 MB; this keeps a small body from filling memory.
const MAX_INFLATED: u64 = 16 << 20;

/// The body without its content coding.
///
/// # Errors
/// 501 for a coding other than gzip, `SerializationException` for bytes that are not gzip's, 413 for more than 16 MiB.
pub fn inflate(headers: &HeaderMap, body: Bytes) -> Result<Bytes> {
    let mut codings = content_encodings(headers)
        .filter(|coding| !["identity", "aws-chunked"].iter().any(|known| coding.eq_ignore_ascii_case(known)));
    match (codings.next(), codings.next()) {
        (None, _) => Ok(body),
        (Some(coding), None) if coding.eq_ignore_ascii_case("gzip") => gunzip(&body),
        (Some(first), second) => {
            let coding = second.unwrap_or(first);
            Err(Error::not_implemented(format!(
                "the Content-Encoding {coding} of requests after or instead of one gzip"
            )))
        }
    }
}

fn gunzip(body: &[u8]) -> Result<Bytes> {
    let mut content = Vec::new();
    let mut source = MultiGzDecoder::new(body).take(MAX_INFLATED + 1);
    source
        .read_to_end(&mut content)
        .map_err(|error| Error::client("SerializationException", format!("The body is not gzip: {error}")))?;
    if content.len() as u64 > MAX_INFLATED {
        return Err(Error::new(413, "RequestEntityTooLarge", format!("The body is larger than {MAX_INFLATED} bytes")));
    }
    Ok(content.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use http::HeaderValue;

    use super::*;

    fn headers(coding: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(http::header::CONTENT_ENCODING, HeaderValue::from_static(coding))])
    }

    fn gzip(content: &[u8]) -> Bytes {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap().into()
    }

    #[test]
    fn gzip_is_undone_and_no_coding_changes_nothing() {
        assert_eq!(inflate(&headers("gzip"), gzip(b"{}")).unwrap(), "{}");
        assert_eq!(inflate(&headers("identity"), Bytes::from("{}")).unwrap(), "{}");
        assert_eq!(inflate(&HeaderMap::new(), gzip(b"{}")).unwrap(), gzip(b"{}"));
    }

    #[test]
    fn what_is_no_gzip_or_too_much_is_refused() {
        let refused = |coding, body| inflate(&headers(coding), body).unwrap_err();
        assert_eq!(refused("gzip", Bytes::from("{}")).code(), "SerializationException");
        assert_eq!(refused("gzip", gzip(b"{}").slice(..12)).code(), "SerializationException");
        assert_eq!(refused("gzip", gzip(&vec![0; (16 << 20) + 1])).status(), 413);
        for coding in ["br", "gzip, gzip"] {
            assert_eq!(refused(coding, gzip(b"{}")).status(), 501);
        }
    }
}
