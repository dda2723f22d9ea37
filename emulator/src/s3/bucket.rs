//! Buckets: making, finding, listing and deleting them.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::input::{asked_acl, input};
use super::lock::BucketLock;
use super::lookup::{self, bucket, canonical_id};
use super::object::Object;
use super::ownership::ObjectOwnership;
use super::state::{Bucket, Buckets, Versioning};
use super::tagging::{self, Tag};
use super::{errors, names, token};
use crate::cloud::Cx;
use crate::{Error, Result, Timestamp};

/// How many buckets an account may have.
/// <https://docs.aws.amazon.com/general/latest/gr/s3.html#limits_s3>
const BUCKET_LIMIT: usize = 10_000;

input! { grants;
    struct CreateBucket {
        pub bucket: String,
        create_bucket_configuration: Option<CreateBucketConfiguration>,
        object_ownership: Option<String>,
        object_lock_enabled_for_bucket: Option<bool>,
        bucket_namespace: Option<String>,
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateBucketConfiguration {
    location_constraint: Option<String>,
    tags: Option<Vec<Tag>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateBucketOutput {
    location: String,
    bucket_arn: String,
}

pub(super) fn create(cx: &mut Cx<Buckets>, mut input: CreateBucket) -> Result<CreateBucketOutput> {
    names::check_name(&input.bucket)?;
    if input.bucket_namespace.as_deref().is_some_and(|namespace| namespace != "global") {
        return Err(Error::not_implemented("the account-regional namespace of S3's buckets (BucketNamespace)"));
    }
    let configuration = input.create_bucket_configuration.take().unwrap_or_default();
    let region = names::region(configuration.location_constraint.as_deref(), &cx.scope.region)?;
    let location = match region {
        "us-east-1" => format!("/{}", input.bucket),
        _ => format!("http://{}.s3.amazonaws.com/", input.bucket),
    };
    if let Some(existing) = cx.state.buckets.get(&*input.bucket) {
        let brings_tags = configuration.tags.as_ref().is_some_and(|tags| !tags.is_empty());
        return match taken(cx, existing, region, brings_tags) {
            None => recreate(cx, input, location),
            Some(error) => Err(error.with("BucketName", input.bucket)),
        };
    }
    if cx.state.buckets.values().filter(|bucket| bucket.owner == cx.scope.account).count() >= BUCKET_LIMIT {
        return Err(Error::new(400, "TooManyBuckets", "You have attempted to create more buckets than allowed"));
    }
    let region = region.into();
    let mut bucket = Bucket::new(&input.bucket, cx.scope.account.clone(), region, cx.now, cx.new_buckets());
    bucket.is_eu = configuration.location_constraint.as_deref() == Some(names::EU);
    if let Some(tags) = configuration.tags {
        tagging::check_new(&tags)?;
        bucket.configuration.tags = tags;
    }
    if let Some(ownership) = input.object_ownership.take() {
        let Some(known) = ObjectOwnership::named(&ownership) else {
            let text = format!("Invalid x-amz-object-ownership header: {ownership}");
            return Err(Error::new(400, "InvalidArgument", text).with("ArgumentName", "x-amz-object-ownership"));
        };
        bucket.configuration.ownership = Some(known);
    }
    bucket.configuration.acl = asked_acl!(input).for_new_bucket(cx, &bucket)?;
    if input.object_lock_enabled_for_bucket == Some(true) {
        bucket.versioning = Versioning::Enabled;
        bucket.configuration.object_lock = Some(BucketLock::default());
    }
    let bucket_arn = bucket.arn();
    cx.state.buckets.insert(bucket.name.clone(), bucket);
    Ok(CreateBucketOutput { location, bucket_arn })
}

/// Creates a bucket again that is there: all that becomes of it is that its access control list is set anew.
fn recreate(cx: &mut Cx<Buckets>, mut input: CreateBucket, location: String) -> Result<CreateBucketOutput> {
    let existing = lookup::bucket(cx, &input.bucket, None)?;
    let acl = asked_acl!(input).for_new_bucket(cx, existing)?;
    let existing = lookup::bucket_mut(cx, &input.bucket)?;
    existing.configuration.acl = acl;
    Ok(CreateBucketOutput { location, bucket_arn: existing.arn() })
}

/// What answers on a name that is taken. In us-east-1 the owner may create it again, without tags.
fn taken(cx: &Cx<Buckets>, existing: &Bucket, region: &str, brings_tags: bool) -> Option<Error> {
    if existing.owner != cx.scope.account {
        let text = "The requested bucket name is not available. The bucket namespace is shared by all users of the \
                    system. Please select a different name and try again.";
        return Some(Error::new(409, "BucketAlreadyExists", text));
    }
    if region == "us-east-1" && &*existing.region == "us-east-1" && !brings_tags {
        return None;
    }
    let text = "Your previous request to create the named bucket succeeded and you already own it.";
    Some(Error::new(409, "BucketAlreadyOwnedByYou", text))
}

input! { guard; struct OnBucket {} }

pub(super) fn delete(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<()> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    // Uploads that are not complete do not keep a bucket: they go with it.
    let text = if !bucket.history.is_empty() {
        "The bucket you tried to delete is not empty. You must delete all versions in the bucket."
    } else if !bucket.objects.is_empty() {
        "The bucket you tried to delete is not empty"
    } else {
        cx.state.buckets.remove(&*input.bucket);
        return Ok(());
    };
    Err(Error::new(409, "BucketNotEmpty", text).with("BucketName", input.bucket))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct HeadBucketOutput {
    bucket_arn: String,
    bucket_region: String,
    access_point_alias: bool,
}

pub(super) fn head(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<HeadBucketOutput> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let output = HeadBucketOutput {
        bucket_arn: bucket.arn(),
        bucket_region: bucket.region.to_string(),
        access_point_alias: false,
    };
    cx.answer_header(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/xml"));
    Ok(output)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct LocationOutput {
    /// Absent for us-east-1, as of old.
    #[serde(skip_serializing_if = "Option::is_none")]
    location_constraint: Option<String>,
}

/// Answers from every region: it is how clients find the right one.
pub(super) fn location(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<LocationOutput> {
    let bucket = cx.state.buckets.get(&*input.bucket).ok_or_else(|| errors::no_such_bucket(&input.bucket))?;
    lookup::check_owner(bucket, input.expected_bucket_owner.as_deref())?;
    let region = if bucket.is_eu {
        Some(names::EU.to_owned())
    } else {
        Some(bucket.region.to_string()).filter(|region| region != "us-east-1")
    };
    Ok(LocationOutput { location_constraint: region })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListBuckets {
    max_buckets: Option<usize>,
    continuation_token: Option<String>,
    prefix: Option<String>,
    bucket_region: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListBucketsOutput {
    buckets: Vec<BucketEntry>,
    owner: Owner,
    #[serde(skip_serializing_if = "Option::is_none")]
    continuation_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BucketEntry {
    name: String,
    creation_date: Timestamp,
    /// Told, as the ARN, to requests that narrow the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket_region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket_arn: Option<String>,
}

/// Who owns a bucket or an object. AWS answers no display names since November 2025.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Owner {
    #[serde(rename = "ID")]
    pub id: String,
}

impl Owner {
    pub fn of(account: &str) -> Self {
        Self { id: canonical_id(account) }
    }
}

/// The owners of a bucket's objects. That of most is the bucket's, whose id is worked out once.
pub(super) struct Owners<'a> {
    bucket: &'a Bucket,
    own: Owner,
}

impl<'a> Owners<'a> {
    pub fn of(bucket: &'a Bucket) -> Self {
        Self { bucket, own: Owner::of(&bucket.owner) }
    }

    /// The bucket's.
    pub fn own(&self) -> &Owner {
        &self.own
    }

    pub fn owner(&self, object: &Object) -> Cow<'_, Owner> {
        let owner = self.bucket.owner_of(object);
        if owner == &*self.bucket.owner { Cow::Borrowed(&self.own) } else { Cow::Owned(Owner::of(owner)) }
    }
}

pub(super) fn list(cx: &mut Cx<Buckets>, input: ListBuckets) -> Result<ListBucketsOutput> {
    let given = input.continuation_token.as_deref().filter(|token| !token.is_empty());
    let after = given.map(token::read).transpose()?.unwrap_or_default();
    let narrowed = input.max_buckets.is_some()
        || input.continuation_token.is_some()
        || input.prefix.is_some()
        || input.bucket_region.is_some();
    if let Some(region) = input.bucket_region.as_deref().filter(|region| !names::is_region(region)) {
        let text = format!("Argument value {region} is not a valid AWS Region");
        return Err(Error::new(400, "InvalidArgument", text).with("ArgumentName", "bucket-region"));
    }
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let limit = input.max_buckets.unwrap_or(BUCKET_LIMIT);
    let mut mine = cx
        .state
        .buckets
        .values()
        .filter(|bucket| bucket.owner == cx.scope.account && bucket.name.starts_with(prefix) && *bucket.name > *after)
        .filter(|bucket| input.bucket_region.as_deref().is_none_or(|region| region == &*bucket.region));
    let buckets: Vec<_> = mine
        .by_ref()
        .take(limit)
        .map(|bucket| BucketEntry {
            name: bucket.name.to_string(),
            creation_date: bucket.created,
            bucket_region: narrowed.then(|| bucket.region.to_string()),
            bucket_arn: narrowed.then(|| bucket.arn()),
        })
        .collect();
    let more = mine.next().is_some();
    let continuation_token = buckets.last().filter(|_| more).map(|last| token::write(&last.name));
    Ok(ListBucketsOutput { buckets, owner: Owner::of(&cx.scope.account), continuation_token, prefix: input.prefix })
}
