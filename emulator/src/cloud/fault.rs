//! Faults: what goes wrong, and at which call. How scripts and command lines write them: `scenario::fault`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Call;
use super::pattern::{CallPattern, glob};
use crate::model::{Model, Paginator};
use crate::{Error, Result};

/// What goes wrong at a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FaultKind {
    /// The calling function dies before the call takes effect.
    CrashBefore,
    /// The call takes effect, and the calling function dies before it learns of it.
    CrashAfter,
    /// The call takes effect, and the connection breaks before the answer.
    LostReply,
    /// The service answers that the caller is too fast; nothing takes effect.
    Throttle,
    /// The connection is refused; nothing takes effect.
    Refuse,
    /// The service denies the call; nothing takes effect.
    Deny,
    /// The answer of a paged operation is an empty page that carries a token, as AWS may give at any time; the call
    /// with that token gets what this call would have got. Operations that page by anything but one token are refused.
    EmptyPage,
    /// A record of an invocation is delivered again: the queue's mapping does not delete its message. Only aimed at a point,
    /// where `call` is the record's place in the event, from 1.
    Duplicate,
    /// The call takes effect after this much virtual time.
    Delay(Duration),
    /// The service answers this error; nothing takes effect.
    Error {
        /// The error code, such as `InternalError`.
        code: String,
        /// The HTTP status, 400 to 599.
        status: u16,
    },
}

impl FaultKind {
    /// The error that the service answers with, for the kinds that are an error.
    pub(crate) fn answer(&self, service: &str, action: &str) -> Option<Error> {
        match self {
            Self::Throttle => Some(throttled(service)),
            Self::Deny => Some(Error::new(403, "AccessDenied", format!("Denied by an injected fault at {action}"))),
            Self::Error { status, code } => {
                Some(Error::new(*status, code.clone(), format!("Answered by an injected fault at {action}")))
            }
            _ => None,
        }
    }

    /// Whether a call that it strikes has no effect.
    pub fn prevents(&self) -> bool {
        matches!(self, Self::CrashBefore | Self::Refuse | Self::Throttle | Self::Deny | Self::Error { .. })
    }
}

/// How services say that a caller is too fast: S3 `SlowDown`, the query protocol `Throttling`, others
/// `ThrottlingException` (the "Common errors" page of each service's API reference).
fn throttled(service: &str) -> Error {
    match service {
        "s3" => Error::new(503, "SlowDown", "Please reduce your request rate."),
        "iam" | "sts" | "cloudformation" | "cloudwatch" => Error::client("Throttling", "Rate exceeded"),
        "lambda" => Error::new(429, "TooManyRequestsException", "Rate Exceeded."),
        _ => Error::client("ThrottlingException", "Rate exceeded"),
    }
}

/// Which calls a fault strikes: `s3:Put*#2 pix-state/* … times 3`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallAim {
    /// Which operations; at a sink its name and the HTTP method.
    pub calls: CallPattern,
    /// Only from the nth such call on, counted from 1 and from when the fault was injected.
    pub nth: Option<u32>,
    /// Only calls on a resource that this covers: an ARN or URL, or what is left of one after any `:` or `/`, such as
    /// `pix-state/lastId.txt`; may hold wildcards.
    pub resource: Option<String>,
    /// How many times at most. Without it: once where `nth` is given, else each time.
    pub times: Option<u32>,
}

impl CallAim {
    /// Whether a call is aimed at, the count of calls aside.
    pub fn covers(&self, service: &str, operation: &str, resource: &str) -> bool {
        self.calls.covers(service, operation) && self.resource.as_deref().is_none_or(|aim| ends_in(aim, resource))
    }

    /// Whether the `seen`th call that it covers (from 1) is struck.
    pub fn hits(&self, seen: u32) -> bool {
        let first = self.nth.unwrap_or(1);
        let times = self.times.or(self.nth.map(|_| 1));
        seen >= first && times.is_none_or(|times| seen - first < times)
    }
}

