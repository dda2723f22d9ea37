//! The settings of a table besides its keys: how it is paid for, its throughput, encryption, class and protection.

use serde::{Deserialize, Serialize};

use super::backups::Recovery;
use super::definition::{
    OnDemandThroughput, ProvisionedThroughput, SseSpecification, StreamSpecification, WarmThroughput,
};
use crate::Timestamp;

/// A day, in seconds: decreases of throughput are counted by it.
const DAY: i64 = 86_400;

/// The settings of a table.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Settings {
    pub billing: Billing,
    /// Since when the table is paid for by request, if it is or was.
    pub by_request_since: Option<Timestamp>,
    pub throughput: Throughput,
    pub sse: Option<SseSpecification>,
    /// The table class and when it was set, if it ever was.
    pub class: Option<(String, Option<Timestamp>)>,
    pub deletion_protection: bool,
    pub stream: Option<StreamSpecification>,
    pub recovery: Option<Recovery>,
    /// The backup that the table was made from.
    pub restored: Option<Restored>,
}

/// How a table is paid for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Billing {
    #[default]
    Provisioned,
    PayPerRequest,
}

/// Where a restored table comes from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Restored {
    pub backup: Option<String>,
    pub table: String,
    pub at: Timestamp,
}

impl Billing {
    pub fn from_name(name: &str) -> Self {
        if name == "PAY_PER_REQUEST" { Self::PayPerRequest } else { Self::Provisioned }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provisioned => "PROVISIONED",
            Self::PayPerRequest => "PAY_PER_REQUEST",
        }
    }
}

/// The throughput of a table or a global index.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Throughput {
    pub provisioned: ProvisionedThroughput,
    pub on_demand: Option<OnDemandThroughput>,
    pub warm: Option<WarmThroughput>,
    pub last_increase: Option<Timestamp>,
    pub last_decrease: Option<Timestamp>,
    decreases: i64,
}

impl Throughput {
    pub fn new(
        provisioned: Option<ProvisionedThroughput>,
        on_demand: Option<OnDemandThroughput>,
        warm: Option<WarmThroughput>,
    ) -> Self {
        Self { provisioned: provisioned.unwrap_or_default(), on_demand, warm, ..Self::default() }
    }

    /// How often the throughput was decreased on the day of `now` (UTC).
    pub fn decreases_today(&self, now: Timestamp) -> i64 {
        let day = |at: Timestamp| at.secs().div_euclid(DAY);
        if self.last_decrease.is_some_and(|at| day(at) == day(now)) { self.decreases } else { 0 }
    }

    /// Sets the throughput, and notes when it rose or fell.
    pub fn set(&mut self, to: ProvisionedThroughput, now: Timestamp) {
        let is = self.provisioned;
        if to.read_capacity_units > is.read_capacity_units || to.write_capacity_units > is.write_capacity_units {
            self.last_increase = Some(now);
        }
        if to.read_capacity_units < is.read_capacity_units || to.write_capacity_units < is.write_capacity_units {
            self.decreases = self.decreases_today(now) + 1;
            self.last_decrease = Some(now);
        }
        self.provisioned = to;
    }
}
