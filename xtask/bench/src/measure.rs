//! Measures: servers in turn, round after round, so that what else the machine does falls on all of them.
// What is measured here is the machine's time.
#![allow(clippy::disallowed_methods)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Method;
use serde_json::json;
use tokio::task::JoinSet;

use crate::client::Client;
use crate::jobs::{self, Job};
use crate::{Failure, Load, Server, logs, memory};

/// How deep the two queues are between which the cost of receiving is compared.
const SHALLOW: usize = 100;
const DEEP: usize = 100_000;
/// Receives of ten that are timed on each queue in a round.
const RECEIVES: usize = 500;
/// Filling a queue to [`DEEP`] may take this long, in a peer.
const FILLING: Duration = Duration::from_secs(60);
/// What the table calls what is measured besides jobs.
pub const RECEIVING: &str = "receive 10, 1 connection, median";
pub const LISTING: &str = "ListObjectsV2 over 100000 keys, 1 connection";
/// How many keys the bucket has whose listing is measured.
const KEYS: usize = 100_000;

/// All that was measured: medians over the rounds.
pub struct Figures {
    /// For each job, each server and its requests a second.
    pub rates: Vec<(Job, Vec<(String, f64)>)>,
    /// For each server, the time of receiving ten messages: with 100 and with 100,000 waiting (or as many as it could
    /// be given).
    pub receiving: Vec<Receiving>,
    pub logs: Vec<logs::Figures>,
    /// How many keys a second ListObjectsV2 answers, page after page, in a bucket of [`KEYS`].
    pub listing: Option<f64>,
}

/// What receiving ten messages costs.
pub struct Receiving {
    pub server: String,
    pub shallow: Duration,
    pub deep: Duration,
    pub waiting: usize,
}

/// Measures everything.
pub fn all(load: &Load) -> Result<Figures, Failure> {
    memory::touch();
    // One thread: the load must not take the servers' cores away from them.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut rates = Vec::new();
        let jobs = [Job::Send, Job::Put, Job::Cycle, Job::PutObject, Job::GetObject, Job::PutLarge, Job::Invoke];
        for job in jobs.into_iter().filter(|job| load.wants(job.title())) {
            empty(load).await?;
            rates.push((job, rates_of(load, job).await?));
        }
        empty(load).await?;
        let mut receiving = Vec::new();
        let has_queues = |server: &&Server| !["hello", "dynalite", jobs::FUNCTION].contains(&&*server.name);
        for server in load.servers.iter().filter(has_queues).filter(|_| load.wants(RECEIVING)) {
            receiving.push(receiving_of(server, load.rounds).await?);
        }
        empty(load).await?;
        let listing = match load.servers.iter().find(|server| server.name == "garoa" && load.wants(LISTING)) {
            Some(server) => Some(listing_of(server, load.rounds).await?),
            None => None,
        };
        empty(load).await?;
        let logs = if load.wants(logs::TITLE) { logs::measure(load).await? } else { Vec::new() };
        Ok(Figures { rates, receiving, listing, logs })
    })
}

/// Takes from Garoa what earlier measurements left in it, so that the order in which things are measured does not count.
async fn empty(load: &Load) -> Result<(), Failure> {
    for server in load.servers.iter().filter(|server| server.name == "garoa") {
        let mut client = Client::connect(server.address).await?;
        let (status, _) = client.rest("garoa", Method::POST, "/_garoa/reset", Bytes::new()).await?;
        if !status.is_success() {
            return Err(format!("{}: cannot be emptied: {status}", server.name).into());
        }
    }
    Ok(())
}

async fn rates_of(load: &Load, job: Job) -> Result<Vec<(String, f64)>, Failure> {
    let servers: Vec<&Server> = load.servers.iter().filter(|server| job.is_offered_by(&server.name)).collect();
    let mut rates = vec![Vec::new(); servers.len()];
    for round in 0..load.rounds {
        for (server, rates) in servers.iter().zip(&mut rates) {
            let rate = rate(server, job, Duration::from_secs(load.seconds), round).await;
            rates.push(rate.map_err(|failure| format!("{}: {failure}", server.name))?);
        }
    }
    Ok(servers.iter().zip(rates).map(|(server, rates)| (server.name.clone(), median(rates))).collect())
}

