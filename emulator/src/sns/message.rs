//! A message, and what SNS demands of it.
//! <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::errors::{attribute, invalid};
use super::topic::Topics;
use crate::Result;
use crate::cloud::Cx;

/// The largest message, in bytes, attributes included: 256 KiB.
pub(super) const SIZE_LIMIT: usize = 262_144;
/// The longest subject, in characters.
const SUBJECT_LIMIT: usize = 100;
/// The longest name of an attribute.
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html>
const NAME_LIMIT: usize = 256;

/// An attribute of a message, as the API has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Attribute {
    pub data_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub string_value: Option<String>,
    /// Base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binary_value: Option<String>,
}

impl Attribute {
    /// `Number` of `Number.int`.
    fn kind(&self) -> &str {
        self.data_type.split('.').next().unwrap_or_default()
    }

    /// The value as a text; bytes as base64.
    pub fn text(&self) -> &str {
        self.string_value.as_deref().or(self.binary_value.as_deref()).unwrap_or_default()
    }

    fn check(&self, name: &str) -> Result<()> {
        // `String.` names no type below String.
        let kind =
            if self.data_type.ends_with('.') && self.data_type.matches('.').count() == 1 { "" } else { self.kind() };
        let (wanted, given) = match kind {
            "String" | "Number" => (&self.string_value, &self.binary_value),
            "Binary" => (&self.binary_value, &self.string_value),
            _ => {
                return Err(attribute(format!(
                    "The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes \
                     is Binary, Number, and String."
                )));
            }
        };
        let field = if kind == "Binary" { "Binary" } else { "String" };
        let data_type = &self.data_type;
        if given.as_deref().is_some_and(|value| !value.is_empty()) {
            return Err(attribute(format!(
                "The message attribute '{name}' with type '{data_type}' must use field '{field}'."
            )));
        }
        if wanted.as_deref().is_none_or(str::is_empty) {
            return Err(attribute(format!(
                "The message attribute '{name}' must contain non-empty message attribute value for message attribute type \
                 '{data_type}'."
            )));
        }
        if kind == "Number" && self.text().trim().parse::<f64>().is_err() {
            return Err(attribute(format!("Could not cast message attribute '{name}' value to number.")));
        }
        Ok(())
    }
}

/// Checks the attributes of a message, and what they are called.
pub(super) fn check_attributes(attributes: &BTreeMap<String, Attribute>) -> Result<()> {
    for (name, value) in attributes {
        check_name(name)?;
        value.check(name)?;
    }
    Ok(())
}

fn check_name(name: &str) -> Result<()> {
    if name.len() > NAME_LIMIT {
        return Err(attribute(format!("Length of message attribute name must be less than {NAME_LIMIT} bytes.")));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if let Some(strange) = name.chars().find(|c| !allowed(*c)) {
        return Err(attribute(format!(
            "Invalid non-alphanumeric character '#x{:X}' was found in the message attribute name. Can only include alphanumeric \
             characters, hyphens, underscores, or dots.",
            u32::from(strange)
        )));
    }
    match name {
        name if name.starts_with('.') => {
            Err(attribute("Invalid message attribute name starting with character '.' was found."))
        }
        name if name.ends_with('.') => {
            Err(attribute("Invalid message attribute name ending with character '.' was found."))
        }
        name if name.contains("..") => Err(attribute("Message attribute name can not have successive '.' character.")),
        _ => Ok(()),
    }
}

/// What a message is sent for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kind {
    Notification,
    /// `SubscriptionConfirmation`.
    Confirmation {
        token: String,
    },
    /// `UnsubscribeConfirmation`.
    Farewell {
        token: String,
    },
}

impl Kind {
    /// What is in the link of a message that has one.
    pub fn token(&self) -> Option<&str> {
        match self {
            Self::Notification => None,
            Self::Confirmation { token } | Self::Farewell { token } => Some(token),
        }
    }
}

