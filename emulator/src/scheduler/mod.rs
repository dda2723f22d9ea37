//! Amazon EventBridge Scheduler.
