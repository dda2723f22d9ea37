//! The crate against a naive model, and against texts that nobody would write.
#![allow(clippy::unwrap_used, missing_docs)]

mod model;

use std::str::FromStr;

use bigdecimal::BigDecimal;
use dynamodb_expressions::{
    AttributeValue, Condition, ExpressionKind, KeyConditions, Number, Placeholders, Projection, Update, item_from_json,
    item_to_json,
};
use model::{Act, Acts, Cond, Expr, Opd, Seg, Text, Wire};
use proptest::prelude::*;
use serde_json::{Value, json};

fn number() -> BoxedStrategy<Value> {
    prop_oneof![Just("0"), Just("1"), Just("1.0"), Just("-2.5"), Just("10"), Just("1e1")]
        .prop_map(|text| json!({"N": text}))
        .boxed()
}

/// Few values, so that they meet.
fn scalar() -> BoxedStrategy<Value> {
    prop_oneof![
        1 => "[ab]{0,3}".prop_map(|text| json!({"S": text})),
        2 => number(),
        1 => prop_oneof![Just(""), Just("YQ=="), Just("YWI="), Just("/w==")].prop_map(|text| json!({"B": text})),
        1 => any::<bool>().prop_map(|value| json!({"BOOL": value})),
        1 => Just(json!({"NULL": true})),
    ]
    .boxed()
}

fn set() -> BoxedStrategy<Value> {
    let texts = prop::collection::btree_set("[ab]{1,2}", 1..4);
    let numbers = prop::sample::subsequence(vec!["1", "-2.5", "10", "0"], 1..4);
    let blobs = prop::sample::subsequence(vec!["YQ==", "YWI=", "/w=="], 1..3);
    prop_oneof![
        texts.prop_map(|set| json!({"SS": set})),
        numbers.prop_map(|set| json!({"NS": set})),
        blobs.prop_map(|set| json!({"BS": set})),
    ]
    .boxed()
}

fn value() -> BoxedStrategy<Value> {
    prop_oneof![3 => scalar(), 2 => set()]
        .prop_recursive(3, 12, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(|list| json!({"L": list})),
                prop::collection::btree_map("[xyz]a", inner, 0..4).prop_map(|map| json!({"M": map})),
            ]
        })
        .boxed()
}

/// Mostly a list, a map and something small, so that paths lead somewhere; sometimes anything.
fn item() -> BoxedStrategy<Wire> {
    let list = prop::collection::vec(value(), 1..5).prop_map(|list| json!({"L": list}));
    let map = prop::collection::btree_map("[xyz]a", value(), 1..4).prop_map(|map| json!({"M": map}));
    let small = prop_oneof![scalar(), set()];
    let usual =
        (list, map, small).prop_map(|(x, y, z)| vec![("xa".to_owned(), x), ("ya".to_owned(), y), ("za".to_owned(), z)]);
    let other = prop::collection::vec(("[xyz]a", value()), 0..3);
    prop_oneof![4 => usual, 1 => other].prop_map(|attributes| attributes.into_iter().collect()).boxed()
}

fn path() -> BoxedStrategy<Vec<Seg>> {
    let key = || "[xyz]a".prop_map(Seg::Key);
    let index = || (0..5_usize).prop_map(Seg::Idx);
    let seg = || prop_oneof![key(), index()];
    let head = |name: &str| Just(Seg::Key(name.to_owned()));
    prop_oneof![
        3 => (head("xa"), index()).prop_map(|(head, index)| vec![head, index]),
        3 => (head("ya"), key()).prop_map(|(head, key)| vec![head, key]),
        3 => key().prop_map(|head| vec![head]),
        2 => (key(), prop::collection::vec(seg(), 1..3)).prop_map(|(head, rest)| [vec![head], rest].concat()),
    ]
    .boxed()
}

fn operand() -> BoxedStrategy<Opd> {
    prop_oneof![
        1 => value().prop_map(Opd::Val),
        3 => scalar().prop_map(Opd::Val),
        4 => path().prop_map(Opd::At),
        1 => path().prop_map(Opd::Size),
    ]
    .boxed()
}

