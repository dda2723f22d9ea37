//! AWS IAM: policies, their evaluation, and the IAM service.

pub mod credentials;
pub mod denial;
mod directory;
pub mod policy;
pub mod principal;

pub use directory::Directory;
pub use principal::Principal;
