//! The door for HTTP requests: from bytes to a call, and from its reply to bytes.

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use serde_json::Value;

use super::front::Halt;
use super::reply::Reply;
use super::{Call, Caller, Cloud, IamMode, Inner, InvocationRef, Scope, SessionFacts};
use crate::cloudformation;
use crate::execute_api::{self, Incoming};
use crate::iam::{credentials, principal};
use crate::lambda;
use crate::s3::web;
use crate::sigv4::{self, Dialect, MAX_SKEW, Payload};
use crate::sns;
use crate::wire::straight::Unread;
use crate::wire::{self, Detected, Protocol};
use crate::{Error, Result};

/// How a request came in.
pub(crate) struct Entry {
    /// The invocation whose code sent it.
    pub invocation: Option<InvocationRef>,
    /// The client's address.
    pub source_ip: Option<std::net::IpAddr>,
}

impl Cloud {
    /// Sends the cloud an HTTP request, as a client over the network does: to a service, or to an API by its host name
    /// (`{api}.execute-api.us-east-1.amazonaws.com`).
    ///
    /// # Errors
    /// A broken connection (an injected fault) is `InternalFailure`; whatever the service answers is a response.
    pub async fn http(&self, request: Request<Bytes>) -> Result<Response<Bytes>> {
        let entry = Entry { invocation: None, source_ip: None };
        self.0.http(request, &entry).await.map_err(Halt::into_error)
    }
}

/// A request on its way in.
pub(crate) struct Arrived<'a> {
    pub head: &'a Parts,
    pub body: &'a Bytes,
    pub entry: &'a Entry,
    pub request_id: &'a str,
}

impl Entry {
    /// The client's address, as APIs tell it.
    pub fn client(&self) -> String {
        self.source_ip.map_or_else(|| "127.0.0.1".to_owned(), |ip| ip.to_string())
    }
}

/// A request that was received.
struct Received<'a> {
    /// As its sender signed it.
    signed: &'a Parts,
    /// As it is read.
    read: &'a Parts,
    body: &'a Bytes,
    entry: &'a Entry,
    /// Members of the input that the address tells.
    about: &'a [(&'a str, String)],
    /// Who sends it, where that is told by another way than a signature.
    sender: Option<(Caller, Scope)>,
}

impl Inner {
    /// Answers a request: detect, authenticate, decode, validate, call, encode.
    pub(crate) async fn http(&self, request: Request<Bytes>, entry: &Entry) -> Result<Response<Bytes>, Halt> {
        let request_id = self.next_request_id();
        let (head, body) = request.into_parts();
        if head.uri.path() == sns::CERTIFICATE_PATH {
            return Ok(sns::certificate());
        }
        if let Some(address) = execute_api::address(self, &head) {
            let incoming = Incoming { address, head: &head, body: &body, entry, request_id: &request_id };
            return Box::pin(execute_api::answer(self, incoming)).await;
        }
        let arrived = Arrived { head: &head, body: &body, entry, request_id: &request_id };
        if let Some(address) = lambda::url_address(&head) {
            return Box::pin(lambda::answer_url(self, &address, &arrived)).await;
        }
        if let Some(answer) = cloudformation::answer_response(self, &head, &body) {
            return Ok(answer);
        }
        if let Some(answer) = web::answer(self, &arrived).await {
            return answer;
        }
        self.dispatch(&head, &body, entry, &request_id, None).await
    }

    /// Answers a form of S3, which is the PutObject `request`. Who sends it, its policy told.
    pub(crate) async fn form(
        &self,
        request: Request<Bytes>,
        entry: &Entry,
        request_id: &str,
        sender: (Caller, Scope),
    ) -> Result<Response<Bytes>, Halt> {
        let (head, body) = request.into_parts();
        let detected = match wire::detect(&head, &body) {
            Ok(detected) => detected,
            Err(error) => return Ok(wire::encode_error(Protocol::RestXml, "s3", None, &error, request_id)),
        };
        let about = [(crate::s3::POSTED, "true".to_owned())];
        let received = Received { signed: &head, read: &head, body: &body, entry, about: &about, sender: Some(sender) };
        self.respond(&detected, &received, request_id).await
    }

    /// Answers a request that a service sends on somebody's behalf: who that is, it says, and not a signature.
    pub(crate) async fn http_as(
        &self,
        request: Request<Bytes>,
        caller: Caller,
        scope: Scope,
    ) -> Result<Response<Bytes>, Halt> {
        let request_id = self.next_request_id();
        let (head, body) = request.into_parts();
        let entry = Entry { invocation: None, source_ip: None };
        self.dispatch(&head, &body, &entry, &request_id, Some((caller, scope))).await
    }