fn condition() -> BoxedStrategy<Cond> {
    let type_name =
        prop_oneof![Just("S"), Just("N"), Just("B"), Just("L"), Just("M"), Just("NS"), Just("BOOL"), Just("NULL")];
    let operator = prop_oneof![Just("="), Just("<>"), Just("<"), Just("<="), Just(">"), Just(">=")];
    let simple = prop_oneof![
        4 => (operator, operand(), operand()).prop_map(|(op, a, b)| Cond::Cmp(op, a, b)),
        1 => (operand(), operand(), operand()).prop_map(|(a, b, c)| Cond::Between(a, b, c)),
        2 => (path(), number(), number()).prop_map(|(a, b, c)| Cond::Between(Opd::At(a), Opd::Val(b), Opd::Val(c))),
        1 => (number(), path(), number()).prop_map(|(a, b, c)| Cond::Between(Opd::Val(a), Opd::At(b), Opd::Val(c))),
        2 => (operand(), prop::collection::vec(operand(), 1..4)).prop_map(|(a, list)| Cond::In(a, list)),
        2 => (any::<bool>(), path()).prop_map(|(wanted, path)| Cond::Exists(wanted, path)),
        1 => (operand(), type_name).prop_map(|(a, name)| Cond::Type(a, name)),
        1 => (operand(), operand()).prop_map(|(a, b)| Cond::Begins(a, b)),
        2 => (operand(), operand()).prop_map(|(a, b)| Cond::Contains(a, b)),
    ];
    simple
        .prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                inner.clone().prop_map(|one| Cond::Not(Box::new(one))),
                prop::collection::vec(inner.clone(), 2..4).prop_map(Cond::And),
                prop::collection::vec(inner, 2..4).prop_map(Cond::Or),
            ]
        })
        .boxed()
}

fn action() -> BoxedStrategy<Act> {
    let expr = || {
        prop_oneof![
            value().prop_map(Expr::Val),
            path().prop_map(Expr::At),
            (path(), value()).prop_map(|(path, value)| Expr::IfNot(path, value)),
        ]
    };
    let number = prop_oneof![Just("1"), Just("-0.5"), Just("12")].prop_map(|text| json!({"N": text}));
    prop_oneof![
        4 => expr().prop_map(|one| Act::Set(vec![one])),
        1 => (expr(), expr()).prop_map(|(one, other)| Act::Set(vec![one, other])),
        3 => Just(Act::Remove),
        2 => prop_oneof![number, set()].prop_map(Act::Add),
        2 => set().prop_map(Act::Delete),
    ]
    .boxed()
}

/// Anything, or changes of one list, where the order matters.
fn actions() -> BoxedStrategy<Acts> {
    let change = prop_oneof![Just(Act::Remove), scalar().prop_map(|value| Act::Set(vec![Expr::Val(value)]))];
    let element = (0..6_usize).prop_map(|index| vec![Seg::Key("xa".to_owned()), Seg::Idx(index)]);
    prop_oneof![
        2 => prop::collection::vec((path(), action()), 1..5),
        1 => prop::collection::btree_map(element, change, 1..5).prop_map(|map| map.into_iter().collect()),
    ]
    .boxed()
}

