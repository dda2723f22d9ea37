//! Intrinsic functions: from a template's value to the plain value that a service is called with.
//!
//! Follows "Intrinsic function reference". Total: depth is bounded, and so is the text that one [`Resolver`] may produce,
//! since nested `Fn::Sub` and `Fn::Join` can double their result at each level.

use std::cell::Cell;
use std::collections::BTreeMap;

use base64::Engine as _;
use serde_json::{Map, Value};

use super::dependencies::bad_get_att;
use super::sub::{Part, parts};
use super::{MAX_DEPTH, Template, format_error, scalar_text, template_error, validation_error};
use crate::{Error, Result};

/// How many bytes of text the functions of one template may produce: ours, far above what 1 MiB of template needs.
pub const MAX_PRODUCED_BYTES: usize = 16 * 1024 * 1024;
/// What AWS says of a key that a mapping does not have; the key follows.
pub(crate) const NO_MAPPING: &str = "Unable to get mapping for";
/// The most blocks that `Fn::Cidr` makes (its reference page).
const MAX_CIDR_BLOCKS: u128 = 256;

/// What the template cannot know by itself.
pub trait Lookup {
    /// `Ref`: a parameter's value, a pseudo parameter, or a resource's physical id. `None` if there is no such name.
    fn reference(&self, name: &str) -> Option<Value>;
    /// `Fn::GetAtt`.
    ///
    /// # Errors
    /// AWS's text if the resource or its attribute does not exist.
    fn attribute(&self, resource: &str, attribute: &str) -> Result<Value>;
    /// `Fn::ImportValue`: the value that another stack of the account and region exports.
    fn import(&self, name: &str) -> Option<Value>;
    /// `Fn::FindInMap`.
    fn mapping(&self, map: &str, top_level: &str, second_level: &str) -> Option<Value>;
    /// `Fn::If`: whether the condition holds.
    fn condition(&self, name: &str) -> Option<bool>;
    /// `Fn::GetAZs`: the zones of a region, in order; the empty name stands for the stack's region.
    fn zones(&self, region: &str) -> Vec<String>;
}

/// The pseudo parameters of a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pseudo {
    /// `AWS::AccountId`.
    pub account_id: String,
    /// `AWS::Region`.
    pub region: String,
    /// `AWS::Partition`, such as `aws`.
    pub partition: String,
    /// `AWS::URLSuffix`, such as `amazonaws.com`.
    pub url_suffix: String,
    /// `AWS::StackName`.
    pub stack_name: String,
    /// `AWS::StackId`.
    pub stack_id: String,
    /// `AWS::NotificationARNs`.
    pub notification_arns: Vec<String>,
}

impl Pseudo {
    /// The value of a pseudo parameter; `AWS::NoValue` has none.
    pub fn get(&self, name: &str) -> Option<Value> {
        Some(match name {
            "AWS::AccountId" => self.account_id.as_str().into(),
            "AWS::Region" => self.region.as_str().into(),
            "AWS::Partition" => self.partition.as_str().into(),
            "AWS::URLSuffix" => self.url_suffix.as_str().into(),
            "AWS::StackName" => self.stack_name.as_str().into(),
            "AWS::StackId" => self.stack_id.as_str().into(),
            "AWS::NotificationARNs" => self.notification_arns.iter().map(String::as_str).collect(),
            _ => return None,
        })
    }
}

/// What the stack knows of its resources and of other stacks.
pub trait Resources {
    /// The physical id that `Ref` of a resource gives.
    fn physical_id(&self, logical_id: &str) -> Option<Value>;
    /// The attribute that `Fn::GetAtt` gives.
    ///
    /// # Errors
    /// AWS's text if there is no such attribute.
    fn attribute(&self, logical_id: &str, attribute: &str) -> Result<Value>;
    /// An export of the account and region.
    fn export(&self, name: &str) -> Option<Value>;
    /// The zones of a region; the empty name stands for the stack's region.
    fn zones(&self, region: &str) -> Vec<String>;
}

/// The usual [`Lookup`]: everything that a stack has at hand.
pub struct Scope<'a> {
    /// The template, for its mappings.
    pub template: &'a Template,
    /// Of [`super::parameters::values`].
    pub parameters: &'a Map<String, Value>,
    /// The pseudo parameters.
    pub pseudo: &'a Pseudo,
    /// Of [`super::conditions::evaluate`]; empty while that runs.
    pub conditions: &'a BTreeMap<String, bool>,
    /// The stack's resources and other stacks.
    pub resources: &'a dyn Resources,
}

