//! `DescribeContributorInsights`: that nothing is watched. It cannot be switched on, which is refused by name.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeContributorInsights.html>

use serde::{Deserialize, Serialize};

use super::{Tables, target};
use crate::Result;
use crate::cloud::{Cx, Service};

/// Adds the operation of this file.
pub(super) fn operations(service: Service<Tables>) -> Service<Tables> {
    service.op(
        "DescribeContributorInsights",
        |at, i: &Describe| target::index(at, &i.table_name, i.index_name.as_deref()),
        describe,
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Describe {
    table_name: String,
    index_name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    table_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    index_name: Option<String>,
    contributor_insights_status: &'static str,
}

fn describe(cx: &mut Cx<Tables>, input: Describe) -> Result<Described> {
    let table = cx.state.known(&input.table_name)?;
    if let Some(index) = &input.index_name {
        table.index(index)?;
    }
    Ok(Described {
        table_name: table.definition.name.to_string(),
        index_name: input.index_name,
        contributor_insights_status: "DISABLED",
    })
}
