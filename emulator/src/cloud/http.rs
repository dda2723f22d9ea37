//! The door for HTTP requests: from bytes to a call, and from its reply to bytes.

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};

use super::front::Halt;
use super::reply::Reply;
use super::{Call, Caller, IamMode, Inner, InvocationRef, Scope};
use crate::Result;
use crate::iam::{credentials, principal};
use crate::sigv4::{self, Dialect, MAX_SKEW, Payload, Signed};
use crate::wire::{self, Detected, Protocol};

/// How a request came in.
pub(crate) struct Entry {
    /// The invocation whose code sent it.
    pub invocation: Option<InvocationRef>,
    /// The client's address.
    pub source_ip: Option<std::net::IpAddr>,
}

impl Inner {
    /// Answers a request: detect, authenticate, decode, validate, call, encode.
    pub(crate) async fn http(&self, request: Request<Bytes>, entry: &Entry) -> Result<Response<Bytes>, Halt> {
        let request_id = self.next_request_id();
        let (head, body) = request.into_parts();
        let detected = match wire::detect(&head, &body) {
            Ok(detected) => detected,
            Err(error) => {
                let (protocol, service) = wire::likely(&head, &body);
                let mut response = wire::encode_error(protocol, service, None, &error, &request_id);
                wire::dress(service, &head, &mut response);
                return Ok(response);
            }
        };
        let mut response = match self.answer(&detected, &head, &body, entry, &request_id).await {
            Ok(reply) => wire::encode(detected.protocol, detected.operation, &reply, &request_id),
            Err(Halt::Error(error)) => {
                let Detected { protocol, service, operation, .. } = detected;
                wire::encode_error(protocol, service, Some(operation), &error, &request_id)
            }
            Err(broken) => return Err(broken),
        };
        wire::dress(detected.service, &head, &mut response);
        Ok(response)
    }

    async fn answer(
        &self,
        detected: &Detected,
        head: &Parts,
        body: &Bytes,
        entry: &Entry,
        request_id: &str,
    ) -> Result<Reply, Halt> {
        let (mut caller, scope) = self.authenticate(detected, head, body)?;
        caller.invocation.clone_from(&entry.invocation);
        // A function that is a process of its own is known by the key that it was given.
        let process = caller.access_key.as_deref().and_then(|key| self.environments.caller(key));
        if let Some(activity) = &process {
            caller.invocation = activity.invocation().cloned();
        }
        caller.source_ip = entry.source_ip;
        let decoded = wire::decode(detected, head, body)?;
        if !decoded.unknown.is_empty() {
            tracing::debug!(operation = detected.operation.name, members = ?decoded.unknown, "members that the model does not have");
        }
        let call = Call {
            service: detected.service,
            operation: detected.operation.name.into(),
            caller,
            scope,
            input: decoded.input,
            body: decoded.body,
            host: head.headers.get(http::header::HOST).cloned(),
        };
        if let Err(invalid) = wire::validate(detected.operation, &call.input) {
            return Err(self.refuse(&call, invalid, request_id));
        }
        match process {
            Some(activity) => activity.requested(self.call(call, request_id)).await,
            None => self.call(call, request_id).await,
        }
    }

    /// Who signed the request, and for which account and region.
    fn authenticate(&self, detected: &Detected, head: &Parts, body: &Bytes) -> Result<(Caller, Scope)> {
        let dialect = dialect(detected);
        let Some(signed) = sigv4::parse(head, dialect)? else {
            let caller = match (self.iam, dialect) {
                (IamMode::Off | IamMode::Audit, _) => Caller::root(&self.scope.account),
                (IamMode::Enforce, Dialect::S3) => Caller::new(principal::Principal::Anonymous),
                (IamMode::Enforce, _) => return Err(dialect.missing_token()),
            };
            return Ok((caller, self.scope.clone()));
        };
        let (mut caller, secret) = self.identify(&signed, dialect)?;
        if let Some(secret) = secret {
            // Under virtual time, a client in a process of its own signs with the machine's time.
            let (now, real) = (self.clock.now(), crate::clock::real_now());
            let is_outside =
                !signed.presigned && signed.timestamp.since(real).max(real.since(signed.timestamp)) <= MAX_SKEW;
            let now = if is_outside { real } else { now };
            sigv4::verify(&signed, &secret, head, Payload::Body(body), now, dialect)?;
        }
        let account = caller.principal.account().unwrap_or(&self.scope.account).to_owned();
        caller.access_key = Some(signed.access_key);
        Ok((caller, Scope::new(account, signed.scope.region)))
    }

    /// Whose access key it is, with the secret if Garoa knows it. Keys that Garoa did not issue stand for the account's root user:
    /// twelve digits for that account, all others for the default one, unless permissions are enforced.
    fn identify(&self, signed: &Signed, dialect: Dialect) -> Result<(Caller, Option<String>)> {
        let key = &signed.access_key;
        if let Some(token) = &signed.token {
            match credentials::open(&self.server_key, key, token, self.clock.now(), dialect) {
                Ok(session) => {
                    let mut caller = Caller::new(session.principal);
                    caller.session_policies = session.session_policies;
                    return Ok((caller, Some(credentials::secret(&self.server_key, key))));
                }
                Err(error) if self.iam == IamMode::Enforce || key.starts_with("ASIA") => return Err(error),
                Err(_) => {}
            }
        }
        if let Some((principal, secret, active)) = self.directory().access_key(key) {
            return if active {
                Ok((Caller::new(principal), Some(secret)))
            } else {
                Err(dialect.unknown_access_key(key))
            };
        }
        if principal::is_account(key) {
            return Ok((Caller::root(key), None));
        }
        if self.iam == IamMode::Enforce {
            return Err(dialect.unknown_access_key(key));
        }
        Ok((Caller::root(&self.scope.account), None))
    }
}

fn dialect(detected: &Detected) -> Dialect {
    let protocol = match detected.protocol {
        Protocol::AwsJson10 | Protocol::AwsJson11 => "json",
        Protocol::Query => "query",
        Protocol::RestJson => "rest-json",
        Protocol::RestXml => "rest-xml",
        Protocol::RpcV2Cbor => "smithy-rpc-v2-cbor",
    };
    Dialect::of(detected.service, protocol)
}
