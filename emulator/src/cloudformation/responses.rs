//! Presigned URLs at which CloudFormation awaits what others tell it: custom resources their outcome, wait conditions signals.
//!
//! ```text
//! types/ ─ open ─▶ state: awaited ─▶ URL ─▶ somebody's code ─ PUT ─▶ answer ─ event "Told" ─▶ state ─ signal ─▶ types/
//! ```
//! At AWS these are addresses in buckets of CloudFormation's own. Here nothing is stored but what is awaited, in no bucket.

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Response, StatusCode};
use imbl::Vector;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::state::Stacks;
use super::types::Door;
use crate::clock::Hold;
use crate::cloud::{Cx, Inner, Scope};
use crate::iam::credentials;
use crate::wire::host;
use crate::{Error, Result, Timestamp};

/// The events of this file.
pub(super) const AWAIT: &str = "Await";
pub(super) const FORGET: &str = "Forget";
pub(super) const TOLD: &str = "Told";
/// What the names of CloudFormation's buckets begin with.
const BUCKETS: &str = "cloudformation-";
/// Where these buckets are.
const S3: &str = ".s3.amazonaws.com";
/// The largest text that is taken, in bytes: far above what custom resources may answer, to which their own limit applies.
const MAX_TEXT: usize = 64 * 1024;
/// The most texts at one URL: ours, above what a wait condition may count to.
const MAX_TEXTS: usize = 1000;
/// How long a URL says that it holds, in seconds. Here it holds for as long as something is awaited.
const LIFETIME: i64 = 2 * 60 * 60;

/// What is awaited.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Awaited {
    /// The id of the request, which is part of the URL.
    pub request: String,
    /// What was told, from old to new.
    pub texts: Vector<String>,
}

/// Whose answers a URL is for.
#[derive(Clone, Copy)]
pub(super) enum Bucket {
    CustomResources,
    WaitConditions,
}

impl Bucket {
    fn name(self, region: &str) -> String {
        match self {
            Self::CustomResources => format!("{BUCKETS}custom-resource-response-{}", region.replace('-', "")),
            Self::WaitConditions => format!("{BUCKETS}waitcondition-{region}"),
        }
    }
}

/// A place where something is awaited.
pub(super) struct Invitation {
    /// The id of the request.
    pub request: String,
    /// Where the answer goes.
    pub url: String,
}

/// Who awaits, as the state knows it: a resource of a stack.
pub(super) fn owner(stack_id: &str, logical_id: &str) -> String {
    format!("{stack_id}|{logical_id}")
}

/// Who awaits at a URL.
pub(super) fn owner_of(url: &str) -> Option<String> {
    let path = url.split('?').next()?.rsplit('/').next()?;
    let key = percent_decode_str(path).decode_utf8().ok()?;
    key.rsplit_once('|').map(|(owner, _)| owner.to_owned())
}

/// The event of a resource that awaits from now on.
pub(super) fn begin(cx: &mut Cx<Stacks>, owner: &str) -> Result<()> {
    let request = cx.ids().uuid();
    cx.state.awaited.insert(owner.to_owned(), Awaited { request, texts: Vector::new() });
    Ok(())
}

/// The event of a resource that awaits nothing any more.
pub(super) fn forget(cx: &mut Cx<Stacks>, owner: &str) -> Result<()> {
    cx.state.awaited.remove(owner);
    Ok(())
}

/// The stack is gone: nobody awaits anything for it.
pub(super) fn forget_all(cx: &mut Cx<Stacks>, stack_id: &str) {
    let first = owner(stack_id, "");
    let owners = cx.state.awaited.range(first.clone()..).map(|(owner, _)| owner.clone());
    let owners: Vec<String> = owners.take_while(|owner| owner.starts_with(&first)).collect();
    for owner in owners {
        cx.state.awaited.remove(&owner);
    }
}

/// What somebody told.
#[derive(Serialize, Deserialize)]
struct Told {
    owner: String,
    text: String,
}

/// The event of a text that came in.
pub(super) fn told(cx: &mut Cx<Stacks>, told: &str) -> Result<()> {
    let Told { owner, text } = serde_json::from_str(told)?;
    if let Some(awaited) = cx.state.awaited.get_mut(&owner).filter(|awaited| awaited.texts.len() < MAX_TEXTS) {
        awaited.texts.push_back(text);
    }
    cx.signal(signal(&owner));
    Ok(())
}

fn signal(owner: &str) -> String {
    format!("cloudformation/told/{owner}")
}

