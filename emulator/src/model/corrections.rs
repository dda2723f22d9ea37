//! Where AWS is known to act otherwise than its own model says; each case was recorded at AWS.

use super::shape::{Kind, Shape};

/// Patterns that are not looked at: a namespace of a metric filter may have a `:`.
const UNENFORCED: &[(&str, &str)] = &[("logs", "MetricNamespace")];
/// What is not repeated when it breaks a constraint, as if it were a secret.
const NOT_SHOWN: &[(&str, &str)] = &[("logs", "LogGroupIdentifier")];

/// Members that are required, and missed by the operation only once it has looked at others, or in words of its own.
const MISSED_LATER: &[(&str, &str, &str)] =
    &[("sns", "SetPlatformApplicationAttributesInput", "Attributes"), ("sns", "UnsubscribeInput", "SubscriptionArn")];

/// Corrects a shape of a service.
pub(super) fn correct(service: &str, mut shape: Shape) -> Shape {
    let is_in = |table: &[(&str, &str)]| table.contains(&(service, shape.name));
    let (unenforced, hidden) = (is_in(UNENFORCED), is_in(NOT_SHOWN));
    shape.pattern = shape.pattern.filter(|_| !unenforced);
    shape.sensitive |= hidden;
    let name = shape.name;
    if let Kind::Structure(structure) = &mut shape.kind {
        for member in &mut structure.members {
            member.required &= !MISSED_LATER.contains(&(service, name, member.name));
        }
    }
    shape
}
