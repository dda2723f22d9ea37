//! CloudWatch Logs: what putting events costs, and finding some among many. Measured against moto, not against the ceiling.
// What is measured here is the machine's time.
#![allow(clippy::disallowed_methods)]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::client::Client;
use crate::measure::median;
use crate::{Failure, Load, Server};

/// What the table calls all this.
pub const TITLE: &str = "CloudWatch Logs: PutLogEvents of 100, 16 connections; FilterLogEvents over 100000 events";
/// Events that one PutLogEvents carries.
const BATCH: usize = 100;
/// How many connections put events at once, each into a stream of its own, as the instances of a program do.
const CONNECTIONS: usize = 16;
/// How many requests are made for each of them before they are sent.
const AHEAD: usize = 20;
/// So long before now the events of these requests begin, in milliseconds: time for 800,000 of them, and not too old.
const TEN_DAYS: i64 = 10 * 86_400_000;
/// Events of the large group, and of the small one, which holds as many as a tenth of the time of the large one.
const MANY: usize = 100_000;
const FEW: usize = MANY / 10;
/// How far apart in time events are, in milliseconds.
const STEP: usize = 10;
/// Every how many events one has what is looked for.
const EVERY: usize = 1_000;
/// How often PutLogEvents is to be faster than moto's.
const PUT_GOAL: f64 = 20.0;
/// How often a JSON pattern is to be faster than a plain term in moto.
const FILTER_GOAL: f64 = 3.0;
/// How much more a tenth of a large group may cost than a group of a tenth.
const RANGE_GOAL: f64 = 1.2;

const TERM: &str = "needle";
const JSON: &str = r#"{ $.level = "ERROR" && $.turn >= 0 }"#;

/// What one server does.
pub struct Figures {
    server: String,
    /// PutLogEvents a second.
    puts: f64,
    /// Times in seconds: a plain term and a JSON pattern over all events of the large group.
    term: f64,
    json: Option<f64>,
    /// The JSON pattern over a tenth of the large group, and over a group of that size.
    tenth: Option<(f64, f64)>,
}

/// Measures each server that has CloudWatch Logs, one after the other.
pub async fn measure(load: &Load) -> Result<Vec<Figures>, Failure> {
    let mut figures = Vec::new();
    for server in load.servers.iter().filter(|server| ["garoa", "moto"].contains(&&*server.name)) {
        figures.push(of(server, load).await.map_err(|failure| format!("{}: logs: {failure}", server.name))?);
    }
    Ok(figures)
}

async fn of(server: &Server, load: &Load) -> Result<Figures, Failure> {
    let mut client = Client::connect(server.address).await?;
    let begun = group(&mut client, "bench-many", MANY).await?;
    group(&mut client, "bench-few", FEW).await?;
    let puts = puts(server, Duration::from_secs(load.seconds)).await?;
    let whole = (begun, begun + span(MANY));
    let part = (begun, begun + span(FEW));
    let term = filter(&mut client, "bench-many", TERM, whole, load.rounds).await?;
    // moto knows no such patterns.
    let (mut json, mut tenth) = (None, None);
    if server.name == "garoa" {
        json = Some(filter(&mut client, "bench-many", JSON, whole, load.rounds).await?);
        let among_many = filter(&mut client, "bench-many", JSON, part, load.rounds).await?;
        tenth = Some((among_many, filter(&mut client, "bench-few", JSON, part, load.rounds).await?));
    }
    Ok(Figures { server: server.name.clone(), puts, term, json, tenth })
}

/// Makes a group with as many events, the last of them now, and says when the first was.
async fn group(client: &mut Client, name: &str, events: usize) -> Result<i64, Failure> {
    make(client, name, 1).await?;
    let begun = now()? - span(MANY);
    for from in (0..events).step_by(1000) {
        put(client, request(name, 0, begun, from, 1000)).await?;
    }
    Ok(begun)
}

/// Makes a group and its streams.
async fn make(client: &mut Client, group: &str, streams: usize) -> Result<(), Failure> {
    client.call("Logs_20140328.CreateLogGroup", json!({ "logGroupName": group }).to_string().into()).await?;
    for number in 0..streams {
        let stream = json!({ "logGroupName": group, "logStreamName": stream(number) });
        client.call("Logs_20140328.CreateLogStream", stream.to_string().into()).await?;
    }
    Ok(())
}

fn stream(number: usize) -> String {
    format!("bench-{number}")
}

async fn put(client: &mut Client, request: Bytes) -> Result<(), Failure> {
    client.call("Logs_20140328.PutLogEvents", request).await?;
    Ok(())
}

/// The body of a PutLogEvents.
fn request(group: &str, number: usize, begun: i64, from: usize, count: usize) -> Bytes {
    let events: Vec<Value> = (from..from + count)
        .map(|turn| {
            let (level, text) = if turn % EVERY == 0 { ("ERROR", TERM) } else { ("INFO", "straw") };
            let message = json!({ "level": level, "turn": turn, "text": text, "more": "m".repeat(100) });
            json!({ "timestamp": begun + span(turn), "message": message.to_string() })
        })
        .collect();
    json!({ "logGroupName": group, "logStreamName": stream(number), "logEvents": events }).to_string().into()
}

