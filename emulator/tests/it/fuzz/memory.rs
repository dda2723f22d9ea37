//! What answers told: ids, names, ARNs and tokens, by service and by the name that they came under.

use std::collections::BTreeMap;

use fastrand::Rng;
use regex::Regex;
use serde_json::Value;

/// The longest text that is worth keeping, and how many are kept of each name.
const LONGEST: usize = 4096;
const KEPT: usize = 12;

#[derive(Default)]
pub struct Memory(BTreeMap<String, BTreeMap<&'static str, Vec<String>>>);

impl Memory {
    /// Keeps the texts of an answer's body, which is JSON or XML. What is nameless in it is of the operation's noun: the `id` that
    /// `CreateRestApi` answers with is a `RestApiId`.
    pub fn learn(&mut self, rng: &mut Rng, service: &'static str, operation: &str, body: &[u8]) {
        let noun = operation[1..].find(|letter: char| letter.is_ascii_uppercase());
        let noun = noun.map_or("", |at| singular(&operation[at + 1..]));
        if let Ok(value) = serde_json::from_slice(body) {
            self.learn_value(rng, service, noun, &value);
        } else if let Ok(text) = std::str::from_utf8(body)
            && let Ok(leaf) = Regex::new("<([A-Za-z]+)>([^<]+)</")
        {
            for found in leaf.captures_iter(text).take(200) {
                let value = found[2].replace("&quot;", "\"").replace("&amp;", "&");
                self.keep(rng, service, &found[1], &value);
                self.keep(rng, service, &format!("{noun}{}", &found[1]), &value);
            }
        }
    }

    /// The same of a value that stands under a name, or is the input that led to an answer.
    pub fn learn_value(&mut self, rng: &mut Rng, service: &'static str, under: &str, value: &Value) {
        match value {
            Value::String(text) => self.keep(rng, service, under, text),
            Value::Array(values) => {
                values.iter().take(20).for_each(|value| self.learn_value(rng, service, singular(under), value));
            }
            Value::Object(members) => {
                for (name, value) in members.iter().take(50) {
                    // A list of items is still of what the operation is about.
                    let inner = if ["item", "items", "member"].contains(&name.as_str()) { under } else { name };
                    self.learn_value(rng, service, inner, value);
                    if let Value::String(text) = value {
                        self.keep(rng, service, &format!("{under}{name}"), text);
                    }
                }
            }
            _ => {}
        }
    }

    pub fn keep(&mut self, rng: &mut Rng, service: &'static str, name: &str, text: &str) {
        if text.is_empty() || text.len() > LONGEST {
            return;
        }
        for name in [name, last_word(name)] {
            let kept = self.0.entry(name.to_ascii_lowercase()).or_default().entry(service).or_default();
            if kept.iter().any(|known| known == text) {
                continue;
            }
            if kept.len() >= KEPT {
                kept.remove(rng.usize(..KEPT));
            }
            kept.push(text.to_owned());
        }
    }

    /// A text that came under this name or its last word, from this service rather than from others.
    pub fn recall(&self, rng: &mut Rng, service: &str, name: &str) -> Option<&str> {
        let known = |name: &str| self.0.get(&name.to_ascii_lowercase());
        let names = [Some(name), Some(last_word(name))].map(|name| name.and_then(known));
        let own = names.iter().flatten().find_map(|services| services.get(service));
        let kept = match own.filter(|_| rng.u8(..8) > 0) {
            Some(own) => own,
            None => {
                let services: Vec<_> = names.into_iter().flatten().next()?.values().collect();
                services[rng.usize(..services.len())]
            }
        };
        // What came last is most likely still there.
        if rng.bool() { kept.last() } else { kept.get(rng.usize(..kept.len())) }.map(String::as_str)
    }
}

/// `restApiId` ends with `Id`.
fn last_word(name: &str) -> &str {
    name.rfind(|letter: char| letter.is_ascii_uppercase()).map_or(name, |at| &name[at..])
}

pub fn singular(name: &str) -> &str {
    name.strip_suffix('s').unwrap_or(name)
}
