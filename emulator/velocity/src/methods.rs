//! Properties and methods of values: those of Java's strings, numbers, lists and maps that templates use.

use std::cell::RefCell;
use std::rc::Rc;

use indexmap::IndexMap;

use crate::value::List;
use crate::{Error, OUTPUT_LIMIT, Value};

/// How many elements a list, and entries a map, may have; ours.
const SIZE_LIMIT: usize = 100_000;

/// `$value.name`; null where there is no such property.
pub(crate) fn property(value: &Value, name: &str) -> Value {
    match value {
        Value::Map(entries) => match entries.borrow().get(name) {
            Some(value) => value.clone(),
            None if name == "empty" => Value::Boolean(entries.borrow().is_empty()),
            None => Value::Null,
        },
        Value::List(elements) if name == "empty" => Value::Boolean(elements.borrow().is_empty()),
        Value::Text(text) if name == "empty" => Value::Boolean(text.is_empty()),
        Value::Object(object) => object.property(name).unwrap_or(Value::Null),
        _ => Value::Null,
    }
}

/// `$value[index]`; null where there is nothing.
pub(crate) fn element(value: &Value, index: &Value) -> Value {
    match (value, index) {
        (Value::List(elements), Value::Integer(index)) => {
            let elements = elements.borrow();
            usize::try_from(*index).ok().and_then(|index| elements.get(index).cloned()).unwrap_or(Value::Null)
        }
        (Value::Map(entries), key) => entries.borrow().get(&key.text()).cloned().unwrap_or(Value::Null),
        (Value::Object(object), key) => object.property(&key.text()).unwrap_or(Value::Null),
        _ => Value::Null,
    }
}

/// `$value.name(arguments)`.
pub(crate) fn call(value: &Value, name: &str, arguments: &[Value]) -> Result<Value, Error> {
    let unknown = || Error::Method(format!("{} has no method {name} of {} arguments", value.kind(), arguments.len()));
    let called = match (name, arguments) {
        ("toString", []) => Some(Value::from(value.text())),
        ("equals", [other]) => Some(Value::Boolean(value == other)),
        _ => match value {
            Value::Text(text) => of_text(text, name, arguments)?,
            Value::List(elements) => of_list(elements, name, arguments)?,
            Value::Map(entries) => of_map(entries, name, arguments)?,
            Value::Integer(_) | Value::Float(_) => of_number(value, name, arguments),
            Value::Object(object) => Some(object.call(name, arguments)?),
            Value::Null | Value::Boolean(_) => None,
        },
    };
    match called.ok_or_else(unknown)? {
        Value::Text(text) if text.len() > OUTPUT_LIMIT => Err(Error::Limit("10 MiB of text")),
        value => Ok(value),
    }
}

fn of_number(value: &Value, name: &str, arguments: &[Value]) -> Option<Value> {
    match (name, arguments, value) {
        ("intValue" | "longValue", [], Value::Float(number)) => Some(Value::Integer(*number as i64)),
        ("intValue" | "longValue", [], whole) => Some(whole.clone()),
        ("doubleValue" | "floatValue", [], Value::Integer(number)) => Some(Value::Float(*number as f64)),
        ("doubleValue" | "floatValue", [], float) => Some(float.clone()),
        // `$number.parseInt('5')`: the static methods of Java's Integer are reached through any number.
        ("parseInt" | "parseLong" | "valueOf", [Value::Text(text)], Value::Integer(_)) => {
            Some(text.trim().parse().map_or(Value::Null, Value::Integer))
        }
        ("parseDouble" | "parseFloat" | "valueOf", [Value::Text(text)], Value::Float(_)) => {
            Some(text.trim().parse().map_or(Value::Null, Value::Float))
        }
        ("compareTo", [other], value) => {
            let order = crate::arithmetic::binary(crate::ast::Operator::Less, value, other);
            Some(Value::Integer(if value == other { 0 } else { 1 - 2 * i64::from(order.is_true()) }))
        }
        _ => None,
    }
}

