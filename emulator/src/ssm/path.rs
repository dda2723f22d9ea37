//! `GetParametersByPath`: the values below a path.
//!
//! <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParametersByPath.html>

use std::ops::Bound;

use serde::{Deserialize, Serialize};

use super::Parameters;
use super::filter::{Filter, Matcher, Where};
use super::get::Shown;
use super::names::{arn, below};
use super::store::Parameter;
use crate::cloud::{Cx, Service, Target};
use crate::token;
use crate::{Error, Result};

/// A page holds at most so many.
const PAGE: usize = 10;

/// Adds the operation of this file.
pub(super) fn operations(service: Service<Parameters>) -> Service<Parameters> {
    service.op(
        "GetParametersByPath",
        |at, i: &ByPath| {
            let target = Target::on(arn(at.scope, i.path.strip_suffix('/').unwrap_or(&i.path)));
            target.context("ssm:Recursive", i.recursive.to_string())
        },
        by_path,
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ByPath {
    path: String,
    #[serde(default)]
    recursive: bool,
    #[serde(default)]
    parameter_filters: Vec<Filter>,
    #[serde(default)]
    with_decryption: bool,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    parameters: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn by_path(cx: &mut Cx<Parameters>, input: ByPath) -> Result<Page> {
    let prefix = below(&input.path)?;
    let matcher = Matcher::new(&input.parameter_filters, Where::Path)?;
    let start = input.next_token.as_deref().map(place).transpose()?;
    let size = input.max_results.unwrap_or(PAGE).min(PAGE);
    let mut walk =
        Walk { cx, prefix: &prefix, deep: input.recursive, at: start.map_or(Bound::Unbounded, Bound::Excluded) };
    let mut page = Page { parameters: Vec::new(), next_token: None };
    let mut last: Option<&String> = None;
    while let Some((key, parameter)) = walk.next() {
        let Some(version) = matcher.version(parameter)? else { continue };
        if page.parameters.len() == size {
            page.next_token = last.map(|place: &String| token::of_text(place));
            break;
        }
        let name = super::Name::of(&parameter.name);
        page.parameters.push(Shown::of(cx, &name, version, input.with_decryption)?);
        last = Some(key);
    }
    Ok(page)
}

/// The parameters below a path in their order. Of what lies deeper, where only one level is wanted, nothing but the first
/// parameter of each branch is looked at.
struct Walk<'a> {
    cx: &'a Cx<'a, Parameters>,
    prefix: &'a str,
    deep: bool,
    at: Bound<String>,
}

impl<'a> Walk<'a> {
    fn next(&mut self) -> Option<(&'a String, &'a Parameter)> {
        loop {
            let from = match &self.at {
                Bound::Excluded(key) => Bound::Excluded(key.as_str()),
                Bound::Included(key) => Bound::Included(key.as_str()),
                Bound::Unbounded => Bound::Included(self.prefix),
            };
            let (key, parameter) = self.cx.state.parameters.range::<_, str>((from, Bound::Unbounded)).next()?;
            let rest = key.strip_prefix(self.prefix)?;
            match rest.split_once('/').filter(|_| !self.deep) {
                None => {
                    self.at = Bound::Excluded(key.clone());
                    return Some((key, parameter));
                }
                // `0` comes right behind the slash: this is where the next branch begins.
                Some((level, _)) => self.at = Bound::Included(format!("{}{level}0", self.prefix)),
            }
        }
    }
}

/// Where a page begins: behind the parameter that the token names.
pub(super) fn place(token: &str) -> Result<String> {
    token::text(token).ok_or_else(|| Error::client("InvalidNextToken", "The specified token isn't valid."))
}
