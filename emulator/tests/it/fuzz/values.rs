//! Inputs from the shapes of the models: mostly as they should be, and odd here and there.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fastrand::Rng;
use garoa::model::{Kind, Location, Member, Model, OperationModel, Shape};
use serde_json::{Map, Value, json};

use super::memory::{Memory, singular};
use super::odd::{self, Bait, NAMES, PLAIN};

/// The deepest that structures are filled: some hold themselves.
const DEPTH: u32 = 6;
/// 2026-01-01, when the cloud's time begins.
const START: i64 = 1_767_225_600;

const INTEGERS: &[i64] =
    &[0, -1, 1, 2, 100, 65536, i32::MAX as i64, i32::MIN as i64, i64::MAX, i64::MIN, 1 << 53, 253_402_300_800];
const SECONDS: &[f64] = &[
    0.0,
    -1.0,
    -62_135_596_801.0,
    253_402_300_799.0,
    253_402_300_800.0,
    9.3e15,
    -9.3e15,
    9.223372036854776e18,
    1e300,
    0.5,
];

/// What makes one input.
pub struct Maker<'a> {
    pub rng: &'a mut Rng,
    pub memory: &'a Memory,
    pub bait: &'a Bait,
    /// Members that were refused with 501: with them nothing else would be reached.
    pub refused: &'a BTreeSet<(&'static str, &'static str, String)>,
    pub service: &'static str,
    pub model: &'static Model,
    /// How often a value is odd, and how often a member that may be left out is there; of 100.
    pub oddness: u8,
    pub fullness: u8,
    /// Whether numbers may be texts and the like: what is no JSON is all text.
    pub is_json: bool,
}

