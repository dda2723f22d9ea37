//! Amazon S3: buckets, objects and their versions, multipart uploads, and what is configured on a bucket.
//!
//! `state.rs` says how versions are kept and `walk.rs` how lists go over them; `lookup.rs` finds what a request names.
//! Every other file holds the operations that its name says; `web.rs` answers what browsers send and no SDK does. What is
//! only kept and answered, `kept.rs` names. Refused by name: directory buckets, access points, Select, torrents, MFA delete.

mod acl;
mod attributes;
pub(crate) mod body;
mod bucket;
mod checksum;
mod conditions;
mod configuration;
mod context;
mod copy;
mod cors;
mod delete;
mod encryption;
mod errors;
mod events;
mod form;
mod get;
mod guard;
mod input;
mod kept;
mod kms;
mod lifecycle;
mod list;
mod lock;
mod lookup;
mod md5;
mod multipart;
mod names;
mod notification;
mod object;
mod ownership;
mod part_checksums;
mod parts;
mod policy;
mod post;
mod post_policy;
mod put;
mod range;
mod restore;
mod state;
mod tagging;
mod token;
mod versions;
mod walk;
pub(crate) mod web;
mod website;

#[cfg(test)]
mod tests;

pub(crate) use md5::{Digested, Intake};
pub(crate) use ownership::NewBuckets;
pub use ownership::ObjectOwnership;
pub(crate) use put::POSTED;
pub use state::Buckets;

use crate::cloud::{Service, Target};
use get::on_version;
use guard::{on_bucket, on_object, on_upload};

/// The service and its operations. The IAM action of each is that of
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>.
pub fn service() -> Service<Buckets> {
    Service::new("s3")
        .global()
        .with(buckets)
        .with(objects)
        .with(guarded)
        .with(uploads)
        .with(configurations)
        .with(kept_alone)
        .event("Lifecycle", lifecycle::run)
        .asks()
}

fn buckets(service: Service<Buckets>) -> Service<Buckets> {
    service
        .op(
            "CreateBucket",
            |_, i: &bucket::CreateBucket| context::granted!(Target::on(lookup::bucket_arn(&i.bucket)), i),
            bucket::create,
        )
        .op("DeleteBucket", |at, i| on_bucket(at, &i.bucket, "s3:DeleteBucket"), bucket::delete)
        .op("HeadBucket", |at, i| on_bucket(at, &i.bucket, "s3:ListBucket"), bucket::head)
        .op("ListBuckets", |_, _| Target::any().action("s3:ListAllMyBuckets"), bucket::list)
        .op("GetBucketLocation", |at, i| on_bucket(at, &i.bucket, "s3:GetBucketLocation"), bucket::location)
        .op(
            "ListObjectsV2",
            |at, i: &list::ListObjectsV2| {
                let members = [i.prefix.as_deref(), i.delimiter.as_deref()];
                list::target(at, &i.bucket, "s3:ListBucket", members, i.max_keys)
            },
            list::list_v2,
        )
        .op(
            "ListObjects",
            |at, i: &list::ListObjects| {
                let members = [i.prefix.as_deref(), i.delimiter.as_deref()];
                list::target(at, &i.bucket, "s3:ListBucket", members, i.max_keys)
            },
            list::list,
        )
        .op(
            "ListObjectVersions",
            |at, i: &versions::ListObjectVersions| {
                let members = [i.prefix.as_deref(), i.delimiter.as_deref()];
                list::target(at, &i.bucket, "s3:ListBucketVersions", members, i.max_keys)
            },
            versions::list,
        )
        .op(
            "ListMultipartUploads",
            |at, i| on_bucket(at, &i.bucket, "s3:ListBucketMultipartUploads"),
            parts::list_uploads,
        )
}

