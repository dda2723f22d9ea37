//! Amazon CloudWatch Logs: groups, streams, events, and the search in them.
//!
//! `store.rs` keeps what there is, `timeline.rs` in the order that `id.rs` gives it; `put.rs`, `get.rs` and `filter.rs` are the operations on events;
//! `pattern/` is the language of filter patterns; `retention.rs` drops what has expired. What comes in goes on to metrics
//! (`metric_filters.rs`) and to functions and streams (`subscriptions.rs`, `forward.rs`); `insights/` answers queries.

mod batch;
mod deliveries;
mod delivery_destinations;
mod delivery_sources;
mod destinations;
mod exports;
mod filter;
mod forward;
mod get;
mod groups;
mod id;
mod insights;
mod keys;
mod list_groups;
mod live_tail;
mod metric_filters;
mod names;
pub(crate) mod pattern;
mod put;
mod resource_policies;
mod retention;
mod store;
mod streams;
mod subscriptions;
mod tags;
mod test_filter;
#[cfg(test)]
mod tests;
mod timeline;
mod token;
mod vended;

pub use store::LogGroups;

use crate::cloud::{Service, Target};
use names::{on_arn, on_group, on_stream};

/// As whom this service calls others.
const PRINCIPAL: &str = "logs.amazonaws.com";

/// The service and its operations.
pub fn service() -> Service<LogGroups> {
    Service::new("logs")
        .op("CreateLogGroup", |at, i| on_group(at, Some(&i.log_group_name), None), groups::create)
        .op("DeleteLogGroup", |at, i| on_group(at, Some(&i.log_group_name), None), groups::delete)
        // AWS denies this one on `log-group::log-stream:`, whatever prefix is asked for.
        .op("DescribeLogGroups", |at, _| on_group(at, None, None), groups::describe)
        .op("ListLogGroups", |at, _| on_group(at, None, None), list_groups::list)
        .op(
            "CreateLogStream",
            |at, i| on_stream(at, Some(&i.log_group_name), None, &i.log_stream_name),
            streams::create,
        )
        .op(
            "DeleteLogStream",
            |at, i| on_stream(at, Some(&i.log_group_name), None, &i.log_stream_name),
            streams::delete,
        )
        .op(
            "DescribeLogStreams",
            |at, i| on_group(at, i.log_group_name.as_ref(), i.log_group_identifier.as_ref()),
            streams::describe,
        )
        .bulk_op("PutLogEvents", |at, i| on_stream(at, Some(&i.log_group_name), None, &i.log_stream_name), put::put)
        .op(
            "GetLogEvents",
            |at, i| on_stream(at, i.log_group_name.as_ref(), i.log_group_identifier.as_ref(), &i.log_stream_name),
            get::get,
        )
        .op(
            "FilterLogEvents",
            |at, i| on_group(at, i.log_group_name.as_ref(), i.log_group_identifier.as_ref()),
            filter::filter,
        )
        .op("PutRetentionPolicy", |at, i| on_group(at, Some(&i.log_group_name), None), retention::put)
        .op("DeleteRetentionPolicy", |at, i| on_group(at, Some(&i.log_group_name), None), retention::delete)
        .op("TagResource", |at, i| on_arn(at, &i.resource_arn), tags::tag_resource)
        .op("UntagResource", |at, i| on_arn(at, &i.resource_arn), tags::untag_resource)
        .op("ListTagsForResource", |at, i| on_arn(at, &i.resource_arn), tags::list_tags_for_resource)
        .op("TagLogGroup", |at, i| on_group(at, Some(&i.log_group_name), None), tags::tag_log_group)
        .op("UntagLogGroup", |at, i| on_group(at, Some(&i.log_group_name), None), tags::untag_log_group)
        .op("ListTagsLogGroup", |at, i| on_group(at, Some(&i.log_group_name), None), tags::list_tags_log_group)
        .op("TestMetricFilter", |_, _| Target::any(), test_filter::test)
        .op("StartLiveTail", |_, _| Target::any(), live_tail::start)
        .event(retention::EXPIRE, retention::expire)
        .with(keys::operations)
        .with(metric_filters::operations)
        .with(subscriptions::operations)
        .with(forward::jobs)
        .with(destinations::operations)
        .with(exports::operations)
        .with(delivery_destinations::operations)
        .with(delivery_sources::operations)
        .with(deliveries::operations)
        .with(resource_policies::operations)
        .with(insights::operations)
}
