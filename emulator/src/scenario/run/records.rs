//! From the kernel's trace to the records that expectations and reports read.

use std::collections::BTreeMap;

use crate::cloud::{self, CallRecord, Event};
use crate::scenario::expect::InvocationView;
use crate::scenario::fault::Point;
use crate::scenario::report::{Invocation, Record};

/// The calls and invocations of a run so far.
#[derive(Default)]
pub(super) struct Books {
    /// The trace as it is kept.
    pub trace: Vec<cloud::Record>,
    /// Its calls.
    pub calls: Vec<Record>,
    /// Its invocations, by function.
    pub invocations: BTreeMap<String, Vec<InvocationView>>,
}

impl Books {
    /// Enters what happened since, during the step of this place.
    pub fn enter(&mut self, more: Vec<cloud::Record>, step: Option<usize>) {
        for record in more {
            match &record.event {
                Event::Call(call) => self.calls.push(Record { at: record.at, step, ..view(call) }),
                Event::Started(started) => {
                    let view = InvocationView {
                        number: started.invocation.number,
                        records_before: self.calls.len(),
                        failed: None,
                        error: None,
                    };
                    self.invocations.entry(started.invocation.function.to_string()).or_default().push(view);
                }
                Event::Ended { invocation, error, payload } => {
                    let begun = self.invocations.entry(invocation.invocation.function.to_string()).or_default();
                    if let Some(view) = begun.iter_mut().find(|view| view.number == invocation.invocation.number) {
                        view.failed = Some(error.is_some());
                        view.error = error.as_ref().map(|kind| {
                            let document: serde_json::Value = serde_json::from_str(payload).unwrap_or_default();
                            format!("{kind}: {}", document["errorMessage"].as_str().unwrap_or_default())
                        });
                    }
                }
            }
            self.trace.push(record);
        }
    }
}

fn view(call: &CallRecord) -> Record {
    let sink = call.action.is_empty();
    Record {
        invocation: call
            .invocation
            .as_ref()
            .map(|made| Invocation { function: made.function.to_string(), number: made.number }),
        point: call.invocation.as_ref().zip(call.index).map(|(made, call)| Point { invocation: made.number, call }),
        caller: caller(call.source_arn.as_deref().unwrap_or(&call.caller)),
        role: role(&call.caller).map(str::to_owned),
        // People know the management of connections by the endpoint that it is called at.
        service: call.service.replace("apigatewaymanagementapi", "execute-api"),
        operation: call.operation.clone(),
        resource: Some(resource(&call.resource)).filter(|resource| resource != "*"),
        arn: (!sink).then(|| call.resource.clone()),
        action: (!sink).then(|| call.action.clone()),
        status: call.status,
        code: call.error.as_ref().map(|(code, _)| code.clone()),
        fault: call.fault.as_ref().map(ToString::to_string),
        ..Record::default()
    }
}

/// The account's root user is the script; services and sessions go by their names.
fn caller(arn: &str) -> String {
    if arn.ends_with(":root") {
        return "scenario".to_owned();
    }
    // A schedule's ARN, and the like: the service that acts for it.
    if let Some((service, _)) = arn
        .strip_prefix("arn:aws:")
        .filter(|rest| !rest.starts_with("sts:") && !rest.starts_with("iam:"))
        .and_then(|rest| rest.split_once(':'))
    {
        return service.to_owned();
    }
    let service = arn.strip_suffix(".amazonaws.com").unwrap_or(arn);
    service.rsplit('/').next().unwrap_or(service).to_owned()
}

fn role(arn: &str) -> Option<&str> {
    arn.split_once(":assumed-role/")?.1.split('/').next()
}

/// What people call a resource: an ARN without what it shares with all others, a sink's path.
fn resource(full: &str) -> String {
    if let Some((_, rest)) = full.split_once("://") {
        return rest.find('/').map_or("/", |at| &rest[at..]).to_owned();
    }
    let Some(own) = full.strip_prefix("arn:").and_then(|rest| rest.splitn(5, ':').nth(4)) else {
        return full.to_owned();
    };
    match own.strip_prefix("log-group:") {
        // Streams have names with ids in them, which tell a reader nothing.
        Some(group) => group.split(':').next().unwrap_or(group).to_owned(),
        None => own.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_and_callers_have_short_names() {
        for (full, short) in [
            ("arn:aws:s3:::pix-state/lastId.txt", "pix-state/lastId.txt"),
            ("arn:aws:logs:us-east-1:1:log-group:/aws/lambda/x:log-stream:2026/[$LATEST]0", "/aws/lambda/x"),
            ("arn:aws:logs:us-east-1:1:log-group:/aws/lambda/x:*", "/aws/lambda/x"),
            ("arn:aws:lambda:us-east-1:1:function:pix-monitor", "function:pix-monitor"),
            ("http://slack.sink.localhost/services/T1", "/services/T1"),
            ("*", "*"),
        ] {
            assert_eq!(resource(full), short);
        }
        for (arn, short) in [
            ("arn:aws:iam::123456789012:root", "scenario"),
            ("lambda.amazonaws.com", "lambda"),
            ("arn:aws:scheduler:us-east-1:1:schedule/default/x", "scheduler"),
            ("arn:aws:sts::123456789012:assumed-role/r/pix-monitor", "pix-monitor"),
        ] {
            assert_eq!(caller(arn), short);
        }
        assert_eq!(role("arn:aws:sts::1:assumed-role/r/pix-monitor"), Some("r"));
    }
}
