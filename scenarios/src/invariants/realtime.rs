//! What must hold of realtime, wherever it is broken: what is sent was audited before, who is gone leaves the table, one who
//! does not get a message keeps nobody else from it, and who is let in is in the books.

use std::collections::{BTreeMap, BTreeSet};

use garoa::cloud::{CallRecord, Event, InvocationRef};
use garoa::scenario::run::{Invariants, Run};

const MESSAGE: &str = "ws-message";
const CONNECT: &str = "ws-connect";
const DISCONNECT: &str = "ws-disconnect";
/// The error of an invocation that sent to everybody and failed for some.
const UNDELIVERED: &str = "Realtime.Undelivered";
const AUDIT: &str = ":table/realtime-audit";
const CONNECTIONS: &str = ":table/realtime-connections";

/// Adds the invariants of realtime.
pub fn register(invariants: Invariants) -> Invariants {
    invariants
        .always("audited-before-sent", audited_before_sent)
        .always("gone-connections-leave-the-table", gone_connections_leave_the_table)
        .always("everybody-has-a-turn", everybody_has_a_turn)
        .always("connections-are-booked", connections_are_booked)
}

/// Whatever an invocation posts to a connection, it has noted in the audit table before.
///
/// # Errors
/// Names the first connection that was posted to without.
pub fn audited_before_sent(run: &Run) -> Result<(), String> {
    let mut noted: BTreeSet<&InvocationRef> = BTreeSet::new();
    for (record, call) in run.calls() {
        let Some(invocation) = of_message(call) else { continue };
        if is_write(call, "PutItem", AUDIT) {
            noted.insert(invocation);
        }
        if call.operation == "PostToConnection" && call.took_effect() && !noted.contains(invocation) {
            let (at, number) = (record.at.to_iso_millis(), invocation.number);
            return Err(format!("at {at} invocation {number} posted to {} before the audit", connection(call)));
        }
    }
    Ok(())
}

/// A connection that answered 410 to an invocation that succeeded was deleted by it.
///
/// # Errors
/// Names the first connection that stayed.
pub fn gone_connections_leave_the_table(run: &Run) -> Result<(), String> {
    let ends = ends(run);
    for (record, call) in run.calls() {
        let Some(invocation) = of_message(call) else { continue };
        let succeeded = ends.get(invocation).is_some_and(Option::is_none);
        if call.operation != "PostToConnection" || call.status != Some(410) || !succeeded {
            continue;
        }
        let gone = connection(call);
        let deleted = run.calls().any(|(later, other)| {
            later.seq > record.seq
                && other.invocation.as_ref() == Some(invocation)
                && is_write(other, "DeleteItem", CONNECTIONS)
                && other.input["Key"]["connection_id"]["S"] == gone
        });
        if !deleted {
            return Err(format!("{gone} was gone at {} and stayed in the table", record.at.to_iso_millis()));
        }
    }
    Ok(())
}

/// An invocation that read who is connected, and came to its end, has posted to each of them: neither one who is gone nor one
/// who cannot be written to ends a broadcast.
///
/// # Errors
/// Names the first connection that was passed over.
pub fn everybody_has_a_turn(run: &Run) -> Result<(), String> {
    let mut turns: BTreeMap<&InvocationRef, (BTreeSet<&str>, BTreeSet<&str>)> = BTreeMap::new();
    for (_, call) in run.calls() {
        let Some(invocation) = of_message(call) else { continue };
        let (connected, posted) = turns.entry(invocation).or_default();
        if call.operation == "Scan" && call.resource.ends_with(CONNECTIONS) {
            let items = call.output["Items"].as_array().into_iter().flatten();
            connected.extend(items.filter_map(|item| item["connection_id"]["S"].as_str()));
        }
        if call.operation == "PostToConnection" {
            posted.insert(connection(call));
        }
    }
    for (invocation, end) in ends(run) {
        let Some((connected, posted)) = turns.get(invocation) else { continue };
        if end.is_some_and(|error| error != UNDELIVERED) {
            continue;
        }
        if let Some(passed_over) = connected.difference(posted).next() {
            return Err(format!("invocation {} sent nothing to {passed_over}", invocation.number));
        }
    }
    Ok(())
}

/// An invocation of ws-connect that succeeded, and so let a client in, has put it into both tables; one of ws-disconnect has
/// taken it out of one and noted it in the other.
///
/// # Errors
/// Names the first invocation that did not.
pub fn connections_are_booked(run: &Run) -> Result<(), String> {
    for (invocation, end) in ends(run) {
        let operation = match &*invocation.function {
            CONNECT => "PutItem",
            DISCONNECT => "DeleteItem",
            _ => continue,
        };
        if end.is_some() {
            continue;
        }
        let made = |operation: &str, table: &str| {
            let mut calls = run.calls().filter(|(_, call)| call.invocation.as_ref() == Some(invocation));
            calls.any(|(_, call)| is_write(call, operation, table))
        };
        let InvocationRef { function, number } = invocation;
        if !made("PutItem", AUDIT) {
            return Err(format!("invocation {number} of {function} noted nothing"));
        }
        if !made(operation, CONNECTIONS) {
            return Err(format!("invocation {number} of {function} made no {operation} of its connection"));
        }
    }
    Ok(())
}

fn of_message(call: &CallRecord) -> Option<&InvocationRef> {
    call.invocation.as_ref().filter(|made| &*made.function == MESSAGE)
}

fn is_write(call: &CallRecord, operation: &str, table: &str) -> bool {
    call.operation == operation && call.resource.ends_with(table) && call.took_effect()
}

fn connection(call: &CallRecord) -> &str {
    call.input["ConnectionId"].as_str().unwrap_or_default()
}

/// How each invocation ended: none for well, or the error's type.
fn ends(run: &Run) -> BTreeMap<&InvocationRef, Option<&str>> {
    let ended = run.records().iter().filter_map(|record| match &record.event {
        Event::Ended { invocation, error, .. } => Some((&invocation.invocation, error.as_deref())),
        _ => None,
    });
    ended.collect()
}

#[cfg(test)]
#[path = "realtime_tests.rs"]
mod tests;
