//! Key schemas and index definitions as requests hold them: read, with AWS's checks in AWS's order.

use std::sync::Arc;

use dynamodb_expressions::KeyType;

use super::definition::{AttributeDefinition, IndexDefinition, KeySchemaElement};
use super::errors::{parameter, validation};
use super::index::Index;
use super::schema::{KeyAttribute, KeySchema};
use super::settings::{Billing, Throughput};
use crate::{Error, Result};

/// A table has at most so many local secondary indexes.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>
const MAX_LOCAL: usize = 5;
/// A table has at most so many global secondary indexes.
pub(super) const MAX_GLOBAL: usize = 20;
/// The partition key of a global index has at most so many attributes, and its sort key, too.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.DesignPattern.MultiAttributeKeys.html>
const MAX_ATTRIBUTES: usize = 4;

/// The attributes that keys may use.
pub(super) struct Attributes(pub Vec<(Arc<str>, KeyType)>);

impl Attributes {
    pub fn read(definitions: &[AttributeDefinition]) -> Result<Self> {
        let mut attributes: Vec<(Arc<str>, KeyType)> = Vec::with_capacity(definitions.len());
        for AttributeDefinition { attribute_name, attribute_type } in definitions {
            let kind = KeyType::from_name(attribute_type)
                .ok_or_else(|| parameter(format_args!("Unknown AttributeType: {attribute_type}")))?;
            if attributes.iter().any(|(name, _)| **name == **attribute_name) {
                return Err(parameter(format_args!(
                    "Duplicate AttributeName in AttributeDefinitions: {attribute_name}"
                )));
            }
            attributes.push((attribute_name.as_str().into(), kind));
        }
        Ok(Self(attributes))
    }

    fn find(&self, name: &str) -> Option<KeyAttribute> {
        let (name, kind) = self.0.iter().find(|(known, _)| &**known == name)?;
        Some(KeyAttribute { name: name.clone(), kind: *kind })
    }

    fn names(&self) -> String {
        self.0.iter().map(|(name, _)| &**name).collect::<Vec<_>>().join(", ")
    }

    fn undefined(&self, keys: &[&str]) -> Error {
        parameter(format_args!(
            "Some index key attributes are not defined in AttributeDefinitions. Keys: [{}], AttributeDefinitions: [{}]",
            keys.join(", "),
            self.names()
        ))
    }

    /// Reads the key schema of a table.
    pub fn table_key(&self, schema: &[KeySchemaElement]) -> Result<KeySchema> {
        if schema.len() > self.0.len() {
            return Err(validation("Invalid KeySchema: Some index key attribute have no definition"));
        }
        self.key(schema)
    }

    fn key(&self, schema: &[KeySchemaElement]) -> Result<KeySchema> {
        let key = self.several(schema)?;
        if !key.more_hash.is_empty() {
            return Err(validation("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"));
        }
        Ok(key)
    }

