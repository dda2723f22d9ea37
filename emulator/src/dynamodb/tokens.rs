//! Tokens of transactions: the same request again under its token is not done again.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html>

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Tables;
use super::capacity::{ByTable, Consumed, ConsumedCapacity, Kind};
use crate::cloud::Cx;
use crate::{Error, Result, Timestamp};

/// The same token means the same request for so long.
const LIFETIME: Duration = Duration::from_secs(600);

/// A transaction that was done.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Done {
    at: Timestamp,
    /// The hash of the request.
    request: String,
    consumed: Vec<(Arc<str>, f64)>,
}

/// A token with the hash of what it stands for.
pub(super) struct Token<'a> {
    token: &'a str,
    request: String,
}

impl<'a> Token<'a> {
    /// The token of a request that does these writes, if it has one.
    pub fn of(token: Option<&'a str>, writes: &impl Serialize) -> Result<Option<Self>> {
        let Some(token) = token else { return Ok(None) };
        let text = serde_json::to_vec(writes).map_err(Error::internal)?;
        Ok(Some(Self { token, request: hex::encode(Sha256::digest(text)) }))
    }

    /// Whether the request was done already, with the units that its repetition consumes: it reads what it wrote.
    pub fn repeated(&self, cx: &mut Cx<Tables>, asked: Option<&str>) -> Result<Option<Option<Vec<ConsumedCapacity>>>> {
        while let Some(oldest) = cx.state.token_order.front() {
            let over = cx.state.tokens.get(oldest).is_none_or(|done| done.at + LIFETIME <= cx.now);
            if !over {
                break;
            }
            if let Some(token) = cx.state.token_order.pop_front() {
                cx.state.tokens.remove(&token);
            }
        }
        let Some(done) = cx.state.tokens.get(self.token) else { return Ok(None) };
        if done.request != self.request {
            return Err(Error::client(
                "IdempotentParameterMismatchException",
                "The request uses the same client token as a previous, but non-identical request. Do not reuse a client \
                 token with different requests, unless the requests are identical",
            ));
        }
        let spent = done.consumed.iter();
        let shown: Vec<ConsumedCapacity> =
            spent.filter_map(|(name, units)| Consumed::of_table(*units).shown(asked, name, Kind::Read)).collect();
        Ok(Some((!shown.is_empty()).then_some(shown)))
    }

    /// Remembers that the request was done.
    pub fn remember(self, cx: &mut Cx<Tables>, consumed: &ByTable) {
        let done = Done { at: cx.now, request: self.request, consumed: consumed.totals() };
        cx.state.tokens.insert(self.token.to_owned(), done);
        cx.state.token_order.push_back(self.token.to_owned());
    }
}