impl Lookup for Scope<'_> {
    fn reference(&self, name: &str) -> Option<Value> {
        let own = self.parameters.get(name).cloned().or_else(|| self.pseudo.get(name));
        own.or_else(|| self.resources.physical_id(name))
    }

    fn attribute(&self, resource: &str, attribute: &str) -> Result<Value> {
        self.resources.attribute(resource, attribute)
    }

    fn import(&self, name: &str) -> Option<Value> {
        self.resources.export(name)
    }

    fn mapping(&self, map: &str, top_level: &str, second_level: &str) -> Option<Value> {
        self.template.mappings.get(map)?.get(top_level)?.get(second_level).cloned()
    }

    fn condition(&self, name: &str) -> Option<bool> {
        self.conditions.get(name).copied()
    }

    fn zones(&self, region: &str) -> Vec<String> {
        self.resources.zones(region)
    }
}

/// Evaluates every function in a value. Members and items that come to `AWS::NoValue` are left out; a value that is
/// itself `AWS::NoValue` comes to null.
///
/// # Errors
/// `ValidationError` with AWS's text for misused functions and unknown names; `NotImplemented` for
/// functions that Garoa refuses.
pub fn resolve(value: &Value, lookup: &dyn Lookup) -> Result<Value> {
    Resolver::new(lookup).resolve(value)
}

/// Evaluates the values of one template within one budget of produced text.
pub struct Resolver<'a> {
    lookup: &'a dyn Lookup,
    produced: Cell<usize>,
}

impl<'a> Resolver<'a> {
    /// A resolver that has produced nothing yet.
    pub fn new(lookup: &'a dyn Lookup) -> Self {
        Self { lookup, produced: Cell::new(0) }
    }

    /// As [`resolve`].
    ///
    /// # Errors
    /// As [`resolve`].
    pub fn resolve(&self, value: &Value) -> Result<Value> {
        Ok(self.value(value, 0)?.unwrap_or(Value::Null))
    }

    /// `None` is `AWS::NoValue`.
    fn value(&self, value: &Value, depth: usize) -> Result<Option<Value>> {
        // What SAM generates nests deeper than its source, hence twice the depth of a template's text.
        if depth > 2 * MAX_DEPTH {
            return Err(format_error(format!("collections may nest {MAX_DEPTH} levels deep.")));
        }
        match value {
            Value::Array(items) => {
                let items = items.iter().filter_map(|item| self.value(item, depth + 1).transpose());
                Ok(Some(Value::Array(items.collect::<Result<_>>()?)))
            }
            Value::Object(members) => {
                let function = members.iter().find(|(name, _)| *name == "Ref" || name.starts_with("Fn::"));
                match function {
                    Some((name, argument)) if members.len() == 1 => self.function(name, argument, depth + 1),
                    Some((name, _)) if name != "Ref" => {
                        Err(template_error(format!("{name} must be the only member of its object")))
                    }
                    _ => self.members(members, depth).map(Some),
                }
            }
            plain => Ok(Some(plain.clone())),
        }
    }

    fn members(&self, members: &Map<String, Value>, depth: usize) -> Result<Value> {
        let mut resolved = Map::new();
        for (name, member) in members {
            if let Some(value) = self.value(member, depth + 1)? {
                resolved.insert(name.clone(), value);
            }
        }
        Ok(Value::Object(resolved))
    }

    fn function(&self, name: &str, argument: &Value, depth: usize) -> Result<Option<Value>> {
        let items = argument.as_array().map_or(&[] as &[Value], Vec::as_slice);
        let value = match (name, items) {
            ("Ref", _) => return self.reference(argument),
            ("Fn::If", _) => return self.choose(items, depth),
            ("Fn::GetAtt", [resource, attribute]) => {
                let resource = resource.as_str().ok_or_else(bad_get_att)?;
                self.lookup.attribute(resource, &self.text(attribute, depth).map_err(|_| bad_get_att())?)?
            }
            ("Fn::GetAtt", _) => return Err(bad_get_att()),
            ("Fn::Sub", _) => self.sub(argument, depth)?,
            ("Fn::Join", [delimiter, list]) => self.join(delimiter, list, depth)?,
            ("Fn::Split", [delimiter, text]) => self.split(delimiter, text, depth)?,
            ("Fn::Select", [index, list]) => self.select(index, list, depth)?,
            ("Fn::FindInMap", [map, top, second]) => self.find_in_map(map, top, second, depth)?,
            ("Fn::FindInMap", [map, top, second, Value::Object(more)]) if more.contains_key("DefaultValue") => {
                match self.find_in_map(map, top, second, depth) {
                    Err(error) if error.message().contains(NO_MAPPING) => match more.get("DefaultValue") {
                        Some(default) => return self.value(default, depth),
                        None => return Err(error),
                    },
                    found => found?,
                }
            }
            ("Fn::Length", _) => match self.value(argument, depth)? {
                Some(Value::Array(items)) => items.len().into(),
                _ => return Err(misused(name)),
            },
            ("Fn::ToJsonString", _) if argument.is_object() || argument.is_array() => {
                let value = self.value(argument, depth)?.unwrap_or(Value::Null);
                self.produce(value.to_string())?
            }
            ("Fn::Base64", _) => {
                let text = self
                    .text(argument, depth)
                    .map_err(|_| template_error("every Fn::Base64 object must have a String-typed value."))?;
                self.produce(base64::engine::general_purpose::STANDARD.encode(text))?
            }
            ("Fn::ImportValue", _) => {
                let name = self.text(argument, depth)?;
                let value = self.lookup.import(&name);
                value.ok_or_else(|| validation_error(format!("No export named {name} found")))?
            }
            ("Fn::GetAZs", _) => {
                let region = self.text(argument, depth)?;
                self.lookup.zones(&region).into_iter().map(Value::from).collect()
            }
            ("Fn::Cidr", [block, count] | [block, count, _]) => {
                let bits = items.get(2).map(|bits| self.text(bits, depth)).transpose()?;
                cidr(&self.text(block, depth)?, &self.text(count, depth)?, bits.as_deref().unwrap_or("8"))?
            }
            _ => return Err(misused(name)),
        };
        Ok(Some(value))
    }

