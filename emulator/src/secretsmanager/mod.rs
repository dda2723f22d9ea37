//! AWS Secrets Manager: secrets and their versions.
//!
//! `store.rs` keeps secrets and moves staging labels, `values.rs` writes and reads values, `describe.rs` and `list.rs`
//! tell of them, `delete.rs`, `rotate.rs` and `replicate.rs` are what their names say.
//! <https://docs.aws.amazon.com/secretsmanager/latest/apireference/>

mod delete;
mod describe;
mod filter;
mod keys;
mod list;
mod password;
mod policy;
mod replicate;
mod rotate;
mod stages;
mod store;
mod tags;
#[cfg(test)]
mod tests;
mod values;

use serde::Deserialize;
pub use store::Secrets;

use crate::cloud::{At, Service, Target};

/// The service and its operations. Its state is that of the whole partition, for secrets are replicated to other regions
/// and read by other accounts.
pub fn service() -> Service<Secrets> {
    Service::new("secretsmanager")
        .global()
        .asks()
        .with(values::operations)
        .with(describe::operations)
        .with(list::operations)
        .with(stages::operations)
        .with(delete::operations)
        .with(rotate::operations)
        .with(replicate::operations)
        .with(policy::operations)
        .with(tags::operations)
        .with(password::operations)
}

/// The input of operations that only name a secret.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    secret_id: String,
}

/// A secret as the target of an operation: with its policy and owner, if it exists.
fn on(at: &At<Secrets>, id: &str) -> Target {
    match at.state.find(at.scope, id).ok().and_then(|key| at.state.secrets.get(&key)) {
        Some(secret) => {
            let target = Target::on(&*secret.arn).policy(secret.policy.clone()).owner(&*secret.account);
            secret.tags.iter().flatten().fold(target, |target, tag| {
                target.context(format!("secretsmanager:ResourceTag/{}", tag.key), tag.value.clone())
            })
        }
        None if id.starts_with("arn:") => Target::on(id),
        None => Target::on(at.scope.arn("secretsmanager", format_args!("secret:{id}"))),
    }
}
