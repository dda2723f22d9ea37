//! `AWS::CloudFormation::Macro`: a function that transforms templates. That it is registered is all there is to it.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-macro.html>

use serde_json::Value;

use super::{Doing, Made, ResourceType, Task, may_change, replaces};
use crate::cloudformation::macros::MACRO;

pub(super) const TYPE: ResourceType = ResourceType {
    name: MACRO,
    properties: &[may_change("Description"), may_change("FunctionName").required(), replaces("Name").required()],
    name_property: Some("Name"),
    create: |task| made(task),
    update: |task| made(task),
    delete: |_| Box::pin(async { Ok(()) }),
};

fn made<'a>(task: &'a Task<'a>) -> Doing<'a, Made> {
    let name = task.get("Name").as_str().map(str::to_owned).unwrap_or_default();
    Box::pin(async move { Ok(Made::new(name.as_str(), [("Name", Value::from(name.as_str()))])) })
}
