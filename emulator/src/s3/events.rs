//! Telling what happens to objects: event messages, and whom they go to.
//!
//! A message is a call through the front door as `s3.amazonaws.com` on behalf of the bucket, so that the policies of queues,
//! topics and functions count. One that fails is not sent again: at AWS it is tried for a day and then dropped.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>

use serde_json::{Map, Value, json};

use super::list::Encoding;
use super::lookup::owner_id;
use super::notification::Kind;
use super::object::{Object, STANDARD_CLASS};
use super::state::{Bucket, Buckets};
use crate::Timestamp;
use crate::cloud::{Call, Caller, Cx, Scope};
use crate::sqs::url_of_arn;

/// Who tells.
pub(super) const PRINCIPAL: &str = "s3.amazonaws.com";
/// The subject of what a topic is told.
pub(super) const SUBJECT: &str = "Amazon S3 Notification";
/// The ETag of nothing, which the event of a delete marker has.
const EMPTY: &str = "d41d8cd98f00b204e9800998ecf8427e";

/// Something that happened to an object.
pub(super) struct Happening<'a> {
    /// `ObjectCreated:Put`.
    pub name: &'static str,
    pub key: &'a str,
    pub version: Option<String>,
    etag: Option<&'a str>,
    size: Option<u64>,
    storage_class: Option<&'a str>,
    /// When a restored copy ends.
    pub until: Option<Timestamp>,
}

impl<'a> Happening<'a> {
    /// Something that happened to an object that is there.
    pub fn of(name: &'static str, key: &'a str, object: &'a Object) -> Self {
        Self {
            name,
            key,
            version: object.stamp.id.as_deref().map(str::to_owned),
            etag: Some(object.etag.trim_matches('"')),
            size: Some(object.size()),
            storage_class: object.description.storage_class.as_deref(),
            until: None,
        }
    }

    /// The end of an object, or of a version.
    pub fn gone(name: &'static str, key: &'a str, version: Option<String>) -> Self {
        let etag = name.ends_with("DeleteMarkerCreated").then_some(EMPTY);
        Self { name, key, version, etag, size: None, storage_class: None, until: None }
    }

    /// What changes an object's description has another version of the message, and no place in the order of writes.
    fn is_about_description(&self) -> bool {
        self.name.starts_with("ObjectTagging") || self.name.starts_with("ObjectAcl")
    }

    fn is_by_lifecycle(&self) -> bool {
        self.name.starts_with("Lifecycle")
    }
}

/// Tells whoever the bucket's configuration names.
pub(super) fn tell(cx: &mut Cx<Buckets>, name: &str, happening: Happening<'_>) {
    let Some(bucket) = cx.state.buckets.get_mut(name) else { return };
    if bucket.configuration.notifications.is_empty() {
        return;
    }
    let order = bucket.next_sequence();
    let sequencer = format!("00{:08X}{order:08X}", cx.now.secs());
    let Some(bucket) = cx.state.buckets.get(name) else { return };
    let notifications = &bucket.configuration.notifications;
    let caller = speaker(bucket);
    let mut calls = Vec::new();
    for one in notifications.meant(happening.name, happening.key) {
        let message = json!({ "Records": [record(cx, bucket, &happening, &one.id, &sequencer)] }).to_string();
        calls.extend(call(one.kind, &one.arn, caller.clone(), message));
    }
    if notifications.event_bridge {
        let scope = Scope::new(bucket.owner.clone(), bucket.region.clone());
        let entry = bus_entry(cx, bucket, &happening, &sequencer);
        calls.push(Call::new("events", "PutEvents", caller, scope, json!({ "Entries": [entry] })));
    }
    for call in calls {
        cx.emit(call);
    }
}

/// S3, on behalf of a bucket.
pub(super) fn speaker(bucket: &Bucket) -> Caller {
    let mut caller = Caller::service(PRINCIPAL);
    caller.source_arn = Some(bucket.arn());
    caller.source_account = Some(bucket.owner.to_string());
    caller
}

/// The call that brings a message to its destination.
pub(super) fn call(kind: Kind, arn: &str, caller: Caller, message: String) -> Option<Call> {
    // What is no ARN is nobody's.
    arn.split(':').nth(5)?;
    let scope = Scope::of_arn(arn);
    Some(match kind {
        Kind::Queue => {
            let input = json!({ "QueueUrl": url_of_arn(arn), "MessageBody": message });
            Call::new("sqs", "SendMessage", caller, scope, input)
        }
        Kind::Topic => {
            let input = json!({ "TopicArn": arn, "Message": message, "Subject": SUBJECT });
            Call::new("sns", "Publish", caller, scope, input)
        }
        Kind::Function => {
            let input = json!({ "FunctionName": arn, "InvocationType": "Event" });
            Call::new("lambda", "Invoke", caller, scope, input).with_body(message)
        }
    })
}

