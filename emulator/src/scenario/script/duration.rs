//! Durations as scripts write them: `3m`, `1h30m`, `250ms`.

use std::time::Duration;

/// The units, greatest first: a duration names them in this order, each once at most.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// The longest duration a script may name. A scenario over more than ten years is a slip of the pen.
const DURATION_MAX: Duration = Duration::from_millis(3650 * 86_400_000);

/// Reads `1h30m`. The error says what is wrong with it, without naming the place.
pub fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a duration: write it like 3m, 1h30m, 30s or 250ms");
    let mut rest = text;
    let mut units = UNITS.as_slice();
    let mut total = 0_u64;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let letters = rest[digits..].bytes().take_while(u8::is_ascii_alphabetic).count();
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        let unit = &rest[digits..digits + letters];
        let place = units.iter().position(|(name, _)| *name == unit).ok_or_else(wrong)?;
        let millis = number.checked_mul(units[place].1).ok_or_else(wrong)?;
        total = total.checked_add(millis).ok_or_else(wrong)?;
        units = &units[place + 1..];
        rest = &rest[digits + letters..];
    }
    match Duration::from_millis(total) {
        Duration::ZERO if text.is_empty() => Err(wrong()),
        Duration::ZERO => Err("a duration must be longer than nothing".to_owned()),
        long if long > DURATION_MAX => Err(format!("{text} is longer than ten years")),
        duration => Ok(duration),
    }
}

/// Writes a duration so that [`parse`] reads it back; parts of a millisecond are dropped.
pub fn display(duration: Duration) -> String {
    let mut millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (name, size) in UNITS {
        let number = millis / size;
        millis %= size;
        if number > 0 {
            text += &format!("{number}{name}");
        }
    }
    if text.is_empty() { "0ms".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_units_in_order() {
        assert_eq!(parse("3m").unwrap(), Duration::from_secs(180));
        assert_eq!(parse("1h30m").unwrap(), Duration::from_secs(5400));
        assert_eq!(parse("1d2h3m4s5ms").unwrap(), Duration::from_millis(93_784_005));
        assert_eq!(parse("250ms").unwrap(), Duration::from_millis(250));
    }

    #[test]
    fn refuses_what_is_no_duration() {
        for wrong in
            ["", "3", "m", "30m1h", "1m1m", "3 m", "-3m", "1.5h", "3min", "99999999999999999999d", "0s", "4000d"]
        {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn display_reads_back(millis in 1_u64..3650 * 86_400_000) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse(&display(duration)), Ok(duration));
        }

        #[test]
        fn never_panics(text in "\\PC*") {
            let _ = parse(&text);
        }
    }
}
