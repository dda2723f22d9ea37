//! The `Rules` section: what the values of parameters must be together, checked before anything is created.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html>

use serde_json::Value;

use super::conditions::OPERANDS;
use super::resolve::{Lookup, Resolver};
use super::{MAX_DEPTH, Template, format_error, scalar_text, template_error, validation_error};
use crate::{Error, Result};

/// Checks every rule whose condition holds. `lookup` answers for parameters, pseudo parameters and mappings.
///
/// # Errors
/// `ValidationError` for malformed rules and for an assertion that does not hold. AWS's text for the latter is not published;
/// it has the description in it.
pub fn check(template: &Template, lookup: &dyn Lookup) -> Result<()> {
    let work = Evaluation { resolver: Resolver::new(lookup) };
    for (name, rule) in &template.rules {
        if let Some(condition) = rule.get("RuleCondition")
            && !work.holds(condition, 0)?
        {
            continue;
        }
        let assertions = rule.get("Assertions").and_then(Value::as_array);
        for assertion in assertions.ok_or_else(|| malformed(name))? {
            if !work.holds(assertion.get("Assert").ok_or_else(|| malformed(name))?, 0)? {
                let why = assertion.get("AssertDescription").and_then(scalar_text).unwrap_or_default();
                return Err(validation_error(format!("Rule [{name}] failed: {why}")));
            }
        }
    }
    Ok(())
}

struct Evaluation<'a> {
    resolver: Resolver<'a>,
}

impl Evaluation<'_> {
    fn holds(&self, rule: &Value, depth: usize) -> Result<bool> {
        let member = rule.as_object().filter(|members| members.len() == 1).and_then(|m| m.iter().next());
        let Some((function, argument)) = member.filter(|_| depth <= MAX_DEPTH) else {
            return Err(format_error("Every rule condition and assertion must be a rule function."));
        };
        let operands = argument.as_array().map_or(&[] as &[Value], Vec::as_slice);
        let all = || operands.iter().map(|one| self.holds(one, depth + 1)).collect::<Result<Vec<bool>>>();
        match (function.as_str(), operands) {
            ("Fn::And", _) if OPERANDS.contains(&operands.len()) => Ok(all()?.into_iter().all(|holds| holds)),
            ("Fn::Or", _) if OPERANDS.contains(&operands.len()) => Ok(all()?.into_iter().any(|holds| holds)),
            ("Fn::Not", [operand]) => Ok(!self.holds(operand, depth + 1)?),
            ("Fn::Equals", [left, right]) => Ok(self.texts(left)? == self.texts(right)?),
            ("Fn::Contains", [list, text]) => {
                let list = self.texts(list)?;
                Ok(self.texts(text)?.iter().all(|text| list.contains(text)))
            }
            ("Fn::EachMemberEquals", [list, text]) => {
                let text = self.texts(text)?;
                Ok(self.texts(list)?.iter().all(|one| text == [one.as_str()]))
            }
            ("Fn::EachMemberIn", [checked, list]) => {
                let list = self.texts(list)?;
                Ok(self.texts(checked)?.iter().all(|one| list.contains(one)))
            }
            (
                "Fn::And"
                | "Fn::Or"
                | "Fn::Not"
                | "Fn::Equals"
                | "Fn::Contains"
                | "Fn::EachMemberEquals"
                | "Fn::EachMemberIn",
                _,
            ) => Err(template_error(format!("{function} in Rules has a wrong number of parameters."))),
            _ => Err(format_error(format!("{function} is no function of rules that is true or false."))),
        }
    }

    /// A text, or a list of them. What asks EC2 for all that there is of a type, or for what belongs to it, cannot be answered.
    fn texts(&self, value: &Value) -> Result<Vec<String>> {
        let asks = |name: &&str| value.get(*name).is_some();
        if let Some(name) = ["Fn::RefAll", "Fn::ValueOf", "Fn::ValueOfAll"].into_iter().find(asks) {
            return Err(Error::not_implemented(format_args!(
                "{name} in the Rules section of CloudFormation templates"
            )));
        }
        let resolved = self.resolver.resolve(value)?;
        let items = match &resolved {
            Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        let text =
            |item: &Value| scalar_text(item).ok_or_else(|| format_error("Rules compare texts and lists of texts."));
        items.iter().map(text).collect()
    }
}

fn malformed(name: &str) -> Error {
    format_error(format!("Rule {name} must have a list of Assertions with an Assert member each."))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;

    use super::super::resolve::Pseudo;
    use super::super::{parameters, parse};
    use super::*;

    /// A lookup with parameters and nothing else.
    struct Values(serde_json::Map<String, Value>);

    impl Lookup for Values {
        fn reference(&self, name: &str) -> Option<Value> {
            self.0
                .get(name)
                .cloned()
                .or_else(|| Pseudo { region: "us-east-1".to_owned(), ..Pseudo::default() }.get(name))
        }
        fn attribute(&self, _: &str, _: &str) -> Result<Value> {
            Err(Error::internal("rules know no attributes"))
        }
        fn import(&self, _: &str) -> Option<Value> {
            None
        }
        fn mapping(&self, _: &str, _: &str, _: &str) -> Option<Value> {
            None
        }
        fn condition(&self, _: &str) -> Option<bool> {
            None
        }
        fn zones(&self, _: &str) -> Vec<String> {
            Vec::new()
        }
    }

    /// Checks one rule, in YAML.
    fn checked(rule: &str) -> Result<()> {
        let head = "Resources: {A: {Type: T}}\nParameters:\n  V: {Type: String, Default: '6'}\n  L: {Type: CommaDelimitedList, Default: 'a,b'}";
        let template = parse(&format!("{head}\nRules:\n  R: {rule}"))?;
        let values = parameters::values(&template, &BTreeMap::new(), &|_| None)?;
        check(&template, &Values(values))
    }

    #[test]
    fn assertions_hold_or_say_what_they_want() {
        let assertion = |text: &str| format!("{{Assertions: [{{Assert: {text}, AssertDescription: no good}}]}}");
        for holds in [
            "{'Fn::Not': [{'Fn::Contains': [['4', '5'], {Ref: V}]}]}",
            "{'Fn::EachMemberIn': [{Ref: L}, [a, b, c]]}",
            "{'Fn::Or': [{'Fn::Equals': [{Ref: V}, '7']}, {'Fn::Equals': [{Ref: 'AWS::Region'}, us-east-1]}]}",
            "{'Fn::EachMemberEquals': [['6', '6'], {Ref: V}]}",
        ] {
            checked(&assertion(holds)).unwrap();
            let turned = format!("{{'Fn::Not': [{holds}]}}");
            assert_eq!(checked(&assertion(&turned)).unwrap_err().message(), "Rule [R] failed: no good");
        }
        let never = "{RuleCondition: {'Fn::Equals': [{Ref: V}, x]}, Assertions: [{Assert: {'Fn::Equals': [a, b]}}]}";
        checked(never).unwrap();
        assert_eq!(
            checked(&assertion("{'Fn::Contains': [{'Fn::RefAll': 'AWS::EC2::VPC::Id'}, x]}")).unwrap_err().status(),
            501
        );
        assert_eq!(checked("{Assertions: [{}]}").unwrap_err().code(), "ValidationError");
    }
}
