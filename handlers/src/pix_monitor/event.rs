//! What one line of the Pix API's log says.

use serde_json::Value;

/// Fields before the JSON document: time, API Gateway request id, level.
const FIELDS_BEFORE_DOCUMENT: usize = 3;

/// The first key of a cash-out's body. A cash-in's body begins with another key, and has this one later or not at all.
const CASH_OUT_FIRST_KEY: &str = "transactionId";

/// A line of the shape that the Pix API writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Money left an account.
    CashOut(CashOut),
    /// Any other operation, such as a cash-in.
    Other,
}

/// Money that left an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CashOut {
    /// The account it left, `Session.accountName`.
    pub account: String,
    /// How much, in centavos. JSON integers beyond `i64` are refused, so a sum of these cannot overflow `i128`.
    pub centavos: i64,
}

/// Why a line was skipped. The names are those that the log counts them under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Malformed {
    /// The event's id is missing or not a decimal number.
    #[error("event id")]
    EventId,
    /// There are fewer than four tab-separated fields, or none of the last begins a JSON object.
    #[error("fields")]
    Fields,
    /// The last field is not JSON, or nests too deeply (serde_json's limit of 128).
    #[error("JSON")]
    Json,
    /// `Session` or its `accountName` is missing or of another type.
    #[error("Session")]
    Session,
    /// `Payload` or its `body` is missing, of another type, or empty.
    #[error("Payload")]
    Payload,
    /// A cash-out's `amount` is missing, or not an integer of centavos within `i64`. A float is never rounded.
    #[error("amount")]
    Amount,
}

/// Reads one line: `time TAB request-id TAB level TAB {"Session":…,"Payload":…}`.
pub fn parse(line: &str) -> Result<Line, Malformed> {
    let document: Value = serde_json::from_str(document(line)?).map_err(|_| Malformed::Json)?;
    let account = document.get("Session").and_then(|session| session.get("accountName")).and_then(Value::as_str);
    let account = account.ok_or(Malformed::Session)?;
    let body = document.get("Payload").and_then(|payload| payload.get("body")).and_then(Value::as_object);
    let body = body.ok_or(Malformed::Payload)?;
    // serde_json keeps the document's order (its feature preserve_order), and the rule needs that order.
    let first = body.keys().next().ok_or(Malformed::Payload)?;
    if first != CASH_OUT_FIRST_KEY {
        return Ok(Line::Other);
    }
    let centavos = body.get("amount").and_then(Value::as_i64).ok_or(Malformed::Amount)?;
    Ok(Line::CashOut(CashOut { account: account.to_owned(), centavos }))
}

