//! Scenario scripts: the language, its `aws` lines, expectations, faults, the runner, and the reports of a run.
//!
//! Everything in this folder but the runner (`run/`) is pure: a function of text, of the service models and of what a run
//! left.

pub mod awscli;
pub mod expect;
pub mod fault;
pub mod report;
pub mod run;
pub mod script;

pub use crate::cloud::pattern;
