//! The Pix monitor: no alert is lost, none is told twice, and the cursor never passes what Slack has not accepted.
//!
//! A message holds a number of events and a sum, no ids. Which cash-outs it told of follows from the trace: those that
//! the invocation had read before it posted, of a watched account, with an id above the cursor that it had read. The
//! message must agree with them in number and sum. Nothing here shares code with the function.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use garoa::cloud::{CallRecord, InvocationRef};
use garoa::scenario::run::{Invariants, Run};
use serde_json::{Value, json};

const FUNCTION: &str = "pix-monitor";
const CURSOR_KEY: &str = "/lastId.txt";
const SINK: &str = "slack";

/// Adds the invariants of the Pix monitor.
pub fn register(invariants: Invariants) -> Invariants {
    invariants
        .always("no-alert-lost", no_alert_lost)
        .always("cursor-never-ahead-of-slack", cursor_never_ahead_of_slack)
        .once("alert-announced", alert_announced)
}

/// Every cash-out of a watched account that is in the logs at the end was told in a message that Slack accepted.
///
/// # Errors
/// Names the cash-outs that were not; a message that disagrees with what its run had read.
pub fn no_alert_lost(run: &Run) -> Result<(), String> {
    let watch = Watch::of(run)?;
    let told = told(run, &watch)?;
    let told: BTreeSet<&Id> = told.iter().flat_map(|message| message.told.keys()).collect();
    let mut lost = Vec::new();
    for group in &watch.groups {
        let logged = logged(run, group)?.into_iter().filter_map(|event| watch.cash_out(&event));
        lost.extend(logged.filter(|(id, _)| !told.contains(id)).map(|(_, out)| out.transaction));
    }
    if lost.is_empty() { Ok(()) } else { Err(format!("never told: {}", lost.join(", "))) }
}

/// Whenever a cursor is written, Slack has accepted every cash-out that the writing run had read at or below it.
///
/// # Errors
/// Names the first cursor that is ahead, and of what.
pub fn cursor_never_ahead_of_slack(run: &Run) -> Result<(), String> {
    let watch = Watch::of(run)?;
    let told = told(run, &watch)?;
    let written = run
        .calls()
        .filter(|(_, call)| call.operation == "PutObject" && call.resource.ends_with(CURSOR_KEY) && call.took_effect());
    for (record, call) in written {
        let Some(invocation) = call.invocation.as_ref().filter(|made| &*made.function == FUNCTION) else { continue };
        let cursor = Id(String::from_utf8_lossy(&call.body).trim().to_owned());
        let accepted: BTreeSet<&Id> =
            told.iter().filter(|message| message.seq < record.seq).flat_map(|message| message.told.keys()).collect();
        let new = watch.new_to(run, invocation, record.seq);
        let ahead = new.iter().find(|(id, _)| **id <= cursor && !accepted.contains(id));
        if let Some((_, out)) = ahead {
            let (at, number) = (record.at.to_iso_millis(), invocation.number);
            return Err(format!(
                "at {at} invocation {number} wrote the cursor past {}, which Slack had not accepted",
                out.transaction
            ));
        }
    }
    Ok(())
}

/// How often each cash-out was told of that any run had read and did not know.
///
/// # Errors
/// A message that disagrees with what its run had read.
pub fn alert_announced(run: &Run) -> Result<BTreeMap<String, usize>, String> {
    let watch = Watch::of(run)?;
    let told = told(run, &watch)?;
    let invocations: BTreeSet<&InvocationRef> = run
        .calls()
        .filter_map(|(_, call)| call.invocation.as_ref())
        .filter(|made| &*made.function == FUNCTION)
        .collect();
    let read: BTreeMap<Id, CashOut> =
        invocations.into_iter().flat_map(|invocation| watch.new_to(run, invocation, u64::MAX)).collect();
    let times = |id: &Id| told.iter().filter(|message| message.told.contains_key(id)).count();
    Ok(read.into_iter().map(|(id, out)| (out.transaction, times(&id))).collect())
}

/// An event's id: a decimal number of any length.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Id(String);

impl Ord for Id {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = (self.0.trim_start_matches('0'), other.0.trim_start_matches('0'));
        a.len().cmp(&b.len()).then_with(|| a.cmp(b))
    }
}

