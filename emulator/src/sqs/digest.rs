//! The attributes that a message carries, their size, and the digests by which SDKs check what they sent and received.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html>

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5_many::Md5State;
use serde::{Deserialize, Serialize};

use super::errors::attribute_error;
use crate::Result;

/// A message has at most this many attributes.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>
const MAX_ATTRIBUTES: usize = 10;
/// The longest name, and the longest type, in characters.
const MAX_NAME: usize = 256;
/// In the digest, what a value is written as.
const STRING: u8 = 1;
const BINARY: u8 = 2;

/// The value of a message attribute, or of a message system attribute, as the API has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AttributeValue {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub string_value: Option<String>,
    /// Base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binary_value: Option<String>,
    /// Reserved by AWS; only empty lists are taken.
    #[serde(default, skip_serializing)]
    string_list_values: Vec<String>,
    #[serde(default, skip_serializing)]
    binary_list_values: Vec<String>,
    #[serde(default)]
    pub data_type: String,
}

impl AttributeValue {
    /// A text.
    pub fn string(value: String) -> Self {
        Self { string_value: Some(value), data_type: "String".to_owned(), ..Self::default() }
    }

    fn is_binary(&self) -> bool {
        self.kind() == "Binary"
    }

    /// `Number` of `Number.int`.
    fn kind(&self) -> &str {
        self.data_type.split('.').next().unwrap_or("")
    }

    fn bytes(&self) -> Vec<u8> {
        match (&self.string_value, &self.binary_value) {
            (_, Some(binary)) if self.is_binary() => STANDARD.decode(binary).unwrap_or_default(),
            (Some(text), _) => text.clone().into_bytes(),
            _ => Vec::new(),
        }
    }
}

/// The digest of a text, in hexadecimal.
pub(super) fn of_text(text: &str) -> String {
    hex::encode(md5_many::md5(text.as_bytes()))
}

/// The digest of attributes, as SDKs compute it: in the order of their names, each part with its length.
pub(super) fn of_attributes(attributes: &BTreeMap<String, AttributeValue>) -> String {
    digest(attributes.iter().map(|(name, value)| (name.as_str(), value)))
}

/// The digest of the one system attribute there is.
pub(super) fn of_trace(trace: &AttributeValue) -> String {
    digest(std::iter::once((super::send::TRACE_HEADER, trace)))
}

fn digest<'a>(attributes: impl Iterator<Item = (&'a str, &'a AttributeValue)>) -> String {
    let mut hash = Md5State::new();
    for (name, value) in attributes {
        part(&mut hash, name.as_bytes());
        part(&mut hash, value.data_type.as_bytes());
        hash.update(&[if value.is_binary() { BINARY } else { STRING }]);
        part(&mut hash, &value.bytes());
    }
    hex::encode(hash.finalize())
}

fn part(hash: &mut Md5State, bytes: &[u8]) {
    hash.update(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    hash.update(bytes);
}

/// What attributes count for in the size of a message, in bytes.
pub(super) fn size_of_attributes(attributes: &BTreeMap<String, AttributeValue>) -> usize {
    attributes.iter().map(|(name, value)| name.len() + value.data_type.len() + value.bytes().len()).sum()
}

/// Checks names, types and values of message attributes.
pub(super) fn check_attributes(attributes: &BTreeMap<String, AttributeValue>) -> Result<()> {
    if attributes.len() > MAX_ATTRIBUTES {
        return Err(attribute_error(format!(
            "Number of message attributes [{}] exceeds the allowed maximum [{MAX_ATTRIBUTES}].",
            attributes.len()
        )));
    }
    attributes.iter().try_for_each(|(name, value)| {
        check_name(name)?;
        check_value("user", name, value)
    })
}

/// Checks the value of a system attribute.
pub(super) fn check_system_attribute(name: &str, value: &AttributeValue) -> Result<()> {
    check_value("system", name, value)?;
    if value.data_type != "String" {
        return Err(attribute_error(format!("Message (system) attribute '{name}' must be of type 'String'.")));
    }
    Ok(())
}

fn check_name(name: &str) -> Result<()> {
    // The text says less than what is taken: letters of other alphabets pass as well.
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || !name.chars().all(allowed) {
        return Err(attribute_error(format!(
            "The message attribute name '{name}' is invalid. Attribute name can contain A-Z, a-z, 0-9, underscore (_), hyphen \
             (-), and period (.) characters."
        )));
    }
    if name.len() > MAX_NAME {
        return Err(attribute_error("Message attribute name must be shorter than 256 bytes."));
    }
    let lower = name.to_ascii_lowercase();
    if name.starts_with('.') || name.ends_with('.') || name.contains("..") {
        return Err(attribute_error(
            "You can't use message attribute names beginning or ending with a period, or with periods in succession.",
        ));
    }
    if lower.starts_with("aws.") || lower.starts_with("amazon.") {
        return Err(attribute_error(format!(
            "You can't use message attribute names beginning with 'AWS.' or 'Amazon.' because these strings are reserved for \
             internal use: '{name}'."
        )));
    }
    Ok(())
}

fn check_value(owner: &str, name: &str, value: &AttributeValue) -> Result<()> {
    let kind = value.kind();
    if !value.string_list_values.is_empty() || !value.binary_list_values.is_empty() {
        return Err(attribute_error("Message attribute list values in SendMessage operation are not supported."));
    }
    if value.data_type.is_empty() {
        return Err(attribute_error(format!("Message ({owner}) attribute '{name}' must contain a non-empty type.")));
    }
    if value.data_type.len() > MAX_NAME || !matches!(kind, "String" | "Number" | "Binary") {
        return Err(attribute_error(format!(
            "The type of message ({owner}) attribute '{name}' is invalid. You must use only the following supported type \
             prefixes: Binary, Number, String."
        )));
    }
    let text = value.string_value.as_deref().unwrap_or("");
    let empty =
        if value.is_binary() { value.binary_value.as_deref().unwrap_or("").is_empty() } else { text.is_empty() };
    if empty {
        return Err(attribute_error(format!(
            "Message ({owner}) attribute '{name}' must contain a non-empty value of type '{kind}'."
        )));
    }
    if !text.chars().all(super::send::is_allowed) {
        return Err(attribute_error(format!("Message ({owner}) attribute '{name}' contains invalid characters.")));
    }
    if kind == "Number" && text.parse::<f64>().is_err() {
        return Err(attribute_error(format!(
            "Can't cast the value of message ({owner}) attribute '{name}' to a number."
        )));
    }
    Ok(())
}
