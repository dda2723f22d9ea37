//! The mail: a text and an HTML body from templates, and the ZIP, in one MIME message.

use std::time::SystemTime;

use lettre::Message;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart};
use minijinja::{Environment, UndefinedBehavior, Value};

use super::error::Error;
use super::request::Request;

const TEXT: &str = "mail.txt.j2";
const HTML: &str = "mail.html.j2";

/// Makes mails.
#[derive(Debug)]
pub struct Composer {
    templates: Environment<'static>,
    from: Mailbox,
}

impl Composer {
    /// A composer of mails from this sender.
    ///
    /// # Errors
    /// If a template cannot be read, which the tests would show.
    pub fn new(from: Mailbox) -> Result<Self, Error> {
        let mut templates = Environment::new();
        // A name that the template misspells is an error, not an empty place in a mail.
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        // The names' endings decide what is escaped, and how.
        for (name, source) in
            [(TEXT, include_str!("templates/mail.txt.j2")), (HTML, include_str!("templates/mail.html.j2"))]
        {
            templates.add_template(name, source).map_err(unmailable)?;
        }
        Ok(Self { templates, from })
    }

    /// Makes a mail, as bytes for the mail server.
    ///
    /// Its `Message-ID` is made of the queue's message id: should the mail be sent twice, mail programs can tell.
    ///
    /// # Errors
    /// [`Error::Unmailable`].
    pub fn compose(
        &self,
        request: &Request,
        message_id: &str,
        archive: Vec<u8>,
        now: SystemTime,
    ) -> Result<Vec<u8>, Error> {
        let size = mebibytes(archive.len());
        let shown = [("name", &request.name), ("video", &request.video), ("file", &request.file), ("size", &size)];
        let shown = Value::from_pairs(shown.map(|(name, text)| (name, text.as_str())));
        let render = |name| self.templates.get_template(name).and_then(|template| template.render(&shown));
        let (text, html) = (render(TEXT).map_err(unmailable)?, render(HTML).map_err(unmailable)?);
        let zip = ContentType::parse("application/zip").map_err(unmailable)?;
        let attached = Attachment::new(request.file.clone()).body(archive, zip);
        let body = MultiPart::mixed().multipart(MultiPart::alternative_plain_html(text, html)).singlepart(attached);
        let name = Some(request.name.clone()).filter(|name| !name.is_empty());
        let id: String = message_id.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect();
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(name, request.address.clone()))
            .subject(format!("As imagens do vídeo {} estão prontas", request.video))
            .date(now)
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            // RFC 3834: no out-of-office answers, please.
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .multipart(body)
            .map_err(unmailable)?;
        Ok(message.formatted())
    }
}

fn unmailable(error: impl std::fmt::Display) -> Error {
    Error::Unmailable(error.to_string())
}