impl Maker<'_> {
    pub fn input(&mut self, operation: &'static OperationModel) -> Map<String, Value> {
        let mut input = Map::new();
        for member in operation.input_members() {
            let is_refused =
                || self.refused.contains(&(operation.service, operation.name, member.name.to_ascii_lowercase()));
            let wanted = if member.required { !self.happens(self.oddness / 4) } else { self.happens(self.fullness) };
            // A label of a path cannot be left out.
            if member.location == Some(Location::Uri) || (wanted && (member.required || !is_refused())) {
                input.insert(member.name.to_owned(), self.value(member, member.name, DEPTH));
            }
        }
        input
    }

    /// An input like another one, with some of its values changed. `?` in it stands for what an answer told under the member's name,
    /// `?other` for what one told under another.
    pub fn like(&mut self, seed: &Map<String, Value>, changes: usize) -> Map<String, Value> {
        let mut input = Value::Object(seed.clone());
        self.fill(&mut input, "");
        for _ in 0..changes {
            self.change(&mut input, "");
        }
        let Value::Object(input) = input else { return seed.clone() };
        input
    }

    fn fill(&mut self, value: &mut Value, name: &str) {
        match value {
            Value::String(text) => {
                if let Some(other) = text.strip_prefix('?') {
                    let name = if other.is_empty() { name } else { other };
                    *value = self.memory.recall(self.rng, self.service, name).unwrap_or("none").into();
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.fill(value, singular(name))),
            Value::Object(members) => members.iter_mut().for_each(|(name, value)| self.fill(value, name)),
            _ => {}
        }
    }

    /// Changes one value somewhere in another.
    fn change(&mut self, value: &mut Value, name: &str) {
        match value {
            Value::Object(members) if !members.is_empty() && !self.swaps() => {
                let place = self.rng.usize(..members.len());
                let Some(name) = members.keys().nth(place).cloned() else { return };
                match self.rng.u8(..20) {
                    0 => drop(members.remove(&name)),
                    1 => drop(members.insert(odd::text(self.rng, self.bait, None, Some(20)), Value::from(1))),
                    _ => self.change(&mut members[&name], &name),
                }
            }
            Value::Array(values) if !values.is_empty() && !self.swaps() => {
                let place = self.rng.usize(..values.len());
                match self.rng.u8(..20) {
                    0 => values.clear(),
                    1 => values.extend(vec![values[place].clone(); self.rng.usize(..150)]),
                    _ => self.change(&mut values[place], name),
                }
            }
            Value::Bool(flag) if !self.swaps() => *flag = !*flag,
            Value::Number(_) => *value = (*self.rng.choice(INTEGERS).unwrap_or(&0)).into(),
            Value::String(text) => {
                *value = match self.rng.u8(..10) {
                    0 if self.is_json => self.stranger(3),
                    1 | 2 => self.memory.recall(self.rng, self.service, name).unwrap_or("none").into(),
                    3..6 => odd::text(self.rng, self.bait, None, None).into(),
                    _ => odd::mutated(self.rng, text).into(),
                };
            }
            other => *other = self.stranger(3),
        }
    }

    /// Whether a whole value is to become another kind of value, which what is no JSON cannot have.
    fn swaps(&mut self) -> bool {
        self.is_json && self.happens(4)
    }

    fn happens(&mut self, percent: u8) -> bool {
        self.rng.u8(..100) < percent
    }

    fn value(&mut self, member: &Member, name: &str, depth: u32) -> Value {
        let shape = self.model.shape(member.shape);
        let odd = self.happens(self.oddness);
        if odd && self.is_json && self.happens(15) {
            return self.stranger(depth);
        }
        if shape.document {
            return self.stranger(depth);
        }
        match &shape.kind {
            Kind::String => self.text(shape, name, odd).into(),
            Kind::Integer { .. } => self.integer(shape, odd).into(),
            Kind::Float if odd => match self.rng.u8(..8) {
                0 => "NaN".into(),
                1 => "-Infinity".into(),
                _ => json!(*self.rng.choice(&[0.0, -1.0, 1e308, -1e308, 5e-324, 0.1]).unwrap_or(&0.0)),
            },
            Kind::Float => self.rng.u8(..).into(),
            Kind::Boolean => self.rng.bool().into(),
            Kind::Blob => self.blob(name, odd),
            Kind::Timestamp if odd && !self.is_json => odd::text(self.rng, self.bait, None, None).into(),
            Kind::Timestamp => self.seconds(odd),
            Kind::List(element) => {
                let count = self.count(shape, odd, depth);
                (0..count).map(|_| self.value(element, singular(name), depth.saturating_sub(1))).collect()
            }
            Kind::Map(key, value) => {
                let count = self.count(shape, odd, depth);
                let mut entries = Map::new();
                for _ in 0..count {
                    let key = match self.value(key, "attributename", 0) {
                        Value::String(key) => key,
                        other => other.to_string(),
                    };
                    entries.insert(key, self.value(value, "attributevalue", depth.saturating_sub(1)));
                }
                entries.into()
            }
            Kind::Structure(structure) => {
                let mut members = Map::new();
                let one = shape.union.then(|| self.rng.usize(..structure.members.len().max(1)));
                for (place, member) in structure.members.iter().enumerate() {
                    let wanted = match one {
                        Some(one) => one == place || (odd && self.happens(10)),
                        None if member.required => !(odd && self.happens(30)),
                        None => depth > 0 && self.happens(self.fullness),
                    };
                    if wanted && (depth > 0 || !self.is_deep(member)) {
                        members
                            .insert(member.name.to_owned(), self.value(member, member.name, depth.saturating_sub(1)));
                    }
                }
                members.into()
            }
        }
    }

    fn is_deep(&self, member: &Member) -> bool {
        matches!(self.model.shape(member.shape).kind, Kind::Structure(_) | Kind::List(_) | Kind::Map(..))
    }

    fn text(&mut self, shape: &Shape, name: &str, odd: bool) -> String {
        if odd {
            let known = if self.rng.bool() { self.memory.recall(self.rng, self.service, name) } else { None };
            return match known {
                Some(known) => odd::mutated(self.rng, known),
                None => odd::text(self.rng, self.bait, shape.min, shape.max),
            };
        }
        if !shape.values.is_empty() {
            return self.rng.choice(&shape.values).map_or_else(String::new, |value| value.to_string());
        }
        let names_something = ["Id", "id", "Arn", "ARN", "Name", "Url", "Handle", "Token", "Iterator"];
        let often = if names_something.iter().any(|end| name.ends_with(end)) { 9 } else { 4 };
        if self.rng.u8(..10) < often
            && let Some(known) = self.memory.recall(self.rng, self.service, name)
        {
            return known.to_owned();
        }
        let lower = name.to_ascii_lowercase();
        if self.rng.u8(..10) < 8
            && let Some(document) = odd::document(self.rng, &lower)
        {
            return if self.happens(self.oddness) { odd::mutated(self.rng, document) } else { document.to_owned() };
        }
        let fits = |text: &str| {
            let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
            let within = length >= shape.min.unwrap_or(0) && length <= shape.max.unwrap_or(i64::MAX);
            within && shape.regex().is_none_or(|regex| regex.is_match(text))
        };
        let first = if self.rng.u8(..4) > 0 { NAMES } else { PLAIN };
        for candidates in [first, NAMES, PLAIN] {
            let fitting: Vec<_> = candidates.iter().filter(|text| fits(text)).collect();
            if let Some(text) = self.rng.choice(fitting) {
                return (*text).to_owned();
            }
        }
        "a".repeat(usize::try_from(shape.min.unwrap_or(1)).unwrap_or(1).min(4096))
    }

    fn integer(&mut self, shape: &Shape, odd: bool) -> i64 {
        let (min, max) = (shape.min.unwrap_or(0), shape.max.unwrap_or(100));
        if odd {
            return match self.rng.u8(..5) {
                0 => min.saturating_sub(1),
                1 => max.saturating_add(1),
                _ => *self.rng.choice(INTEGERS).unwrap_or(&0),
            };
        }
        match self.rng.u8(..4) {
            0 => min,
            1 => max,
            _ => self.rng.i64(min..=max.max(min).min(min.saturating_add(60))),
        }
    }

    fn seconds(&mut self, odd: bool) -> Value {
        if odd {
            return json!(*self.rng.choice(SECONDS).unwrap_or(&0.0));
        }
        json!(START + self.rng.i64(-90_000..90_000))
    }

    fn blob(&mut self, name: &str, odd: bool) -> Value {
        if odd && self.rng.bool() {
            return odd::text(self.rng, self.bait, None, None).into();
        }
        let lower = name.to_ascii_lowercase();
        let bytes = match odd::document(self.rng, &lower) {
            Some(text) if lower.contains("zip") => return text.into(),
            Some(text) => text.as_bytes().to_vec(),
            None => (0..self.rng.usize(..60)).map(|_| self.rng.u8(..)).collect(),
        };
        STANDARD.encode(bytes).into()
    }

    fn count(&mut self, shape: &Shape, odd: bool, depth: u32) -> usize {
        let min = usize::try_from(shape.min.unwrap_or(0)).unwrap_or(0);
        if depth == 0 || (odd && self.rng.bool()) {
            return min.saturating_sub(usize::from(odd)).min(20);
        }
        if odd && depth >= DEPTH - 1 && self.rng.u8(..8) == 0 {
            let max = usize::try_from(shape.max.unwrap_or(100)).unwrap_or(0);
            return max.saturating_add(1).min(300);
        }
        min.max(1) + self.rng.usize(..2)
    }

    /// Any JSON at all.
    fn stranger(&mut self, depth: u32) -> Value {
        match self.rng.u8(..10) {
            0 => Value::Null,
            1 => self.rng.bool().into(),
            2 => (*self.rng.choice(INTEGERS).unwrap_or(&0)).into(),
            3 => json!(1e308),
            4 => (0..100).fold(json!(1), |inner, _| json!([inner])),
            5 => (0..40).fold(json!({}), |inner, _| json!({ "a": inner })),
            6 if depth > 0 => (0..self.rng.usize(..4)).map(|_| self.stranger(depth - 1)).collect(),
            7 if depth > 0 => {
                let members = (0..self.rng.usize(..4))
                    .map(|_| (odd::text(self.rng, self.bait, None, Some(10)), self.stranger(depth - 1)));
                Value::Object(members.collect())
            }
            _ => odd::text(self.rng, self.bait, None, None).into(),
        }
    }
}
