//! Scenario scripts: the language, its `aws` lines, expectations, faults, and the reports of a run.
//!
//! Everything in this folder but the runner is pure: a function of text, of the service models and of what a run left.

pub mod awscli;
pub mod expect;
pub mod fault;
pub mod pattern;
pub mod report;
pub mod script;
