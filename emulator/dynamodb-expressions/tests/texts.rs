//! The texts of AWS's refusals, and what is said first when several things are wrong.
#![allow(clippy::unwrap_used, missing_docs)]

use dynamodb_expressions::{
    AttributeValue, Condition, ExpressionKind, Item, KeyConditions, KeyElement, KeyType, KeyValue, Number,
    Placeholders, Projection, SortCondition, Update, item_from_json, item_size, item_to_json,
};
use serde_json::{Value, json};

fn placeholders(names: Value, values: Value) -> Placeholders {
    Placeholders::new(names.as_object(), values.as_object()).unwrap()
}

/// `#a` stands for a, `#i` for [3]; the values have a type each.
fn usual() -> Placeholders {
    placeholders(
        json!({"#a": "a", "#i": "[3]"}),
        json!({":s": {"S": "s"}, ":t": {"S": "t"}, ":n": {"N": "1"}, ":b": {"B": "YQ=="}, ":bool": {"BOOL": true},
            ":null": {"NULL": true}, ":m": {"M": {}}, ":l": {"L": []}, ":ss": {"SS": ["x"]}, ":ns": {"NS": ["1"]}}),
    )
}

fn item(json: Value) -> Item {
    item_from_json(json.as_object().unwrap()).unwrap()
}

fn filter_error(text: &str) -> String {
    let error = Condition::parse(ExpressionKind::Filter, text, &mut usual()).unwrap_err();
    error.message().strip_prefix("Invalid FilterExpression: ").unwrap().to_owned()
}

fn update_error(text: &str) -> String {
    let error = Update::parse(text, &mut usual()).unwrap_err();
    error.message().strip_prefix("Invalid UpdateExpression: ").unwrap().to_owned()
}

fn projection_error(text: &str) -> String {
    let error = Projection::parse(text, &mut usual()).unwrap_err();
    error.message().strip_prefix("Invalid ProjectionExpression: ").unwrap().to_owned()
}

