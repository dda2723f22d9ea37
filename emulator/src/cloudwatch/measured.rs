//! The metrics of AWS's own services, which come in without a call.

use super::Metrics;
use super::series::{MetricKey, Samples, Summary};
use super::window::round_down;
use crate::Timestamp;
use crate::cloud::{Measured, Sampled};

/// How far apart in time the data of AWS's own services are, in seconds.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Resolution_definition>
const RESOLUTION: i64 = 60;

pub(super) fn take(state: &mut Metrics, now: Timestamp, measured: &Measured) {
    let mut dimensions: Vec<(String, String)> =
        measured.dimensions.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    dimensions.sort();
    let key = MetricKey { namespace: measured.namespace.to_owned(), name: measured.name.to_owned(), dimensions };
    let series = state.series.entry(key).or_default();
    series.published = now;
    let at = round_down(measured.at, RESOLUTION);
    let unit = measured.unit.to_owned();
    match measured.samples {
        Sampled::Value(value) => series.add(at, unit, &Samples::of(value, 1.0)),
        Sampled::Minute { count, sum, minimum, maximum } => {
            series.replace(at, unit, Samples::of_set(Summary { count, sum, minimum, maximum }));
        }
    }
}
