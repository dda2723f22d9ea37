//! What expressions give.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use super::{Grid, Outcome, Series, evaluate, parse};
use crate::Timestamp;

fn series(values: &[Option<f64>]) -> Series {
    let at = |place: usize| Timestamp::from_secs(place as i64 * 60);
    let points = values.iter().enumerate().filter_map(|(place, value)| Some((at(place), (*value)?))).collect();
    Series { label: "m".into(), period: 60, points }
}

fn ask(text: &str) -> Result<Outcome, String> {
    let metrics = vec![
        ("m1".to_owned(), series(&[Some(1.0), Some(2.0), None, Some(4.0)])),
        ("m2".to_owned(), series(&[Some(10.0), Some(0.0), Some(30.0), Some(40.0)])),
    ];
    let known: BTreeMap<String, Outcome> =
        metrics.iter().map(|(id, series)| (id.clone(), Outcome::One(series.clone()))).collect();
    let grid = Grid { start: Timestamp::from_secs(0), end: Timestamp::from_secs(240), period: 60 };
    evaluate(&parse(text)?, &known, &metrics, grid).map_err(|error| error.message().to_owned())
}

/// The numbers of each minute, with `-` where there is none.
fn points(text: &str) -> String {
    let Outcome::One(series) = ask(text).unwrap_or_else(|error| panic!("{text}: {error}")) else {
        panic!("{text} is no series")
    };
    let show = |place: i64| {
        series.points.get(&Timestamp::from_secs(place * 60)).map_or_else(|| "-".to_owned(), ToString::to_string)
    };
    (0..4).map(show).collect::<Vec<_>>().join(" ")
}

#[test]
fn series_meet_where_both_have_numbers() {
    assert_eq!(points("m1 + m2"), "11 2 - 44");
    assert_eq!(points("m2 / m1"), "10 0 - 10");
    assert_eq!(points("m1 / m2 * 100"), "10 - - 10");
    assert_eq!(points("2 * (m1 - 1) ^ 2"), "0 2 - 18");
    assert_eq!(points("-m1"), "-1 -2 - -4");
    assert_eq!(points("m1 >= 2 AND m2 > 0"), "0 0 - 1");
    assert_eq!(points("m1 == 1 || m1 == 4"), "1 0 - 1");
}

#[test]
fn functions_of_series_and_lists() {
    assert_eq!(points("SUM([m1, m2])"), "11 2 30 44");
    assert_eq!(points("SUM(METRICS())"), "11 2 30 44");
    assert_eq!(points("AVG(METRICS('1'))"), "1 2 - 4");
    assert_eq!(points("MAX([m1,m2]) - MIN([m1,m2])"), "9 2 0 36");
    assert_eq!(points("m1 - AVG(m1) * 0"), "1 2 - 4");
    assert_eq!(ask("SUM(m1)"), Ok(Outcome::Number(7.0)));
    assert_eq!(points("FILL(m1, 0)"), "1 2 0 4");
    assert_eq!(points("FILL(m1, REPEAT)"), "1 2 2 4");
    assert_eq!(points("FILL(m1, LINEAR)"), "1 2 3 4");
    assert_eq!(points("FILL(m1, m2)"), "1 2 30 4");
    assert_eq!(points("IF(m2 > 5, m2, 1)"), "10 1 30 40");
    assert_eq!(points("RATE(m2)"), format!("- {} 0.5 {}", -10.0 / 60.0, 10.0 / 60.0));
    assert_eq!(points("DIFF(m2)"), "- -10 30 10");
    assert_eq!(points("RUNNING_SUM(m1)"), "1 3 - 7");
    assert_eq!(points("m1 / PERIOD(m1) * 60"), "1 2 - 4");
    assert_eq!(points("TIME_SERIES(METRIC_COUNT(METRICS()))"), "2 2 2 2");
}

#[test]
fn what_is_wrong_is_said() {
    assert!(ask("SEARCH('x', 'Sum', 300)").unwrap_err().contains("the function SEARCH"));
    assert!(ask("m3 + 1").unwrap_err().contains("'m3'"));
    assert!(ask("FOO(m1)").unwrap_err().contains("'FOO'"));
    for text in ["", "m1 +", "(m1", "m1 m2", "SUM(m1", "'a", "1..2", "m1 $ 2", &"(".repeat(9999), &"-".repeat(9999)] {
        assert!(ask(text).is_err(), "{text}");
    }
}
