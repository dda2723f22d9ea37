//! AWS IAM: policies, their evaluation, and the IAM service.

pub mod credentials;
pub mod denial;
pub mod policy;
pub mod principal;
