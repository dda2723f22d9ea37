//! `MOCK`: the gateway answers by itself, with the status that the request's template says.

use serde_json::Value;

use super::integration::Incoming;
use super::refusal::Refusal;
use super::{Answer, Exchange};
use crate::apigateway::state::Integration;
use crate::execute_api::scalar;

impl Exchange<'_> {
    pub(super) fn mock(&mut self, integration: &Integration) -> Result<Answer, Refusal> {
        let out = self.outgoing(integration)?;
        let text = String::from_utf8_lossy(&out.body).into_owned();
        let status = status(&text).ok_or_else(|| Refusal::configuration(500))?;
        let from = Incoming { selector: status, overrides: out.overrides, ..Incoming::default() };
        self.returned(integration, &from)
    }
}

/// `statusCode` of what the template made. API Gateway reads it leniently: names need no quotes.
fn status(text: &str) -> Option<String> {
    if let Ok(document) = serde_json::from_str::<Value>(text) {
        return document.get("statusCode").and_then(scalar);
    }
    let (_, rest) = text.split_once("statusCode")?;
    let rest = rest.trim_start_matches(['"', '\'']).trim_start().strip_prefix(':')?.trim_start();
    let digits: String = rest.trim_start_matches(['"', '\'']).chars().take_while(char::is_ascii_digit).collect();
    (digits.len() == 3).then_some(digits)
}
