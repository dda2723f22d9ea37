//! Filters of `DescribeParameters` and `GetParametersByPath`.
//!
//! <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterStringFilter.html>

use serde::Deserialize;

use super::names::{below, is_reserved};
use super::store::{Parameter, Version};
use super::validation;
use crate::{Error, Result};

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Filter {
    key: String,
    option: Option<String>,
    #[serde(default)]
    values: Vec<String>,
}

/// A filter of the older form: its values are beginnings of names, types, or ids of keys.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OldFilter {
    key: String,
    values: Vec<String>,
}

/// The same filters in the newer form.
pub(super) fn modern(filters: Vec<OldFilter>) -> Vec<Filter> {
    let option = |key: &str| (key == "Name").then(|| "BeginsWith".to_owned());
    filters.into_iter().map(|OldFilter { key, values }| Filter { option: option(&key), key, values }).collect()
}

/// Which operation the filters are of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Where {
    /// `DescribeParameters`.
    All,
    /// `GetParametersByPath`.
    Path,
}

impl Where {
    /// The keys that filters may have, tags apart, as the texts of errors list them.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::All => &["Path", "Name", "Type", "KeyId", "Tier", "DataType"],
            Self::Path => &["Type", "KeyId", "Label", "DataType"],
        }
    }
}

/// What the values of filters may be, where that is a fixed set.
const SETS: [(&str, &[&str]); 3] = [
    ("Type", &["String", "StringList", "SecureString"]),
    ("Tier", &["Standard", "Advanced", "Intelligent-Tiering"]),
    ("DataType", &["text", "aws:ec2:image", "aws:ssm:integration"]),
];

/// Filters that were looked at: a parameter must match each of them, by one of its values.
pub(super) struct Matcher<'a>(Vec<Looked<'a>>);

struct Looked<'a> {
    key: &'a str,
    option: &'a str,
    values: &'a [String],
}

impl<'a> Matcher<'a> {
    /// Checks filters.
    ///
    /// # Errors
    /// `InvalidFilterKey`, `InvalidFilterOption`, `InvalidFilterValue` and `ValidationException`, in AWS's words.
    pub fn new(filters: &'a [Filter], place: Where) -> Result<Self> {
        let mut looked: Vec<Looked<'_>> = Vec::new();
        for filter in filters {
            let filter = look(filter, place)?;
            if looked.iter().any(|one| one.key == filter.key) {
                let text = format!(
                    "The following filter is duplicated in the request: {}. A request can contain only one occurrence of a \
                     specific filter.",
                    filter.key
                );
                return Err(Error::client("InvalidFilterKey", text));
            }
            looked.push(filter);
        }
        Ok(Self(looked))
    }

    /// The version of a parameter that the filters let through: the newest, unless a label names another.
    pub fn version<'p>(&self, parameter: &'p Parameter) -> Result<Option<&'p Version>> {
        let label = self.0.iter().find(|filter| filter.key == "Label");
        let version = match label {
            Some(label) => {
                let labelled = |version: &&Version| version.labels.iter().any(|one| label.matches(one));
                parameter.versions.iter().rev().find(labelled)
            }
            None => Some(parameter.latest()?),
        };
        Ok(version.filter(|version| self.0.iter().all(|filter| filter.lets(parameter, version))))
    }
}

fn look(filter: &Filter, place: Where) -> Result<Looked<'_>> {
    let Filter { key, option, values } = filter;
    let is_tag = key.starts_with("tag:") && place == Where::All;
    if !is_tag && !place.keys().contains(&key.as_str()) {
        let valid = place.keys().join(", ");
        let text = format!("The following filter key is not valid: {key}. Valid filter keys include: [{valid}].");
        return Err(Error::client("InvalidFilterKey", text));
    }
    if values.is_empty() && !is_tag {
        let text = format!("The following filter values are missing : null for filter key {key}.");
        return Err(Error::client("InvalidFilterValue", text));
    }
    let options: &[&str] = match key.as_str() {
        "Path" => &["Recursive", "OneLevel"],
        "Name" => &["BeginsWith", "Equals", "Contains"],
        _ => &["BeginsWith", "Equals"],
    };
    let usual = if key == "Path" { "OneLevel" } else { "Equals" };
    let option = option.as_deref().unwrap_or(usual);
    if !options.contains(&option) {
        let valid = options.join(", ");
        let text = format!("The following filter option is not valid: {option}. Valid options include: [{valid}].");
        return Err(Error::client("InvalidFilterOption", text));
    }
    if let Some((_, set)) = SETS.iter().find(|(name, _)| *name == key)
        && let Some(value) = values.iter().find(|value| !set.contains(&value.as_str()))
    {
        let set = set.join(", ");
        let text = format!("The following filter value is not valid: {value}. Valid values include: [{set}].");
        return Err(Error::client("InvalidFilterValue", text));
    }
    if key == "Path" {
        values.iter().try_for_each(|path| check_path(path))?;
    }
    Ok(Looked { key, option, values })
}

fn check_path(path: &str) -> Result<()> {
    if is_reserved(path) {
        return Err(validation(
            "Filters for common parameters can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). When using global \
             parameters, please specify within a global namespace.",
        ));
    }
    below(path).map(drop)
}

impl Looked<'_> {
    fn lets(&self, parameter: &Parameter, version: &Version) -> bool {
        match self.key {
            "Name" => self.has_name(&parameter.name),
            "Path" => self.values.iter().any(|path| lies_below(path, &parameter.name, self.option == "Recursive")),
            "Type" => self.matches(&version.kind),
            "KeyId" => version.key_id.as_deref().is_some_and(|key| self.matches(key)),
            "Tier" => self.matches(&version.tier),
            "DataType" => self.matches(&version.data_type),
            // The version was chosen by it.
            "Label" => true,
            tag => match parameter.tags.get(tag.strip_prefix("tag:").unwrap_or(tag)) {
                Some(value) => self.values.is_empty() || self.matches(value),
                None => false,
            },
        }
    }

    fn matches(&self, text: &str) -> bool {
        self.values
            .iter()
            .any(|value| if self.option == "BeginsWith" { text.starts_with(value) } else { text == value })
    }

    /// The slash that a name begins with may be left out, or be there.
    fn has_name(&self, name: &str) -> bool {
        let bare = name.trim_start_matches('/');
        self.values.iter().any(|value| match self.option {
            "Contains" => name.contains(value.as_str()),
            "BeginsWith" => bare.starts_with(value.trim_start_matches('/')),
            _ => bare == value.trim_start_matches('/'),
        })
    }
}

fn lies_below(path: &str, name: &str, deep: bool) -> bool {
    let name = name.strip_prefix('/').unwrap_or(name);
    let path = path.trim_matches('/');
    let rest =
        if path.is_empty() { Some(name) } else { name.strip_prefix(path).and_then(|rest| rest.strip_prefix('/')) };
    rest.is_some_and(|rest| deep || !rest.contains('/'))
}