fn objects(service: Service<Buckets>) -> Service<Buckets> {
    service
        .bulk_asking_op("PutObject", put::digest, put::target, kms::put, put::put)
        .bulk_asking_op("GetObject", |_, _| {}, get::target, kms::get, get::get)
        .bulk_asking_op("HeadObject", |_, _| {}, get::target, kms::head, get::head)
        .asking_op("CopyObject", copy::target, kms::copy, copy::copy)
        .op("DeleteObject", delete::target, delete::delete)
        .op("DeleteObjects", delete::batch_target, delete::delete_batch)
        .op(
            "GetObjectAttributes",
            |at, i| {
                let actions = ["s3:GetObject", "s3:GetObjectVersion"];
                on_version(at, &i.bucket, &i.key, i.version_id.as_deref(), actions)
            },
            attributes::get,
        )
        .op(
            "GetObjectTagging",
            |at, i| {
                let actions = ["s3:GetObjectTagging", "s3:GetObjectVersionTagging"];
                on_version(at, &i.bucket, &i.key, i.version_id.as_deref(), actions)
            },
            tagging::get_object_tagging,
        )
        .op(
            "PutObjectTagging",
            |at, i: &tagging::PutObjectTagging| {
                let actions = ["s3:PutObjectTagging", "s3:PutObjectVersionTagging"];
                let target = on_version(at, &i.bucket, &i.key, i.version_id.as_deref(), actions);
                context::request_tags(target, i.tags())
            },
            tagging::put_object_tagging,
        )
        .op(
            "DeleteObjectTagging",
            |at, i| {
                let actions = ["s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging"];
                on_version(at, &i.bucket, &i.key, i.version_id.as_deref(), actions)
            },
            tagging::delete_object_tagging,
        )
        .op(
            "GetObjectAcl",
            |at, i| {
                let actions = ["s3:GetObjectAcl", "s3:GetObjectVersionAcl"];
                on_version(at, &i.bucket, &i.key, i.version_id.as_deref(), actions)
            },
            acl::get_object_acl,
        )
        .op(
            "PutObjectAcl",
            |at, i: &acl::PutObjectAcl| {
                let actions = ["s3:PutObjectAcl", "s3:PutObjectVersionAcl"];
                context::granted!(on_version(at, &i.bucket, &i.key, i.version_id.as_deref(), actions), i)
            },
            acl::put_object_acl,
        )
}

/// What keeps objects, and brings them back.
fn guarded(service: Service<Buckets>) -> Service<Buckets> {
    service
        .op(
            "RestoreObject",
            |at, i: &restore::RestoreObject| on_object(at, &i.bucket, &i.key, None, "s3:RestoreObject"),
            restore::restore,
        )
        .op(
            "PutObjectRetention",
            |at, i: &lock::PutObjectRetention| on_object(at, &i.bucket, &i.key, None, "s3:PutObjectRetention"),
            lock::put_retention,
        )
        .op(
            "GetObjectRetention",
            |at, i: &tagging::OnObject| on_object(at, &i.bucket, &i.key, None, "s3:GetObjectRetention"),
            lock::get_retention,
        )
        .op(
            "PutObjectLegalHold",
            |at, i: &lock::PutObjectLegalHold| on_object(at, &i.bucket, &i.key, None, "s3:PutObjectLegalHold"),
            lock::put_legal_hold,
        )
        .op(
            "GetObjectLegalHold",
            |at, i: &tagging::OnObject| on_object(at, &i.bucket, &i.key, None, "s3:GetObjectLegalHold"),
            lock::get_legal_hold,
        )
}

fn uploads(service: Service<Buckets>) -> Service<Buckets> {
    service
        .asking_op("CreateMultipartUpload", multipart::create_target, kms::create, multipart::create)
        .bulk_asking_op(
            "UploadPart",
            multipart::digest,
            |at, i| multipart::target(at, &i.bucket, &i.key, &i.upload_id),
            kms::upload_part,
            multipart::upload_part,
        )
        .asking_op("UploadPartCopy", multipart::copy_target, kms::upload_part_copy, multipart::upload_part_copy)
        .asking_op("CompleteMultipartUpload", multipart::complete_target, kms::complete, multipart::complete)
        .op(
            "AbortMultipartUpload",
            |at, i| on_upload(at, [&i.bucket, &i.key, &i.upload_id], "s3:AbortMultipartUpload"),
            multipart::abort,
        )
        .op(
            "ListParts",
            |at, i| on_upload(at, [&i.bucket, &i.key, &i.upload_id], "s3:ListMultipartUploadParts"),
            parts::list_parts,
        )
}

/// A line of the table below: an operation on a bucket, its IAM action, its function.
macro_rules! on_buckets {
    ($service:expr; $($name:literal $action:literal $run:path;)*) => {
        $service$(.op($name, |at, i| on_bucket(at, &i.bucket, concat!("s3:", $action)), $run))*
    };
}

