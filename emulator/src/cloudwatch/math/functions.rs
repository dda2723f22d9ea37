//! The functions of metric math.

use super::evaluate::{Grid, each, fold, wrong};
use super::parse::{Expression, FILLERS};
use super::series::{Outcome, Points, Series};
use crate::{Error, Result, Timestamp};

/// What AWS has and Garoa has not.
const UNSUPPORTED: [&str; 10] = [
    "ANOMALY_DETECTION_BAND",
    "DB_PERF_INSIGHTS",
    "INSIGHT_RULE_METRIC",
    "LAMBDA",
    "SEARCH",
    "SELECT",
    "SERVICE_QUOTA",
    "SLICE",
    "SORT",
    "DATAPOINT_COUNT",
];

type Value<'a> = &'a dyn Fn(&Expression) -> Result<Outcome>;

/// Calls a function.
pub(super) fn call(
    name: &str,
    arguments: &[Expression],
    metrics: &[(String, Series)],
    grid: Grid,
    value: Value<'_>,
) -> Result<Outcome> {
    if UNSUPPORTED.contains(&name) {
        return Err(Error::not_implemented(format!("the function {name} of CloudWatch metric math")));
    }
    if name == "METRICS" {
        return chosen(arguments, metrics);
    }
    let argument = |place: usize| match arguments.get(place) {
        Some(argument) => value(argument),
        None => Err(wrong(format!("{name} needs more arguments"))),
    };
    let changed = |change: fn(f64) -> f64| Ok(each(argument(0)?, change));
    let all = |change: fn(&Series) -> Points| match argument(0)? {
        Outcome::One(series) => Ok(Outcome::One(series.with(change(&series)))),
        Outcome::Many(many) => Ok(Outcome::Many(many.iter().map(|one| one.with(change(one))).collect())),
        Outcome::Number(_) => Err(wrong(format!("{name} is of time series"))),
    };
    match name {
        "ABS" => changed(f64::abs),
        "CEIL" => changed(f64::ceil),
        "FLOOR" => changed(f64::floor),
        "LOG" => changed(f64::ln),
        "LOG10" => changed(f64::log10),
        "EXP" => changed(f64::exp),
        "AVG" => folded(argument(0)?, |all| all.iter().sum::<f64>() / all.len() as f64),
        "MAX" => folded(argument(0)?, |all| all.iter().copied().fold(f64::MIN, f64::max)),
        "MIN" => folded(argument(0)?, |all| all.iter().copied().fold(f64::MAX, f64::min)),
        "SUM" => folded(argument(0)?, |all| all.iter().sum()),
        "STDDEV" => folded(argument(0)?, deviation),
        "DIFF" => all(|series| steps(series, |change, _| change)),
        "DIFF_TIME" => all(|series| steps(series, |_, seconds| seconds)),
        "RATE" => all(|series| steps(series, |change, seconds| change / seconds)),
        "RUNNING_SUM" => all(running_sum),
        "EPOCH" => all(|series| series.points.keys().map(|at| (*at, at.secs() as f64)).collect()),
        "MINUTE" => all(|series| dates(series, |at| at.rem_euclid(3600) / 60)),
        "HOUR" => all(|series| dates(series, |at| at.rem_euclid(86_400) / 3600)),
        // The epoch was a Thursday; Monday is 1.
        "DAY" => all(|series| dates(series, |at| (at.div_euclid(86_400) + 3).rem_euclid(7) + 1)),
        "FIRST" | "LAST" | "METRIC_COUNT" | "PERIOD" | "TIME_SERIES" | "REMOVE_EMPTY" => {
            of_kind(name, argument(0)?, grid)
        }
        "FILL" => fill(argument(0)?, arguments.get(1), grid, value),
        "IF" => branch(argument(0)?, argument(1)?, arguments.get(2).map(value).transpose()?),
        _ => Err(wrong(format!("The function '{name}' does not exist"))),
    }
}

/// The functions that take one kind of thing only.
fn of_kind(name: &str, of: Outcome, grid: Grid) -> Result<Outcome> {
    match name {
        "FIRST" | "LAST" => match of {
            Outcome::Many(many) => {
                let found = if name == "FIRST" { many.first() } else { many.last() };
                found.cloned().map(Outcome::One).ok_or_else(|| wrong(format!("{name} is of a list that is not empty")))
            }
            _ => Err(wrong(format!("{name} is of a list of time series"))),
        },
        "METRIC_COUNT" => match of {
            Outcome::Many(many) => Ok(Outcome::Number(many.len() as f64)),
            _ => Err(wrong("METRIC_COUNT is of a list of time series")),
        },
        "PERIOD" => match of {
            Outcome::One(series) => Ok(Outcome::Number(series.period as f64)),
            _ => Err(wrong("PERIOD is of a metric")),
        },
        "TIME_SERIES" => match of {
            Outcome::Number(number) => {
                let points = grid.times().map(|at| (at, number)).collect();
                Ok(Outcome::One(Series { label: String::new(), period: grid.period, points }))
            }
            _ => Err(wrong("TIME_SERIES is of a number")),
        },
        _ => match of {
            Outcome::Many(mut many) => {
                many.retain(|series| !series.points.is_empty());
                Ok(Outcome::Many(many))
            }
            _ => Err(wrong("REMOVE_EMPTY is of a list of time series")),
        },
    }
}

