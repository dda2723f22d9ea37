//! The last lines of a script: which invariants must hold, and what to explore.

use std::time::Duration;

use super::diagnostic::{Problem, Span};
use super::duration;
use super::lexer::{Word, Words};
use crate::scenario::fault::PointKind;
use crate::scenario::pattern::CallPattern;

/// One ending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// `always a, b`: these invariants hold in every run.
    Always(Vec<Named>),
    /// `once NAME [except between X and Y]`: this happens exactly once, also in runs that were broken.
    Once {
        /// The invariant.
        invariant: Named,
        /// A crash between these two calls may make it happen twice: a declared window.
        except: Option<Window>,
    },
    /// `explore FUNCTION  crash, lost-reply  settle 30m [expect NAME violated]`.
    Explore(Explore),
}

impl Ending {
    /// The invariants that it names, in order.
    pub fn invariants(&self) -> Vec<&Named> {
        match self {
            Self::Always(names) => names.iter().collect(),
            Self::Once { invariant, .. } => vec![invariant],
            Self::Explore(_) => Vec::new(),
        }
    }
}

/// A name and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

/// The time between two calls of one invocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// It opens when such a call is made.
    pub from: CallPattern,
    /// It closes when such a call has been answered.
    pub to: CallPattern,
}

/// What to explore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explore {
    /// The function at whose calls things break.
    pub function: Named,
    /// What happens there, in the order of [`PointKind::ALL`].
    pub kinds: Vec<PointKind>,
    /// Virtual time after each run, in which retries and later schedules may put things right.
    pub settle: Duration,
    /// An invariant that the exploration must find violated: such a script shows a fault that is known. An exploration
    /// that does not find it fails, as one that finds any other.
    pub violated: Option<Named>,
}

const EXPLORED: [&str; 6] = ["crash", "crash-before", "crash-after", "lost-reply", "throttle", "duplicate"];

pub(crate) fn always(words: &mut Words<'_>) -> Result<Ending, Problem> {
    let names = listed(words.rest())?;
    Ok(Ending::Always(names.into_iter().map(named).collect::<Result<_, _>>()?))
}

pub(crate) fn once(words: &mut Words<'_>) -> Result<Ending, Problem> {
    let invariant = named(words.expect("the name of an invariant")?)?;
    let except = if words.accept("except") {
        keyword(words, "between")?;
        let from = pattern(words)?;
        keyword(words, "and")?;
        Some(Window { from, to: pattern(words)? })
    } else {
        None
    };
    words.end()?;
    Ok(Ending::Once { invariant, except })
}

pub(crate) fn explore(words: &mut Words<'_>) -> Result<Ending, Problem> {
    let function = words.expect("the name of a function")?;
    let rest = words.rest();
    // `settle` ends the list of kinds, which may be written with or without blanks after its commas.
    let settle_at = rest.text.split_whitespace().position(|word| word == "settle");
    let Some(position) = settle_at else {
        let end = Span::new(rest.span.end, rest.span.end);
        return Err(Problem::new(end, "`settle 30m` is missing: how long retries have to put things right"));
    };
    let mut tail = *words;
    let marker = tail.nth(position).map_or(rest.span, |word| word.span);
    let list = rest.text[..marker.start - rest.span.start].trim_end();
    let mut kinds = Vec::new();
    for word in listed(Word { text: list, span: Span::of(list, rest.span.start) })? {
        kinds.extend(match word.text {
            "crash" => vec![PointKind::CrashBefore, PointKind::CrashAfter],
            "crash-before" => vec![PointKind::CrashBefore],
            "crash-after" => vec![PointKind::CrashAfter],
            "lost-reply" => vec![PointKind::LostReply],
            "throttle" => vec![PointKind::Throttle],
            "duplicate" => vec![PointKind::Duplicate],
            other => {
                return Err(
                    Problem::new(word.span, format!("`{other}` cannot be explored")).did_you_mean(other, EXPLORED)
                );
            }
        });
    }
    kinds.sort_unstable();
    kinds.dedup();
    let time = tail.expect("the time to settle")?;
    let settle = duration::parse(time.text).map_err(|why| Problem::new(time.span, why))?;
    let violated = if tail.accept("expect") {
        let invariant = named(tail.expect("the name of an invariant")?)?;
        keyword(&mut tail, "violated")?;
        Some(invariant)
    } else {
        None
    };
    tail.end()?;
    Ok(Ending::Explore(Explore { function: named(function)?, kinds, settle, violated }))
}

fn keyword(words: &mut Words<'_>, keyword: &str) -> Result<(), Problem> {
    let word = words.expect(&format!("`{keyword}`"))?;
    if word.text == keyword {
        return Ok(());
    }
    Err(Problem::new(word.span, format!("`{keyword}` must stand here")))
}

fn pattern(words: &mut Words<'_>) -> Result<CallPattern, Problem> {
    let word = words.expect("SERVICE:OPERATION")?;
    word.text.parse().map_err(|why: String| Problem::new(word.span, why))
}

fn named(word: Word<'_>) -> Result<Named, Problem> {
    if word.text.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter)) {
        return Ok(Named { name: word.text.to_owned(), span: word.span });
    }
    Err(Problem::new(word.span, format!("`{}` is not a name: letters, digits, `-` and `_`", word.text)))
}

/// The parts of a list with commas between them; each must be there.
pub(crate) fn listed(list: Word<'_>) -> Result<Vec<Word<'_>>, Problem> {
    let mut parts = Vec::new();
    let mut at = list.span.start;
    for raw in list.text.split(',') {
        let text = raw.trim();
        let start = at + (raw.len() - raw.trim_start().len());
        if text.is_empty() {
            return Err(Problem::new(Span::new(at, at + raw.len()), "a name is missing here"));
        }
        parts.push(Word { text, span: Span::of(text, start) });
        at += raw.len() + 1;
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn explore_reads_its_list_and_time() {
        let text = "pix-monitor  throttle,crash, lost-reply,duplicate  settle 30m";
        let ending = explore(&mut Words::new(text, 0)).unwrap();
        let Ending::Explore(read) = ending else { panic!("another ending") };
        assert_eq!(read.kinds, PointKind::ALL);
        assert_eq!((read.settle, read.violated), (Duration::from_secs(1800), None));
        let ending = explore(&mut Words::new("f crash settle 1m expect no-alert-lost violated", 0)).unwrap();
        let Ending::Explore(read) = ending else { panic!("another ending") };
        assert_eq!(read.violated.unwrap().name, "no-alert-lost");
    }

    #[test]
    fn slips_are_named() {
        for (text, says) in [
            ("pix-monitor crash", "`settle 30m` is missing"),
            ("pix-monitor settle 30m", "a name is missing"),
            ("pix-monitor crahs settle 30m", "cannot be explored"),
            ("pix-monitor duplicat settle 30m", "cannot be explored"),
            ("pix-monitor crash settle", "time to settle"),
            ("pix-monitor crash settle 30m now", "too much"),
            ("pix-monitor crash settle 30m expect no-alert-lost", "`violated` is missing"),
            ("pix-monitor crash settle 30m expect no-alert-lost broken", "`violated` must stand here"),
        ] {
            let problem = explore(&mut Words::new(text, 0)).unwrap_err();
            assert!(problem.message.contains(says), "{text}: {}", problem.message);
        }
        assert!(once(&mut Words::new("a except between s3:PutObject", 0)).is_err());
        assert!(always(&mut Words::new("a,,b", 0)).is_err());
    }
}
