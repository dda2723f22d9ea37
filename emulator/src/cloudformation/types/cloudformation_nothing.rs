//! A type behind which there is nothing: `AWS::CDK::Metadata`, which every template of the CDK has and which tells AWS what was
//! used.

use super::{Doing, Made, ResourceType, may_change};

pub(super) const METADATA: ResourceType = ResourceType {
    name: "AWS::CDK::Metadata",
    properties: &[may_change("Analytics"), may_change("Modules")],
    name_property: None,
    create: |task| made(task.generated(ID_LIMIT)),
    update: |task| made(task.physical_id.to_owned()),
    delete: |_| Box::pin(async { Ok(()) }),
};

/// The longest physical id.
const ID_LIMIT: usize = 128;

fn made<'a>(id: String) -> Doing<'a, Made> {
    Box::pin(async move { Ok(Made::new(id, [])) })
}
