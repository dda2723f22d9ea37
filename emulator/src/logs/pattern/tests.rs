//! What patterns match, case by case, and that none of them panics.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::Pattern;

/// Which of the messages a pattern selects.
fn select<'a>(pattern: &str, messages: &[&'a str]) -> Vec<&'a str> {
    let pattern = Pattern::compile(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    messages.iter().copied().filter(|message| pattern.matches(message)).collect()
}

fn refused(pattern: &str) -> String {
    match Pattern::compile(pattern) {
        Ok(compiled) => panic!("{pattern} compiles: {compiled:?}"),
        Err(error) => {
            assert_eq!(error.code(), "InvalidParameterException");
            error.message().to_owned()
        }
    }
}

/// The fields of a message, as `name=value` in order of the names.
fn fields(pattern: &str, message: &str) -> Vec<String> {
    let extracted = Pattern::compile(pattern).unwrap().extract(message).unwrap();
    extracted.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
}

const LINES: &[&str] =
    &["[ERROR 400] BAD REQUEST", "[ERROR 419] MISSING ARGUMENTS", "[INFO] REQUEST FAILED", "TERRORIST a-b", "error"];

#[test]
fn all_terms_must_be_there_as_parts_of_words_and_in_their_case() {
    assert_eq!(select("ERROR", LINES), [LINES[0], LINES[1], LINES[3]]);
    assert_eq!(select("  ERROR   ARGUMENTS ", LINES), [LINES[1]]);
    assert_eq!(select("error", LINES), [LINES[4]]);
}

#[test]
fn nothing_and_a_quoted_blank_match_everything() {
    for pattern in ["", "   ", "\" \"", "\"\""] {
        assert_eq!(select(pattern, LINES), LINES, "{pattern:?}");
    }
}

