//! Lifecycle rules: what expires or changes its storage class, and when.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html>. S3 runs the rules once a day, at
//! midnight UTC; an age counts from the creation to the midnight after so many days. Here both happen at midnight
//! exactly: at AWS the removal follows within hours. A transition changes the storage class and nothing else, as nothing
//! costs anything.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::bucket::OnBucket;
use super::events::{self, Happening};
use super::input::input;
use super::lookup::{bucket, bucket_mut};
use super::object::{Object, Version};
use super::state::{Bucket, Buckets};
use super::tagging::Tag;
use super::walk::under;
use super::{errors, versions};
use crate::cloud::Cx;
use crate::{Error, Result, Timestamp};

/// A configuration has at most this many rules.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-to-set-lifecycle-configuration-intro.html>
const RULES: usize = 1000;
/// The longest id of a rule: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html>
const ID_LENGTH: usize = 255;
/// No object of less than 128 KiB changes its class, unless a rule says otherwise: the default since September 2024.
const ALL_CLASSES: &str = "all_storage_classes_128K";
/// Small objects go into archives, as before.
const VARIES: &str = "varies_by_storage_class";
const SMALL: u64 = 128 * 1024;
/// What objects can be moved to.
const TARGETS: [&str; 6] =
    ["STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"];
const DAY: i64 = 86_400;
/// What rules' ids in the header keep as it is.
const UNRESERVED: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'*');

/// A bucket's rules, and when they run next.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Lifecycle {
    rules: Vec<Rule>,
    next_run: Timestamp,
    /// Which objects are too small for transitions: `TransitionDefaultMinimumObjectSize`.
    #[serde(default)]
    minimum: Option<String>,
}

/// `LifecycleRule` of the model.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Rule {
    #[serde(rename = "ID", skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<RuleFilter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration: Option<Expiration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    noncurrent_version_expiration: Option<NoncurrentExpiration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    abort_incomplete_multipart_upload: Option<AbortIncomplete>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transitions: Option<Vec<Transition>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    noncurrent_version_transitions: Option<Vec<NoncurrentTransition>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Transition {
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    days: Option<u32>,
    storage_class: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NoncurrentTransition {
    #[serde(skip_serializing_if = "Option::is_none")]
    noncurrent_days: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    newer_noncurrent_versions: Option<usize>,
    storage_class: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RuleFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<Tag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_size_greater_than: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_size_less_than: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    and: Option<AllOf>,
}