fn of_text(text: &str, name: &str, arguments: &[Value]) -> Result<Option<Value>, Error> {
    let found = match (name, arguments) {
        ("length", []) => Value::Integer(text.encode_utf16().count() as i64),
        ("isEmpty", []) => Value::Boolean(text.is_empty()),
        ("isBlank", []) => Value::Boolean(text.trim().is_empty()),
        ("trim" | "strip", []) => Value::from(text.trim()),
        ("toLowerCase", []) => Value::from(text.to_lowercase()),
        ("toUpperCase", []) => Value::from(text.to_uppercase()),
        ("contains", [Value::Text(part)]) => Value::Boolean(text.contains(&**part)),
        ("startsWith", [Value::Text(part)]) => Value::Boolean(text.starts_with(&**part)),
        ("endsWith", [Value::Text(part)]) => Value::Boolean(text.ends_with(&**part)),
        ("equalsIgnoreCase", [Value::Text(other)]) => Value::Boolean(text.to_lowercase() == other.to_lowercase()),
        ("compareTo", [Value::Text(other)]) => Value::Integer(text.cmp(other) as i64),
        ("concat", [other]) => Value::from(format!("{text}{}", other.text())),
        ("indexOf", [Value::Text(part)]) => place(text, text.find(&**part)),
        ("lastIndexOf", [Value::Text(part)]) => place(text, text.rfind(&**part)),
        ("charAt", [Value::Integer(at)]) => slice(text, *at, Some(at.saturating_add(1)))?,
        ("substring", [Value::Integer(from)]) => slice(text, *from, None)?,
        ("substring", [Value::Integer(from), Value::Integer(to)]) => slice(text, *from, Some(*to))?,
        ("replace", [Value::Text(old), new]) => {
            let new = new.text();
            let count = text.matches(&**old).count();
            if count.saturating_mul(new.len()) > OUTPUT_LIMIT {
                return Err(Error::Limit("10 MiB of text"));
            }
            Value::from(text.replace(&**old, &new))
        }
        ("replaceAll", [Value::Text(pattern), new]) => Value::from(replaced(text, pattern, &new.text(), 0)?),
        ("replaceFirst", [Value::Text(pattern), new]) => Value::from(replaced(text, pattern, &new.text(), 1)?),
        ("matches", [Value::Text(pattern)]) => Value::Boolean(compiled(&format!("^(?:{pattern})$"))?.is_match(text)),
        ("split", [Value::Text(pattern)]) => split(text, pattern)?,
        _ => return Ok(None),
    };
    Ok(Some(found))
}

/// Java counts in UTF-16 units.
fn place(text: &str, at: Option<usize>) -> Value {
    let before = at.and_then(|at| text.get(..at));
    Value::Integer(before.map_or(-1, |before| before.encode_utf16().count() as i64))
}

fn slice(text: &str, from: i64, to: Option<i64>) -> Result<Value, Error> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let to = to.unwrap_or(units.len() as i64);
    let range = usize::try_from(from).ok().zip(usize::try_from(to).ok());
    let part = range.and_then(|(from, to)| units.get(from..to));
    let part = part.ok_or_else(|| Error::Method(format!("a text of {} has no part {from} to {to}", units.len())))?;
    Ok(Value::from(String::from_utf16_lossy(part)))
}

fn compiled(pattern: &str) -> Result<regex::Regex, Error> {
    regex::RegexBuilder::new(pattern)
        .size_limit(1 << 20)
        .build()
        .map_err(|error| Error::Method(format!("the regular expression {pattern}: {error}")))
}

/// Java's replacements name groups as `$1` and escape by a backslash.
fn replaced(text: &str, pattern: &str, replacement: &str, limit: usize) -> Result<String, Error> {
    let pattern = compiled(pattern)?;
    let mut expansion = String::new();
    let mut letters = replacement.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('$') => expansion.push_str("$$"),
                other => expansion.extend(other),
            },
            '$' => {
                let mut group = String::new();
                while let Some(digit) = letters.next_if(char::is_ascii_digit) {
                    group.push(digit);
                }
                if group.is_empty() {
                    return Err(Error::Method(format!("`$` names no group in the replacement {replacement}")));
                }
                expansion.push_str(&format!("${{{group}}}"));
            }
            other => expansion.push(other),
        }
    }
    let matches = pattern.find_iter(text).count();
    if matches.saturating_mul(expansion.len().saturating_add(text.len())) > OUTPUT_LIMIT {
        return Err(Error::Limit("10 MiB of text"));
    }
    Ok(pattern.replacen(text, limit, &*expansion).into_owned())
}

/// As Java splits: empty texts at the end are dropped.
fn split(text: &str, pattern: &str) -> Result<Value, Error> {
    let mut parts: Vec<&str> = compiled(pattern)?.split(text).collect();
    if parts.len() > 1 && parts.first() == Some(&"") && pattern.is_empty() {
        parts.remove(0);
    }
    while parts.len() > 1 && parts.last() == Some(&"") {
        parts.pop();
    }
    if parts.len() > SIZE_LIMIT {
        return Err(Error::Limit("100,000 elements"));
    }
    Ok(Value::list(parts.into_iter().map(Value::from).collect()))
}

