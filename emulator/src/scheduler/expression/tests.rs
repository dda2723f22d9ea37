//! Schedule expressions against AWS's recorded answers, its documented rules, and a naive minute-by-minute search.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

fn point(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn zone(name: &str) -> TimeZone {
    time_zone(name).unwrap()
}

/// The next `count` occurrences after `after`, as ISO times.
fn upcoming(expression: &str, zone_name: &str, after: &str, count: usize) -> Vec<String> {
    let (expression, zone) = (Expression::parse(expression).unwrap(), zone(zone_name));
    let mut at = point(after);
    let mut found = Vec::new();
    while found.len() < count {
        let Some(next) = expression.next(at, &zone, None, at) else { break };
        found.push(next.to_iso_secs());
        at = next;
    }
    found
}

#[test]
fn refuses_what_aws_was_recorded_to_refuse() {
    for text in [
        "cron(0 1 * * * *)",
        "cron(7 20 * * NOT *)",
        "cron(INVALID)",
        "cron(0 dummy ? * MON-FRI *)",
        "cron(71 8 1 * ? *)",
        "cron()",
        "rate(10 seconds)",
        "rate(10 years)",
        "rate()",
        "rate(10)",
        "rate(10 minutess)",
        "rate(foo minutes)",
        "rate(-10 minutes)",
        "rate( 10 minutes )",
        " rate(10 minutes)",
        "at(2021-12-31T23:59:59Z)",
        "at(2021-12-31)",
    ] {
        let error = Expression::parse(text).unwrap_err();
        assert_eq!(error.code(), "ValidationException");
        assert_eq!(error.status(), 400);
        assert_eq!(error.message(), format!("Invalid Schedule Expression {text}."));
    }
}

#[test]
fn refuses_what_the_grammar_does_not_hold() {
    for text in [
        "",
        "rate(0 minutes)",
        "rate(+1 minutes)",
        "rate(99999999999999999999 days)",
        "rate(9223372036854775 days)",
        "at(2021-02-30T00:00:00)",
        "at(2021-12-31T23:59:60)",
        "at(2021-12-31 23:59:59)",
        "cron(0 0 ? * ? *)",
        "cron(0 0 * * ?)",
        "cron(0 0 0 * ? *)",
        "cron(0 0 32 * ? *)",
        "cron(0 0 L-3 * ? *)",
        "cron(0 0 1,L * ? *)",
        "cron(0 0 ? * 0 *)",
        "cron(0 0 ? * 2#6 *)",
        "cron(0 0 ? * 2#1,3 *)",
        "cron(0/0 0 * * ? *)",
        "cron(0 0 * * ? 1969)",
        "cron(0 0 * * ? 2200)",
        "cron(0 0 * * ? 2030-2020)",
        "cron(, 0 * * ? *)",
        "cron(+1 0 * * ? *)",
        "CRON(0 0 * * ? *)",
    ] {
        assert!(Expression::parse(text).is_err(), "{text}");
    }
}

#[test]
fn takes_what_aws_was_recorded_to_take() {
    for text in [
        "cron(0-15/1 8-8 ? * 2,3,4,5,6,7 *)",
        "cron(30-30 13-13 ? * 2,4,6 *)",
        "cron(1-31/30 1-1 ? * 1,7 *)",
        "cron(0-59/10 0-23/2 ? * * *)",
        "at(2022-12-12T00:00:00)",
        "rate(1 minute)",
        "rate(1 minutes)",
        "rate(5 days)",
    ] {
        assert!(Expression::parse(text).is_ok(), "{text}");
    }
}

#[test]
fn rules_demand_agreement_and_know_no_at() {
    for text in ["rate(1 minutes)", "rate(2 minute)", "at(2022-12-12T00:00:00)", "cron(0 0 * * * *)"] {
        let error = Expression::parse_rule(text).unwrap_err();
        assert_eq!(error.message(), "Parameter ScheduleExpression is not valid.");
    }
    let rule = Expression::parse_rule("rate(5 minutes)").unwrap();
    let created = point("2026-03-02T12:00:30Z");
    let first = rule.next(created - Duration::from_secs(1), &TimeZone::UTC, None, created);
    assert_eq!(first, Some(point("2026-03-02T12:05:30Z")));
    assert!(Expression::parse_rule("cron(0 0 * * ? *)").is_ok());
}

#[test]
fn a_rate_counts_from_its_start_or_its_creation() {
    let rate = Expression::parse("rate(3 minutes)").unwrap();
    let created = point("2026-03-02T12:00:30Z");
    let next = |after: &str, start: Option<&str>| {
        rate.next(point(after), &TimeZone::UTC, start.map(point), created).unwrap().to_iso_secs()
    };
    assert_eq!(next("2026-03-02T12:00:29.999Z", None), "2026-03-02T12:00:30Z");
    assert_eq!(next("2026-03-02T12:00:30Z", None), "2026-03-02T12:03:30Z");
    assert_eq!(next("2026-03-02T12:04:00Z", None), "2026-03-02T12:06:30Z");
    assert_eq!(next("2026-03-02T12:04:00Z", Some("2026-03-03T00:00:00Z")), "2026-03-03T00:00:00Z");
    assert_eq!(next("2026-03-03T00:00:00Z", Some("2026-03-03T00:00:00Z")), "2026-03-03T00:03:00Z");
}

#[test]
fn a_day_of_a_rate_is_24_hours_when_the_clocks_move() {
    let rate = Expression::parse("rate(1 day)").unwrap();
    let created = point("2026-03-07T12:00:00Z");
    let next = rate.next(created, &zone("America/New_York"), None, created);
    assert_eq!(next, Some(point("2026-03-08T12:00:00Z")));
}

#[test]
fn one_time_schedules_occur_once_in_local_time() {
    let at = Expression::parse("at(2026-07-01T09:30:15)").unwrap();
    let created = point("2026-01-01T00:00:00Z");
    let late_start = Some(point("2030-01-01T00:00:00Z"));
    let next = at.next(created, &zone("America/Sao_Paulo"), late_start, created);
    assert_eq!(next, Some(point("2026-07-01T12:30:15Z")));
    assert_eq!(at.next(next.unwrap(), &zone("America/Sao_Paulo"), None, created), None);
    assert!(at.is_one_time());
}

#[test]
fn the_examples_of_the_guide() {
    let from = "2026-03-02T12:00:00Z"; // a Monday
    assert_eq!(upcoming("cron(0 0 * * ? *)", "UTC", from, 2), ["2026-03-03T00:00:00Z", "2026-03-04T00:00:00Z"]);
    assert_eq!(
        upcoming("cron(15 10 ? * 6L 2026-2027)", "UTC", from, 2),
        ["2026-03-27T10:15:00Z", "2026-04-24T10:15:00Z"]
    );
    assert_eq!(upcoming("cron(0 18 ? * MON-FRI *)", "UTC", "2026-03-06T18:00:00Z", 1), ["2026-03-09T18:00:00Z"]);
    assert_eq!(upcoming("cron(0 8 1 * ? *)", "UTC", from, 1), ["2026-04-01T08:00:00Z"]);
    assert_eq!(upcoming("cron(0/15 * * * ? *)", "UTC", from, 2), ["2026-03-02T12:15:00Z", "2026-03-02T12:30:00Z"]);
    assert_eq!(upcoming("cron(0 12 ? * 1 *)", "UTC", from, 1), ["2026-03-08T12:00:00Z"]);
    assert_eq!(upcoming("cron(0 12 ? * 3#2 *)", "UTC", from, 2), ["2026-03-10T12:00:00Z", "2026-04-14T12:00:00Z"]);
    assert_eq!(upcoming("cron(0 12 L * ? *)", "UTC", from, 2), ["2026-03-31T12:00:00Z", "2026-04-30T12:00:00Z"]);
    assert_eq!(upcoming("cron(0 12 ? * L *)", "UTC", from, 1), ["2026-03-07T12:00:00Z"]);
    // The 15th of March 2026 is a Sunday, the 1st of August a Saturday, the 31st of May a Sunday.
    assert_eq!(upcoming("cron(0 0 15W 3 ? 2026)", "UTC", from, 2), ["2026-03-16T00:00:00Z"]);
    assert_eq!(upcoming("cron(0 0 1W 8 ? 2026)", "UTC", from, 2), ["2026-08-03T00:00:00Z"]);
    assert_eq!(upcoming("cron(0 0 LW 5 ? 2026)", "UTC", from, 2), ["2026-05-29T00:00:00Z"]);
    assert_eq!(
        upcoming("cron(0 22-1 * * ? *)", "UTC", "2026-03-02T22:30:00Z", 3),
        ["2026-03-02T23:00:00Z", "2026-03-03T00:00:00Z", "2026-03-03T01:00:00Z"]
    );
    assert_eq!(upcoming("cron(0 0 29 feb ? *)", "UTC", from, 1), ["2028-02-29T00:00:00Z"]);
    assert_eq!(upcoming("cron(0 0 ? * * *)", "America/Sao_Paulo", from, 1), ["2026-03-03T03:00:00Z"]);
}

#[test]
fn a_skipped_time_does_not_occur_and_a_repeated_one_occurs_once() {
    // New York: 2026-03-08 02:00 becomes 03:00; 2026-11-01 02:00 becomes 01:00.
    assert_eq!(
        upcoming("cron(30 2 * * ? *)", "America/New_York", "2026-03-07T00:00:00Z", 2),
        ["2026-03-07T07:30:00Z", "2026-03-09T06:30:00Z"]
    );
    assert_eq!(
        upcoming("cron(30 1 * * ? *)", "America/New_York", "2026-11-01T00:00:00Z", 2),
        ["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"]
    );
    // Asked from within the repeated hour, the first pass and the second.
    assert_eq!(upcoming("cron(30 1 * * ? *)", "America/New_York", "2026-11-01T06:10:00Z", 1), ["2026-11-02T06:30:00Z"]);
    // Samoa left out the whole of 2011-12-30.
    assert_eq!(
        upcoming("cron(0 12 30 12 ? 2011-2012)", "Pacific/Apia", "2011-12-29T00:00:00Z", 2),
        ["2012-12-29T22:00:00Z"]
    );
}

#[test]
fn a_start_date_holds_a_cron_back_and_may_itself_be_an_occurrence() {
    let cron = Expression::parse("cron(0 * * * ? *)").unwrap();
    let created = point("2026-03-02T12:00:00Z");
    let next = cron.next(created, &TimeZone::UTC, Some(point("2026-03-05T06:00:00Z")), created);
    assert_eq!(next, Some(point("2026-03-05T06:00:00Z")));
}

#[test]
fn an_impossible_date_has_no_next_and_the_search_ends() {
    let after = point("1970-01-01T00:00:00Z");
    for text in ["cron(0 0 30 2 ? *)", "cron(0 0 31W 2 ? *)", "cron(0 0 * * ? 1970)", "cron(* * 31 2,4,6,9,11 ? *)"] {
        let after = if text.contains("1970") { point("1971-01-01T00:00:00Z") } else { after };
        assert_eq!(Expression::parse(text).unwrap().next(after, &TimeZone::UTC, None, after), None, "{text}");
    }
    let far = Timestamp::from_millis(i64::MAX);
    for text in ["cron(* * * * ? *)", "rate(1 minute)", "at(2026-01-01T00:00:00)"] {
        assert_eq!(Expression::parse(text).unwrap().next(far, &TimeZone::UTC, None, after), None, "{text}");
        let long_ago = Timestamp::from_millis(i64::MIN);
        let _ = Expression::parse(text).unwrap().next(long_ago, &TimeZone::UTC, None, long_ago);
        let _ = Expression::parse(text).unwrap().next(far, &TimeZone::UTC, None, long_ago);
    }
}

#[test]
fn an_unknown_zone_is_refused_by_name() {
    assert!(time_zone("Mars/Olympus").unwrap_err().message().contains("Mars/Olympus"));
    assert!(time_zone("America/Sao_Paulo").is_ok());
}

fn field(max_start: u32, min: u32, max: u32) -> impl Strategy<Value = String> {
    let value = min..=max;
    prop_oneof![
        3 => Just("*".to_owned()),
        2 => value.clone().prop_map(|v| v.to_string()),
        1 => (value.clone(), value.clone()).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
        1 => (min..=max_start, 1..=max).prop_map(|(a, step)| format!("{a}/{step}")),
        1 => proptest::collection::vec(value, 1..4)
            .prop_map(|all| all.iter().map(u32::to_string).collect::<Vec<_>>().join(",")),
    ]
}

fn any_cron() -> impl Strategy<Value = String> {
    let days = prop_oneof![
        field(31, 1, 31).prop_map(|dom| (dom, "?".to_owned())),
        Just(("L".to_owned(), "?".to_owned())),
        (1..=31u32).prop_map(|day| (format!("{day}W"), "?".to_owned())),
        field(7, 1, 7).prop_map(|dow| ("?".to_owned(), dow)),
        (1..=7u32, 1..=5u32).prop_map(|(day, nth)| ("?".to_owned(), format!("{day}#{nth}"))),
        (1..=7u32).prop_map(|day| ("?".to_owned(), format!("{day}L"))),
    ];
    (field(59, 0, 59), field(23, 0, 23), days, prop_oneof![4 => Just("*".to_owned()), 1 => field(12, 1, 12)])
        .prop_map(|(minute, hour, (dom, dow), month)| format!("cron({minute} {hour} {dom} {month} {dow} *)"))
}

/// One field, judged without `Set`: the definition of the notation, value by value.
fn field_holds(text: &str, value: i64, max: i64) -> bool {
    text.split(',').any(|item| {
        let (base, step) = item.split_once('/').map_or((item, None), |(b, s)| (b, Some(s.parse::<i64>().unwrap())));
        let (from, to) = match base.split_once('-') {
            Some((from, to)) => (from.parse().unwrap(), to.parse().unwrap()),
            None if base == "*" => (i64::MIN, i64::MAX),
            None => {
                let from: i64 = base.parse().unwrap();
                (from, if step.is_some() { max } else { from })
            }
        };
        value >= from && value <= to && (step.is_none() || (value - from) % step.unwrap() == 0)
    })
}

/// A minute of local time against the text of an expression, independently of [`Cron`].
fn naive(expression: &str, local: DateTime) -> bool {
    let inner = expression.strip_prefix("cron(").unwrap().strip_suffix(')').unwrap();
    let fields: Vec<&str> = inner.split(' ').collect();
    let day = i64::from(local.day());
    let last = i64::from(local.date().days_in_month());
    let weekday = i64::from(local.date().weekday().to_sunday_one_offset());
    let day_holds = if fields[4] != "?" {
        if let Some((want, nth)) = fields[4].split_once('#') {
            let nth: i64 = nth.parse().unwrap();
            weekday == want.parse::<i64>().unwrap() && day > (nth - 1) * 7 && day <= nth * 7
        } else if let Some(want) = fields[4].strip_suffix('L') {
            weekday == want.parse::<i64>().unwrap() && day > last - 7
        } else {
            field_holds(fields[4], weekday, 7)
        }
    } else if fields[2] == "L" {
        day == last
    } else if let Some(want) = fields[2].strip_suffix('W') {
        let want: i64 = want.parse().unwrap();
        let weekday_of = |d: i64| (weekday - 1 + d - day).rem_euclid(7) + 1;
        let workday = |d: i64| d >= 1 && d <= last && (2..=6).contains(&weekday_of(d));
        let nearest = [want, want - 1, want + 1, want + 2, want - 2].into_iter().find(|d| workday(*d));
        want <= last && nearest == Some(day)
    } else {
        field_holds(fields[2], day, 31)
    };
    field_holds(fields[0], local.minute().into(), 59)
        && field_holds(fields[1], local.hour().into(), 23)
        && field_holds(fields[3], local.month().into(), 12)
        && day_holds
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// `next` is the first minute that the naive check accepts, over ten days around changes of the clocks.
    #[test]
    fn next_is_the_first_matching_minute(
        text in any_cron(),
        base in prop_oneof![Just("2026-03-05T00:00:00Z"), Just("2026-10-29T00:00:00Z"), Just("2027-12-29T00:00:00Z")],
        seconds in 0..172_800i64,
        name in prop_oneof![Just("UTC"), Just("America/New_York"), Just("Australia/Lord_Howe"), Just("Asia/Kolkata")],
    ) {
        let (expression, zone) = (Expression::parse(&text).unwrap(), zone(name));
        let after = Timestamp::from_secs(point(base).secs() + seconds);
        let found = expression.next(after, &zone, None, after);
        let first_minute = after.secs().div_euclid(60) + 1;
        let expected = (first_minute..first_minute + 8 * 1440).map(|minute| Timestamp::from_secs(minute * 60)).find(|at| {
            let local = zone.to_datetime(at.to_jiff());
            // Twice the same local time: no instant in the three hours before may show it.
            let repeated = || (1..=180).any(|back| {
                zone.to_datetime((*at - Duration::from_secs(back * 60)).to_jiff()) == local
            });
            naive(&text, local) && !repeated()
        });
        match expected {
            Some(_) => prop_assert_eq!(found, expected),
            None => prop_assert!(found.is_none_or(|at| at.secs() >= (first_minute + 8 * 1440) * 60)),
        }
    }

    /// A later question never gets an earlier answer, and an answer is always in the future.
    #[test]
    fn next_is_later_and_monotone(
        text in prop_oneof![any_cron(), (1..5000u32).prop_map(|n| format!("rate({n} minutes)"))],
        first in 0..4_000_000_000_000i64,
        gap in 0..100_000_000_000i64,
    ) {
        let (expression, zone) = (Expression::parse(&text).unwrap(), zone("Europe/Lisbon"));
        let created = Timestamp::from_millis(1_000_000_000_000);
        let (early, late) = (Timestamp::from_millis(first), Timestamp::from_millis(first + gap));
        let (a, b) = (expression.next(early, &zone, None, created), expression.next(late, &zone, None, created));
        prop_assert!(a.is_none_or(|at| at > early));
        prop_assert!(b.is_none_or(|at| at > late));
        if let (Some(a), Some(b)) = (a, b) {
            prop_assert!(a <= b);
        }
    }

    #[test]
    fn no_text_panics(
        text in prop_oneof![".*", "(cron|rate|at)\\(.*\\)", "cron\\([0-9LW#?*/, A-Z-]{0,40}\\)"],
        after in any::<i64>(),
    ) {
        for parsed in [Expression::parse(&text), Expression::parse_rule(&text)].into_iter().flatten() {
            let after = Timestamp::from_millis(after);
            let _ = parsed.next(after, &TimeZone::UTC, None, after);
        }
    }
}
