//! AWS KMS: keys, and what is done with them: encryption, signatures, message authentication codes, key agreement; grants,
//! rotation, imported material, keys of several regions.
//!
//! `keys.rs` has keys and their states, `spec.rs` what a key can be, `pairs.rs` and `cipher.rs` the cryptography, which ring and
//! RustCrypto's crates do. All chance comes from the service's generator of ids, so that a run can be repeated (`chance.rs`): keys
//! are as good as the seed, and nothing here is a place for secrets. Who may do what with a key is decided by its policy, its
//! grants and IAM's policies (`target.rs`). Custom key stores, enclaves (`Recipient`) and post-quantum keys are refused by name.
//! <https://docs.aws.amazon.com/kms/latest/developerguide/overview.html>

mod aliases;
mod blob;
mod chance;
mod cipher;
mod data_keys;
mod encrypt;
mod grants;
mod import;
mod key_operations;
mod keys;
mod macs;
mod making;
mod managed;
mod pairs;
mod policies;
mod replicas;
mod rotation;
mod signatures;
mod spec;
mod tags;
mod target;
#[cfg(test)]
mod tests;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::cloud::{Cx, Scope, Service};
use crate::{Error, Result};
use aliases::Alias;
use grants::Grant;
use import::Wrapping;
use keys::Key;
use making::Making;
pub use managed::managed_key;
pub use target::through;
use target::{on, on_key};

/// The keys of the whole partition: ARNs name them from other accounts, and some have replicas in other regions.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Keys {
    /// By their ARNs.
    keys: OrdMap<String, Key>,
    /// By their ARNs.
    aliases: OrdMap<String, Alias>,
    /// By their ids.
    grants: OrdMap<String, Grant>,
    /// For what imports are wrapped, by their tokens.
    imports: OrdMap<String, Wrapping>,
    /// Key pairs that are being made.
    making: Making,
}

/// The service and its operations.
pub fn service() -> Service<Keys> {
    Service::new("kms")
        .global()
        .with(key_operations::operations)
        .with(aliases::operations)
        .with(policies::operations)
        .with(tags::operations)
        .with(encrypt::operations)
        .with(data_keys::operations)
        .with(signatures::operations)
        .with(macs::operations)
        .with(grants::operations)
        .with(rotation::operations)
        .with(import::operations)
        .with(replicas::operations)
        .with(making::operations)
}

/// The input of operations that only name a key.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfKey {
    key_id: String,
}

/// The output of operations that only name a key.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct KeyName {
    key_id: String,
}

/// The ARN of a key.
fn arn(scope: &Scope, id: &str) -> String {
    scope.arn("kms", format_args!("key/{id}"))
}

impl Keys {
    /// The ARN of the key that a request names by its id, its ARN, an alias, or an alias's ARN.
    ///
    /// # Errors
    /// `NotFoundException` for a key or alias that is not there, and for what is no name of one.
    fn find(&self, scope: &Scope, name: &str) -> Result<String> {
        let alias = match name.strip_prefix("alias/") {
            Some(_) => Some(scope.arn("kms", name)),
            None => Some(name.to_owned()).filter(|name| name.contains(":alias/")),
        };
        let Some(alias) = alias else { return self.find_key(scope, name) };
        check_region(scope, &alias)?;
        let target = self.aliases.get(&alias).map(|alias| alias.key.clone());
        target.ok_or_else(|| not_found(format!("Alias {alias} is not found.")))
    }

    /// The same where no alias will do.
    fn find_key(&self, scope: &Scope, name: &str) -> Result<String> {
        let arn = match name.starts_with("arn:") {
            true => {
                check_region(scope, name)?;
                name.to_owned()
            }
            false if is_id(name) => arn(scope, name),
            false => return Err(not_found(format!("Invalid keyId '{name}'"))),
        };
        match self.keys.contains_key(&arn) {
            true => Ok(arn),
            false => Err(not_found(format!("Key '{arn}' does not exist"))),
        }
    }
}

/// An ARN of another region names nothing here.
fn check_region(scope: &Scope, arn: &str) -> Result<()> {
    let region = Scope::of_arn(arn).region;
    if region == scope.region { Ok(()) } else { Err(not_found(format!("Invalid arn {region}"))) }
}

/// Whether a name has the form of a key's id: a UUID, or `mrk-` with 32 digits.
fn is_id(name: &str) -> bool {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some(digits) = name.strip_prefix("mrk-") {
        return digits.len() == 32 && is_hex(digits);
    }
    name.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && name.split('-').all(is_hex)
}

fn not_found(message: String) -> Error {
    Error::client("NotFoundException", message)
}

/// The ARN and the key that a request names, by whatever name.
fn find<'a>(cx: &'a Cx<Keys>, name: &str) -> Result<(String, &'a Key)> {
    let arn = cx.state.find(cx.scope, name)?;
    let key = cx.state.keys.get(&arn).ok_or_else(|| Error::internal("a key that was found is gone"))?;
    Ok((arn, key))
}

/// The same where no alias will do.
fn find_key<'a>(cx: &'a Cx<Keys>, name: &str) -> Result<(String, &'a Key)> {
    let arn = cx.state.find_key(cx.scope, name)?;
    find(cx, &arn)
}

/// A key to change. One that AWS manages is changed by nobody else.
fn find_mut<'a>(cx: &'a mut Cx<'_, Keys>, name: &str) -> Result<&'a mut Key> {
    let arn = cx.state.find_key(cx.scope, name)?;
    let key = cx.state.keys.get_mut(&arn).ok_or_else(|| Error::internal("a key that was found is gone"))?;
    if key.managed {
        let message = format!("{arn} is managed by AWS and cannot be changed");
        return Err(Error::client("AccessDeniedException", message));
    }
    Ok(key)
}

/// Ends a request that was only to be tried.
/// <https://docs.aws.amazon.com/kms/latest/developerguide/testing-permissions.html>
fn dry_run(asked: Option<bool>) -> Result<()> {
    if asked != Some(true) {
        return Ok(());
    }
    let message = "The request would have succeeded, but the DryRun option is set.";
    Err(Error::client("DryRunOperationException", message))
}

/// A page of what stands after `marker`, and the marker of the next one.
fn page<'a, T>(
    all: impl Iterator<Item = (&'a String, &'a T)>,
    limit: Option<usize>,
    size: usize,
) -> (Vec<(&'a String, &'a T)>, Option<String>) {
    let mut all = all;
    let page: Vec<_> = all.by_ref().take(limit.unwrap_or(size)).collect();
    let next = all.next().and(page.last()).map(|(name, _)| (*name).clone());
    (page, next)
}
