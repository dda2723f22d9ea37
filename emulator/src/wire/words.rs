//! Encoded words, by which S3 carries metadata beyond ASCII in headers: <https://www.rfc-editor.org/rfc/rfc2047>.
//!
//! S3 reads what comes as such words, keeps what they say, and writes words again only where it must, in the encoding that
//! Java's mail library takes: `Q` where most is ASCII, else `B`.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html#UserMetadata>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A text as a header carries it.
pub(super) fn write(text: &str) -> String {
    let plain = |c: char| matches!(c, ' '..='~' | '\t' | '\r' | '\n');
    let (all, ascii) = (text.chars().count(), text.chars().filter(|c| plain(*c)).count());
    if all == ascii {
        text.to_owned()
    } else if ascii > all - ascii {
        format!("=?UTF-8?Q?{}?=", quoted(text))
    } else {
        format!("=?UTF-8?B?{}?=", STANDARD.encode(text))
    }
}

/// What a header says. What is no word, or no good one, stays as it is.
pub(super) fn read(header: String) -> String {
    if !header.starts_with("=?") {
        return header;
    }
    let words: Option<Vec<Vec<u8>>> = header.split_ascii_whitespace().map(word).collect();
    words.and_then(|words| String::from_utf8(words.concat()).ok()).unwrap_or(header)
}

fn word(text: &str) -> Option<Vec<u8>> {
    let mut parts = text.strip_prefix("=?")?.strip_suffix("?=")?.splitn(3, '?');
    let (charset, encoding, encoded) = (parts.next()?, parts.next()?, parts.next()?);
    if !charset.eq_ignore_ascii_case("utf-8") {
        return None;
    }
    match encoding {
        "B" | "b" => STANDARD.decode(encoded).ok(),
        "Q" | "q" => unquoted(encoded),
        _ => None,
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('_'),
            b'_' | b'=' | b'?' => out.push_str(&format!("={byte:02X}")),
            b'!'..=b'~' => out.push(byte.into()),
            other => out.push_str(&format!("={other:02X}")),
        }
    }
    out
}

fn unquoted(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'_' => b' ',
            b'=' => {
                let digits = [bytes.next()?, bytes.next()?];
                *hex::decode(digits).ok()?.first()?
            }
            other => other,
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_and_written_as_s3_does() {
        // As recorded at AWS.
        assert_eq!(write("ÄMÄZÕÑ S3"), "=?UTF-8?Q?=C3=84M=C3=84Z=C3=95=C3=91_S3?=");
        assert_eq!(write("\u{0}\u{1}\u{2}\u{3}"), "=?UTF-8?B?AAECAw==?=");
        assert_eq!(write("plain _?="), "plain _?=");
        for text in ["ÄMÄZÕÑ S3", "\u{0}\u{1}", "test_—_file%E2%80%94_é_2?.pdf"] {
            assert_eq!(read(write(text)), text);
        }
        assert_eq!(read("=?UTF-8?B?YWJj?=".to_owned()), "abc");
        assert_eq!(read("=?UTF-8?Q?actually-ascii?= =?utf-8?q?=41?=".to_owned()), "actually-asciiA");
        for kept in ["=?", "=?UTF-8?B?=GGG?=", "=?UTF-8?Q?=4?=", "=?UTF-8?Q?=+1?=", "=?KOI8-R?Q?a?=", "a=?UTF-8?Q?a?="]
        {
            assert_eq!(read(kept.to_owned()), kept);
        }
    }
}