/// How many times a second a hundred events are put. The events go on in time, as those of a program do; what they are is made
/// beforehand, for it is not the server's work.
async fn puts(server: &Server, time: Duration) -> Result<f64, Failure> {
    let mut clients = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        clients.push(Client::connect(server.address).await?);
    }
    make(&mut clients[0], "bench-puts", CONNECTIONS).await?;
    let (at, mut spent, mut done) = (now()? - TEN_DAYS, Duration::ZERO, 0);
    while spent < time {
        let mut requests: Vec<Vec<Bytes>> = vec![Vec::new(); CONNECTIONS];
        for _ in 0..AHEAD {
            for (number, requests) in requests.iter_mut().enumerate() {
                requests.push(request("bench-puts", number, at, done * BATCH, BATCH));
                done += 1;
            }
        }
        let mut running = JoinSet::new();
        let begun = Instant::now();
        for (mut client, requests) in clients.drain(..).zip(requests) {
            running.spawn(async move {
                for request in requests {
                    put(&mut client, request).await?;
                }
                Ok::<_, Failure>(client)
            });
        }
        while let Some(client) = running.join_next().await {
            clients.push(client??);
        }
        spent += begun.elapsed();
    }
    Ok(done as f64 / spent.as_secs_f64())
}

/// The median time of finding all that matches, page after page.
async fn filter(
    client: &mut Client,
    group: &str,
    pattern: &str,
    (from, until): (i64, i64),
    rounds: usize,
) -> Result<f64, Failure> {
    let expected = usize::try_from(until - from)? / STEP / EVERY;
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let mut input = json!({
            "logGroupName": group, "filterPattern": pattern, "startTime": from, "endTime": until - 1,
        });
        let (begun, mut found) = (Instant::now(), 0);
        loop {
            let page = client.json("Logs_20140328.FilterLogEvents", input.clone()).await?;
            found += page["events"].as_array().map_or(0, Vec::len);
            match page["nextToken"].as_str() {
                Some(token) => input["nextToken"] = token.into(),
                None => break,
            }
        }
        times.push(begun.elapsed().as_secs_f64());
        if found != expected {
            return Err(format!("{pattern} found {found} events in {group}, not {expected}").into());
        }
    }
    Ok(median(times))
}

fn span(events: usize) -> i64 {
    i64::try_from(events * STEP).unwrap_or(i64::MAX)
}

fn now() -> Result<i64, Failure> {
    Ok(i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis())?)
}

/// What is held to a goal: its name, the figure, the goal, and whether it is reached.
fn verdicts(figures: &[Figures]) -> Vec<(&'static str, f64, f64, bool)> {
    let find = |name: &str| figures.iter().find(|each| each.server == name);
    let Some(garoa) = find("garoa") else { return Vec::new() };
    let mut verdicts = Vec::new();
    if let Some(moto) = find("moto") {
        let puts = garoa.puts / moto.puts;
        verdicts.push(("times the PutLogEvents of moto", puts, PUT_GOAL, puts >= PUT_GOAL));
        if let Some(json) = garoa.json {
            let faster = moto.term / json;
            let name = "times as fast with a JSON pattern as moto with a term";
            verdicts.push((name, faster, FILTER_GOAL, faster >= FILTER_GOAL));
        }
    }
    if let Some((among_many, alone)) = garoa.tenth {
        let ratio = among_many / alone;
        let name = "times the cost for a tenth of a group that a group of a tenth has";
        verdicts.push((name, ratio, RANGE_GOAL, ratio <= RANGE_GOAL));
    }
    verdicts
}

/// The figures as text.
pub fn render(figures: &[Figures]) -> String {
    let mut text = if figures.is_empty() { String::new() } else { format!("{TITLE}\n") };
    for Figures { server, puts, term, json, tenth } in figures {
        let _ = write!(text, "  {server:<10} {puts:>7.0} puts/s, term {:>8.1} ms", term * 1e3);
        if let Some(json) = json {
            let _ = write!(text, ", JSON {:>8.1} ms", json * 1e3);
        }
        if let Some((among_many, alone)) = tenth {
            let _ = write!(
                text,
                ", a tenth of it {:.1} ms ({:.1} ms where there is no more)",
                among_many * 1e3,
                alone * 1e3
            );
        }
        text.push('\n');
    }
    for (name, figure, goal, reached) in verdicts(figures) {
        let _ = writeln!(text, "  {figure:.1} {name}  goal {goal} {}", crate::report::verdict(reached));
    }
    text
}

/// Whether Garoa reaches its goals.
pub fn goals_met(figures: &[Figures]) -> bool {
    verdicts(figures).iter().all(|(.., reached)| *reached)
}