fn record(cx: &Cx<Buckets>, bucket: &Bucket, happening: &Happening<'_>, id: &str, sequencer: &str) -> Value {
    let version = if happening.is_about_description() || happening.is_by_lifecycle() { "2.3" } else { "2.1" };
    let mut object = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            object.insert(name.to_owned(), value);
        }
    };
    put("key", Some(Encoding::url().write(happening.key).into()));
    put("size", happening.size.filter(|_| !happening.is_about_description()).map(Value::from));
    put("eTag", happening.etag.map(Value::from));
    put("versionId", happening.version.clone().map(Value::from));
    put("sequencer", (!happening.is_about_description()).then(|| sequencer.into()));
    let (user, address) = if happening.is_by_lifecycle() {
        (PRINCIPAL.to_owned(), PRINCIPAL.to_owned())
    } else if happening.until.is_some() {
        // The end of a restore is S3's own doing, for the bucket's owner.
        (format!("AmazonCustomer:{}", owner_id(&bucket.owner)), PRINCIPAL.to_owned())
    } else {
        (user(cx), address(cx))
    };
    let mut record = json!({
        "eventVersion": version,
        "eventSource": "aws:s3",
        "awsRegion": &*bucket.region,
        "eventTime": cx.now.to_iso_millis(),
        "eventName": happening.name,
        "userIdentity": { "principalId": user },
        "requestParameters": { "sourceIPAddress": address },
        "responseElements": {
            "x-amz-request-id": cx.request_id,
            "x-amz-id-2": crate::wire::host_id(cx.request_id),
        },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": id,
            "bucket": {
                "name": &*bucket.name,
                "ownerIdentity": { "principalId": owner_id(&bucket.owner) },
                "arn": bucket.arn(),
            },
            "object": object,
        },
    });
    if let Some(until) = happening.until {
        record["glacierEventData"] = json!({ "restoreEventData": {
            "lifecycleRestorationExpiryTime": until.to_iso_millis(),
            "lifecycleRestoreStorageClass": happening.storage_class.unwrap_or(STANDARD_CLASS),
        }});
    }
    record
}

/// Who did it: `AWS:` and an identity's unique id, or the account's customer.
fn user(cx: &Cx<Buckets>) -> String {
    use crate::iam::Principal;
    match &cx.caller.principal {
        Principal::AccountRoot { account } => format!("AWS:{account}"),
        Principal::Anonymous => "Anonymous".to_owned(),
        other => format!("AWS:{}", other.user_id()),
    }
}

fn address(cx: &Cx<Buckets>) -> String {
    cx.caller.source_ip.map_or_else(|| "127.0.0.1".to_owned(), |ip| ip.to_string())
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>
fn bus_entry(cx: &Cx<Buckets>, bucket: &Bucket, happening: &Happening<'_>, sequencer: &str) -> Value {
    let (title, reason, deletion) = match happening.name {
        "ObjectCreated:Put" => ("Object Created", Some("PutObject"), None),
        "ObjectCreated:Post" => ("Object Created", Some("POST Object"), None),
        "ObjectCreated:Copy" => ("Object Created", Some("CopyObject"), None),
        "ObjectCreated:CompleteMultipartUpload" => ("Object Created", Some("CompleteMultipartUpload"), None),
        "ObjectRemoved:Delete" => ("Object Deleted", Some("DeleteObject"), Some("Permanently Deleted")),
        "ObjectRemoved:DeleteMarkerCreated" => ("Object Deleted", Some("DeleteObject"), Some("Delete Marker Created")),
        "LifecycleExpiration:Delete" => ("Object Deleted", Some("Lifecycle Expiration"), Some("Permanently Deleted")),
        "LifecycleExpiration:DeleteMarkerCreated" => {
            ("Object Deleted", Some("Lifecycle Expiration"), Some("Delete Marker Created"))
        }
        "ObjectRestore:Post" => ("Object Restore Initiated", None, None),
        "ObjectRestore:Completed" => ("Object Restore Completed", None, None),
        "ObjectRestore:Delete" => ("Object Restore Expired", None, None),
        "ObjectTagging:Put" => ("Object Tags Added", None, None),
        "ObjectTagging:Delete" => ("Object Tags Deleted", None, None),
        _ => ("Object ACL Updated", None, None),
    };
    let in_order = happening.name.starts_with("ObjectCreated") || title == "Object Deleted";
    let mut object = json!({ "key": happening.key });
    let size = happening.size.filter(|_| !happening.is_about_description());
    let members = [
        ("size", size.map(Value::from)),
        ("etag", happening.etag.map(Value::from)),
        ("version-id", happening.version.clone().map(Value::from)),
        ("sequencer", in_order.then(|| sequencer.into())),
    ];
    for (name, value) in members {
        if let Some(value) = value {
            object[name] = value;
        }
    }
    let requester = if happening.is_by_lifecycle() {
        PRINCIPAL.to_owned()
    } else {
        cx.caller.principal.account().unwrap_or("anonymous").to_owned()
    };
    let mut detail = json!({
        "version": "0",
        "bucket": { "name": &*bucket.name },
        "object": object,
        "request-id": cx.request_id,
        "requester": requester,
    });
    let restores = title.starts_with("Object Restore");
    let more = [
        ("source-ip-address", (happening.until.is_none() && !happening.is_by_lifecycle()).then(|| address(cx))),
        ("reason", reason.map(str::to_owned)),
        ("deletion-type", deletion.map(str::to_owned)),
        ("restore-expiry-time", happening.until.map(Timestamp::to_iso_secs)),
        ("source-storage-class", happening.storage_class.filter(|_| restores).map(str::to_owned)),
    ];
    for (name, value) in more {
        if let Some(value) = value {
            detail[name] = value.into();
        }
    }
    json!({
        "Source": "aws.s3",
        "DetailType": title,
        "Detail": detail.to_string(),
        "Resources": [bucket.arn()],
        "Time": cx.now.millis(),
    })
}
