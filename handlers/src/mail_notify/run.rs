//! One batch, message by message.

use std::future::Future;
use std::time::Duration;

use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep};
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_types::DateTime;
use serde::Serialize;

use super::archive;
use super::compose::Composer;
use super::dedup::{Claim, Lease, Table};
use super::error::Error;
use super::password::Passwords;
use super::request::{Batch, Record, Request};
use super::smtp::{self, Server};

/// What is left for recording and answering when the last mail is sent, in milliseconds.
const RESERVE: i64 = 5_000;

/// A lease outlives its invocation's deadline by this, in milliseconds: clocks differ a little. With the function's 30 s it
/// is over well before the queue delivers again, after 60 s.
const LEASE_MARGIN: i64 = 5_000;

/// What a run needs: the clients made from one SDK configuration.
#[derive(Debug)]
pub struct Notifier {
    /// S3.
    pub s3: aws_sdk_s3::Client,
    /// What was mailed.
    pub table: Table,
    /// The SMTP password.
    pub passwords: Passwords,
    /// Mails.
    pub composer: Composer,
    /// The mail server.
    pub server: Server,
    /// The time.
    pub time: SharedTimeSource,
    /// Its passing.
    pub sleep: SharedAsyncSleep,
}

/// The invocation that a batch came with.
#[derive(Clone, Copy, Debug)]
pub struct Invocation<'a> {
    /// Its request id.
    pub request_id: &'a str,
    /// When Lambda ends it, in epoch milliseconds.
    pub deadline: i64,
}

/// What the function answers: see "Implementing partial batch responses" in the Lambda developer guide.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The messages that go back to the queue.
    pub batch_item_failures: Vec<Failure>,
}

/// One message that goes back to the queue.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// Its id.
    pub item_identifier: String,
}

/// What became of a message that does not go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    Sent,
    AlreadySent,
}

impl Notifier {
    /// Mails what the messages ask for, and names those that failed. One that failed keeps no other from being mailed.
    pub async fn run(&self, batch: Batch, invocation: Invocation<'_>) -> Answer {
        let mut answer = Answer::default();
        for (position, record) in batch.records.into_iter().enumerate() {
            // Not the request id alone: one batch may hold one message twice.
            let owner = format!("{}/{position}", invocation.request_id);
            let (message_id, receive_count) = (&record.message_id, &record.attributes.approximate_receive_count);
            match self.mail(&record, &owner, invocation.deadline).await {
                Ok(Done::Sent) => tracing::info!(message_id, receive_count, "mail sent"),
                Ok(Done::AlreadySent) => tracing::info!(message_id, receive_count, "mail was sent before"),
                Err(error) => {
                    tracing::warn!(
                        message_id,
                        receive_count,
                        error_type = error.error_type(),
                        permanent = error.is_permanent(),
                        %error,
                        "mail not sent"
                    );
                    answer.batch_item_failures.push(Failure { item_identifier: record.message_id });
                }
            }
        }
        answer
    }

    async fn mail(&self, record: &Record, owner: &str, deadline: i64) -> Result<Done, Error> {
        let request = Request::read(&record.body)?;
        let lease = Lease { message: &record.message_id, owner, until: deadline.saturating_add(LEASE_MARGIN) };
        let prepared = self.within(deadline, self.prepare(&request, lease)).await?;
        let Some(message) = prepared else { return Ok(Done::AlreadySent) };
        let password = self.within(deadline, self.passwords.get()).await?;
        let limit = self.left(deadline)?.min(smtp::LIMIT);
        let taken = match self.server.send(&password, &request.address, &message, limit).await {
            Ok(taken) => taken,
            Err(error) => {
                if matches!(error, Error::SmtpRefused { code: 535, .. }) {
                    self.passwords.forget().await;
                }
                return Err(error);
            }
        };
        // The mail is out. If that cannot be recorded the message is done all the same: to give it back would surely mail
        // it twice.
        if let Err(reason) = self.table.record(lease, self.now()).await {
            tracing::error!(message_id = record.message_id, reason, "the mail was sent, and that is not recorded");
        }
        taken.leave().await;
        Ok(Done::Sent)
    }

    /// Claims the message and makes the mail; `None` if it was sent before.
    async fn prepare(&self, request: &Request, lease: Lease<'_>) -> Result<Option<Vec<u8>>, Error> {
        match self.table.claim(lease, self.now()).await? {
            Claim::AlreadySent => return Ok(None),
            Claim::Taken => return Err(Error::Claimed),
            Claim::Mine => {}
        }
        let archive = archive::fetch(&self.s3, request).await?;
        self.composer.compose(request, lease.message, archive, self.time.now()).map(Some)
    }

    /// Gives up in time for the rest of the batch to be told about.
    async fn within<T>(&self, deadline: i64, doing: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let left = self.left(deadline)?;
        tokio::select! {
            biased;
            done = doing => done,
            () = self.sleep.sleep(left) => Err(Error::OutOfTime),
        }
    }

    /// What is left of the invocation, less the reserve.
    fn left(&self, deadline: i64) -> Result<Duration, Error> {
        let left = deadline.saturating_sub(RESERVE).saturating_sub(self.now());
        u64::try_from(left).ok().filter(|left| *left > 0).map(Duration::from_millis).ok_or(Error::OutOfTime)
    }

    /// Epoch milliseconds. A clock before 1970 reads as 1970.
    fn now(&self) -> i64 {
        DateTime::from(self.time.now()).to_millis().unwrap_or(0).max(0)
    }
}