fn of_list(list: &List, name: &str, arguments: &[Value]) -> Result<Option<Value>, Error> {
    let at = |index: &Value| match index {
        Value::Integer(index) => usize::try_from(*index).ok().filter(|index| *index < list.borrow().len()),
        _ => None,
    };
    let missing = |index: &Value| Error::Method(format!("the list has no element {}", index.text()));
    let found = match (name, arguments) {
        ("size" | "length", []) => Value::Integer(list.borrow().len() as i64),
        ("isEmpty", []) => Value::Boolean(list.borrow().is_empty()),
        ("get", [index]) => {
            let place = at(index).ok_or_else(|| missing(index))?;
            list.borrow().get(place).cloned().unwrap_or(Value::Null)
        }
        ("add", [element]) => {
            list.borrow_mut().push(element.clone());
            Value::Boolean(true)
        }
        ("add", [index @ Value::Integer(place), element]) => {
            let place = usize::try_from(*place).ok().filter(|place| *place <= list.borrow().len());
            list.borrow_mut().insert(place.ok_or_else(|| missing(index))?, element.clone());
            Value::Null
        }
        ("addAll", [Value::List(more)]) => {
            let more = more.borrow().clone();
            list.borrow_mut().extend(more);
            Value::Boolean(true)
        }
        ("set", [index, element]) => {
            let place = at(index).ok_or_else(|| missing(index))?;
            list.borrow_mut().get_mut(place).map_or(Value::Null, |old| std::mem::replace(old, element.clone()))
        }
        ("remove", [index @ Value::Integer(_)]) => {
            let place = at(index).ok_or_else(|| missing(index))?;
            list.borrow_mut().remove(place)
        }
        ("remove", [element]) => {
            let place = list.borrow().iter().position(|each| each == element);
            if let Some(place) = place {
                list.borrow_mut().remove(place);
            }
            Value::Boolean(place.is_some())
        }
        ("contains", [element]) => Value::Boolean(list.borrow().contains(element)),
        ("indexOf", [element]) => {
            Value::Integer(list.borrow().iter().position(|each| each == element).map_or(-1, |place| place as i64))
        }
        ("clear", []) => {
            list.borrow_mut().clear();
            Value::Null
        }
        _ => return Ok(None),
    };
    if list.borrow().len() > SIZE_LIMIT {
        return Err(Error::Limit("100,000 elements"));
    }
    Ok(Some(found))
}

fn of_map(map: &Rc<RefCell<IndexMap<String, Value>>>, name: &str, arguments: &[Value]) -> Result<Option<Value>, Error> {
    let get = |key: &Value| map.borrow().get(&key.text()).cloned();
    let found = match (name, arguments) {
        ("size", []) => Value::Integer(map.borrow().len() as i64),
        ("isEmpty", []) => Value::Boolean(map.borrow().is_empty()),
        ("get", [key]) => get(key).unwrap_or(Value::Null),
        ("getOrDefault", [key, other]) => get(key).unwrap_or_else(|| other.clone()),
        ("put", [key, value]) => map.borrow_mut().insert(key.text(), value.clone()).unwrap_or(Value::Null),
        ("putAll", [Value::Map(more)]) => {
            let more = more.borrow().clone();
            map.borrow_mut().extend(more);
            Value::Null
        }
        ("remove", [key]) => map.borrow_mut().shift_remove(&key.text()).unwrap_or(Value::Null),
        ("containsKey", [key]) => Value::Boolean(get(key).is_some()),
        ("containsValue", [value]) => Value::Boolean(map.borrow().values().any(|each| each == value)),
        ("keySet", []) => Value::list(map.borrow().keys().map(|key| Value::from(&**key)).collect()),
        ("values", []) => Value::list(map.borrow().values().cloned().collect()),
        ("entrySet", []) => Value::list(map.borrow().iter().map(|(key, value)| entry(key, value)).collect()),
        // The entries that `entrySet` gives have these besides the properties.
        ("getKey", []) => get(&Value::from("key")).unwrap_or(Value::Null),
        ("getValue", []) => get(&Value::from("value")).unwrap_or(Value::Null),
        ("clear", []) => {
            map.borrow_mut().clear();
            Value::Null
        }
        _ => return Ok(None),
    };
    if map.borrow().len() > SIZE_LIMIT {
        return Err(Error::Limit("100,000 entries"));
    }
    Ok(Some(found))
}

fn entry(key: &str, value: &Value) -> Value {
    let entries = [("key".to_owned(), Value::from(key)), ("value".to_owned(), value.clone())];
    Value::map(entries.into_iter().collect())
}