    async fn dispatch(
        &self,
        head: &Parts,
        body: &Bytes,
        entry: &Entry,
        request_id: &str,
        sender: Option<(Caller, Scope)>,
    ) -> Result<Response<Bytes>, Halt> {
        let detected = match wire::detect(head, body) {
            Ok(detected) => detected,
            Err(error) => {
                let (protocol, service) = wire::likely(head, body);
                let mut response = wire::encode_error(protocol, service, None, &error, request_id);
                wire::dress(service, head, &mut response);
                return Ok(response);
            }
        };
        let received = Received { signed: head, read: head, body, entry, about: &[], sender };
        self.respond(&detected, &received, request_id).await
    }

    /// Answers a request to the management API of a WebSocket API. Its path stands below the API's stage; what the rest of the
    /// address says comes as members of the input.
    pub(crate) async fn manage(
        &self,
        incoming: &Incoming<'_>,
        path: &str,
        about: &[(&str, String)],
    ) -> Result<Response<Bytes>, Halt> {
        const API: &str = "apigatewaymanagementapi";
        let mut read = incoming.head.clone();
        let request_id = incoming.request_id;
        let below = path.replacen("/%40connections/", "/@connections/", 1);
        let detected = match below.parse() {
            Ok(uri) => {
                read.uri = uri;
                wire::detect_of(API, &read)
            }
            Err(_) => Err(Error::client("BadRequestException", "The path cannot be read")),
        };
        let detected = match detected {
            Ok(detected) => detected,
            Err(error) => return Ok(wire::encode_error(Protocol::RestJson, API, None, &error, request_id)),
        };
        let Incoming { head, body, entry, .. } = incoming;
        let received = Received { signed: head, read: &read, body, entry, about, sender: None };
        self.respond(&detected, &received, request_id).await
    }

    async fn respond(
        &self,
        detected: &Detected,
        received: &Received<'_>,
        request_id: &str,
    ) -> Result<Response<Bytes>, Halt> {
        let mut response = match self.answer(detected, received, request_id).await {
            Ok(reply) => wire::encode(detected.protocol, detected.operation, &reply, request_id),
            Err(Halt::Error(error)) => {
                let Detected { protocol, service, operation, .. } = detected;
                wire::encode_error(*protocol, service, Some(operation), &error, request_id)
            }
            Err(broken) => return Err(broken),
        };
        wire::dress(detected.service, received.signed, &mut response);
        if detected.service == "s3" {
            let bucket = detected.labels.iter().find(|(name, _)| *name == "Bucket").map(|(_, bucket)| bucket.as_str());
            web::dress(self, received.signed, bucket, &mut response);
        }
        Ok(response)
    }

    async fn answer(&self, detected: &Detected, received: &Received<'_>, request_id: &str) -> Result<Reply, Halt> {
        let Received { entry, body, .. } = received;
        let (mut caller, scope) = match &received.sender {
            Some(sender) => sender.clone(),
            None => self.authenticate(detected, received.signed, body)?,
        };
        caller.invocation.clone_from(&entry.invocation);
        // A function that is a process of its own is known by the key that it was given.
        let process = caller.access_key.as_deref().and_then(|key| self.environments.caller(key));
        if let Some(activity) = &process {
            caller.invocation = activity.invocation().cloned();
        }
        caller.source_ip = entry.source_ip;
        let trace = received.signed.headers.get(&wire::headers::AMZN_TRACE_ID);
        caller.trace = trace.and_then(|trace| trace.to_str().ok()).map(str::to_owned);
        if self.iam != IamMode::Off {
            let text = |name: http::HeaderName| {
                let value = received.signed.headers.get(name)?;
                value.to_str().ok().map(str::to_owned)
            };
            caller.referer = text(http::header::REFERER);
            caller.user_agent = text(http::header::USER_AGENT);
        }
        let mut call = Call::new(detected.service, detected.operation.name, caller, scope, Value::Null);
        call.host = received.signed.headers.get(http::header::HOST).cloned();
        call.writes = detected.protocol == Protocol::RestXml;
        if process.is_none() && received.about.is_empty() {
            call.body = Bytes::clone(body);
            let unread = Unread { detected, head: received.read, body };
            if let Some(step) = self.straight(&call, &unread) {
                return self.admit(&call, step, false, request_id).await;
            }
        }
        let mut decoded = wire::decode(detected, received.read, body)?;
        for (member, value) in received.about {
            decoded.input[*member] = value.clone().into();
        }
        if !decoded.unknown.is_empty() {
            tracing::debug!(operation = detected.operation.name, members = ?decoded.unknown, "members that the model does not have");
        }
        (call.input, call.body) = (decoded.input, decoded.body);
        if let Err(invalid) = wire::validate(detected.operation, &call.input) {
            return Err(self.refuse(&call, invalid, request_id));
        }
        match process {
            Some(activity) => Box::pin(activity.requested(self.call(call, request_id))).await,
            None => self.call(call, request_id).await,
        }
    }

