//! What services measure of themselves, as Lambda does its invocations. At AWS such metrics are in CloudWatch without anybody's
//! call: nothing is permitted, broken or traced there.

use super::Scope;
use crate::Timestamp;

/// One value of a metric of a service.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub scope: Scope,
    /// `AWS/Lambda`, say.
    pub namespace: &'static str,
    pub name: &'static str,
    /// Names and values.
    pub dimensions: Vec<(&'static str, String)>,
    pub at: Timestamp,
    pub value: f64,
    /// One of CloudWatch's units.
    pub unit: &'static str,
}
