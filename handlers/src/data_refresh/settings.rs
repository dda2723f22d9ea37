//! The function's settings, from its environment.

use crate::env::{Lookup, SettingsError, invalid, required};

/// The tables that there are unless `TABLES` says otherwise.
const DEFAULT_TABLES: &str = "category,establishment,sale";

/// The settings of data-refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `SOURCE_BUCKET`: the partner's bucket.
    pub source_bucket: String,
    /// `DEST_BUCKET`: where the tables are copied to.
    pub dest_bucket: String,
    /// `TABLES`: their names, separated by commas; each once.
    pub tables: Vec<String>,
}

impl Settings {
    /// Reads every setting through `env`, which answers like `std::env::var(name).ok()`.
    pub fn read(env: Lookup<'_'>) -> Result<Self, SettingsError> {
        let mut tables = Vec::new();
        let listed = env("TABLES").unwrap_or_else(|| DEFAULT_TABLES.to_owned());
        for table in listed.split(',').map(str::trim).filter(|table| !table.is_empty()) {
            // A table's name becomes part of a key.
            if !table.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-') {
                return Err(invalid("TABLES", format!("{table:?} is no name of a table")));
            }
            if !tables.iter().any(|known| known == table) {
                tables.push(table.to_owned());
            }
        }
        if tables.is_empty() {
            return Err(invalid("TABLES", "names no table"));
        }
        Ok(Self { source_bucket: required(env, "SOURCE_BUCKET")?, dest_bucket: required(env, "DEST_BUCKET")?, tables })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tables: Option<&str>) -> Result<Settings, SettingsError> {
        Settings::read(&|name| match name {
            "TABLES" => tables.map(str::to_owned),
            name => Some(name.to_lowercase()),
        })
    }

    #[test]
    fn tables_have_names_that_can_be_keys() {
        assert_eq!(read(None).map(|settings| settings.tables.len()), Ok(3));
        assert_eq!(read(Some("a, b,a")).map(|settings| settings.tables), Ok(vec!["a".to_owned(), "b".to_owned()]));
        assert!(read(Some("../x")).is_err());
        assert!(read(Some(" , ")).is_err());
    }
}