/// Answers a request to such a URL; `None` if it is another request.
pub(crate) fn answer_response(inner: &Inner, head: &Parts, body: &Bytes) -> Option<Response<Bytes>> {
    if head.method != Method::PUT {
        return None;
    }
    let path = head.uri.path().strip_prefix('/')?;
    let key = match host(head).strip_suffix(S3) {
        Some(bucket) if bucket.starts_with(BUCKETS) => path,
        _ => path.strip_prefix(BUCKETS)?.split_once('/')?.1,
    };
    let status = match take(inner, head, key, body) {
        Ok(()) => StatusCode::OK,
        Err(status) => status,
    };
    let text = match status {
        StatusCode::OK => "",
        StatusCode::FORBIDDEN => "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
        _ => {
            "<Error><Code>EntityTooLarge</Code><Message>Your proposed upload exceeds the maximum allowed size</Message></Error>"
        }
    };
    let mut response = Response::new(Bytes::from_static(text.as_bytes()));
    *response.status_mut() = status;
    Some(response)
}

fn take(inner: &Inner, head: &Parts, key: &str, body: &Bytes) -> Result<(), StatusCode> {
    let refused = StatusCode::FORBIDDEN;
    let key = percent_decode_str(key).decode_utf8().map_err(|_| refused)?;
    let mut members = head.uri.query().unwrap_or_default().split('&').filter_map(|member| member.split_once('='));
    let signature = members.find(|(name, _)| *name == "Signature").map(|(_, value)| value).ok_or(refused)?;
    if percent_decode_str(signature).decode_utf8().ok().as_deref()
        != Some(&*credentials::secret(&inner.server_key, &key))
    {
        return Err(refused);
    }
    let (owner, request) = key.rsplit_once('|').ok_or(refused)?;
    let mut arn = owner.splitn(6, ':').skip(3);
    let (region, account) = arn.next().zip(arn.next()).ok_or(refused)?;
    let scope = Scope::new(account, region);
    let state = inner.state_of::<Stacks>("cloudformation", &scope).ok_or(refused)?;
    state.awaited.get(owner).filter(|awaited| awaited.request == request).ok_or(refused)?;
    if body.len() > MAX_TEXT {
        return Err(StatusCode::BAD_REQUEST);
    }
    let told = Told { owner: owner.to_owned(), text: String::from_utf8_lossy(body).into_owned() };
    let told = serde_json::to_string(&told).map_err(|_| refused)?;
    inner.event("cloudformation", &scope, TOLD, &told).map_err(|_| refused)
}

impl Door {
    /// Awaits something from now on.
    ///
    /// # Errors
    /// `InternalFailure` if the stacks are gone, as after a reset.
    pub fn open(&self, bucket: Bucket, owner: &str) -> Result<Invitation> {
        let inner = &self.cloud.0;
        inner.event("cloudformation", &self.scope, AWAIT, owner)?;
        let request = self.awaited(owner)?.request;
        let key = format!("{owner}|{request}");
        let bucket = bucket.name(&self.scope.region);
        let base = match inner.served.get().and_then(|host| host.to_str().ok()) {
            Some(host) => format!("http://{host}/{bucket}"),
            None => format!("https://{bucket}{S3}"),
        };
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let expires = inner.clock.now().secs() + LIFETIME;
        let signature = encoded(&credentials::secret(&inner.server_key, &key));
        let url = format!("{base}/{}?Expires={expires}&Signature={signature}", encoded(&key));
        Ok(Invitation { request, url })
    }

    /// Awaits nothing more.
    ///
    /// # Errors
    /// As [`Door::open`].
    pub fn close(&self, owner: &str) -> Result<()> {
        self.cloud.0.event("cloudformation", &self.scope, FORGET, owner)
    }

    /// The texts that have come when `enough` says so, or at that time.
    ///
    /// # Errors
    /// As [`Door::open`].
    pub async fn told(
        &self,
        owner: &str,
        until: Timestamp,
        enough: impl Fn(&Vector<String>) -> bool,
    ) -> Result<Vector<String>> {
        let inner = &self.cloud.0;
        // Kept until the next wait: time stands still while what was told is looked at.
        let mut hold: Option<Hold> = None;
        loop {
            let signals = inner.clock.signals();
            let texts = self.awaited(owner)?.texts;
            if enough(&texts) || inner.clock.now() >= until {
                return Ok(texts);
            }
            drop(hold.take());
            hold = Some(inner.wait_for(signal(owner), signals, until).await?);
        }
    }

    fn awaited(&self, owner: &str) -> Result<Awaited> {
        let state = self.cloud.0.state_of::<Stacks>("cloudformation", &self.scope);
        let awaited = state.and_then(|state| state.awaited.get(owner).cloned());
        awaited.ok_or_else(|| Error::internal(format!("nothing is awaited by {owner}")))
    }
}
