//! A second, naive meaning of conditions, projections and updates, on the wire form itself: what the crate is held
//! against. It shares no code with it and takes no thought for speed.

use std::collections::BTreeMap;
use std::str::FromStr;

use base64::Engine;
use bigdecimal::BigDecimal;
use serde_json::{Map, Value, json};

pub type Wire = Map<String, Value>;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seg {
    Key(String),
    Idx(usize),
}

#[derive(Debug, Clone)]
pub enum Opd {
    Val(Value),
    At(Vec<Seg>),
    Size(Vec<Seg>),
}

#[derive(Debug, Clone)]
pub enum Cond {
    Cmp(&'static str, Opd, Opd),
    Between(Opd, Opd, Opd),
    In(Opd, Vec<Opd>),
    Exists(bool, Vec<Seg>),
    Type(Opd, &'static str),
    Begins(Opd, Opd),
    Contains(Opd, Opd),
    Not(Box<Cond>),
    And(Vec<Cond>),
    Or(Vec<Cond>),
}

/// Turns models into the text of expressions, with placeholders for values.
#[derive(Debug, Default)]
pub struct Text {
    pub values: Wire,
}

pub fn path_text(path: &[Seg]) -> String {
    let mut text = String::new();
    for seg in path {
        match seg {
            Seg::Key(key) if text.is_empty() => text.push_str(key),
            Seg::Key(key) => text.push_str(&format!(" . {key}")),
            Seg::Idx(index) => text.push_str(&format!("[ {index} ]")),
        }
    }
    text
}

impl Text {
    pub fn value(&mut self, value: &Value) -> String {
        let key = format!(":v{}", self.values.len());
        self.values.insert(key.clone(), value.clone());
        key
    }

    fn opd(&mut self, opd: &Opd) -> String {
        match opd {
            Opd::Val(value) => self.value(value),
            Opd::At(path) => path_text(path),
            Opd::Size(path) => format!("size ({})", path_text(path)),
        }
    }

    /// Parts are put in parentheses unless they are simple, so that none are redundant.
    pub fn cond(&mut self, cond: &Cond) -> String {
        match cond {
            Cond::Cmp(op, a, b) => format!("{} {op} {}", self.opd(a), self.opd(b)),
            Cond::Between(a, b, c) => format!("{} between {} AND {}", self.opd(a), self.opd(b), self.opd(c)),
            Cond::In(a, list) => {
                let a = self.opd(a);
                let list: Vec<String> = list.iter().map(|one| self.opd(one)).collect();
                format!("{a} IN ({})", list.join(", "))
            }
            Cond::Exists(true, path) => format!("attribute_exists({})", path_text(path)),
            Cond::Exists(false, path) => format!("attribute_not_exists({})", path_text(path)),
            Cond::Type(a, name) => format!("attribute_type({}, {})", self.opd(a), self.value(&json!({"S": name}))),
            Cond::Begins(a, b) => format!("begins_with({}, {})", self.opd(a), self.opd(b)),
            Cond::Contains(a, b) => format!("contains({}, {})", self.opd(a), self.opd(b)),
            Cond::Not(a) => format!("NOT ({})", self.cond(a)),
            Cond::And(list) => self.joined(list, " and "),
            Cond::Or(list) => self.joined(list, " OR "),
        }
    }

    fn joined(&mut self, list: &[Cond], word: &str) -> String {
        let parts: Vec<String> = list
            .iter()
            .map(|one| match one {
                Cond::And(_) | Cond::Or(_) => format!("({})", self.cond(one)),
                simple => self.cond(simple),
            })
            .collect();
        parts.join(word)
    }
}

pub fn kind(value: &Value) -> &str {
    value.as_object().unwrap().keys().next().unwrap()
}

fn inner(value: &Value) -> &Value {
    value.as_object().unwrap().values().next().unwrap()
}

fn number(value: &Value) -> BigDecimal {
    BigDecimal::from_str(value.as_str().unwrap()).unwrap()
}

fn blob(value: &Value) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(value.as_str().unwrap()).unwrap()
}

pub fn at<'a>(item: &'a Wire, path: &[Seg]) -> Option<&'a Value> {
    let Seg::Key(head) = &path[0] else { return None };
    let mut found = item.get(head)?;
    for seg in &path[1..] {
        found = match seg {
            Seg::Key(key) => found.get("M")?.get(key)?,
            Seg::Idx(index) => found.get("L")?.get(index)?,
        };
    }
    Some(found)
}

