//! Rules that fire by the clock.
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html>

use jiff::tz::TimeZone;
use serde_json::json;

use super::bus::Buses;
use super::deliver;
use super::rule::Rule;
use crate::cloud::{Cx, Scope, Service};
use crate::scheduler::expression::Expression;
use crate::{Result, Timestamp};

/// The event of a rule whose time has come.
pub(super) const FIRE: &str = "Fire";

/// Adds the event of this file.
pub(super) fn events(service: Service<Buses>) -> Service<Buses> {
    service.event(FIRE, fire)
}

/// Sets the timer of a rule's next occurrence after `last`, or takes it back if there is none.
pub(super) fn plan(cx: &mut Cx<Buses>, key: &str, rule: &Rule, last: Option<Timestamp>) {
    let expression = rule.schedule.as_deref().filter(|_| rule.is_enabled());
    let expression = expression.and_then(|text| Expression::parse_rule(text).ok());
    let next = expression.and_then(|it| it.next(last.unwrap_or(cx.now), &TimeZone::UTC, None, rule.since));
    match next {
        Some(due) => cx.set_timer(FIRE, key, due),
        None => cx.cancel_timer(FIRE, key),
    }
}

fn fire(cx: &mut Cx<Buses>, key: &str) -> Result<()> {
    let Some(rule) = cx.state.rules.get(key).cloned() else { return Ok(()) };
    let now = cx.now;
    plan(cx, key, &rule, Some(now));
    let home = Scope::of_arn(&rule.bus);
    let event = json!({
        "version": "0",
        "id": cx.ids().uuid(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": home.account,
        "time": now.to_iso_secs(),
        "region": home.region,
        "resources": [rule.arn()],
        "detail": {},
    });
    deliver::to_targets(cx, &rule, &event)
}
