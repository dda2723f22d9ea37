//! Event notifications: which happenings of a bucket are told to whom. `events.rs` tells.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html>

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::bucket::OnBucket;
use super::errors;
use super::events;
use super::input::input;
use super::lookup::{bucket, bucket_mut};
use super::state::{Bucket, Buckets};
use crate::cloud::{Answer, Cx, Question, Step};
use crate::{Error, Result};

/// A bucket has at most this many configurations.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html>
const CONFIGURATIONS: usize = 100;
/// The length of a filter's value.
const VALUE_LENGTH: usize = 1024;
/// The events that can be asked for: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html>.
const EVENTS: [&str; 31] = [
    "s3:TestEvent",
    "s3:ObjectCreated:*",
    "s3:ObjectCreated:Put",
    "s3:ObjectCreated:Post",
    "s3:ObjectCreated:Copy",
    "s3:ObjectCreated:CompleteMultipartUpload",
    "s3:ObjectRemoved:*",
    "s3:ObjectRemoved:Delete",
    "s3:ObjectRemoved:DeleteMarkerCreated",
    "s3:ObjectRestore:*",
    "s3:ObjectRestore:Post",
    "s3:ObjectRestore:Completed",
    "s3:ObjectRestore:Delete",
    "s3:ReducedRedundancyLostObject",
    "s3:Replication:*",
    "s3:Replication:OperationFailedReplication",
    "s3:Replication:OperationMissedThreshold",
    "s3:Replication:OperationReplicatedAfterThreshold",
    "s3:Replication:OperationNotTracked",
    "s3:LifecycleExpiration:*",
    "s3:LifecycleExpiration:Delete",
    "s3:LifecycleExpiration:DeleteMarkerCreated",
    "s3:LifecycleTransition",
    "s3:IntelligentTiering",
    "s3:ObjectTagging:*",
    "s3:ObjectTagging:Put",
    "s3:ObjectTagging:Delete",
    "s3:ObjectAcl:Put",
    "s3:ObjectAnnotation:*",
    "s3:ObjectAnnotation:Put",
    "s3:ObjectAnnotation:Delete",
];

/// What kind of destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kind {
    Topic,
    Queue,
    Function,
}

impl Kind {
    /// As the elements and errors of the API name it.
    fn element(self) -> &'static str {
        match self {
            Self::Topic => "Topic",
            Self::Queue => "Queue",
            Self::Function => "CloudFunction",
        }
    }

    fn service(self) -> &'static str {
        match self {
            Self::Topic => "sns",
            Self::Queue => "sqs",
            Self::Function => "lambda",
        }
    }
}

/// All notifications of a bucket.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Notifications {
    list: Vec<Notification>,
    pub event_bridge: bool,
}

/// A destination and what it is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Notification {
    pub kind: Kind,
    pub id: String,
    pub arn: String,
    events: Vec<String>,
    filter: Option<Vec<Rule>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Rule {
    name: Option<String>,
    value: Option<String>,
}

impl Notifications {
    /// Whether nobody is told anything.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty() && !self.event_bridge
    }

    /// Who is told that this happened to that key.
    pub fn meant(&self, event: &str, key: &str) -> impl Iterator<Item = &Notification> {
        self.list.iter().filter(move |one| one.hears(event) && one.means(key))
    }
}

impl Notification {
    fn hears(&self, event: &str) -> bool {
        self.events.iter().filter_map(|pattern| pattern.strip_prefix("s3:")).any(|pattern| {
            match pattern.strip_suffix('*') {
                Some(head) => event.starts_with(head),
                None => event == pattern,
            }
        })
    }

    fn rule(&self, name: &str) -> &str {
        let rules = self.filter.iter().flatten();
        let named = rules.filter(|rule| rule.name.as_deref().is_some_and(|one| one.eq_ignore_ascii_case(name)));
        named.filter_map(|rule| rule.value.as_deref()).next().unwrap_or_default()
    }

    fn means(&self, key: &str) -> bool {
        key.starts_with(self.rule("prefix")) && key.ends_with(self.rule("suffix"))
    }

