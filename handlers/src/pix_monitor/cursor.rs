//! The cursor: the greatest event id that was announced, in one S3 object that is only ever written conditionally.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
use aws_sdk_s3::operation::put_object::PutObjectError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::byte_stream::ByteStream;

use super::error::{Error, chain, reason};
use super::event_id::EventId;

/// The key of the cursor in `STATE_BUCKET`.
pub const KEY: &str = "lastId.txt";

/// The largest object that is read as a cursor. A `FilterLogEvents` page is at most 1 MiB, so no id is longer.
const MAX_BYTES: i64 = 1024 * 1024;

/// How much of a corrupt cursor the error shows.
const MAX_SHOWN: usize = 80;

/// The cursor as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The greatest id announced so far.
    pub id: EventId,
    /// When it was written, in epoch milliseconds. S3 keeps whole seconds, cut off.
    pub written: i64,
    etag: String,
}

/// Where the cursor is kept.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    bucket: String,
}

impl Store {
    /// The cursor in `bucket`.
    pub fn new(client: Client, bucket: String) -> Self {
        Self { client, bucket }
    }

    /// Reads the cursor. `None` if S3 says that there is none: the first run.
    ///
    /// Not being allowed to look is something else, and an error: taken for a first run, it would announce the whole
    /// window again at every run. Nor is a corrupt cursor a first run.
    pub async fn read(&self) -> Result<Option<Cursor>, Error> {
        let object = match self.client.get_object().bucket(&self.bucket).key(KEY).send().await {
            Ok(object) => object,
            Err(error) if error.code() == Some("NoSuchKey") => return Ok(None),
            Err(error) => return Err(self.read_failure(&error)),
        };
        let missing = |member: &str| self.unavailable("read", format!("S3 answered without {member}"));
        let etag = object.e_tag().ok_or_else(|| missing("ETag"))?.to_owned();
        let written = object.last_modified().ok_or_else(|| missing("LastModified"))?;
        let written = written.to_millis().map_err(|error| self.unavailable("read", chain(&error)))?;
        Ok(Some(Cursor { id: self.id(object).await?, written, etag }))
    }

    async fn id(&self, object: GetObjectOutput) -> Result<EventId, Error> {
        let corrupt = |found: String| {
            let (bucket, key) = (self.bucket.clone(), KEY.to_owned());
            Err(Error::CursorCorrupt { bucket, key, found })
        };
        // Looked at before the body is: a function of 128 MB must not read a gigabyte that was put there by mistake.
        match object.content_length() {
            Some(length) if length <= MAX_BYTES => {}
            Some(length) => return corrupt(format!("{length} bytes")),
            None => return Err(self.unavailable("read", "S3 answered without Content-Length".to_owned())),
        }
        let body = object.body.collect().await.map_err(|error| self.unavailable("read", chain(&error)))?;
        let text = String::from_utf8_lossy(&body.into_bytes()).into_owned();
        // People repair cursors with `echo`, which ends the line.
        match text.trim_ascii().parse() {
            Ok(id) => Ok(id),
            Err(_) => corrupt(format!("{:?}", text.chars().take(MAX_SHOWN).collect::<String>())),
        }
    }

    /// Writes the cursor, provided that it still is what this run read: `previous`, or nothing at all.
    pub async fn write(&self, id: &EventId, previous: Option<&Cursor>) -> Result<(), Error> {
        let body = ByteStream::from(id.as_str().as_bytes().to_vec());
        let request = self.client.put_object().bucket(&self.bucket).key(KEY).content_type("text/plain").body(body);
        let request = match previous {
            Some(cursor) => request.if_match(&cursor.etag),
            None => request.if_none_match("*"),
        };
        request.send().await.map(drop).map_err(|error| self.write_failure(&error))
    }

    fn read_failure(&self, error: &SdkError<GetObjectError, HttpResponse>) -> Error {
        let bucket = &self.bucket;
        let permissions =
            format!("s3:GetObject on arn:aws:s3:::{bucket}/{KEY} and s3:ListBucket on arn:aws:s3:::{bucket}");
        self.failure("read", permissions, error.code(), status(error), reason(error))
    }

