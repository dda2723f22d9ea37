//! Which operations a run used, and how they were answered.

use std::collections::BTreeMap;

use super::Record;

/// A table of the operations that were called. `supported` gives the operations that a service has here; a name in the
/// trace that is not in it is a sink.
pub fn coverage(records: &[Record], supported: &BTreeMap<String, Vec<String>>) -> String {
    let mut services: BTreeMap<&str, BTreeMap<&str, BTreeMap<String, usize>>> = BTreeMap::new();
    for record in records {
        let answers = services.entry(&record.service).or_default().entry(&record.operation).or_default();
        let answer = record.code.clone().or_else(|| record.status.map(|status| status.to_string()));
        *answers.entry(answer.unwrap_or_else(|| "no answer".to_owned())).or_default() += 1;
    }
    let mut out = String::new();
    for (service, operations) in services {
        match supported.get(service) {
            Some(supported) => out += &format!("{service}  {} of {} operations\n", operations.len(), supported.len()),
            None => out += &format!("{service}\n"),
        }
        let width = operations.keys().map(|operation| operation.chars().count()).max().unwrap_or(0);
        for (operation, answers) in operations {
            let answers: Vec<String> =
                answers.into_iter().map(|(answer, times)| format!("{answer} ×{times}")).collect();
            out += &format!("  {operation:<width$}  {}\n", answers.join(", "));
        }
    }
    out
}
