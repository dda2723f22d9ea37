//! AWS IAM: policies, their evaluation, and the IAM service.
//!
//! `policy/` reads and evaluates documents, `principal.rs` says who is meant, `denial.rs` words refusals,
//! `credentials.rs` issues temporary credentials. `directory.rs` is the service's state, with what the front door
//! looks up in it; `service.rs` lists the operations, which stand in the files of what they are about; `simulate.rs`
//! asks policies about actions that nobody performs.

mod account;
mod attachments;
mod aws_managed;
mod aws_managed_rows;
pub mod credentials;
pub mod denial;
mod directory;
mod groups;
mod linked;
mod logins;
mod managed;
mod mfa;
mod oidc;
mod one_time;
mod pem;
mod place;
pub mod policy;
pub mod principal;
mod profiles;
mod roles;
mod saml;
mod server_certificates;
mod service;
mod service_credentials;
mod shapes;
mod signing_certificates;
mod simulate;
mod ssh_keys;
mod tagging;
mod users;

pub use directory::{AccessKey, Account, Directory, Entity, ManagedPolicy, Policies, Role, User};
pub use principal::Principal;
pub use service::service;

#[cfg(test)]
mod tests;
