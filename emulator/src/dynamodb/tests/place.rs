//! The order of partitions, and the segments of parallel scans.

use std::ops::RangeBounds;

use dynamodb_expressions::{KeyValue, Number};
use proptest::prelude::*;

use crate::dynamodb::place::{Hash, Place, Range, segment};

fn number(text: &str) -> Place {
    Place::new(Hash::One(KeyValue::N(Number::parse(text).unwrap())), Range::None)
}

#[test]
fn equal_numbers_are_one_place_however_they_are_written() {
    assert_eq!(number("1.50"), number("15e-1"));
    assert_eq!(number("0"), number("-0.0"));
    assert_ne!(number("1").slot, number("-1").slot);
    assert_ne!(number("1").slot, number("10").slot);
    assert_ne!(number("1").slot, number("100").slot);
}

proptest! {
    /// Each place is in exactly one segment, however many there are.
    #[test]
    fn segments_cover_all_places_once(text in "[a-z0-9]{0,12}", total in 1u32..=1_000_000) {
        let place = Place::new(Hash::One(KeyValue::S(text.as_str().into())), Range::None);
        let guess = ((u64::from(place.slot) * u64::from(total)) >> 32) as u32;
        let near = guess.saturating_sub(1)..=(guess + 1).min(total - 1);
        let holds = |number: u32| RangeBounds::<Place>::contains(&segment(number, total), &place);
        prop_assert_eq!(near.filter(|number| holds(*number)).count(), 1);
        prop_assert!(guess == 0 || !holds(0) || guess <= 1);
    }
}
