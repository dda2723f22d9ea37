//! Filters of `ListSecrets` and `BatchGetSecretValue`.
//!
//! <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Filter.html>: names, tags and regions are
//! compared from their beginning; descriptions, and whatever `all` looks at, word by word and in any case.

use serde::Deserialize;

use super::store::{Secret, invalid_parameter};
use crate::Result;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Filter {
    key: Option<String>,
    values: Option<Vec<String>>,
}

/// Filters that were looked at: a secret must match each of them, by one of its values.
pub(super) struct Matcher<'a>(Vec<(Key, &'a [String])>);

#[derive(Clone, Copy)]
enum Key {
    Name,
    Description,
    NameOfTag,
    ValueOfTag,
    PrimaryRegion,
    OwningService,
    All,
}

/// The tag by which AWS's services mark the secrets that they manage.
const OWNING_SERVICE: &str = "aws:secretsmanager:owningService";

impl<'a> Matcher<'a> {
    pub fn new(filters: &'a [Filter]) -> Result<Self> {
        filters.iter().map(Filter::check).collect::<Result<_>>().map(Self)
    }

    pub fn matches(&self, secret: &Secret) -> bool {
        self.0.iter().all(|(key, values)| values.iter().any(|value| key.matches(value, secret)))
    }
}

impl Filter {
    fn check(&self) -> Result<(Key, &[String])> {
        let name = self.key.as_deref().ok_or_else(|| invalid_parameter("Invalid filter key"))?;
        let key = match name {
            "name" => Key::Name,
            "description" => Key::Description,
            "tag-key" => Key::NameOfTag,
            "tag-value" => Key::ValueOfTag,
            "primary-region" => Key::PrimaryRegion,
            "owning-service" => Key::OwningService,
            // The model knows no other.
            _ => Key::All,
        };
        match self.values.as_deref() {
            Some(values) if !values.is_empty() => Ok((key, values)),
            _ => Err(invalid_parameter(format!("Invalid filter values for key: {name}"))),
        }
    }
}

impl Key {
    /// A value that begins with an exclamation mark matches what the rest of it does not.
    fn matches(self, value: &str, secret: &Secret) -> bool {
        match value.strip_prefix('!') {
            Some(value) => !self.finds(value, secret),
            None => self.finds(value, secret),
        }
    }

    fn finds(self, value: &str, secret: &Secret) -> bool {
        let mut tags = secret.tags.iter().flatten();
        match self {
            Self::Name => secret.name.starts_with(value),
            Self::Description => secret.description.as_deref().is_some_and(|text| has_words(&[text], value)),
            Self::NameOfTag => tags.any(|tag| tag.key.starts_with(value)),
            Self::ValueOfTag => tags.any(|tag| tag.value.starts_with(value)),
            Self::PrimaryRegion => primary_region(secret).is_some_and(|region| region.starts_with(value)),
            Self::OwningService => tags.any(|tag| tag.key == OWNING_SERVICE && tag.value.starts_with(value)),
            Self::All => {
                let mut texts = vec![&*secret.name];
                texts.extend(secret.description.as_deref());
                texts.extend(primary_region(secret));
                texts.extend(tags.flat_map(|tag| [tag.key.as_str(), tag.value.as_str()]));
                has_words(&texts, value)
            }
        }
    }
}

/// Only a secret that is replicated has one.
fn primary_region(secret: &Secret) -> Option<&str> {
    secret.primary_region.as_deref()
}

/// True if each word of a value begins a word of the texts.
fn has_words(texts: &[&str], value: &str) -> bool {
    let found: Vec<String> = texts.iter().flat_map(|text| words(text)).collect();
    let wanted = words(value);
    !wanted.is_empty() && wanted.iter().all(|wanted| found.iter().any(|word| word.starts_with(wanted.as_str())))
}

/// The words of a text in lower case: AWS divides at what is no letter or digit, and before the capital that begins a
/// word (`myTest`, `HTTPServer`).
fn words(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let mut words = Vec::new();
    let mut word = String::new();
    for (position, &character) in characters.iter().enumerate() {
        if !character.is_alphanumeric() {
            words.push(std::mem::take(&mut word));
            continue;
        }
        let before = position.checked_sub(1).and_then(|before| characters.get(before)).copied().unwrap_or(' ');
        let after = characters.get(position + 1).copied().unwrap_or(' ');
        let begins = character.is_uppercase() && (!before.is_uppercase() || after.is_lowercase());
        if begins {
            words.push(std::mem::take(&mut word));
        }
        word.extend(character.to_lowercase());
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_begin_at_capitals_and_behind_signs() {
        for (text, expected) in [
            ("my test", vec!["my", "test"]),
            ("MyTest/Phrase2", vec!["my", "test", "phrase2"]),
            ("COMPANYthings", vec!["compan", "ythings"]),
            ("COMPANY", vec!["company"]),
            ("+", vec![]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }
}
