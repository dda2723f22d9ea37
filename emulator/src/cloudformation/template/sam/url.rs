//! A function's `FunctionUrlConfig` as `AWS::Lambda::Url`, and what lets everybody use a URL that asks for no signature.
//!
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-functionurlconfig.html>

use serde_json::{Value, json};

use super::alias::Invoked;
use super::{ResourceDef, check_properties, generated, invalid, is_intrinsic};
use crate::Result;

const KNOWN: [&str; 3] = ["AuthType", "Cors", "InvokeMode"];

pub(super) fn expand(invoked: &Invoked, resource: &ResourceDef) -> Result<Vec<(String, ResourceDef)>> {
    let id = &*invoked.function;
    let Some(config) = resource.properties.get("FunctionUrlConfig") else { return Ok(Vec::new()) };
    let Some(members) = config.as_object() else {
        return Err(invalid(id, "Property 'FunctionUrlConfig' should be a map."));
    };
    check_properties(id, "AWS::Serverless::Function", members, &KNOWN, &[])?;
    let auth = members.get("AuthType").cloned().unwrap_or_default();
    if !is_intrinsic(&auth) && auth != "AWS_IAM" && auth != "NONE" {
        let text = "AuthType is required to configure function property `FunctionUrlConfig`. Please provide either AWS_IAM or NONE.";
        return Err(invalid(id, text));
    }
    let url = json!({
        "AuthType": auth,
        "Cors": members.get("Cors"),
        "InvokeMode": members.get("InvokeMode"),
        "Qualifier": invoked.alias,
        "TargetFunctionArn": {"Ref": id},
    });
    let mut all = vec![(format!("{id}Url"), generated(resource, "AWS::Lambda::Url", url))];
    if auth == "NONE" {
        let permission = |properties: Value| generated(resource, "AWS::Lambda::Permission", properties);
        all.push((format!("{id}UrlPublicPermissions"), permission(json!({
            "Action": "lambda:InvokeFunctionUrl", "FunctionName": invoked.name(), "FunctionUrlAuthType": "NONE", "Principal": "*",
        }))));
        all.push((format!("{id}URLInvokeAllowPublicAccess"), permission(json!({
            "Action": "lambda:InvokeFunction", "FunctionName": invoked.name(), "InvokedViaFunctionUrl": true, "Principal": "*",
        }))));
    }
    Ok(all)
}
