//! Access control lists: whom a bucket or an object is opened to besides by policies.
//!
//! They count only where the bucket's rule of ownership lets them, which since April 2023 no new bucket's does. A list is
//! handed to IAM as the statements of a policy that say the same.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html>

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::bucket::{OnBucket, Owner};
use super::errors;
use super::events::{self, Happening};
use super::input::input;
use super::lookup::{NOBODY, bucket, bucket_mut, canonical_id};
use super::object::Object;
use super::ownership::{ANONYMOUS, ObjectOwnership};
use super::state::{Bucket, Buckets};
use super::tagging::{OnObject, object};
use crate::cloud::Cx;
use crate::{Error, Result};

/// A list has at most this many grants.
const GRANTS: usize = 100;
const ALL_USERS: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
const AUTHENTICATED_USERS: &str = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
const LOG_DELIVERY: &str = "http://acs.amazonaws.com/groups/s3/LogDelivery";
const GROUPS: [&str; 3] = [ALL_USERS, AUTHENTICATED_USERS, LOG_DELIVERY];
const PERMISSIONS: [&str; 5] = ["FULL_CONTROL", "READ", "WRITE", "READ_ACP", "WRITE_ACP"];
/// The canonical user of Amazon EC2, which `aws-exec-read` opens to.
const EC2: &str = "6aa5a366c34c1cbe25dc49211496e913e0351eb0e8c37aa3477e40942ec6b97c";
/// The length of a canonical user's id, in hexadecimal digits.
const ID_LENGTH: usize = 64;

/// The grants of a bucket or an object.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Acl(Vec<Grant>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Grant {
    grantee: Option<Grantee>,
    permission: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Grantee {
    r#type: String,
    #[serde(rename = "ID", default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(rename = "URI", default, skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
    #[serde(default, skip_serializing)]
    email_address: Option<String>,
    // AWS takes it and has answered none since November 2025.
    #[serde(rename = "DisplayName", default, skip_serializing)]
    _display_name: Option<String>,
}

fn user(id: &str, permission: &str) -> Grant {
    let grantee = Grantee {
        r#type: "CanonicalUser".to_owned(),
        id: Some(id.to_owned()),
        uri: None,
        email_address: None,
        _display_name: None,
    };
    Grant { grantee: Some(grantee), permission: Some(permission.to_owned()) }
}

fn group(uri: &str, permission: &str) -> Grant {
    let grantee = Grantee {
        r#type: "Group".to_owned(),
        id: None,
        uri: Some(uri.to_owned()),
        email_address: None,
        _display_name: None,
    };
    Grant { grantee: Some(grantee), permission: Some(permission.to_owned()) }
}

/// What a request says about access.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub canned: Option<String>,
    /// The grant headers, each with its permission.
    pub grants: [Option<String>; 5],
}

/// What the list is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Bucket,
    Object,
    /// Of a bucket, where it is asked for an object that it has not.
    Missing,
}

const HEADERS: [(&str, &str); 5] = [
    ("x-amz-grant-full-control", "FULL_CONTROL"),
    ("x-amz-grant-read", "READ"),
    ("x-amz-grant-read-acp", "READ_ACP"),
    ("x-amz-grant-write", "WRITE"),
    ("x-amz-grant-write-acp", "WRITE_ACP"),
];

impl Asked {
    fn has_grants(&self) -> bool {
        self.grants.iter().any(Option::is_some)
    }

    /// Whether it says anything.
    fn is_some(&self) -> bool {
        self.canned.is_some() || self.has_grants()
    }

    /// The list that is asked for; none for a private one. `bucket_owner` differs from `owner` only for objects.
    ///
    /// # Errors
    /// `InvalidArgument` and `InvalidRequest` for what is no list.
    fn read(&self, owner: &str, bucket_owner: &str, of: Of) -> Result<Option<Acl>> {
        if self.canned.is_some() && self.has_grants() {
            return Err(errors::invalid_request("Specifying both Canned ACLs and Header Grants is not allowed"));
        }
        if let Some(name) = &self.canned {
            return canned(name, owner, bucket_owner, of);
        }
        if !self.has_grants() {
            return Ok(None);
        }
        let mut grants = Vec::new();
        for ((header, permission), value) in HEADERS.iter().zip(&self.grants) {
            for part in value.iter().flat_map(|value| value.split(',')).map(str::trim).filter(|part| !part.is_empty()) {
                grants.push(from_header(header, permission, part)?);
            }
        }
        Ok(Acl(grants).checked()?.unless_private(owner))
    }