    /// Whether some event on some key would be told twice.
    fn overlaps(&self, other: &Self) -> bool {
        let shares = self.events.iter().filter_map(|event| event.strip_prefix("s3:")).any(|event| {
            let plain = event.trim_end_matches('*');
            other.hears(event) || other.hears(plain) || {
                let others = other.events.iter().filter_map(|event| event.strip_prefix("s3:"));
                event.ends_with('*') && others.into_iter().any(|other| other.starts_with(plain))
            }
        });
        let either = |a: &str, b: &str, within: fn(&str, &str) -> bool| within(a, b) || within(b, a);
        shares
            && either(self.rule("prefix"), other.rule("prefix"), |a, b| a.starts_with(b))
            && either(self.rule("suffix"), other.rule("suffix"), |a, b| a.ends_with(b))
    }
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NotificationConfiguration {
    #[serde(skip_serializing_if = "Option::is_none")]
    topic_configurations: Option<Vec<Given>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue_configurations: Option<Vec<Given>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lambda_function_configurations: Option<Vec<Given>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_bridge_configuration: Option<EventBridge>,
}

#[derive(Clone, Deserialize, Serialize)]
struct EventBridge {}

#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Given {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lambda_function_arn: Option<String>,
    events: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<Filter>,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    key: Option<KeyFilter>,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct KeyFilter {
    #[serde(default)]
    filter_rules: Vec<Rule>,
}

input! { guard;
    struct PutNotification {
        notification_configuration: NotificationConfiguration,
        skip_destination_validation: Option<bool>,
    }
}

/// Each destination is told that this is a test; the answer waits for theirs.
pub(super) fn put(cx: &mut Cx<Buckets>, input: &PutNotification) -> Result<Step<()>> {
    let answers = cx.answers()?;
    let found = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let mut notifications = read(&input.notification_configuration, found)?;
    let tries = !notifications.list.is_empty() && input.skip_destination_validation != Some(true);
    match answers {
        Some(answers) => check(&notifications.list, answers)?,
        None if tries => {
            let questions = notifications.list.iter().filter_map(|one| question(cx, found, one)).collect();
            return cx.ask(questions).map(Step::Later);
        }
        None => {}
    }
    for one in notifications.list.iter_mut().filter(|one| one.id.is_empty()) {
        one.id = cx.ids.uuid();
    }
    bucket_mut(cx, &input.bucket)?.configuration.notifications = notifications;
    Ok(Step::Done(()))
}

/// The test event for a queue or a topic; of a function, whether it could be invoked.
fn question(cx: &Cx<Buckets>, bucket: &Bucket, one: &Notification) -> Option<Question> {
    let test = json!({
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": cx.now.to_iso_millis(),
        "Bucket": &*bucket.name,
        "RequestId": cx.request_id,
        "HostId": crate::wire::host_id(cx.request_id),
    });
    let mut call = events::call(one.kind, &one.arn, events::speaker(bucket), test.to_string())?;
    if one.kind == Kind::Function {
        call.input["InvocationType"] = "DryRun".into();
    }
    let (service, operation) = (call.service.to_owned(), call.operation.to_string());
    Some(Question { service, operation, input: call.input, caller: call.caller, scope: Some(call.scope) })
}

/// # Errors
/// `InvalidArgument` with each destination that cannot be told, and why.
fn check(list: &[Notification], answers: Vec<Answer>) -> Result<()> {
    let error = Error::new(400, "InvalidArgument", "Unable to validate the following destination configurations");
    let refused = list.iter().zip(answers).filter_map(|(one, answer)| Some(refusal(one, &answer.into_result().err()?)));
    let mut told = 0;
    let error = refused.fold(error, |error, [name, value]| {
        told += 1;
        error.with(&format!("ArgumentName{told}"), name).with(&format!("ArgumentValue{told}"), value)
    });
    if told == 0 { Ok(()) } else { Err(error) }
}

/// Why a destination cannot be told: its name and the reason.
fn refusal(one: &Notification, error: &Error) -> [String; 2] {
    let arn = &one.arn;
    let is_denied = error.code().contains("Denied") || error.code().contains("Authorization");
    match one.kind {
        Kind::Function => [format!("{arn}, null"), format!("Not authorized to invoke function [{arn}]")],
        kind => {
            let what = if kind == Kind::Queue { "queue" } else { "topic" };
            let reason = if is_denied {
                format!(
                    "Permissions on the destination {what} do not allow S3 to publish notifications from this bucket"
                )
            } else {
                format!("The destination {what} does not exist")
            };
            [arn.clone(), reason]
        }
    }
}

/// The notifications that a request describes. Ids that it does not give are empty.
fn read(given: &NotificationConfiguration, bucket: &Bucket) -> Result<Notifications> {
    let mut list = Vec::new();
    let lists = [
        (Kind::Queue, &given.queue_configurations),
        (Kind::Topic, &given.topic_configurations),
        (Kind::Function, &given.lambda_function_configurations),
    ];
    for (kind, given) in lists {
        for one in given.iter().flatten() {
            list.push(read_one(kind, one, bucket)?);
        }
    }
    if list.len() > CONFIGURATIONS {
        return Err(errors::invalid_request(format!(
            "A bucket can have at most {CONFIGURATIONS} notification configurations"
        )));
    }
    for (index, one) in list.iter().enumerate() {
        let before = list.get(..index).unwrap_or_default();
        if !one.id.is_empty() && before.iter().any(|other| other.id == one.id) {
            return Err(Error::new(
                400,
                "InvalidArgument",
                "Same ID used for multiple configurations. IDs must be unique",
            ));
        }
        if before.iter().any(|other| one.overlaps(other)) {
            let text = "Configurations overlap. Configurations on the same bucket cannot share a common event type.";
            return Err(Error::new(400, "InvalidArgument", text));
        }
    }
    Ok(Notifications { list, event_bridge: given.event_bridge_configuration.is_some() })
}

fn read_one(kind: Kind, given: &Given, bucket: &Bucket) -> Result<Notification> {
    let arn = match kind {
        Kind::Queue => &given.queue_arn,
        Kind::Topic => &given.topic_arn,
        Kind::Function => &given.lambda_function_arn,
    };
    let arn = arn.as_deref().ok_or_else(errors::malformed_xml)?;
    let argument = |text: &str| errors::invalid_argument(kind.element(), arn, text);
    let parts: Vec<&str> = arn.split(':').collect();
    let ["arn", _, service, region, _, _, ..] = parts.as_slice() else {
        return Err(argument("The ARN could not be parsed"));
    };
    if *service != kind.service() {
        return Err(argument("The ARN is not well formed"));
    }
    if *region != &*bucket.region {
        return Err(argument(
            "The notification destination service region is not valid for the bucket location constraint",
        ));
    }
    if kind != Kind::Function && arn.ends_with(".fifo") {
        return Err(argument("FIFO topics and queues are not supported as destinations of S3's event notifications"));
    }
    if given.events.is_empty() {
        return Err(errors::malformed_xml());
    }
    for event in &given.events {
        if !EVENTS.contains(&&**event) {
            return Err(errors::invalid_argument(
                "Event",
                event.as_str(),
                "The event is not supported for notifications",
            ));
        }
    }
    let filter = given.filter.as_ref().and_then(|filter| filter.key.as_ref()).map(|key| rules(&key.filter_rules));
    let (id, arn, events) = (given.id.clone().unwrap_or_default(), arn.to_owned(), given.events.clone());
    Ok(Notification { kind, id, arn, events, filter: filter.transpose()? })
}

/// At most one prefix and one suffix, written as S3 answers them.
fn rules(given: &[Rule]) -> Result<Vec<Rule>> {
    let mut rules: Vec<Rule> = Vec::new();
    for rule in given {
        let (Some(name), Some(value)) = (&rule.name, &rule.value) else { return Err(errors::malformed_xml()) };
        let name = match &*name.to_ascii_lowercase() {
            "prefix" => "Prefix",
            "suffix" => "Suffix",
            _ => {
                let text = "filter rule name must be either prefix or suffix";
                return Err(errors::invalid_argument("FilterRule.Name", name.as_str(), text));
            }
        };
        if value.len() > VALUE_LENGTH {
            let text = "Size of filter rule value cannot exceed 1024 bytes in UTF-8 representation";
            return Err(errors::invalid_argument("FilterRule.Value", value.as_str(), text));
        }
        if rules.iter().any(|other| other.name.as_deref() == Some(name)) {
            let text = format!("Cannot specify more than one {} rule in a filter.", name.to_lowercase());
            return Err(errors::invalid_argument("FilterRule.Name", name.to_lowercase(), text));
        }
        rules.push(Rule { name: Some(name.to_owned()), value: Some(value.clone()) });
    }
    Ok(rules)
}

pub(super) fn get(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<NotificationConfiguration> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let notifications = &bucket.configuration.notifications;
    let of = |kind: Kind| {
        let list: Vec<_> = notifications.list.iter().filter(|one| one.kind == kind).map(shown).collect();
        (!list.is_empty()).then_some(list)
    };
    Ok(NotificationConfiguration {
        topic_configurations: of(Kind::Topic),
        queue_configurations: of(Kind::Queue),
        lambda_function_configurations: of(Kind::Function),
        event_bridge_configuration: notifications.event_bridge.then_some(EventBridge {}),
    })
}

fn shown(one: &Notification) -> Given {
    let arn = |kind: Kind| (one.kind == kind).then(|| one.arn.clone());
    Given {
        id: Some(one.id.clone()),
        topic_arn: arn(Kind::Topic),
        queue_arn: arn(Kind::Queue),
        lambda_function_arn: arn(Kind::Function),
        events: one.events.clone(),
        filter: one.filter.clone().map(|filter_rules| Filter { key: Some(KeyFilter { filter_rules }) }),
    }
}
