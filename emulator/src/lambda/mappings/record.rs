//! A message of a queue as the function sees it: a record of the event.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event>, with what AWS leaves out
//! or writes as null where LocalStack's recordings of AWS show it.

use serde_json::{Map, Value, json};

/// The system attributes, in AWS's order.
const ATTRIBUTES: [&str; 9] = [
    "ApproximateReceiveCount",
    "AWSTraceHeader",
    "SentTimestamp",
    "SequenceNumber",
    "MessageGroupId",
    "SenderId",
    "MessageDeduplicationId",
    "ApproximateFirstReceiveTimestamp",
    "DeadLetterQueueSourceArn",
];

/// The record of a message, as `ReceiveMessage` answers one. With a batching window, AWS writes a digest of no attributes
/// as null; without one, not at all.
pub(super) fn record(message: &Value, queue: &str, region: &str, windowed: bool) -> Value {
    let mut record = Map::new();
    let mut put = |name: &str, value: Value| {
        record.insert(name.to_owned(), value);
    };
    put("messageId", message["MessageId"].clone());
    put("receiptHandle", message["ReceiptHandle"].clone());
    put("body", message["Body"].clone());
    put("attributes", system_attributes(&message["Attributes"]));
    put("messageAttributes", attributes(&message["MessageAttributes"]));
    match &message["MD5OfMessageAttributes"] {
        Value::Null if !windowed => {}
        digest => put("md5OfMessageAttributes", digest.clone()),
    }
    put("md5OfBody", message["MD5OfBody"].clone());
    put("eventSource", "aws:sqs".into());
    put("eventSourceARN", queue.into());
    put("awsRegion", region.into());
    Value::Object(record)
}

fn system_attributes(given: &Value) -> Value {
    let known = ATTRIBUTES.iter().filter_map(|name| Some(((*name).to_owned(), given.get(*name)?.clone())));
    Value::Object(known.collect())
}

fn attributes(given: &Value) -> Value {
    let attribute = |value: &Value| {
        let mut members = Map::new();
        for (theirs, ours) in [("StringValue", "stringValue"), ("BinaryValue", "binaryValue")] {
            if let Some(value) = value.get(theirs).filter(|value| !value.is_null()) {
                members.insert(ours.to_owned(), value.clone());
            }
        }
        members.insert("stringListValues".to_owned(), json!([]));
        members.insert("binaryListValues".to_owned(), json!([]));
        members.insert("dataType".to_owned(), value["DataType"].clone());
        Value::Object(members)
    };
    let given = given.as_object().into_iter().flatten();
    Value::Object(given.map(|(name, value)| (name.clone(), attribute(value))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_shown_to_the_letter() {
        let message = json!({
            "MessageId": "m", "ReceiptHandle": "r", "MD5OfBody": "d", "Body": "text",
            "Attributes": { "SenderId": "AIDA", "SentTimestamp": "1", "ApproximateReceiveCount": "2",
                "ApproximateFirstReceiveTimestamp": "3" },
            "MD5OfMessageAttributes": "e",
            "MessageAttributes": { "n": { "DataType": "Number", "StringValue": "6" }, "b": { "DataType": "Binary", "BinaryValue": "AA==" } },
        });
        let expected = concat!(
            r#"{"messageId":"m","receiptHandle":"r","body":"text","attributes":{"ApproximateReceiveCount":"2","#,
            r#""SentTimestamp":"1","SenderId":"AIDA","ApproximateFirstReceiveTimestamp":"3"},"messageAttributes":{"#,
            r#""n":{"stringValue":"6","stringListValues":[],"binaryListValues":[],"dataType":"Number"},"#,
            r#""b":{"binaryValue":"AA==","stringListValues":[],"binaryListValues":[],"dataType":"Binary"}},"#,
            r#""md5OfMessageAttributes":"e","md5OfBody":"d","eventSource":"aws:sqs","eventSourceARN":"arn","awsRegion":"us-east-1"}"#,
        );
        assert_eq!(record(&message, "arn", "us-east-1", false).to_string(), expected);
        let plain = json!({ "MessageId": "m", "ReceiptHandle": "r", "MD5OfBody": "d", "Body": "x", "Attributes": {} });
        assert!(record(&plain, "arn", "r", false).get("md5OfMessageAttributes").is_none());
        assert_eq!(record(&plain, "arn", "r", true).get("md5OfMessageAttributes"), Some(&Value::Null));
        assert_eq!(record(&plain, "arn", "r", true)["messageAttributes"], json!({}));
    }
}