    fn reference(&self, argument: &Value) -> Result<Option<Value>> {
        let name =
            argument.as_str().ok_or_else(|| template_error("every Ref object must have a single String value."))?;
        if name == "AWS::NoValue" {
            return Ok(None);
        }
        self.lookup.reference(name).map(Some).ok_or_else(|| {
            format_error(format!("Unresolved resource dependencies [{name}] in the Resources block of the template"))
        })
    }

    /// Only the branch that holds is evaluated: the other may name resources that do not exist.
    fn choose(&self, items: &[Value], depth: usize) -> Result<Option<Value>> {
        let [Value::String(condition), then, otherwise] = items else { return Err(misused("Fn::If")) };
        let holds = self
            .lookup
            .condition(condition)
            .ok_or_else(|| template_error(format!("unresolved condition dependency {condition} in Fn::If")))?;
        self.value(if holds { then } else { otherwise }, depth)
    }

    fn sub(&self, argument: &Value, depth: usize) -> Result<Value> {
        let (text, own) = match argument {
            Value::String(text) => (text, None),
            Value::Array(items) => match items.as_slice() {
                [Value::String(text), Value::Object(own)] => (text, Some(own)),
                _ => return Err(misused("Fn::Sub")),
            },
            _ => return Err(misused("Fn::Sub")),
        };
        let mut values: BTreeMap<&str, String> = BTreeMap::new();
        let mut result = String::new();
        for part in parts(text)? {
            match part {
                Part::Text(text) => result.push_str(text),
                Part::Literal(text) => result.push_str(&["${", text, "}"].concat()),
                Part::Variable(name) => {
                    if !values.contains_key(name) {
                        values.insert(name, self.variable(name, own, depth)?);
                    }
                    result.push_str(values.get(name).map_or("", String::as_str));
                }
            }
            self.within_budget(result.len())?;
        }
        self.produce(result)
    }

    fn variable(&self, name: &str, own: Option<&Map<String, Value>>, depth: usize) -> Result<String> {
        if let Some(value) = own.and_then(|own| own.get(name)) {
            return self.text(value, depth);
        }
        let value = match name.split_once('.') {
            Some((resource, attribute)) => self.lookup.attribute(resource, attribute)?,
            None => self.reference(&name.into())?.unwrap_or(Value::Null),
        };
        scalar_text(&value).ok_or_else(|| {
            template_error(format!("variable {name} in Fn::Sub expression does not resolve to a string"))
        })
    }