/// Equal as DynamoDB sees it: numbers by value, sets in any order.
pub fn same(a: &Value, b: &Value) -> bool {
    if kind(a) != kind(b) {
        return false;
    }
    let (x, y) = (inner(a), inner(b));
    let in_any_order = |equal: &dyn Fn(&Value, &Value) -> bool| {
        let (x, y) = (x.as_array().unwrap(), y.as_array().unwrap());
        x.len() == y.len() && x.iter().all(|one| y.iter().any(|other| equal(one, other)))
    };
    match kind(a) {
        "N" => number(x) == number(y),
        "NS" => in_any_order(&|p, q| number(p) == number(q)),
        "SS" | "BS" => in_any_order(&|p, q| p == q),
        "L" => {
            let (x, y) = (x.as_array().unwrap(), y.as_array().unwrap());
            x.len() == y.len() && x.iter().zip(y).all(|(p, q)| same(p, q))
        }
        "M" => same_items(x.as_object().unwrap(), y.as_object().unwrap()),
        _ => x == y,
    }
}

pub fn same_items(a: &Wire, b: &Wire) -> bool {
    a.len() == b.len() && a.iter().all(|(name, value)| b.get(name).is_some_and(|other| same(value, other)))
}

fn order(a: &Value, b: &Value) -> Option<std::cmp::Ordering> {
    match (kind(a), kind(b)) {
        ("S", "S") => Some(inner(a).as_str()?.as_bytes().cmp(inner(b).as_str()?.as_bytes())),
        ("N", "N") => Some(number(inner(a)).cmp(&number(inner(b)))),
        ("B", "B") => Some(blob(inner(a)).cmp(&blob(inner(b)))),
        _ => None,
    }
}

fn size(value: &Value) -> Option<usize> {
    match kind(value) {
        "S" => Some(inner(value).as_str()?.len()),
        "B" => Some(blob(inner(value)).len()),
        "M" => Some(inner(value).as_object()?.len()),
        "L" | "SS" | "NS" | "BS" => Some(inner(value).as_array()?.len()),
        _ => None,
    }
}

fn eval(item: &Wire, opd: &Opd) -> Option<Value> {
    match opd {
        Opd::Val(value) => Some(value.clone()),
        Opd::At(path) => at(item, path).cloned(),
        Opd::Size(path) => Some(json!({"N": size(at(item, path)?)?.to_string()})),
    }
}

fn compared(op: &str, a: Option<Value>, b: Option<Value>) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return op == "<>" };
    match op {
        "=" => same(&a, &b),
        "<>" => !same(&a, &b),
        "<" => order(&a, &b).is_some_and(|o| o.is_lt()),
        "<=" => order(&a, &b).is_some_and(|o| o.is_le()),
        ">" => order(&a, &b).is_some_and(|o| o.is_gt()),
        _ => order(&a, &b).is_some_and(|o| o.is_ge()),
    }
}

pub fn holds(item: &Wire, cond: &Cond) -> bool {
    match cond {
        Cond::Cmp(op, a, b) => compared(op, eval(item, a), eval(item, b)),
        Cond::Between(a, b, c) => {
            compared(">=", eval(item, a), eval(item, b)) && compared("<=", eval(item, a), eval(item, c))
        }
        Cond::In(a, list) => list.iter().any(|one| compared("=", eval(item, a), eval(item, one))),
        Cond::Exists(wanted, path) => at(item, path).is_some() == *wanted,
        Cond::Type(a, name) => eval(item, a).is_some_and(|value| kind(&value) == *name),
        Cond::Begins(a, b) => match (eval(item, a), eval(item, b)) {
            (Some(a), Some(b)) if kind(&a) == "S" && kind(&b) == "S" => {
                inner(&a).as_str().unwrap().starts_with(inner(&b).as_str().unwrap())
            }
            (Some(a), Some(b)) if kind(&a) == "B" && kind(&b) == "B" => blob(inner(&a)).starts_with(&blob(inner(&b))),
            _ => false,
        },
        Cond::Contains(a, b) => match (eval(item, a), eval(item, b)) {
            (Some(a), Some(b)) => contains(&a, &b),
            _ => false,
        },
        Cond::Not(a) => !holds(item, a),
        Cond::And(list) => list.iter().all(|one| holds(item, one)),
        Cond::Or(list) => list.iter().any(|one| holds(item, one)),
    }
}

