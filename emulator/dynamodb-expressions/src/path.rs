//! Document paths: `a.b[1].#c`, one by one and several in one expression.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::json::NESTING_LEVELS;
use crate::lexer::{Kind, Tokens};
use crate::reserved::is_reserved;
use crate::{AttributeValue, Error, Item, Placeholders, Result};

/// The greatest index of a list in a path.
const MAX_INDEX: u32 = i32::MAX as u32;

/// One step into a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// `.name`
    Name(Arc<str>),
    /// `[index]`
    Index(usize),
}

impl Step {
    /// True if both steps go into the same kind of document.
    fn is_like(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Name(_), Self::Name(_)) | (Self::Index(_), Self::Index(_)))
    }

    /// The element of a document.
    pub(crate) fn of<'a>(&self, value: &'a AttributeValue) -> Option<&'a AttributeValue> {
        match (self, value) {
            (Self::Name(name), AttributeValue::M(map)) => map.get(name),
            (Self::Index(index), AttributeValue::L(list)) => list.get(*index),
            _ => None,
        }
    }
}

/// A path to an attribute or into one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Path {
    /// The top-level attribute.
    pub(crate) head: Arc<str>,
    /// The steps into it.
    pub(crate) steps: Vec<Step>,
}

impl Path {
    /// The path to a top-level attribute.
    pub(crate) fn attribute(name: &str) -> Self {
        Self { head: Arc::from(name), steps: Vec::new() }
    }

    /// What stands there in an item.
    pub(crate) fn get<'a>(&self, item: &'a Item) -> Option<&'a AttributeValue> {
        self.steps.iter().try_fold(item.get(&self.head)?, |value, step| step.of(value))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}", self.head)?;
        for step in &self.steps {
            match step {
                Step::Name(name) => write!(f, ", {name}")?,
                Step::Index(index) => write!(f, ", [{index}]")?,
            }
        }
        f.write_str("]")
    }
}

/// A path as it is written: names may be placeholders.
#[derive(Debug, Clone)]
pub(crate) struct RawPath<'a>(Vec<RawStep<'a>>);

