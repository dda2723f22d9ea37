//! The bodies of HTML forms: fields, and the file behind them, which is a slice of the body and never copied.

use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::errors;
use crate::wire::xml;
use crate::{Error, Result};

/// All fields before the file together have at most this many bytes.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html>
const FIELDS_LIMIT: usize = 20 * 1024;

/// A form.
pub(super) struct Form {
    /// In their order; what comes behind the file is ignored.
    pub fields: Vec<(String, String)>,
    pub file: Bytes,
    /// The file's name at the sender.
    filename: Option<String>,
}

impl Form {
    /// A field by its name, whose case does not count.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The key, in which `${filename}` stands for the file's name.
    ///
    /// # Errors
    /// `InvalidArgument` without one.
    pub fn key(&self) -> Result<String> {
        let key = self.get("key").filter(|key| !key.is_empty()).ok_or_else(|| lacks("key"))?;
        // A file without a name leaves the key as it is.
        Ok(self.filename.as_ref().map_or_else(|| key.to_owned(), |name| key.replace("${filename}", name)))
    }
}

/// What a form without a field answers that it needs.
pub(super) fn lacks(name: &str) -> Error {
    let text = format!(
        "Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields."
    );
    errors::invalid_argument(name, "", text)
}

fn malformed() -> Error {
    let text = "The body of your POST request is not well-formed multipart/form-data.";
    Error::new(400, "MalformedPOSTRequest", text)
}

/// Reads a form.
///
/// # Errors
/// `MalformedPOSTRequest`; `InvalidArgument` for a form without a file; `MaxPostPreDataLengthExceeded`.
pub(super) fn read(content_type: &str, body: &Bytes) -> Result<Form> {
    let boundary = content_type
        .split(';')
        .filter_map(|parameter| parameter.trim().strip_prefix("boundary="))
        .map(|boundary| boundary.trim_matches('"'))
        .next()
        .filter(|boundary| !boundary.is_empty())
        .ok_or_else(malformed)?;
    let first = format!("--{boundary}");
    let next = format!("\r\n--{boundary}");
    let mut form = Form { fields: Vec::new(), file: Bytes::new(), filename: None };
    let mut at = find(body, 0, first.as_bytes()).ok_or_else(malformed)? + first.len();
    let mut gathered = 0;
    loop {
        let rest = body.get(at..).unwrap_or_default();
        if rest.starts_with(b"--") {
            let text = "POST requires exactly one file upload per request.";
            return Err(errors::invalid_argument("file", "0", text));
        }
        let start = find(body, at, b"\r\n\r\n").ok_or_else(malformed)?;
        let head = std::str::from_utf8(body.get(at..start).unwrap_or_default()).map_err(|_| malformed())?;
        let (name, filename) = disposition(head).ok_or_else(malformed)?;
        let start = start + 4;
        let end = find(body, start, next.as_bytes()).ok_or_else(malformed)?;
        if name.eq_ignore_ascii_case("file") {
            form.file = body.slice(start..end);
            form.filename = filename;
            return Ok(form);
        }
        gathered += end - start;
        if gathered > FIELDS_LIMIT {
            let text = "Your POST request fields preceding the upload file was too large.";
            return Err(Error::new(400, "MaxPostPreDataLengthExceeded", text)
                .with("MaxPostPreDataLengthBytes", FIELDS_LIMIT.to_string()));
        }
        let value = std::str::from_utf8(body.get(start..end).unwrap_or_default()).map_err(|_| malformed())?;
        form.fields.push((name, value.to_owned()));
        at = end + next.len();
    }
}

/// Where a sequence of bytes begins, from a place on.
fn find(body: &[u8], from: usize, wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut at = from;
    loop {
        at += body.get(at..)?.iter().position(|byte| *byte == first)?;
        if body.get(at..)?.starts_with(wanted) {
            return Some(at);
        }
        at += 1;
    }
}

/// The name of a part, and of its file.
fn disposition(head: &str) -> Option<(String, Option<String>)> {
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
    let value = |name: &str| {
        let from = line.find(&format!("{name}=\""))? + name.len() + 2;
        let rest = line.get(from..)?;
        rest.get(..rest.find('"')?).map(str::to_owned)
    };
    // `filename="` ends like `name="`: what precedes tells them apart.
    let name = line.split(';').find_map(|part| part.trim().strip_prefix("name="))?.trim_matches('"').to_owned();
    Some((name, value("filename")))
}

/// The tags of the field `tagging`, which is a document, as the header has them.
///
/// # Errors
/// `MalformedXML`.
pub(super) fn tags(document: &str) -> Result<String> {
    let root =
        xml::parse(document.as_bytes()).map_err(|_| errors::malformed_xml())?.ok_or_else(errors::malformed_xml)?;
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let mut pairs = Vec::new();
    for set in root.named("TagSet") {
        for tag in set.named("Tag") {
            let part = |name: &str| tag.named(name).next().map(|child| child.text().to_owned()).unwrap_or_default();
            pairs.push(format!("{}={}", encode(&part("Key")), encode(&part("Value"))));
        }
    }
    Ok(pairs.join("&"))
}

/// The document that a form may ask to be answered.
pub(super) fn post_response(location: &str, bucket: &str, key: &str, etag: &str) -> String {
    let mut out = format!("{}<PostResponse>", xml::HEAD);
    for (name, text) in [("Location", location), ("Bucket", bucket), ("Key", key), ("ETag", etag)] {
        xml::start(&mut out, name, None, "");
        xml::escape(&mut out, text);
        xml::end(&mut out, name);
    }
    out.push_str("</PostResponse>");
    out
}
