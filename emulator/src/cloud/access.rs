//! Who may do what: the identity policies of a caller, looked up once a call.

use super::{Call, Caller, Inner, Target};
use crate::iam::credentials::Credentials;
use crate::{Result, Timestamp};

/// Whether permissions are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IamMode {
    /// They are not.
    Off,
    /// They are, and what would be denied is logged and allowed.
    Audit,
    /// They are, as at AWS.
    Enforce,
}

/// What a call's caller may do.
pub struct Access {
    mode: IamMode,
}

impl Access {
    /// Whether the caller may perform `action` on `resource`, besides what the call itself asks for.
    pub fn may(&self, _action: &str, _resource: &str) -> bool {
        let _ = self.mode;
        true
    }

    /// A session of the role of this ARN, as a service starts one that assumes it; `None` if there is no such role.
    pub fn role_session(&self, _role: &str, _session: &str, _service: &str) -> Option<Caller> {
        None
    }

    /// Whether a service may assume the role of this ARN.
    pub fn may_assume(&self, _role: &str, _service: &str) -> bool {
        true
    }

    pub(crate) fn authorize(&self, _call: &Call, _action: &str, _target: &Target, _now: Timestamp) -> Result<()> {
        Ok(())
    }
}

impl Inner {
    pub(crate) fn access(&self, _caller: &Caller) -> Access {
        Access { mode: self.iam }
    }
    pub(crate) fn access_of_service(&self) -> Access {
        Access { mode: self.iam }
    }
    pub(crate) fn issue(&self, _caller: &Caller) -> Result<Credentials> {
        Err(crate::Error::internal("x"))
    }
}
