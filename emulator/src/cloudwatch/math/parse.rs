//! Expressions from their text.

/// How deep expressions may nest: the limit is ours.
const MAX_DEPTH: usize = 32;
/// The operators, from those that bind least to those that bind most.
const LEVELS: [&[&str]; 6] =
    [&["||", "OR"], &["&&", "AND"], &["==", "!=", "<=", ">=", "<", ">"], &["+", "-"], &["*", "/"], &["^"]];

/// What `FILL` takes in the place of a number or a series.
pub(super) const FILLERS: [&str; 2] = ["REPEAT", "LINEAR"];

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::cloudwatch) enum Expression {
    Number(f64),
    Text(String),
    /// The result of another query, or one of the [`FILLERS`].
    Name(String),
    List(Vec<Self>),
    Call(String, Vec<Self>),
    Negative(Box<Self>),
    Binary(Box<Self>, String, Box<Self>),
}

impl Expression {
    /// The queries that it refers to.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Number(_) | Self::Text(_) => Vec::new(),
            Self::Name(name) if FILLERS.contains(&name.as_str()) => Vec::new(),
            Self::Name(name) => vec![name],
            Self::List(all) | Self::Call(_, all) => all.iter().flat_map(Self::names).collect(),
            Self::Negative(inner) => inner.names(),
            Self::Binary(left, _, right) => left.names().into_iter().chain(right.names()).collect(),
        }
    }

    /// Whether it calls a function, which makes it depend on all metrics in the case of `METRICS`.
    pub fn calls(&self, function: &str) -> bool {
        match self {
            Self::Number(_) | Self::Text(_) | Self::Name(_) => false,
            Self::Call(name, _) if name == function => true,
            Self::List(all) | Self::Call(_, all) => all.iter().any(|one| one.calls(function)),
            Self::Negative(inner) => inner.calls(function),
            Self::Binary(left, _, right) => left.calls(function) || right.calls(function),
        }
    }
}

/// Reads an expression; the error says what is wrong.
pub(in crate::cloudwatch) fn parse(text: &str) -> Result<Expression, String> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens, at: 0 };
    let expression = parser.level(0, 0)?;
    match parser.tokens.get(parser.at) {
        None => Ok(expression),
        Some(token) => Err(format!("Unexpected {}", token.text())),
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(f64),
    Text(String),
    Name(String),
    Sign(&'static str),
}

impl Token {
    fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => format!("'{text}'"),
            Self::Name(name) => format!("'{name}'"),
            Self::Sign(sign) => format!("'{sign}'"),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    const SIGNS: [&str; 18] =
        ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*", "/", "^", "(", ")", "[", "]", ","];
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '"' | '\'' => {
                let end = rest[1..].find(c).ok_or("A string is not closed")?;
                tokens.push(Token::Text(rest[1..=end].to_owned()));
                end + 2
            }
            c if c.is_ascii_digit() || c == '.' => {
                let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
                let number = rest[..end].parse().map_err(|_| format!("{} is no number", &rest[..end]))?;
                tokens.push(Token::Number(number));
                end
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
                tokens.push(Token::Name(rest[..end].to_owned()));
                end
            }
            c => {
                let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
                let sign = sign.ok_or_else(|| format!("Unexpected character '{c}'"))?;
                tokens.push(Token::Sign(sign));
                sign.len()
            }
        };
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    Ok(tokens)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn operator(&self, level: usize) -> Option<&'static str> {
        let text = match self.tokens.get(self.at)? {
            Token::Sign(sign) => *sign,
            Token::Name(name) => name.as_str(),
            _ => return None,
        };
        LEVELS.get(level)?.iter().find(|operator| **operator == text).copied()
    }

    fn level(&mut self, level: usize, depth: usize) -> Result<Expression, String> {
        if level == LEVELS.len() {
            return self.unary(depth);
        }
        let mut left = self.level(level + 1, depth)?;
        let mut chain = 0;
        while let Some(operator) = self.operator(level) {
            chain += 1;
            if chain > MAX_DEPTH {
                return Err("The expression is too long".to_owned());
            }
            self.at += 1;
            let right = self.level(level + 1, depth)?;
            left = Expression::Binary(Box::new(left), operator.to_owned(), Box::new(right));
        }
        Ok(left)
    }

    fn unary(&mut self, depth: usize) -> Result<Expression, String> {
        if depth > MAX_DEPTH {
            return Err("The expression nests too deeply".to_owned());
        }
        let token = self.tokens.get(self.at).cloned().ok_or("Unexpected end of the expression")?;
        self.at += 1;
        match token {
            Token::Number(number) => Ok(Expression::Number(number)),
            Token::Text(text) => Ok(Expression::Text(text)),
            Token::Name(name) if self.tokens.get(self.at) == Some(&Token::Sign("(")) => {
                self.at += 1;
                Ok(Expression::Call(name.to_ascii_uppercase(), self.list(")", depth)?))
            }
            Token::Name(name) => Ok(Expression::Name(name)),
            Token::Sign("-") => Ok(Expression::Negative(Box::new(self.unary(depth + 1)?))),
            Token::Sign("[") => Ok(Expression::List(self.list("]", depth)?)),
            Token::Sign("(") => {
                let inner = self.level(0, depth + 1)?;
                if self.tokens.get(self.at) != Some(&Token::Sign(")")) {
                    return Err("A parenthesis is not closed".to_owned());
                }
                self.at += 1;
                Ok(inner)
            }
            other => Err(format!("Unexpected {}", other.text())),
        }
    }

    fn list(&mut self, end: &'static str, depth: usize) -> Result<Vec<Expression>, String> {
        let mut all = Vec::new();
        if self.tokens.get(self.at) == Some(&Token::Sign(end)) {
            self.at += 1;
            return Ok(all);
        }
        loop {
            all.push(self.level(0, depth + 1)?);
            let next = self.tokens.get(self.at);
            self.at += 1;
            match next {
                Some(Token::Sign(sign)) if *sign == end => return Ok(all),
                Some(Token::Sign(",")) => {}
                _ => return Err(format!("'{end}' is missing")),
            }
        }
    }
}
