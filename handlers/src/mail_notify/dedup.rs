//! What was mailed, in a DynamoDB table: a claim before, a record after.
//!
//! An item is `{message_id, claimed_by, lease_until, expires_at}`, and `sent_at` once the mail server took the mail.
//! The claim is free if there is no item, or one without `sent_at` whose lease is over: its owner is dead, for no
//! invocation outlives its deadline, which is what the lease is. The queue delivers again after its visibility timeout of
//! 60 s, when the lease (30 s and a little) is over, so that a claim is never given back: less to do, less to go wrong.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};

use super::error::Error;
use crate::failure::reason;

/// How long an item is kept, in seconds: longer than SQS keeps any message (14 days).
const KEPT: i64 = 15 * 24 * 3600;

/// Whoever may mail: nobody claimed it, or the same delivery did (the SDK repeats a call whose answer was lost), or whoever
/// did is dead.
const FREE: &str = "attribute_not_exists(message_id) OR \
                    (attribute_not_exists(sent_at) AND (claimed_by = :me OR lease_until < :now))";

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// This delivery may mail.
    Mine,
    /// The mail was sent.
    AlreadySent,
    /// Another delivery is at it.
    Taken,
}

/// One delivery's claim on a message. Times are epoch milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Lease<'a> {
    /// The message.
    pub message: &'a str,
    /// The delivery, named so that no two are the same.
    pub owner: &'a str,
    /// Until when the claim holds.
    pub until: i64,
}

/// The table.
#[derive(Clone, Debug)]
pub struct Table {
    client: Client,
    name: String,
}

impl Table {
    /// The table of this name.
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    /// Claims a message.
    ///
    /// # Errors
    /// [`Error::ClaimUnavailable`]; nothing is mailed then.
    pub async fn claim(&self, lease: Lease<'_>, now: i64) -> Result<Claim, Error> {
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .item("message_id", text(lease.message))
            .item("claimed_by", text(lease.owner))
            .item("lease_until", number(lease.until))
            .item("expires_at", number(now / 1000 + KEPT))
            .condition_expression(FREE)
            .expression_attribute_values(":me", text(lease.owner))
            .expression_attribute_values(":now", number(now))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else { return Ok(Claim::Mine) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                let sent = failed.item().is_some_and(|item| item.contains_key("sent_at"));
                Ok(if sent { Claim::AlreadySent } else { Claim::Taken })
            }
            _ => Err(Error::ClaimUnavailable { table: self.name.clone(), reason: reason(&error) }),
        }
    }

    /// Records that the mail was sent. The error says why it could not be: the mail is sent all the same.
    ///
    /// # Errors
    /// What DynamoDB or the connection said; that another delivery holds the claim by now.
    pub async fn record(&self, lease: Lease<'_>, now: i64) -> Result<(), String> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .key("message_id", text(lease.message))
            .update_expression("SET sent_at = :now")
            .condition_expression("claimed_by = :me")
            .expression_attribute_values(":now", number(now))
            .expression_attribute_values(":me", text(lease.owner));
        let Err(error) = update.send().await else { return Ok(()) };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => {
                Err("another delivery holds the claim by now; the mail may go out twice".to_owned())
            }
            _ => Err(reason(&error)),
        }
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use aws_sdk_dynamodb::operation::put_item::PutItemOutput;
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

    use super::super::testing::Quick;
    use super::*;

    const LEASE: Lease<'_> = Lease { message: "m-1", owner: "r-1/0", until: 35_000 };

    fn table(rule: &Rule) -> Table {
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, &[rule], |conf| conf.sleep_impl(Quick));
        Table::new(client, "mails".to_owned())
    }

    fn answered(status: u16, body: &str) -> Rule {
        mock!(Client::put_item).sequence().http_status(status, Some(body.to_owned())).build()
    }

    #[tokio::test]
    async fn a_claim_is_conditional_and_has_its_lease() {
        let rule = mock!(Client::put_item)
            .match_requests(|put| {
                let item = put.item().unwrap();
                put.condition_expression() == Some(FREE)
                    && item["lease_until"] == number(35_000)
                    && item["expires_at"] == number(5 + KEPT)
                    && item["claimed_by"] == text("r-1/0")
            })
            .then_output(|| PutItemOutput::builder().build());
        assert_eq!(table(&rule).claim(LEASE, 5_000).await, Ok(Claim::Mine));
    }

    #[tokio::test]
    async fn what_was_sent_is_told_from_what_is_under_way() {
        let kind = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
        for (item, claim) in [
            (r#"{"message_id":{"S":"m-1"},"sent_at":{"N":"1"}}"#, Claim::AlreadySent),
            (r#"{"message_id":{"S":"m-1"},"lease_until":{"N":"9"}}"#, Claim::Taken),
        ] {
            let body = format!(r#"{{"__type":"{kind}","message":"The conditional request failed","Item":{item}}}"#);
            assert_eq!(table(&answered(400, &body)).claim(LEASE, 0).await, Ok(claim));
        }
    }

    #[tokio::test]
    async fn any_other_error_is_no_claim() {
        for body in [
            r#"{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"User is not authorized"}"#,
            r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"Requested resource not found"}"#,
        ] {
            let error = table(&answered(400, body)).claim(LEASE, 0).await.unwrap_err();
            let Error::ClaimUnavailable { table, reason } = &error else { panic!("{error:?}") };
            assert!(table == "mails" && (reason.contains("Access") || reason.contains("ResourceNotFound")), "{reason}");
            assert!(!error.is_permanent());
        }
    }

    #[tokio::test]
    async fn a_record_says_why_it_failed() {
        let lost = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"no"}"#;
        let rule = mock!(Client::update_item).sequence().http_status(400, Some(lost.to_owned())).build();
        assert!(table(&rule).record(LEASE, 0).await.unwrap_err().contains("another delivery"));
    }
}
