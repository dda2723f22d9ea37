//! The `Range` header of GET and HEAD: <https://www.rfc-editor.org/rfc/rfc9110#field.range>.

use std::ops::Range;

use super::errors;
use crate::Result;

/// The bytes that a `Range` header asks for; none if it is to be ignored, which S3 does with several ranges, with other
/// units than bytes, and with what is not well-formed.
///
/// # Errors
/// 416 if there is no such byte.
pub(super) fn read(header: &str, size: u64) -> Result<Option<Range<u64>>> {
    let Some((first, last)) = header.trim().strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Ok(None);
    };
    let range = match (number(first), number(last)) {
        (Some(first), Some(last)) if last >= first => first..last.saturating_add(1).min(size),
        (Some(first), None) if last.is_empty() => first..size,
        (None, Some(last)) if first.is_empty() => size.saturating_sub(last)..size,
        _ => return Ok(None),
    };
    if range.is_empty() { Err(errors::invalid_range(header, size)) } else { Ok(Some(range)) }
}

/// A number that is too large for any object is the largest there is.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// The `Content-Range` of an answer.
pub(super) fn content_range(range: &Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ranges_are_read_as_s3_reads_them() {
        assert_eq!(read("bytes=0-4", 10).unwrap(), Some(0..5));
        assert_eq!(read("bytes=5-", 10).unwrap(), Some(5..10));
        assert_eq!(read("bytes=-3", 10).unwrap(), Some(7..10));
        assert_eq!(read("bytes=-30", 10).unwrap(), Some(0..10));
        assert_eq!(read("bytes=8-99999999999999999999999", 10).unwrap(), Some(8..10));
        for ignored in ["bytes=4-2", "bytes=0-1,3-4", "bytes=a-b", "items=0-1", "bytes=-", "", "bytes=1"] {
            assert_eq!(read(ignored, 10).unwrap(), None, "{ignored}");
        }
        for beyond in ["bytes=10-", "bytes=10-12", "bytes=-0"] {
            let error = read(beyond, 10).unwrap_err();
            assert_eq!((error.status(), error.code()), (416, "InvalidRange"), "{beyond}");
            assert_eq!(error.members()["ActualObjectSize"], "10");
            assert_eq!(error.members()["RangeRequested"], beyond);
        }
        assert!(read("bytes=0-", 0).is_err());
    }
}