/// Requests a second of one job on one server.
async fn rate(server: &Server, job: Job, time: Duration, round: usize) -> Result<f64, Failure> {
    let name = format!("bench-{job:?}-{round}").to_lowercase();
    let mut first = Client::connect(server.address).await?;
    let place: Arc<str> = jobs::prepare(&mut first, &server.name, job, &name).await?.into();
    let turns = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let mut running = JoinSet::new();
    for _ in 0..job.connections() {
        let (server, place, turns) = (server.clone(), Arc::clone(&place), Arc::clone(&turns));
        running.spawn(async move {
            let mut client = Client::connect(server.address).await?;
            let mut requests = 0;
            while begun.elapsed() < time {
                let turn = turns.fetch_add(1, Ordering::Relaxed);
                requests += jobs::turn(&mut client, &server.name, job, &place, turn).await?;
            }
            Ok::<u64, Failure>(requests)
        });
    }
    let mut requests = 0;
    while let Some(done) = running.join_next().await {
        requests += done??;
    }
    Ok(requests as f64 / begun.elapsed().as_secs_f64())
}

/// Receives ten messages that stay visible, from a shallow and from a deep queue in turn.
async fn receiving_of(server: &Server, rounds: usize) -> Result<Receiving, Failure> {
    let mut client = Client::connect(server.address).await?;
    let shallow = jobs::prepare(&mut client, &server.name, Job::Send, "bench-shallow").await?;
    let deep = jobs::prepare(&mut client, &server.name, Job::Send, "bench-deep").await?;
    fill(&mut client, &shallow, SHALLOW).await?;
    let waiting = fill(&mut client, &deep, DEEP).await?;
    let (mut shallow_times, mut deep_times) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        shallow_times.push(receive(&mut client, &shallow).await?);
        deep_times.push(receive(&mut client, &deep).await?);
    }
    let (shallow, deep) = (median(shallow_times), median(deep_times));
    let name = server.name.clone();
    Ok(Receiving {
        server: name,
        shallow: Duration::from_secs_f64(shallow),
        deep: Duration::from_secs_f64(deep),
        waiting,
    })
}

/// Keys a second of going through a bucket by ListObjectsV2: the median over the rounds.
async fn listing_of(server: &Server, rounds: usize) -> Result<f64, Failure> {
    let mut client = Client::connect(server.address).await?;
    jobs::s3(&mut client, Method::PUT, "/bench-listing", Bytes::new()).await?;
    for number in 0..KEYS {
        let key = format!("/bench-listing/folder-{:03}/key-{number:09}", number / 1000);
        jobs::s3(&mut client, Method::PUT, &key, Bytes::new()).await?;
    }
    let mut rates = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let begun = Instant::now();
        let (mut keys, mut token) = (0, None::<String>);
        loop {
            let rest = token.map(|token| format!("&continuation-token={token}")).unwrap_or_default();
            let path = format!("/bench-listing?list-type=2&max-keys=1000{rest}");
            let page = jobs::s3(&mut client, Method::GET, &path, Bytes::new()).await?;
            let page = std::str::from_utf8(&page)?;
            keys += page.matches("<Key>").count();
            token = between(page, "<NextContinuationToken>", "</NextContinuationToken>")
                .map(|token| token.replace('%', "%25").replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"));
            if token.is_none() {
                break;
            }
        }
        if keys != KEYS {
            return Err(format!("{keys} keys were listed of {KEYS}").into());
        }
        rates.push(keys as f64 / begun.elapsed().as_secs_f64());
    }
    Ok(median(rates))
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let rest = text.split_once(start)?.1;
    rest.split_once(end).map(|(inside, _)| inside)
}

/// Sends until the queue is as deep as asked, or the time for it is over.
async fn fill(client: &mut Client, queue: &str, depth: usize) -> Result<usize, Failure> {
    let entries: Vec<_> = (0..10).map(|id| json!({ "Id": id.to_string(), "MessageBody": "m".repeat(100) })).collect();
    let batch = bytes::Bytes::from(json!({ "QueueUrl": queue, "Entries": entries }).to_string());
    let begun = Instant::now();
    let mut sent = 0;
    while sent < depth && begun.elapsed() < FILLING {
        client.call("AmazonSQS.SendMessageBatch", batch.clone()).await?;
        sent += entries.len();
    }
    Ok(sent)
}

/// The median time of one receive, in seconds.
async fn receive(client: &mut Client, queue: &str) -> Result<f64, Failure> {
    let body = json!({ "QueueUrl": queue, "MaxNumberOfMessages": 10, "VisibilityTimeout": 0 }).to_string();
    let body = bytes::Bytes::from(body);
    let mut times = Vec::with_capacity(RECEIVES);
    let begun = Instant::now();
    while times.len() < RECEIVES && begun.elapsed() < Duration::from_secs(5) {
        let sent = Instant::now();
        let answer = client.call("AmazonSQS.ReceiveMessage", body.clone()).await?;
        times.push(sent.elapsed().as_secs_f64());
        let received: serde_json::Value = serde_json::from_slice(&answer)?;
        if received["Messages"].as_array().map(Vec::len) != Some(10) {
            return Err(format!("ten messages were asked for and there: {received}").into());
        }
    }
    Ok(median(times))
}

/// The one in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