/// All metrics, or those whose ids have a text in them.
fn chosen(arguments: &[Expression], metrics: &[(String, Series)]) -> Result<Outcome> {
    let part = match arguments {
        [] => "",
        [Expression::Text(part)] => part.as_str(),
        _ => return Err(wrong("METRICS takes nothing or a string")),
    };
    let found = metrics.iter().filter(|(id, _)| id.contains(part));
    Ok(Outcome::Many(found.map(|(_, series)| series.clone()).collect()))
}

/// Over the numbers of a series, a number; over a list of series, a series.
fn folded(of: Outcome, compute: fn(&[f64]) -> f64) -> Result<Outcome> {
    match of {
        Outcome::Number(number) => Ok(Outcome::Number(compute(&[number]))),
        Outcome::One(series) => {
            let all: Vec<f64> = series.points.into_values().collect();
            Ok(Outcome::Number(if all.is_empty() { 0.0 } else { compute(&all) }))
        }
        Outcome::Many(many) => Ok(Outcome::One(fold(&many, compute))),
    }
}

fn deviation(all: &[f64]) -> f64 {
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    (all.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / all.len() as f64).sqrt()
}

/// From each number to the next: the change, and the seconds between.
fn steps(series: &Series, compute: fn(f64, f64) -> f64) -> Points {
    let pairs = series.points.iter().zip(series.points.iter().skip(1));
    pairs.map(|((from, old), (to, new))| (*to, compute(new - old, (to.secs() - from.secs()).max(1) as f64))).collect()
}

fn running_sum(series: &Series) -> Points {
    let mut sum = 0.0;
    let add = |(at, value): (&Timestamp, &f64)| {
        sum += value;
        (*at, sum)
    };
    series.points.iter().map(add).collect()
}

fn dates(series: &Series, part: fn(i64) -> i64) -> Points {
    series.points.keys().map(|at| (*at, part(at.secs()) as f64)).collect()
}

/// Numbers for the periods that have none.
fn fill(of: Outcome, with: Option<&Expression>, grid: Grid, value: Value<'_>) -> Result<Outcome> {
    let with = with.ok_or_else(|| wrong("FILL takes a time series and what fills it"))?;
    let word = match with {
        Expression::Name(name) => Some(name.as_str()).filter(|name| FILLERS.contains(name)),
        _ => None,
    };
    let filler = if word.is_some() { None } else { Some(value(with)?) };
    if let Some(Outcome::Many(_)) = filler {
        return Err(wrong("FILL fills with a number or a time series"));
    }
    let one = |series: &Series| {
        let mut points = series.points.clone();
        for at in grid.times().filter(|at| !series.points.contains_key(at)) {
            let before = series.points.range(..at).next_back();
            let number = match (&filler, word) {
                (Some(Outcome::Number(number)), _) => Some(*number),
                (Some(Outcome::One(other)), _) => other.points.get(&at).copied(),
                (_, Some("REPEAT")) => before.map(|(_, value)| *value),
                _ => before.zip(series.points.range(at..).next()).map(|((from, old), (to, new))| {
                    let share = (at.secs() - from.secs()) as f64 / (to.secs() - from.secs()).max(1) as f64;
                    old + (new - old) * share
                }),
            };
            points.extend(number.map(|number| (at, number)));
        }
        series.with(points)
    };
    match of {
        Outcome::One(series) => Ok(Outcome::One(one(&series))),
        Outcome::Many(many) => Ok(Outcome::Many(many.iter().map(one).collect())),
        Outcome::Number(_) => Err(wrong("FILL is of time series")),
    }
}

/// For each time of the condition, the number of the one side or the other.
fn branch(condition: Outcome, yes: Outcome, no: Option<Outcome>) -> Result<Outcome> {
    let at = |side: Option<&Outcome>, at: Timestamp| match side {
        Some(Outcome::Number(number)) => Ok(Some(*number)),
        Some(Outcome::One(series)) => Ok(series.points.get(&at).copied()),
        Some(Outcome::Many(_)) => Err(wrong("IF takes numbers and time series")),
        None => Ok(None),
    };
    match condition {
        Outcome::Number(number) if number != 0.0 => Ok(yes),
        Outcome::Number(_) => no.ok_or_else(|| wrong("IF needs what is true if its condition is not")),
        Outcome::One(series) => {
            let mut points = Points::new();
            for (time, holds) in &series.points {
                let side = if *holds != 0.0 { Some(&yes) } else { no.as_ref() };
                points.extend(at(side, *time)?.map(|number| (*time, number)));
            }
            Ok(Outcome::One(series.with(points)))
        }
        Outcome::Many(_) => Err(wrong("IF takes numbers and time series")),
    }
}
