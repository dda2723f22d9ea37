//! Statements as the other operations' expressions: names and values become placeholders, so that both mean the same.

use dynamodb_expressions::{AttributeValue, Item, KeyCondition, KeyValue, SortCondition};
use serde_json::{Value, json};

use super::lexer::malformed;
use super::statement::{Change, Condition, Operand, Path, Step};
use crate::Result;
use crate::dynamodb::errors::validation;
use crate::dynamodb::parameters::Json;
use crate::dynamodb::schema::KeySchema;

/// The placeholders of the expressions that are being written.
#[derive(Default)]
pub(super) struct Writer {
    pub names: Json,
    pub values: Json,
}

impl Writer {
    fn name(&mut self, name: &str) -> String {
        if let Some((known, _)) = self.names.iter().find(|(_, known)| known.as_str() == Some(name)) {
            return known.clone();
        }
        let placeholder = format!("#n{}", self.names.len());
        self.names.insert(placeholder.clone(), Value::from(name));
        placeholder
    }

    fn value(&mut self, value: &AttributeValue) -> String {
        let placeholder = format!(":v{}", self.values.len());
        self.values.insert(placeholder.clone(), value.to_json());
        placeholder
    }

    pub fn path(&mut self, path: &Path) -> String {
        let mut text = String::new();
        for (place, step) in path.iter().enumerate() {
            match step {
                Step::Name(name) => {
                    text.push_str(if place > 0 { "." } else { "" });
                    text.push_str(&self.name(name));
                }
                Step::Place(number) => text.push_str(&format!("[{number}]")),
            }
        }
        text
    }

    fn operand(&mut self, operand: &Operand) -> String {
        match operand {
            Operand::Path(path) => self.path(path),
            Operand::Value(value) => self.value(value),
            Operand::Call(name, arguments) => self.call(&name.to_ascii_lowercase(), arguments),
        }
    }

    fn call(&mut self, name: &str, arguments: &[Operand]) -> String {
        let arguments: Vec<String> = arguments.iter().map(|argument| self.operand(argument)).collect();
        format!("{name}({})", arguments.join(", "))
    }

    /// A condition as a filter or condition expression. The parser has limited its depth.
    pub fn condition(&mut self, condition: &Condition) -> String {
        match condition {
            Condition::All(parts) => self.joined(parts, " AND "),
            Condition::Any(parts) => self.joined(parts, " OR "),
            Condition::Not(inner) => match &**inner {
                Condition::Missing(path) => format!("attribute_exists({})", self.path(path)),
                inner => format!("NOT ({})", self.condition(inner)),
            },
            Condition::Compare(symbol, left, right) => {
                format!("{} {symbol} {}", self.operand(left), self.operand(right))
            }
            Condition::Between(value, low, high) => {
                format!("{} BETWEEN {} AND {}", self.operand(value), self.operand(low), self.operand(high))
            }
            Condition::In(value, list) => {
                let value = self.operand(value);
                let list: Vec<String> = list.iter().map(|each| self.operand(each)).collect();
                format!("{value} IN ({})", list.join(", "))
            }
            Condition::Missing(path) => format!("attribute_not_exists({})", self.path(path)),
            Condition::Null(path) => format!("{} = {}", self.path(path), self.value(&AttributeValue::Null)),
            Condition::Call(name, arguments) => self.call(name, arguments),
        }
    }

    fn joined(&mut self, parts: &[Condition], word: &str) -> String {
        let parts: Vec<String> = parts
            .iter()
            .map(|part| match part {
                Condition::All(_) | Condition::Any(_) => format!("({})", self.condition(part)),
                part => self.condition(part),
            })
            .collect();
        parts.join(word)
    }

    /// Changes as an update expression: each section once, with all that it changes.
    pub fn update(&mut self, changes: &[Change]) -> String {
        let mut sections: [(&str, Vec<String>); 4] =
            [("SET", vec![]), ("REMOVE", vec![]), ("ADD", vec![]), ("DELETE", vec![])];
        for change in changes {
            let (section, text) = match change {
                Change::Set(path, operand, None) => ("SET", format!("{} = {}", self.path(path), self.operand(operand))),
                Change::Set(path, operand, Some((sign, other))) => {
                    let text =
                        format!("{} = {} {sign} {}", self.path(path), self.operand(operand), self.operand(other));
                    ("SET", text)
                }
                Change::Remove(path) => ("REMOVE", self.path(path)),
                Change::Elements(section, path, elements) => {
                    (*section, format!("{} {}", self.path(path), self.value(elements)))
                }
            };
            if let Some((_, texts)) = sections.iter_mut().find(|(name, _)| *name == section) {
                texts.push(text);
            }
        }
        let written = sections.iter().filter(|(_, texts)| !texts.is_empty());
        written.map(|(name, texts)| format!("{name} {}", texts.join(", "))).collect::<Vec<_>>().join(" ")
    }

