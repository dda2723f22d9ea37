//! Who signed a request to S3 by version 2.

use http::request::Parts;

use super::{Caller, Inner, Scope};
use crate::Result;
use crate::sigv4::{self, Dialect, MAX_SKEW};
use crate::wire;

impl Inner {
    /// Such signatures name no region: it is the cloud's own, and a bucket's is as good.
    pub(super) fn signer_of_version_two(&self, head: &Parts, dialect: Dialect) -> Result<Option<(Caller, Scope)>> {
        if dialect != Dialect::S3 {
            return Ok(None);
        }
        let region = &self.scope.region;
        let Some(signed) = sigv4::parse_version_two(head, region)? else { return Ok(None) };
        let (mut caller, secret) = self.identify_poster(&signed.access_key, signed.token.as_deref())?;
        // Under virtual time, a client in a process of its own signs with the machine's time.
        let (now, real) = (self.clock.now(), crate::clock::real_now());
        let is_outside = signed.timestamp().is_some_and(|at| at.since(real).max(real.since(at)) <= MAX_SKEW);
        let bucket = wire::bucket_of_host(head);
        signed.verify(secret.as_deref(), head, bucket.as_deref(), if is_outside { real } else { now })?;
        caller.placeless = true;
        let account = caller.principal.account().unwrap_or(&self.scope.account).to_owned();
        Ok(Some((caller, Scope::new(account, region.clone()))))
    }
}
