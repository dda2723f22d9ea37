//! `AWS::Serverless::SimpleTable` as `AWS::DynamoDB::Table`.

use serde_json::{Value, json};

use super::{ResourceDef, check_properties, generated, invalid, tag_list};
use crate::Result;

const KNOWN: [&str; 6] = [
    "PointInTimeRecoverySpecification",
    "PrimaryKey",
    "ProvisionedThroughput",
    "TableName",
    "Tags",
    "SSESpecification",
];

pub(super) fn expand(id: &str, resource: &ResourceDef) -> Result<Vec<(String, ResourceDef)>> {
    let properties = &resource.properties;
    check_properties(id, "AWS::Serverless::SimpleTable", properties, &KNOWN, &[])?;
    let (name, kind) = match properties.get("PrimaryKey") {
        None => (Value::from("id"), "S"),
        Some(key) => {
            let missing = |member| invalid(id, format_args!("Property 'PrimaryKey.{member}' is required."));
            let name = key.get("Name").cloned().ok_or_else(|| missing("Name"))?;
            let kind = match key.get("Type").ok_or_else(|| missing("Type"))?.as_str() {
                Some("String") => "S",
                Some("Number") => "N",
                Some("Binary") => "B",
                other => return Err(invalid(id, format_args!("Invalid 'Type' \"{}\".", other.unwrap_or_default()))),
            };
            (name, kind)
        }
    };
    let get = |name: &str| properties.get(name).cloned().unwrap_or(Value::Null);
    let tags = tag_list(id, properties.get("Tags"))?;
    let billing = properties.contains_key("ProvisionedThroughput");
    let table = json!({
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind}],
        "KeySchema": [{"AttributeName": name, "KeyType": "HASH"}],
        "PointInTimeRecoverySpecification": get("PointInTimeRecoverySpecification"),
        "ProvisionedThroughput": get("ProvisionedThroughput"),
        "BillingMode": if billing { Value::Null } else { "PAY_PER_REQUEST".into() },
        "SSESpecification": get("SSESpecification"),
        "TableName": get("TableName"),
        "Tags": if tags.is_empty() { Value::Null } else { Value::Array(tags) },
    });
    let mut def = generated(resource, "AWS::DynamoDB::Table", table);
    def.depends_on.clone_from(&resource.depends_on);
    def.attributes.clone_from(&resource.attributes);
    Ok(vec![(id.to_owned(), def)])
}
