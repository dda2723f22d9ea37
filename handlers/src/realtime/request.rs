//! What a client asks for: an event of the WebSocket API as data.

use serde_json::{Value, json};

use super::error::Error;

/// The longest text that is passed on, in characters: with everything around it, it fits into one frame of 32 KiB even where each
/// character takes four bytes.
pub const MAX_TEXT: usize = 8000;

/// Where an event comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The connection.
    pub connection_id: String,
    /// The request, unique for each event.
    pub request_id: String,
    /// The base address of the management API: `https://{domainName}/{stage}`.
    pub endpoint: String,
    /// What the authorizer knows of the client, if there is one.
    pub principal: Option<String>,
}

impl Origin {
    /// Reads the request context.
    ///
    /// # Errors
    /// A member that every event of a WebSocket API has is missing.
    pub fn read(event: &Value) -> Result<Self, Error> {
        let context = &event["requestContext"];
        let text = |name: &'static str| context[name].as_str().map(str::to_owned).ok_or(Error::Event(name));
        Ok(Self {
            connection_id: text("connectionId")?,
            request_id: text("requestId")?,
            endpoint: format!("https://{}/{}", text("domainName")?, text("stage")?),
            principal: context["authorizer"]["principalId"].as_str().map(str::to_owned),
        })
    }
}

/// What a message asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// `{"action":"sendMessage","message":"…","to":"…"}`: without `to`, to the sender itself.
    Send {
        /// The receiver.
        to: Option<String>,
        /// The text.
        text: String,
    },
    /// `{"action":"broadcast","message":"…"}`: to everybody.
    Broadcast(String),
    /// Anything else; the text says what is wrong with it.
    Unclear(&'static str),
}

impl Wish {
    /// Reads a message's body.
    pub fn read(body: &str) -> Self {
        let Ok(body) = serde_json::from_str::<Value>(body) else {
            return Self::Unclear("A mensagem não é um JSON válido.");
        };
        let action = body["action"].as_str();
        if !matches!(action, Some("sendMessage" | "broadcast")) {
            return Self::Unclear("Ação desconhecida. Use sendMessage ou broadcast.");
        }
        let Some(text) = body["message"].as_str().filter(|text| !text.trim().is_empty()) else {
            return Self::Unclear("O campo message é obrigatório e deve ser um texto.");
        };
        if text.chars().count() > MAX_TEXT {
            return Self::Unclear("A mensagem é longa demais.");
        }
        match (action, &body["to"]) {
            (Some("broadcast"), _) => Self::Broadcast(text.to_owned()),
            (_, Value::Null) => Self::Send { to: None, text: text.to_owned() },
            (_, Value::String(to)) if !to.is_empty() => Self::Send { to: Some(to.clone()), text: text.to_owned() },
            _ => Self::Unclear("O campo to deve ser o identificador de uma conexão."),
        }
    }

    /// Its name in the audit table.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Send { .. } => "sendMessage",
            Self::Broadcast(_) => "broadcast",
            Self::Unclear(_) => "unknown",
        }
    }
}

/// What clients are sent: `{"action":"sendFeedback","status":"…","message":"…"}`.
pub fn feedback(status: &str, message: &str) -> String {
    json!({ "action": "sendFeedback", "status": status, "message": message }).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wishes_are_read() {
        let send = |to: Option<&str>| Wish::Send { to: to.map(str::to_owned), text: "oi".to_owned() };
        assert_eq!(Wish::read(r#"{"action":"sendMessage","message":"oi"}"#), send(None));
        assert_eq!(Wish::read(r#"{"action":"sendMessage","message":"oi","to":"x"}"#), send(Some("x")));
        assert_eq!(Wish::read(r#"{"action":"broadcast","message":"oi"}"#), Wish::Broadcast("oi".to_owned()));
        for body in [
            "oi",
            "{}",
            r#"{"action":"other"}"#,
            r#"{"action":"broadcast"}"#,
            r#"{"action":"broadcast","message":" "}"#,
            r#"{"action":"broadcast","message":1}"#,
            r#"{"action":"sendMessage","message":"oi","to":""}"#,
            &format!(r#"{{"action":"broadcast","message":"{}"}}"#, "x".repeat(MAX_TEXT + 1)),
        ] {
            assert!(matches!(Wish::read(body), Wish::Unclear(_)), "{body}");
        }
    }

    #[test]
    fn an_origin_names_the_endpoint() {
        let context = json!({
            "connectionId": "c=", "requestId": "r", "domainName": "abc.execute-api.sa-east-1.amazonaws.com", "stage": "prod",
        });
        let origin = Origin::read(&json!({ "requestContext": context })).unwrap();
        assert_eq!(origin.endpoint, "https://abc.execute-api.sa-east-1.amazonaws.com/prod");
        assert_eq!(Origin::read(&json!({})).unwrap_err(), Error::Event("connectionId"));
    }

    proptest! {
        #[test]
        fn any_body_is_read_and_what_is_sent_fits_a_frame(body in ".*", text in ".{1,200}") {
            let _ = Wish::read(&body);
            let sent = json!({ "action": "broadcast", "message": text }).to_string();
            if let Wish::Broadcast(text) = Wish::read(&sent) {
                let feedback: Value = serde_json::from_str(&feedback("success", &text)).unwrap();
                prop_assert_eq!(feedback["message"].as_str(), Some(&*text));
            }
        }
    }
}
