//! What requests with expressions or their legacy parameters have in common: which may stand together.

use dynamodb_expressions::{Condition, ExpressionKind, Placeholders, Projection};
use serde_json::{Map, Value};

use super::errors::validation;
use crate::Result;

/// A map of attributes, conditions or placeholders as it stands in a request.
pub(super) type Json = Map<String, Value>;

/// The parameters that a request uses, of the two kinds that may not be mixed.
pub(super) struct Parameters<'a> {
    /// The expressions by the names of their parameters.
    pub expressions: &'a [(&'static str, bool)],
    /// The legacy parameters.
    pub legacy: &'a [(&'static str, bool)],
    pub names: bool,
    pub values: bool,
}

impl Parameters<'_> {
    /// Refuses both kinds in one request, and placeholders without expressions.
    pub fn check(&self) -> Result<()> {
        let given = |all: &[(&'static str, bool)]| -> Vec<&'static str> {
            all.iter().filter(|(_, given)| *given).map(|(name, _)| *name).collect()
        };
        let has_expression = self.expressions.iter().any(|(_, given)| *given);
        if has_expression && self.legacy.iter().any(|(_, given)| *given) {
            return Err(validation(format!(
                "Can not use both expression and non-expression parameters in the same request: Non-expression \
                 parameters: {{{}}} Expression parameters: {{{}}}",
                given(self.legacy).join(", "),
                given(self.expressions).join(", ")
            )));
        }
        if self.names && !has_expression {
            return Err(validation("ExpressionAttributeNames can only be specified when using expressions"));
        }
        let mut with_values = self.expressions.iter().filter(|(name, _)| *name != "ProjectionExpression");
        if self.values && !with_values.clone().any(|(_, given)| *given) {
            let names: Vec<&str> = with_values.by_ref().map(|(name, _)| *name).collect();
            let are = if names.len() > 1 { "are" } else { "is" };
            let names = names.join(" and ");
            let message = "ExpressionAttributeValues can only be specified when using expressions";
            return Err(validation(format!("{message}: {names} {are} null")));
        }
        Ok(())
    }
}

/// Reads the legacy condition of a write.
pub(super) fn expected(expected: Option<&Json>, operator: Option<&str>) -> Result<Option<Condition>> {
    check_operator(expected, operator)?;
    Ok(expected.map(|expected| Condition::from_expected(expected, operator)).transpose()?)
}

/// Reads the legacy filter of a query or scan.
pub(super) fn filter(filter: Option<&Json>, operator: Option<&str>) -> Result<Option<Condition>> {
    Ok(filter.map(|filter| Condition::from_filter(filter, operator)).transpose()?)
}

/// `ConditionalOperator` joins the conditions of a legacy parameter, so there must be some to join.
pub(super) fn check_operator(conditions: Option<&Json>, operator: Option<&str>) -> Result<()> {
    match (conditions.map_or(0, Map::len), operator) {
        (0, Some(_)) => Err(validation("ConditionalOperator cannot be used without Filter or Expected")),
        (1, Some(_)) => {
            Err(validation("ConditionalOperator can only be used when Filter or Expected has two or more elements"))
        }
        _ => Ok(()),
    }
}

/// Reads an expression, if there is one.
pub(super) fn condition(
    kind: ExpressionKind,
    text: Option<&str>,
    placeholders: &mut Placeholders,
) -> Result<Option<Condition>> {
    Ok(text.map(|text| Condition::parse(kind, text, placeholders)).transpose()?)
}

/// Reads what of an item a request wants.
pub(super) fn projection(text: Option<&str>, placeholders: &mut Placeholders) -> Result<Option<Projection>> {
    Ok(text.map(|text| Projection::parse(text, placeholders)).transpose()?)
}

/// Reads the legacy form of the same.
pub(super) fn attributes_to_get(names: Option<&[String]>) -> Result<Option<Projection>> {
    Ok(names.map(Projection::from_attributes_to_get).transpose()?)
}
