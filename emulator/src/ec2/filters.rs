//! Filters of listings: all of them hold, of each one value; `*` and `?` stand for any characters and for one.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html>

use serde::Deserialize;
use serde_json::Value;

use super::invalid;
use crate::Result;

/// A filter has at most so many values.
const MAX_VALUES: usize = 200;

/// `Filter` of the model.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Filter {
    pub name: Option<String>,
    #[serde(default)]
    pub values: Vec<String>,
}

impl Filter {
    /// Refuses what is no filter of the listing.
    pub fn check(&self, known: &[(&str, &str)]) -> Result<()> {
        let Some(name) = self.name.as_deref() else { return Err(super::missing("Filter.1.Name")) };
        if self.values.len() > MAX_VALUES {
            let text = "The maximum number of filter values specified on a single call is 200";
            return Err(crate::Error::client("FilterLimitExceeded", text));
        }
        if self.values.is_empty() {
            return Err(invalid("The filter 'null' is invalid"));
        }
        let is_tag = name == "tag-key" || name == "tag-value" || name.starts_with("tag:");
        if is_tag || known.iter().any(|(filter, _)| *filter == name) {
            return Ok(());
        }
        Err(invalid(format!("The filter '{name}' is invalid")))
    }

    fn matches(&self, texts: &[String]) -> bool {
        self.values.iter().any(|pattern| texts.iter().any(|text| fits(pattern, text)))
    }
}

/// Whether a description passes all filters.
pub(super) fn is_wanted(shown: &Value, filters: &[Filter], known: &[(&str, &str)]) -> bool {
    filters.iter().all(|filter| {
        let name = filter.name.as_deref().unwrap_or_default();
        let mut texts = Vec::new();
        if let Some(key) = name.strip_prefix("tag:") {
            let tags = shown["Tags"].as_array().into_iter().flatten();
            tags.filter(|tag| tag["Key"] == key).for_each(|tag| collect(tag, "Value", &mut texts));
        } else {
            let path = match name {
                "tag-key" => "Tags.Key",
                "tag-value" => "Tags.Value",
                name => known.iter().find(|(filter, _)| *filter == name).map_or("", |(_, path)| path),
            };
            collect(shown, path, &mut texts);
        }
        filter.matches(&texts)
    })
}

/// All that stands at a path, through lists, as text.
fn collect(value: &Value, path: &str, texts: &mut Vec<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect(value, path, texts)),
        Value::Object(members) => {
            let (name, rest) = path.split_once('.').unwrap_or((path, ""));
            if let Some(value) = members.get(name) {
                collect(value, rest, texts);
            }
        }
        Value::Null => {}
        Value::String(text) => texts.push(text.clone()),
        other => texts.push(other.to_string()),
    }
}

/// Whether a text is as a pattern says, in which a backslash takes the meaning from what follows. Takes no longer than the product
/// of both lengths: of two stars, only the last is ever gone back to.
fn fits(pattern: &str, text: &str) -> bool {
    #[derive(PartialEq)]
    enum Part {
        Any,
        One,
        This(char),
    }
    let mut letters = pattern.chars();
    let mut parts = Vec::new();
    while let Some(letter) = letters.next() {
        parts.push(match letter {
            '*' => Part::Any,
            '?' => Part::One,
            '\\' => Part::This(letters.next().unwrap_or('\\')),
            letter => Part::This(letter),
        });
    }
    let text: Vec<char> = text.chars().collect();
    let (mut part, mut place, mut back) = (0, 0, None);
    while place < text.len() {
        match parts.get(part) {
            Some(Part::Any) => {
                back = Some((part, place));
                part += 1;
            }
            Some(other) if *other == Part::One || *other == Part::This(text[place]) => {
                part += 1;
                place += 1;
            }
            _ => {
                let Some((star, from)) = back else { return false };
                back = Some((star, from + 1));
                (part, place) = (star + 1, from + 1);
            }
        }
    }
    parts[part..].iter().all(|part| *part == Part::Any)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn patterns_have_wildcards_and_escapes() {
        assert!(fits("a*c", "abbc") && fits("*", "") && fits("a?c", "abc") && fits("*b*b", "abab"));
        assert!(!fits("a?c", "ac") && !fits("a", "A") && !fits("a*b", "abc"));
        assert!(fits(r"a\*", "a*") && !fits(r"a\*", "ab"));
    }
}
