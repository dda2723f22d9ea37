//! The keys that AWS manages: each is made when it is first needed, under an alias of its own.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-key>

use sha2::{Digest as _, Sha256};

use super::aliases::Alias;
use super::keys::Key;
use super::{Keys, arn, policies};
use crate::cloud::{Cx, Scope};
use crate::{Error, Result};

/// The services whose keys are made here, and how descriptions call what they protect.
const SERVICES: &[(&str, &str)] = &[("dynamodb", "DynamoDB data"), ("s3", "S3 objects"), ("ssm", "SSM parameters")];
/// The aliases of such keys begin so.
pub(super) const ALIASES: &str = "alias/aws/";

/// The id of the key that AWS manages for a service, such as `dynamodb`. It follows from the account and region, so that
/// the service may name it before it is there.
pub fn managed_key(scope: &Scope, service: &str) -> String {
    let mut hash = Sha256::new();
    for part in ["aws managed key", &*scope.account, &*scope.region, service] {
        hash.update(part);
        hash.update([0]);
    }
    let digits = hex::encode(hash.finalize());
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    format!("{}-{}-4{}-a{}-{}", part(0, 8), part(8, 12), part(12, 15), part(15, 18), part(18, 30))
}

/// Makes the key that a request names, if AWS manages it and it is not there yet.
pub(super) fn make(cx: &mut Cx<Keys>, name: &str) -> Result<()> {
    for (service, title) in SERVICES {
        let id = managed_key(cx.scope, service);
        let alias = format!("{ALIASES}{service}");
        if !names(cx.scope, name, &id, &alias) {
            continue;
        }
        let key = arn(cx.scope, &id);
        if !cx.state.keys.contains_key(&key) {
            let description = format!("Default key that protects my {title} when no other key is defined");
            let policy = policies::of_managed(cx.scope, service);
            let made = Key::managed(cx, id, description, policy);
            let alias = Alias::new(cx, alias, key.clone());
            cx.state.aliases.insert(alias.arn(), alias);
            cx.state.keys.insert(key, made);
        }
        return Ok(());
    }
    if name.starts_with(ALIASES) || name.contains(":alias/aws/") {
        return Err(Error::not_implemented(format!("the key that AWS manages as {name}")));
    }
    Ok(())
}

/// The policy that a key of AWS's gets once it is made, if a request names one.
pub(super) fn policy(scope: &Scope, name: &str) -> Option<String> {
    let is_named = |service: &&str| names(scope, name, &managed_key(scope, service), &format!("{ALIASES}{service}"));
    let service = SERVICES.iter().map(|(service, _)| *service).find(is_named)?;
    Some(policies::of_managed(scope, service))
}

fn names(scope: &Scope, name: &str, id: &str, alias: &str) -> bool {
    name == id || name == alias || name == arn(scope, id) || name == scope.arn("kms", alias)
}
