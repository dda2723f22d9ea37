//! Object Lock: versions that cannot be deleted, for a time (retention) or until further notice (legal hold).
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html>

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bucket::OnBucket;
use super::errors;
use super::input::input;
use super::lookup::{bucket, bucket_mut, may, require};
use super::object::Object;
use super::state::{Bucket, Buckets, Versioning};
use super::tagging::{OnObject, object};
use crate::cloud::Cx;
use crate::{Error, Result, Timestamp};

/// A default retention is at most this many days, or that many years.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DefaultRetention.html>
const DAYS: u32 = 36_500;
const YEARS: u32 = 100;
const DAY: Duration = Duration::from_secs(86_400);
const BYPASS: &str = "s3:BypassGovernanceRetention";

/// How firm a retention is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Mode {
    /// Who has the permission may end it.
    Governance,
    /// Nobody may.
    Compliance,
}

impl Mode {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "GOVERNANCE" => Some(Self::Governance),
            "COMPLIANCE" => Some(Self::Compliance),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Governance => "GOVERNANCE",
            Self::Compliance => "COMPLIANCE",
        }
    }
}

/// What a bucket with Object Lock gives versions whose requests say nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct BucketLock {
    default: Option<DefaultRetention>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DefaultRetention {
    mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    days: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    years: Option<u32>,
}

/// What keeps a version from being deleted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Lock {
    retention: Option<Retention>,
    /// Absent if it was never said.
    legal_hold: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Retention {
    mode: Mode,
    until: Timestamp,
}

/// The output members that tell of a lock, for `#[serde(flatten)]`.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Shown {
    #[serde(skip_serializing_if = "Option::is_none")]
    object_lock_mode: Option<Mode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_lock_retain_until_date: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_lock_legal_hold_status: Option<&'static str>,
}

impl Lock {
    /// What a reader is shown who may see it.
    pub fn shown(&self, cx: &Cx<Buckets>, bucket: &str, key: &str) -> Shown {
        if *self == Self::default() {
            return Shown::default();
        }
        let retention = self.retention.filter(|_| may(cx, "s3:GetObjectRetention", bucket, key));
        let hold = self.legal_hold.filter(|_| may(cx, "s3:GetObjectLegalHold", bucket, key));
        Shown {
            object_lock_mode: retention.map(|retention| retention.mode),
            object_lock_retain_until_date: retention.map(|retention| retention.until),
            object_lock_legal_hold_status: hold.map(on_or_off),
        }
    }

    /// # Errors
    /// 403 for a version that must stay. `bypass` is whether the request ends a retention that its sender may end.
    pub fn check_delete(&self, bypass: bool, now: Timestamp) -> Result<()> {
        let retained = self
            .retention
            .is_some_and(|retention| retention.until > now && !(bypass && retention.mode == Mode::Governance));
        if retained || self.legal_hold == Some(true) { Err(protected()) } else { Ok(()) }
    }
}

fn on_or_off(hold: bool) -> &'static str {
    if hold { "ON" } else { "OFF" }
}

fn protected() -> Error {
    Error::new(403, "AccessDenied", "Access Denied because object protected by object lock.")
}

fn no_lock() -> Error {
    errors::invalid_request("Bucket is missing Object Lock Configuration")
}

/// What a request to write an object says about its lock.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub mode: Option<String>,
    pub until: Option<Timestamp>,
    pub legal_hold: Option<String>,
}

impl Asked {
    /// Who locks what they write needs the permission to.
    ///
    /// # Errors
    /// 403.
    pub fn require(&self, cx: &Cx<Buckets>, bucket: &str, key: &str) -> Result<()> {
        if self.mode.is_some() {
            require(cx, "s3:PutObjectRetention", bucket, key)?;
        }
        if self.legal_hold.is_some() {
            require(cx, "s3:PutObjectLegalHold", bucket, key)?;
        }
        Ok(())
    }

    /// The lock of a new version: what the request says, else the bucket's default.
    ///
    /// # Errors
    /// `InvalidRequest` where the bucket has no Object Lock, `InvalidArgument` for what is no lock.
    pub fn decide(self, bucket: &Bucket, now: Timestamp) -> Result<Lock> {
        const MODE: &str = "x-amz-object-lock-mode";
        const UNTIL: &str = "x-amz-object-lock-retain-until-date";
        let Some(config) = &bucket.configuration.object_lock else {
            let asks = self.mode.is_some() || self.until.is_some() || self.legal_hold.is_some();
            return if asks { Err(no_lock()) } else { Ok(Lock::default()) };
        };
        let legal_hold = match self.legal_hold.as_deref() {
            None => None,
            Some("ON") => Some(true),
            Some("OFF") => Some(false),
            Some(other) => {
                let text = "Legal Hold must be either of 'ON' or 'OFF'";
                return Err(errors::invalid_argument("x-amz-object-lock-legal-hold", other, text));
            }
        };
        let both = |name: &str| {
            let text = "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied";
            Error::new(400, "InvalidArgument", text).with("ArgumentName", name)
        };
        let retention = match (self.mode.as_deref(), self.until) {
            (None, None) => config.default.as_ref().and_then(|default| default.from(now)),
            (Some(mode), until) => {
                let until = until.ok_or_else(|| both(UNTIL))?;
                let Some(mode) = Mode::parse(mode) else {
                    return Err(errors::invalid_argument(MODE, mode, "Unknown wormMode directive."));
                };
                if until <= now {
                    let text = "The retain until date must be in the future!";
                    return Err(errors::invalid_argument(UNTIL, until.to_iso_secs(), text));
                }
                Some(Retention { mode, until })
            }
            (None, Some(_)) => return Err(both(MODE)),
        };
        Ok(Lock { retention, legal_hold })
    }
}

