//! bucket-purge: empties a bucket when asked with the right password.
//!
//! ```text
//! POST {"bucket_name", "password"} ─▶ request ─▶ password (Argon2 hash in Secrets Manager) ─▶ purge: every version and delete marker
//! ```
//! [`request`] reads what was asked and [`answer`] is what is answered; both are pure. [`password`] decides, and nothing but a
//! right password leads to [`purge`]. Neither password nor hash is ever logged, nor shown by `Debug`.

pub mod answer;
pub mod password;
pub mod purge;
pub mod request;
pub mod service;
pub mod settings;

pub use service::{BucketPurge, service};
