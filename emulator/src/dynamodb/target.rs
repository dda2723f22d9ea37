//! What operations act on, for IAM: tables, indexes and streams, and the condition keys of DynamoDB.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html>

use std::borrow::Cow;

use serde_json::Value;

use super::Tables;
use super::parameters::Json;
use crate::cloud::{At, Cx, Scope, Target};
use crate::{Error, Result};

/// The name of a table, which may be given as its ARN.
pub(super) fn table_name(name_or_arn: &str) -> &str {
    let Some(rest) = name_or_arn.strip_prefix("arn:") else { return name_or_arn };
    let name = rest.split_once(":table/").map_or("", |(_, name)| name);
    name.split('/').next().unwrap_or(name)
}

/// The ARN of a table.
pub(super) fn table_arn(scope: &Scope, name_or_arn: &str) -> String {
    if name_or_arn.starts_with("arn:") {
        return name_or_arn.to_owned();
    }
    scope.arn("dynamodb", format_args!("table/{name_or_arn}"))
}

/// An operation on a table.
pub(super) fn table(at: &At<Tables>, name: &str) -> Target {
    let target = Target::on(table_arn(at.scope, name));
    match at.state.table(name) {
        Ok(table) => match &table.definition.policy {
            Some(policy) => target.policy(Some(policy.text.clone())),
            None => target,
        },
        Err(_) => target,
    }
}

/// An operation on a table or one of its indexes.
pub(super) fn index(at: &At<Tables>, name: &str, index: Option<&str>) -> Target {
    let target = table(at, name);
    match index {
        Some(index) => Target { resource: format!("{}/index/{index}", target.resource), ..target },
        None => target,
    }
}

/// An operation on one item: policies may limit the partition keys (`dynamodb:LeadingKeys`) and the attributes.
pub(super) fn item(at: &At<Tables>, name: &str, item: &Json) -> Target {
    let mut target = table(at, name);
    if let Ok(table) = at.state.table(name) {
        let hash = item.get(&*table.definition.key.hash.name);
        let keys: Vec<String> = hash.into_iter().filter_map(scalar).collect();
        if !keys.is_empty() {
            target.context.push((Cow::Borrowed("dynamodb:LeadingKeys"), keys));
        }
    }
    target
}

/// The text of a key's value.
fn scalar(value: &Value) -> Option<String> {
    value.as_object()?.values().next()?.as_str().map(str::to_owned)
}

/// Refuses what the caller may not do, of an operation that acts on more than the door has looked at.
pub(super) fn authorize(cx: &Cx<Tables>, action: &str, table_name: &str, index_name: Option<&str>) -> Result<()> {
    let target = index(&At { scope: cx.scope, state: &*cx.state }, table_name, index_name);
    if cx.access().may_on(action, &target) {
        return Ok(());
    }
    let (who, arn) = (cx.caller.principal.arn(), &target.resource);
    let message = format!(
        "User: {who} is not authorized to perform: {action} on resource: {arn} because no identity-based policy allows the \
         {action} action"
    );
    Err(Error::client("AccessDeniedException", message))
}
