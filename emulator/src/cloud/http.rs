//! The door for HTTP requests: from bytes to a call, and from its reply to bytes.

use bytes::Bytes;
use http::{Request, Response};

use super::front::Halt;
use super::{Inner, InvocationRef};
use crate::Error;

/// How a request came in.
pub(crate) struct Entry {
    /// The invocation whose code sent it.
    pub invocation: Option<InvocationRef>,
    /// The client's address.
    pub source_ip: Option<std::net::IpAddr>,
}

impl Inner {
    /// Answers a request.
    pub(crate) async fn http(&self, _request: Request<Bytes>, _entry: &Entry) -> Result<Response<Bytes>, Halt> {
        Err(Halt::Error(Error::not_implemented("wire")))
    }
}
