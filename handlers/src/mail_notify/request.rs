//! The batch that SQS delivers, and what a message asks for.

use lettre::Address;
use serde::Deserialize;
use serde_json::Value;

use super::error::Error;

/// The longest name of a recipient or a file, in characters: what a header can show.
const MAX_NAME: usize = 100;

/// A batch, as the event source mapping delivers it. See "Using Lambda with Amazon SQS".
#[derive(Debug, Deserialize)]
pub struct Batch {
    /// The messages.
    #[serde(rename = "Records")]
    pub records: Vec<Record>,
}

/// One message of a batch.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// SQS's id of the message, the same at each delivery.
    pub message_id: String,
    /// What the sender wrote.
    pub body: String,
    /// Attributes.
    #[serde(default)]
    pub attributes: Attributes,
}

/// The attributes of a message that are looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attributes {
    /// How often it was delivered, this time included.
    #[serde(default)]
    pub approximate_receive_count: String,
}

impl Batch {
    /// Reads the function's event.
    ///
    /// # Errors
    /// [`Error::BadEvent`]: without the messages' ids not even a failure can be told.
    pub fn read(event: Value) -> Result<Self, Error> {
        serde_json::from_value(event).map_err(|error| Error::BadEvent(error.to_string()))
    }
}

/// The message's JSON as it is sent.
#[derive(Deserialize)]
struct Wanted {
    video_id: String,
    recipient_email: String,
    recipient_name: String,
    s3_bucket: String,
    s3_key: String,
}

/// What is to be mailed, and to whom. All texts are single lines of plain text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The video, as the recipient knows it.
    pub video: String,
    /// The recipient's address.
    pub address: Address,
    /// The recipient's name; may be empty.
    pub name: String,
    /// The bucket of the ZIP.
    pub bucket: String,
    /// Its key.
    pub key: String,
    /// Its name in the mail: what follows the key's last slash.
    pub file: String,
}

impl Request {
    /// Reads a message's body.
    ///
    /// # Errors
    /// [`Error::BadMessage`] or [`Error::BadAddress`]; neither holds more of the message than what is wrong.
    pub fn read(body: &str) -> Result<Self, Error> {
        let wanted: Wanted = serde_json::from_str(body).map_err(|error| Error::BadMessage(error.to_string()))?;
        let missing = |name: &str| Err(Error::BadMessage(format!("{name} is empty")));
        for (name, value) in [("s3_bucket", &wanted.s3_bucket), ("s3_key", &wanted.s3_key)] {
            if value.is_empty() {
                return missing(name);
            }
        }
        let file = line(wanted.s3_key.rsplit('/').next().unwrap_or_default());
        if file.is_empty() {
            return Err(Error::BadMessage("s3_key names no file".to_owned()));
        }
        Ok(Self {
            video: line(&wanted.video_id),
            address: address(&wanted.recipient_email)?,
            name: line(&wanted.recipient_name),
            bucket: wanted.s3_bucket,
            key: wanted.s3_key,
            file,
        })
    }
}

/// An address that any mail server takes: without the letters beyond ASCII that few do (SMTPUTF8).
fn address(text: &str) -> Result<Address, Error> {
    let address: Address = text.trim().parse().map_err(|error| Error::BadAddress(format!("{error}")))?;
    if !address.to_string().is_ascii() {
        return Err(Error::BadAddress("it holds letters that mail servers do not take".to_owned()));
    }
    Ok(address)
}

/// One line of text that shows: whatever ends a line or steers a terminal becomes a space, so that a name can neither
/// add a header nor hide what follows it.
fn line(text: &str) -> String {
    let visible: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let words: Vec<&str> = visible.split_whitespace().collect();
    let short: String = words.join(" ").chars().take(MAX_NAME).collect();
    short.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn body(changes: &[(&str, Value)]) -> String {
        let mut body = json!({
            "video_id": "42", "recipient_email": "ana@example.com", "recipient_name": "Ana", "s3_bucket": "videos",
            "s3_key": "frames/42.zip",
        });
        for (name, value) in changes {
            body[name] = value.clone();
        }
        body.to_string()
    }

    #[test]
    fn a_message_is_read() {
        let request = Request::read(&body(&[("more", json!(1))])).unwrap();
        assert_eq!((&*request.file, &*request.key), ("42.zip", "frames/42.zip"));
        assert_eq!(request.address.to_string(), "ana@example.com");
        assert_eq!(Request::read(&body(&[("recipient_email", json!(" ana@example.com "))])).unwrap(), request);
    }

    #[test]
    fn lines_stay_single_and_short() {
        assert_eq!(line(" Ana\r\nBcc: x@y\u{85}\u{2028}Maria\0 "), "Ana Bcc: x@y Maria");
        assert_eq!(line(&"é".repeat(500)).chars().count(), MAX_NAME);
        assert_eq!(line("\r\n\t"), "");
    }

    #[test]
    fn what_can_never_be_mailed_is_told_apart() {
        for bad in ["", "{", "[]", "{}", &body(&[("s3_key", json!("folder/"))]), &body(&[("s3_bucket", json!(""))])] {
            assert!(matches!(Request::read(bad), Err(Error::BadMessage(_))), "{bad}");
        }
        assert!(matches!(Request::read(&body(&[("video_id", json!(42))])), Err(Error::BadMessage(_))));
        for bad in
            ["", "ana", "ana@", "a@b, c@d", "Ana <a@b.com>", "a@b\r\nRCPT TO:<c@d>", "ação@example.com", "a b@c.com"]
        {
            let read = Request::read(&body(&[("recipient_email", json!(bad))]));
            assert!(matches!(read, Err(Error::BadAddress(_))), "{bad}: {read:?}");
        }
    }

    #[test]
    fn an_event_is_a_batch_or_an_error() {
        let event =
            json!({"Records": [{"messageId": "1", "body": "x", "attributes": {"ApproximateReceiveCount": "3"}}]});
        let batch = Batch::read(event).unwrap();
        assert_eq!(batch.records[0].attributes.approximate_receive_count, "3");
        for bad in [json!({}), json!({"Records": [{"body": "x"}]}), json!([])] {
            assert!(matches!(Batch::read(bad), Err(Error::BadEvent(_))));
        }
    }
}