fn placeholders(text: &Text) -> Placeholders {
    Placeholders::new(None, (!text.values.is_empty()).then_some(&text.values)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn conditions_mean_what_the_model_says(item in item(), condition in condition()) {
        let mut text = Text::default();
        let expression = text.cond(&condition);
        let mut placeholders = placeholders(&text);
        match Condition::parse(ExpressionKind::Filter, &expression, &mut placeholders) {
            Ok(parsed) => {
                prop_assert!(placeholders.finish().is_ok());
                let held = parsed.holds(&item_from_json(&item).unwrap());
                prop_assert_eq!(held, model::holds(&item, &condition), "{}", expression);
            }
            // The model has no types: these are the refusals that AWS has for well-formed conditions.
            Err(error) => {
                let known = ["The BETWEEN operator requires", "must be distinct", "Incorrect operand type"];
                prop_assert!(known.iter().any(|known| error.message().contains(known)), "{}: {}", expression, error);
            }
        }
    }

    #[test]
    fn updates_mean_what_the_model_says(
        item in item(),
        acts in actions(),
    ) {
        let mut text = Text::default();
        let expression = text.update(&acts);
        let parsed = Update::parse(&expression, &mut placeholders(&text));
        if model::clash(&acts) {
            let message = parsed.unwrap_err().to_string();
            prop_assert!(message.contains("Two document paths") || message.contains("operand type"), "{}", message);
            return Ok(());
        }
        let update = match parsed {
            Ok(update) => update,
            Err(error) => {
                prop_assert!(error.message().contains("Incorrect operand type"), "{}: {}", expression, error);
                return Ok(());
            }
        };
        let ours = update.apply(&item_from_json(&item).unwrap()).map(|item| item_to_json(&item));
        match (ours, model::update(&item, &acts)) {
            (Ok(ours), Some(theirs)) => prop_assert!(
                model::same_items(&ours, &theirs),
                "{}\nours {:?}\ntheirs {:?}", expression, ours, theirs
            ),
            (Err(_), None) => {}
            (ours, theirs) => prop_assert!(false, "{}\nours {:?}\ntheirs {:?}", expression, ours, theirs),
        }
    }

    #[test]
    fn projections_mean_what_the_model_says(item in item(), paths in prop::collection::vec(path(), 1..4)) {
        let acts: Acts = paths.iter().map(|path| (path.clone(), Act::Remove)).collect();
        let texts: Vec<String> = paths.iter().map(|path| model::path_text(path)).collect();
        let parsed = Projection::parse(&texts.join(" ,"), &mut Placeholders::default());
        if model::clash(&acts) {
            prop_assert!(parsed.unwrap_err().message().contains("Two document paths"));
            return Ok(());
        }
        let ours = item_to_json(&parsed.unwrap().apply(&item_from_json(&item).unwrap()));
        let theirs = model::project(&item, &paths);
        prop_assert!(model::same_items(&ours, &theirs), "{:?}\nours {:?}\ntheirs {:?}", texts, ours, theirs);
    }

    #[test]
    fn values_come_back_from_the_wire_and_from_disk(value in value()) {
        let read = AttributeValue::from_json(&value).unwrap();
        prop_assert!(model::same(&read.to_json(), &value));
        prop_assert_eq!(&AttributeValue::from_json(&read.to_json()).unwrap(), &read);
        let saved = serde_json::to_string(&read).unwrap();
        prop_assert_eq!(serde_json::from_str::<AttributeValue>(&saved).unwrap(), read);
    }

    #[test]
    fn numbers_are_decimals(a in decimal(), b in decimal()) {
        let (p, q) = (BigDecimal::from_str(&a).unwrap(), BigDecimal::from_str(&b).unwrap());
        for (text, exact) in [(&a, &p), (&b, &q)] {
            prop_assert_eq!(Number::parse(text).is_ok(), fits(exact), "{}", text);
        }
        let (Ok(x), Ok(y)) = (Number::parse(&a), Number::parse(&b)) else { return Ok(()) };
        prop_assert_eq!(BigDecimal::from_str(&x.to_string()).unwrap(), p.clone());
        prop_assert_eq!(Number::parse(&x.to_string()).unwrap(), x);
        prop_assert_eq!(x.cmp(&y), p.cmp(&q));
        prop_assert_eq!(x == y, p == q);
        for (ours, theirs) in [(x.plus(y), &p + &q), (x.minus(y), &p - &q)] {
            match ours {
                Ok(ours) => prop_assert_eq!(BigDecimal::from_str(&ours.to_string()).unwrap(), theirs),
                Err(_) => prop_assert!(!fits(&theirs), "{} {}", a, b),
            }
        }
    }

    #[test]
    fn no_text_makes_a_parser_panic(text in soup()) {
        parse_everything(&text);
    }

    #[test]
    fn no_characters_make_a_parser_panic(text in "\\PC{0,60}") {
        parse_everything(&text);
        let _ = Number::parse(&text);
        let _ = AttributeValue::from_json(&json!({"B": text, "SS": [text], "N": text}));
    }
}

/// A decimal of about as many digits and as great an exponent as DynamoDB takes, written in many ways.
fn decimal() -> impl Strategy<Value = String> {
    let digits = prop_oneof!["[0-9]{1,6}", "[0-9]{1,40}", "9{36,39}", "[5-9][0-9]{36}[0-9]"];
    ("[-+]?", digits, 0..39_usize, prop_oneof![-140..130_i32, -3..3_i32, 120..127_i32], any::<bool>()).prop_map(
        |(sign, digits, point, power, plain)| {
            let point = point.min(digits.len());
            let (whole, fraction) = digits.split_at(point);
            let mantissa = if plain { digits.clone() } else { format!("{whole}.{fraction}") };
            format!("{sign}{mantissa}e{power}")
        },
    )
}

/// True if DynamoDB has this number.
fn fits(number: &BigDecimal) -> bool {
    let number = number.normalized();
    let first_exponent = number.digits() as i64 - number.fractional_digit_count() - 1;
    number.digits() <= 38 && (-130..=125).contains(&first_exponent)
        || number.digits() == 1 && number.sign() == bigdecimal::num_bigint::Sign::NoSign
}

/// Sequences of the tokens that expressions are made of.
fn soup() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "a",
        "b",
        ".",
        "[",
        "]",
        "(",
        ")",
        "0",
        "99999999999",
        ",",
        "=",
        "<",
        "<>",
        ">=",
        "+",
        "-",
        "#n",
        "#",
        ":v",
        ":",
        ":w",
        "AND",
        "or",
        "NOT",
        "between",
        "in",
        "SET",
        "remove",
        "ADD",
        "delete",
        "size",
        "size(",
        "contains(",
        "attribute_exists(",
        "attribute_type(",
        "begins_with(",
        "if_not_exists(",
        "list_append(",
        "é",
        "\"",
        "abort",
    ]);
    prop::collection::vec(token, 0..14).prop_map(|tokens| tokens.join(" "))
}

