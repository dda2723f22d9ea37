//! The run as expectations see it.

use serde_json::json;

use super::invariants::at_once;
use super::player::Player;
use crate::cloud::{Call, Caller, Cloud};
use crate::scenario::expect::{InvocationView, RunView, SinkRequest};
use crate::scenario::report::{QueueState, Record};
use crate::scenario::script::Name;

pub(super) struct View<'p, 'a>(pub &'p Player<'a>);

impl RunView for View<'_, '_> {
    fn sink(&self, name: &str) -> Option<Vec<SinkRequest>> {
        self.0.script.header.sinks.get(name)?;
        let requests = self.0.cloud.sink_requests(name).into_iter();
        Some(requests.map(|request| SinkRequest { body: request.body, status: request.status }).collect())
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.0.variables.get(name).cloned()
    }

    fn stack_outputs(&self) -> Vec<(String, String)> {
        self.0.outputs.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    fn records(&self) -> &[Record] {
        &self.0.books.calls
    }

    fn marked(&self) -> usize {
        self.0.marked
    }

    fn invocations(&self, function: &str) -> Option<Vec<InvocationView>> {
        let begun = self.0.books.invocations.get(function).cloned();
        begun.or_else(|| {
            // It may be there and never have been invoked.
            let input = json!({ "FunctionName": function });
            look(&self.0.cloud, "lambda", "GetFunctionConfiguration", input).map(|_| Vec::new())
        })
    }

    fn logs(&self, group: &str) -> Option<Vec<String>> {
        let copy = self.0.cloud.fork();
        let mut messages: Vec<(String, String)> = Vec::new();
        let mut token = json!(null);
        loop {
            let mut input = json!({ "logGroupName": group });
            if !token.is_null() {
                input["nextToken"] = token;
            }
            let answer = look(&copy, "logs", "FilterLogEvents", input)?;
            let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            let events = answer["events"].as_array().into_iter().flatten();
            messages.extend(events.map(|event| (text(&event["eventId"]), text(&event["message"]))));
            token = answer["nextToken"].clone();
            if token.is_null() {
                break;
            }
        }
        messages.sort();
        Some(messages.into_iter().map(|(_, message)| message).collect())
    }

    fn queue(&self, name: &str) -> Option<QueueState> {
        queues(&self.0.cloud).into_iter().find(|queue| queue.name == name)
    }

    fn name(&self, name: &Name) -> Option<String> {
        self.0.name(name)
    }
}

/// What the queues hold now, in the order of their names.
pub(super) fn queues(cloud: &Cloud) -> Vec<QueueState> {
    let views = cloud.queues();
    let held = |arn: &str| {
        let target = views.iter().find(|view| view.arn == arn);
        target.map(|view| view.visible + view.in_flight + view.delayed)
    };
    let state = |view: &crate::sqs::QueueView| QueueState {
        name: view.name.clone(),
        visible: view.visible,
        in_flight: view.in_flight,
        delayed: view.delayed,
        dead: view.dead_letter_target.as_deref().and_then(held),
    };
    views.iter().map(state).collect()
}

/// Asks in a copy of the cloud, so that looking leaves no trace.
fn look(cloud: &Cloud, service: &'static str, operation: &str, input: serde_json::Value) -> Option<serde_json::Value> {
    let scope = cloud.scope().clone();
    let call = Call::new(service, operation, Caller::root(&scope.account), scope, input);
    at_once(&cloud.fork(), call).ok().map(|reply| reply.output)
}
