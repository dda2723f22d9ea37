//! Exports of stacks, and who imports them.

use serde::{Deserialize, Serialize};

use super::lookup::imports as imports_of_stack;
use super::stacks::exports as all_exports;
use super::state::{Stacks, page};
use super::template::validation_error;
use crate::Result;
use crate::cloud::Cx;

/// `ListExports` answers so many at a time.
const PAGE: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListExports {
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Exports {
    exports: Vec<Export>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Export {
    exporting_stack_id: String,
    name: String,
    value: String,
}

pub(super) fn list(cx: &mut Cx<Stacks>, input: ListExports) -> Result<Exports> {
    let all = cx.state.exports().into_iter().map(|(name, (value, exporting_stack_id))| Export {
        exporting_stack_id,
        name,
        value,
    });
    let (exports, next_token) = page(all.collect(), input.next_token.as_deref(), PAGE)?;
    Ok(Exports { exports, next_token })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListImports {
    export_name: String,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Imports {
    imports: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) fn imports(cx: &mut Cx<Stacks>, input: ListImports) -> Result<Imports> {
    let exports = all_exports(cx);
    let name = &input.export_name;
    let live = cx.state.names.values().filter_map(|id| cx.state.stacks.get(id));
    let users = live.filter(|stack| imports_of_stack(cx.scope, stack, &exports).contains(name));
    let users: Vec<String> = users.map(|stack| stack.name.clone()).collect();
    if users.is_empty() {
        return Err(validation_error(format!("Export '{name}' is not imported by any stack.")));
    }
    let (imports, next_token) = page(users, input.next_token.as_deref(), PAGE)?;
    Ok(Imports { imports, next_token })
}
