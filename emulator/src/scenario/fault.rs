//! Faults as scripts and command lines name them: at which call, and what happens there.

use std::fmt;
use std::str::FromStr;

use super::script::diagnostic::Problem;
use super::script::duration;
use super::script::lexer::Words;
pub use crate::cloud::{Aim, CallAim, Fault, FaultKind};

/// The words that begin a kind.
const KINDS: [&str; 9] =
    ["crash-before", "crash-after", "lost-reply", "throttle", "refuse", "deny", "empty-page", "delay", "error"];

impl FaultKind {
    fn parse(words: &mut Words<'_>) -> Result<Self, Problem> {
        let word = words.expect("the kind of fault")?;
        Ok(match word.text {
            "crash-before" => Self::CrashBefore,
            "crash-after" => Self::CrashAfter,
            "lost-reply" => Self::LostReply,
            "throttle" => Self::Throttle,
            "refuse" => Self::Refuse,
            "deny" => Self::Deny,
            "empty-page" => Self::EmptyPage,
            "delay" => {
                let time = words.expect("the delay")?;
                Self::Delay(duration::parse(time.text).map_err(|why| Problem::new(time.span, why))?)
            }
            "error" => {
                let code = words.expect("the error code")?;
                let status = words.expect("the HTTP status")?;
                let number = status.text.parse().ok().filter(|number| (400..600).contains(number));
                let wrong =
                    || Problem::new(status.span, format!("`{}` is not an error status: 400 to 599", status.text));
                Self::Error { code: code.text.to_owned(), status: number.ok_or_else(wrong)? }
            }
            other => {
                return Err(
                    Problem::new(word.span, format!("`{other}` is not a kind of fault")).did_you_mean(other, KINDS)
                );
            }
        })
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
            Self::EmptyPage => f.write_str("empty-page"),
            Self::Duplicate => f.write_str("duplicate"),
            Self::Delay(time) => write!(f, "delay {}", duration::display(*time)),
            Self::Error { code, status } => write!(f, "error {code} {status}"),
        }
    }
}

/// A fault as a script aims it: `s3:PutObject#1 crash-before`, `s3:Get* pix-state/* throttle times 2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultSpec {
    /// At which calls.
    pub aim: CallAim,
    /// What happens.
    pub kind: FaultKind,
}

impl From<FaultSpec> for Fault {
    fn from(spec: FaultSpec) -> Self {
        Self { aim: Aim::Calls(spec.aim), kind: spec.kind }
    }
}

impl FaultSpec {
    pub(crate) fn parse(words: &mut Words<'_>) -> Result<Self, Problem> {
        let target = words.expect("what the fault is aimed at")?;
        let (calls, nth) = match target.text.split_once('#') {
            None => (target.text, None),
            Some((calls, nth)) => {
                let number = nth.parse().ok().filter(|number| *number > 0);
                let wrong = || Problem::new(target.span, format!("`#{nth}` does not count a call: #1 is the first"));
                (calls, Some(number.ok_or_else(wrong)?))
            }
        };
        let calls = calls.parse().map_err(|why: String| Problem::new(target.span, why))?;
        let resource = match words.peek() {
            Some(word) if KINDS.contains(&word.text) => None,
            // A slip in the kind must not be taken for a resource: then nothing but the kind would follow.
            Some(_) if (*words).count() == 1 => None,
            _ => words.next().map(|word| word.text.to_owned()),
        };
        let kind = FaultKind::parse(words)?;
        let times = if words.accept("times") {
            let word = words.expect("how many times")?;
            let number = word.text.parse().ok().filter(|number| *number > 0);
            Some(number.ok_or_else(|| Problem::new(word.span, format!("`{}` is not a number of times", word.text)))?)
        } else {
            None
        };
        words.end()?;
        Ok(Self { aim: CallAim { calls, nth, resource, times }, kind })
    }
}

impl FromStr for FaultSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(&mut Words::new(text, 0)).map_err(|problem| match problem.help {
            Some(help) => format!("{}; {help}", problem.message),
            None => problem.message,
        })
    }
}

impl fmt::Display for FaultSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CallAim { calls, nth, resource, times } = &self.aim;
        write!(f, "{calls}")?;
        if let Some(nth) = nth {
            write!(f, "#{nth}")?;
        }
        if let Some(resource) = resource {
            write!(f, " {resource}")?;
        }
        write!(f, " {}", self.kind)?;
        times.map_or(Ok(()), |times| write!(f, " times {times}"))
    }
}

/// A call of one run: the `call`th call of the `invocation`th invocation, both from 1. Written `1.2`. For
/// [`PointKind::Duplicate`] it is the `call`th record of the event instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// Which invocation of the function.
    pub invocation: u32,
    /// Which call that it makes.
    pub call: u32,
}

impl FromStr for Point {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a point: 1.2 is the second call of the first invocation");
        let (invocation, call) = text.split_once('.').ok_or_else(wrong)?;
        let number = |text: &str| text.parse().ok().filter(|number| *number > 0).ok_or_else(wrong);
        Ok(Self { invocation: number(invocation)?, call: number(call)? })
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.invocation, self.call)
    }
}