impl PartialOrd for Id {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Money that left an account.
#[derive(Clone, Debug, PartialEq, Eq)]
struct CashOut {
    transaction: String,
    centavos: i64,
}

/// A message that Slack accepted, and the cash-outs that it told of.
struct Message {
    seq: u64,
    told: BTreeMap<Id, CashOut>,
}

/// What the function was set to watch.
struct Watch {
    accounts: BTreeSet<String>,
    groups: Vec<String>,
}

impl Watch {
    fn of(run: &Run) -> Result<Self, String> {
        let found = run.call("lambda", "GetFunctionConfiguration", json!({ "FunctionName": FUNCTION }));
        let output = found.map_err(|error| error.to_string())?.output;
        let list = |name: &str| {
            let text = output["Environment"]["Variables"][name].as_str().unwrap_or_default();
            text.split(',').map(|part| part.trim().to_owned()).collect::<Vec<_>>()
        };
        Ok(Self { accounts: list("WATCHED_ACCOUNTS").into_iter().collect(), groups: list("LOG_GROUPS") })
    }

    /// A watched account's cash-out, if the event is one: the body's first key says so, and amounts are whole centavos.
    fn cash_out(&self, event: &Value) -> Option<(Id, CashOut)> {
        let line = event["message"].as_str()?;
        let json = line.splitn(4, '\t').nth(3)?;
        let document: Value = serde_json::from_str(json.trim()).ok()?;
        let body = document["Payload"]["body"].as_object()?;
        let (first, transaction) = body.iter().next()?;
        let watched = self.accounts.contains(document["Session"]["accountName"].as_str()?);
        if first != "transactionId" || !watched {
            return None;
        }
        let out = CashOut { transaction: transaction.as_str()?.to_owned(), centavos: body.get("amount")?.as_i64()? };
        Some((Id(event["eventId"].as_str()?.to_owned()), out))
    }

    /// What an invocation had read up to a record of the trace, above the cursor that it had read.
    fn new_to(&self, run: &Run, invocation: &InvocationRef, until: u64) -> BTreeMap<Id, CashOut> {
        let made = || {
            let calls = run.calls().take_while(|(record, _)| record.seq < until).map(|(_, call)| call);
            calls.filter(|call| call.invocation.as_ref() == Some(invocation) && call.took_effect())
        };
        let cursor = made()
            .filter(|call| call.operation == "GetObject" && call.resource.ends_with(CURSOR_KEY))
            .last()
            .map(|call| Id(String::from_utf8_lossy(&call.answer).trim().to_owned()));
        let pages = made().filter(|call| call.operation == "FilterLogEvents");
        let events = pages.flat_map(|call| call.output["events"].as_array().into_iter().flatten());
        let found = events.filter_map(|event| self.cash_out(event));
        found.filter(|(id, _)| cursor.as_ref().is_none_or(|cursor| id > cursor)).collect()
    }
}

/// The messages that Slack accepted, in order.
fn told(run: &Run, watch: &Watch) -> Result<Vec<Message>, String> {
    let accepted = run.accepted(SINK).filter_map(|(record, call)| Some((record, call, call.invocation.as_ref()?)));
    let message = |(record, call, invocation): (&garoa::cloud::Record, &CallRecord, &InvocationRef)| {
        let told = watch.new_to(run, invocation, record.seq);
        let sum: i128 = told.values().map(|out| i128::from(out.centavos)).sum();
        let text = call.input["blocks"][1]["text"]["text"].as_str().unwrap_or_default();
        let says = |what: String| {
            if text.contains(&what) {
                return Ok(());
            }
            Err(format!("invocation {} had read `{what}`, and told: {text}", invocation.number))
        };
        says(format!("*Quantidade de eventos:* {}\n", told.len()))?;
        says(format!("({sum} centavos)"))?;
        Ok(Message { seq: record.seq, told })
    };
    accepted.map(message).collect()
}

/// All events of a log group, as they are at the end.
fn logged(run: &Run, group: &str) -> Result<Vec<Value>, String> {
    let mut events = Vec::new();
    let mut input = json!({ "logGroupName": group });
    loop {
        let page = run.call("logs", "FilterLogEvents", input.clone()).map_err(|error| error.to_string())?.output;
        events.extend(page["events"].as_array().into_iter().flatten().cloned());
        match page.get("nextToken").filter(|token| !token.is_null()) {
            Some(token) => input["nextToken"] = token.clone(),
            None => return Ok(events),
        }
    }
}

#[cfg(test)]
#[path = "pix_tests.rs"]
mod tests;