#[test]
fn phrases_are_exact_and_may_have_any_characters() {
    assert_eq!(select("\"BAD REQUEST\"", LINES), [LINES[0]]);
    assert_eq!(select("\"REQUEST BAD\"", LINES), [""; 0]);
    assert_eq!(select("\"a-b\"", LINES), [LINES[3]]);
    assert_eq!(select(r#""say \"hi\" \\ \n""#, &[r#"say "hi" \ \n"#, "say hi"]), [r#"say "hi" \ \n"#]);
}

#[test]
fn terms_are_excluded_by_a_minus() {
    assert_eq!(select("ERROR -ARGUMENTS", LINES), [LINES[0], LINES[3]]);
    assert_eq!(select("-ERROR", LINES), [LINES[2], LINES[4]]);
    assert_eq!(select("ERROR - \"BAD REQUEST\"", LINES), [LINES[1], LINES[3]]);
}

#[test]
fn one_of_several_terms_is_enough_with_question_marks_that_mean_nothing_beside_others() {
    assert_eq!(select("?ARGUMENTS ?INFO", LINES), [LINES[1], LINES[2]]);
    assert_eq!(select("?ARGUMENTS ?INFO REQUEST", LINES), [LINES[0], LINES[2]]);
    assert_eq!(select("?ARGUMENTS ?INFO -ERROR", LINES), [LINES[2], LINES[4]]);
}

#[test]
fn other_characters_need_quotes() {
    for (pattern, named) in
        [("?Status: timeout", ":"), ("ERR*", "*"), ("a-b", "-"), ("(x)", "("), ("café", "é"), ("\"ERROR", "\"ERROR")]
    {
        assert_eq!(refused(pattern), format!("Invalid character(s) in term '{named}'"), "{pattern}");
    }
    assert_eq!(refused("\"a\"b"), "Invalid filter pattern");
    assert_eq!(refused("ERROR -"), "Invalid filter pattern");
}

#[test]
fn regular_expressions_stand_between_per_cent_signs() {
    let lines = &["ERROR 500", "ERROR 50", "colour", "10.10.0.1", "10010,051", "hello!", "ERROR\n500"];
    assert_eq!(select(r"%^ERROR\s[0-9]{3}$%", lines), [lines[0], lines[6]]);
    assert_eq!(select("%^colou?r$% ", lines), [lines[2]]);
    assert_eq!(select(r"%10\.10\.0\.1%", lines), [lines[3]]);
    assert_eq!(select("%10.10.0.1%", lines), [lines[3], lines[4]]);
    assert_eq!(select(r"%\x21%", lines), [lines[5]]);
    assert_eq!(select("%500|our$%", lines), [lines[0], lines[2], lines[6]]);
    assert_eq!(select("%R 5% -%0{2}%", lines), [lines[1]]);
}

#[test]
fn regular_expressions_have_no_groups_and_few_characters() {
    for pattern in [
        "%^(ERROR|WARN)%",
        "%hello!%",
        "%café%",
        "%[abc%",
        r"%\bx%",
        r"%\p{L}%",
        "%a",
        "%a{1000}{1000}{1000}%",
        "{ $.v = %(a|b)% }",
    ] {
        refused(pattern);
    }
}

const SCALARS: &[&str] = &[
    r#"{}"#,
    r#"{"v":null}"#,
    r#"{"v":true}"#,
    r#"{"v":false}"#,
    r#"{"v":"true"}"#,
    r#"{"v":1}"#,
    r#"{"v":1.0}"#,
    r#"{"v":"1"}"#,
    r#"{"v":"1.0"}"#,
    r#"{"v":2.5}"#,
    r#"{"v":"Alpha"}"#,
    r#"{"v":"xAlpha"}"#,
    r#"{"v":[1,"Alpha",null]}"#,
    r#"{"v":{}}"#,
    r#"[{"v":1}]"#,
    "v 1",
    "{broken",
];

/// The places of the messages in [`SCALARS`] that a condition on `$.v` selects.
fn scalars(condition: &str) -> Vec<usize> {
    let pattern = Pattern::compile(&format!("{{ $.v {condition} }}")).unwrap();
    (0..SCALARS.len()).filter(|index| pattern.matches(SCALARS[*index])).collect()
}

#[test]
fn numbers_compare_as_numbers_and_with_strings_by_their_text() {
    assert_eq!(scalars("= 1"), [5, 6, 7]);
    assert_eq!(scalars("= 1e+0"), [5, 6]);
    assert_eq!(scalars("!= 1"), [4, 8, 9, 10, 11]);
    assert_eq!(scalars("> 1"), [9]);
    assert_eq!(scalars(">= 1"), [5, 6, 9]);
    assert_eq!(scalars("< +2.5"), [5, 6]);
    assert_eq!(scalars("<= -1"), [0; 0]);
    assert_eq!(scalars("= \"1\""), [5, 7]);
    assert_eq!(
        select("{$.n = 9007199254740993}", &[r#"{"n":9007199254740993}"#, r#"{"n":9007199254740992}"#]).len(),
        1
    );
}

#[test]
fn strings_have_wildcards_at_their_ends() {
    assert_eq!(scalars("= \"Alpha\""), [10]);
    assert_eq!(scalars("= Al*"), [10]);
    assert_eq!(scalars("= \"*Alpha\""), [10, 11]);
    assert_eq!(scalars("!= \"*Alpha\""), [4, 5, 6, 7, 8, 9]);
    assert_eq!(scalars("= *"), [4, 5, 6, 7, 8, 9, 10, 11]);
    assert_eq!(scalars("= 2*"), [9]);
    assert_eq!(scalars("= %^Al.*%"), [10]);
    let inner = &[r#"{"v":"a*b"}"#, r#"{"v":"aXb"}"#];
    assert_eq!(select("{ $.v = \"a*b\" }", inner), [inner[0]]);
    let address = &[r#"{"ip":"123.123.4.5"}"#, r#"{"ip":"111.1.1.1"}"#];
    assert_eq!(select("{ $.ip != 123.123.* }", address), [address[1]]);
}

#[test]
fn literals_are_asked_for_by_name() {
    assert_eq!(scalars("IS NULL"), [1, 12]);
    assert_eq!(scalars("IS TRUE"), [2]);
    assert_eq!(scalars("IS FALSE"), [3]);
    assert_eq!(scalars("NOT EXISTS"), [0]);
    assert_eq!(scalars("= true"), [4]);
}

const PATHS: &[&str] = &[
    r#"{"nested":{"value":"hit"},"cluster.name":"flat","arr":["miss","hit"],"matrix":[[0,1]],"a":1,"b":0,"c":0}"#,
    r#"{"nested":{"value":null},"arr":"hit","a":0,"b":2,"c":3,"items":[{"a":1},{"b":2}]}"#,
    r#"{"arr":{"0":"hit"},"nested":[{"value":"hit"}],"other":"hit"}"#,
    r#"{"arr":[["hit"]],"a":1}"#,
];

#[test]
fn selectors_walk_through_objects_and_arrays() {
    let at = |pattern: &str| {
        let pattern = Pattern::compile(pattern).unwrap();
        (0..PATHS.len()).filter(|index| pattern.matches(PATHS[*index])).collect::<Vec<_>>()
    };
    assert_eq!(at(r#"{ $.nested.value = "hit" }"#), [0]);
    assert_eq!(at(r#"{ $.['cluster.name'] = "flat" }"#), [0]);
    assert_eq!(at(r#"{ $["cluster.name"] = "flat" || $.arr[1] = "hit" }"#.replace("$[", "$.[").as_str()), [0]);
    assert_eq!(at("{ $.matrix[0][1] = 1 }"), [0]);
    assert_eq!(at(r#"{ $.arr[1] = "hit" }"#), [0]);
    assert_eq!(at(r#"{ $.arr[*] = "hit" }"#), [0, 2]);
    assert_eq!(at(r#"{ $.* = "hit" }"#), [1, 2]);
    assert_eq!(at("{ $.items[*].a = 1 && $.items[*].b = 2 }"), [1]);
    assert_eq!(at("{ $.nested.value NOT EXISTS }"), [2, 3]);
    assert_eq!(at("{ $.nested.value IS NULL }"), [1]);
    assert_eq!(at("{$.a=1||$.b=2&&$.c=4}"), [0, 3]);
    assert_eq!(at("{($.a=1||$.b=2)&&($.c=3)}"), [1]);
    assert_eq!(at("{ ( ( $.a = 1 ) ) }"), [0, 3]);
}

#[test]
fn a_message_may_write_what_is_asked_for_with_escapes_or_in_another_way() {
    let messages = [
        r#"{"level": "ERROR", "n": 1e3}"#,
        r#"{"level": "\u0045RROR", "n": 1000}"#,
        r#"{"level": "INFO", "of": "ERROR"}"#,
        r#"{"level": "a\nb"}"#,
    ];
    assert_eq!(select("{ $.level = ERROR }", &messages), messages[..2]);
    assert_eq!(select(r#"{ $.level = ERR* && $.n = "1000*" }"#, &messages), messages[..2]);
    assert_eq!(select("{ $.level = ERROR || $.level = INFO }", &messages), messages[..3]);
    assert_eq!(select("{ $.level != ERROR }", &messages), messages[2..]);
    assert_eq!(select(r#"{ $.n = "1000.0" }"#, &messages), messages[..1]);
}

#[test]
fn json_patterns_that_aws_refuses_are_refused() {
    for pattern in [
        "{}",
        "{ $.v }",
        "{ $.v EXISTS }",
        "{ $.v IS NOT NULL }",
        "{ $.v == 1 }",
        "{ !($.v = 1) }",
        "{ $.v > 0 AND $.v < 2 }",
        "{ \"v\": [1] }",
        "{ $.v > \"Alpha\" }",
        "{ $.v > abc }",
        "{ $.v = null }",
        "{ $..value = 1 }",
        "{ $.arr[-1] = 1 }",
        "{ $.arr[0:2] = 1 }",
        "{ $.\"sc-status\" = 5* }",
        "{ $v = 1 }",
        "{ $.v = 1 && }",
        "{ ($.v = 1 }",
        "{ $.arr[99999999999999999999999999] = 1 }",
    ] {
        assert_eq!(refused(pattern), "Invalid filter pattern", "{pattern}");
    }
    assert_eq!(refused("{ $.v = 1"), "If a filter pattern starts with '{' it must end with '}'");
    assert_eq!(refused("[a, b"), "If a filter pattern starts with '[' it must end with ']'");
    assert_eq!(
        refused("{ $.items[*].* = 1 }"),
        "Your filter pattern has a JSON path selector that exceeds the maximum of 1 wildcard allowed per json selector."
    );
    assert_eq!(
        refused("{ $.a[*] = 1 || $.b[*] = 1 || $.* = 1 || $.c[*] = 1 }"),
        "Your input has exceeded the maximum of 3 JSON wildcard selectors allowed per filter pattern."
    );
    assert_eq!(
        refused("{ $.v = %a% || $.v = %b% || $.v = %c% }"),
        "Your input has exceeded the maximum of 2 regular expressions per filter pattern."
    );
    assert_eq!(
        refused("[a = %a%, b = %b%, c = %c%]"),
        "Your input has exceeded the maximum of 2 regular expressions per filter pattern."
    );
}

#[test]
fn depth_is_limited_on_both_sides() {
    let deep = |depth: usize| format!("{{{}$.v=1{}}}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(select(&deep(32), &[r#"{"v":1}"#]).len(), 1);
    refused(&deep(33));
    refused(&deep(500));
    let message = format!("{}{}", "{\"v\":".repeat(100_000), "1");
    assert_eq!(select("{ $.v = 1 }", &[&message]).len(), 0);
}

const ACCESS: &[&str] = &[
    r#"127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534"#,
    r#"127.0.0.2 - jane [10/Oct/2000:13:25:16 -0700] "POST /api HTTP/1.0" 500 20"#,
    "127.0.0.3\t-\tfrank\t[10/Oct/2000:13:25:20 -0700]\t\"GET /index.html HTTP/1.0\"\t200\t2048",
    r#"127.0.0.4  -  frank [10/Oct/2000:13:25:19 -0700] "GET /index.html HTTP/1.0" 404 1534 extra"#,
    "ERROR request failed",
    "ERROR",
];

#[test]
fn fields_are_the_words_of_a_line() {
    assert_eq!(select("[ip, id, user, time, request, status, bytes]", ACCESS), ACCESS[..4]);
    assert_eq!(select("[ip, id, user, time, request, status >= 400, bytes > 1000]", ACCESS), [ACCESS[0]]);
    assert_eq!(select("[..., request = *.html*, status = 4*, bytes]", ACCESS), [ACCESS[0]]);
    assert_eq!(select("[ip, ..., status = 404 || status = 500, bytes]", ACCESS), ACCESS[..2]);
    assert_eq!(select(r"[ip = %127\.0\.0\.[1-2]%, ...]", ACCESS), ACCESS[..2]);
    assert_eq!(select("[w1=ERROR, w2]", ACCESS), [ACCESS[4]]);
    assert_eq!(select("[w1!=ERROR && w1!=\"127.0.0.1\", w2]", ACCESS), ACCESS[1..4]);
    assert_eq!(select("[..., (status = 404 || status = 500) && bytes > 1000, bytes]", ACCESS), [ACCESS[0]]);
    assert_eq!(select("[]", ACCESS), ACCESS);
    assert_eq!(select("[...]", ACCESS), ACCESS);
}

#[test]
fn the_last_field_takes_the_rest_of_the_line() {
    assert_eq!(fields("[w1=ERROR, w2]", ACCESS[4]), ["$w1=ERROR", "$w2=request failed"]);
    assert_eq!(fields("[w1, w2]", "ERROR \"two words\""), ["$w1=ERROR", "$w2=two words"]);
    assert_eq!(fields("[w1, w2]", "ERROR \"open words "), ["$w1=ERROR", "$w2=\"open words"]);
    assert_eq!(fields("[a, b]", "x  -\t[y] \"z\""), ["$a=x", "$b=-\t[y] \"z\""]);
}

#[test]
fn fields_without_a_name_have_a_number() {
    assert_eq!(
        fields("[..., request=*.html*, status=4*,]", ACCESS[0]),
        [
            "$1=127.0.0.1",
            "$2=-",
            "$3=frank",
            "$4=10/Oct/2000:13:25:15 -0700",
            "$7=1534",
            "$request=GET /index.html HTTP/1.0",
            "$status=404",
        ]
    );
    assert_eq!(fields("[]", "a b"), ["$1=a", "$2=b"]);
    assert_eq!(fields("ERROR", "ERROR"), [""; 0]);
    assert_eq!(fields("{ $.a = 1 }", r#"{"a":1}"#), [""; 0]);
}

#[test]
fn field_names_are_unique() {
    assert_eq!(refused("[word, word]"), "Duplicate field 'word'");
    assert_eq!(refused("[..., status, ...]"), "Duplicate field '...'");
    for pattern in ["[a b]", "[a = ]", "[a > x]", "[= 4]", "[a, (b = 1]"] {
        assert_eq!(refused(pattern), "Invalid filter pattern", "{pattern}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_pattern_panics(pattern in ".{0,60}", message in ".{0,60}") {
        if let Ok(pattern) = Pattern::compile(&pattern) {
            pattern.matches(&message);
            pattern.extract(&message);
        }
    }

    #[test]
    fn no_pattern_of_the_languages_own_signs_panics(
        pattern in r#"[\[{]?([$.a*%"'\\ =<>!&|()?\-1é,]|\.\.\.| IS NULL| NOT EXISTS|\[0\]|\[\*\]|&&|\|\|){0,24}[\]}]?"#,
        message in r#"([ \[\]{}"a1é:,]|\{"a":1\}){0,24}"#,
    ) {
        if let Ok(pattern) = Pattern::compile(&pattern) {
            let matched = pattern.matches(&message);
            prop_assert_eq!(pattern.extract(&message).is_some(), matched);
        }
    }

    #[test]
    fn a_quoted_phrase_matches_exactly_what_contains_it(phrase in "[a-c \"\\\\]{1,6}", message in "[a-c \"\\\\]{0,12}") {
        prop_assume!(!phrase.trim().is_empty());
        let quoted = format!("\"{}\"", phrase.replace('\\', "\\\\").replace('"', "\\\""));
        let pattern = Pattern::compile(&quoted).unwrap();
        prop_assert_eq!(pattern.matches(&message), message.contains(&phrase));
    }

    #[test]
    fn numbers_compare_as_they_do(a in any::<i64>(), b in any::<i64>()) {
        let message = format!("{{\"n\":{a}}}");
        for (operator, holds) in [("=", a == b), ("!=", a != b), ("<", a < b), ("<=", a <= b), (">", a > b), (">=", a >= b)] {
            let pattern = Pattern::compile(&format!("{{$.n {operator} {b}}}")).unwrap();
            prop_assert_eq!(pattern.matches(&message), holds, "{} {} {}", a, operator, b);
        }
    }
}
