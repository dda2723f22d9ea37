//! `AWS::IAM::VirtualMFADevice`. A device of a template belongs to nobody: whom `Users` names would have to show two of its codes,
//! and a template has none.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-virtualmfadevice.html>

use serde_json::{Value, json};

use super::iam_holder::{gone, retag_by};
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::{Error, Result};

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::IAM::VirtualMFADevice",
    properties: &[
        replaces("Path"),
        may_change("Tags"),
        may_change("Users").required(),
        replaces("VirtualMfaDeviceName"),
    ],
    name_property: Some("VirtualMfaDeviceName"),
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

/// The longest name of a device.
const NAME_LIMIT: usize = 226;

fn nobody(task: &Task<'_>) -> Result<()> {
    if task.items("Users").is_empty() {
        return Ok(());
    }
    Err(Error::not_implemented("Users of AWS::IAM::VirtualMFADevice"))
}

async fn create(task: &Task<'_>) -> Result<Made> {
    nobody(task)?;
    let mut input = task.pick(&["Path"]);
    input.insert("VirtualMFADeviceName".to_owned(), task.name("VirtualMfaDeviceName", NAME_LIMIT).into());
    input.insert("Tags".to_owned(), task.tag_list());
    let made = task.door.call("iam", "CreateVirtualMFADevice", Value::Object(input)).await?;
    let serial = made["VirtualMFADevice"]["SerialNumber"].as_str().unwrap_or_default();
    Ok(Made::new(serial, [("SerialNumber", serial.into())]))
}

async fn update(task: &Task<'_>) -> Result<Made> {
    nobody(task)?;
    retag_by(task, "MFADevice", "SerialNumber").await?;
    Ok(Made::new(task.physical_id, [("SerialNumber", task.physical_id.into())]))
}

async fn delete(task: &Task<'_>) -> Result<()> {
    gone(task.door.call("iam", "DeleteVirtualMFADevice", json!({ "SerialNumber": task.physical_id })).await)
}
