//! The ZIP, streamed from S3.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;

use super::error::Error;
use super::request::Request;
use crate::failure::{chain, reason};

/// The largest ZIP: in base64 with its line ends it grows by 37 percent, and most servers take 25 MiB (Gmail: "Send
/// attachments with your Gmail message").
pub const LIMIT: u64 = 18 * 1024 * 1024;

/// Reads the ZIP that a message names.
///
/// # Errors
/// The errors of [`Error`] that begin with `Object`.
pub async fn fetch(client: &Client, request: &Request) -> Result<Vec<u8>, Error> {
    let (bucket, key) = (request.bucket.clone(), request.key.clone());
    let object = client.get_object().bucket(&bucket).key(&key).send().await;
    let mut object = object.map_err(|error| {
        let (bucket, key, reason) = (bucket.clone(), key.clone(), reason(&error));
        let status = error.raw_response().map(|response| response.status().as_u16());
        match (error.code(), status) {
            (Some("NoSuchKey" | "NoSuchBucket"), _) => Error::ObjectMissing { bucket, key, reason },
            (Some("AccessDenied"), _) | (None, Some(403)) => Error::ObjectDenied { bucket, key, reason },
            _ => Error::ObjectUnavailable { bucket, key, reason },
        }
    })?;
    let too_large = |size: u64| Error::ObjectTooLarge { bucket: bucket.clone(), key: key.clone(), size, limit: LIMIT };
    let unavailable = |reason: String| Error::ObjectUnavailable { bucket: bucket.clone(), key: key.clone(), reason };
    let length = object.content_length().and_then(|length| u64::try_from(length).ok());
    let length = length.ok_or_else(|| unavailable("S3 answered without Content-Length".to_owned()))?;
    // Looked at before the body is: a function must not read a gigabyte that it cannot send.
    if length > LIMIT {
        return Err(too_large(length));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    while let Some(chunk) = object.body.try_next().await.map_err(|error| unavailable(chain(&error)))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() as u64 > length {
            return Err(unavailable(format!("S3 sent more than the {length} bytes that it announced")));
        }
    }
    if bytes.len() as u64 == length {
        Ok(bytes)
    } else {
        Err(unavailable(format!("S3 sent {} of {length} bytes", bytes.len())))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use aws_sdk_s3::operation::get_object::GetObjectOutput;
    use aws_sdk_s3::primitives::ByteStream;
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

    use super::super::testing::{Quick, request};
    use super::*;

    async fn fetched(rule: Rule) -> Result<Vec<u8>, Error> {
        let client = mock_client!(aws_sdk_s3, RuleMode::Sequential, &[&rule], |conf| conf.sleep_impl(Quick));
        fetch(&client, &request("Ana")).await
    }

    fn answered(status: u16, body: &str) -> Rule {
        mock!(Client::get_object).sequence().http_status(status, Some(body.to_owned())).build()
    }

    fn object(announced: i64, body: &'static [u8]) -> Rule {
        mock!(Client::get_object)
            .match_requests(|get| (get.bucket(), get.key()) == (Some("videos"), Some("frames/42.zip")))
            .then_output(move || {
                GetObjectOutput::builder().body(ByteStream::from_static(body)).content_length(announced).build()
            })
    }

    #[tokio::test]
    async fn an_object_is_read_whole_or_not_at_all() {
        assert_eq!(fetched(object(3, b"zip")).await, Ok(b"zip".to_vec()));
        assert!(matches!(fetched(object(4, b"zip")).await, Err(Error::ObjectUnavailable { .. })));
        assert!(matches!(fetched(object(2, b"zip")).await, Err(Error::ObjectUnavailable { .. })));
        let large = fetched(object(i64::try_from(LIMIT).unwrap() + 1, b"")).await.unwrap_err();
        assert!(matches!(large, Error::ObjectTooLarge { .. }) && large.is_permanent());
    }

    #[tokio::test]
    async fn what_is_missing_is_told_from_what_is_denied_and_what_may_come_back() {
        let xml = |code: &str| format!("<Error><Code>{code}</Code><Message>said</Message></Error>");
        for code in ["NoSuchKey", "NoSuchBucket"] {
            let error = fetched(answered(404, &xml(code))).await.unwrap_err();
            assert!(
                matches!(&error, Error::ObjectMissing { reason, .. } if reason.contains(code)) && error.is_permanent()
            );
        }
        for body in [xml("AccessDenied"), String::new()] {
            let error = fetched(answered(403, &body)).await.unwrap_err();
            assert!(matches!(error, Error::ObjectDenied { .. }) && error.to_string().contains("s3:ListBucket"));
        }
        let slow = mock!(Client::get_object).sequence().http_status(503, Some(xml("SlowDown"))).times(3).build();
        let error = fetched(slow).await.unwrap_err();
        assert!(matches!(error, Error::ObjectUnavailable { .. }) && !error.is_permanent());
    }
}
