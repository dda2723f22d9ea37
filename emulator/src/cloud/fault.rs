//! Faults: what goes wrong, and at which call.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Error;

/// What goes wrong at a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// The call takes effect after this much virtual time.
    Delay(Duration),
    /// The service answers this error; nothing takes effect.
    Answer {
        /// The HTTP status.
        status: u16,
        /// The error code.
        code: String,
    },
}

impl FaultKind {
    /// The error that the service answers with, for the kinds that are an answer.
    pub(crate) fn answer(&self, service: &str, action: &str) -> Option<Error> {
        match self {
            Self::Throttle => Some(throttled(service)),
            Self::Deny => Some(Error::new(403, "AccessDenied", format!("Denied by an injected fault at {action}"))),
            Self::Answer { status, code } => {
                Some(Error::new(*status, code.clone(), format!("Answered by an injected fault at {action}")))
            }
            _ => None,
        }
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

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CrashBefore => f.write_str("crash-before"),
            Self::CrashAfter => f.write_str("crash-after"),
            Self::LostReply => f.write_str("lost-reply"),
            Self::Throttle => f.write_str("throttle"),
            Self::Refuse => f.write_str("refuse"),
            Self::Deny => f.write_str("deny"),
            Self::Delay(time) => write!(f, "delay {}ms", time.as_millis()),
            Self::Answer { status, code } => write!(f, "answer {status} {code}"),
        }
    }
}

/// A word that names no fault.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is not a fault; there are crash-before, crash-after, lost-reply, throttle, refuse, deny (and, in scripts, delay and answer)"
)]
pub struct UnknownFault(String);

impl FromStr for FaultKind {
    type Err = UnknownFault;

    fn from_str(word: &str) -> Result<Self, UnknownFault> {
        match word {
            "crash-before" => Ok(Self::CrashBefore),
            "crash-after" => Ok(Self::CrashAfter),
            "lost-reply" => Ok(Self::LostReply),
            "throttle" => Ok(Self::Throttle),
            "refuse" => Ok(Self::Refuse),
            "deny" => Ok(Self::Deny),
            _ => Err(UnknownFault(word.to_owned())),
        }
    }
}

/// Where a fault strikes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Aim {
    /// The nth call (from 1; every one if absent) that matches service, operation and resource.
    /// Operation and resource may hold `*`.
    Matching {
        /// The service, or a sink's name.
        service: String,
        /// The operation, or a sink's HTTP method.
        operation: String,
        /// The resource's ARN or its end, or any.
        resource: Option<String>,
        /// Counted from 1.
        nth: Option<u32>,
    },
    /// Call `call` (from 1) of attempt `invocation` (from 1) of a function.
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
pub(crate) struct Faults(Vec<(Fault, u32)>);

impl Faults {
    pub fn add(&mut self, fault: Fault) {
        self.0.push((fault, 0));
    }

    /// The fault that strikes this call. The first that was added wins; all that match are counted.
    pub fn strike(&mut self, call: &Struck<'_>) -> Option<FaultKind> {
        let mut struck = None;
        for (fault, seen) in &mut self.0 {
            let hit = match &fault.aim {
                Aim::Point { function, invocation, call: number } => {
                    call.point == Some((function.as_str(), *invocation, *number))
                }
                Aim::Matching { service, operation, resource, nth } => {
                    let matches = service == call.service
                        && glob(operation, call.operation)
                        && resource.as_ref().is_none_or(|r| glob(r, call.resource) || call.resource.ends_with(r));
                    *seen += u32::from(matches);
                    matches && nth.is_none_or(|n| n == *seen)
                }
            };
            if hit && struck.is_none() {
                struck = Some(fault.kind.clone());
            }
        }
        struck
    }
}

/// Whether `text` fits `pattern`, in which `*` stands for any run of characters.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    if !pattern.contains('*') {
        return rest.is_empty();
    }
    let mut parts: Vec<&str> = parts.collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call<'a>(operation: &'a str, resource: &'a str) -> Struck<'a> {
        Struck { service: "s3", operation, resource, point: None }
    }

    #[test]
    fn only_the_nth_matching_call_is_struck() {
        let mut faults = Faults::default();
        faults.add(Fault {
            aim: Aim::Matching {
                service: "s3".into(),
                operation: "Put*".into(),
                resource: Some("b/k".into()),
                nth: Some(2),
            },
            kind: FaultKind::LostReply,
        });
        assert_eq!(faults.strike(&call("PutObject", "arn:aws:s3:::b/k")), None);
        assert_eq!(faults.strike(&call("GetObject", "arn:aws:s3:::b/k")), None);
        assert_eq!(faults.strike(&call("PutObject", "arn:aws:s3:::b/other")), None);
        assert_eq!(faults.strike(&call("PutObject", "arn:aws:s3:::b/k")), Some(FaultKind::LostReply));
        assert_eq!(faults.strike(&call("PutObject", "arn:aws:s3:::b/k")), None);
    }

    #[test]
    fn a_star_stands_for_any_run() {
        for (pattern, text, fits) in [
            ("Put*", "PutObject", true),
            ("*", "", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxc", false),
            ("abc", "abcd", false),
            ("*Object", "PutObjects", false),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
        }
    }
}