fn configurations(service: Service<Buckets>) -> Service<Buckets> {
    on_buckets! { service;
        "PutBucketVersioning" "PutBucketVersioning" versions::put;
        "GetBucketVersioning" "GetBucketVersioning" versions::get;
        "PutBucketTagging" "PutBucketTagging" tagging::put_bucket_tagging;
        "GetBucketTagging" "GetBucketTagging" tagging::get_bucket_tagging;
        "DeleteBucketTagging" "PutBucketTagging" tagging::delete_bucket_tagging;
        "PutBucketPolicy" "PutBucketPolicy" policy::put;
        "GetBucketPolicy" "GetBucketPolicy" policy::get;
        "DeleteBucketPolicy" "DeleteBucketPolicy" policy::delete;
        "GetBucketPolicyStatus" "GetBucketPolicyStatus" policy::status;
        "PutPublicAccessBlock" "PutBucketPublicAccessBlock" configuration::put_public_access;
        "GetPublicAccessBlock" "GetBucketPublicAccessBlock" configuration::get_public_access;
        "DeletePublicAccessBlock" "PutBucketPublicAccessBlock" configuration::delete_public_access;
        "PutBucketOwnershipControls" "PutBucketOwnershipControls" ownership::put;
        "GetBucketOwnershipControls" "GetBucketOwnershipControls" ownership::get;
        "DeleteBucketOwnershipControls" "PutBucketOwnershipControls" ownership::delete;
        "GetBucketAcl" "GetBucketAcl" acl::get_bucket_acl;
        "PutBucketEncryption" "PutEncryptionConfiguration" encryption::put;
        "GetBucketEncryption" "GetEncryptionConfiguration" encryption::get;
        "DeleteBucketEncryption" "PutEncryptionConfiguration" encryption::delete;
        "PutBucketCors" "PutBucketCORS" cors::put;
        "GetBucketCors" "GetBucketCORS" cors::get;
        "DeleteBucketCors" "PutBucketCORS" cors::delete;
        "PutBucketLifecycleConfiguration" "PutLifecycleConfiguration" lifecycle::put;
        "GetBucketLifecycleConfiguration" "GetLifecycleConfiguration" lifecycle::get;
        "DeleteBucketLifecycle" "PutLifecycleConfiguration" lifecycle::delete;
        "GetBucketNotificationConfiguration" "GetBucketNotification" notification::get;
        "PutBucketWebsite" "PutBucketWebsite" website::put;
        "GetBucketWebsite" "GetBucketWebsite" website::get;
        "DeleteBucketWebsite" "DeleteBucketWebsite" website::delete;
        "PutObjectLockConfiguration" "PutBucketObjectLockConfiguration" lock::put_configuration;
        "GetObjectLockConfiguration" "GetBucketObjectLockConfiguration" lock::get_configuration;
    }
    .op(
        "PutBucketAcl",
        |at, i: &acl::PutBucketAcl| context::granted!(on_bucket(at, &i.bucket, "s3:PutBucketAcl"), i),
        acl::put_bucket_acl,
    )
    .waiting_op(
        "PutBucketNotificationConfiguration",
        |at, i: &notification::PutNotification| on_bucket(at, &i.bucket, "s3:PutBucketNotification"),
        notification::put,
    )
}

fn kept_alone(service: Service<Buckets>) -> Service<Buckets> {
    on_buckets! { service;
        "PutBucketLogging" "PutBucketLogging" kept::put_logging;
        "GetBucketLogging" "GetBucketLogging" kept::get_logging;
        "PutBucketAccelerateConfiguration" "PutAccelerateConfiguration" kept::put_accelerate;
        "GetBucketAccelerateConfiguration" "GetAccelerateConfiguration" kept::get_accelerate;
        "PutBucketRequestPayment" "PutBucketRequestPayment" kept::put_payment;
        "GetBucketRequestPayment" "GetBucketRequestPayment" kept::get_payment;
        "PutBucketReplication" "PutReplicationConfiguration" kept::put_replication;
        "GetBucketReplication" "GetReplicationConfiguration" kept::get_replication;
        "DeleteBucketReplication" "PutReplicationConfiguration" kept::delete_replication;
        "PutBucketAnalyticsConfiguration" "PutAnalyticsConfiguration" kept::put_analytics;
        "GetBucketAnalyticsConfiguration" "GetAnalyticsConfiguration" kept::get_analytics;
        "DeleteBucketAnalyticsConfiguration" "PutAnalyticsConfiguration" kept::delete_analytics;
        "ListBucketAnalyticsConfigurations" "GetAnalyticsConfiguration" kept::list_analytics;
        "PutBucketInventoryConfiguration" "PutInventoryConfiguration" kept::put_inventory;
        "GetBucketInventoryConfiguration" "GetInventoryConfiguration" kept::get_inventory;
        "DeleteBucketInventoryConfiguration" "PutInventoryConfiguration" kept::delete_inventory;
        "ListBucketInventoryConfigurations" "GetInventoryConfiguration" kept::list_inventory;
        "PutBucketMetricsConfiguration" "PutMetricsConfiguration" kept::put_metrics;
        "GetBucketMetricsConfiguration" "GetMetricsConfiguration" kept::get_metrics;
        "DeleteBucketMetricsConfiguration" "PutMetricsConfiguration" kept::delete_metrics;
        "ListBucketMetricsConfigurations" "GetMetricsConfiguration" kept::list_metrics;
        "PutBucketIntelligentTieringConfiguration" "PutIntelligentTieringConfiguration" kept::put_tiering;
        "GetBucketIntelligentTieringConfiguration" "GetIntelligentTieringConfiguration" kept::get_tiering;
        "DeleteBucketIntelligentTieringConfiguration" "PutIntelligentTieringConfiguration" kept::delete_tiering;
        "ListBucketIntelligentTieringConfigurations" "GetIntelligentTieringConfiguration" kept::list_tiering;
    }
}
