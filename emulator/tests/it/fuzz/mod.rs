//! Nothing that an outsider sends panics Garoa, hangs it, or makes it read a file or call a server that it should not: every
//! operation of every model gets inputs that are right, nearly right and absurd, and what one answers is used with the next.
//!
//! Half of the inputs are made from the shapes of the models, half from those of `seeds.jsonl`, which make a small world in which there
//! is something of most things: one operation in each line, where `?` is what an answer told before.
//!
//! The test is short. A longer run: `GAROA_FUZZ_ROUNDS=200 GAROA_FUZZ_SEED=7`, and `GAROA_FUZZ_ONLY=sqs,sns` for some services;
//! `GAROA_FUZZ_SEEDS` names a file of more seeds, of which each round takes some that follow one another.
//! All that it finds is told at its end, each with the round of its seed and the request.

mod memory;
mod odd;
mod request;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use garoa::clock::ClockMode;
use garoa::cloud::{Cloud, IamMode, TraceDepth};
use garoa::model::{Model, OperationModel};
use http::{Request, Response};
use serde_json::{Map, Value};
use tokio::runtime::Runtime;

use self::memory::Memory;
use self::odd::Bait;
use self::values::Maker;
use crate::support::function;

/// Every answer comes within this, on a slow machine and in a debug build.
const BOUND: Duration = Duration::from_secs(60);
/// Seeds of a round.
const SEEDS: usize = 300;
/// What the file of the bait holds.
const SECRET: &str = "what-is-in-the-file-of-the-bait";
/// Failures beyond these are of the same few causes.
const ENOUGH: usize = 60;

/// Panics of any thread, and what is being sent: for the thread that watches.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());
static SENT: Mutex<String> = Mutex::new(String::new());

#[test]
fn every_operation_survives_what_outsiders_send() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let (rounds, seed) = (number("GAROA_FUZZ_ROUNDS").unwrap_or(2), number("GAROA_FUZZ_SEED").unwrap_or(1));
    let only = std::env::var("GAROA_FUZZ_ONLY").unwrap_or_default();
    std::panic::set_hook(Box::new(|panic| PANICS.lock().unwrap().push(panic.to_string())));
    let (alive, pulse) = channel();
    let work = std::thread::Builder::new().stack_size(2 << 20).spawn(move || run(seed, rounds, &only, &alive)).unwrap();
    // The worker says before each request that it lives, and drops its end when it has done.
    loop {
        match pulse.recv_timeout(BOUND) {
            Ok(()) => {}
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                eprintln!("no answer within {BOUND:?}: {}", SENT.lock().unwrap());
                std::process::abort();
            }
        }
    }
    let found = work.join().unwrap_or_else(|_| vec![format!("the fuzzer itself: {:?}", PANICS.lock().unwrap())]);
    assert!(found.is_empty(), "{} found:\n\n{}\n", found.len(), found.join("\n\n"));
}

fn run(seed: u64, rounds: u64, only: &str, alive: &Sender<()>) -> Vec<String> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let file = std::env::temp_dir().join(format!("garoa-bait-{}", std::process::id()));
    std::fs::write(&file, SECRET).unwrap();
    let bait = Bait {
        path: file.to_string_lossy().into_owned(),
        url: format!("http://{}/bait", listener.local_addr().unwrap()),
    };
    let mut fuzzer = Fuzzer::new(bait, only.to_owned(), alive.clone());
    fuzzer.seeds = seeds(include_str!("seeds.jsonl"));
    if let Ok(file) = std::env::var("GAROA_FUZZ_SEEDS") {
        fuzzer.seeds.extend(seeds(&std::fs::read_to_string(file).unwrap()));
    }
    for round in seed..seed + rounds {
        fuzzer.round(round);
        if let Ok((_, client)) = listener.accept() {
            fuzzer.fail("the bait's server was called", &format!("by {client}, in round {round}"));
        }
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), SECRET);
    std::fs::remove_file(&file).unwrap();
    fuzzer.summary();
    fuzzer.found.into_values().take(ENOUGH).collect()
}

/// What a round happens in.
struct Round {
    seed: u64,
    runtime: Runtime,
    cloud: Cloud,
}