    /// The list of a new object, and the account that owns it, where that is not the bucket's.
    ///
    /// # Errors
    /// `AccessControlListNotSupported` where lists do not count; 403 for a public one where those are blocked.
    pub fn for_object(self, cx: &Cx<Buckets>, bucket: &Bucket) -> Result<(Option<Acl>, Option<Arc<str>>)> {
        let ownership = bucket.configuration.ownership();
        if ownership == ObjectOwnership::BucketOwnerEnforced {
            return self.only_private(cx, bucket).map(|()| (None, None));
        }
        let handed_over = ownership == ObjectOwnership::BucketOwnerPreferred
            && self.canned.as_deref() == Some("bucket-owner-full-control");
        let writer = bucket.foreign_writer(&cx.caller.principal).filter(|_| !handed_over);
        let acl = if self.is_some() {
            let acl =
                self.read(&canonical_id(writer.unwrap_or(&bucket.owner)), &canonical_id(&bucket.owner), Of::Object)?;
            check_public(cx, acl.as_ref(), bucket)?;
            acl
        } else {
            None
        };
        Ok((acl, writer.map(Arc::from)))
    }

    /// Refuses, where lists do not count, every one that does not say what is so anyway.
    fn only_private(&self, cx: &Cx<Buckets>, bucket: &Bucket) -> Result<()> {
        if !self.is_some() {
            return Ok(());
        }
        let owner = canonical_id(&bucket.owner);
        let acl = self.read(&owner, &owner, Of::Object)?;
        // A list that gives the writer everything says the same where the writer is the bucket's owner.
        let is_owner = cx.caller.principal.account() == Some(&bucket.owner);
        let says_nothing = match self.canned.as_deref() {
            Some("bucket-owner-full-control") => true,
            Some("private") => is_owner,
            Some(_) => false,
            None => acl.is_none(),
        };
        if says_nothing { Ok(()) } else { Err(not_supported()) }
    }

    /// The list of a new bucket.
    ///
    /// # Errors
    /// `InvalidBucketAclWithObjectOwnership` where lists do not count, `InvalidBucketAclWithBlockPublicAccessError` for a
    /// public one: a new bucket's owner opens it first, and then grants.
    pub fn for_new_bucket(self, cx: &Cx<Buckets>, bucket: &Bucket) -> Result<Option<Acl>> {
        let owner = canonical_id(&bucket.owner);
        let acl = self.read(&owner, &owner, Of::Bucket)?;
        if acl.is_some() && bucket.configuration.ownership() == ObjectOwnership::BucketOwnerEnforced {
            return Err(does_not_go_with_ownership());
        }
        check_public(cx, acl.as_ref(), bucket).map_err(|_| {
            let text = "Bucket cannot have public ACLs set with BlockPublicAccess enabled";
            Error::new(400, "InvalidBucketAclWithBlockPublicAccessError", text)
        })?;
        Ok(acl)
    }
}

/// `id="…"`, `uri="…"` or `emailAddress="…"`.
fn from_header(header: &str, permission: &str, part: &str) -> Result<Grant> {
    let invalid = |name: &str, value: &str, text: &str| Err(errors::invalid_argument(name, value, text));
    let Some((kind, value)) = part.split_once('=') else {
        return invalid(header, part, "Argument format not recognized");
    };
    let value = value.trim().trim_matches('"');
    match kind.trim() {
        "id" if is_id(value) => Ok(user(value, permission)),
        "id" => invalid("id", value, "Invalid id"),
        "uri" if GROUPS.contains(&value) => Ok(group(value, permission)),
        "uri" => invalid("uri", value, "Invalid group uri"),
        "emailAddress" => Err(unresolvable(value)),
        _ => invalid(header, part, "Argument format not recognized"),
    }
}

