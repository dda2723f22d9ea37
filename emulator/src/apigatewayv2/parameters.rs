//! What events say of a request: headers, query strings, bodies, times.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use serde_json::{Map, Value};

pub(super) use crate::execute_api::scalar;
use crate::execute_api::text;

/// Names with values, in order, names possibly more than once.
pub(super) type Pairs = Vec<(String, String)>;

/// The headers with their usual capitals: HTTP/1.1 servers here do not keep the client's.
pub(crate) fn headers(headers: &HeaderMap) -> Pairs {
    headers.iter().map(|(name, value)| (capitals(name.as_str()), text(value.as_bytes()).into_owned())).collect()
}

fn capitals(name: &str) -> String {
    let word = |word: &str| match word {
        "websocket" => "WebSocket".to_owned(),
        _ => {
            let mut letters = word.chars();
            letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
        }
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

/// The parameters of a query string, decoded.
pub(super) fn query(query: &str) -> Pairs {
    crate::wire::query::pairs(query).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// Each name with its last value.
pub(super) fn last(pairs: &Pairs) -> Value {
    Value::Object(pairs.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect())
}

/// Each name with all its values.
pub(super) fn all(pairs: &Pairs) -> Value {
    let mut all = Map::new();
    for (name, value) in pairs {
        if let Value::Array(values) = all.entry(name.clone()).or_insert_with(|| Value::Array(Vec::new())) {
            values.push(value.clone().into());
        }
    }
    Value::Object(all)
}

/// A body as text; base64, and that it is, if it is no text.
pub(super) fn text_or_base64(body: &[u8]) -> (String, bool) {
    match std::str::from_utf8(body) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (STANDARD.encode(body), true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_have_their_usual_capitals() {
        for (name, usual) in [
            ("sec-websocket-key", "Sec-WebSocket-Key"),
            ("host", "Host"),
            ("x-amzn-trace-id", "X-Amzn-Trace-Id"),
            ("a--b", "A--B"),
        ] {
            assert_eq!(capitals(name), usual);
        }
    }

    #[test]
    fn the_last_of_several_values_stands_alone() {
        let pairs = query("a=1&b=x%20y&a=2");
        assert_eq!(last(&pairs), serde_json::json!({ "a": "2", "b": "x y" }));
        assert_eq!(all(&pairs), serde_json::json!({ "a": ["1", "2"], "b": ["x y"] }));
    }
}
