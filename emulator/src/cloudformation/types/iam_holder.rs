//! What IAM's roles, users and groups have in common: policies, a permissions boundary, tags.

use serde_json::{Value, json};

use super::Task;
use super::task::document;
use crate::Result;

/// What the operations of roles, users and groups differ in.
pub(super) struct Holder {
    /// `Role`.
    pub word: &'static str,
    /// `RoleName`.
    pub member: &'static str,
    /// The longest name.
    pub limit: usize,
}

pub(super) const ROLE: Holder = Holder { word: "Role", member: "RoleName", limit: 64 };
pub(super) const USER: Holder = Holder { word: "User", member: "UserName", limit: 64 };
pub(super) const GROUP: Holder = Holder { word: "Group", member: "GroupName", limit: 128 };

/// What is gone already need not be deleted.
pub(super) fn gone(outcome: Result<Value>) -> Result<()> {
    match outcome {
        Err(error) if error.status() == 404 => Ok(()),
        outcome => outcome.map(drop),
    }
}

/// Inline policies, and managed ones that are attached: those that are new or changed.
pub(super) async fn put_policies(task: &Task<'_>, holder: &Holder, name: &str) -> Result<()> {
    let old = task.old_items("Policies");
    for policy in task.items("Policies").iter().filter(|policy| !old.contains(policy)) {
        let input = json!({
            holder.member: name,
            "PolicyName": policy["PolicyName"],
            "PolicyDocument": document(&policy["PolicyDocument"])?,
        });
        task.door.call("iam", &format!("Put{}Policy", holder.word), input).await?;
    }
    let old = task.old_items("ManagedPolicyArns");
    for arn in task.items("ManagedPolicyArns").iter().filter(|arn| !old.contains(arn)) {
        let input = json!({ holder.member: name, "PolicyArn": arn });
        task.door.call("iam", &format!("Attach{}Policy", holder.word), input).await?;
    }
    Ok(())
}

/// Takes away the policies that an update no longer names.
pub(super) async fn take_away_policies(task: &Task<'_>, holder: &Holder) -> Result<()> {
    let kept: Vec<Value> = task.items("Policies").iter().map(|policy| policy["PolicyName"].clone()).collect();
    for policy in task.old_items("Policies").iter().filter(|policy| !kept.contains(&policy["PolicyName"])) {
        delete_inline(task, holder, policy).await?;
    }
    let kept = task.items("ManagedPolicyArns");
    for arn in task.old_items("ManagedPolicyArns").iter().filter(|arn| !kept.contains(arn)) {
        detach(task, holder, arn).await?;
    }
    Ok(())
}

/// Takes away all policies, for only who has none can be deleted.
pub(super) async fn delete_policies(task: &Task<'_>, holder: &Holder) -> Result<()> {
    for arn in task.items("ManagedPolicyArns") {
        detach(task, holder, &arn).await?;
    }
    for policy in task.items("Policies") {
        delete_inline(task, holder, &policy).await?;
    }
    Ok(())
}

async fn delete_inline(task: &Task<'_>, holder: &Holder, policy: &Value) -> Result<()> {
    let input = json!({ holder.member: task.physical_id, "PolicyName": policy["PolicyName"] });
    gone(task.door.call("iam", &format!("Delete{}Policy", holder.word), input).await)
}

async fn detach(task: &Task<'_>, holder: &Holder, arn: &Value) -> Result<()> {
    let input = json!({ holder.member: task.physical_id, "PolicyArn": arn });
    gone(task.door.call("iam", &format!("Detach{}Policy", holder.word), input).await)
}

/// Sets or takes away the permissions boundary where an update changes it.
pub(super) async fn bound(task: &Task<'_>, holder: &Holder) -> Result<()> {
    if !task.changes(&["PermissionsBoundary"]) {
        return Ok(());
    }
    let mut input = json!({ holder.member: task.physical_id });
    let verb = match task.get("PermissionsBoundary") {
        Value::Null => "Delete",
        arn => {
            input["PermissionsBoundary"] = arn;
            "Put"
        }
    };
    task.door.call("iam", &format!("{verb}{}PermissionsBoundary", holder.word), input).await.map(drop)
}

/// Brings the tags up to date.
pub(super) async fn retag(task: &Task<'_>, holder: &Holder) -> Result<()> {
    retag_by(task, holder.word, holder.member).await
}

/// The same for whatever has tags of IAM's: the word of its operations, and the member that names it.
pub(super) async fn retag_by(task: &Task<'_>, word: &str, member: &str) -> Result<()> {
    if !task.changes(&["Tags"]) {
        return Ok(());
    }
    let removed = task.removed_tags();
    if !removed.is_empty() {
        let input = json!({ member: task.physical_id, "TagKeys": removed });
        task.door.call("iam", &format!("Untag{word}"), input).await?;
    }
    let tags = task.tag_list();
    if !tags.is_null() {
        let input = json!({ member: task.physical_id, "Tags": tags });
        task.door.call("iam", &format!("Tag{word}"), input).await?;
    }
    Ok(())
}