#[test]
fn syntax_errors_name_the_token_and_its_neighbours() {
    for (text, expected) in [
        ("a-b", r#"token: "-", near: "a-b""#),
        ("#a exists :s", r##"token: "exists", near: "#a exists :s""##),
        ("attribute_exists(a) AND NOT #a", r##"token: "<EOF>", near: "#a""##),
        ("a = ()", r#"token: ")", near: "()""#),
        ("a > 4", r#"token: "4", near: "> 4""#),
        ("a in b", r#"token: "b", near: "in b""#),
        ("_b = :s", r#"token: "_", near: "_b""#),
        ("a = é", r#"token: "é", near: "= é""#),
        ("size(a)[0] > b", r#"token: "[", near: ")[0""#),
        ("b[:n] = c", r#"token: ":n", near: "[:n]""#),
    ] {
        assert_eq!(filter_error(text), format!("Syntax error; {expected}"), "{text}");
    }
    assert_eq!(update_error("SET a = :s,"), r#"Syntax error; token: "<EOF>", near: ",""#);
    assert_eq!(update_error("SET _123 = :s"), r#"Syntax error; token: "_", near: "SET _123""#);
    assert_eq!(projection_error("a,,b"), r#"Syntax error; token: ",", near: ",,b""#);
}

#[test]
fn conditions_are_checked_in_the_order_of_aws() {
    let long = format!("a = {}", "b".repeat(4096));
    let nested = format!("a{} = :s", ".b".repeat(32));
    let many = vec!["a = b"; 151].join(" OR ");
    let among = format!("a IN ({})", vec![":s"; 101].join(","));
    for (text, expected) in [
        ("", "The expression can not be empty;"),
        (&*long, "Expression size has exceeded the maximum allowed size; expression size: 4100"),
        ("((a = b))", "The expression has redundant parentheses;"),
        ("((a)) = abort", "The expression has redundant parentheses;"),
        (&many, "The expression contains too many operators; operator count: 301"),
        ("shout(:undefined) = a", "Invalid function name; function: shout"),
        ("if_not_exists(a, b)", "The function is not allowed in a condition expression; function: if_not_exists"),
        ("size(a)", "The function is not allowed to be used this way in an expression; function: size"),
        ("contains(a, b) = c", "The function is not allowed to be used this way in an expression; function: contains"),
        ("b = c AND #z = Absolute", "Attribute name is a reserved keyword; reserved keyword: Absolute"),
        ("b[2147483648] = c", "List index is not within the allowable range; index: [2147483648]"),
        (
            "begins_with(#z)",
            "An expression attribute name used in the document path is not defined; attribute name: #z",
        ),
        (
            "a = a AND #z = b",
            "The first operand must be distinct from the remaining operands for this operator or function; operator: =, \
             first operand: [a]",
        ),
        (":z = a", "An expression attribute value used in expression is not defined; attribute value: :z"),
        (&nested, "The document path has too many nesting levels; nesting levels: 33"),
        (
            "contains(b)",
            "Incorrect number of operands for operator or function; operator or function: contains, number of operands: 1",
        ),
        (&among, "The IN operator is provided with too many operands; number of operands: 101"),
        (
            "contains(b.c[1].#a, b.c[1].a)",
            "The first operand must be distinct from the remaining operands for this operator or function; operator: \
             contains, first operand: [b, c, [1], a]",
        ),
    ] {
        assert_eq!(filter_error(text), expected, "{text}");
    }
}

#[test]
fn conditions_with_operands_of_wrong_types() {
    for (text, expected) in [
        (
            "attribute_exists(:s)",
            "Operator or function requires a document path; operator or function: attribute_exists",
        ),
        ("a < :m", "Incorrect operand type for operator or function; operator or function: <, operand type: M"),
        (
            "a BETWEEN :null AND b",
            "Incorrect operand type for operator or function; operator or function: BETWEEN, operand type: NULL",
        ),
        (
            "size(:n) > a",
            "Incorrect operand type for operator or function; operator or function: size, operand type: N",
        ),
        (
            "attribute_type(a, b)",
            "Incorrect operand type for operator or function; operator or function: attribute_type, operand type: \
             {NS,SS,L,BS,N,M,B,BOOL,NULL,S}",
        ),
        (
            "attribute_type(a, :s)",
            "Invalid attribute type name found; type: s, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
        ),
        (
            "a BETWEEN :n AND :s",
            "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: \
             AttributeValue: {N:1}, upper bound operand: AttributeValue: {S:s}",
        ),
        (
            "a BETWEEN :t AND :s",
            "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: \
             AttributeValue: {S:t}, upper bound operand: AttributeValue: {S:s}",
        ),
    ] {
        assert_eq!(filter_error(text), expected, "{text}");
    }
}

#[test]
fn parentheses_stand_where_they_mean_something() {
    let item = item(json!({"a": {"M": {"b": {"N": "1"}}}, "c": {"N": "2"}}));
    for (text, expected) in [
        ("(a.b) = :n", true),
        ("(a).b = :n", true),
        ("(a.b = :n)", true),
        ("NOT (a.b = :n) OR (c > (a.b) AND (attribute_exists(a)))", true),
        ("(size(a)) = :n", true),
        ("NOT NOT c in ((:n), (:s))", false),
        ("(c)between(:n)and(:n)", false),
    ] {
        let condition = Condition::parse(ExpressionKind::Filter, text, &mut usual());
        assert_eq!(condition.unwrap().holds(&item), expected, "{text}");
    }
    let condition = Condition::parse(ExpressionKind::Filter, "a.b = :n OR #i < c", &mut usual()).unwrap();
    assert_eq!(condition.attributes().iter().map(|name| &**name).collect::<Vec<_>>(), ["[3]", "a", "c"]);
    assert_eq!(condition.nested_attributes().iter().map(|name| &**name).collect::<Vec<_>>(), ["a"]);
}

#[test]
fn updates_are_checked_in_the_order_of_aws() {
    for (text, expected) in [
        (" ", "The expression can not be empty;"),
        ("set a = size(b)", "The function is not allowed in an update expression; function: size"),
        ("set a = twice(b) set c = d", "Invalid function name; function: twice"),
        (
            "set a = list_append(b, list_append(c, d))",
            "The function is not allowed to be used this way in an expression; function: list_append",
        ),
        ("set a = #z set abort = c", "Attribute name is a reserved keyword; reserved keyword: abort"),
        ("remove b set a = #z remove c", "The \"REMOVE\" section can only be used once in an update expression;"),
        (
            "set b = :z, #z = c",
            "An expression attribute name used in the document path is not defined; attribute name: #z",
        ),
        ("add b :z", "An expression attribute value used in expression is not defined; attribute value: :z"),
        (
            "set b[1] = c, b.d = c, c.e = :s, c = if_not_exists(d)",
            "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [c, e], \
             path two: [c]",
        ),
        (
            "remove a.b add #a[1] :s",
            "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, b], \
             path two: [a, [1]]",
        ),
        (
            "set b = list_append(:s, c) delete d :n",
            "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER",
        ),
        ("add b :bool", "Incorrect operand type for operator or function; operator: ADD, operand type: BOOLEAN"),
        (
            "set b = list_append(c)",
            "Incorrect number of operands for operator or function; operator or function: list_append, number of \
             operands: 1",
        ),
        (
            "set b = if_not_exists(:s, c)",
            "Operator or function requires a document path; operator or function: if_not_exists",
        ),
        (
            "set b = c - :ss",
            "Incorrect operand type for operator or function; operator or function: -, operand type: SS",
        ),
    ] {
        assert_eq!(update_error(text), expected, "{text}");
    }
    for text in ["set a", "set a = b + c + d", "set (a = b)", "set a = (b.c).d", "add a b", "set a = set", "remove :s"]
    {
        assert!(update_error(text).starts_with("Syntax error; "), "{text}");
    }
    for text in ["SET a = ((b.c)+(d))", "set a = (b - :n) REMOVE c", "set a = if_not_exists(b, :n) + c"] {
        assert!(Update::parse(text, &mut usual()).is_ok(), "{text}");
    }
}

#[test]
fn updates_that_do_not_fit_the_item_are_refused() {
    let item = item(json!({"id": {"S": "k"}, "n": {"N": "1"}, "l": {"L": [{"N": "0"}]}, "ss": {"SS": ["x"]}}));
    for (text, expected) in [
        ("SET m.x = :s", "The document path provided in the update expression is invalid for update"),
        ("REMOVE l.x", "The document path provided in the update expression is invalid for update"),
        ("SET b = c", "The provided expression refers to an attribute that does not exist in the item"),
        ("SET b = ss + n", "An operand in the update expression has an incorrect data type"),
        ("ADD ss :n", "An operand in the update expression has an incorrect data type"),
        ("DELETE n :ss", "An operand in the update expression has an incorrect data type"),
    ] {
        assert_eq!(Update::parse(text, &mut usual()).unwrap().apply(&item).unwrap_err().message(), expected, "{text}");
    }
    let update = Update::parse("REMOVE m.x ADD ss :ss", &mut usual()).unwrap();
    assert_eq!(update.create(&Item::new()).unwrap().len(), 1);
    assert!(update.apply(&Item::new()).is_err());
    let update = Update::parse("SET id = :s, m.x = :n, l = list_append(l, l), g = :ss", &mut usual()).unwrap();
    assert_eq!(
        update.check_keys(["other", "id"]).unwrap_err().message(),
        "One or more parameter values were invalid: Cannot update attribute id. This attribute is part of the key"
    );
    assert!(update.check_keys(["other"]).is_ok());
    assert_eq!([update.known_type("l"), update.known_type("g"), update.known_type("m")], [Some("L"), Some("SS"), None]);
    let deeper = Update::parse(
        "SET l = list_append(l, :deep)",
        &mut placeholders(
            Value::Null,
            json!({":deep":
        (0..31).fold(json!({"S": "leaf"}), |inner, _| json!({"L": [inner]}))}),
        ),
    );
    assert!(deeper.unwrap().apply(&item).is_ok());
    let deeper = Update::parse(
        "SET l[0] = :deep",
        &mut placeholders(
            Value::Null,
            json!({":deep":
        (0..31).fold(json!({"S": "leaf"}), |inner, _| json!({"L": [inner]}))}),
        ),
    );
    assert!(deeper.unwrap().apply(&item).unwrap_err().message().starts_with("Nesting Levels have exceeded"));
}

#[test]
fn what_an_update_touched_is_only_that() {
    let before = item(json!({"m": {"M": {"x": {"N": "1"}, "y": {"N": "2"}}}, "l": {"L": [{"N": "0"}, {"N": "5"}]}}));
    let update = Update::parse("SET m.x = :s, l[7] = :s REMOVE l[0], z", &mut usual()).unwrap();
    let after = update.apply(&before).unwrap();
    assert_eq!(Value::from(item_to_json(&after))["l"], json!({"L": [{"N": "5"}, {"S": "s"}]}));
    assert_eq!(
        Value::from(item_to_json(&update.touched(&before))),
        json!({"l": {"L": [{"N": "0"}]}, "m": {"M": {"x": {"N": "1"}}}})
    );
    assert_eq!(
        Value::from(item_to_json(&update.touched(&after))),
        json!({"l": {"L": [{"N": "5"}]}, "m": {"M": {"x": {"S": "s"}}}})
    );
}

#[test]
fn key_conditions() {
    let hash = KeyElement { name: "h", key_type: KeyType::S };
    let range = KeyElement { name: "r", key_type: KeyType::N };
    let checked = |text: &str| KeyConditions::parse(text, &mut usual()).map(|keys| keys.check(false)).unwrap();
    for (text, expected) in [
        ("h = :s OR r = :n", "Invalid operator used in KeyConditionExpression: OR"),
        ("attribute_exists(h)", "Invalid operator used in KeyConditionExpression: attribute_exists"),
        ("h <> :s", "Invalid operator used in KeyConditionExpression: <>"),
        ("h = size(r)", "KeyConditionExpressions cannot contain nested operations"),
        ("h.x = :s", "KeyConditionExpressions cannot have conditions on nested attributes"),
        ("h = r", "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition"),
        (":s = :t", "Invalid condition in KeyConditionExpression: No key attribute specified"),
        (
            "begins_with(:s, h)",
            "Invalid condition in KeyConditionExpression: begins_with operator must have the key attribute as its first \
             operand",
        ),
        ("h = :s AND (r > :n AND r < :n)", "KeyConditionExpressions must only contain one condition per key"),
        ("a = :s AND h = :s AND r = :n", "Conditions can be of length 1 or 2 only"),
    ] {
        assert_eq!(checked(text).unwrap_err().message(), expected, "{text}");
    }
    let on_table = |text: &str, range: &[KeyElement<'_>]| {
        KeyConditions::parse(text, &mut usual()).unwrap().for_schema(&[hash], range)
    };
    for (text, expected) in [
        ("x = :s", "Query condition missed key schema element: h"),
        ("h = :s AND x = :s", "Query condition missed key schema element: r"),
        ("h > :s", "Query key condition not supported"),
        ("h = :n", "One or more parameter values were invalid: Condition parameter type does not match schema type"),
        (
            "h = :s AND begins_with(r, :s)",
            "One or more parameter values were invalid: Condition parameter type does not match schema type",
        ),
    ] {
        assert_eq!(on_table(text, &[range]).unwrap_err().message(), expected, "{text}");
    }
    assert_eq!(on_table("h = :s AND r = :n", &[]).unwrap_err().message(), "Query key condition not supported");
    let found = on_table(":n <= r AND h = :s", &[range]).unwrap();
    assert_eq!(found.hash, [KeyValue::S("s".into())]);
    assert_eq!(found.sort, Some(SortCondition::GreaterOrEqual(KeyValue::N(Number::from(1)))));
}

#[test]
fn key_conditions_of_several_attributes() {
    let text = |name| KeyElement { name, key_type: KeyType::S };
    let number = |name| KeyElement { name, key_type: KeyType::N };
    let on_index = |text_of: &str| {
        let keys = KeyConditions::parse(text_of, &mut usual()).unwrap();
        keys.check(true).and_then(|()| keys.for_schema(&[text("h"), text("i")], &[text("r"), number("q"), text("z")]))
    };
    for (text, expected) in [
        ("h = :s", "Query condition missed key schema element: i"),
        ("h = :s AND i > :s", "Query key condition not supported"),
        ("h = :s AND i = :s AND q = :n", "Query condition missed key schema element: r"),
        ("h = :s AND i = :s AND r > :s AND q = :n", "Query key condition not supported"),
        ("h = :s AND i = :s AND r = :s AND x = :n", "Query condition missed key schema element: q"),
    ] {
        assert_eq!(on_index(text).unwrap_err().message(), expected, "{text}");
    }
    let found = on_index("q > :n AND i = :t AND r = :s AND h = :s").unwrap();
    assert_eq!(found.hash, [KeyValue::S("s".into()), KeyValue::S("t".into())]);
    assert_eq!(found.prefix, [KeyValue::S("s".into())]);
    assert_eq!(found.sort, Some(SortCondition::Greater(KeyValue::N(Number::from(1)))));
}

#[test]
fn the_bounds_of_a_prefix_hold_exactly_its_keys() {
    use std::ops::RangeBounds;
    let texts = ["", "a", "a\u{10ffff}", "a\u{d7ff}z", "a\u{e000}", "b", "\u{10ffff}", "\u{10ffff}\u{10ffff}a"];
    let keys: Vec<KeyValue> = texts.iter().map(|text| KeyValue::S((*text).into())).collect();
    for prefix in texts.iter().chain(&["a\u{d7ff}"]) {
        let condition = SortCondition::BeginsWith(KeyValue::S((*prefix).into()));
        for key in &keys {
            assert_eq!(condition.bounds().contains(key), condition.holds(key), "{prefix:?} {key:?}");
        }
    }
    let binary = SortCondition::BeginsWith(KeyValue::B(vec![1, 255].into()));
    for (bytes, expected) in [(vec![1, 255], true), (vec![1, 255, 255], true), (vec![2], false), (vec![1, 254], false)]
    {
        assert_eq!(binary.bounds().contains(&KeyValue::B(bytes.into())), expected);
    }
}

#[test]
fn legacy_conditions() {
    let error = |json: Value| Condition::from_expected(json.as_object().unwrap(), None).unwrap_err().to_string();
    let prefix = "One or more parameter values were invalid: ";
    for (json, expected) in [
        (json!({"a": {}}), "Value must be provided when Exists is null for Attribute: a"),
        (json!({"a": {"Exists": true}}), "Value must be provided when Exists is true for Attribute: a"),
        (
            json!({"a": {"Exists": false, "Value": {"S": "a"}}}),
            "Value cannot be used when Exists is false for Attribute: a",
        ),
        (
            json!({"a": {"Value": {"S": "a"}, "AttributeValueList": []}}),
            "Value and AttributeValueList cannot be used together for Attribute: a",
        ),
        (
            json!({"a": {"ComparisonOperator": "LT"}}),
            "Value or AttributeValueList must be used with ComparisonOperator: LT for Attribute: a",
        ),
        (
            json!({"a": {"ComparisonOperator": "NULL", "Value": {"S": "a"}}}),
            "Invalid number of argument(s) for the NULL ComparisonOperator",
        ),
        (
            json!({"a": {"ComparisonOperator": "IN", "AttributeValueList": [{"S": "a"}, {"N": "1"}]}}),
            "AttributeValues inside AttributeValueList must be of same type",
        ),
    ] {
        assert_eq!(error(json), format!("{prefix}{expected}"));
    }
    let stored = item(json!({"a": {"N": "5"}, "s": {"S": "hello"}}));
    let holds =
        |json: Value, operator| Condition::from_expected(json.as_object().unwrap(), operator).unwrap().holds(&stored);
    let (yes, no) = (json!({"Value": {"N": "5.0"}}), json!({"Exists": false}));
    assert!(!holds(json!({"a": yes, "s": no}), Some("AND")));
    assert!(holds(json!({"a": yes, "s": no}), Some("OR")));
    assert!(holds(json!({"x": no}), None));
    let list = |operator: &str, values: Value| json!({"ComparisonOperator": operator, "AttributeValueList": values});
    assert!(holds(json!({"s": list("NOT_CONTAINS", json!([{"S": "z"}]))}), None));
    assert!(holds(json!({"a": list("BETWEEN", json!([{"N": "5"}, {"N": "6"}]))}), None));
    let filter =
        |json: Value| Condition::from_filter(json.as_object().unwrap(), None).map(|filter| filter.holds(&stored));
    assert_eq!(filter(json!({"s": list("BEGINS_WITH", json!([{"S": "he"}]))})), Ok(true));
    assert_eq!(
        filter(json!({"s": list("GT", json!([{"SS": ["a"]}]))})).unwrap_err().message(),
        format!("{prefix}ComparisonOperator GT is not valid for SS AttributeValue type")
    );
}

#[test]
fn legacy_updates() {
    let update = |json: Value| Update::from_attribute_updates(json.as_object().unwrap());
    let stored = item(json!({"n": {"N": "1"}, "l": {"L": [{"N": "1"}]}, "ss": {"SS": ["x", "y"]}}));
    let made = update(json!({
        "n": {"Action": "ADD", "Value": {"N": "-0.5"}}, "l": {"Action": "ADD", "Value": {"L": [{"S": "z"}]}},
        "ss": {"Action": "DELETE", "Value": {"SS": ["x"]}}, "p": {"Value": {"BOOL": false}}, "gone": {"Action": "DELETE"}
    }));
    assert_eq!(
        Value::from(item_to_json(&made.unwrap().apply(&stored).unwrap())),
        json!({"l": {"L": [{"N": "1"}, {"S": "z"}]}, "n": {"N": "0.5"}, "p": {"BOOL": false}, "ss": {"SS": ["y"]}})
    );
    let wrong = update(json!({"n": {"Action": "ADD", "Value": {"SS": ["x"]}}})).unwrap().apply(&stored);
    assert_eq!(wrong.unwrap_err().message(), "Type mismatch for attribute to update");
    for (json, expected) in [
        (json!({"Action": "PUT"}), "Only DELETE action is allowed when no attribute value is specified"),
        (json!({"Action": "ADD", "Value": {"S": "a"}}), "ADD action is not supported for the type S"),
        (json!({"Action": "DELETE", "Value": {"L": []}}), "DELETE action with value is not supported for the type L"),
    ] {
        let error = update(json!({"a": json})).unwrap_err();
        assert_eq!(error.message(), format!("One or more parameter values were invalid: {expected}"));
    }
}

#[test]
fn placeholders_are_all_used() {
    let refused = |names: Value, values: Value| {
        Placeholders::new(names.as_object(), values.as_object()).unwrap_err().message().to_owned()
    };
    assert_eq!(refused(json!({}), json!({})), "ExpressionAttributeNames must not be empty");
    assert_eq!(refused(Value::Null, json!({})), "ExpressionAttributeValues must not be empty");
    assert_eq!(
        refused(json!({"a": "a"}), json!({})),
        "ExpressionAttributeNames contains invalid key: Syntax error; key: \"a\""
    );
    assert_eq!(
        refused(Value::Null, json!({":v": {"N": "x"}})),
        "ExpressionAttributeValues contains invalid value: The parameter cannot be converted to a numeric value: x for \
         key :v"
    );
    let mut both = placeholders(json!({"#a": "a", "#b": "b"}), json!({":v": {"N": "1"}, ":w": {"N": "1"}}));
    Condition::parse(ExpressionKind::Condition, "#a = :v", &mut both).unwrap();
    assert_eq!(
        both.finish().unwrap_err().message(),
        "Value provided in ExpressionAttributeNames unused in expressions: keys: {#b}"
    );
    Condition::parse(ExpressionKind::Condition, "#b = :v", &mut both).unwrap();
    assert_eq!(
        both.finish().unwrap_err().message(),
        "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}"
    );
}

#[test]
fn projections_are_checked() {
    assert_eq!(
        projection_error("b.c, b[1], #a.x, a"),
        "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a, x], path \
         two: [a]"
    );
    assert!(projection_error("a.abORt").ends_with("reserved keyword: abORt"));
    assert_eq!(
        Projection::from_attributes_to_get(&["a", "b", "a"]).unwrap_err().message(),
        "One or more parameter values were invalid: Duplicate value in attribute name: a"
    );
}

#[test]
fn values_are_validated() {
    let prefix = "One or more parameter values were invalid: ";
    for (json, expected) in [
        (json!({}), "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes".to_owned()),
        (
            json!({"S": "a", "N": "1"}),
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
                .to_owned(),
        ),
        (json!({"S": "a", "N": ""}), "The parameter cannot be converted to a numeric value".to_owned()),
        (json!({"NS": []}), format!("{prefix}An number set  may not be empty")),
        (json!({"SS": ["a", "a"]}), format!("{prefix}Input collection [a, a] contains duplicates.")),
        (json!({"NS": ["1", "1.0"]}), "Input collection contains duplicates".to_owned()),
        (json!({"BS": ["YQ==", "YQ=="]}), format!("{prefix}Input collection [YQ==, YQ==]of type BS contains duplicates.")),
        (json!({"NULL": false}), format!("{prefix}Null attribute value types must have the value of true")),
        (json!({"L": [{"M": {"x": {"NS": ["b"]}}}]}), "The parameter cannot be converted to a numeric value: b".to_owned()),
        (json!({"S": 5}), "NUMBER_VALUE cannot be converted to String".to_owned()),
        (json!({"B": "abc"}), "Base64 encoded length is expected a multiple of 4 bytes but found: 3".to_owned()),
    ] {
        assert_eq!(AttributeValue::from_json(&json).unwrap_err().message(), expected);
    }
}

#[test]
fn numbers_have_limits_and_one_form() {
    for (text, canonical) in [
        ("00012.3400", "12.34"),
        ("-0", "0"),
        ("+1e3", "1000"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1E-5", "0.00001"),
        ("0e99999999999999999999", "0"),
        ("0.00000000000000000000000000000000000000000000000001e45", "0.00001"),
    ] {
        assert_eq!(Number::parse(text).unwrap().to_string(), canonical, "{text}");
    }
    let nines = "9".repeat(38);
    assert_eq!(Number::parse(&format!("{nines}e88")).unwrap().to_string(), format!("{nines}{}", "0".repeat(88)));
    for (text, expected) in [
        ("", "The parameter cannot be converted to a numeric value"),
        ("1 ", "The parameter cannot be converted to a numeric value: 1 "),
        ("1e", "The parameter cannot be converted to a numeric value: 1e"),
        ("NaN", "The parameter cannot be converted to a numeric value: NaN"),
        ("1e126", "Number overflow. Attempting to store a number with magnitude larger than supported range"),
        ("-1e-131", "Number underflow. Attempting to store a number with magnitude smaller than supported range"),
        (
            "1e-99999999999999999999",
            "Number underflow. Attempting to store a number with magnitude smaller than supported range",
        ),
        (&*format!("{nines}.1"), "Attempting to store more than 38 significant digits in a Number"),
    ] {
        assert_eq!(Number::parse(text).unwrap_err().message(), expected, "{text}");
    }
    let number = |text: &str| Number::parse(text).unwrap();
    assert!(number("9e125").plus(number("9e125")).is_err());
    assert!(number("1e50").minus(number("1")).is_err());
    assert_eq!(
        [number("-12.9").to_i64(), number("1e3").to_i64(), number("1e40").to_i64()],
        [Some(-12), Some(1000), None]
    );
}

#[test]
fn sizes() {
    for (json, expected) in [
        (json!({"id": {"S": "é"}}), 4),
        (json!({"n": {"N": "123"}}), 1 + 3),
        (json!({"n": {"N": "12.3"}}), 1 + 3),
        (json!({"n": {"N": "1.2"}}), 1 + 3),
        (json!({"n": {"N": "-12"}}), 1 + 3),
        (json!({"n": {"N": "0"}}), 1 + 1),
        (json!({"b": {"BOOL": true}, "z": {"NULL": true}}), 4),
        (json!({"l": {"L": [{"S": "ab"}, {"M": {"k": {"B": "YQ=="}}}]}}), 1 + 3 + (1 + 2) + (1 + 3 + 1 + 1 + 1)),
        (json!({"s": {"SS": ["a", "bc"]}}), 1 + 3),
    ] {
        assert_eq!(item_size(&item(json.clone())), expected, "{json}");
    }
}