impl RuleFilter {
    /// Whether it says one thing at most: several stand in `And`.
    fn is_one(&self) -> bool {
        let given = [
            self.prefix.is_some(),
            self.tag.is_some(),
            self.object_size_greater_than.is_some(),
            self.object_size_less_than.is_some(),
            self.and.is_some(),
        ];
        given.into_iter().filter(|given| *given).count() <= 1
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AllOf {
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_size_greater_than: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_size_less_than: Option<u64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Expiration {
    #[serde(skip_serializing_if = "Option::is_none")]
    days: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expired_object_delete_marker: Option<bool>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NoncurrentExpiration {
    #[serde(skip_serializing_if = "Option::is_none")]
    noncurrent_days: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    newer_noncurrent_versions: Option<usize>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AbortIncomplete {
    #[serde(skip_serializing_if = "Option::is_none")]
    days_after_initiation: Option<u32>,
}

impl Rule {
    fn is_enabled(&self) -> bool {
        self.status == "Enabled"
    }

    fn prefix(&self) -> &str {
        let filter = self.filter.as_ref();
        let and = filter.and_then(|filter| filter.and.as_ref());
        let prefixes = [and.and_then(|and| and.prefix.as_deref()), filter.and_then(|filter| filter.prefix.as_deref())];
        prefixes.into_iter().flatten().next().or(self.prefix.as_deref()).unwrap_or_default()
    }

    /// Whether only some of the keys under the prefix are meant.
    fn looks_at_objects(&self) -> bool {
        self.filter.as_ref().is_some_and(|filter| {
            let sizes = filter.object_size_greater_than.is_some() || filter.object_size_less_than.is_some();
            let and = filter.and.as_ref();
            let and_sizes =
                and.is_some_and(|a| a.object_size_greater_than.is_some() || a.object_size_less_than.is_some());
            sizes || and_sizes || filter.tag.is_some() || and.is_some_and(|and| !and.tags.is_empty())
        })
    }

    /// Whether it says itself which sizes are meant.
    fn filters_sizes(&self) -> bool {
        self.filter.as_ref().is_some_and(|filter| {
            let and = filter.and.as_ref();
            filter.object_size_greater_than.is_some()
                || filter.object_size_less_than.is_some()
                || and.is_some_and(|a| a.object_size_greater_than.is_some() || a.object_size_less_than.is_some())
        })
    }

    fn means(&self, key: &str, object: &Object) -> bool {
        if !self.is_enabled() || !key.starts_with(self.prefix()) {
            return false;
        }
        let Some(filter) = &self.filter else { return true };
        let and = filter.and.clone().unwrap_or_default();
        let greater = [filter.object_size_greater_than, and.object_size_greater_than];
        let less = [filter.object_size_less_than, and.object_size_less_than];
        greater.into_iter().flatten().all(|size| object.size() > size)
            && less.into_iter().flatten().all(|size| object.size() < size)
            && filter.tag.iter().chain(&and.tags).all(|tag| object.description.tags.contains(tag))
    }

    /// When an object that the rule means expires as the current version of its key.
    fn expires(&self, object: &Object) -> Option<Timestamp> {
        let expiration = self.expiration.as_ref()?;
        expiration.date.or_else(|| expiration.days.map(|days| midnight_after(object.stamp.modified, days)))
    }
}

/// The first midnight at or after so many days from a time on.
fn midnight_after(time: Timestamp, days: u32) -> Timestamp {
    let due = time.secs().saturating_add(i64::from(days).saturating_mul(DAY));
    let into_day = due.rem_euclid(DAY);
    Timestamp::from_secs(if into_day == 0 { due } else { due - into_day + DAY })
}

/// The midnight that follows a time.
pub(super) fn next_midnight(now: Timestamp) -> Timestamp {
    Timestamp::from_secs(now.secs() - now.secs().rem_euclid(DAY) + DAY)
}

/// The header `x-amz-expiration` of a current object that a rule will expire: the earliest such rule's.
pub(super) fn expiration_header(bucket: &Bucket, key: &str, object: &Object) -> Option<String> {
    let lifecycle = bucket.configuration.lifecycle.as_ref()?;
    let meant = lifecycle.rules.iter().filter(|rule| rule.means(key, object));
    let (when, rule) = meant.filter_map(|rule| Some((rule.expires(object)?, rule))).min_by_key(|(when, _)| *when)?;
    let id = rule.id.as_deref().unwrap_or_default();
    let id = percent_encoding::utf8_percent_encode(id, UNRESERVED);
    Some(format!("expiry-date=\"{}\", rule-id=\"{id}\"", when.to_http_date()))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Rules {
    rules: Vec<Rule>,
}

input! { guard configures;
    struct PutLifecycle {
        lifecycle_configuration: Option<Rules>,
        transition_default_minimum_object_size: Option<String>,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct LifecycleOutput {
    rules: Vec<Rule>,
    transition_default_minimum_object_size: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutLifecycleOutput {
    transition_default_minimum_object_size: String,
}

pub(super) fn put(cx: &mut Cx<Buckets>, input: PutLifecycle) -> Result<PutLifecycleOutput> {
    bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let minimum = input.transition_default_minimum_object_size.unwrap_or_else(|| ALL_CLASSES.to_owned());
    if minimum != ALL_CLASSES && minimum != VARIES {
        let text = format!("Invalid TransitionDefaultMinimumObjectSize found: {minimum}");
        return Err(errors::invalid_request(text));
    }
    let mut rules = input.lifecycle_configuration.ok_or_else(errors::malformed_xml)?.rules;
    if rules.is_empty() || rules.len() > RULES {
        return Err(errors::malformed_xml());
    }
    for (index, rule) in rules.iter().enumerate() {
        check(rule)?;
        if rule.id.is_some() && rules[..index].iter().any(|other| other.id == rule.id) {
            let text = format!(
                "Rule ID must be unique. Found same ID for more than one rule: {}",
                rule.id.as_deref().unwrap_or_default()
            );
            return Err(Error::new(400, "InvalidArgument", text));
        }
    }
    for rule in rules.iter_mut().filter(|rule| rule.id.is_none()) {
        rule.id = Some(cx.ids.uuid());
    }
    let next_run = next_midnight(cx.now);
    let lifecycle = Lifecycle { rules, next_run, minimum: Some(minimum.clone()) };
    bucket_mut(cx, &input.bucket)?.configuration.lifecycle = Some(lifecycle);
    cx.set_timer("Lifecycle", input.bucket, next_run);
    Ok(PutLifecycleOutput { transition_default_minimum_object_size: minimum })
}

fn check(rule: &Rule) -> Result<()> {
    let argument = |text: &str| Err(Error::new(400, "InvalidArgument", text));
    if rule.id.as_ref().is_some_and(|id| id.chars().count() > ID_LENGTH) {
        return argument("ID length should not exceed allowed limit of 255");
    }
    if rule.prefix.is_some() == rule.filter.is_some() || !["Enabled", "Disabled"].contains(&&*rule.status) {
        return Err(errors::malformed_xml());
    }
    if rule.filter.as_ref().is_some_and(|filter| !filter.is_one()) {
        return Err(errors::malformed_xml());
    }
    let tags = rule.filter.as_ref().and_then(|filter| filter.and.as_ref()).map_or([].as_slice(), |and| &and.tags);
    if tags.iter().enumerate().any(|(index, tag)| tags[..index].iter().any(|other| other.key == tag.key)) {
        return Err(errors::invalid_request("Duplicate Tag Keys are not allowed."));
    }
    if let Some(expiration) = &rule.expiration {
        let given =
            [expiration.days.is_some(), expiration.date.is_some(), expiration.expired_object_delete_marker.is_some()];
        if given.into_iter().filter(|given| *given).count() != 1 {
            return Err(errors::malformed_xml());
        }
        if expiration.days == Some(0) {
            return argument("'Days' for Expiration action must be a positive integer");
        }
        check_date(expiration.date)?;
    }
    if let Some(NoncurrentExpiration { noncurrent_days: None, newer_noncurrent_versions: None }) =
        rule.noncurrent_version_expiration
    {
        return Err(errors::malformed_xml());
    }
    if let Some(noncurrent) = &rule.noncurrent_version_expiration
        && noncurrent.noncurrent_days.is_none_or(|days| days == 0)
    {
        return argument("'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer");
    }
    if let Some(abort) = &rule.abort_incomplete_multipart_upload {
        if abort.days_after_initiation.is_none_or(|days| days == 0) {
            return argument(
                "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer",
            );
        }
        if rule.looks_at_objects() {
            let text = "AbortIncompleteMultipartUpload cannot be specified with Tags or object size.";
            return Err(errors::invalid_request(text));
        }
    }
    for transition in rule.transitions.iter().flatten() {
        if transition.days.is_some() == transition.date.is_some() || !is_target(transition.storage_class.as_deref()) {
            return Err(errors::malformed_xml());
        }
        check_date(transition.date)?;
    }
    for transition in rule.noncurrent_version_transitions.iter().flatten() {
        if transition.noncurrent_days.is_none() || !is_target(transition.storage_class.as_deref()) {
            return Err(errors::malformed_xml());
        }
    }
    let acts = rule.transitions.is_some()
        || rule.noncurrent_version_transitions.is_some()
        || rule.expiration.is_some()
        || rule.noncurrent_version_expiration.is_some()
        || rule.abort_incomplete_multipart_upload.is_some();
    if acts {
        return Ok(());
    }
    Err(errors::invalid_request("At least one action needs to be specified in a rule"))
}

/// Rules act at midnight.
fn check_date(date: Option<Timestamp>) -> Result<()> {
    match date.filter(|date| date.millis().rem_euclid(DAY * 1000) != 0) {
        None => Ok(()),
        Some(date) => Err(errors::invalid_argument("Date", date.to_iso_millis(), "'Date' must be at midnight GMT")),
    }
}

pub(super) fn get(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<LifecycleOutput> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let lifecycle = bucket.configuration.lifecycle.as_ref().ok_or_else(|| {
        let text = "The lifecycle configuration does not exist";
        Error::new(404, "NoSuchLifecycleConfiguration", text).with("BucketName", &*bucket.name)
    })?;
    let size = lifecycle.minimum.clone().unwrap_or_else(|| ALL_CLASSES.to_owned());
    Ok(LifecycleOutput { rules: lifecycle.rules.clone(), transition_default_minimum_object_size: size })
}

pub(super) fn delete(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<()> {
    bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    bucket_mut(cx, &input.bucket)?.configuration.lifecycle = None;
    cx.cancel_timer("Lifecycle", input.bucket);
    Ok(())
}

/// Runs a bucket's rules, and sets the timer for the next midnight.
///
/// A timer belongs to the scope of the call that set it. If callers of two accounts set one each, the first that fires
/// does the work and the other finds the next run in the future.
pub(super) fn run(cx: &mut Cx<Buckets>, name: &str) -> Result<()> {
    let now = cx.now;
    let Some(bucket) = cx.state.buckets.get_mut(name) else { return Ok(()) };
    let Some(lifecycle) = bucket.configuration.lifecycle.as_mut().filter(|lifecycle| lifecycle.next_run <= now) else {
        return Ok(());
    };
    lifecycle.next_run = next_midnight(now);
    let (rules, next_run) = (lifecycle.rules.clone(), lifecycle.next_run);
    let varies = lifecycle.minimum.as_deref() == Some(VARIES);
    let mut told: Vec<Told> = Vec::new();
    for rule in rules.iter().filter(|rule| rule.is_enabled()) {
        for (key, id) in outlived(bucket, rule, now) {
            bucket.delete_version(&key, &id);
            told.push(("LifecycleExpiration:Delete", key, Some(id)));
        }
        for key in expired(bucket, rule, now) {
            let marker = bucket.delete(&key, cx.ids, now);
            let event = match marker {
                Some(_) => "LifecycleExpiration:DeleteMarkerCreated",
                None => "LifecycleExpiration:Delete",
            };
            told.push((event, key, marker.and_then(|stamp| stamp.id.as_deref().map(str::to_owned))));
        }
        transit(bucket, rule, varies, now)?;
        remove_lone_markers(bucket, rule);
        abort_uploads(bucket, rule, now);
    }
    for (event, key, version) in told {
        events::tell(cx, name, Happening::gone(event, &key, version));
    }
    cx.set_timer("Lifecycle", name, next_run);
    Ok(())
}

/// What a rule did, to what key and version.
type Told = (&'static str, String, Option<String>);

fn is_target(class: Option<&str>) -> bool {
    class.is_some_and(|class| TARGETS.contains(&class))
}

/// Moves current objects and older versions on to the storage classes that are due.
fn transit(bucket: &mut Bucket, rule: &Rule, varies: bool, now: Timestamp) -> Result<()> {
    let mut moves: Vec<(String, std::sync::Arc<Object>, String)> = Vec::new();
    let fits = |object: &Object, class: &str| {
        object.size() >= SMALL || rule.filters_sizes() || (varies && super::restore::ARCHIVES.contains(&class))
    };
    let mut consider = |key: &str, object: &std::sync::Arc<Object>, class: Option<&str>| {
        if let Some(class) = class
            && object.description.storage_class.as_deref() != Some(class)
            && fits(object, class)
        {
            moves.push((key.to_owned(), std::sync::Arc::clone(object), class.to_owned()));
        }
    };
    if let Some(transitions) = &rule.transitions {
        for (key, object) in under(&bucket.objects, rule.prefix()).filter(|(key, object)| rule.means(key, object)) {
            let due = |one: &&Transition| {
                let days = one.days.map(|days| midnight_after(object.stamp.modified, days));
                one.date.or(days).is_some_and(|when| when <= now)
            };
            let last = transitions.iter().filter(due).max_by_key(|one| (one.days, one.date));
            consider(key, object, last.and_then(|one| one.storage_class.as_deref()));
        }
    }
    // Here as well the last that is due counts, or a version would go to and fro between the classes of several.
    let mut last_first: Vec<_> = rule.noncurrent_version_transitions.iter().flatten().collect();
    last_first.sort_by_key(|one| Reverse(one.noncurrent_days));
    let mut placed = BTreeSet::new();
    for one in last_first {
        let Some(days) = one.noncurrent_days else { continue };
        for (key, version) in noncurrent(bucket, rule, days, one.newer_noncurrent_versions.unwrap_or(0), now) {
            if let Version::Object(object) = &version
                && placed.insert(object.stamp.sequence)
            {
                consider(&key, object, one.storage_class.as_deref());
            }
        }
    }
    for (key, object, class) in moves {
        bucket.change(&key, &object, |kept| kept.storage_class = Some(class))?;
    }
    Ok(())
}

/// The keys whose current object a rule expires.
fn expired(bucket: &Bucket, rule: &Rule, now: Timestamp) -> Vec<String> {
    let due = |object: &Object| rule.expires(object).is_some_and(|when| when <= now);
    let under = under(&bucket.objects, rule.prefix());
    under.filter(|(key, object)| rule.means(key, object) && due(object)).map(|(key, _)| key.to_string()).collect()
}

/// The versions that were replaced long enough ago to be deleted, but for those that are locked.
fn outlived(bucket: &Bucket, rule: &Rule, now: Timestamp) -> Vec<(String, String)> {
    let Some(expiration) = &rule.noncurrent_version_expiration else { return Vec::new() };
    let Some(days) = expiration.noncurrent_days else { return Vec::new() };
    let kept = expiration.newer_noncurrent_versions.unwrap_or(0);
    let free = |version: &Version| match version {
        Version::Object(object) => object.description.lock.check_delete(false, now).is_ok(),
        Version::Marker(_) => true,
    };
    let old = noncurrent(bucket, rule, days, kept, now).into_iter().filter(|(_, version)| free(version));
    old.map(|(key, version)| (key, version.stamp().id_or_null().to_owned())).collect()
}

/// The versions that were replaced so many days ago, but for the newest so many.
fn noncurrent(bucket: &Bucket, rule: &Rule, days: u32, kept: usize, now: Timestamp) -> Vec<(String, Version)> {
    let mut found = Vec::new();
    let keys = under(&bucket.history, rule.prefix());
    for (key, _) in keys {
        let mut successor: Option<Timestamp> = None;
        let mut noncurrent = 0;
        for (version, is_latest) in versions::versions(bucket, key, u64::MAX) {
            let since = successor.replace(version.stamp().modified);
            let meant = match &version {
                Version::Object(object) => rule.means(key, object),
                Version::Marker(_) => !rule.looks_at_objects(),
            };
            if let Some(since) = since.filter(|_| !is_latest && meant) {
                noncurrent += 1;
                if noncurrent > kept && midnight_after(since, days) <= now {
                    found.push((key.to_string(), version));
                }
            }
        }
    }
    found
}

/// Deletes delete markers that are all that is left of their key.
fn remove_lone_markers(bucket: &mut Bucket, rule: &Rule) {
    let wanted =
        rule.expiration.as_ref().is_some_and(|e| e.expired_object_delete_marker == Some(true) || e.days.is_some());
    if !wanted {
        return;
    }
    let keys = under(&bucket.history, rule.prefix());
    let lone: Vec<(String, String)> = keys
        .filter(|(key, history)| history.versions.len() == 1 && !bucket.objects.contains_key(&***key))
        .filter_map(|(key, history)| match history.versions.get_max() {
            Some((_, Version::Marker(stamp))) => Some((key.to_string(), stamp.id_or_null().to_owned())),
            _ => None,
        })
        .collect();
    for (key, id) in lone {
        bucket.delete_version(&key, &id);
    }
}

fn abort_uploads(bucket: &mut Bucket, rule: &Rule, now: Timestamp) {
    let Some(days) = rule.abort_incomplete_multipart_upload.as_ref().and_then(|abort| abort.days_after_initiation)
    else {
        return;
    };
    let due = |initiated| midnight_after(initiated, days) <= now;
    let prefix = rule.prefix();
    let uploads = bucket.uploads.iter().filter(|((key, _), upload)| key.starts_with(prefix) && due(upload.initiated));
    let old: Vec<_> = uploads.map(|(place, _)| place.clone()).collect();
    for place in old {
        bucket.uploads.remove(&place);
    }
}
