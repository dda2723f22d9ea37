//! Looking at an alarm when its time has come, and changing its state.

use std::time::Duration;

use super::act;
use super::alarm::{Alarm, Settings, State};
use super::composite::propagate;
use super::history::{self, Item};
use super::judge::{Missing, judge};
use super::reason::{self, Slot};
use crate::cloud::{Cx, Service};
use crate::cloudwatch::Metrics;
use crate::cloudwatch::math::Outcome;
use crate::cloudwatch::query::{Datapoint, check_all, compute, datapoints};
use crate::cloudwatch::statistic::Statistic;
use crate::cloudwatch::window::round_down;
use crate::{Result, Timestamp};

/// The event that looks at an alarm; its key is the name.
pub(super) const LOOK: &str = "LookAtAlarm";
/// An alarm is looked at once a minute; with a period below that, every ten seconds.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html>
const MINUTE: i64 = 60;
const SHORT: i64 = 10;
/// Without data, a state that an alarm was given lasts as long at least, however often it is looked at (seen at AWS).
const PATIENCE: Duration = Duration::from_secs(60);
/// The evaluation range is longer than the evaluation periods: AWS's examples have five for three. For short periods it
/// reaches back over a minute, for data of standard resolution stands at the minute's beginning. The figures are ours.
const EXTRA: i64 = 2;
/// As long as an alarm was not looked at.
pub(super) const UNCHECKED: &str = "Unchecked: Initial alarm creation";

/// Adds the event of this file.
pub(super) fn events(service: Service<Metrics>) -> Service<Metrics> {
    service.event(LOOK, look)
}

/// How often an alarm is looked at, in seconds.
fn step(settings: &Settings) -> i64 {
    if settings.period() < MINUTE { SHORT } else { MINUTE }
}

/// Sets the timer for the next look.
pub(super) fn schedule(cx: &mut Cx<Metrics>, name: &str) {
    let Some(alarm) = cx.state.alarms.get(name) else { return };
    let step = step(&alarm.settings);
    let next = round_down(cx.now, step).secs() + step;
    cx.set_timer(LOOK, name, Timestamp::from_secs(next));
}

fn look(cx: &mut Cx<Metrics>, name: &str) -> Result<()> {
    let Some(alarm) = cx.state.alarms.get(name) else { return Ok(()) };
    let alarm = alarm.clone();
    schedule(cx, name);
    let settings = &alarm.settings;
    let Some(missing) = Missing::read(settings.treat_missing_data.as_deref()) else { return Ok(()) };
    let slots = slots(cx.state, settings, cx.now)?;
    let points: Vec<Option<bool>> =
        slots.iter().map(|slot| slot.found.map(|one| settings.breaches(one.value))).collect();
    let periods = settings.evaluation_periods.unwrap_or(1);
    let to_alarm = settings.datapoints_to_alarm.unwrap_or(periods);
    let verdict = judge(&points, periods as usize, to_alarm as usize, missing);
    let Some(state) = verdict.state else { return Ok(()) };
    let first = alarm.reason == UNCHECKED;
    if state == alarm.state && !first {
        return Ok(());
    }
    if state == State::InsufficientData && state != alarm.state && cx.now < alarm.updated + PATIENCE {
        return Ok(());
    }
    let reason = reason::text(settings, state, &slots, &verdict, missing);
    let data = reason::data(settings, &slots, &verdict, cx.now);
    if state == alarm.state {
        if let Some(alarm) = cx.state.alarms.get_mut(name) {
            (alarm.reason, alarm.reason_data) = (reason, Some(data));
        }
        return Ok(());
    }
    change(cx, name, state, reason, Some(data))
}

