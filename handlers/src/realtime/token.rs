//! Who may connect: tokens in the query string, because browsers cannot set headers on a WebSocket.

use std::fmt;
use std::str::FromStr;

use serde_json::{Value, json};

/// The shortest token that is taken for a secret, in bytes.
pub const MIN_TOKEN: usize = 8;
/// The parameter of the query string that holds the token.
pub const PARAMETER: &str = "authorization";

/// The tokens and whose they are. `Debug` does not show them.
#[derive(Clone)]
pub struct Tokens(Vec<(String, String)>);

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl FromStr for Tokens {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let mut tokens = Vec::new();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let (name, token) = entry.split_once('=').ok_or("an entry is not of the form name=token")?;
            if name.is_empty() {
                return Err("an entry has no name");
            }
            if token.len() < MIN_TOKEN {
                return Err("a token is too short to be a secret");
            }
            tokens.push((name.to_owned(), token.to_owned()));
        }
        if tokens.is_empty() { Err("holds no token") } else { Ok(Self(tokens)) }
    }
}

impl Tokens {
    /// Whose token it is. Every token is compared, and each in full: how long it takes tells nothing.
    pub fn owner(&self, token: &str) -> Option<&str> {
        let mut owner = None;
        for (name, known) in &self.0 {
            if same(known.as_bytes(), token.as_bytes()) {
                owner = Some(name.as_str());
            }
        }
        owner
    }

    /// The answer to a REQUEST authorizer's event: a policy for the route that is asked for, and no other.
    pub fn answer(&self, event: &Value) -> Value {
        let token = event["queryStringParameters"][PARAMETER].as_str().unwrap_or_default();
        let owner = self.owner(token);
        let effect = if owner.is_some() { "Allow" } else { "Deny" };
        let statement = json!({ "Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"] });
        json!({
            "principalId": owner.unwrap_or("unknown"),
            "policyDocument": { "Version": "2012-10-17", "Statement": [statement] },
        })
    }
}

/// Compares without an early end.
fn same(known: &[u8], given: &[u8]) -> bool {
    let differences = known.iter().zip(given).fold(0, |all, (a, b)| all | (a ^ b));
    known.len() == given.len() && std::hint::black_box(differences) == 0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_opens_one_route() {
        let tokens: Tokens = "alice=alice-token, bob=bob-token-1".parse().unwrap();
        let event = |token: &str| json!({ "methodArn": "arn:aws:execute-api:r:a:i/prod/$connect", "queryStringParameters": { PARAMETER: token } });
        let answer = tokens.answer(&event("bob-token-1"));
        assert_eq!(answer["principalId"], "bob");
        let statement = &answer["policyDocument"]["Statement"][0];
        assert_eq!((&statement["Effect"], &statement["Resource"]), (&json!("Allow"), &event("")["methodArn"]));
        for token in ["", "bob", "bob-token-12", "alice-token "] {
            assert_eq!(tokens.answer(&event(token))["policyDocument"]["Statement"][0]["Effect"], "Deny", "{token}");
        }
        assert_eq!(tokens.answer(&json!({}))["policyDocument"]["Statement"][0]["Effect"], "Deny");
        assert!(!format!("{tokens:?}").contains("token"));
    }

    #[test]
    fn what_is_no_list_of_tokens_is_refused() {
        for text in ["", ",", "alice", "alice=short", "=12345678"] {
            assert!(text.parse::<Tokens>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn only_the_same_token_is_the_same(a in ".{0,20}", b in ".{0,20}") {
            prop_assert_eq!(same(a.as_bytes(), b.as_bytes()), a == b);
        }
    }
}