fn parse_everything(text: &str) {
    let names = json!({"#n": "n.n"});
    let values = json!({":v": {"S": "x"}, ":w": {"N": "1"}});
    let mut placeholders = Placeholders::new(names.as_object(), values.as_object()).unwrap();
    for kind in [ExpressionKind::Condition, ExpressionKind::Filter] {
        if let Ok(condition) = Condition::parse(kind, text, &mut placeholders) {
            condition.holds(&Default::default());
        }
    }
    if let Ok(projection) = Projection::parse(text, &mut placeholders) {
        projection.apply(&Default::default());
    }
    if let Ok(keys) = KeyConditions::parse(text, &mut placeholders) {
        let _ = keys.check(true);
    }
    if let Ok(update) = Update::parse(text, &mut placeholders) {
        let _ = update.apply(&Default::default());
    }
}

#[test]
fn nesting_as_deep_as_an_expression_can_be_is_refused_and_not_followed() {
    for (open, close) in
        [("(", ")"), ("size(", ")"), ("NOT ", ""), ("NOT (", ")"), ("a=b AND (", ")"), ("(a=b) OR (", ")")]
    {
        for count in [10, 100, 290, 301, 4000 / (open.len() + close.len())] {
            let text = format!("{}a=b{}", open.repeat(count), close.repeat(count));
            parse_everything(&text);
            parse_everything(&format!("SET a = {}a{}", open.repeat(count), close.repeat(count)));
        }
    }
    let deep = (0..40).fold(json!({"S": "leaf"}), |inner, _| json!({"L": [inner]}));
    assert!(AttributeValue::from_json(&deep).unwrap_err().message().starts_with("Nesting Levels"));
}
