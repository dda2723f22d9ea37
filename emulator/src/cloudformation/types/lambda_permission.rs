//! `AWS::Lambda::Permission`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-permission.html>

use serde_json::{Value, json};

use super::{Made, ResourceType, Task, replaces};
use crate::Result;

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::Lambda::Permission",
    properties: &[
        replaces("Action").required(),
        replaces("EventSourceToken"),
        replaces("FunctionName").required(),
        replaces("FunctionUrlAuthType"),
        replaces("InvokedViaFunctionUrl"),
        replaces("Principal").required(),
        replaces("PrincipalOrgID"),
        replaces("SourceAccount"),
        replaces("SourceArn"),
    ],
    name_property: None,
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(async { Ok(made(task.physical_id)) }),
    delete: |task| Box::pin(delete(task)),
};

/// The longest statement id.
const ID_LIMIT: usize = 100;

async fn create(task: &Task<'_>) -> Result<Made> {
    let id = task.generated(ID_LIMIT);
    let mut input = task.pick(&[
        "Action",
        "FunctionName",
        "EventSourceToken",
        "FunctionUrlAuthType",
        "InvokedViaFunctionUrl",
        "Principal",
        "PrincipalOrgID",
        "SourceAccount",
        "SourceArn",
    ]);
    input.insert("StatementId".to_owned(), id.as_str().into());
    task.door.call("lambda", "AddPermission", Value::Object(input)).await?;
    task.begun(&id);
    Ok(made(&id))
}

async fn delete(task: &Task<'_>) -> Result<()> {
    let input = json!({ "FunctionName": task.get("FunctionName"), "StatementId": task.physical_id });
    task.door.call("lambda", "RemovePermission", input).await.map(drop)
}

fn made(id: &str) -> Made {
    Made::new(id, [("Id", id.into())])
}