    fn join(&self, delimiter: &Value, list: &Value, depth: usize) -> Result<Value> {
        let Value::String(delimiter) = delimiter else { return Err(misused("Fn::Join")) };
        let list = self.value(list, depth)?;
        let Some(Value::Array(items)) = list else { return Err(misused("Fn::Join")) };
        let mut result = String::new();
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                result.push_str(delimiter);
            }
            result.push_str(&scalar_text(item).ok_or_else(|| misused("Fn::Join"))?);
            self.within_budget(result.len())?;
        }
        self.produce(result)
    }

    fn split(&self, delimiter: &Value, text: &Value, depth: usize) -> Result<Value> {
        let delimiter = delimiter.as_str().filter(|d| !d.is_empty()).ok_or_else(|| misused("Fn::Split"))?;
        let text =
            self.text(text, depth).map_err(|error| if error.status() == 501 { error } else { misused("Fn::Split") })?;
        // A list costs more than its text: each item is a value of its own.
        self.spend(text.len().saturating_mul(4))?;
        Ok(text.split(delimiter).collect())
    }

    fn select(&self, index: &Value, list: &Value, depth: usize) -> Result<Value> {
        let index = self.text(index, depth).map_err(|_| misused("Fn::Select"))?;
        let Some(Value::Array(mut items)) = self.value(list, depth)? else { return Err(misused("Fn::Select")) };
        let place = index.trim().parse::<usize>().map_err(|_| misused("Fn::Select"))?;
        if place < items.len() {
            return Ok(items.swap_remove(place));
        }
        Err(template_error(format!("Fn::Select cannot select nonexistent value at index {index}")))
    }

    fn find_in_map(&self, map: &Value, top: &Value, second: &Value, depth: usize) -> Result<Value> {
        let (map, top) = (self.text(map, depth)?, self.text(top, depth)?);
        let second = self.text(second, depth)?;
        let found = self.lookup.mapping(&map, &top, &second);
        found.ok_or_else(|| template_error(format!("{NO_MAPPING} {map}::{top}::{second}")))
    }

    /// A value that must come to a scalar.
    fn text(&self, value: &Value, depth: usize) -> Result<String> {
        let value = self.value(value, depth)?.unwrap_or(Value::Null);
        scalar_text(&value).ok_or_else(|| template_error("a function's argument does not resolve to a string"))
    }

    fn produce(&self, text: String) -> Result<Value> {
        self.spend(text.len())?;
        Ok(Value::String(text))
    }

    fn spend(&self, bytes: usize) -> Result<()> {
        self.within_budget(bytes)?;
        self.produced.set(self.produced.get().saturating_add(bytes));
        Ok(())
    }

    fn within_budget(&self, bytes: usize) -> Result<()> {
        if self.produced.get().saturating_add(bytes) <= MAX_PRODUCED_BYTES {
            return Ok(());
        }
        Err(template_error(format!("the template's functions produce more than {MAX_PRODUCED_BYTES} bytes of text")))
    }
}

/// AWS's complaint about a function that is used wrongly, refused, or unknown.
pub(super) fn misused(name: &str) -> Error {
    template_error(match name {
        "Fn::Sub" => {
            "One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first \
             argument, and an optional second argument to specify a mapping of values to replace in the string"
        }
        "Fn::Join" => {
            "every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be \
             joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."
        }
        "Fn::Split" => {
            "every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a \
             function that returns a string to be split."
        }
        "Fn::Select" => "Fn::Select requires a list argument with two elements: an integer index and a list",
        "Fn::FindInMap" => {
            "every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value"
        }
        "Fn::If" => "Fn::If requires a list argument with the first element being a condition",
        "Fn::Cidr" => {
            "every Fn::Cidr object requires two or three parameters, the IP block, the count and the cidr bits"
        }
        "Fn::And" | "Fn::Or" | "Fn::Not" | "Fn::Equals" => {
            return template_error(format!("{name} is only supported in the Conditions block"));
        }
        "Fn::Transform" => {
            return Error::not_implemented(format_args!("CloudFormation's function {name}"));
        }
        "Fn::Length" => "Fn::Length requires a list, or a function that gives one",
        "Fn::ToJsonString" => "Fn::ToJsonString requires an object or a list",
        name => return template_error(format!("Encountered unsupported function: {name}")),
    })
}

/// The first `count` blocks of `bits` host bits within an IPv4 or IPv6 block.
fn cidr(block: &str, count: &str, bits: &str) -> Result<Value> {
    let wrong = || template_error(format!("Fn::Cidr cannot make {count} blocks of {bits} bits from {block}"));
    let (address, prefix) = block.split_once('/').ok_or_else(wrong)?;
    let address: std::net::IpAddr = address.parse().map_err(|_| wrong())?;
    let (number, width) = match address {
        std::net::IpAddr::V4(address) => (u128::from(u32::from(address)), 32_u32),
        std::net::IpAddr::V6(address) => (u128::from(address), 128),
    };
    let number_of = |text: &str| text.parse::<u32>().map_err(|_| wrong());
    let (prefix, bits) = (number_of(prefix)?, number_of(bits)?);
    let count = u128::from(number_of(count)?);
    let inside = width.checked_sub(prefix).and_then(|inside| inside.checked_sub(bits)).ok_or_else(wrong)?;
    let fits = bits < 128 && (inside >= 9 || count <= 1 << inside);
    if !fits || count == 0 || count > MAX_CIDR_BLOCKS {
        return Err(wrong());
    }
    let network = number.checked_shr(width - prefix).and_then(|high| high.checked_shl(width - prefix)).unwrap_or(0);
    let block = |index: u128| {
        let start = network | index << bits;
        let address = if width == 32 {
            std::net::IpAddr::from(std::net::Ipv4Addr::from(u32::try_from(start).unwrap_or(u32::MAX)))
        } else {
            std::net::IpAddr::from(std::net::Ipv6Addr::from(start))
        };
        Value::String(format!("{address}/{}", width - bits))
    };
    Ok((0..count).map(block).collect())
}