    /// Who signed the request, and for which account and region.
    fn authenticate(&self, detected: &Detected, head: &Parts, body: &Bytes) -> Result<(Caller, Scope)> {
        let dialect = dialect(detected);
        if let Some(signer) = self.signer(head, body, dialect)? {
            return Ok(signer);
        }
        let is_link = detected.service == "sns" && wire::LINKS.contains(&detected.operation.name);
        let is_vouched_for = detected.service == "sts" && crate::sts::UNSIGNED.contains(&detected.operation.name);
        if is_link || is_vouched_for {
            // Whoever follows a link in a message is nobody, and may; and an identity provider's word needs no signature.
            return Ok((Caller::new(principal::Principal::Anonymous), self.scope.clone()));
        }
        let mut caller = match (self.iam, dialect) {
            (IamMode::Off | IamMode::Audit, _) => Caller::root(&self.scope.account),
            (IamMode::Enforce, Dialect::S3) => Caller::new(principal::Principal::Anonymous),
            (IamMode::Enforce, _) => return Err(dialect.missing_token()),
        };
        caller.placeless = true;
        Ok((caller, self.scope.clone()))
    }

    /// The same for a request that may be without a signature.
    pub(crate) fn signer(&self, head: &Parts, body: &Bytes, dialect: Dialect) -> Result<Option<(Caller, Scope)>> {
        let Some(signed) = sigv4::parse(head, dialect)? else { return self.signer_of_version_two(head, dialect) };
        let (mut caller, secret) = self.identify(&signed.access_key, signed.token.as_deref(), dialect)?;
        if let Some(secret) = secret {
            // Under virtual time, a client in a process of its own signs with the machine's time.
            let (now, real) = (self.clock.now(), crate::clock::real_now());
            let is_outside =
                !signed.presigned && signed.timestamp.since(real).max(real.since(signed.timestamp)) <= MAX_SKEW;
            let now = if is_outside { real } else { now };
            sigv4::verify(&signed, &secret, head, Payload::Body(body), now, dialect)?;
        } else {
            sigv4::check_unverified(&signed, head, self.clock.now(), dialect)?;
        }
        let account = caller.principal.account().unwrap_or(&self.scope.account).to_owned();
        caller.access_key = Some(signed.access_key.into_owned());
        // Clients that were given no region sign for one without a name.
        let region = Some(&*signed.scope.region).filter(|region| !region.is_empty()).unwrap_or(&self.scope.region);
        Ok(Some((caller, Scope::new(account, region))))
    }

    /// Whose access key signed the policy of a form.
    pub(crate) fn identify_poster(&self, key: &str, token: Option<&str>) -> Result<(Caller, Option<String>)> {
        let (mut caller, secret) = self.identify(key, token, Dialect::S3)?;
        caller.access_key = Some(key.to_owned());
        Ok((caller, secret))
    }

    /// Whose access key it is, with the secret if Garoa knows it. Keys that Garoa did not issue stand for the account's root user:
    /// twelve digits for that account, all others for the default one, unless permissions are enforced.
    fn identify(&self, key: &str, token: Option<&str>, dialect: Dialect) -> Result<(Caller, Option<String>)> {
        if let Some(token) = token {
            match credentials::open(&self.server_key, key, token, self.clock.now(), dialect) {
                Ok(session) => {
                    let mut caller = Caller::new(session.principal);
                    caller.session_policies = session.session_policies;
                    caller.session = Some(Arc::new(SessionFacts {
                        tags: session.tags,
                        transitive: session.transitive,
                        source_identity: session.source_identity,
                        issued: session.issued,
                        mfa: session.mfa,
                    }));
                    return Ok((caller, Some(credentials::secret(&self.server_key, key))));
                }
                Err(error) if self.iam == IamMode::Enforce || key.starts_with("ASIA") => return Err(error),
                Err(_) => {}
            }
        }
        // IAM issues no such key.
        if principal::is_account(key) {
            return Ok((Caller::root(key), None));
        }
        if let Some((principal, secret, active)) = self.directory().access_key(key) {
            return if active {
                Ok((Caller::new(principal), Some(secret)))
            } else {
                Err(dialect.unknown_access_key(key))
            };
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
        Protocol::Query | Protocol::QueryJson => "query",
        Protocol::Ec2 => "ec2",
        Protocol::RestJson => "rest-json",
        Protocol::RestXml => "rest-xml",
        Protocol::RpcV2Cbor => "smithy-rpc-v2-cbor",
    };
    Dialect::of(detected.service, protocol)
}
