//! How many invocations may run at once: the account's limit, and what is reserved for a function.
//! <https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html>

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::functions::{Function, find_mut, invalid};
use super::qualifier::{LATEST, not_found, qualifier, reachable};
use super::runtime::UNZIPPED_LIMIT;
use super::{Functions, on};
use crate::cloud::{Cx, Service, Target};
use crate::{Error, Result, Timestamp};

/// The invocations that an account may run at once in a region, and those of them that no function may reserve.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const ACCOUNT_LIMIT: u32 = 1000;
pub(super) const UNRESERVED_MINIMUM: u32 = 100;
/// The size of all code of an account in a region, and of an archive in a call, in bytes: same page.
const TOTAL_CODE_SIZE: u64 = 80_530_636_800;
const ZIPPED_LIMIT: u64 = 52_428_800;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Functions>) -> Service<Functions> {
    service
        .op("PutFunctionConcurrency", |at, i: &PutConcurrency| on(at, &i.function_name), put)
        .op("GetFunctionConcurrency", |at, i: &OfFunction| on(at, &i.function_name), get)
        .op("DeleteFunctionConcurrency", |at, i: &OfFunction| on(at, &i.function_name), delete)
        .op("GetAccountSettings", |_, _: &Nothing| Target::any(), account)
}

/// What is reserved for a function.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Concurrency {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reserved_concurrent_executions: Option<u32>,
}

/// Why an invocation may not run now: `ThrottleReason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Throttle {
    Account,
    Reserved,
}

impl Throttle {
    /// The error of a synchronous invocation.
    pub fn error(self) -> Error {
        let reason = match self {
            Self::Account => "ConcurrentInvocationLimitExceeded",
            Self::Reserved => "ReservedFunctionConcurrentInvocationLimitExceeded",
        };
        Error::new(429, "TooManyRequestsException", "Rate Exceeded.").with("Reason", reason).with("Type", "User")
    }
}

impl Functions {
    /// Whether one more invocation of this function may run where nothing was provisioned: what was provisioned is taken out of
    /// what is reserved.
    pub(super) fn throttle(&self, function: &Function) -> Option<Throttle> {
        let name = &function.configuration.function_name;
        let count = |key: &str| self.running.get(key).copied().unwrap_or(0);
        let on_slots: u32 = function.provisioned.keys().map(|place| count(&slot_key(name, place))).sum();
        match function.reserved {
            Some(reserved) => {
                let left = reserved.saturating_sub(function.provisioned_in_all());
                (count(name).saturating_sub(on_slots) >= left).then_some(Throttle::Reserved)
            }
            None => (self.running_in_all >= ACCOUNT_LIMIT).then_some(Throttle::Account),
        }
    }

    /// The version or alias that has a provisioned environment free for an invocation of this version by this qualifier.
    pub(super) fn free_slot(
        &self,
        function: &Function,
        qualifier: Option<&str>,
        version: &str,
        now: Timestamp,
    ) -> Option<String> {
        let name = &function.configuration.function_name;
        let is_free = |place: &&str| {
            let taken = || self.running.get(&slot_key(name, place)).copied().unwrap_or(0);
            function.provisioned.get(*place).is_some_and(|config| taken() < config.ready(now))
        };
        qualifier.into_iter().chain([version]).find(is_free).map(str::to_owned)
    }

    /// An invocation of this function begins to run, in an environment that was provisioned for `slot`.
    pub(super) fn count(&mut self, function: &str, slot: Option<&str>) {
        self.running_in_all += 1;
        *self.running.entry(function.to_owned()).or_default() += 1;
        if let Some(place) = slot {
            *self.running.entry(slot_key(function, place)).or_default() += 1;
        }
    }

    /// An invocation of this function has ended.
    pub(super) fn discount(&mut self, function: &str, slot: Option<&str>) {
        self.running_in_all = self.running_in_all.saturating_sub(1);
        let slot = slot.map(|place| slot_key(function, place));
        for key in [Some(function.to_owned()), slot].into_iter().flatten() {
            let left = self.running.get(&key).map_or(0, |running| running.saturating_sub(1));
            if left == 0 {
                self.running.remove(&key);
            } else {
                self.running.insert(key, left);
            }
        }
    }

