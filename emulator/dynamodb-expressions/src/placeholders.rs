//! `ExpressionAttributeNames` and `ExpressionAttributeValues`: what they stand for, and which were used.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::{AttributeValue, Error, Result};

/// The names and values that a request's expressions may refer to. One lives for the whole request.
#[derive(Debug, Default)]
pub struct Placeholders {
    names: BTreeMap<String, Entry<Arc<str>>>,
    values: BTreeMap<String, Entry<AttributeValue>>,
}

#[derive(Debug)]
struct Entry<T> {
    stands_for: T,
    used: bool,
}

impl Placeholders {
    /// Reads both members as they stand in the request: `{"#n": "name"}` and `{":v": {"S": "…"}}`.
    ///
    /// Errors: an empty map, a key that is not `#…` or `:…`, a value that is not valid.
    pub fn new(names: Option<&Map<String, Value>>, values: Option<&Map<String, Value>>) -> Result<Self> {
        let mut placeholders = Self::default();
        if let Some(names) = names {
            check_keys("ExpressionAttributeNames", '#', names)?;
            for (key, name) in names {
                let Some(name) = name.as_str().filter(|name| !name.is_empty()) else {
                    return Err(Error::validation(format!(
                        "ExpressionAttributeNames contains invalid value: Empty attribute name for key {key}"
                    )));
                };
                placeholders.names.insert(key.clone(), Entry { stands_for: Arc::from(name), used: false });
            }
        }
        if let Some(values) = values {
            check_keys("ExpressionAttributeValues", ':', values)?;
            for (key, value) in values {
                let value = AttributeValue::from_json(value).map_err(|error| {
                    error.within("ExpressionAttributeValues contains invalid value: ", &format!(" for key {key}"))
                })?;
                placeholders.values.insert(key.clone(), Entry { stands_for: value, used: false });
            }
        }
        Ok(placeholders)
    }

    /// The error for what no expression used. To be called after the last expression of the request.
    pub fn finish(&self) -> Result<()> {
        unused("ExpressionAttributeNames", &self.names)?;
        unused("ExpressionAttributeValues", &self.values)
    }

    /// The name that a placeholder stands for.
    pub(crate) fn name(&mut self, key: &str) -> Result<Arc<str>> {
        let entry = self.names.get_mut(key).ok_or_else(|| {
            Error::validation(format!(
                "An expression attribute name used in the document path is not defined; attribute name: {key}"
            ))
        })?;
        entry.used = true;
        Ok(entry.stands_for.clone())
    }

    /// The value that a placeholder stands for.
    pub(crate) fn value(&mut self, key: &str) -> Result<AttributeValue> {
        let entry = self.values.get_mut(key).ok_or_else(|| {
            Error::validation(format!(
                "An expression attribute value used in expression is not defined; attribute value: {key}"
            ))
        })?;
        entry.used = true;
        Ok(entry.stands_for.clone())
    }
}

fn check_keys(member: &str, sigil: char, map: &Map<String, Value>) -> Result<()> {
    if map.is_empty() {
        return Err(Error::validation(format!("{member} must not be empty")));
    }
    let is_key = |key: &str| {
        key.strip_prefix(sigil).is_some_and(|rest| {
            !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        })
    };
    match map.keys().find(|key| !is_key(key)) {
        Some(key) => Err(Error::validation(format!("{member} contains invalid key: Syntax error; key: \"{key}\""))),
        None => Ok(()),
    }
}

fn unused<T>(member: &str, entries: &BTreeMap<String, Entry<T>>) -> Result<()> {
    let unused: Vec<&str> = entries.iter().filter(|(_, entry)| !entry.used).map(|(key, _)| key.as_str()).collect();
    if unused.is_empty() {
        return Ok(());
    }
    Err(Error::validation(format!("Value provided in {member} unused in expressions: keys: {{{}}}", unused.join(", "))))
}