#[derive(Debug, Clone, Copy)]
enum RawStep<'a> {
    Word(&'a str),
    Placeholder(&'a str),
    Index(&'a str),
}

impl<'a> RawPath<'a> {
    /// Reads a path.
    pub(crate) fn parse(tokens: &mut Tokens<'a>) -> Result<Self> {
        let mut path = Self(vec![name(tokens)?]);
        path.parse_steps(tokens)?;
        Ok(path)
    }

    /// Reads the steps that follow.
    pub(crate) fn parse_steps(&mut self, tokens: &mut Tokens<'a>) -> Result<()> {
        loop {
            if tokens.accept(".") {
                self.0.push(name(tokens)?);
            } else if tokens.accept("[") {
                if tokens.kind() != Kind::Digits {
                    return Err(tokens.unexpected());
                }
                self.0.push(RawStep::Index(tokens.next()));
                tokens.expect("]")?;
            } else {
                return Ok(());
            }
        }
    }

    /// What is wrong with it whatever the placeholders stand for: a reserved word, an index out of range.
    pub(crate) fn check(&self) -> Result<()> {
        for step in &self.0 {
            match step {
                RawStep::Word(word) if is_reserved(word) => {
                    return Err(Error::validation(format!(
                        "Attribute name is a reserved keyword; reserved keyword: {word}"
                    )));
                }
                RawStep::Index(digits) if !digits.parse::<u32>().is_ok_and(|index| index <= MAX_INDEX) => {
                    return Err(Error::validation(format!(
                        "List index is not within the allowable range; index: [{digits}]"
                    )));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The path that it stands for.
    pub(crate) fn resolve(&self, placeholders: &mut Placeholders) -> Result<Path> {
        let mut head = None;
        let mut steps = Vec::with_capacity(self.0.len() - 1);
        for step in &self.0 {
            let step = match step {
                RawStep::Word(word) => Step::Name(Arc::from(*word)),
                RawStep::Placeholder(key) => Step::Name(placeholders.name(key)?),
                RawStep::Index(digits) => Step::Index(digits.parse().unwrap_or(usize::MAX)),
            };
            match (&head, step) {
                (None, Step::Name(name)) => head = Some(name),
                (_, step) => steps.push(step),
            }
        }
        let levels = 1 + steps.len();
        if levels > NESTING_LEVELS {
            return Err(Error::validation(format!(
                "The document path has too many nesting levels; nesting levels: {levels}"
            )));
        }
        // `parse` begins every path with a name.
        Ok(Path { head: head.unwrap_or_default(), steps })
    }
}

fn name<'a>(tokens: &mut Tokens<'a>) -> Result<RawStep<'a>> {
    match tokens.kind() {
        Kind::Word => Ok(RawStep::Word(tokens.next())),
        Kind::Name => Ok(RawStep::Placeholder(tokens.next())),
        _ => Err(tokens.unexpected()),
    }
}

/// The top-level attributes of an expression's paths.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heads {
    /// All of them.
    pub(crate) all: BTreeSet<Arc<str>>,
    /// Those whose paths go on.
    pub(crate) nested: BTreeSet<Arc<str>>,
}

impl Heads {
    /// Takes note of a path.
    pub(crate) fn note(&mut self, path: &Path) {
        self.all.insert(path.head.clone());
        if !path.steps.is_empty() {
            self.nested.insert(path.head.clone());
        }
    }
}

/// Paths none of which leads through another, as a tree: what they leave of an item is read in one walk.
#[derive(Debug, Clone, Default)]
pub(crate) struct PathTree {
    root: Node,
    paths: Vec<Path>,
    conflict: Option<Error>,
}

#[derive(Debug, Clone, Default)]
struct Node {
    /// The number of the first path that leads through here.
    first: usize,
    /// The number of the path that ends here.
    end: Option<usize>,
    children: BTreeMap<Step, Node>,
}

impl PathTree {
    /// The tree of these paths. Overlapping paths are the error before conflicting ones.
    pub(crate) fn new(paths: impl IntoIterator<Item = Path>) -> Result<Self> {
        let mut tree = Self::default();
        for path in paths {
            tree.insert(path)?;
        }
        match tree.conflict.take() {
            Some(conflict) => Err(conflict),
            None => Ok(tree),
        }
    }

    fn insert(&mut self, path: Path) -> Result<()> {
        let number = self.paths.len();
        let head = Step::Name(path.head.clone());
        let mut node = &mut self.root;
        for step in std::iter::once(&head).chain(&path.steps) {
            let other_kind = node.children.iter().next().filter(|(sibling, _)| !sibling.is_like(step));
            if let Some((_, sibling)) = other_kind {
                let conflict = clash("conflict", &self.paths[sibling.first], &path);
                self.conflict.get_or_insert(conflict);
                return Ok(());
            }
            node = node.children.entry(step.clone()).or_insert(Node { first: number, ..Node::default() });
            if let Some(end) = node.end {
                return Err(clash("overlap", &self.paths[end], &path));
            }
        }
        if !node.children.is_empty() {
            return Err(clash("overlap", &self.paths[node.first], &path));
        }
        node.end = Some(number);
        self.paths.push(path);
        Ok(())
    }

    /// What these paths leave of an item. The elements of a list close up.
    pub(crate) fn project(&self, item: &Item) -> Item {
        let children = self.root.children.iter();
        children
            .filter_map(|(step, node)| match step {
                Step::Name(name) => Some((name.clone(), node.project(item.get(name)?)?)),
                Step::Index(_) => None,
            })
            .collect()
    }
}

impl Node {
    fn project(&self, value: &AttributeValue) -> Option<AttributeValue> {
        if self.end.is_some() {
            return Some(value.clone());
        }
        let mut parts = self.children.iter().filter_map(|(step, node)| Some((step, node.project(step.of(value)?)?)));
        match value {
            AttributeValue::M(_) => {
                let map: Item = parts
                    .filter_map(|(step, part)| match step {
                        Step::Name(name) => Some((name.clone(), part)),
                        Step::Index(_) => None,
                    })
                    .collect();
                (!map.is_empty()).then(|| AttributeValue::M(Arc::new(map)))
            }
            AttributeValue::L(_) => {
                let first = parts.next()?;
                let list = std::iter::once(first).chain(parts).map(|(_, part)| part).collect();
                Some(AttributeValue::L(Arc::new(list)))
            }
            _ => None,
        }
    }
}

fn clash(how: &str, one: &Path, two: &Path) -> Error {
    Error::validation(format!(
        "Two document paths {how} with each other; must remove or rewrite one of these paths; path one: {one}, path \
         two: {two}"
    ))
}