    /// Adds the placeholders to a request.
    pub fn put_into(self, request: &mut Value) {
        if !self.names.is_empty() {
            request["ExpressionAttributeNames"] = json!(self.names);
        }
        if !self.values.is_empty() {
            request["ExpressionAttributeValues"] = json!(self.values);
        }
    }
}

/// What a condition says of a key, and what it says besides.
pub(super) struct Keyed<'a> {
    /// The partition, if all of its key is given, and the stretch of it.
    pub key: Option<KeyCondition>,
    pub rest: Vec<&'a Condition>,
}

/// Takes from a condition what it says of a key: the parts that must all hold.
pub(super) fn keyed<'a>(condition: Option<&'a Condition>, key: &KeySchema) -> Keyed<'a> {
    let parts: Vec<&Condition> = match condition {
        None => Vec::new(),
        Some(Condition::All(parts)) => parts.iter().collect(),
        Some(one) => vec![one],
    };
    let mut hash: Vec<Option<KeyValue>> = key.hash_attributes().map(|_| None).collect();
    let (mut sort, mut rest) = (None, Vec::new());
    for part in parts {
        if let Condition::Compare("=", Operand::Path(path), Operand::Value(value)) = part
            && let Some(place) = key.hash_attributes().position(|attribute| is_name(path, &attribute.name))
            && let Some(given @ None) = hash.get_mut(place)
            && let Ok(value) = KeyValue::try_from(value)
        {
            *given = Some(value);
        } else if let (None, Some(range)) = (&sort, &key.range)
            && let Some(condition) = sort_condition(part, &range.name)
        {
            sort = Some(condition);
        } else {
            rest.push(part);
        }
    }
    let hash: Option<Vec<KeyValue>> = hash.into_iter().collect();
    Keyed { key: hash.map(|hash| KeyCondition { hash, prefix: Vec::new(), sort }), rest }
}

fn is_name(path: &Path, name: &str) -> bool {
    matches!(path.as_slice(), [Step::Name(only)] if only == name)
}

fn sort_condition(condition: &Condition, name: &str) -> Option<SortCondition> {
    let key = |operand: &Operand| match operand {
        Operand::Value(value) => KeyValue::try_from(value).ok(),
        Operand::Path(_) | Operand::Call(..) => None,
    };
    let is_sort = |operand: &Operand| matches!(operand, Operand::Path(path) if is_name(path, name));
    match condition {
        Condition::Compare(symbol, left, right) if is_sort(left) => {
            let value = key(right)?;
            Some(match *symbol {
                "=" => SortCondition::Equal(value),
                "<" => SortCondition::Less(value),
                "<=" => SortCondition::LessOrEqual(value),
                ">" => SortCondition::Greater(value),
                ">=" => SortCondition::GreaterOrEqual(value),
                _ => return None,
            })
        }
        Condition::Between(left, low, high) if is_sort(left) => {
            let (low, high) = (key(low)?, key(high)?);
            Some(SortCondition::Between(low, high))
        }
        Condition::Call(function, arguments) if function == "begins_with" => match arguments.as_slice() {
            [left, right] if is_sort(left) => Some(SortCondition::BeginsWith(key(right)?)),
            _ => None,
        },
        _ => None,
    }
}

/// The key that a change names, and the condition that it makes besides.
pub(super) fn whole_key<'a>(condition: Option<&'a Condition>, key: &KeySchema) -> Result<(Item, Vec<&'a Condition>)> {
    let keyed = keyed(condition, key);
    let incomplete = || validation("Where clause does not contain a mandatory equality on all key attributes");
    let found = keyed.key.ok_or_else(incomplete)?;
    let hash = found.hash.into_iter().map(Into::into);
    let mut item: Item = key.hash_attributes().map(|attribute| attribute.name.clone()).zip(hash).collect();
    match (&key.range, found.sort) {
        (None, _) => {}
        (Some(range), Some(SortCondition::Equal(value))) => {
            item.insert(range.name.clone(), value.into());
        }
        (Some(_), _) => return Err(incomplete()),
    }
    Ok((item, keyed.rest))
}

/// The attribute that a query is ordered by must be the sort key.
pub(super) fn check_order(order: &Path, key: &KeySchema) -> Result<()> {
    let is_key = key.names().any(|name| is_name(order, name));
    if is_key { Ok(()) } else { Err(malformed("ORDER BY takes attributes of the key")) }
}
