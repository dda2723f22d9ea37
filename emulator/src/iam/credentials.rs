//! Temporary.
/// c
pub struct Credentials {
    /// c
    pub access_key_id: String,
    /// c
    pub secret_access_key: String,
    /// c
    pub session_token: String,
}