/// A message on its way. What it is about in other forms for other protocols has been decided: `text` is what one gets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Message {
    pub id: String,
    pub kind: Kind,
    pub topic: String,
    pub subject: Option<String>,
    pub text: String,
    pub attributes: BTreeMap<String, Attribute>,
    /// When it was published, as it is written in envelopes.
    pub timestamp: String,
    pub group: Option<String>,
    pub deduplication: Option<String>,
    /// Of a FIFO topic.
    pub sequence: Option<String>,
    /// `1` or `2`.
    pub signature_version: String,
    /// The trace that the publisher is part of, which receivers are told.
    #[serde(default)]
    pub trace: Option<String>,
    /// Where links in it lead: the service's own address.
    pub base: String,
}

impl Message {
    /// A message of the service's own.
    pub fn from_sns(cx: &mut Cx<Topics>, kind: Kind, topic: &str, text: String) -> Self {
        let version = cx.state.topics.get(topic).map_or("1", |topic| topic.signature_version()).to_owned();
        Self {
            id: cx.ids().uuid(),
            kind,
            topic: topic.to_owned(),
            subject: None,
            text,
            attributes: BTreeMap::new(),
            timestamp: cx.now.to_iso_millis(),
            group: None,
            deduplication: None,
            sequence: None,
            signature_version: version,
            trace: None,
            base: base(cx, topic),
        }
    }
}

/// Where the service is reached.
pub(super) fn base(cx: &Cx<Topics>, topic: &str) -> String {
    let region = topic.split(':').nth(3).unwrap_or(&cx.scope.region);
    cx.endpoint().unwrap_or_else(|| format!("https://sns.{region}.amazonaws.com"))
}

/// What a caller publishes: a request of its own, or an entry of a batch.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Content {
    /// Of an entry of a batch.
    pub id: Option<String>,
    pub message: String,
    pub subject: Option<String>,
    pub message_structure: Option<String>,
    #[serde(default)]
    pub message_attributes: BTreeMap<String, Attribute>,
    pub message_deduplication_id: Option<String>,
    pub message_group_id: Option<String>,
}

impl Content {
    /// In bytes, as it counts against the limit.
    pub fn size(&self) -> usize {
        let attributes = self.message_attributes.iter();
        let sizes = attributes.map(|(name, value)| {
            let bytes = match &value.binary_value {
                Some(binary) => binary.len() / 4 * 3,
                None => value.text().len(),
            };
            name.len() + value.data_type.len() + bytes
        });
        self.message.len() + sizes.sum::<usize>()
    }

    /// Checks it, and reads the forms for the protocols if it has several.
    pub fn forms(&self) -> Result<Forms> {
        if self.message.is_empty() {
            return Err(invalid("Empty message"));
        }
        if let Some(subject) = &self.subject {
            let first = subject.chars().next().is_some_and(|c| !c.is_whitespace());
            if !first || subject.chars().count() > SUBJECT_LIMIT || subject.chars().any(|c| c.is_control()) {
                return Err(invalid("Subject"));
            }
        }
        if self.size() > SIZE_LIMIT {
            return Err(invalid("Message too long"));
        }
        match self.message_structure.as_deref() {
            None | Some("") => Ok(Forms { default: self.message.clone(), others: BTreeMap::new() }),
            Some("json") => self.structured(),
            Some(_) => Err(invalid("MessageStructure")),
        }
    }

    fn structured(&self) -> Result<Forms> {
        let failed = || invalid("Message Structure - JSON message body failed to parse");
        let Ok(Value::Object(forms)) = serde_json::from_str(&self.message) else { return Err(failed()) };
        let texts = forms.into_iter().filter_map(|(protocol, form)| match form {
            Value::String(text) => Some((protocol, text)),
            _ => None,
        });
        let mut others: BTreeMap<String, String> = texts.collect();
        let none = || invalid("Message Structure - No default entry in JSON message body");
        let default = others.remove("default").ok_or_else(none)?;
        Ok(Forms { default, others })
    }
}

/// A message's text, by protocol.
#[derive(Clone, Debug)]
pub(super) struct Forms {
    default: String,
    others: BTreeMap<String, String>,
}

impl Forms {
    /// What a protocol gets.
    pub fn of(&self, protocol: &str) -> &str {
        self.others.get(protocol).unwrap_or(&self.default)
    }

    /// All of them.
    pub fn texts(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.default).chain(self.others.values())
    }
}