/// What the exploration does at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PointKind {
    /// As [`FaultKind::CrashBefore`].
    CrashBefore,
    /// As [`FaultKind::CrashAfter`].
    CrashAfter,
    /// As [`FaultKind::LostReply`].
    LostReply,
    /// As [`FaultKind::Throttle`].
    Throttle,
    /// As [`FaultKind::Duplicate`].
    Duplicate,
}

impl PointKind {
    /// All, in the order in which they are explored.
    pub const ALL: [Self; 5] = [Self::CrashBefore, Self::CrashAfter, Self::LostReply, Self::Throttle, Self::Duplicate];

    /// The fault that it is.
    pub fn fault(self) -> FaultKind {
        match self {
            Self::CrashBefore => FaultKind::CrashBefore,
            Self::CrashAfter => FaultKind::CrashAfter,
            Self::LostReply => FaultKind::LostReply,
            Self::Throttle => FaultKind::Throttle,
            Self::Duplicate => FaultKind::Duplicate,
        }
    }
}

/// One run of the exploration, as its replay command names it: `1.2:crash-after`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PointSpec {
    /// Where.
    pub point: Point,
    /// What happens there.
    pub kind: PointKind,
}

impl FromStr for PointSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a point and a fault: write it like 1.2:crash-after");
        let (point, kind) = text.split_once(':').ok_or_else(wrong)?;
        let known = PointKind::ALL.into_iter().find(|known| known.fault().to_string() == kind);
        Ok(Self { point: point.parse()?, kind: known.ok_or_else(wrong)? })
    }
}

impl fmt::Display for PointSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.point, self.kind.fault())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::*;
    use crate::scenario::pattern::CallPattern;
    use proptest::prelude::*;

    #[test]
    fn reads_each_form() {
        let first: FaultSpec = "s3:PutObject#1 crash-before".parse().unwrap();
        assert_eq!((first.aim.nth, first.kind, &first.aim.resource), (Some(1), FaultKind::CrashBefore, &None));
        assert!(first.aim.hits(1) && !first.aim.hits(2));

        let aimed: FaultSpec = "s3:Put* pix-state/* throttle times 2".parse().unwrap();
        assert!(aimed.aim.covers("s3", "PutObject", "arn:aws:s3:::pix-state/lastId.txt"));
        assert!(!aimed.aim.covers("s3", "PutObject", "arn:aws:s3:::other/lastId.txt"));
        assert!(aimed.aim.hits(1) && aimed.aim.hits(2) && !aimed.aim.hits(3));

        let always: FaultSpec = "slack:POST delay 1m30s".parse().unwrap();
        assert!(always.aim.hits(1) && always.aim.hits(9999));
        let third: FaultSpec = "slack:POST#3 error InternalError 500 times 2".parse().unwrap();
        assert!(!third.aim.hits(2) && third.aim.hits(3) && third.aim.hits(4) && !third.aim.hits(5));
    }

    #[test]
    fn refuses_the_rest_by_name() {
        for (wrong, says) in [
            ("", "missing"),
            ("s3 throttle", "SERVICE:OPERATION"),
            ("s3:PutObject", "missing"),
            ("s3:PutObject#0 throttle", "#1 is the first"),
            ("s3:PutObject trottle", "did you mean `throttle`"),
            ("s3:PutObject a/b trottle", "did you mean `throttle`"),
            ("s3:PutObject delay", "delay"),
            ("s3:PutObject error X 200", "400 to 599"),
            ("s3:PutObject throttle times 0", "number of times"),
            ("s3:PutObject throttle twice", "too much"),
        ] {
            let error = wrong.parse::<FaultSpec>().unwrap_err();
            assert!(error.contains(says), "{wrong}: {error}");
        }
    }

    fn kinds() -> impl Strategy<Value = FaultKind> {
        prop_oneof![
            Just(FaultKind::CrashBefore),
            Just(FaultKind::LostReply),
            Just(FaultKind::Refuse),
            Just(FaultKind::EmptyPage),
            (1_u64..1_000_000).prop_map(|millis| FaultKind::Delay(Duration::from_millis(millis))),
            ("[A-Z][a-z]{1,9}", 400_u16..600).prop_map(|(code, status)| FaultKind::Error { code, status }),
        ]
    }

    proptest! {
        #[test]
        fn display_reads_back(
            service in "[a-z]{1,9}", operation in "[A-Z][a-zA-Z]{0,9}\\*?", nth in proptest::option::of(1_u32..99),
            resource in proptest::option::of("[a-z]{1,4}/[a-z*]{1,4}"), kind in kinds(),
            times in proptest::option::of(1_u32..99),
        ) {
            let aim = CallAim { calls: CallPattern { service, operation }, nth, resource, times };
            let spec = FaultSpec { aim, kind };
            prop_assert_eq!(spec.to_string().parse::<FaultSpec>(), Ok(spec));
        }

        #[test]
        fn points_read_back(invocation in 1_u32.., call in 1_u32.., kind in 0_usize..5) {
            let spec = PointSpec { point: Point { invocation, call }, kind: PointKind::ALL[kind] };
            prop_assert_eq!(spec.to_string().parse::<PointSpec>(), Ok(spec));
        }

        #[test]
        fn never_panics(text in "\\PC{0,60}") {
            let _ = text.parse::<FaultSpec>();
            let _ = text.parse::<PointSpec>();
        }
    }
}
