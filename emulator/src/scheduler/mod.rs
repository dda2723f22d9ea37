//! Amazon EventBridge Scheduler.

pub mod expression;