fn contains(a: &Value, b: &Value) -> bool {
    match (kind(a), kind(b)) {
        ("S", "S") => inner(a).as_str().unwrap().contains(inner(b).as_str().unwrap()),
        ("B", "B") => {
            let (whole, part) = (blob(inner(a)), blob(inner(b)));
            (0..=whole.len()).any(|start| whole[start..].starts_with(&part))
        }
        ("L", _) => inner(a).as_array().unwrap().iter().any(|one| same(one, b)),
        (set @ ("SS" | "NS" | "BS"), one) if &set[..1] == one => {
            inner(a).as_array().unwrap().iter().any(|element| same(&json!({one: element}), b))
        }
        _ => false,
    }
}

#[derive(Debug, Clone)]
pub enum Act {
    Set(Vec<Expr>),
    Remove,
    Add(Value),
    Delete(Value),
}

/// One operand, or two to be added.
#[derive(Debug, Clone)]
pub enum Expr {
    Val(Value),
    At(Vec<Seg>),
    IfNot(Vec<Seg>, Value),
}

pub type Acts = Vec<(Vec<Seg>, Act)>;

impl Text {
    fn expr(&mut self, expr: &Expr) -> String {
        match expr {
            Expr::Val(value) => self.value(value),
            Expr::At(path) => path_text(path),
            Expr::IfNot(path, value) => format!("if_not_exists({}, {})", path_text(path), self.value(value)),
        }
    }

    pub fn update(&mut self, acts: &Acts) -> String {
        let mut sections: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (path, act) in acts {
            let path = path_text(path);
            let (section, text) = match act {
                Act::Set(exprs) => {
                    let parts: Vec<String> = exprs.iter().map(|one| self.expr(one)).collect();
                    ("SET", format!("{path} = {}", parts.join(" + ")))
                }
                Act::Remove => ("remove", path),
                Act::Add(value) => ("ADD", format!("{path} {}", self.value(value))),
                Act::Delete(value) => ("Delete", format!("{path} {}", self.value(value))),
            };
            sections.entry(section).or_default().push(text);
        }
        let parts: Vec<String> = sections.iter().map(|(name, acts)| format!("{name} {}", acts.join(", "))).collect();
        parts.join("\n")
    }
}

/// True if one path leads through another, or both into one document in two ways.
pub fn clash(acts: &Acts) -> bool {
    acts.iter().enumerate().any(|(n, (a, _))| {
        acts[..n].iter().any(|(b, _)| {
            let shared = a.iter().zip(b).take_while(|(x, y)| x == y).count();
            !matches!(
                (a.get(shared), b.get(shared)),
                (Some(Seg::Key(_)), Some(Seg::Key(_))) | (Some(Seg::Idx(_)), Some(Seg::Idx(_)))
            )
        })
    })
}

/// The item afterwards; none if DynamoDB refuses.
pub fn update(item: &Wire, acts: &Acts) -> Option<Wire> {
    let whole = json!({"M": item});
    let acts: Vec<(&[Seg], &Act)> = acts.iter().map(|(path, act)| (&path[..], act)).collect();
    rebuilt(item, Some(&whole), &acts)?.map(|whole| whole["M"].as_object().unwrap().clone())
}

/// What becomes of a value under the actions whose paths lead to or into it.
fn rebuilt(item: &Wire, value: Option<&Value>, acts: &[(&[Seg], &Act)]) -> Option<Option<Value>> {
    let Some((first, act)) = acts.first() else { return Some(value.cloned()) };
    let Some(step) = first.first() else { return acted(item, value, act) };
    let into = |seg: &Seg| -> Vec<(&[Seg], &Act)> {
        acts.iter().filter(|(path, _)| &path[0] == seg).map(|(path, act)| (&path[1..], *act)).collect()
    };
    let mut segs: Vec<&Seg> = acts.iter().map(|(path, _)| &path[0]).collect();
    segs.sort();
    segs.dedup();
    let value = value?;
    match step {
        Seg::Key(_) => {
            let mut map = value.get("M")?.as_object()?.clone();
            for seg in segs {
                let Seg::Key(key) = seg else { return None };
                match rebuilt(item, map.get(key), &into(seg))? {
                    Some(new) => drop(map.insert(key.clone(), new)),
                    None => drop(map.remove(key)),
                }
            }
            Some(Some(json!({"M": map})))
        }
        Seg::Idx(_) => {
            let old = value.get("L")?.as_array()?;
            let mut list = Vec::new();
            for (index, element) in old.iter().enumerate() {
                list.extend(rebuilt(item, Some(element), &into(&Seg::Idx(index)))?);
            }
            for seg in segs {
                if matches!(seg, Seg::Idx(index) if *index >= old.len()) {
                    list.extend(rebuilt(item, None, &into(seg))?);
                }
            }
            Some(Some(json!({"L": list})))
        }
    }
}