/// Whether a pattern covers a resource, or what follows one of its separators.
fn ends_in(pattern: &str, resource: &str) -> bool {
    let after = resource.match_indices([':', '/']).filter_map(|(at, _)| resource.get(at + 1..));
    std::iter::once(resource).chain(after).any(|part| glob(pattern, part))
}

/// Where a fault strikes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Aim {
    /// At calls by what they are.
    Calls(CallAim),
    /// At call `call` (from 1) of attempt `invocation` (from 1) of a function.
    Point {
        /// The function's name.
        function: String,
        /// The attempt, counted from 1 over the run.
        invocation: u32,
        /// The call within it, counted from 1.
        call: u32,
    },
}

/// A fault that waits for its call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Where it strikes.
    pub aim: Aim,
    /// What it does.
    pub kind: FaultKind,
}

/// What a fault's aim is compared with.
pub(crate) struct Struck<'a> {
    pub service: &'a str,
    pub operation: &'a str,
    pub resource: &'a str,
    pub point: Option<(&'a str, u32, u32)>,
}

/// The faults of a run, with the count of calls that each has seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    armed: Vec<(Fault, u32)>,
    /// The tokens that empty pages gave out, and the token of the call that was answered with one.
    tokens: BTreeMap<String, Option<Value>>,
}

impl Faults {
    pub fn add(&mut self, fault: Fault) {
        self.armed.push((fault, 0));
    }

    /// The fault that strikes this call. The first that was added wins; all that cover it are counted.
    pub fn strike(&mut self, call: &Struck<'_>) -> Option<FaultKind> {
        let mut struck = None;
        for (fault, seen) in &mut self.armed {
            let hit = match &fault.aim {
                Aim::Point { function, invocation, call: number } => {
                    fault.kind != FaultKind::Duplicate && call.point == Some((function.as_str(), *invocation, *number))
                }
                Aim::Calls(aim) => {
                    let covered = aim.covers(call.service, call.operation, call.resource);
                    *seen += u32::from(covered);
                    covered && aim.hits(*seen)
                }
            };
            if hit && struck.is_none() {
                struck = Some(fault.kind.clone());
            }
        }
        struck
    }

    /// Whether this record of an invocation is to be delivered again.
    pub fn duplicates(&self, function: &str, invocation: u32, record: u32) -> bool {
        self.armed.iter().any(|(fault, _)| {
            let Aim::Point { function: aimed, invocation: number, call } = &fault.aim else { return false };
            fault.kind == FaultKind::Duplicate && aimed == function && (*number, *call) == (invocation, record)
        })
    }

    /// Empties the answer of a paged call, and has it carry `token`.
    pub fn empty_page(&mut self, call: &Call, output: &mut Value, token: String) -> Result<()> {
        let pages = one_token(call)?;
        for key in &pages.result_keys {
            if let Some(list) = output.get_mut(*key) {
                *list = json!([]);
            }
        }
        if let Some(members) = output.as_object_mut() {
            members.insert(pages.output_tokens[0].to_owned(), json!(token));
        }
        self.tokens.insert(token, call.input.get(pages.input_tokens[0]).cloned());
        Ok(())
    }

    /// Gives a call that carries the token of an empty page the token that the emptied call had.
    pub fn restore_token(&self, call: &mut Call) {
        if self.tokens.is_empty() {
            return;
        }
        let Ok(pages) = one_token(call) else { return };
        let (member, Some(members)) = (pages.input_tokens[0], call.input.as_object_mut()) else { return };
        let Some(was) = members.get(member).and_then(Value::as_str).and_then(|token| self.tokens.get(token)) else {
            return;
        };
        match was {
            Some(token) => members.insert(member.to_owned(), token.clone()),
            None => members.shift_remove(member),
        };
    }
}

