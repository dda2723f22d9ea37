//! The Slack message: Block Kit, in Portuguese, because the people who read it are.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::select::Selection;
use super::window::Window;

/// The header, and the beginning of the text that notifications show.
pub const TITLE: &str = "Relatório de Eventos Pix CashOut";

/// How many characters the list of accounts may have. A section's text holds 3,000 (Block Kit, section block).
const MAX_ACCOUNTS_TEXT: usize = 2_500;

/// The message about the new cash-outs of a selection.
pub fn build(selection: &Selection<'_>, window: Window) -> Value {
    let count = selection.new_cash_outs().len();
    let sum = selection.sum();
    let last = selection.greatest().map_or("", |id| id.as_str());
    let section = format!(
        "*Contas:* {}\n*Quantidade de eventos:* {count}\n*Valor total:* {sum} ({} centavos)",
        accounts(selection),
        sum.0
    );
    let context =
        format!("Período: {} a {} (UTC) · Último evento: {}", time(window.start), time(window.end), shown(last));
    json!({
        "text": format!("{TITLE}: {count} · {sum}"),
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": TITLE, "emoji": true}},
            {"type": "section", "text": {"type": "mrkdwn", "text": section}},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": context}]},
        ],
    })
}

/// The accounts with new cash-outs, as many as fit, and how many more there are.
fn accounts(selection: &Selection<'_>) -> String {
    let accounts = selection.accounts();
    let mut text = String::new();
    for (listed, account) in accounts.iter().enumerate() {
        let account = escape(account);
        if text.chars().count() + account.chars().count() > MAX_ACCOUNTS_TEXT {
            return format!("{text} e mais {}", accounts.len() - listed);
        }
        if listed > 0 {
            text.push_str(", ");
        }
        text.push_str(&account);
    }
    text
}

/// An id short enough for a context element, whose text holds 2,000 characters. Real ids have 56.
fn shown(id: &str) -> &str {
    const MAX_ID: usize = 1_000;
    id.get(..MAX_ID).unwrap_or(id)
}

/// Slack's three control characters, as "Formatting text for app surfaces" asks: an account name cannot then mention a
/// channel or hide behind a link.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Epoch milliseconds as `22/11/2026 03:15:00`. What jiff cannot express (beyond the year 9999) is shown as the number.
fn time(millis: i64) -> String {
    Timestamp::from_millisecond(millis)
        .map_or_else(|_| millis.to_string(), |time| time.strftime("%d/%m/%Y %H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::select::{LogEvent, select};
    use super::super::testing::{cash_out_line, watched};
    use super::*;

    const WINDOW: Window = Window { start: 1_795_317_300_000, end: 1_795_317_600_000 };

    fn message(cash_outs: &[(&str, i64)]) -> Value {
        let accounts: Vec<&str> = cash_outs.iter().map(|(account, _)| *account).collect();
        let events: Vec<(String, String)> = cash_outs
            .iter()
            .enumerate()
            .map(|(position, (account, centavos))| (position.to_string(), cash_out_line(account, *centavos)))
            .collect();
        let watched = watched(&accounts);
        let events = events.iter().map(|(id, message)| LogEvent { group: 0, id, message });
        build(&select(events, None, &watched), WINDOW)
    }

    #[test]
    fn the_whole_message() {
        let expected = json!({
            "text": "Relatório de Eventos Pix CashOut: 3 · R$ 1.234,56",
            "blocks": [
                {"type": "header", "text":
                    {"type": "plain_text", "text": "Relatório de Eventos Pix CashOut", "emoji": true}},
                {"type": "section", "text": {"type": "mrkdwn", "text":
                    "*Contas:* 1, 2\n*Quantidade de eventos:* 3\n*Valor total:* R$ 1.234,56 (123456 centavos)"}},
                {"type": "context", "elements": [{"type": "mrkdwn", "text":
                    "Período: 22/11/2026 03:15:00 a 22/11/2026 03:20:00 (UTC) · Último evento: 2"}]},
            ],
        });
        assert_eq!(message(&[("2", 100_000), ("1", 23_457), ("2", -1)]), expected);
    }

    #[test]
    fn account_names_are_only_text() {
        let text = message(&[("<!channel>&", 1)]).to_string();
        assert!(text.contains("&lt;!channel&gt;&amp;") && !text.contains("<!channel>"));
    }

    #[test]
    fn many_accounts_keep_within_slacks_limit() {
        let names: Vec<String> = (0..1_000).map(|number| format!("23463567{number:06}")).collect();
        let cash_outs: Vec<(&str, i64)> = names.iter().map(|name| (name.as_str(), i64::MAX)).collect();
        let message = message(&cash_outs);
        let text = message["blocks"][1]["text"]["text"].as_str().unwrap();
        assert!(text.chars().count() <= 3_000);
        let listed = text.matches("23463567").count();
        assert!(text.contains(&format!(" e mais {}\n", 1_000 - listed)), "{text}");
    }
}