    fn write_failure(&self, error: &SdkError<PutObjectError, HttpResponse>) -> Error {
        let (code, reason) = (error.code(), reason(error));
        // 412: the condition does not hold. 409: another conditional write was under way. 404 NoSuchKey: the object
        // that If-Match names is gone. See "How to prevent object overwrites with conditional writes" in S3's guide.
        let lost = matches!(status(error), Some(409 | 412)) || code == Some("NoSuchKey");
        if lost {
            return Error::LostRace { bucket: self.bucket.clone(), key: KEY.to_owned(), reason };
        }
        let permissions = format!("s3:PutObject on arn:aws:s3:::{}/{KEY}", self.bucket);
        self.failure("write", permissions, code, status(error), reason)
    }

    fn failure(
        &self,
        action: &'static str,
        permissions: String,
        code: Option<&str>,
        status: Option<u16>,
        reason: String,
    ) -> Error {
        let (bucket, key) = (self.bucket.clone(), KEY.to_owned());
        match (code, status) {
            (Some("NoSuchBucket"), _) => Error::StateBucketMissing { bucket },
            (Some("AccessDenied"), _) | (None, Some(403)) => {
                Error::CursorAccessDenied { action, bucket, key, permissions, reason }
            }
            _ => self.unavailable(action, reason),
        }
    }

    fn unavailable(&self, action: &'static str, reason: String) -> Error {
        Error::CursorUnavailable { action, bucket: self.bucket.clone(), key: KEY.to_owned(), reason }
    }
}

fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use aws_sdk_s3::operation::put_object::PutObjectOutput;
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use aws_smithy_types::DateTime;
    use aws_smithy_types::error::ErrorMetadata;

    use super::super::testing::Fake;
    use super::*;

    const DENIED: &str = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";

    fn store(rule: &Rule) -> Store {
        // The SDK's waits between retries, without the waiting.
        let client = mock_client!(aws_sdk_s3, RuleMode::Sequential, &[rule], |conf| conf.sleep_impl(Fake::new(0)));
        Store::new(client, "pix-state".to_owned())
    }

    fn object(body: &'static str) -> GetObjectOutput {
        GetObjectOutput::builder()
            .body(ByteStream::from_static(body.as_bytes()))
            .content_length(body.len().try_into().unwrap())
            .e_tag("\"e1\"")
            .last_modified(DateTime::from_secs(1_000))
            .build()
    }

    fn answered(status: u16, body: &'static str) -> Rule {
        mock!(Client::get_object).sequence().http_status(status, Some(body.to_owned())).build()
    }

    async fn read(body: &'static str) -> Result<Option<Cursor>, Error> {
        let rule = mock!(Client::get_object)
            .match_requests(|request| (request.bucket(), request.key()) == (Some("pix-state"), Some("lastId.txt")))
            .then_output(move || object(body));
        store(&rule).read().await
    }

    #[tokio::test]
    async fn id_etag_and_time_are_read() {
        let expected = Cursor { id: "0042".parse().unwrap(), written: 1_000_000, etag: "\"e1\"".to_owned() };
        assert_eq!(read("0042").await, Ok(Some(expected.clone())));
        assert_eq!(read("42\n").await, Ok(Some(expected)));
    }

    #[tokio::test]
    async fn a_missing_key_is_the_first_run_and_a_missing_bucket_is_not() {
        let rule = answered(404, "<Error><Code>NoSuchKey</Code><Message>no</Message></Error>");
        assert_eq!(store(&rule).read().await, Ok(None));
        let rule = answered(404, "<Error><Code>NoSuchBucket</Code><Message>no</Message></Error>");
        let error = Error::StateBucketMissing { bucket: "pix-state".to_owned() };
        assert_eq!(store(&rule).read().await, Err(error));
    }

    #[tokio::test]
    async fn not_allowed_names_what_is_missing() {
        for body in [DENIED, ""] {
            let text = store(&answered(403, body)).read().await.unwrap_err().to_string();
            for part in [
                "read s3://pix-state/lastId.txt",
                "s3:GetObject on arn:aws:s3:::pix-state/lastId.txt",
                "s3:ListBucket on arn:aws:s3:::pix-state",
            ] {
                assert!(text.contains(part), "{text}");
            }
        }
    }

    #[tokio::test]
    async fn a_corrupt_cursor_names_bucket_and_key() {
        for body in ["", "  ", "abc", "-1", "1 2", "1.0", "\u{0}1", "١"] {
            let error = read(body).await.unwrap_err();
            assert!(matches!(error, Error::CursorCorrupt { .. }), "{error}");
            assert!(error.to_string().starts_with("s3://pix-state/lastId.txt is not an event id"), "{error}");
        }
        let rule = mock!(Client::get_object).then_output(|| {
            let mut huge = object("1");
            huge.content_length = Some(MAX_BYTES + 1);
            huge
        });
        let error = store(&rule).read().await.unwrap_err();
        assert!(matches!(error, Error::CursorCorrupt { found, .. } if found == "1048577 bytes"));
    }

    #[tokio::test]
    async fn an_unavailable_bucket_is_reported_after_the_sdks_retries() {
        let rule = mock!(Client::get_object).sequence().http_status(503, None).times(9).build();
        let error = store(&rule).read().await.unwrap_err();
        assert!(matches!(error, Error::CursorUnavailable { action: "read", .. }), "{error}");
        assert_eq!(rule.num_calls(), 3);
    }

    #[tokio::test]
    async fn writes_are_conditional() {
        let first = mock!(Client::put_object)
            .match_requests(|request| {
                (request.if_match(), request.if_none_match()) == (None, Some("*"))
                    && request.body().bytes() == Some(b"0043")
                    && (request.bucket(), request.key()) == (Some("pix-state"), Some("lastId.txt"))
            })
            .then_output(|| PutObjectOutput::builder().build());
        assert_eq!(store(&first).write(&"0043".parse().unwrap(), None).await, Ok(()));
        let later = mock!(Client::put_object)
            .match_requests(|request| (request.if_match(), request.if_none_match()) == (Some("\"e1\""), None))
            .then_output(|| PutObjectOutput::builder().build());
        let cursor = Cursor { id: "42".parse().unwrap(), written: 0, etag: "\"e1\"".to_owned() };
        assert_eq!(store(&later).write(&"43".parse().unwrap(), Some(&cursor)).await, Ok(()));
    }

    #[tokio::test]
    async fn a_lost_race_is_told_from_other_failures() {
        let cases = [
            (412, "PreconditionFailed", "PixMonitor.LostRace"),
            (409, "ConditionalRequestConflict", "PixMonitor.LostRace"),
            (404, "NoSuchKey", "PixMonitor.LostRace"),
            (404, "NoSuchBucket", "PixMonitor.StateBucketMissing"),
            (403, "AccessDenied", "PixMonitor.CursorAccessDenied"),
            (400, "InvalidRequest", "PixMonitor.CursorUnavailable"),
        ];
        for (status, code, expected) in cases {
            let body = format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>");
            let rule = mock!(Client::put_object).sequence().http_status(status, Some(body)).build();
            let error = store(&rule).write(&"1".parse().unwrap(), None).await.unwrap_err();
            assert_eq!(error.error_type(), expected, "{error}");
            assert_eq!(rule.num_calls(), 1, "{code} is not retried");
        }
    }

    #[tokio::test]
    async fn modelled_errors_count_like_those_on_the_wire() {
        let rule = mock!(Client::get_object)
            .then_error(|| GetObjectError::generic(ErrorMetadata::builder().code("AccessDenied").build()));
        let error = store(&rule).read().await.unwrap_err();
        assert_eq!(error.error_type(), "PixMonitor.CursorAccessDenied");
    }
}
