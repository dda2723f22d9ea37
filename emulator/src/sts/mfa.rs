//! MFA codes that users show when they ask for credentials.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html>

use super::Tokens;
use super::assume::denied;
use crate::cloud::Cx;
use crate::iam::Principal;
use crate::{Result, Timestamp};

/// When the caller's device was asked: now, if one is named and shows the code. That a code is good for one call only is
/// not kept.
pub(super) fn asked(cx: &Cx<Tokens>, serial: Option<&str>, code: Option<&str>) -> Result<Option<Timestamp>> {
    let (Some(serial), Some(code)) = (serial, code) else {
        return match (serial, code) {
            (None, None) => Ok(None),
            _ => Err(denied(
                "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.",
            )),
        };
    };
    let holds = match &cx.caller.principal {
        Principal::User { account, id, .. } => {
            cx.access().directory().mfa_code_holds(account, id, serial, code, cx.now)
        }
        _ => None,
    };
    match holds {
        Some(true) => Ok(Some(cx.now)),
        Some(false) => Err(denied("MultiFactorAuthentication failed with invalid MFA one time pass code.")),
        None => {
            let text = "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial \
                        number is valid and associated with this user.";
            Err(denied(text))
        }
    }
}
