//! What concerns text messages: attributes, and numbers that do not want any. No text message leaves.
//! <https://docs.aws.amazon.com/sns/latest/api/API_SetSMSAttributes.html>

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::errors::{bare, because};
use super::topic::Topics;
use crate::cloud::{Cx, Scope, Service, Target};
use crate::{Error, Result};

/// The attributes that there are.
const ATTRIBUTES: [&str; 6] = [
    "MonthlySpendLimit",
    "DeliveryStatusIAMRole",
    "DeliveryStatusSuccessSamplingRate",
    "DefaultSenderID",
    "DefaultSMSType",
    "UsageReportS3Bucket",
];
/// The longest sender id.
const SENDER_LIMIT: usize = 11;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Topics>) -> Service<Topics> {
    service
        .op("SetSMSAttributes", |_, _: &SetAttributes| Target::any(), set)
        .op("GetSMSAttributes", |_, _: &GetAttributes| Target::any(), get)
        .op("CheckIfPhoneNumberIsOptedOut", |_, _: &OfNumber| Target::any(), check)
        .op("ListPhoneNumbersOptedOut", |_, _: &List| Target::any(), list)
        .op("OptInPhoneNumber", |_, _: &OfNumber| Target::any(), opt_in)
}

/// What an account may spend on text messages in a month, in dollars, before it asks for more.
/// <https://docs.aws.amazon.com/sns/latest/api/API_SetSMSAttributes.html>
const SPEND_LIMIT: &str = "MonthlySpendLimit";
const DEFAULT_LIMIT: &str = "1";

/// What an account has set for its text messages in a region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Sms {
    attributes: OrdMap<String, String>,
}

fn key(scope: &Scope) -> String {
    format!("{}/{}", scope.account, scope.region)
}

/// Whether a subscription may have this number: digits, with single separators between them.
pub(super) fn is_endpoint(number: &str) -> bool {
    let digits = number.strip_prefix('+').unwrap_or(number);
    digits.split(['-', '.', '/', ' ']).all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Refuses to publish to what is no number.
pub(super) fn check_number(number: &str) -> Result<()> {
    let digits = number.strip_prefix('+').unwrap_or(number);
    if is_endpoint(number) && digits.bytes().filter(u8::is_ascii_digit).count() <= 15 {
        return Ok(());
    }
    Err(because("PhoneNumber", format!("{number} is not valid to publish to")))
}

#[derive(Deserialize)]
struct SetAttributes {
    attributes: OrdMap<String, String>,
}

#[derive(Serialize)]
struct Nothing {}

fn set(cx: &mut Cx<Topics>, input: SetAttributes) -> Result<Nothing> {
    for (name, value) in &input.attributes {
        let is_sender = |id: &str| {
            (1..=SENDER_LIMIT).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && id.bytes().any(|byte| byte.is_ascii_alphabetic())
        };
        match name.as_str() {
            name if !ATTRIBUTES.contains(&name) => return Err(bare(format!("{name} is not a valid attribute"))),
            "DefaultSenderID" if !is_sender(value) => return Err(bare("DefaultSendID is not a valid attribute")),
            "DefaultSMSType" if !matches!(value.as_str(), "Promotional" | "Transactional") => {
                return Err(bare("DefaultSMSType is invalid"));
            }
            // How many of the logs are kept that only a role would have written.
            "DeliveryStatusSuccessSamplingRate" if !value.parse().is_ok_and(|rate: u8| rate <= 100) => {
                return Err(bare("DeliveryStatusSuccessSamplingRate is invalid"));
            }
            "DeliveryStatusIAMRole" | "UsageReportS3Bucket" => {
                return Err(Error::not_implemented(format!("the SMS attribute {name}: no text message leaves")));
            }
            _ => {}
        }
    }
    let sms = cx.state.sms.entry(key(cx.scope)).or_default();
    sms.attributes = input.attributes.union(sms.attributes.clone());
    Ok(Nothing {})
}

#[derive(Deserialize)]
struct GetAttributes {
    #[serde(default)]
    attributes: Vec<String>,
}

#[derive(Serialize)]
struct Attributes {
    attributes: OrdMap<String, String>,
}

fn get(cx: &mut Cx<Topics>, input: GetAttributes) -> Result<Attributes> {
    let mut sms = cx.state.sms.get(&key(cx.scope)).cloned().unwrap_or_default();
    sms.attributes.entry(SPEND_LIMIT.to_owned()).or_insert_with(|| DEFAULT_LIMIT.to_owned());
    let wanted = |name: &String| input.attributes.is_empty() || input.attributes.contains(name);
    Ok(Attributes { attributes: sms.attributes.into_iter().filter(|(name, _)| wanted(name)).collect() })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfNumber {
    phone_number: String,
}

impl OfNumber {
    fn check(&self) -> Result<()> {
        match is_endpoint(&self.phone_number) {
            true => Ok(()),
            false => Err(because("PhoneNumber", "input incorrectly formatted")),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OptedOut {
    is_opted_out: bool,
}

/// Nobody can answer a text message here, so that nobody has opted out.
fn check(_: &mut Cx<Topics>, input: OfNumber) -> Result<OptedOut> {
    input.check()?;
    Ok(OptedOut { is_opted_out: false })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    #[serde(rename = "nextToken")]
    _next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Numbers {
    phone_numbers: Vec<String>,
}

fn list(_: &mut Cx<Topics>, _: List) -> Result<Numbers> {
    Ok(Numbers { phone_numbers: Vec::new() })
}

fn opt_in(_: &mut Cx<Topics>, input: OfNumber) -> Result<Nothing> {
    input.check()?;
    Ok(Nothing {})
}
