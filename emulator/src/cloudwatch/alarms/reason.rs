//! Why an alarm is in its state: AWS's texts, and the document that goes with them.

use jiff::fmt::strtime;
use serde_json::{Map, Value, json};

use super::alarm::{Settings, State};
use super::judge::{Missing, Verdict};
use crate::Timestamp;
use crate::cloudwatch::query::Datapoint;

/// The period of a datapoint, and what came in in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub at: Timestamp,
    pub found: Option<Datapoint>,
}

/// The text.
pub(super) fn text(settings: &Settings, state: State, slots: &[Slot], verdict: &Verdict, missing: Missing) -> String {
    let count = verdict.filled;
    let (noun, were) = if count == 1 { ("datapoint", "was") } else { ("datapoints", "were") };
    if state == State::InsufficientData {
        return format!("Insufficient Data: {count} {noun} {were} unknown.");
    }
    let filler = match missing {
        Missing::Breaching => Some("Breaching"),
        Missing::NotBreaching => Some("NonBreaching"),
        Missing::Neither | Missing::Ignore => None,
    };
    let filler = filler.filter(|_| count > 0);
    let filler = filler.map(|filler| format!("{count} missing {noun} {were} treated as [{filler}]"));
    let periods = settings.evaluation_periods.unwrap_or(1);
    if verdict.real.is_empty() {
        let of = if periods == 1 { "period" } else { "periods" };
        let filled = filler.map(|filled| format!(" and {filled}")).unwrap_or_default();
        return format!("Threshold Crossed: no datapoints were received for {periods} {of}{filled}.");
    }
    let crossed = |slot: &&Datapoint| settings.breaches(slot.value) == (state == State::Alarm);
    let named: Vec<&Datapoint> =
        verdict.real.iter().rev().filter_map(|place| slots.get(*place)?.found.as_ref()).collect();
    // With "M out of N" only those are named that decided.
    let counted = settings.datapoints_to_alarm.is_some();
    let named: Vec<&Datapoint> = if counted { named.into_iter().filter(crossed).collect() } else { named };
    let list: Vec<String> = named.iter().map(|one| format!("{} ({})", decimal(one.value), date(one.at))).collect();
    let (count, list) = (list.len(), list.join(", "));
    let not = if state == State::Alarm { "" } else { " not" };
    let than = relation(settings.comparison_operator.as_deref());
    let threshold = decimal(settings.threshold.unwrap_or_default());
    let verb = if count == 1 { "was" } else { "were" };
    let mut text = match settings.datapoints_to_alarm {
        None => {
            let noun = if count == 1 { "datapoint" } else { "datapoints" };
            format!("Threshold Crossed: {count} {noun} [{list}] {verb}{not} {than} the threshold ({threshold})")
        }
        Some(least) => {
            let (least, change) = match state {
                State::Alarm => (least, "OK -> ALARM"),
                _ => ((periods + 1).saturating_sub(least), "ALARM -> OK"),
            };
            let noun = if least == 1 { "datapoint" } else { "datapoints" };
            format!(
                "Threshold Crossed: {count} out of the last {periods} datapoints [{list}] {verb}{not} {than} the threshold \
                 ({threshold}) (minimum {least} {noun} for {change} transition)"
            )
        }
    };
    if let Some(filled) = filler {
        text = format!("{text} and {filled}");
    }
    format!("{text}.")
}

fn relation(operator: Option<&str>) -> &'static str {
    match operator {
        Some("GreaterThanOrEqualToThreshold") => "greater than or equal to",
        Some("LessThanThreshold") => "less than",
        Some("LessThanOrEqualToThreshold") => "less than or equal to",
        _ => "greater than",
    }
}

/// As AWS's Java writes numbers: `21.0`.
fn decimal(number: f64) -> String {
    format!("{number:?}")
}

/// `03/01/24 11:36:00`: day, month, year.
fn date(at: Timestamp) -> String {
    let shown = jiff::Timestamp::from_second(at.secs()).map(|at| strtime::format("%d/%m/%y %H:%M:%S", at));
    shown.ok().and_then(Result::ok).unwrap_or_default()
}

/// `2024-03-01T11:36:00.000+0000`.
pub(super) fn moment(at: Timestamp) -> String {
    format!("{}+0000", at.to_iso_millis().trim_end_matches('Z'))
}

/// The document.
pub(super) fn data(settings: &Settings, slots: &[Slot], verdict: &Verdict, now: Timestamp) -> String {
    let mut data = Map::new();
    let mut put = |name: &str, value: Value| data.insert(name.to_owned(), value);
    let found: Vec<Datapoint> = verdict.real.iter().filter_map(|place| slots.get(*place)?.found).collect();
    put("version", json!("1.0"));
    put("queryDate", json!(moment(now)));
    if let Some(first) = found.first() {
        put("startDate", json!(moment(first.at)));
    }
    if let Some(unit) = &settings.unit {
        put("unit", json!(unit));
    }
    if let Some(stat) = settings.stat() {
        put("statistic", json!(stat));
    }
    put("period", json!(settings.period()));
    put("recentDatapoints", found.iter().map(|one| json!(one.value)).collect());
    put("threshold", json!(settings.threshold.unwrap_or_default()));
    let periods = settings.evaluation_periods.unwrap_or(1) as usize;
    let looked_at: Vec<&Slot> = if found.is_empty() {
        slots.iter().rev().take(periods).collect()
    } else {
        verdict.real.iter().rev().filter_map(|place| slots.get(*place)).collect()
    };
    let evaluated = looked_at.into_iter().map(|slot| match slot.found {
        Some(one) => json!({ "timestamp": moment(slot.at), "sampleCount": one.samples, "value": one.value }),
        None => json!({ "timestamp": moment(slot.at) }),
    });
    put("evaluatedDatapoints", evaluated.collect());
    Value::Object(data).to_string()
}
