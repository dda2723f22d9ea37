//! The decision: which state follows from the datapoints of the evaluation range.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html>

use super::alarm::State;

/// What missing datapoints are taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// For nothing: where too few are there, the data are insufficient.
    Neither,
    Ignore,
    Breaching,
    NotBreaching,
}

impl Missing {
    pub fn read(text: Option<&str>) -> Option<Self> {
        Some(match text {
            None | Some("missing") => Self::Neither,
            Some("ignore") => Self::Ignore,
            Some("breaching") => Self::Breaching,
            Some("notBreaching") => Self::NotBreaching,
            Some(_) => return None,
        })
    }
}

/// What was decided. Places count from the oldest datapoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// `None`: as it is.
    pub state: Option<State>,
    /// The datapoints that were looked at.
    pub real: Vec<usize>,
    /// How many missing ones were filled in.
    pub filled: usize,
}

/// Decides over datapoints from the oldest to the newest: whether each is breaching, or missing. `periods` of them count, of
/// which `to_alarm` must be breaching.
pub(super) fn judge(points: &[Option<bool>], periods: usize, to_alarm: usize, missing: Missing) -> Verdict {
    let mut real: Vec<usize> = (0..points.len()).filter(|place| points[*place].is_some()).collect();
    // Where there are enough, the newest count, however old they are.
    let surplus = real.len().saturating_sub(periods);
    real.drain(..surplus);
    let filled = periods.saturating_sub(real.len());
    let breaching = real.iter().filter(|place| points[**place] == Some(true)).count();
    let by_count = |breaching: usize| if breaching >= to_alarm { State::Alarm } else { State::Ok };
    let state = if filled == 0 {
        Some(by_count(breaching))
    } else {
        match missing {
            Missing::Breaching => Some(by_count(breaching + filled)),
            Missing::NotBreaching => Some(by_count(breaching)),
            Missing::Neither | Missing::Ignore => undecided(points, &real, breaching, to_alarm, missing),
        }
    };
    Verdict { state, real, filled }
}

/// Too few datapoints, and nothing is assumed of the others.
fn undecided(
    points: &[Option<bool>],
    real: &[usize],
    breaching: usize,
    to_alarm: usize,
    missing: Missing,
) -> Option<State> {
    if breaching >= to_alarm {
        return Some(State::Alarm);
    }
    if real.iter().any(|place| points[*place] == Some(false)) {
        return Some(State::Ok);
    }
    match real.first() {
        _ if missing == Missing::Ignore => None,
        None => Some(State::InsufficientData),
        // All that there is breaches. It is an alarm as soon as the oldest of it is old enough: what follows could still be
        // good otherwise.
        Some(oldest) => (points.len() - oldest >= to_alarm).then_some(State::Alarm),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `0` for a good datapoint, `X` for a breaching one, `-` for a missing one. Three periods.
    fn states(points: &str, to_alarm: usize) -> [Option<State>; 4] {
        let points: Vec<_> = points
            .chars()
            .map(|c| match c {
                '0' => Some(false),
                'X' => Some(true),
                _ => None,
            })
            .collect();
        [Missing::Neither, Missing::Ignore, Missing::Breaching, Missing::NotBreaching]
            .map(|missing| judge(&points, 3, to_alarm, missing).state)
    }

    const OK: Option<State> = Some(State::Ok);
    const ALARM: Option<State> = Some(State::Alarm);
    const UNKNOWN: Option<State> = Some(State::InsufficientData);
    const AS_IT_IS: Option<State> = None;

    #[test]
    fn three_of_three_as_documented() {
        assert_eq!(states("0-X-X", 3), [OK, OK, OK, OK]);
        assert_eq!(states("----0", 3), [OK, OK, OK, OK]);
        assert_eq!(states("-----", 3), [UNKNOWN, AS_IT_IS, ALARM, OK]);
        assert_eq!(states("0XX-X", 3), [ALARM, ALARM, ALARM, ALARM]);
        assert_eq!(states("--X--", 3), [ALARM, AS_IT_IS, ALARM, OK]);
    }

    #[test]
    fn two_of_three_as_documented() {
        assert_eq!(states("0-X-X", 2), [ALARM, ALARM, ALARM, ALARM]);
        assert_eq!(states("00X0X", 2), [ALARM, ALARM, ALARM, ALARM]);
        assert_eq!(states("0-X--", 2), [OK, OK, ALARM, OK]);
        assert_eq!(states("----0", 2), [OK, OK, ALARM, OK]);
        assert_eq!(states("---X-", 2), [ALARM, AS_IT_IS, ALARM, OK]);
    }

    #[test]
    fn one_breaching_datapoint_is_not_yet_an_alarm() {
        assert_eq!(states("----X", 3)[0], AS_IT_IS);
        assert_eq!(states("---X-", 3)[0], AS_IT_IS);
    }
}
