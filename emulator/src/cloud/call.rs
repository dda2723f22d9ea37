//! One request as data: who asks which operation of which service, where, and with what.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Timestamp;
use crate::iam::Principal;

/// Where state lives: an account and a region of the `aws` partition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// The account: twelve digits.
    pub account: Arc<str>,
    /// The region, such as `us-east-1`.
    pub region: Arc<str>,
}

impl Scope {
    /// The scope of an account in a region.
    pub fn new(account: impl Into<Arc<str>>, region: impl Into<Arc<str>>) -> Self {
        Self { account: account.into(), region: region.into() }
    }

    /// `arn:aws:{service}:{region}:{account}:{rest}`.
    pub fn arn(&self, service: &str, rest: impl std::fmt::Display) -> String {
        format!("arn:aws:{service}:{}:{}:{rest}", self.region, self.account)
    }
}

impl Scope {
    /// The account and the region that an ARN names; empty where it names none.
    pub(crate) fn of_arn(arn: &str) -> Self {
        let mut parts = arn.split(':').skip(3);
        let (region, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        Self::new(account, region)
    }
}

/// What conditions read of a session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SessionFacts {
    /// `aws:PrincipalTag/…`.
    pub tags: BTreeMap<String, String>,
    /// The keys of the tags that further sessions inherit, in lower case.
    pub transitive: Vec<String>,
    /// `aws:SourceIdentity`.
    pub source_identity: Option<String>,
    /// `aws:TokenIssueTime`.
    pub issued: Timestamp,
    /// Since when `aws:MultiFactorAuthPresent`.
    #[serde(default)]
    pub mfa: Option<Timestamp>,
}

/// Who makes a call, and from where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Caller {
    /// The identity that policies are evaluated for.
    pub principal: Principal,
    /// The key that signed, where one did.
    pub access_key: Option<String>,
    /// Policies that narrow an assumed role's session, as JSON texts.
    pub session_policies: Vec<String>,
    /// What a session of temporary credentials carries besides: its tags, and who began it.
    #[serde(default)]
    pub session: Option<Arc<SessionFacts>>,
    /// The resource on whose behalf a service calls: the condition key `aws:SourceArn`.
    pub source_arn: Option<String>,
    /// The account of that resource where its ARN does not tell it: the condition key `aws:SourceAccount`.
    #[serde(default)]
    pub source_account: Option<String>,
    /// The client's address: the condition key `aws:SourceIp`.
    pub source_ip: Option<std::net::IpAddr>,
    /// What the client's request says of the page that it comes from, and of itself: the condition keys `aws:Referer` and
    /// `aws:UserAgent`. Not read where permissions are off.
    #[serde(default)]
    pub referer: Option<String>,
    /// See `referer`.
    #[serde(default)]
    pub user_agent: Option<String>,
    /// The client's header `X-Amzn-Trace-Id`, which messages carry on.
    #[serde(default)]
    pub trace: Option<String>,
    /// Whether the client said no region: without a signature, or by one of version 2.
    #[serde(default)]
    pub(crate) placeless: bool,
    /// The service, such as `s3`, that passes on what its caller asked for: the condition keys `aws:ViaAWSService` and
    /// `kms:ViaService`. <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html>
    #[serde(default)]
    pub via: Option<Arc<str>>,
    /// The invocation whose code makes the call.
    pub invocation: Option<InvocationRef>,
    /// Whether faults pass this caller by: a scenario's own lines arrange and look, and are no part of what is tested.
    pub(crate) spared: bool,
}

impl Caller {
    /// A caller of which nothing but the identity is known.
    pub fn new(principal: Principal) -> Self {
        Self {
            principal,
            access_key: None,
            session_policies: Vec::new(),
            session: None,
            source_arn: None,
            source_account: None,
            source_ip: None,
            referer: None,
            user_agent: None,
            trace: None,
            placeless: false,
            via: None,
            invocation: None,
            spared: false,
        }
    }

    /// The account's root user, who may do everything in it.
    pub fn root(account: &str) -> Self {
        Self::new(Principal::AccountRoot { account: account.into() })
    }

    /// The same, for calls of a job: they are no invocation's, and faults may strike them.
    pub(crate) fn for_job(&self) -> Self {
        Self { invocation: None, spared: false, ..self.clone() }
    }

    /// The same caller, whose request a service passes on. What is called next sees that service's address.
    pub(crate) fn through(&self, service: &str) -> Self {
        Self { via: Some(service.into()), source_ip: None, placeless: false, ..self.clone() }
    }

    /// An AWS service acting on its own, such as `lambda.amazonaws.com`.
    pub fn service(name: &str) -> Self {
        Self::new(Principal::Service(name.into()))
    }
}

/// An invocation of a function, as traces and crash points name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct InvocationRef {
    /// The function's name.
    pub function: Arc<str>,
    /// The how-manieth attempt at running it this is, counted from 1 over the whole run.
    pub number: u32,
}

/// One call of one operation. Whatever reaches a service has this form.
#[derive(Clone, Debug)]
pub struct Call {
    /// Garoa's name of the service, which is also its prefix in IAM actions in most cases: `s3`, `logs`.
    pub service: &'static str,
    /// The operation as AWS's model names it: `PutObject`.
    pub operation: Arc<str>,
    /// Who calls.
    pub caller: Caller,
    /// Where.
    pub scope: Scope,
    /// The input shape's members as plain values.
    pub input: Value,
    /// The member that is bound to the HTTP payload, where that is a blob.
    pub body: Bytes,
    /// The host that an HTTP client called: what is answered with URLs in it names the same.
    pub host: Option<HeaderValue>,
    /// Whether the answer becomes XML that nobody looks at on its way: see [`super::Cx::writes`].
    pub(crate) writes: bool,
}

impl Call {
    /// A call with an input and no payload.
    pub fn new(
        service: &'static str,
        operation: impl Into<Arc<str>>,
        caller: Caller,
        scope: Scope,
        input: Value,
    ) -> Self {
        Self {
            service,
            operation: operation.into(),
            caller,
            scope,
            input,
            body: Bytes::new(),
            host: None,
            writes: false,
        }
    }

    /// The same call with a payload.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }
}
