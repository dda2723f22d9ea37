//! Puts paths and values into a condition, and refuses operands that fit no item.

use super::evaluate::{Comparator, Function, Operand, Test, compare};
use super::parse::Tree;
use crate::operand::{RawCall, RawOperand, not_a_path, wrong_count, wrong_type};
use crate::path::{Heads, Path};
use crate::{AttributeValue, Error, Placeholders, Result};

/// The most values of IN.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html>
const MAX_IN_VALUES: usize = 100;
/// The types that the function `attribute_type` knows, as its errors list them.
const TYPE_NAMES: [&str; 10] = ["B", "NULL", "SS", "BOOL", "L", "BS", "N", "NS", "S", "M"];

/// The condition that the tree stands for, and the attributes that it reads.
pub(super) fn resolve(tree: &Tree<'_>, placeholders: &mut Placeholders) -> Result<(Test, Heads)> {
    let mut heads = Heads::default();
    let test = whole(tree, placeholders, &mut heads)?;
    Ok((test, heads))
}

fn whole(tree: &Tree<'_>, placeholders: &mut Placeholders, heads: &mut Heads) -> Result<Test> {
    let mut parts =
        |parts: &[Tree<'_>]| parts.iter().map(|part| whole(part, placeholders, heads)).collect::<Result<Vec<Test>>>();
    match tree {
        Tree::Or(trees) => Ok(Test::Or(parts(trees)?)),
        Tree::And(trees) => Ok(Test::And(parts(trees)?)),
        Tree::Not(tree) => Ok(Test::Not(Box::new(whole(tree, placeholders, heads)?))),
        primary => Resolver { placeholders, heads, faults: Faults::default() }.primary(primary),
    }
}

/// What is wrong with one condition without AND, OR and NOT. Of several faults DynamoDB answers the first kind.
#[derive(Default)]
struct Faults {
    placeholder: Option<Error>,
    count: Option<Error>,
    distinct: Option<Error>,
    operand: Option<Error>,
}

struct Resolver<'p> {
    placeholders: &'p mut Placeholders,
    heads: &'p mut Heads,
    faults: Faults,
}