/// The periods of the evaluation range, from the oldest to the newest.
fn slots(state: &Metrics, settings: &Settings, now: Timestamp) -> Result<Vec<Slot>> {
    let period = settings.period();
    let extra = if period < MINUTE { EXTRA.max((MINUTE + period - 1) / period + 1) } else { EXTRA };
    let count = i64::from(settings.evaluation_periods.unwrap_or(1)) + extra;
    let end = round_down(now, step(settings).min(period));
    let start = Timestamp::from_secs(end.secs() - count * period);
    let found = match settings.metric_stat() {
        Some(stat) => {
            let statistic = Statistic::parse(&stat.stat).ok();
            let found = statistic.map(|statistic| datapoints(state, &stat, statistic, (start, end), now).0);
            let low = settings.evaluate_low_sample_count_percentile.as_deref() == Some("ignore");
            let counts = |one: &Datapoint| !low || statistic.is_none_or(|stat| is_significant(stat, one.samples));
            found.unwrap_or_default().into_iter().filter(counts).collect()
        }
        None => of_expression(state, settings, (start, end), now)?,
    };
    let slot = |place: i64| {
        let at = Timestamp::from_secs(start.secs() + place * period);
        let until = Timestamp::from_secs(at.secs() + period);
        // The datapoints are in order of time.
        let first = found.partition_point(|one| one.at < at);
        Slot { at, found: found.get(first).filter(|one| one.at < until).copied() }
    };
    Ok((0..count).map(slot).collect())
}

fn of_expression(
    state: &Metrics,
    settings: &Settings,
    range: (Timestamp, Timestamp),
    now: Timestamp,
) -> Result<Vec<Datapoint>> {
    let Some(returned) = settings.returned() else { return Ok(Vec::new()) };
    let queries = check_all("Metrics", &settings.metrics)?;
    let computed = compute(state, &queries, range, now, |query, _| query.id.clone())?;
    Ok(match computed.outcomes.get(&returned.id) {
        Some(Outcome::One(series)) => {
            let datapoint = |(at, value): (&Timestamp, &f64)| Datapoint { at: *at, value: *value, samples: 1.0 };
            series.points.iter().map(datapoint).collect()
        }
        _ => Vec::new(),
    })
}

/// Whether a percentile has enough samples to say something: ten beyond it.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html>
fn is_significant(statistic: Statistic, samples: f64) -> bool {
    let Statistic::Percentile(percent) = statistic else { return true };
    let share = if percent >= 50.0 { 1.0 - percent / 100.0 } else { percent / 100.0 };
    samples * share >= 10.0
}

/// Sets the state of an alarm, with all that follows from it.
pub(super) fn change(
    cx: &mut Cx<Metrics>,
    name: &str,
    state: State,
    reason: String,
    data: Option<String>,
) -> Result<()> {
    if transition(cx, name, state, reason, data)? { propagate(cx, name) } else { Ok(()) }
}

/// Sets the state of an alarm, notes it, and has its actions done; whether it is another now.
pub(super) fn transition(
    cx: &mut Cx<Metrics>,
    name: &str,
    state: State,
    reason: String,
    data: Option<String>,
) -> Result<bool> {
    let now = cx.now;
    let Some(alarm) = cx.state.alarms.get_mut(name) else { return Ok(false) };
    let old = alarm.clone();
    (alarm.state, alarm.reason, alarm.reason_data, alarm.updated) = (state, reason, data, now);
    if state == old.state {
        return Ok(false);
    }
    alarm.transitioned = now;
    let new = alarm.clone();
    let summary = format!("Alarm updated from {} to {}", old.state.name(), state.name());
    history::add(cx, Item::new(name, "StateUpdate", summary, history::states(&old, &new), now));
    if new.settings.actions_enabled {
        act::act(cx, &old, &new)?;
    }
    Ok(true)
}

/// A new alarm.
pub(super) fn fresh(settings: Settings, now: Timestamp) -> Alarm {
    Alarm {
        settings,
        configured: now,
        state: State::InsufficientData,
        reason: UNCHECKED.to_owned(),
        reason_data: None,
        updated: now,
        transitioned: now,
        tags: imbl::OrdMap::new(),
    }
}
