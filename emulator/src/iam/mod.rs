//! AWS IAM: policies, their evaluation, and the IAM service.

mod principal;

pub use principal::Principal;
pub mod credentials;
