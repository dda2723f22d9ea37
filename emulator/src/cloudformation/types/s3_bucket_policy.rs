//! `AWS::S3::BucketPolicy`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucketpolicy.html>

use serde_json::json;

use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::S3::BucketPolicy",
    properties: &[replaces("Bucket").required(), may_change("PolicyDocument").required()],
    name_property: None,
    create: |task| Box::pin(put(task)),
    update: |task| Box::pin(put(task)),
    delete: |task| Box::pin(delete(task)),
};

async fn put(task: &Task<'_>) -> Result<Made> {
    let bucket = task.get("Bucket").as_str().unwrap_or_default().to_owned();
    let input = json!({ "Bucket": bucket, "Policy": task.document("PolicyDocument")? });
    task.door.call("s3", "PutBucketPolicy", input).await?;
    task.begun(&bucket);
    Ok(Made::new(&bucket, []))
}

async fn delete(task: &Task<'_>) -> Result<()> {
    task.door.call("s3", "DeleteBucketPolicy", json!({ "Bucket": task.physical_id })).await.map(drop)
}