    /// What functions but this one leave of the account's limit.
    pub(super) fn unreserved_without(&self, name: &str) -> u32 {
        let others = self.functions.iter().filter(|(other, _)| *other != name);
        let reserved: u32 = others.filter_map(|(_, function)| function.reserved).sum();
        ACCOUNT_LIMIT.saturating_sub(reserved)
    }
}

/// Under which the invocations are counted that run on what was provisioned for a version or alias. No function's name has a colon.
fn slot_key(function: &str, place: &str) -> String {
    format!("{function}:{place}")
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutConcurrency {
    function_name: String,
    reserved_concurrent_executions: u32,
}

fn put(cx: &mut Cx<Functions>, input: PutConcurrency) -> Result<Concurrency> {
    let wanted = input.reserved_concurrent_executions;
    if qualifier(&input.function_name, None)?.is_some() {
        return Err(invalid(
            "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please \
             specify either a function name or an unqualified function ARN.",
        ));
    }
    let name = reachable(cx.scope, &input.function_name)?;
    if !cx.state.functions.contains_key(name) {
        return Err(not_found(&cx.scope.arn("lambda", format_args!("function:{name}:{LATEST}"))));
    }
    let name = find_mut(cx, &input.function_name)?.configuration.function_name.clone();
    if wanted > cx.state.unreserved_without(&name).saturating_sub(UNRESERVED_MINIMUM) {
        return Err(invalid(format!(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its \
             minimum value of [{UNRESERVED_MINIMUM}]."
        ))
        .with("Type", Value::Null));
    }
    let function = find_mut(cx, &name)?;
    let provisioned = function.provisioned_in_all();
    if wanted < provisioned {
        // The blanks are AWS's.
        return Err(invalid(format!(
            " ReservedConcurrentExecutions  {wanted} should not be lower than function's total provisioned concurrency \
             [{provisioned}]."
        ))
        .with("Type", Value::Null));
    }
    function.reserved = Some(wanted);
    Ok(Concurrency { reserved_concurrent_executions: Some(wanted) })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfFunction {
    function_name: String,
}

fn get(cx: &mut Cx<Functions>, input: OfFunction) -> Result<Concurrency> {
    Ok(find_mut(cx, &input.function_name)?.concurrency())
}

fn delete(cx: &mut Cx<Functions>, input: OfFunction) -> Result<()> {
    find_mut(cx, &input.function_name)?.reserved = None;
    Ok(())
}

impl Function {
    /// What is reserved for it.
    pub fn concurrency(&self) -> Concurrency {
        Concurrency { reserved_concurrent_executions: self.reserved }
    }
}

#[derive(Deserialize)]
struct Nothing {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AccountSettings {
    account_limit: AccountLimit,
    account_usage: AccountUsage,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AccountLimit {
    total_code_size: u64,
    code_size_unzipped: u64,
    code_size_zipped: u64,
    concurrent_executions: u32,
    unreserved_concurrent_executions: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AccountUsage {
    total_code_size: u64,
    function_count: usize,
}

fn account(cx: &mut Cx<Functions>, _: Nothing) -> Result<AccountSettings> {
    let sizes =
        cx.state.functions.values().map(|function| {
            function.code.size + function.versions.values().map(|version| version.code.size).sum::<u64>()
        });
    Ok(AccountSettings {
        account_limit: AccountLimit {
            total_code_size: TOTAL_CODE_SIZE,
            code_size_unzipped: UNZIPPED_LIMIT,
            code_size_zipped: ZIPPED_LIMIT,
            concurrent_executions: ACCOUNT_LIMIT,
            unreserved_concurrent_executions: cx.state.unreserved_without(""),
        },
        account_usage: AccountUsage {
            total_code_size: sizes.sum::<u64>() + cx.state.size_of_layers(),
            function_count: cx.state.functions.len(),
        },
    })
}
