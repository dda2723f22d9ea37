//! realtime: what is sent was audited before, and who is gone leaves the table.

use std::collections::BTreeSet;

use garoa::cloud::{CallRecord, InvocationRef};
use garoa::scenario::run::{Invariants, Run};

const FUNCTION: &str = "ws-message";
const AUDIT: &str = ":table/realtime-audit";
const CONNECTIONS: &str = ":table/realtime-connections";

/// Adds the invariants of realtime.
pub fn register(invariants: Invariants) -> Invariants {
    invariants
        .always("audited-before-sent", audited_before_sent)
        .always("gone-connections-leave-the-table", gone_connections_leave_the_table)
}

/// Whatever an invocation posts to a connection, it has noted in the audit table before.
///
/// # Errors
/// Names the first connection that was posted to without.
pub fn audited_before_sent(run: &Run) -> Result<(), String> {
    let mut noted: BTreeSet<&InvocationRef> = BTreeSet::new();
    for (record, call) in run.calls() {
        let Some(invocation) = of_message(call) else { continue };
        if call.operation == "PutItem" && call.resource.ends_with(AUDIT) && call.took_effect() {
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
    let failed = failed(run);
    for (record, call) in run.calls() {
        let Some(invocation) = of_message(call) else { continue };
        if call.operation != "PostToConnection" || call.status != Some(410) || failed.contains(invocation) {
            continue;
        }
        let gone = connection(call);
        let deleted = run.calls().any(|(later, other)| {
            later.seq > record.seq
                && other.invocation.as_ref() == Some(invocation)
                && other.operation == "DeleteItem"
                && other.resource.ends_with(CONNECTIONS)
                && other.input["Key"]["connection_id"]["S"] == gone
        });
        if !deleted {
            return Err(format!("{gone} was gone at {} and stayed in the table", record.at.to_iso_millis()));
        }
    }
    Ok(())
}

fn of_message(call: &CallRecord) -> Option<&InvocationRef> {
    call.invocation.as_ref().filter(|made| &*made.function == FUNCTION)
}

fn connection(call: &CallRecord) -> &str {
    call.input["ConnectionId"].as_str().unwrap_or_default()
}

/// The invocations that did not come to a good end.
fn failed(run: &Run) -> BTreeSet<InvocationRef> {
    let ended = run.records().iter().filter_map(|record| match &record.event {
        garoa::cloud::Event::Ended { invocation, error: Some(_), .. } => Some(invocation.invocation.clone()),
        _ => None,
    });
    ended.collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use garoa::cloud::{Event, Record};
    use serde_json::json;

    use super::*;

    fn run(calls: &[(&str, &str, u16, serde_json::Value)]) -> Run {
        let record = |(place, (operation, resource, status, input)): (usize, &(&str, &str, u16, serde_json::Value))| {
            let call = CallRecord {
                operation: (*operation).to_owned(),
                resource: (*resource).to_owned(),
                status: Some(*status),
                input: input.clone(),
                invocation: Some(InvocationRef { function: FUNCTION.into(), number: 1 }),
                ..CallRecord::default()
            };
            Record { seq: place as u64 + 1, at: garoa::Timestamp::default(), event: Event::Call(Arc::new(call)) }
        };
        let records = calls.iter().enumerate().map(record).collect();
        Run::new(records, |_| Err(garoa::Error::internal("there is no state here")))
    }

    #[test]
    fn what_is_sent_before_the_audit_is_found() {
        let audit = ("PutItem", "arn:aws:dynamodb:r:a:table/realtime-audit", 200, json!({}));
        let post = ("PostToConnection", "x", 200, json!({ "ConnectionId": "a" }));
        assert!(audited_before_sent(&run(&[audit.clone(), post.clone()])).is_ok());
        assert!(audited_before_sent(&run(&[post, audit])).is_err());
    }

    #[test]
    fn a_connection_that_stays_is_found() {
        let gone = ("PostToConnection", "x", 410, json!({ "ConnectionId": "a" }));
        let delete = |id: &str| {
            let key = json!({ "Key": { "connection_id": { "S": id } } });
            ("DeleteItem", "arn:aws:dynamodb:r:a:table/realtime-connections", 200, key)
        };
        assert!(gone_connections_leave_the_table(&run(&[gone.clone(), delete("a")])).is_ok());
        assert!(gone_connections_leave_the_table(&run(&[gone.clone(), delete("b")])).is_err());
        assert!(gone_connections_leave_the_table(&run(&[gone])).is_err());
    }
}