/// `9,0 MiB`, as Portuguese writes numbers; rounded up, so that no file has 0,0.
fn mebibytes(bytes: usize) -> String {
    let tenths = bytes.saturating_mul(10).div_ceil(1024 * 1024);
    format!("{},{} MiB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::{Duration, UNIX_EPOCH};

    use mail_parser::{MessageParser, MimeHeaders, PartType};
    use proptest::prelude::*;

    use super::super::testing::request;
    use super::*;

    fn compose(request: &Request, archive: &[u8]) -> Vec<u8> {
        let from = "Seu Serviço <no-reply@example.com>".parse().unwrap();
        let now = UNIX_EPOCH + Duration::from_secs(1_772_452_800);
        Composer::new(from).unwrap().compose(request, "id-1", archive.to_vec(), now).unwrap()
    }

    /// The fields of the message's own header.
    fn fields(raw: &[u8]) -> Vec<String> {
        let text = String::from_utf8_lossy(raw);
        let header = text.split("\r\n\r\n").next().unwrap();
        let lines = header.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
        lines.map(|line| line.split(':').next().unwrap().to_owned()).collect()
    }

    const FIELDS: [&str; 8] =
        ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"];

    #[test]
    fn the_whole_mail() {
        let raw = compose(&request("Ana Conceição"), b"PK zip");
        let mail = MessageParser::default().parse(&raw).unwrap();
        assert_eq!(mail.from().unwrap().first().unwrap().name(), Some("Seu Serviço"));
        assert_eq!(mail.from().unwrap().first().unwrap().address(), Some("no-reply@example.com"));
        assert_eq!(mail.to().unwrap().first().unwrap().name(), Some("Ana Conceição"));
        assert_eq!(mail.to().unwrap().first().unwrap().address(), Some("ana@example.com"));
        assert_eq!(mail.subject(), Some("As imagens do vídeo 42 estão prontas"));
        assert_eq!(mail.message_id(), Some("id-1@example.com"));
        assert_eq!(mail.date().unwrap().to_rfc3339(), "2026-03-02T12:00:00Z");
        let text = mail.body_text(0).unwrap();
        assert!(text.contains("Olá, Ana Conceição!") && text.contains("no arquivo 42.zip (0,1 MiB)"), "{text}");
        assert!(mail.body_html(0).unwrap().contains("<strong>Ana Conceição</strong>"));
        let attached = mail.attachment(0).unwrap();
        assert_eq!((attached.attachment_name(), attached.contents()), (Some("42.zip"), &b"PK zip"[..]));
        assert!(attached.is_content_type("application", "zip"));
        assert_eq!(mail.attachment_count(), 1);
        assert!(raw.is_ascii(), "no server needs 8BITMIME for it");
        assert_eq!(fields(&raw), FIELDS);
    }

    #[test]
    fn without_a_name_the_greeting_has_none() {
        let raw = compose(&request(""), b"");
        let mail = MessageParser::default().parse(&raw).unwrap();
        assert!(mail.body_text(0).unwrap().starts_with("Olá!"));
        assert_eq!(mail.to().unwrap().first().unwrap().name(), None);
    }

    #[test]
    fn sizes_are_written_as_in_portuguese() {
        for (bytes, text) in [(0, "0,0 MiB"), (1, "0,1 MiB"), (9 << 20, "9,0 MiB"), ((9 << 20) + 1, "9,1 MiB")] {
            assert_eq!(mebibytes(bytes), text);
        }
    }

    /// Texts that try to be more than text.
    fn hostile() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            "\\PC{0,20}",
            Just("\r\nBcc: evil@example.com".to_owned()),
            Just("\nSubject: x".to_owned()),
            Just("<script>alert(1)</script>".to_owned()),
            Just("{{ name }}{% for x in y %}".to_owned()),
            Just("\"; filename=evil.exe; x=\"".to_owned()),
            Just("=?utf-8?q?=0D=0ABcc:?=".to_owned()),
            Just("\u{2028}\0\u{1b}[2J".to_owned()),
            Just("a@b>, <c@d".to_owned()),
        ];
        proptest::collection::vec(part, 0..5).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn nothing_breaks_out_of_its_place(
            name in hostile(), video in hostile(), file in hostile(), archive in proptest::collection::vec(any::<u8>(), 0..3000),
        ) {
            let key = format!("folder/x{}", file.replace('/', ""));
            let body = serde_json::json!({
                "video_id": video, "recipient_email": "ana@example.com", "recipient_name": name, "s3_bucket": "b", "s3_key": key,
            });
            let request = Request::read(&body.to_string()).unwrap();
            let raw = compose(&request, &archive);
            prop_assert_eq!(fields(&raw), FIELDS);
            let mail = MessageParser::default().parse(&raw).unwrap();
            let to: Vec<_> = mail.to().unwrap().iter().map(|to| (to.name().unwrap_or_default(), to.address())).collect();
            prop_assert_eq!(to, vec![(&*request.name, Some("ana@example.com"))]);
            let subject = format!("As imagens do vídeo {} estão prontas", request.video);
            // Folding may turn one space between encoded words into another place, never into a line.
            let squeezed = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(squeezed(mail.subject().unwrap()), squeezed(&subject));
            prop_assert_eq!((mail.text_body_count(), mail.html_body_count(), mail.attachment_count()), (1, 1, 1));
            let PartType::Html(html) = &mail.html_part(0).unwrap().body else { panic!("no HTML") };
            prop_assert!(!html.contains("<script"), "{}", html);
            prop_assert_eq!(html.matches('<').count(), if request.name.is_empty() { 24 } else { 26 });
            let attached = mail.attachment(0).unwrap();
            prop_assert_eq!(attached.contents(), &archive[..]);
            prop_assert_eq!(attached.attachment_name().map(squeezed), Some(squeezed(&request.file)));
        }
    }
}
