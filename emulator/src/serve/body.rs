//! The body of a request, from the pieces in which it comes.

use axum::BoxError;
use axum::body::{Body, HttpBody};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Limited};

use crate::s3::{Digested, Intake};

/// The largest body of a request, in bytes: what one S3 `PutObject` may carry.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html>
const LIMIT: usize = 5 * 1024 * 1024 * 1024;
/// For how many bytes room is made before they have come.
const TRUSTED: usize = 16 * 1024 * 1024;

/// A body, and its digest where that was made while it came.
pub(super) struct Whole {
    pub bytes: Bytes,
    /// Kept until the request is answered: S3 finds the digest as long.
    pub digested: Option<Digested>,
}

impl From<Bytes> for Whole {
    fn from(bytes: Bytes) -> Self {
        Self { bytes, digested: None }
    }
}

/// All of a body. One that comes in one piece is that piece. Of one whose length was told, each piece goes to its place at once, so
/// that its connection reads the next one into the same memory. What S3 may have to digest is digested meanwhile.
///
/// # Errors
/// If the body is too large, or breaks off.
pub(super) async fn whole(body: Body, is_upload: bool) -> Result<Whole, BoxError> {
    let length = body.size_hint().exact().and_then(|length| usize::try_from(length).ok());
    let mut body = Limited::new(body, LIMIT);
    let Some(length) = length else { return Ok(body.collect().await?.to_bytes().into()) };
    let Some(first) = piece(&mut body).await? else { return Ok(Bytes::new().into()) };
    if first.len() == length {
        return Ok(first.into());
    }
    if is_upload
        && Intake::LENGTHS.contains(&length)
        && let Some(intake) = Intake::begin(length)
    {
        let digested = taken_in(intake, first, &mut body).await?;
        return Ok(Whole { bytes: digested.body().clone(), digested: Some(digested) });
    }
    let mut whole = BytesMut::with_capacity(length.min(TRUSTED));
    whole.extend_from_slice(&first);
    drop(first);
    while let Some(next) = piece(&mut body).await? {
        whole.extend_from_slice(&next);
    }
    Ok(whole.freeze().into())
}

async fn taken_in(mut intake: Intake, first: Bytes, body: &mut Limited<Body>) -> Result<Digested, BoxError> {
    intake.push(&first);
    drop(first);
    while let Some(next) = piece(body).await? {
        intake.push(&next);
    }
    Ok(intake.end().await?)
}

/// The next piece of a body, which has no trailers if its length was told.
async fn piece(body: &mut Limited<Body>) -> Result<Option<Bytes>, BoxError> {
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}
