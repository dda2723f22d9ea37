//! One attempt at a delivery: to a queue, a function, or over HTTP.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use serde_json::json;

use super::deliver::{Delivery, Failure};
use super::envelope;
use super::feedback::Answer;
use super::message::Kind;
use super::topics::FIFO;
use crate::Error;
use crate::cloud::{Call, Caller, Cloud, Halt, Scope};
use crate::execute_api::outside;
use crate::sqs::{TRACE_HEADER, url_of_arn};

/// An HTTP endpoint has as long to answer.
/// <https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.prepare.html>
const ANSWER_TIME: Duration = Duration::from_secs(15);
/// What requests say they come from.
const AGENT: &str = "Amazon Simple Notification Service Agent";

/// Makes an attempt.
pub(super) async fn send(cloud: &Cloud, delivery: &Delivery) -> Result<Answer, Failure> {
    match &delivery.dead_letters {
        Some(queue) if delivery.is_dead => call(cloud, to_queue(delivery, queue)).await,
        _ if delivery.protocol == "sqs" => call(cloud, to_queue(delivery, &delivery.endpoint)).await,
        _ if delivery.protocol == "lambda" => call(cloud, to_function(delivery)).await,
        _ => over_http(cloud, delivery).await,
    }
}

async fn call(cloud: &Cloud, call: Call) -> Result<Answer, Failure> {
    // SNS tells an invocation that Lambda has only taken in.
    let status = if call.service == "lambda" { 202 } else { 200 };
    let failure = |error: Error| Failure {
        status: Some(error.status()),
        // A lack of permission and an endpoint that is gone do not mend themselves.
        retryable: !error.is_client_fault() || error.status() == 429 || error.code().contains("Throttl"),
        text: error.to_string(),
    };
    let reply = cloud.call(call).await.map_err(failure)?;
    let text = reply.output["MessageId"].as_str().unwrap_or_default().to_owned();
    Ok(Answer { status: Some(status), text })
}

/// As SNS calls, on behalf of the topic.
fn caller(delivery: &Delivery) -> Caller {
    Caller { source_arn: Some(delivery.message.topic.clone()), ..Caller::service(super::PRINCIPAL) }
}

/// Whether a message goes without its envelope. A question for confirmation never does.
fn is_raw(delivery: &Delivery) -> bool {
    delivery.raw && delivery.message.kind == Kind::Notification
}

/// What a queue or an HTTP endpoint gets.
fn body(delivery: &Delivery) -> String {
    let message = &delivery.message;
    if is_raw(delivery) { message.text.clone() } else { envelope::json(message, &delivery.subscription) }
}

fn to_queue(delivery: &Delivery, queue: &str) -> Call {
    let message = &delivery.message;
    let mut input = json!({ "QueueUrl": url_of_arn(queue), "MessageBody": body(delivery) });
    if is_raw(delivery) && !message.attributes.is_empty() {
        input["MessageAttributes"] = json!(message.attributes);
    }
    // From a standard topic the group is for fair queues; from a FIFO topic, a standard queue is told none.
    let (from_fifo, to_fifo) = (message.sequence.is_some(), queue.ends_with(FIFO));
    if let Some(group) = message.group.as_ref().filter(|_| to_fifo || !from_fifo) {
        input["MessageGroupId"] = group.as_str().into();
    }
    if let Some(trace) = &message.trace {
        input["MessageSystemAttributes"] = json!({ TRACE_HEADER: { "DataType": "String", "StringValue": trace } });
    }
    if let Some(id) = message.deduplication.as_ref().filter(|_| to_fifo) {
        input["MessageDeduplicationId"] = id.as_str().into();
    }
    Call::new("sqs", "SendMessage", caller(delivery), Scope::of_arn(queue), input)
}

fn to_function(delivery: &Delivery) -> Call {
    let input = json!({ "FunctionName": delivery.endpoint, "InvocationType": "Event" });
    let event = envelope::event(&delivery.message, &delivery.subscription);
    Call::new("lambda", "Invoke", caller(delivery), Scope::of_arn(&delivery.endpoint), input).with_body(event)
}

async fn over_http(cloud: &Cloud, delivery: &Delivery) -> Result<Answer, Failure> {
    let failure = |text: String, retryable: bool, status: Option<u16>| Failure { text, retryable, status };
    let request = request(delivery).map_err(|text| failure(text, false, None))?;
    match cloud.0.within(ANSWER_TIME, outside::send(&cloud.0, request)).await {
        Some(Ok(answer)) => match answer.status().as_u16() {
            status @ 200..=399 => Ok(Answer { status: Some(status), text: format!("HTTP {status}") }),
            // What the endpoint refuses for good is not sent again.
            status => {
                let is_final = (400..=499).contains(&status) && status != 429;
                Err(failure(format!("HTTP {status}"), !is_final, Some(status)))
            }
        },
        Some(Err(Halt::Error(error))) => Err(failure(error.to_string(), false, None)),
        Some(Err(broken)) => Err(failure(format!("no answer: {broken:?}"), true, None)),
        None => Err(failure(format!("no answer within {} seconds", ANSWER_TIME.as_secs()), true, None)),
    }
}

/// <https://docs.aws.amazon.com/sns/latest/dg/http-header.html>
fn request(delivery: &Delivery) -> Result<Request<Bytes>, String> {
    let message = &delivery.message;
    let mut headers = HeaderMap::new();
    let mut put = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    put(HeaderName::from_static("x-amz-sns-message-type"), envelope::kind(message));
    put(HeaderName::from_static("x-amz-sns-message-id"), &message.id);
    put(HeaderName::from_static("x-amz-sns-topic-arn"), &message.topic);
    if !matches!(message.kind, Kind::Confirmation { .. }) {
        put(HeaderName::from_static("x-amz-sns-subscription-arn"), &delivery.subscription);
    }
    if is_raw(delivery) {
        put(HeaderName::from_static("x-amz-sns-rawdelivery"), "true");
    }
    put(header::CONTENT_TYPE, &delivery.content_type);
    put(header::USER_AGENT, AGENT);
    put(header::ACCEPT_ENCODING, "gzip,deflate");
    put(header::CONNECTION, "Keep-Alive");
    let mut request = Request::new(Bytes::from(body(delivery)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = delivery.endpoint.parse().map_err(|error| format!("the endpoint is no URL: {error}"))?;
    *request.headers_mut() = headers;
    Ok(request)
}
