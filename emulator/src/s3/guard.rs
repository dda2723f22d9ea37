//! What decides on a request to a bucket or an object besides the caller's own policies: the bucket's policy, the access
//! control lists that count, who owns the object, and who started the upload.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-s3-evaluates-access-control.html>. All of it becomes one policy
//! for IAM. What neither lists nor other owners concern costs nothing: the bucket's policy is handed on as it is.

use std::sync::Arc;

use serde_json::{Value, json};

use super::acl::{Acl, Of};
use super::lookup::{bucket_arn, object_arn};
use super::multipart::{self, Upload};
use super::object::{Object, Version};
use super::ownership::{ANONYMOUS, ObjectOwnership};
use super::policy::is_public;
use super::state::{Bucket, Buckets};
use crate::cloud::{At, Target};

/// The actions that the owner of an object decides on, and not that of the bucket it is in.
const OF_OBJECTS: [&str; 6] = [
    "s3:GetObject",
    "s3:GetObjectVersion",
    "s3:GetObjectAcl",
    "s3:GetObjectVersionAcl",
    "s3:PutObjectAcl",
    "s3:PutObjectVersionAcl",
];

/// The actions that no bucket policy denies the root user of the bucket's account: who shut itself out gets in again.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html>
const OF_ROOT: [&str; 3] = ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"];

/// The target of an operation on a bucket.
pub(super) fn on_bucket(at: &At<Buckets>, bucket: &str, action: &'static str) -> Target {
    let target = Target::on(bucket_arn(bucket)).action(action);
    let Some(bucket) = at.state.buckets.get(bucket) else { return Target { open: true, ..target } };
    let mut target = guarded(bucket, target, &at.scope.account, Vec::new());
    if OF_ROOT.contains(&action) {
        target.policy = target.policy.map(|policy| sparing_root(&policy, &bucket.owner));
    }
    target
}

/// The target of an operation on an object, or on a version of it.
pub(super) fn on_object(
    at: &At<Buckets>,
    bucket: &str,
    key: &str,
    version: Option<&str>,
    action: &'static str,
) -> Target {
    let target = Target::on(object_arn(bucket, key)).action(action);
    // A bucket that does not exist has nobody who could deny: S3 answers 404 to everyone.
    let Some(bucket) = at.state.buckets.get(bucket) else { return Target { open: true, ..target } };
    if !bucket.counts_lists() || !OF_OBJECTS.contains(&action) {
        return guarded(bucket, target, &at.scope.account, Vec::new());
    }
    let found = match version {
        None => bucket.latest(key),
        Some(id) => bucket.version(key, id),
    };
    match found {
        Some(Version::Object(object)) => owned(bucket, &object, target, &at.scope.account),
        _ => {
            // To whom the bucket's list shows all keys, it shows that this one is missing.
            let acl = bucket.configuration.acl.as_ref();
            let shown = acl.map(|acl| bucket.statements(acl, Of::Missing, &at.scope.account)).unwrap_or_default();
            guarded(bucket, target, &at.scope.account, shown)
        }
    }
}

/// The target of an operation that who started the upload may do, whatever the bucket's policy grants.
pub(super) fn on_upload(at: &At<Buckets>, [bucket, key, id]: [&str; 3], action: &'static str) -> Target {
    let target = Target::on(object_arn(bucket, key)).action(action);
    let Some(bucket) = at.state.buckets.get(bucket) else { return Target { open: true, ..target } };
    let upload = multipart::upload(bucket, key, id).ok().map(|(upload, _)| upload);
    let initiator = upload.and_then(Upload::initiator_account);
    let initiator = initiator.filter(|account| *account != &*bucket.owner && *account != ANONYMOUS);
    let grant =
        |account| json!({ "Effect": "Allow", "Principal": { "AWS": account }, "Action": action, "Resource": "*" });
    guarded(bucket, target, &at.scope.account, initiator.map(grant).into_iter().collect())
}

impl Bucket {
    /// Whether access control lists, and other owners of objects, count here.
    fn counts_lists(&self) -> bool {
        self.configuration.ownership() != ObjectOwnership::BucketOwnerEnforced
    }

