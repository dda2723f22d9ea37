//! What a mapping may be, and what AWS says of the rest.

use imbl::OrdMap;
use serde::Deserialize;

use super::mapping::{Settings, Source, StreamSettings};
use crate::cloud::Scope;
use crate::event_pattern::EventPattern;
use crate::{Error, Result, Timestamp};

/// `BatchSize`, if none is given, by the kind of source.
const QUEUE_BATCH: u32 = 10;
const STREAM_BATCH: u32 = 100;
/// `MaximumRecordAgeInSeconds` is this at least, unless it is -1.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html>
const LEAST_AGE: i64 = 60;
/// The largest batch without a window, and of a FIFO queue at all.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html>
const BATCH_WITHOUT_WINDOW: u32 = 10;

/// What the caller of `CreateEventSourceMapping` or `UpdateEventSourceMapping` wants.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Wanted {
    #[serde(rename = "UUID")]
    pub uuid: Option<String>,
    pub event_source_arn: Option<String>,
    pub function_name: Option<String>,
    pub enabled: Option<bool>,
    pub batch_size: Option<u32>,
    pub filter_criteria: Option<FilterCriteria>,
    pub maximum_batching_window_in_seconds: Option<u32>,
    pub scaling_config: Option<ScalingConfig>,
    pub function_response_types: Option<Vec<String>>,
    #[serde(default)]
    pub tags: OrdMap<String, String>,
    starting_position: Option<String>,
    starting_position_timestamp: Option<i64>,
    destination_config: Option<DestinationConfig>,
    maximum_record_age_in_seconds: Option<i64>,
    bisect_batch_on_function_error: Option<bool>,
    maximum_retry_attempts: Option<i64>,
    parallelization_factor: Option<u32>,
    tumbling_window_in_seconds: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct FilterCriteria {
    #[serde(default)]
    filters: Vec<Filter>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    pattern: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ScalingConfig {
    maximum_concurrency: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DestinationConfig {
    on_failure: Option<Destination>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Destination {
    destination: Option<String>,
}

/// `InvalidParameterValueException`
pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::client("InvalidParameterValueException", message).with("Type", "User")
}

/// The source of an ARN.
pub(super) fn source(scope: &Scope, arn: Option<&str>) -> Result<Source> {
    let unknown = || invalid("Unrecognized event source.");
    let arn = arn.ok_or_else(unknown)?;
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let &["arn", _, service, region, account, name] = parts.as_slice() else { return Err(unknown()) };
    match service {
        "sqs" if region == &*scope.region && account == &*scope.account => {
            Ok(Source::Queue { arn: arn.to_owned(), fifo: name.ends_with(".fifo") })
        }
        "sqs" => Err(Error::not_implemented(format!("event source mappings of another account or region ({arn})"))),
        "dynamodb" if !name.contains("/stream/") => Err(unknown()),
        "dynamodb" if region == &*scope.region && account == &*scope.account => {
            Ok(Source::Stream { arn: arn.to_owned() })
        }
        "kinesis" if !name.starts_with("stream/") => Err(unknown()),
        "kinesis" if region == &*scope.region && account == &*scope.account => {
            Ok(Source::Stream { arn: arn.to_owned() })
        }
        "dynamodb" | "kinesis" | "kafka" | "mq" | "rds" => {
            Err(Error::not_implemented(format!("event source mappings of {service} ({arn})")))
        }
        _ => Err(unknown()),
    }
}

/// The settings that a caller wants, on top of those that there are; `None` for a new mapping.
pub(super) fn settings(source: &Source, base: Option<&Settings>, wanted: &Wanted) -> Result<Settings> {
    match source {
        Source::Queue { fifo, .. } => {
            refuse_stream_members(wanted)?;
            let settings = shared(QUEUE_BATCH, base, wanted)?;
            check_queue(*fifo, &settings)?;
            Ok(settings)
        }
        Source::Stream { arn } => {
            if wanted.scaling_config.is_some() {
                return Err(unsupported("ScalingConfig"));
            }
            let stream = stream(source, arn, base.and_then(|base| base.stream.as_ref()), wanted)?;
            Ok(Settings { stream: Some(stream), ..shared(STREAM_BATCH, base, wanted)? })
        }
    }
}

fn shared(batch: u32, base: Option<&Settings>, wanted: &Wanted) -> Result<Settings> {
    let new = || Settings {
        batch_size: batch,
        window: 0,
        filters: Vec::new(),
        partial: false,
        concurrency: None,
        stream: None,
    };
    let mut settings = base.cloned().unwrap_or_else(new);
    if let Some(size) = wanted.batch_size {
        settings.batch_size = size;
    }
    if let Some(window) = wanted.maximum_batching_window_in_seconds {
        settings.window = window;
    }
    if let Some(criteria) = &wanted.filter_criteria {
        settings.filters = criteria.filters.iter().map(pattern).collect::<Result<_>>()?;
    }
    if let Some(types) = &wanted.function_response_types {
        settings.partial = types.iter().any(|kind| kind == "ReportBatchItemFailures");
    }
    if let Some(scaling) = &wanted.scaling_config {
        settings.concurrency = scaling.maximum_concurrency;
    }
    Ok(settings)
}

fn pattern(filter: &Filter) -> Result<String> {
    let read = filter.pattern.as_deref().filter(|pattern| EventPattern::parse(pattern).is_ok());
    read.map(str::to_owned).ok_or_else(|| invalid("Invalid filter pattern definition."))
}

fn check_queue(fifo: bool, settings: &Settings) -> Result<()> {
    if fifo && settings.window > 0 {
        return Err(invalid("Batching window is not supported for FIFO queues"));
    }
    if fifo && settings.batch_size > BATCH_WITHOUT_WINDOW {
        return Err(invalid(format!("FIFO queue batch size must be between 1 and {BATCH_WITHOUT_WINDOW}")));
    }
    if settings.batch_size > BATCH_WITHOUT_WINDOW && settings.window == 0 {
        return Err(invalid(format!(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than \
             {BATCH_WITHOUT_WINDOW}"
        )));
    }
    Ok(())
}

fn unsupported(parameter: &str) -> Error {
    invalid(format!("Unsupported {parameter} parameter for given event source mapping type."))
}

fn stream(source: &Source, arn: &str, base: Option<&StreamSettings>, wanted: &Wanted) -> Result<StreamSettings> {
    if wanted.tumbling_window_in_seconds.is_some_and(|window| window > 0) {
        return Err(Error::not_implemented("tumbling windows (TumblingWindowInSeconds)"));
    }
    let mut settings = match (base, wanted.starting_position.as_deref()) {
        (Some(base), _) => base.clone(),
        (None, Some(start @ ("TRIM_HORIZON" | "LATEST"))) => new_stream(start, None),
        (None, Some("AT_TIMESTAMP")) if source.is_kinesis() => {
            let at = wanted.starting_position_timestamp.ok_or_else(|| {
                invalid("StartingPositionTimestamp is required when StartingPosition is AT_TIMESTAMP.")
            })?;
            new_stream("AT_TIMESTAMP", Some(Timestamp::from_millis(at)))
        }
        (None, Some(_)) => return Err(invalid(format!("Unsupported starting position for arn type: {arn}"))),
        (None, None) => {
            let text = "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member \
                        must not be null.";
            return Err(invalid(text));
        }
    };
    if let Some(age) = wanted.maximum_record_age_in_seconds {
        if age != -1 && age < LEAST_AGE {
            return Err(invalid(format!("MaximumRecordAgeInSeconds must be -1 or at least {LEAST_AGE}.")));
        }
        settings.age = age;
    }
    settings.factor = wanted.parallelization_factor.unwrap_or(settings.factor);
    settings.retries = wanted.maximum_retry_attempts.unwrap_or(settings.retries);
    settings.bisect = wanted.bisect_batch_on_function_error.unwrap_or(settings.bisect);
    if let Some(config) = &wanted.destination_config {
        let destination = config.on_failure.as_ref().and_then(|failure| failure.destination.clone());
        settings.on_failure = destination.filter(|arn| !arn.is_empty()).map(destination_of).transpose()?;
    }
    Ok(settings)
}

fn new_stream(start: &str, start_at: Option<Timestamp>) -> StreamSettings {
    StreamSettings {
        start: start.to_owned(),
        start_at,
        retries: -1,
        age: -1,
        bisect: false,
        on_failure: None,
        factor: 1,
    }
}

/// A queue, a topic or a bucket.
fn destination_of(arn: String) -> Result<String> {
    match arn.split(':').nth(2) {
        Some("sqs" | "sns" | "s3") => Ok(arn),
        _ => Err(invalid(format!("The destination ARN {arn} is invalid."))),
    }
}

fn refuse_stream_members(wanted: &Wanted) -> Result<()> {
    if wanted.starting_position.is_some() || wanted.starting_position_timestamp.is_some() {
        return Err(invalid("StartingPosition is not valid for SQS event sources."));
    }
    let has_destination = wanted.destination_config.as_ref().and_then(|config| config.on_failure.as_ref());
    let has_destination = has_destination.is_some_and(|failure| failure.destination.is_some());
    for (name, given) in [
        ("DestinationConfig", has_destination),
        ("MaximumRecordAgeInSeconds", wanted.maximum_record_age_in_seconds.is_some()),
        ("BisectBatchOnFunctionError", wanted.bisect_batch_on_function_error.is_some()),
        ("MaximumRetryAttempts", wanted.maximum_retry_attempts.is_some()),
        ("ParallelizationFactor", wanted.parallelization_factor.is_some()),
        ("TumblingWindowInSeconds", wanted.tumbling_window_in_seconds.is_some()),
    ] {
        if given {
            return Err(unsupported(name));
        }
    }
    Ok(())
}

/// A queue must hide a message for as long as the function may take; a stream has no such time.
pub(super) fn check_visibility(visibility: Option<u32>, timeout: u32) -> Result<()> {
    let Some(visibility) = visibility.filter(|visibility| *visibility < timeout) else { return Ok(()) };
    Err(invalid(format!(
        "Queue visibility timeout: {visibility} seconds is less than Function timeout: {timeout} seconds"
    )))
}
