//! `AWS::ApiGateway::DocumentationPart` and `AWS::ApiGateway::DocumentationVersion`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-documentationpart.html>

use serde_json::{Value, json};

use super::apigateway_parts::call;
use super::apigateway_rest_api::{lower, patch, renamed, replace, text};
use super::{Made, ResourceType, Task, may_change, replaces};

const SERVICE: &str = "apigateway";

pub(super) const PART: ResourceType = ResourceType {
    name: "AWS::ApiGateway::DocumentationPart",
    properties: &[
        replaces("Location").required(),
        may_change("Properties").required(),
        replaces("RestApiId").required(),
    ],
    name_property: None,
    create: |task| {
        Box::pin(async move {
            let mut input = renamed(task, &[("RestApiId", "restApiId")]);
            input.insert("location".to_owned(), lower(&task.get("Location")));
            input.insert("properties".to_owned(), task.document("Properties")?.into());
            let made = call(task, "CreateDocumentationPart", input).await?;
            let id = text(&made, "id")?;
            task.begun(&id);
            Ok(Made::new(&*id, [("DocumentationPartId", id.as_str().into())]))
        })
    },
    update: |task| {
        Box::pin(async move {
            let operations = vec![replace("/properties", &task.document("Properties")?.into())];
            patch(task, "UpdateDocumentationPart", of(task, "documentationPartId"), operations).await?;
            Ok(Made::new(task.physical_id, [("DocumentationPartId", task.physical_id.into())]))
        })
    },
    delete: |task| {
        Box::pin(async move {
            let of = of(task, "documentationPartId");
            task.door.call(SERVICE, "DeleteDocumentationPart", of).await.map(drop)
        })
    },
};

pub(super) const VERSION: ResourceType = ResourceType {
    name: "AWS::ApiGateway::DocumentationVersion",
    properties: &[
        may_change("Description"),
        replaces("DocumentationVersion").required(),
        replaces("RestApiId").required(),
    ],
    name_property: None,
    create: |task| {
        Box::pin(async move {
            let names = [
                ("Description", "description"),
                ("DocumentationVersion", "documentationVersion"),
                ("RestApiId", "restApiId"),
            ];
            let made = call(task, "CreateDocumentationVersion", renamed(task, &names)).await?;
            let version = text(&made, "version")?;
            task.begun(&version);
            Ok(Made::new(version, []))
        })
    },
    update: |task| {
        Box::pin(async move {
            let operations = vec![replace("/description", &task.get("Description"))];
            patch(task, "UpdateDocumentationVersion", of(task, "documentationVersion"), operations).await?;
            Ok(Made::new(task.physical_id, []))
        })
    },
    delete: |task| {
        Box::pin(async move {
            let of = of(task, "documentationVersion");
            task.door.call(SERVICE, "DeleteDocumentationVersion", of).await.map(drop)
        })
    },
};

/// The API and the part's id under the name of its member.
fn of(task: &Task<'_>, member: &str) -> Value {
    json!({ "restApiId": task.get("RestApiId"), member: task.physical_id })
}
