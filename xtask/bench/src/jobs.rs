//! The jobs that are measured: what one connection does again and again.

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::Failure;
use crate::client::Client;

/// How large a message and an item are, in bytes.
const PAYLOAD: usize = 1024;
/// How large a large object is.
const LARGE: usize = 8 << 20;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// SendMessage of 1 KiB.
    Send,
    /// PutItem of 1 KiB, one key after another.
    Put,
    /// SendMessage, ReceiveMessage, DeleteMessage on a queue of one's own: three requests.
    Cycle,
    /// PutObject of 1 KiB, one key after another.
    PutObject,
    /// GetObject of 1 KiB, always the same.
    GetObject,
    /// PutObject of 8 MiB, on a key of each connection's own.
    PutLarge,
    /// A request of 1 KiB to a REST API, whose method's integration is the proxy of a function in Garoa's process.
    Invoke,
}

/// The Garoa that has the function.
pub const FUNCTION: &str = "garoa-function";

impl Job {
    /// How many connections do it at once.
    pub fn connections(self) -> usize {
        match self {
            Self::Send | Self::Put | Self::PutObject | Self::GetObject | Self::Invoke => 16,
            Self::PutLarge => 4,
            Self::Cycle => 1,
        }
    }

    /// What the table calls it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Send => "SendMessage 1 KiB, 16 connections",
            Self::Put => "PutItem 1 KiB, 16 connections",
            Self::Cycle => "send, receive, delete, 1 connection",
            Self::PutObject => "PutObject 1 KiB, 16 connections",
            Self::GetObject => "GetObject 1 KiB, 16 connections",
            Self::PutLarge => "PutObject 8 MiB, 4 connections",
            Self::Invoke => "REST to Lambda 1 KiB, 16 connections",
        }
    }

    /// The share of the ceiling that Garoa has to reach.
    pub fn goal(self) -> f64 {
        match self {
            Self::Send | Self::Put | Self::PutLarge => 0.4,
            Self::Cycle | Self::PutObject | Self::GetObject => 0.5,
            Self::Invoke => 0.15,
        }
    }

    /// Whether a server of this name offers it.
    pub fn is_offered_by(self, server: &str) -> bool {
        match self {
            Self::Send | Self::Cycle => !["dynalite", FUNCTION].contains(&server),
            Self::Put => !["fauxqs", FUNCTION].contains(&server),
            Self::PutObject | Self::GetObject | Self::PutLarge => ["hello", "garoa"].contains(&server),
            Self::Invoke => ["hello", FUNCTION].contains(&server),
        }
    }
}

/// Makes the queue, or the table, and gives the queue's URL or the API's path; the ceiling has none of them.
pub async fn prepare(client: &mut Client, server: &str, job: Job, name: &str) -> Result<String, Failure> {
    if server == "hello" {
        return Ok(format!("/123456789012/{name}"));
    }
    if job == Job::Invoke {
        let (_, apis) = client.rest("apigateway", Method::GET, "/restapis", Bytes::new()).await?;
        let apis: Value = serde_json::from_slice(&apis)?;
        let api = apis["item"][0]["id"].as_str().ok_or_else(|| format!("no API in {apis}"))?;
        return Ok(format!("/_aws/execute-api/{api}/Prod/hello"));
    }
    if matches!(job, Job::PutObject | Job::GetObject | Job::PutLarge) {
        let bucket = format!("/{name}");
        s3(client, Method::PUT, &bucket, Bytes::new()).await?;
        s3(client, Method::PUT, &format!("{bucket}/one"), "o".repeat(PAYLOAD).into()).await?;
        return Ok(bucket);
    }
    if job == Job::Put {
        let table = json!({
            "TableName": name,
            "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
            "BillingMode": "PAY_PER_REQUEST",
        });
        client.json("DynamoDB_20120810.CreateTable", table).await?;
        // Dynalite's tables take their time.
        loop {
            let described = client.json("DynamoDB_20120810.DescribeTable", json!({ "TableName": name })).await?;
            if described["Table"]["TableStatus"] == "ACTIVE" {
                return Ok(name.to_owned());
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    }
    let created = client.json("AmazonSQS.CreateQueue", json!({ "QueueName": name })).await?;
    created["QueueUrl"].as_str().map(str::to_owned).ok_or_else(|| format!("no QueueUrl in {created}").into())
}

/// Does the job once and says how many requests that took. `place` is what [`prepare`] gave, `turn` is another each time.
pub async fn turn(client: &mut Client, server: &str, job: Job, place: &str, turn: u64) -> Result<u64, Failure> {
    match job {
        Job::Send => {
            client.call("AmazonSQS.SendMessage", message(place)).await?;
            Ok(1)
        }
        Job::Put => {
            client.call("DynamoDB_20120810.PutItem", item(place, turn)).await?;
            Ok(1)
        }
        Job::Cycle => {
            client.call("AmazonSQS.SendMessage", message(place)).await?;
            let receive = json!({ "QueueUrl": place }).to_string();
            let answer = client.call("AmazonSQS.ReceiveMessage", receive.into()).await?;
            let handle = if server == "hello" { "r".repeat(100) } else { handle(&serde_json::from_slice(&answer)?)? };
            let delete = json!({ "QueueUrl": place, "ReceiptHandle": handle }).to_string();
            client.call("AmazonSQS.DeleteMessage", delete.into()).await?;
            Ok(3)
        }
        Job::PutObject => {
            let key = format!("{place}/object-{turn:012}");
            s3(client, Method::PUT, &key, "o".repeat(PAYLOAD).into()).await.map(|_| 1)
        }
        Job::GetObject => s3(client, Method::GET, &format!("{place}/one"), Bytes::new()).await.map(|_| 1),
        Job::PutLarge => {
            let key = format!("{place}/large-{}", turn % job.connections() as u64);
            s3(client, Method::PUT, &key, Bytes::from_static(&[b'o'; LARGE])).await.map(|_| 1)
        }
        Job::Invoke => {
            let (status, answer) = client.rest("execute-api", Method::POST, place, "m".repeat(PAYLOAD).into()).await?;
            if status == StatusCode::OK {
                return Ok(1);
            }
            Err(format!("{place}: {status}: {}", String::from_utf8_lossy(&answer)).into())
        }
    }
}

/// A request to S3; whatever is not 200 is an error.
pub async fn s3(client: &mut Client, method: Method, path: &str, body: Bytes) -> Result<Bytes, Failure> {
    let (status, answer) = client.rest("s3", method, path, body).await?;
    if status == StatusCode::OK {
        return Ok(answer);
    }
    Err(format!("{path}: {status}: {}", String::from_utf8_lossy(&answer)).into())
}

fn handle(received: &Value) -> Result<String, Failure> {
    let handle = received["Messages"][0]["ReceiptHandle"].as_str();
    handle.map(str::to_owned).ok_or_else(|| format!("no message in {received}").into())
}

fn message(queue: &str) -> Bytes {
    json!({ "QueueUrl": queue, "MessageBody": "m".repeat(PAYLOAD) }).to_string().into()
}

fn item(table: &str, turn: u64) -> Bytes {
    let item = json!({ "id": { "S": format!("item-{turn:012}") }, "data": { "S": "d".repeat(PAYLOAD) } });
    json!({ "TableName": table, "Item": item }).to_string().into()
}
