//! A call that sets a stack to work answers when the stack is at rest, or after a second.
//!
//! At AWS a stack is at work for minutes, and clients look for its end every thirty seconds: boto3's waiters and
//! `aws cloudformation deploy` do. Here most stacks are made in milliseconds, and these clients find the end at their first look.

use std::time::Duration;

use super::state::Stacks;
use crate::cloud::{Cx, Later, Step};

/// How long a call waits for its stack.
const PATIENCE: Duration = Duration::from_secs(1);
/// What the call remembers begins with this.
const TOKEN: &str = "settles/";

/// Waits for a stack that was set to work.
pub(super) fn later<O>(cx: &Cx<Stacks>, stack_id: &str) -> Step<O> {
    let until = Some(cx.now + PATIENCE);
    Step::Later(Later { signal: signal(stack_id), until, token: format!("{TOKEN}{stack_id}") })
}

/// The stack that this call has set to work before.
pub(super) fn waited(cx: &Cx<Stacks>) -> Option<String> {
    cx.resumed()?.token.strip_prefix(TOKEN).map(str::to_owned)
}

/// What wakes those who wait for a stack.
pub(super) fn signal(stack_id: &str) -> String {
    format!("cloudformation/{stack_id}")
}
