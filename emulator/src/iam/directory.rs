//! Temporary stand-in for the IAM service's state.

use serde::{Deserialize, Serialize};

use super::policy::Policy;
use super::principal::Principal;

/// x
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Directory {}

/// x
pub struct Role {
    /// x
    pub name: String,
    /// x
    pub path: String,
    /// x
    pub id: String,
    /// x
    pub trust: Policy,
}

/// x
#[derive(Default)]
pub struct Policies {
    /// x
    pub identity: Vec<(String, Policy)>,
    /// x
    pub boundary: Option<Policy>,
}

impl Directory {
    /// x
    pub fn role_by_arn(&self, _arn: &str) -> Option<&Role> {
        None
    }
    /// x
    pub fn policies_of(&self, _principal: &Principal) -> Policies {
        Policies::default()
    }
    /// x
    pub fn access_key(&self, _id: &str) -> Option<(Principal, String, bool)> {
        None
    }
}