/// An operation, and an input that it takes.
type Seed = (&'static OperationModel, Map<String, Value>);

fn seeds(text: &str) -> Vec<Seed> {
    let seed = |line| {
        let (service, operation, input): (String, String, Map<String, Value>) = serde_json::from_str(line).unwrap();
        let operation = Model::of(&service).and_then(|model| model.operation(&operation));
        (operation.unwrap_or_else(|| panic!("{line}")), input)
    };
    text.lines().map(seed).collect()
}

struct Fuzzer {
    bait: Bait,
    only: String,
    alive: Sender<()>,
    memory: Memory,
    seeds: Vec<Seed>,
    refused: BTreeSet<(&'static str, &'static str, String)>,
    /// Operations that Garoa does not have.
    absent: BTreeSet<(&'static str, &'static str)>,
    /// How often each operation was called, how often it succeeded, and what it said when it last did not.
    calls: BTreeMap<(&'static str, &'static str), (u32, u32, String)>,
    /// By what it is; once each.
    found: BTreeMap<String, String>,
}

impl Fuzzer {
    fn new(bait: Bait, only: String, alive: Sender<()>) -> Self {
        let (memory, seeds, refused, absent) = Default::default();
        Self { bait, only, alive, memory, seeds, refused, absent, calls: BTreeMap::new(), found: BTreeMap::new() }
    }

    fn fail(&mut self, what: &str, about: &str) {
        // Numbers differ from one time to the next.
        let kind: String = what.chars().filter(|letter| !letter.is_ascii_digit()).take(160).collect();
        self.found.entry(kind).or_insert_with(|| format!("{what}\n  {about}"));
    }

    /// A new cloud, and every operation in it once, or several times.
    fn round(&mut self, seed: u64) {
        let mut rng = Rng::with_seed(seed);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let trace = if rng.bool() { TraceDepth::Everything } else { TraceDepth::Nothing };
        // A function in this process: those of others would be processes, which take their time.
        let echo = function(|_, event| async { Ok(event) });
        let cloud = Cloud::builder()
            .function("fuzz-a", echo)
            .seed(seed)
            .clock(ClockMode::Auto)
            .iam(IamMode::Off)
            .trace(trace)
            .build();
        let round = Round { seed, runtime, cloud };
        // What one round learns another does not know, so that each follows from its own seed.
        (self.memory, self.refused) = Default::default();
        let from = rng.usize(..self.seeds.len().saturating_sub(SEEDS).max(1));
        let seeds: Vec<_> = self.seeds.iter().skip(from).take(SEEDS).cloned().collect();
        let (wanted, changed) = (self.only.clone(), rng.bool());
        let is_wanted = |service: &str| wanted.is_empty() || wanted.split(',').any(|name| name == service);
        for (operation, input) in seeds.iter().filter(|(operation, _)| is_wanted(operation.service)) {
            let changes = if changed && rng.u8(..4) == 0 { 1 } else { 0 };
            self.send(&mut rng, &round, operation, Some((input, changes)));
        }
        let mut models: Vec<_> = Model::all().filter(|model| is_wanted(model.service)).collect();
        rng.shuffle(&mut models);
        for model in models {
            for _ in 0..rng.u8(1..3) {
                for operation in ordered(&mut rng, model) {
                    let known: Vec<_> = seeds.iter().filter(|(known, _)| std::ptr::eq(*known, operation)).collect();
                    let like = rng.choice(known).filter(|_| rng.bool());
                    let like = like.map(|(_, input)| (input, rng.usize(..4)));
                    self.send(&mut rng, &round, operation, like);
                    if rng.u8(..8) == 0 {
                        self.knock(&mut rng, &round);
                    }
                }
                self.advance(&mut rng, &round);
            }
        }
    }

    fn send(
        &mut self,
        rng: &mut Rng,
        round: &Round,
        operation: &'static OperationModel,
        like: Option<(&Map<String, Value>, usize)>,
    ) {
        let key = (operation.service, operation.name);
        let protocols = &operation.model().metadata.protocols;
        let protocol = rng.choice(protocols).copied().unwrap_or("json");
        let oddness = *rng.choice(&[0, 0, 0, 3, 10, 30, 80]).unwrap_or(&0);
        let is_plain = like.map_or(oddness == 0, |(_, changes)| changes == 0);
        let mut maker = Maker {
            memory: &self.memory,
            bait: &self.bait,
            refused: &self.refused,
            service: operation.service,
            model: operation.model(),
            oddness,
            fullness: *rng.choice(&[0, 0, 10, 30, 60, 95]).unwrap_or(&0),
            is_json: protocol.ends_with("json"),
            rng: &mut *rng,
        };
        let input = match like {
            Some((input, changes)) => maker.like(input, changes),
            None => maker.input(operation),
        };
        let Some(request) = request::of(operation, &input, protocol) else { return };
        let shown = shown(operation, &input, protocol, round.seed);
        let count = self.calls.entry(key).or_default();
        count.0 += 1;
        if let Some(response) = self.answer(round, request, &shown) {
            self.look(rng, operation, (&input, is_plain), &response, &shown);
        }
    }

    /// Requests that no model knows. They may be answered with any status, for functions and mapping templates may fail.
    fn knock(&mut self, rng: &mut Rng, round: &Round) {
        let Some(request) = request::beside(rng, &self.memory, &self.bait) else { return };
        let shown: String = format!("round {}: {request:?}", round.seed).chars().take(1500).collect();
        if let Some(response) = self.answer(round, request, &shown)
            && String::from_utf8_lossy(response.body()).contains(SECRET)
        {
            self.fail("a request beside the models tells what is in a file", &shown);
        }
    }

    /// The answer, unless there is none, which is a failure.
    fn answer(&mut self, round: &Round, request: Request<Bytes>, shown: &str) -> Option<Response<Bytes>> {
        SENT.lock().unwrap().replace_range(.., shown);
        self.alive.send(()).unwrap();
        let answer = catch_unwind(AssertUnwindSafe(|| round.runtime.block_on(round.cloud.http(request))));
        self.panics(shown);
        match answer {
            Ok(Ok(response)) => Some(response),
            Ok(Err(error)) => {
                self.fail(&format!("no answer: {error}"), shown);
                None
            }
            Err(_) => None,
        }
    }

    fn panics(&mut self, shown: &str) {
        for panic in std::mem::take(&mut *PANICS.lock().unwrap()) {
            self.fail(&format!("panic: {panic}"), shown);
        }
    }

    fn look(
        &mut self,
        rng: &mut Rng,
        operation: &'static OperationModel,
        (input, is_plain): (&Map<String, Value>, bool),
        response: &Response<Bytes>,
        shown: &str,
    ) {
        let (service, status) = (operation.service, response.status().as_u16());
        let body = String::from_utf8_lossy(response.body());
        let start: String = body.chars().take(300).collect();
        if status == 500 || ["InternalFailure", "InternalError", "panicked at"].iter().any(|word| start.contains(word))
        {
            self.fail(&format!("{service}:{} answers {status}: {start}", operation.name), shown);
        }
        if body.contains(SECRET) {
            self.fail(&format!("{service}:{} tells what is in a file", operation.name), shown);
        }
        if status == 501 {
            let absent = format!("the operation {service}:{}", operation.name);
            if body.contains(&absent) {
                self.absent.insert((service, operation.name));
            } else if let Some((_, rest)) = body.split_once("the parameter ") {
                let member = rest.split(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or("");
                self.refused.insert((service, operation.name, member.to_ascii_lowercase()));
            }
        }
        if status >= 300 {
            self.calls.entry((service, operation.name)).or_default().2 = start;
        } else {
            self.calls.entry((service, operation.name)).or_default().1 += 1;
            self.memory.learn(rng, service, operation.name, response.body());
            // What an odd input named is learnt from answers alone.
            if is_plain {
                self.memory.learn_value(rng, service, "", &Value::Object(input.clone()));
            }
            for name in ["ETag", "x-amz-version-id"] {
                if let Some(value) = response.headers().get(name).and_then(|value| value.to_str().ok()) {
                    self.memory.keep(rng, service, name.trim_start_matches("x-amz-"), value);
                }
            }
        }
    }

    /// What falls due meanwhile must not panic either.
    fn advance(&mut self, rng: &mut Rng, round: &Round) {
        let time = Duration::from_secs(*rng.choice(&[0, 1, 61, 901, 3700]).unwrap_or(&0));
        let shown = format!("round {}: advance {time:?}", round.seed);
        SENT.lock().unwrap().clone_from(&shown);
        self.alive.send(()).unwrap();
        let advanced = catch_unwind(AssertUnwindSafe(|| round.runtime.block_on(round.cloud.advance(time))));
        if let Ok(Err(stalled)) = advanced {
            self.fail(&format!("the clock stands: {stalled}"), &shown);
        }
        self.panics(&shown);
    }

    fn summary(&self) {
        let calls: u32 = self.calls.values().map(|(calls, ..)| calls).sum();
        let never: Vec<_> =
            self.calls.iter().filter(|(key, (_, good, _))| *good == 0 && !self.absent.contains(*key)).collect();
        let operations = self.calls.len() - self.absent.len();
        println!("{calls} calls of {operations} operations, {} of which never succeeded:", never.len());
        for ((service, name), (calls, _, last)) in never {
            println!("{service}:{name} in {calls} calls, the last time: {last}");
        }
    }
}

/// A service's operations, mostly what creates before what deletes.
fn ordered(rng: &mut Rng, model: &'static Model) -> Vec<&'static OperationModel> {
    let mut operations: Vec<_> = model.operations().collect();
    rng.shuffle(&mut operations);
    if rng.u8(..4) > 0 {
        let starts = |name: &str, words: &[&str]| words.iter().any(|word| name.starts_with(word));
        operations.sort_by_key(|operation| match operation.name {
            name if starts(name, &["Create", "Register", "Import", "Upload"]) => 0,
            name if starts(name, &["Put", "Add", "Set", "Send", "Publish", "Subscribe", "Tag"]) => 1,
            name if starts(name, &["Delete", "Remove", "Cancel", "Abort", "Deregister", "Schedule"]) => 3,
            _ => 2,
        });
        // Without these there would soon be nothing.
        let keeps = rng.usize(..3);
        operations.retain(|operation| !operation.name.starts_with("Delete") || rng.usize(..3) < keeps);
    }
    operations
}

fn shown(operation: &OperationModel, input: &Map<String, Value>, protocol: &str, seed: u64) -> String {
    let input: String = Value::from(input.clone()).to_string().chars().take(1500).collect();
    format!("round {seed}: {}:{} by {protocol}: {input}", operation.service, operation.name)
}