    /// `RestrictPublicBuckets`: a bucket whose policy is public is for its own account, and for services.
    fn restriction(&self) -> Option<Value> {
        let configuration = &self.configuration;
        let access = configuration.public_access.unwrap_or_default();
        if !access.restrict_public_buckets || !configuration.policy.as_deref().is_some_and(is_public) {
            return None;
        }
        Some(json!({
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": "*",
            "Condition": {
                "StringNotEquals": { "aws:PrincipalAccount": &*self.owner },
                "Bool": { "aws:PrincipalIsAWSService": "false" },
            },
        }))
    }

    /// The statements that a list comes to, without those for the public where they are to be ignored.
    fn statements(&self, acl: &Acl, of: Of, caller: &str) -> Vec<Value> {
        let access = self.configuration.public_access.unwrap_or_default();
        acl.statements(of, caller, access.ignore_public_acls)
    }
}

/// What the bucket's owner decides on.
fn guarded(bucket: &Bucket, target: Target, caller: &str, mut statements: Vec<Value>) -> Target {
    if let Some(acl) = bucket.configuration.acl.as_ref().filter(|_| bucket.counts_lists()) {
        statements.extend(bucket.statements(acl, Of::Bucket, caller));
    }
    statements.extend(bucket.restriction());
    target.policy(merged(bucket.configuration.policy.as_ref(), statements, false)).owner(&*bucket.owner)
}

/// What an object's owner decides on. Of the policy of a bucket that is another's, only what it denies counts.
fn owned(bucket: &Bucket, object: &Object, target: Target, caller: &str) -> Target {
    let owner = bucket.owner_of(object);
    let is_foreign = owner != &*bucket.owner;
    let mut statements = match &object.description.acl {
        Some(acl) => bucket.statements(acl, Of::Object, caller),
        // What nobody in particular wrote is open to nobody in particular; who has an account needs no grant to itself.
        None if owner == ANONYMOUS => bucket.statements(&Acl::private(owner), Of::Object, caller),
        None => Vec::new(),
    };
    statements.extend(bucket.restriction());
    target.policy(merged(bucket.configuration.policy.as_ref(), statements, is_foreign)).owner(owner)
}

/// A policy whose denials do not concern the root user of an account.
fn sparing_root(policy: &Arc<str>, account: &str) -> Arc<str> {
    let Ok(mut document) = serde_json::from_str::<Value>(policy) else { return Arc::clone(policy) };
    let spare = |statement: &mut Value| {
        let Some(statement) = statement.as_object_mut() else { return };
        if statement.get("Effect").is_none_or(|effect| effect != "Deny") {
            return;
        }
        let Some(conditions) = statement.entry("Condition").or_insert_with(|| json!({})).as_object_mut() else {
            return;
        };
        // The operator has two spellings, of which a policy that looks at principals takes one.
        let operator = if conditions.contains_key("ArnNotEquals") { "ArnNotLike" } else { "ArnNotEquals" };
        if let Some(keys) = conditions.entry(operator).or_insert_with(|| json!({})).as_object_mut() {
            keys.insert("aws:PrincipalArn".to_owned(), json!(format!("arn:aws:iam::{account}:root")));
        }
    };
    match document.get_mut("Statement") {
        Some(Value::Array(list)) => list.iter_mut().for_each(spare),
        Some(one) => spare(one),
        None => {}
    }
    document.to_string().into()
}

/// A policy with more statements, and of its own perhaps only those that deny. As it is, where nothing changes it.
fn merged(policy: Option<&Arc<str>>, mut statements: Vec<Value>, denials_alone: bool) -> Option<Arc<str>> {
    if statements.is_empty() && !(denials_alone && policy.is_some()) {
        return policy.cloned();
    }
    let own = policy.and_then(|policy| serde_json::from_str::<Value>(policy).ok()).filter(Value::is_object);
    let mut merged = own.unwrap_or_else(|| json!({ "Version": "2012-10-17" }));
    let mut kept = match merged.get_mut("Statement").map(Value::take) {
        Some(Value::Array(list)) => list,
        Some(one) => vec![one],
        None => Vec::new(),
    };
    if denials_alone {
        kept.retain(|statement| statement.get("Effect").is_some_and(|effect| effect == "Deny"));
    }
    kept.append(&mut statements);
    merged["Statement"] = Value::Array(kept);
    Some(merged.to_string().into())
}
