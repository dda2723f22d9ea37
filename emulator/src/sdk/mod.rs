//! The AWS SDK for Rust in this process, without a socket: the same bytes enter the same door.

mod connector;
mod time;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_types::SdkConfig;
use aws_types::region::Region;

use crate::cloud::{Caller, Cloud};
use crate::iam::credentials;
use crate::{Error, Result, lambda};
use connector::Connector;
pub use time::CloudTime;

impl Cloud {
    /// The configuration of SDK clients that act as the account's root user, in the cloud's region, under the cloud's clock.
    ///
    /// The configuration keeps the cloud alive.
    pub fn sdk_config(&self) -> SdkConfig {
        let account = &self.scope().account;
        let keys = Credentials::new(&**account, "garoa", None, None, "garoa");
        config(self, Connector::lasting(self.clone()), keys)
    }
}

/// The configuration of a function's clients, and the credentials of its role's session.
pub(crate) fn for_function(cloud: &Cloud, role: &str, session: &str) -> Result<(SdkConfig, credentials::Credentials)> {
    let caller = cloud
        .0
        .access(&Caller::service(lambda::PRINCIPAL))
        .role_session(role, session, lambda::PRINCIPAL)
        .ok_or_else(|| Error::client("AccessDeniedException", format!("The role {role} does not exist")))?;
    let issued = cloud.0.issue(&caller)?;
    let keys = Credentials::new(
        issued.access_key_id.clone(),
        issued.secret_access_key.clone(),
        Some(issued.session_token.clone()),
        None,
        "garoa-function",
    );
    Ok((config(cloud, Connector::passing(cloud), keys), issued))
}

fn config(cloud: &Cloud, connector: Connector, keys: Credentials) -> SdkConfig {
    let time = CloudTime::new(cloud);
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(cloud.scope().region.to_string()))
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .http_client(connector)
        .time_source(time.clone())
        .sleep_impl(time)
        .build()
}