/// AWS has taken no addresses since October 2025: accounts are named by their ids.
fn unresolvable(address: &str) -> Error {
    let text = "The e-mail address you provided does not match any account on record.";
    Error::new(400, "UnresolvableGrantByEmailAddress", text).with("EmailAddress", address)
}

fn is_id(text: &str) -> bool {
    text == NOBODY || (text.len() == ID_LENGTH && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn canned(name: &str, owner: &str, bucket_owner: &str, of: Of) -> Result<Option<Acl>> {
    let more = match (name, of) {
        ("private", _) => Vec::new(),
        ("bucket-owner-full-control" | "bucket-owner-read", Of::Object) if owner == bucket_owner => Vec::new(),
        ("bucket-owner-full-control", Of::Object) => vec![user(bucket_owner, "FULL_CONTROL")],
        ("bucket-owner-read", Of::Object) => vec![user(bucket_owner, "READ")],
        ("public-read", _) => vec![group(ALL_USERS, "READ")],
        ("public-read-write", _) => vec![group(ALL_USERS, "READ"), group(ALL_USERS, "WRITE")],
        ("authenticated-read", _) => vec![group(AUTHENTICATED_USERS, "READ")],
        ("aws-exec-read", _) => vec![user(EC2, "READ")],
        ("log-delivery-write", Of::Bucket) => vec![group(LOG_DELIVERY, "WRITE"), group(LOG_DELIVERY, "READ_ACP")],
        (other, _) => return Err(errors::invalid_argument("x-amz-acl", other, "")),
    };
    let mut grants = vec![user(owner, "FULL_CONTROL")];
    grants.extend(more);
    Ok(Acl(grants).unless_private(owner))
}

impl Acl {
    /// # Errors
    /// `MalformedACLError`, and `InvalidArgument` for grantees that are nobody.
    fn checked(self) -> Result<Self> {
        if self.0.len() > GRANTS {
            return Err(malformed());
        }
        for Grant { grantee, permission } in &self.0 {
            let grantee = grantee.as_ref().ok_or_else(malformed)?;
            if !permission.as_deref().is_some_and(|one| PERMISSIONS.contains(&one)) {
                return Err(malformed());
            }
            let invalid = |name: &str, value: &str, text: &str| Err(errors::invalid_argument(name, value, text));
            match (&*grantee.r#type, &grantee.id, &grantee.uri) {
                ("CanonicalUser", Some(id), _) if !is_id(id) => return invalid("CanonicalUser/ID", id, "Invalid id"),
                ("CanonicalUser", Some(_), _) => {}
                ("Group", _, Some(uri)) if !GROUPS.contains(&&**uri) => {
                    return invalid("Group/URI", uri, "Invalid group uri");
                }
                ("Group", _, Some(_)) => {}
                ("AmazonCustomerByEmail", ..) => {
                    return Err(unresolvable(grantee.email_address.as_deref().unwrap_or_default()));
                }
                _ => return Err(malformed()),
            }
        }
        Ok(self)
    }

    /// Whether it grants anything to everybody, or to everybody with an account.
    fn is_public(&self) -> bool {
        let mut uris = self.0.iter().filter_map(|grant| grant.grantee.as_ref()?.uri.as_deref());
        uris.any(|uri| uri == ALL_USERS || uri == AUTHENTICATED_USERS)
    }

    /// The list of what has none: everything is its owner's.
    pub fn private(account: &str) -> Self {
        Self(vec![user(&canonical_id(account), "FULL_CONTROL")])
    }

    /// Nothing is kept of a list that says what is so without one.
    fn unless_private(self, owner: &str) -> Option<Self> {
        (self != Self(vec![user(owner, "FULL_CONTROL")])).then_some(self)
    }

    /// The statements of a policy that say the same to a caller of this account about what the policy is asked for.
    pub fn statements(&self, of: Of, caller: &str, no_public: bool) -> Vec<Value> {
        let caller_id = canonical_id(caller);
        let nobody = canonical_id(ANONYMOUS);
        let statement = |grant: &Grant| {
            let grantee = grant.grantee.as_ref()?;
            let actions = Some(actions(grant.permission.as_deref()?, of)).filter(|actions| !actions.is_empty())?;
            let (principal, condition) = match (grantee.uri.as_deref(), grantee.id.as_deref()) {
                (Some(ALL_USERS), _) if !no_public => (json!("*"), json!({})),
                (Some(AUTHENTICATED_USERS), _) if !no_public => {
                    (json!("*"), json!({ "StringNotEquals": { "aws:PrincipalType": "Anonymous" } }))
                }
                (None, Some(id)) if id == caller_id => (json!({ "AWS": caller }), json!({})),
                (None, Some(id)) if id == nobody => {
                    (json!("*"), json!({ "StringEquals": { "aws:PrincipalType": "Anonymous" } }))
                }
                _ => return None,
            };
            Some(json!({
                "Effect": "Allow",
                "Principal": principal,
                "Action": actions,
                "Resource": "*",
                "Condition": condition,
            }))
        };
        self.0.iter().filter_map(statement).collect()
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#acl-access-policy-permission-mapping>
fn actions(permission: &str, of: Of) -> Vec<&'static str> {
    let read: &[&str] = match of {
        Of::Bucket => &["s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"],
        Of::Object => &["s3:GetObject", "s3:GetObjectVersion"],
        Of::Missing => &["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectAcl", "s3:GetObjectVersionAcl"],
    };
    let write: &[&str] = match of {
        Of::Bucket => &["s3:PutObject", "s3:DeleteObject"],
        Of::Object | Of::Missing => &[],
    };
    let (read_acp, write_acp): (&[&str], &[&str]) = match of {
        Of::Bucket => (&["s3:GetBucketAcl"], &["s3:PutBucketAcl"]),
        Of::Object => (&["s3:GetObjectAcl", "s3:GetObjectVersionAcl"], &["s3:PutObjectAcl", "s3:PutObjectVersionAcl"]),
        Of::Missing => (&[], &[]),
    };
    match permission {
        "READ" => read.to_vec(),
        "WRITE" => write.to_vec(),
        "READ_ACP" => read_acp.to_vec(),
        "WRITE_ACP" => write_acp.to_vec(),
        _ => [read, write, read_acp, write_acp].concat(),
    }
}

fn malformed() -> Error {
    let text = "The XML you provided was not well-formed or did not validate against our published schema";
    Error::new(400, "MalformedACLError", text)
}

fn not_supported() -> Error {
    Error::new(400, "AccessControlListNotSupported", "The bucket does not allow ACLs")
}

/// What answers where a list and the rule of ownership that turns lists off would come together.
pub(super) fn does_not_go_with_ownership() -> Error {
    let text = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting";
    Error::new(400, "InvalidBucketAclWithObjectOwnership", text)
}

fn blocked() -> Error {
    let text =
        "Access Denied because public ACLs are prevented by the BlockPublicAcls setting in S3 Block Public Access.";
    Error::new(403, "AccessDenied", text)
}

/// # Errors
/// 403 for a list that opens to the public what is closed to it.
fn check_public(cx: &Cx<Buckets>, acl: Option<&Acl>, bucket: &Bucket) -> Result<()> {
    let closed = bucket.configuration.blocked(cx).block_public_acls;
    if closed && acl.is_some_and(Acl::is_public) { Err(blocked()) } else { Ok(()) }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AccessControlPolicy {
    grants: Option<Vec<Grant>>,
    owner: Option<GivenOwner>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GivenOwner {
    #[serde(rename = "ID")]
    id: Option<String>,
    _display_name: Option<String>,
}

input! { guard configures grants; struct PutBucketAcl { access_control_policy: Option<AccessControlPolicy>, } }
input! { guard configures grants;
    struct PutObjectAcl {
        pub key: String,
        pub version_id: Option<String>,
        access_control_policy: Option<AccessControlPolicy>,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AclOutput {
    owner: Owner,
    grants: Vec<Grant>,
}

impl AclOutput {
    fn of(account: &str, acl: Option<&Acl>) -> Self {
        let owner = Owner::of(account);
        let grants = match acl {
            Some(Acl(grants)) => grants.clone(),
            None => vec![user(&owner.id, "FULL_CONTROL")],
        };
        Self { owner, grants }
    }
}

impl Bucket {
    /// A list, where lists count.
    fn if_counted<'a>(&self, acl: &'a Option<Acl>) -> Option<&'a Acl> {
        acl.as_ref().filter(|_| self.configuration.ownership() != ObjectOwnership::BucketOwnerEnforced)
    }
}

pub(super) fn get_bucket_acl(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<AclOutput> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    Ok(AclOutput::of(&bucket.owner, bucket.if_counted(&bucket.configuration.acl)))
}

/// The list that a request puts on an object, or on the bucket: canned, in headers, or written out.
fn wanted(
    cx: &Cx<Buckets>,
    asked: &Asked,
    written: Option<AccessControlPolicy>,
    bucket: &Bucket,
    object: Option<&Object>,
) -> Result<Option<Acl>> {
    let bucket_owner = canonical_id(&bucket.owner);
    let owner = canonical_id(object.map_or(&bucket.owner, |object| bucket.owner_of(object)));
    let in_headers = asked.is_some();
    let acl = match written {
        Some(_) if in_headers => {
            return Err(Error::new(400, "UnexpectedContent", "This request does not support content"));
        }
        Some(written) => {
            let named = written.owner.and_then(|owner| owner.id).ok_or_else(malformed)?;
            if !is_id(&named) {
                return Err(errors::invalid_argument("CanonicalUser/ID", named, "Invalid id"));
            }
            if named != owner {
                return Err(malformed());
            }
            Acl(written.grants.unwrap_or_default()).checked()?.unless_private(&owner)
        }
        None if !in_headers => {
            return Err(Error::new(400, "MissingSecurityHeader", "Your request was missing a required header")
                .with("MissingHeaderName", "x-amz-acl"));
        }
        None => asked.read(&owner, &bucket_owner, if object.is_some() { Of::Object } else { Of::Bucket })?,
    };
    // Where lists do not count at all, that is what is told.
    if bucket.configuration.ownership() != ObjectOwnership::BucketOwnerEnforced {
        check_public(cx, acl.as_ref(), bucket)?;
    }
    Ok(acl)
}

pub(super) fn put_bucket_acl(cx: &mut Cx<Buckets>, mut input: PutBucketAcl) -> Result<()> {
    let found = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let asked = super::input::asked_acl!(input);
    let acl = wanted(cx, &asked, input.access_control_policy, found, None)?;
    if found.configuration.ownership() == ObjectOwnership::BucketOwnerEnforced {
        return Err(not_supported());
    }
    bucket_mut(cx, &input.bucket)?.configuration.acl = acl;
    Ok(())
}

pub(super) fn get_object_acl(cx: &mut Cx<Buckets>, input: OnObject) -> Result<AclOutput> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let object = object(cx, bucket, &input.key, input.version_id.as_deref(), "GET")?;
    Ok(AclOutput::of(bucket.owner_of(&object), bucket.if_counted(&object.description.acl)))
}

pub(super) fn put_object_acl(cx: &mut Cx<Buckets>, mut input: PutObjectAcl) -> Result<()> {
    let found = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let object = object(cx, found, &input.key, input.version_id.as_deref(), "PUT")?;
    let asked = super::input::asked_acl!(input);
    let acl = wanted(cx, &asked, input.access_control_policy, found, Some(&object))?;
    let counts = found.configuration.ownership() != ObjectOwnership::BucketOwnerEnforced;
    if !counts && asked.canned.as_deref() != Some("bucket-owner-full-control") {
        return Err(not_supported());
    }
    let mut happening = Happening::of("ObjectAcl:Put", &input.key, &object);
    happening.version = found.shown_id(&object.stamp);
    // Where lists do not count, what was there stays for when they do.
    if counts {
        bucket_mut(cx, &input.bucket)?.change(&input.key, &object, |kept| kept.acl = acl)?;
    }
    events::tell(cx, &input.bucket, happening);
    Ok(())
}
