//! Types behind which there is nothing: `AWS::CDK::Metadata`, which every template of the CDK has and which tells AWS what was
//! used, and `AWS::CloudFormation::WaitConditionHandle`, whose URL is where a signal would be sent.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-waitconditionhandle.html>

use super::{Doing, Made, ResourceType, Task, may_change};

pub(super) const METADATA: ResourceType = ResourceType {
    name: "AWS::CDK::Metadata",
    properties: &[may_change("Analytics"), may_change("Modules")],
    name_property: None,
    create: |task| made(task.generated(ID_LIMIT)),
    update: |task| made(task.physical_id.to_owned()),
    delete: |_| Box::pin(async { Ok(()) }),
};

pub(super) const WAIT_CONDITION_HANDLE: ResourceType = ResourceType {
    name: "AWS::CloudFormation::WaitConditionHandle",
    properties: &[],
    name_property: None,
    create: |task| made(url(task)),
    update: |task| made(task.physical_id.to_owned()),
    delete: |_| Box::pin(async { Ok(()) }),
};

/// The longest physical id.
const ID_LIMIT: usize = 128;

fn made<'a>(id: String) -> Doing<'a, Made> {
    Box::pin(async move { Ok(Made::new(id, [])) })
}

fn url(task: &Task<'_>) -> String {
    let region = &task.door.scope.region;
    let name = task.generated(ID_LIMIT);
    format!("https://cloudformation-waitcondition-{region}.s3.amazonaws.com/{name}")
}