impl DefaultRetention {
    fn from(&self, now: Timestamp) -> Option<Retention> {
        let mode = Mode::parse(self.mode.as_deref()?)?;
        let kept = match (self.days, self.years) {
            (Some(days), _) => DAY * days,
            (None, Some(years)) => DAY * 365 * years,
            (None, None) => return None,
        };
        Some(Retention { mode, until: now + kept })
    }

    /// # Errors
    /// `MalformedXML`, and `InvalidArgument` for a length that none may have.
    fn check(&self) -> Result<()> {
        let (amount, limit, name) = match (self.days, self.years) {
            (Some(days), None) => (days, DAYS, "Days"),
            (None, Some(years)) => (years, YEARS, "Years"),
            _ => return Err(errors::malformed_xml()),
        };
        if self.mode.as_deref().and_then(Mode::parse).is_none() {
            return Err(errors::malformed_xml());
        }
        match amount {
            0 => Err(errors::invalid_argument(
                name,
                amount.to_string(),
                "Default retention period must be a positive integer value.",
            )),
            _ if amount > limit => Err(errors::invalid_argument(
                name,
                amount.to_string(),
                format!("Default retention period too large, must be at most {limit} {}", name.to_lowercase()),
            )),
            _ => Ok(()),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ObjectLockConfiguration {
    object_lock_enabled: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<ObjectLockRule>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ObjectLockRule {
    default_retention: Option<DefaultRetention>,
}

input! { guard configures;
    struct PutObjectLockConfiguration {
        object_lock_configuration: Option<ObjectLockConfiguration>,
        // AWS's support hands it out, to turn a lock on later; versioning alone is asked for since November 2023.
        _token: Option<String>,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct LockConfigurationOutput {
    object_lock_configuration: ObjectLockConfiguration,
}

pub(super) fn put_configuration(cx: &mut Cx<Buckets>, input: PutObjectLockConfiguration) -> Result<()> {
    let found = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let Some(wanted) = input.object_lock_configuration else {
        return Err(Error::new(400, "MissingRequestBodyError", "Request Body is empty"));
    };
    if found.versioning != Versioning::Enabled {
        let text = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration";
        return Err(Error::new(409, "InvalidBucketState", text));
    }
    if wanted.object_lock_enabled.as_deref() != Some("Enabled") {
        return Err(errors::malformed_xml());
    }
    let default = match wanted.rule {
        None => None,
        Some(rule) => Some(rule.default_retention.ok_or_else(errors::malformed_xml)?),
    };
    if let Some(default) = &default {
        default.check()?;
    }
    bucket_mut(cx, &input.bucket)?.configuration.object_lock = Some(BucketLock { default });
    Ok(())
}

pub(super) fn get_configuration(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<LockConfigurationOutput> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let lock = bucket.configuration.object_lock.clone().ok_or_else(|| {
        let text = "Object Lock configuration does not exist for this bucket";
        Error::new(404, "ObjectLockConfigurationNotFoundError", text).with("BucketName", &*bucket.name)
    })?;
    let rule = lock.default.map(|default| ObjectLockRule { default_retention: Some(default) });
    let object_lock_configuration = ObjectLockConfiguration { object_lock_enabled: Some("Enabled".to_owned()), rule };
    Ok(LockConfigurationOutput { object_lock_configuration })
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ObjectLockRetention {
    mode: Option<String>,
    retain_until_date: Option<Timestamp>,
}

input! { guard configures;
    struct PutObjectRetention {
        pub key: String,
        pub version_id: Option<String>,
        retention: Option<ObjectLockRetention>,
        bypass_governance_retention: Option<bool>,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RetentionOutput {
    retention: ObjectLockRetention,
}

/// The object, in a bucket that has Object Lock.
fn locked(
    cx: &Cx<Buckets>,
    at: (&str, &str, Option<&str>),
    owner: Option<&str>,
    method: &str,
) -> Result<std::sync::Arc<Object>> {
    let (name, key, version) = at;
    let found = bucket(cx, name, owner)?;
    let object = object(cx, found, key, version, method)?;
    if found.configuration.object_lock.is_none() {
        return Err(no_lock());
    }
    Ok(object)
}

pub(super) fn put_retention(cx: &mut Cx<Buckets>, input: PutObjectRetention) -> Result<()> {
    let at = (&*input.bucket, &*input.key, input.version_id.as_deref());
    let object = locked(cx, at, input.expected_bucket_owner.as_deref(), "PUT")?;
    let wanted = input.retention.ok_or_else(errors::malformed_xml)?;
    let retention = match (wanted.mode, wanted.retain_until_date) {
        (None, None) => None,
        (Some(mode), Some(until)) => {
            let mode = Mode::parse(&mode).ok_or_else(errors::malformed_xml)?;
            if until <= cx.now {
                let text = "The retain until date must be in the future!";
                return Err(errors::invalid_argument("RetainUntilDate", until.to_iso_secs(), text));
            }
            Some(Retention { mode, until })
        }
        _ => return Err(errors::malformed_xml()),
    };
    let bypass = bypasses(cx, &input.bucket, &input.key, input.bypass_governance_retention);
    check_change(object.description.lock.retention, retention, bypass, cx.now)?;
    bucket_mut(cx, &input.bucket)?.change(&input.key, &object, |kept| kept.lock.retention = retention)
}

/// A retention may be made longer and firmer by everybody; shorter or looser only where it may be ended.
fn check_change(old: Option<Retention>, new: Option<Retention>, bypass: bool, now: Timestamp) -> Result<()> {
    let Some(old) = old.filter(|old| old.until > now) else { return Ok(()) };
    let keeps = new.is_some_and(|new| new.mode == old.mode && new.until >= old.until);
    if keeps || (bypass && old.mode == Mode::Governance) { Ok(()) } else { Err(protected()) }
}

pub(super) fn get_retention(cx: &mut Cx<Buckets>, input: OnObject) -> Result<RetentionOutput> {
    let at = (&*input.bucket, &*input.key, input.version_id.as_deref());
    let object = locked(cx, at, input.expected_bucket_owner.as_deref(), "GET")?;
    let Retention { mode, until } = object.description.lock.retention.ok_or_else(nothing)?;
    let retention = ObjectLockRetention { mode: Some(mode.name().to_owned()), retain_until_date: Some(until) };
    Ok(RetentionOutput { retention })
}

fn nothing() -> Error {
    let text = "The specified object does not have a ObjectLock configuration";
    Error::new(404, "NoSuchObjectLockConfiguration", text)
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LegalHold {
    status: Option<String>,
}

input! { guard configures;
    struct PutObjectLegalHold {
        pub key: String,
        pub version_id: Option<String>,
        legal_hold: Option<LegalHold>,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct LegalHoldOutput {
    legal_hold: LegalHold,
}

pub(super) fn put_legal_hold(cx: &mut Cx<Buckets>, input: PutObjectLegalHold) -> Result<()> {
    let hold = match input.legal_hold.and_then(|hold| hold.status).as_deref() {
        Some("ON") => true,
        Some("OFF") => false,
        _ => return Err(errors::malformed_xml()),
    };
    let at = (&*input.bucket, &*input.key, input.version_id.as_deref());
    let object = locked(cx, at, input.expected_bucket_owner.as_deref(), "PUT")?;
    bucket_mut(cx, &input.bucket)?.change(&input.key, &object, |kept| kept.lock.legal_hold = Some(hold))
}

pub(super) fn get_legal_hold(cx: &mut Cx<Buckets>, input: OnObject) -> Result<LegalHoldOutput> {
    let at = (&*input.bucket, &*input.key, input.version_id.as_deref());
    let object = locked(cx, at, input.expected_bucket_owner.as_deref(), "GET")?;
    let hold = object.description.lock.legal_hold.ok_or_else(nothing)?;
    Ok(LegalHoldOutput { legal_hold: LegalHold { status: Some(on_or_off(hold).to_owned()) } })
}

/// # Errors
/// `InvalidArgument` for a deletion that would end retentions in a bucket that has none.
pub(super) fn check_bypass(bucket: &Bucket, asked: Option<bool>) -> Result<()> {
    if asked.is_none() || bucket.configuration.object_lock.is_some() {
        return Ok(());
    }
    let text = "x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.";
    Err(Error::new(400, "InvalidArgument", text).with("ArgumentName", "x-amz-bypass-governance-retention"))
}

/// Whether a request ends the retention of a key: it says so, and its sender may.
pub(super) fn bypasses(cx: &Cx<Buckets>, bucket: &str, key: &str, asked: Option<bool>) -> bool {
    asked == Some(true) && may(cx, BYPASS, bucket, key)
}