fn acted(item: &Wire, value: Option<&Value>, act: &Act) -> Option<Option<Value>> {
    match (act, value) {
        (Act::Remove, _) | (Act::Delete(_), None) => Some(None),
        (Act::Set(exprs), _) => {
            let mut values = exprs.iter().map(|expr| match expr {
                Expr::Val(value) => Some(value.clone()),
                Expr::At(path) => at(item, path).cloned(),
                Expr::IfNot(path, value) => Some(at(item, path).unwrap_or(value).clone()),
            });
            let first = values.next()??;
            match values.next() {
                None => Some(Some(first)),
                Some(second) => Some(Some(added(&first, &second?)?)),
            }
        }
        (Act::Add(new), None) => Some(Some(new.clone())),
        (Act::Add(new), Some(old)) if kind(old) == "N" => added(old, new).map(Some),
        (Act::Add(new), Some(old)) => {
            let (mut list, fresh) = (elements(old, new)?.clone(), elements(new, old)?);
            list.extend(fresh.iter().filter(|one| !among(kind(old), elements(old, new).unwrap(), one)).cloned());
            Some(Some(json!({kind(old): list})))
        }
        (Act::Delete(gone), Some(old)) => {
            let (list, gone) = (elements(old, gone)?, elements(gone, old)?);
            let left: Vec<&Value> = list.iter().filter(|one| !among(kind(old), gone, one)).collect();
            Some((!left.is_empty()).then(|| json!({kind(old): left})))
        }
    }
}

fn elements<'a>(one: &'a Value, other: &Value) -> Option<&'a Vec<Value>> {
    (kind(one) == kind(other) && kind(one).len() == 2).then(|| inner(one).as_array().unwrap())
}

fn among(set: &str, list: &[Value], one: &Value) -> bool {
    list.iter().any(|other| same(&json!({&set[..1]: other}), &json!({&set[..1]: one})))
}

fn added(a: &Value, b: &Value) -> Option<Value> {
    if kind(a) != "N" || kind(b) != "N" {
        return None;
    }
    Some(json!({"N": (number(inner(a)) + number(inner(b))).to_plain_string()}))
}

/// What the paths leave of an item.
pub fn project(item: &Wire, paths: &[Vec<Seg>]) -> Wire {
    let whole = json!({"M": item});
    let paths: Vec<&[Seg]> = paths.iter().map(Vec::as_slice).collect();
    part(&whole, &paths).map_or_else(Wire::new, |part| part["M"].as_object().unwrap().clone())
}

fn part(value: &Value, paths: &[&[Seg]]) -> Option<Value> {
    if paths.iter().any(|path| path.is_empty()) {
        return Some(value.clone());
    }
    let into =
        |seg: &Seg| -> Vec<&[Seg]> { paths.iter().filter(|path| &path[0] == seg).map(|path| &path[1..]).collect() };
    if let Some(map) = value.get("M") {
        let parts: Wire = map
            .as_object()?
            .iter()
            .filter_map(|(key, value)| {
                let paths = into(&Seg::Key(key.clone()));
                (!paths.is_empty()).then(|| part(value, &paths)).flatten().map(|part| (key.clone(), part))
            })
            .collect();
        return (!parts.is_empty()).then(|| json!({"M": parts}));
    }
    let parts: Vec<Value> = value
        .get("L")?
        .as_array()?
        .iter()
        .enumerate()
        .filter_map(|(index, value)| {
            let paths = into(&Seg::Idx(index));
            (!paths.is_empty()).then(|| part(value, &paths)).flatten()
        })
        .collect();
    (!parts.is_empty()).then(|| json!({"L": parts}))
}
