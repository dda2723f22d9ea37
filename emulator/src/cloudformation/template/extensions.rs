//! The transform `AWS::LanguageExtensions`: loops (`Fn::ForEach`) are unrolled, and functions of which everything is known are
//! evaluated, before the template is read. `Fn::Length`, `Fn::ToJsonString` and the default of `Fn::FindInMap`, which it brings as
//! well, are in `resolve.rs`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/transform-aws-languageextensions.html>

use std::cell::Cell;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::resolve::{Lookup, Resolver};
use super::{MAX_DEPTH, call, format_error, scalar_text, template_error, validation_error};
use crate::{Error, Result};

/// The name of the transform.
pub(crate) const EXTENSIONS: &str = "AWS::LanguageExtensions";
/// What the names of loops begin with.
const LOOP: &str = "Fn::ForEach::";
/// Where there may be loops.
const SECTIONS: [&str; 3] = ["Conditions", "Resources", "Outputs"];
/// Functions that are evaluated where that is possible. The others mean something by themselves.
const EVALUATED: [&str; 8] =
    ["Fn::Base64", "Fn::FindInMap", "Fn::Join", "Fn::Length", "Fn::Select", "Fn::Split", "Fn::Sub", "Fn::ToJsonString"];
/// How many members loops may make: ours, far above the resources that a template may have.
const MAX_MADE: usize = 10_000;

/// The values of loops' identifiers.
type Bound = BTreeMap<String, String>;

/// Leaves out the loops of a template of which no values are known; says whether there were any.
pub(super) fn strip(sections: &mut Map<String, Value>) -> bool {
    let mut found = false;
    for name in SECTIONS {
        let Some(members) = sections.get_mut(name).and_then(Value::as_object_mut) else { continue };
        let before = members.len();
        members.retain(|name, _| !name.starts_with(LOOP));
        found |= members.len() < before;
    }
    found
}

/// Refuses what a template may use only with the transform, or not at all here.
pub(super) fn refuse(value: &Value, extended: bool, depth: usize) -> Result<()> {
    if depth > MAX_DEPTH {
        return Ok(());
    }
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| refuse(item, extended, depth + 1)),
        Value::Object(members) => members.iter().try_for_each(|(name, member)| match name.as_str() {
            "Fn::Length" | "Fn::ToJsonString" if !extended => Err(unsupported(name)),
            _ if !extended && name.starts_with(LOOP) => Err(unsupported(name)),
            _ => refuse(member, extended, depth + 1),
        }),
        _ => Ok(()),
    }
}

fn unsupported(name: &str) -> Error {
    template_error(format!(
        "Encountered unsupported function: {name} Supported functions are: [Fn::Base64, Fn::GetAtt, Fn::GetAZs, Fn::ImportValue, \
         Fn::Join, Fn::Split, Fn::FindInMap, Fn::Select, Ref, Fn::Equals, Fn::If, Fn::Not, Condition, Fn::And, Fn::Or, \
         Fn::Contains, Fn::EachMemberEquals, Fn::EachMemberIn, Fn::ValueOf, Fn::ValueOfAll, Fn::RefAll, Fn::Sub, Fn::Cidr]"
    ))
}

/// Applies the transform. `lookup` answers for parameters and mappings, and for nothing that is yet to be made.
///
/// # Errors
/// `ValidationError` for a loop that is not formed as one, and for members that it makes twice.
pub(super) fn expand(mut template: Value, lookup: &dyn Lookup) -> Result<Value> {
    let work = Work { resolver: Resolver::new(lookup), made: Cell::new(0) };
    for name in SECTIONS {
        if let Some(section) = template.get_mut(name) {
            *section = work.value(section, &Bound::new(), 0)?;
        }
    }
    Ok(template)
}

struct Work<'a> {
    resolver: Resolver<'a>,
    made: Cell<usize>,
}

impl Work<'_> {
    fn value(&self, value: &Value, bound: &Bound, depth: usize) -> Result<Value> {
        if depth > MAX_DEPTH {
            return Err(format_error(format!("collections may nest {MAX_DEPTH} levels deep.")));
        }
        match value {
            Value::String(text) => Ok(substituted(text, bound).into()),
            Value::Array(items) => items.iter().map(|item| self.value(item, bound, depth + 1)).collect(),
            Value::Object(members) => {
                let named = call(value).filter(|(name, _)| *name == "Ref").and_then(|(_, name)| name.as_str());
                if let Some(text) = named.and_then(|name| bound.get(name)) {
                    return Ok(text.as_str().into());
                }
                let mut made = Map::new();
                self.members(members, bound, depth, &mut made)?;
                Ok(self.evaluated(Value::Object(made)))
            }
            plain => Ok(plain.clone()),
        }
    }

    fn members(
        &self,
        members: &Map<String, Value>,
        bound: &Bound,
        depth: usize,
        made: &mut Map<String, Value>,
    ) -> Result<()> {
        for (name, member) in members {
            if name.starts_with(LOOP) {
                self.unroll(name, member, bound, depth + 1, made)?;
                continue;
            }
            let name = substituted(name, bound);
            let value = self.value(member, bound, depth + 1)?;
            self.made.set(self.made.get() + 1);
            if self.made.get() > MAX_MADE && !bound.is_empty() {
                return Err(failed(format!("its loops make more than {MAX_MADE} members")));
            }
            if made.insert(name.clone(), value).is_some() {
                return Err(failed(format!("Duplicate key {name}")));
            }
        }
        Ok(())
    }

    fn unroll(
        &self,
        name: &str,
        argument: &Value,
        bound: &Bound,
        depth: usize,
        made: &mut Map<String, Value>,
    ) -> Result<()> {
        let wrong = || failed(format!("{name} layout is incorrect"));
        let Some([Value::String(identifier), items, Value::Object(fragment)]) = argument.as_array().map(Vec::as_slice)
        else {
            return Err(wrong());
        };
        if depth > MAX_DEPTH {
            return Err(wrong());
        }
        let items = self.resolver.resolve(&self.value(items, bound, depth)?).map_err(|_| wrong())?;
        for item in items.as_array().ok_or_else(wrong)? {
            // A parameter among the items may be a list itself.
            let parts = item.as_array().map_or_else(|| std::slice::from_ref(item), Vec::as_slice);
            for part in parts {
                let mut inner = bound.clone();
                inner.insert(identifier.clone(), scalar_text(part).ok_or_else(wrong)?);
                self.members(fragment, &inner, depth, made)?;
            }
        }
        Ok(())
    }

    /// What the value comes to, if all that it needs is known.
    fn evaluated(&self, value: Value) -> Value {
        let is_evaluated = call(&value).is_some_and(|(name, _)| EVALUATED.contains(&name));
        let result = if is_evaluated { self.resolver.resolve(&value).ok() } else { None };
        result.unwrap_or(value)
    }
}

/// `${Identifier}` becomes the value, `&{Identifier}` its letters and digits.
fn substituted(text: &str, bound: &Bound) -> String {
    let mut text = text.to_owned();
    for (name, value) in bound {
        text = text.replace(&format!("${{{name}}}"), value);
        let plain: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
        text = text.replace(&format!("&{{{name}}}"), &plain);
    }
    text
}

fn failed(text: impl std::fmt::Display) -> Error {
    validation_error(format!("Transform {EXTENSIONS} failed with: {text}"))
}
