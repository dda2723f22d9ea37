//! One mapping as it is kept, and as the operations show it.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::queue::QueueBooks;
use super::stream::StreamBooks;
use crate::Timestamp;
use crate::cloud::Scope;

/// A mapping.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Mapping {
    pub uuid: String,
    /// The function's bare name.
    pub function: String,
    /// The function's ARN, with the qualifier that was given.
    pub function_arn: String,
    pub source: Source,
    pub settings: Settings,
    pub state: State,
    /// Whether it is enabled, or will be.
    pub is_enabled: bool,
    pub last_modified: Timestamp,
    /// `LastProcessingResult`, where there is one.
    pub last_result: Option<String>,
    pub tags: OrdMap<String, String>,
    pub books: Books,
}

/// What is under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Books {
    Queue(QueueBooks),
    Stream(StreamBooks),
}

/// What is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Source {
    /// An SQS queue.
    Queue { arn: String, fifo: bool },
    /// A DynamoDB stream, or one of Kinesis.
    Stream { arn: String },
}

/// How it is read. Members that the source does not take have their defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Settings {
    pub batch_size: u32,
    /// `MaximumBatchingWindowInSeconds`
    pub window: u32,
    /// The patterns of `FilterCriteria`; a record must match one of them, if there are any.
    pub filters: Vec<String>,
    /// Whether `FunctionResponseTypes` has `ReportBatchItemFailures`.
    pub partial: bool,
    /// `ScalingConfig.MaximumConcurrency`
    pub concurrency: Option<u32>,
    /// What only streams have.
    pub stream: Option<StreamSettings>,
}

/// How a stream is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StreamSettings {
    /// `StartingPosition`
    pub start: String,
    /// `MaximumRetryAttempts`; below zero without end.
    pub retries: i64,
    /// `MaximumRecordAgeInSeconds`; below zero without end.
    pub age: i64,
    /// `BisectBatchOnFunctionError`
    pub bisect: bool,
    /// The ARN that `DestinationConfig` names.
    pub on_failure: Option<String>,
    /// `ParallelizationFactor`
    #[serde(default = "one")]
    pub factor: u32,
    /// `StartingPositionTimestamp`
    #[serde(default)]
    pub start_at: Option<Timestamp>,
}

fn one() -> u32 {
    1
}

/// `State`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum State {
    Creating,
    Enabling,
    Enabled,
    Disabling,
    Disabled,
    Updating,
    Deleting,
}

/// Whether an ARN is that of a stream of Kinesis.
pub(super) fn is_kinesis(arn: &str) -> bool {
    arn.split(':').nth(2) == Some("kinesis")
}

impl Source {
    pub fn arn(&self) -> &str {
        match self {
            Self::Queue { arn, .. } | Self::Stream { arn } => arn,
        }
    }

    /// Whether it is a stream of Kinesis.
    pub fn is_kinesis(&self) -> bool {
        is_kinesis(self.arn())
    }

    /// How AWS words that a user brought a state about, which depends on the source.
    fn reason(&self) -> &'static str {
        match self {
            Self::Queue { .. } => "USER_INITIATED",
            Self::Stream { .. } => "User action",
        }
    }
}

impl Mapping {
    /// `EventSourceMappingArn`
    pub fn arn(&self, scope: &Scope) -> String {
        arn(scope, &self.uuid)
    }

    /// The version or alias that is invoked, if one was named.
    pub fn qualifier(&self) -> Option<&str> {
        self.function_arn.split(':').nth(7)
    }

    /// `EventSourceMappingConfiguration`
    pub fn shown(&self, scope: &Scope) -> Value {
        let settings = &self.settings;
        let mut shown = Map::new();
        let mut put = |name: &str, value: Value| {
            shown.insert(name.to_owned(), value);
        };
        put("UUID", json!(self.uuid));
        put("BatchSize", json!(settings.batch_size));
        put("MaximumBatchingWindowInSeconds", json!(settings.window));
        put("EventSourceArn", json!(self.source.arn()));
        put("EventSourceMappingArn", json!(self.arn(scope)));
        put("FunctionArn", json!(self.function_arn));
        put("LastModified", json!(self.last_modified));
        put("State", json!(self.state));
        put("StateTransitionReason", json!(self.source.reason()));
        put("FunctionResponseTypes", if settings.partial { json!(["ReportBatchItemFailures"]) } else { json!([]) });
        if let Some(result) = &self.last_result {
            put("LastProcessingResult", json!(result));
        }
        if !settings.filters.is_empty() {
            let filters: Vec<Value> = settings.filters.iter().map(|pattern| json!({ "Pattern": pattern })).collect();
            put("FilterCriteria", json!({ "Filters": filters }));
        }
        if let Some(most) = settings.concurrency {
            put("ScalingConfig", json!({ "MaximumConcurrency": most }));
        }
        if let Some(stream) = &settings.stream {
            let failure = stream.on_failure.as_ref().map_or(json!({}), |arn| json!({ "Destination": arn }));
            put("DestinationConfig", json!({ "OnFailure": failure }));
            put("StartingPosition", json!(stream.start));
            if let Some(at) = stream.start_at {
                put("StartingPositionTimestamp", json!(at));
            }
            put("MaximumRecordAgeInSeconds", json!(stream.age));
            put("MaximumRetryAttempts", json!(stream.retries));
            put("BisectBatchOnFunctionError", json!(stream.bisect));
            put("ParallelizationFactor", json!(stream.factor));
            put("TumblingWindowInSeconds", json!(0));
        }
        Value::Object(shown)
    }
}

/// The ARN of a mapping.
pub(super) fn arn(scope: &Scope, uuid: &str) -> String {
    scope.arn("lambda", format_args!("event-source-mapping:{uuid}"))
}
