//! `ImportApiKeys`: keys from a file in CSV.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-key-file-format.html>

use serde::{Deserialize, Serialize};

use super::errors::bad;
use super::keys::{self, CreateApiKey};
use super::plans::Usage;
use super::{RestApis, on};
use crate::Result;
use crate::cloud::{Cx, Service};

/// Adds the operation of this file.
pub(super) fn operations(service: Service<RestApis>) -> Service<RestApis> {
    service.op("ImportApiKeys", |at, _: &ImportApiKeys| on(at, "POST", "/apikeys"), import)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ImportApiKeys {
    format: String,
    fail_on_warnings: Option<bool>,
}

/// `ApiKeyIds` of the API Gateway API.
#[derive(Serialize)]
struct ApiKeyIds {
    ids: Vec<String>,
    warnings: Vec<String>,
}

/// A line of the file.
struct Line {
    name: String,
    key: String,
    description: Option<String>,
    enabled: bool,
    plans: Vec<String>,
}

fn import(cx: &mut Cx<RestApis>, input: ImportApiKeys) -> Result<ApiKeyIds> {
    if input.format != "csv" {
        return Err(bad(format!("Invalid API Key format specified: {}", input.format)));
    }
    let lines = lines(&cx.body)?;
    let before = cx.state.clone();
    let imported = import_lines(cx, lines, input.fail_on_warnings == Some(true));
    if imported.is_err() {
        // All of the file, or nothing.
        *cx.state = before;
    }
    imported
}

fn import_lines(cx: &mut Cx<RestApis>, lines: Vec<Line>, strict: bool) -> Result<ApiKeyIds> {
    let (mut ids, mut warnings) = (Vec::new(), Vec::new());
    for line in lines {
        for plan in line.plans.iter().filter(|plan| !cx.state.plans.contains_key(*plan)) {
            warnings.push(format!("Invalid Usage Plan ID specified: {plan} (API Key {})", line.name));
        }
        ids.push(keep(cx, line)?);
    }
    if strict && !warnings.is_empty() {
        return Err(bad(format!("Warnings found during import:\n\t{}", warnings.join("\n\t"))));
    }
    Ok(ApiKeyIds { ids, warnings })
}

/// Makes a key, or changes the one that has this value; its id.
fn keep(cx: &mut Cx<RestApis>, line: Line) -> Result<String> {
    let now = super::seconds(cx.now);
    let known = cx.state.keys.values().find(|known| known.value == line.key).map(|known| known.id.clone());
    let id = match known.and_then(|id| cx.state.keys.get_mut(&id)) {
        Some(known) => {
            known.name = Some(line.name);
            known.description = line.description;
            known.enabled = line.enabled;
            known.last_updated_date = now;
            known.id.clone()
        }
        None => keys::create(cx, CreateApiKey::of(line.name, line.key, line.description, line.enabled))?.id,
    };
    for plan in line.plans {
        if let Some(plan) = cx.state.plans.get_mut(&plan).filter(|plan| !plan.keys.contains_key(&id)) {
            plan.keys.insert(id.clone(), Usage::default());
        }
    }
    Ok(id)
}

/// The lines below the header, which names the columns in any order and case. Others than AWS's are passed over.
fn lines(body: &[u8]) -> Result<Vec<Line>> {
    let malformed = |error: csv::Error| bad(format!("The API key file cannot be read: {error}"));
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(body);
    let header = reader.headers().map_err(malformed)?.clone();
    let column =
        |name: &str| header.iter().position(|known| known.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name));
    let (Some(name), Some(key)) = (column("name"), column("key")) else {
        return Err(bad("The API key file must have the columns name and key"));
    };
    let others = [column("description"), column("enabled"), column("usageplanids")];
    let mut lines = Vec::new();
    for record in reader.records() {
        let record = record.map_err(malformed)?;
        let [description, enabled, plans] = others.map(|column| {
            let text = record.get(column?).filter(|text| !text.is_empty())?;
            Some(text.to_owned())
        });
        let plans = plans.unwrap_or_default();
        lines.push(Line {
            name: record.get(name).unwrap_or_default().to_owned(),
            key: record.get(key).unwrap_or_default().to_owned(),
            description,
            enabled: enabled.is_none_or(|flag| flag.eq_ignore_ascii_case("true")),
            plans: plans.split(',').map(str::trim).filter(|plan| !plan.is_empty()).map(str::to_owned).collect(),
        });
    }
    Ok(lines)
}