impl Resolver<'_> {
    fn primary(mut self, tree: &Tree<'_>) -> Result<Test> {
        let test = match tree {
            Tree::Compare(comparator, operands) => self.compare(*comparator, &operands[..]),
            Tree::Between(operands) => self.between(&operands[..]),
            Tree::In(operands) => self.among(operands),
            Tree::Call(call) => self.call(call),
            // `whole` has taken these apart.
            Tree::Or(_) | Tree::And(_) | Tree::Not(_) => None,
        };
        let Faults { placeholder, count, distinct, operand } = self.faults;
        match placeholder.or(count).or(distinct).or(operand) {
            Some(fault) => Err(fault),
            // Without a fault every operand is in its place.
            None => test.ok_or_else(|| Error::validation("Syntax error;")),
        }
    }

    fn compare(&mut self, comparator: Comparator, operands: &[RawOperand<'_>]) -> Option<Test> {
        let operands = self.operands(operands);
        let symbol = comparator.symbol();
        if !matches!(comparator, Comparator::Equal | Comparator::NotEqual) {
            self.check_types(symbol, &operands, &["S", "N", "B"]);
        }
        self.check_distinct(symbol, &operands);
        Some(Test::Compare(comparator, all(operands)?.try_into().ok()?))
    }

    fn between(&mut self, operands: &[RawOperand<'_>]) -> Option<Test> {
        let operands = self.operands(operands);
        self.check_types("BETWEEN", &operands, &["S", "N", "B"]);
        if let [_, Some(Operand::Value(lower)), Some(Operand::Value(upper))] = &operands[..] {
            let fault = match compare(lower, upper) {
                None => Some("same data type for lower and upper bounds"),
                Some(order) if order.is_gt() => Some("upper bound to be greater than or equal to lower bound"),
                Some(_) => None,
            };
            if let Some(fault) = fault {
                self.faults.operand.get_or_insert_with(|| {
                    Error::validation(format!(
                        "The BETWEEN operator requires {fault}; lower bound operand: {}, upper bound operand: {}",
                        described(lower),
                        described(upper)
                    ))
                });
            }
        }
        Some(Test::Between(all(operands)?.try_into().ok()?))
    }

    fn among(&mut self, operands: &[RawOperand<'_>]) -> Option<Test> {
        let values = operands.len() - 1;
        let operands = self.operands(operands);
        if values > MAX_IN_VALUES {
            self.faults.count.get_or_insert_with(|| {
                Error::validation(format!(
                    "The IN operator is provided with too many operands; number of operands: {values}"
                ))
            });
        }
        Some(Test::In(all(operands)?))
    }

    fn call(&mut self, call: &RawCall<'_>) -> Option<Test> {
        let function = Function::from_name(call.name)?;
        let operands = self.operands(&call.operands);
        if operands.len() != function.operands() {
            self.faults.count.get_or_insert_with(|| wrong_count(call.name, operands.len()));
            return None;
        }
        self.check_distinct(call.name, &operands);
        match function {
            Function::AttributeExists | Function::AttributeNotExists => {
                if !matches!(operands.first(), Some(Some(Operand::Path(_)) | None)) {
                    self.faults.operand.get_or_insert_with(|| not_a_path(call.name));
                }
            }
            Function::AttributeType => self.check_type_name(call.name, operands.get(1)),
            Function::BeginsWith => self.check_types(call.name, &operands, &["S", "B"]),
            Function::Contains => {}
        }
        Some(Test::Call(function, all(operands)?))
    }

    /// The operands, as far as their placeholders are defined.
    fn operands(&mut self, operands: &[RawOperand<'_>]) -> Vec<Option<Operand>> {
        operands.iter().map(|operand| self.operand(operand)).collect()
    }

    fn operand(&mut self, operand: &RawOperand<'_>) -> Option<Operand> {
        match operand {
            RawOperand::Path(path) => {
                let path = path.resolve(self.placeholders);
                let path = self.known(path)?;
                self.heads.note(&path);
                Some(Operand::Path(path))
            }
            RawOperand::Value(key) => {
                let value = self.placeholders.value(key);
                self.known(value).map(Operand::Value)
            }
            // `parse` lets no other function stand here.
            RawOperand::Call(call) => {
                let mut operands = self.operands(&call.operands);
                if operands.len() != 1 {
                    self.faults.count.get_or_insert_with(|| wrong_count(call.name, operands.len()));
                    return None;
                }
                self.check_types(call.name, &operands, &["S", "B", "M", "L", "SS", "NS", "BS"]);
                operands.pop().flatten().map(|operand| Operand::Size(Box::new(operand)))
            }
        }
    }

    fn known<T>(&mut self, found: Result<T>) -> Option<T> {
        found.map_err(|error| self.faults.placeholder.get_or_insert(error).clone()).ok()
    }

    /// The types of operands that are known without an item.
    fn check_types(&mut self, function: &str, operands: &[Option<Operand>], allowed: &[&str]) {
        let wrong = operands.iter().filter_map(known_type).find(|data_type| !allowed.contains(data_type));
        if let Some(data_type) = wrong {
            self.faults.operand.get_or_insert_with(|| wrong_type(function, data_type));
        }
    }

    /// The second operand of `attribute_type`: a text of the request, and the name of a type.
    fn check_type_name(&mut self, function: &str, operand: Option<&Option<Operand>>) {
        let fault = match operand {
            Some(Some(Operand::Value(AttributeValue::S(name)))) if TYPE_NAMES.contains(&&**name) => return,
            Some(Some(Operand::Value(AttributeValue::S(name)))) => Error::validation(format!(
                "Invalid attribute type name found; type: {name}, valid types: {{{}}}",
                TYPE_NAMES.join(",")
            )),
            Some(operand) => wrong_type(function, known_type(operand).unwrap_or("{NS,SS,L,BS,N,M,B,BOOL,NULL,S}")),
            None => return,
        };
        self.faults.operand.get_or_insert(fault);
    }

    /// The two operands may not be one path.
    fn check_distinct(&mut self, function: &str, operands: &[Option<Operand>]) {
        if let [Some(Operand::Path(first)), Some(Operand::Path(second))] = operands
            && first == second
        {
            self.faults.distinct.get_or_insert_with(|| not_distinct(function, first));
        }
    }
}

fn not_distinct(function: &str, path: &Path) -> Error {
    Error::validation(format!(
        "The first operand must be distinct from the remaining operands for this operator or function; operator: \
         {function}, first operand: {path}"
    ))
}

/// The type of an operand, if it is known without an item.
fn known_type(operand: &Option<Operand>) -> Option<&'static str> {
    match operand.as_ref()? {
        Operand::Value(value) => Some(value.type_name()),
        Operand::Size(_) => Some("N"),
        Operand::Path(_) => None,
    }
}

fn all(operands: Vec<Option<Operand>>) -> Option<Vec<Operand>> {
    operands.into_iter().collect()
}

/// A value as AWS prints it in errors: `AttributeValue: {N:1}`.
fn described(value: &AttributeValue) -> String {
    let json = value.to_json();
    let text = json.get(value.type_name()).and_then(|text| text.as_str()).unwrap_or_default();
    format!("AttributeValue: {{{}:{text}}}", value.type_name())
}