/// The JSON document at the end of a line: from the first field after the three fixed ones that begins an object.
///
/// Not simply the last field, since a JSON document may hold tabs between its tokens; not simply the fourth, since a
/// logger may add a field.
fn document(line: &str) -> Result<&str, Malformed> {
    let mut rest = line;
    for _ in 0..FIELDS_BEFORE_DOCUMENT {
        rest = rest.split_once('\t').ok_or(Malformed::Fields)?.1;
    }
    loop {
        if rest.trim_start_matches(' ').starts_with('{') {
            return Ok(rest);
        }
        rest = rest.split_once('\t').ok_or(Malformed::Fields)?.1;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const PREFIX: &str = "2026-11-22T03:00:00.000Z\t6c4e6c1e-0000\tINFO\t";

    fn with_body(body: &str) -> String {
        format!(
            "{PREFIX}{{\"Session\":{{\"accountName\":\"23463567342345\",\"sessionId\":\"s\"}},\"Payload\":{{\"body\":{body}}}}}"
        )
    }

    fn cash_out(centavos: i64) -> Result<Line, Malformed> {
        Ok(Line::CashOut(CashOut { account: "23463567342345".to_owned(), centavos }))
    }

    #[test]
    fn a_cash_out() {
        let body = r#"{"transactionId":"t","amount":123456,"receiverKeyValue":"k","qrCodeIdentifier":"q","scheduledDate":"d","description":"á\t"}"#;
        assert_eq!(parse(&with_body(body)), cash_out(123_456));
        assert_eq!(parse(&format!("{}\n", with_body(body))), cash_out(123_456));
    }

    #[test]
    fn the_first_key_decides() {
        assert_eq!(parse(&with_body(r#"{"amount":1,"transactionId":"t"}"#)), Ok(Line::Other));
        assert_eq!(parse(&with_body(r#"{"endToEndId":"e","amount":"x"}"#)), Ok(Line::Other));
        assert_eq!(parse(&with_body(r#"{"transactionId":"t","amount":1}"#)), cash_out(1));
    }

    #[test]
    fn amounts_are_exact_integers() {
        let amount = |text: &str| parse(&with_body(&format!("{{\"transactionId\":\"t\",\"amount\":{text}}}")));
        assert_eq!(amount("9223372036854775807"), cash_out(i64::MAX));
        assert_eq!(amount("-9223372036854775808"), cash_out(i64::MIN));
        assert_eq!(amount("9007199254740993"), cash_out(9_007_199_254_740_993));
        for text in ["9223372036854775808", "-9223372036854775809", "1.0", "1e2", "1.5", "\"1\"", "null", "[1]", "true"]
        {
            assert_eq!(amount(text), Err(Malformed::Amount), "{text}");
        }
        assert_eq!(parse(&with_body(r#"{"transactionId":"t"}"#)), Err(Malformed::Amount));
    }

    #[test]
    fn malformed_lines_say_why() {
        let document = |document: &str| parse(&format!("{PREFIX}{document}"));
        assert_eq!(parse(""), Err(Malformed::Fields));
        assert_eq!(parse("START RequestId: 6c4e Version: $LATEST\n"), Err(Malformed::Fields));
        assert_eq!(parse("a\tb\t{}"), Err(Malformed::Fields));
        assert_eq!(document("plain text"), Err(Malformed::Fields));
        assert_eq!(document("[]"), Err(Malformed::Fields));
        assert_eq!(document("{"), Err(Malformed::Json));
        assert_eq!(document("{} {}"), Err(Malformed::Json));
        assert_eq!(document(&format!("{{\"a\":{}", "[".repeat(100_000))), Err(Malformed::Json));
        assert_eq!(document(r#"{"Payload":{"body":{"transactionId":"t","amount":1}}}"#), Err(Malformed::Session));
        assert_eq!(document(r#"{"Session":"s","Payload":{"body":{"transactionId":"t"}}}"#), Err(Malformed::Session));
        assert_eq!(document(r#"{"Session":{"accountName":1},"Payload":{}}"#), Err(Malformed::Session));
        assert_eq!(document(r#"{"Session":{"accountName":"1"}}"#), Err(Malformed::Payload));
        assert_eq!(document(r#"{"Session":{"accountName":"1"},"Payload":{}}"#), Err(Malformed::Payload));
        assert_eq!(document(r#"{"Session":{"accountName":"1"},"Payload":{"body":"{}"}}"#), Err(Malformed::Payload));
        assert_eq!(document(r#"{"Session":{"accountName":"1"},"Payload":{"body":{}}}"#), Err(Malformed::Payload));
    }

    #[test]
    fn tabs_and_further_fields_do_no_harm() {
        let document =
            "{\t\"Session\":{\"accountName\":\"1\"},\t\"Payload\":{\"body\":{\"transactionId\":1,\"amount\":2}}}";
        let expected = Ok(Line::CashOut(CashOut { account: "1".to_owned(), centavos: 2 }));
        assert_eq!(parse(&format!("t\tr\tl\t{document}")), expected);
        assert_eq!(parse(&format!("t\tr\tl\tanother\t{document}\n")), expected);
        assert_eq!(parse(&format!("\t\t\t{document}")), expected);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(line: String) {
            prop_assert!(parse(&line) != Ok(Line::Other) || line.contains("Session"));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let line = String::from_utf8_lossy(&bytes);
            prop_assert!(parse(&line).is_err());
            let with_prefix = format!("{PREFIX}{{{line}");
            prop_assert!(parse(&with_prefix).is_err());
        }

        #[test]
        fn a_damaged_line_never_panics(cut in 0usize..200, junk in "\\PC{0,8}") {
            let line = with_body(r#"{"transactionId":"t","amount":123456}"#);
            let at = cut.min(line.len());
            let damaged = format!("{}{junk}{}", &line[..at], &line[at..]);
            // Whatever was put in, the account is the watched one or the line says something else.
            if let Ok(Line::CashOut(found)) = parse(&damaged) {
                prop_assert!(!found.account.is_empty());
            }
        }

        #[test]
        fn every_well_formed_cash_out_is_read(account in "[0-9]{1,20}", centavos: i64, description: String) {
            let body = json!({"transactionId": "t", "amount": centavos, "description": description});
            let document = json!({"Session": {"accountName": account}, "Payload": {"body": body}});
            let found = parse(&format!("{PREFIX}{document}"));
            prop_assert_eq!(found, Ok(Line::CashOut(CashOut { account, centavos })));
        }
    }
}