/// How a call's operation pages, if it does so by one plain token and lists at the top of its answer.
fn one_token(call: &Call) -> Result<&'static Paginator> {
    let operation = Model::of(call.service).and_then(|model| model.operation(&call.operation));
    let plain = |text: &str| text.chars().all(|letter| letter.is_ascii_alphanumeric());
    operation
        .and_then(|operation| operation.paginator.as_ref())
        .filter(|pages| {
            pages.input_tokens.len() == 1
                && pages.output_tokens.len() == 1
                && pages.more_results.is_none()
                && pages.output_tokens.iter().chain(&pages.result_keys).all(|key| plain(key))
        })
        .ok_or_else(|| {
            Error::not_implemented(format!(
                "the fault empty-page at {}:{}, which does not page by one token",
                call.service, call.operation
            ))
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::cloud::{Caller, Scope};

    fn call<'a>(operation: &'a str, resource: &'a str) -> Struck<'a> {
        Struck { service: "s3", operation, resource, point: None }
    }

    fn aim(calls: &str, nth: Option<u32>, resource: Option<&str>, times: Option<u32>) -> CallAim {
        CallAim { calls: calls.parse().unwrap(), nth, resource: resource.map(str::to_owned), times }
    }

    #[test]
    fn only_the_nth_matching_call_is_struck() {
        let mut faults = Faults::default();
        let aim = aim("s3:Put*", Some(2), Some("b/k"), None);
        faults.add(Fault { aim: Aim::Calls(aim), kind: FaultKind::LostReply });
        assert_eq!(faults.strike(&call("PutObject", "arn:aws:s3:::b/k")), None);
        assert_eq!(faults.strike(&call("GetObject", "arn:aws:s3:::b/k")), None);
        assert_eq!(faults.strike(&call("PutObject", "arn:aws:s3:::b/other")), None);
        assert_eq!(faults.strike(&call("PutObject", "arn:aws:s3:::b/k")), Some(FaultKind::LostReply));
        assert_eq!(faults.strike(&call("PutObject", "arn:aws:s3:::b/k")), None);
    }

    #[test]
    fn a_service_may_hold_wildcards_and_times_count() {
        let mut faults = Faults::default();
        faults.add(Fault { aim: Aim::Calls(aim("*:*", None, None, Some(2))), kind: FaultKind::Throttle });
        let strikes: Vec<bool> = (0..4).map(|_| faults.strike(&call("PutObject", "x")).is_some()).collect();
        assert_eq!(strikes, [true, true, false, false]);
    }

    #[test]
    fn a_resource_is_named_by_its_end_and_not_by_any_part_of_a_word() {
        let aimed = aim("s3:*", None, Some("pix-state/*"), None);
        assert!(aimed.covers("s3", "PutObject", "arn:aws:s3:::pix-state/lastId.txt"));
        assert!(!aimed.covers("s3", "PutObject", "arn:aws:s3:::my-pix-state/lastId.txt"));
        assert!(!aimed.covers("logs", "PutObject", "arn:aws:s3:::pix-state/lastId.txt"));
    }

    #[test]
    fn an_empty_page_gives_way_to_what_was_asked_for() {
        let mut faults = Faults::default();
        let call = |operation: &str, input| {
            Call::new("logs", operation, Caller::root("1"), Scope::new("1", "us-east-1"), input)
        };
        let mut output = json!({"events": [1], "searchedLogStreams": [2], "nextToken": "real"});
        let asked = call("FilterLogEvents", json!({"logGroupName": "g", "nextToken": "first"}));
        faults.empty_page(&asked, &mut output, "empty".to_owned()).unwrap();
        assert_eq!(output, json!({"events": [], "searchedLogStreams": [], "nextToken": "empty"}));
        let mut next = call("FilterLogEvents", json!({"logGroupName": "g", "nextToken": "empty"}));
        faults.restore_token(&mut next);
        assert_eq!(next.input, asked.input);
        let other = call("PutLogEvents", json!({}));
        let refused = faults.empty_page(&other, &mut json!({}), "t".to_owned()).unwrap_err();
        assert!(refused.message().contains("logs:PutLogEvents"), "{refused}");
    }
}
