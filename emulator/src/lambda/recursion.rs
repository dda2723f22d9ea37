//! What becomes of functions that call each other in a circle: a setting that is kept. Garoa does not look for such circles; a run
//! that does not end is stopped by its clock's limits.
//! <https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html>

use serde::{Deserialize, Serialize};

use super::functions::find_mut;
use super::{Functions, on};
use crate::Result;
use crate::cloud::{Cx, Service};

/// What a function has that says nothing.
const DEFAULT: &str = "Terminate";

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Functions>) -> Service<Functions> {
    service.op("PutFunctionRecursionConfig", |at, i: &Put| on(at, &i.function_name), put).op(
        "GetFunctionRecursionConfig",
        |at, i: &Of| on(at, &i.function_name),
        get,
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    function_name: String,
    recursive_loop: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Of {
    function_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    recursive_loop: String,
}

fn put(cx: &mut Cx<Functions>, input: Put) -> Result<Config> {
    find_mut(cx, &input.function_name)?.recursive_loop = Some(input.recursive_loop.clone());
    Ok(Config { recursive_loop: input.recursive_loop })
}

fn get(cx: &mut Cx<Functions>, input: Of) -> Result<Config> {
    let there = find_mut(cx, &input.function_name)?.recursive_loop.clone();
    Ok(Config { recursive_loop: there.unwrap_or_else(|| DEFAULT.to_owned()) })
}
