//! A mail as JSON: what matchers and expectations see.

use mail_parser::{Address, HeaderValue, Message, MessageParser, MessagePart, MimeHeaders, PartType};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// Who sends, and to whom, as the server was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Envelope {
    pub from: String,
    pub to: Vec<String>,
}

impl Envelope {
    /// The mail as far as it is known.
    pub fn json(&self) -> Value {
        json!({ "envelope": { "from": self.from, "to": self.to } })
    }
}

/// The mail:
///
/// ```json
/// {"envelope": {"from": "a@x", "to": ["b@y"]}, "messageId": "1@x", "date": "2026-03-02T12:00:00Z", "subject": "…",
///  "from": {"name": "A", "address": "a@x"}, "to": [{"name": null, "address": "b@y"}], "cc": [], "replyTo": [],
///  "text": "…", "html": "…", "attachments": [{"name": "42.zip", "type": "application/zip", "size": 9437184, "sha256": "…"}],
///  "headers": {"Subject": "…"}, "size": 12909344}
/// ```
/// What the message does not have is null or empty. A header that comes several times is a list.
pub(super) fn describe(envelope: &Envelope, raw: &[u8]) -> Value {
    let mut json = envelope.json();
    let Some(message) = MessageParser::default().parse(raw) else { return json };
    let text = message.text_part(0).and_then(|part| match &part.body {
        PartType::Text(text) => Some(text.as_ref()),
        _ => None,
    });
    let html = message.html_part(0).and_then(|part| match &part.body {
        PartType::Html(html) => Some(html.as_ref()),
        _ => None,
    });
    for (name, value) in [
        ("messageId", json!(message.message_id())),
        ("date", json!(message.date().map(mail_parser::DateTime::to_rfc3339))),
        ("subject", json!(message.subject())),
        ("from", addresses(message.from()).into_iter().next().unwrap_or_default()),
        ("to", addresses(message.to()).into()),
        ("cc", addresses(message.cc()).into()),
        ("replyTo", addresses(message.reply_to()).into()),
        ("text", json!(text)),
        ("html", json!(html)),
        ("attachments", message.attachments().map(attachment).collect()),
        ("headers", headers(&message)),
        ("size", json!(raw.len())),
    ] {
        json[name] = value;
    }
    json
}

fn addresses(address: Option<&Address<'_>>) -> Vec<Value> {
    let each = address.into_iter().flat_map(Address::iter);
    each.map(|one| json!({ "name": one.name(), "address": one.address() })).collect()
}

fn attachment(part: &MessagePart<'_>) -> Value {
    let kind = part.content_type().map(|kind| match kind.subtype() {
        Some(subtype) => format!("{}/{subtype}", kind.ctype()),
        None => kind.ctype().to_owned(),
    });
    let contents = part.contents();
    json!({
        "name": part.attachment_name(),
        "type": kind,
        "size": contents.len(),
        "sha256": hex::encode(Sha256::digest(contents)),
    })
}

/// The message's own header fields: decoded where they are text, else as they were written, on one line.
fn headers(message: &Message<'_>) -> Value {
    let mut all = Map::new();
    let raw = message.headers_raw().map(|(_, raw)| raw);
    for (header, raw) in message.headers().iter().zip(raw) {
        let text = match &header.value {
            HeaderValue::Text(text) => text.clone().into_owned(),
            _ => raw.split_whitespace().collect::<Vec<_>>().join(" "),
        };
        match all.get_mut(header.name()) {
            None => _ = all.insert(header.name().to_owned(), text.into()),
            Some(Value::Array(several)) => several.push(text.into()),
            Some(one) => *one = Value::Array(vec![one.take(), text.into()]),
        }
    }
    Value::Object(all)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const RAW: &str = "From: =?utf-8?q?Servi=C3=A7o?= <no-reply@example.com>\r\nTo: Ana <ana@example.com>, b@example.com\r\n\
        Subject: =?utf-8?q?Ol=C3=A1?=\r\nMessage-ID: <42@example.com>\r\nDate: Mon, 2 Mar 2026 12:00:00 +0000\r\n\
        X-Tag: one\r\nX-Tag: two\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n\
        --b\r\nContent-Type: multipart/alternative; boundary=\"c\"\r\n\r\n--c\r\nContent-Type: text/plain\r\n\r\nplain\r\n\
        --c\r\nContent-Type: text/html\r\n\r\n<p>html</p>\r\n--c--\r\n--b\r\nContent-Type: application/zip\r\n\
        Content-Disposition: attachment; filename=\"42.zip\"\r\nContent-Transfer-Encoding: base64\r\n\r\nUEsFBg==\r\n--b--\r\n";

    #[test]
    fn a_mail_is_told_whole() {
        let envelope = Envelope { from: "bounce@example.com".to_owned(), to: vec!["ana@example.com".to_owned()] };
        let mail = describe(&envelope, RAW.as_bytes());
        assert_eq!(mail["envelope"], json!({"from": "bounce@example.com", "to": ["ana@example.com"]}));
        assert_eq!(mail["from"], json!({"name": "Serviço", "address": "no-reply@example.com"}));
        assert_eq!(mail["to"][0], json!({"name": "Ana", "address": "ana@example.com"}));
        assert_eq!(mail["to"][1], json!({"name": null, "address": "b@example.com"}));
        assert_eq!((&mail["subject"], &mail["messageId"]), (&json!("Olá"), &json!("42@example.com")));
        assert_eq!((&mail["text"], &mail["html"]), (&json!("plain"), &json!("<p>html</p>")));
        assert_eq!(mail["headers"]["X-Tag"], json!(["one", "two"]));
        assert_eq!(mail["date"], "2026-03-02T12:00:00Z");
        let sha256 = hex::encode(Sha256::digest([0x50, 0x4b, 5, 6]));
        let expected = json!([{ "name": "42.zip", "type": "application/zip", "size": 4, "sha256": sha256 }]);
        assert_eq!(mail["attachments"], expected);
    }

    #[test]
    fn what_is_no_mail_is_told_as_far_as_it_goes() {
        for raw in
            [&b""[..], b"\0\xff", b"no header\r\n", b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x--x--x"]
        {
            assert_eq!(describe(&Envelope::default(), raw)["envelope"], json!({"from": "", "to": []}));
        }
    }
}
