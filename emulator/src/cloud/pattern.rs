//! `SERVICE:OPERATION` with wildcards: how expectations, faults and invariants name calls.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Whether `pattern`, in which `*` stands for any text and `?` for one character, covers the whole of `text`.
///
/// Linear in practice and never worse than pattern × text: it keeps one point to go back to, and does not recurse.
pub fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                back = Some((p + 1, t));
                p += 1;
            }
            Some(letter) if *letter == '?' || *letter == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match back {
                Some((after_star, from)) => {
                    back = Some((after_star, from + 1));
                    (p, t) = (after_star, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|letter| *letter == '*')
}

/// Which calls are meant: `s3:PutObject`, `s3:Delete*`, `slack:POST`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallPattern {
    /// The service, or the sink; may hold wildcards.
    pub service: String,
    /// The operation, or the HTTP method at a sink; may hold wildcards.
    pub operation: String,
}

impl CallPattern {
    /// Whether a call is meant by it. Letters' case counts, as in AWS's models.
    pub fn covers(&self, service: &str, operation: &str) -> bool {
        glob(&self.service, service) && glob(&self.operation, operation)
    }
}

impl FromStr for CallPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` does not name calls: write SERVICE:OPERATION, such as s3:PutObject or s3:Delete*");
        let (service, operation) = text.split_once(':').ok_or_else(wrong)?;
        let allowed = |part: &str| {
            !part.is_empty() && part.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_*?.".contains(letter))
        };
        if !allowed(service) || !allowed(operation) {
            return Err(wrong());
        }
        Ok(Self { service: service.to_owned(), operation: operation.to_owned() })
    }
}

impl fmt::Display for CallPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service, self.operation)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn wildcards_cover_what_they_should() {
        for (pattern, text, covered) in [
            ("Delete*", "DeleteObject", true),
            ("*", "", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b", "abX", false),
            ("?", "", false),
            ("a?c", "abc", true),
            ("", "x", false),
        ] {
            assert_eq!(glob(pattern, text), covered, "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_needs_both_parts() {
        let pattern: CallPattern = "s3:Delete*".parse().unwrap();
        assert!(pattern.covers("s3", "DeleteObjects"));
        assert!(!pattern.covers("s3", "GetObject"));
        for wrong in ["s3", ":x", "s3:", "s3:a:b", "s3:Put Object"] {
            assert!(wrong.parse::<CallPattern>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_a_regular_expression(pattern in "[ab*?]{0,8}", text in "[ab]{0,10}") {
            let source = format!("^{}$", pattern.replace('*', ".*").replace('?', "."));
            let regex = regex::Regex::new(&source).unwrap();
            prop_assert_eq!(glob(&pattern, &text), regex.is_match(&text));
        }
    }
}