    /// Reads a key of several attributes, as only global indexes have it.
    fn several(&self, schema: &[KeySchemaElement]) -> Result<KeySchema> {
        let names: Vec<&str> = schema.iter().map(|element| element.attribute_name.as_str()).collect();
        let found: Option<Vec<KeyAttribute>> = names.iter().map(|name| self.find(name)).collect();
        let mut hash = found.ok_or_else(|| self.undefined(&names))?;
        if (1..names.len()).any(|place| names.iter().take(place).any(|earlier| names.get(place) == Some(earlier))) {
            return Err(validation("Both the Hash Key and the Range Key element in the KeySchema have the same name"));
        }
        if schema.first().is_some_and(|element| element.key_type != "HASH") {
            return Err(validation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type"));
        }
        let hashes = schema.iter().take_while(|element| element.key_type == "HASH").count();
        // Of these two no text of AWS's is known.
        if schema.iter().skip(hashes).any(|element| element.key_type == "HASH") {
            return Err(validation("Invalid KeySchema: A HASH KeySchemaElement stands after a RANGE KeySchemaElement"));
        }
        let mut range = hash.split_off(hashes);
        if hash.len().max(range.len()) > MAX_ATTRIBUTES {
            return Err(validation(format!(
                "Invalid KeySchema: More than {MAX_ATTRIBUTES} KeySchemaElements of one key type"
            )));
        }
        let rest = |attributes: &mut Vec<KeyAttribute>| attributes.split_off(attributes.len().min(1));
        let (more_hash, more_range) = (rest(&mut hash), rest(&mut range));
        let hash = hash.pop().ok_or_else(|| validation("Invalid KeySchema: it is empty"))?;
        Ok(KeySchema { hash, range: range.pop(), more_hash, more_range })
    }

    /// Reads the local indexes of a new table.
    pub fn local_indexes(
        &self,
        definitions: &[IndexDefinition],
        table: &KeySchema,
        taken: &mut Vec<Index>,
    ) -> Result<()> {
        if definitions.is_empty() {
            return Err(parameter("List of LocalSecondaryIndexes is empty"));
        }
        if table.range.is_none() {
            return Err(parameter(
                "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex",
            ));
        }
        for definition in definitions {
            let key = self.key(&definition.key_schema)?;
            let name = &definition.index_name;
            if key.range.is_none() {
                return Err(parameter(format_args!("Index KeySchema does not have a range key for index: {name}")));
            }
            if key.hash.name != table.hash.name {
                return Err(parameter(format_args!(
                    "Index KeySchema does not have the same leading hash key as table KeySchema for index: {name}. \
                     index hash key: {}, table hash key: {}",
                    key.hash.name, table.hash.name
                )));
            }
            check_projection(definition)?;
            self.take(definition, true, key, table, Throughput::default(), taken)?;
        }
        if definitions.len() > MAX_LOCAL {
            return Err(parameter(format_args!(
                "Number of LocalSecondaryIndexes exceeds per-table limit of {MAX_LOCAL}"
            )));
        }
        Ok(())
    }

    /// Reads the global indexes of a new table.
    pub fn global_indexes(
        &self,
        definitions: &[IndexDefinition],
        table: &KeySchema,
        billing: Billing,
        taken: &mut Vec<Index>,
    ) -> Result<()> {
        if definitions.is_empty() {
            return Err(parameter("List of GlobalSecondaryIndexes is empty"));
        }
        for definition in definitions {
            self.global_index(definition, table, billing, taken)?;
        }
        if definitions.len() > MAX_GLOBAL {
            return Err(parameter(format_args!(
                "GlobalSecondaryIndex count exceeds the per-table limit of {MAX_GLOBAL}"
            )));
        }
        Ok(())
    }

    /// Reads one global index.
    pub fn global_index(
        &self,
        definition: &IndexDefinition,
        table: &KeySchema,
        billing: Billing,
        taken: &mut Vec<Index>,
    ) -> Result<()> {
        let key = self.several(&definition.key_schema)?;
        check_projection(definition)?;
        let name = &definition.index_name;
        match (billing, definition.provisioned_throughput) {
            (Billing::PayPerRequest, Some(_)) => Err(parameter(format_args!(
                "ProvisionedThroughput should not be specified for index: {name} when BillingMode is PAY_PER_REQUEST"
            ))),
            (Billing::Provisioned, None) => {
                Err(parameter(format_args!("ProvisionedThroughput must be specified for index: {name}")))
            }
            (_, provisioned) => {
                let throughput =
                    Throughput::new(provisioned, definition.on_demand_throughput, definition.warm_throughput);
                self.take(definition, false, key, table, throughput, taken)
            }
        }
    }

    fn take(
        &self,
        definition: &IndexDefinition,
        local: bool,
        key: KeySchema,
        table: &KeySchema,
        throughput: Throughput,
        taken: &mut Vec<Index>,
    ) -> Result<()> {
        let name = definition.index_name.as_str();
        if taken.iter().any(|index| &*index.name == name) {
            return Err(parameter(format_args!("Duplicate index name: {name}")));
        }
        taken.push(Index::new(name, local, key, table, definition.projection.clone(), throughput));
        Ok(())
    }

    /// Refuses attributes that no key uses.
    pub fn check_used(&self, table: &KeySchema, indexes: &[Index]) -> Result<()> {
        let is_used = |name: &str| table.has(name) || indexes.iter().any(|index| index.key.has(name));
        if self.0.iter().all(|(name, _)| is_used(name)) {
            return Ok(());
        }
        if indexes.is_empty() {
            return Err(parameter(
                "Number of attributes in KeySchema does not exactly match number of attributes defined in \
                 AttributeDefinitions",
            ));
        }
        let used: Vec<&str> = self.0.iter().map(|(name, _)| &**name).filter(|name| is_used(name)).collect();
        Err(parameter(format_args!(
            "Some AttributeDefinitions are not used. AttributeDefinitions: [{}], keys used: [{}]",
            self.names(),
            used.join(", ")
        )))
    }
}

fn check_projection(definition: &IndexDefinition) -> Result<()> {
    let projection = &definition.projection;
    let Some(kind) = projection.projection_type.as_deref() else {
        return Err(parameter("Unknown ProjectionType: null"));
    };
    match (kind, &projection.non_key_attributes) {
        ("INCLUDE", None) => Err(parameter("ProjectionType is INCLUDE, but NonKeyAttributes is not specified")),
        ("INCLUDE", Some(_)) | (_, None) => Ok(()),
        (_, Some(_)) => Err(parameter(format_args!("ProjectionType is {kind}, but NonKeyAttributes is specified"))),
    }
}
