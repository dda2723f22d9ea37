//! The CLI's shorthand: `Key=a,Value=b`, `Values=x,y`, `Nested={A=1,B=[x,y]}`.
//!
//! Follows the grammar in the AWS CLI user guide, "Using shorthand syntax": what a value means is decided by the model.

use std::iter::Peekable;
use std::str::Chars;

/// How deep shorthand may be nested.
const DEPTH_MAX: usize = 32;

/// A value before the model has been asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Loose {
    /// A scalar.
    Text(String),
    /// `[a,b]`, or `a,b` after a key.
    List(Vec<Loose>),
    /// `{a=1,b=2}`, or the whole text.
    Map(Vec<(String, Loose)>),
}

/// Reads `Key=a,Value=b`.
pub(super) fn pairs(text: &str) -> Result<Vec<(String, Loose)>, String> {
    let mut reader = Reader { text, letters: text.chars().peekable(), depth: 0 };
    let pairs = reader.pairs(None)?;
    match reader.letters.next() {
        None => Ok(pairs),
        Some(letter) => Err(reader.wrong(&format!("`{letter}` is too much"))),
    }
}

struct Reader<'s> {
    text: &'s str,
    letters: Peekable<Chars<'s>>,
    depth: usize,
}

impl Reader<'_> {
    fn wrong(&self, why: &str) -> String {
        format!("`{}` is neither JSON nor shorthand (Key=value,Key=value): {why}", self.text)
    }

    fn take(&mut self, letter: char) -> bool {
        self.letters.next_if_eq(&letter).is_some()
    }

    fn blanks(&mut self) {
        while self.letters.next_if(|letter| letter.is_whitespace()).is_some() {}
    }

    fn deeper(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX { Err(self.wrong(&format!("nested more than {DEPTH_MAX} deep"))) } else { Ok(()) }
    }

    /// Pairs up to `close`, which is left in place.
    fn pairs(&mut self, close: Option<char>) -> Result<Vec<(String, Loose)>, String> {
        let mut pairs: Vec<(String, Loose)> = Vec::new();
        loop {
            self.blanks();
            let key = self.key()?;
            if pairs.iter().any(|(known, _)| *known == key) {
                return Err(self.wrong(&format!("`{key}` is given twice")));
            }
            self.blanks();
            if !self.take('=') {
                return Err(self.wrong(&format!("`=` is missing after `{key}`")));
            }
            self.blanks();
            let value = self.values(close)?;
            pairs.push((key, value));
            self.blanks();
            if !self.take(',') {
                return Ok(pairs);
            }
        }
    }

    fn key(&mut self) -> Result<String, String> {
        if let Some(quote @ ('"' | '\'')) = self.letters.peek().copied() {
            return self.quoted(quote);
        }
        let mut key = String::new();
        while let Some(letter) = self.letters.next_if(|letter| letter.is_alphanumeric() || "_-.#/:$@".contains(*letter))
        {
            key.push(letter);
        }
        if key.is_empty() { Err(self.wrong("a key is missing")) } else { Ok(key) }
    }

    /// What follows `=`: one value, or several with commas between them as long as no new key begins.
    fn values(&mut self, close: Option<char>) -> Result<Loose, String> {
        match self.letters.peek() {
            Some('[') => return self.list(),
            Some('{') => return self.map(),
            _ => {}
        }
        let first = self.text_value(close)?;
        let mut items = vec![first];
        loop {
            let mut ahead = self.letters.clone();
            if ahead.next() != Some(',') || begins_pair(ahead, close) {
                break;
            }
            self.letters.next();
            self.blanks();
            if self.letters.peek().is_none_or(|letter| Some(*letter) == close) {
                return Err(self.wrong("nothing follows the last comma"));
            }
            items.push(self.text_value(close)?);
        }
        Ok(if items.len() == 1 { items.remove(0) } else { Loose::List(items) })
    }

    fn text_value(&mut self, close: Option<char>) -> Result<Loose, String> {
        if let Some(quote @ ('"' | '\'')) = self.letters.peek().copied() {
            return self.quoted(quote).map(Loose::Text);
        }
        let mut text = String::new();
        while let Some(letter) = self.letters.next_if(|letter| *letter != ',' && Some(*letter) != close) {
            match letter {
                '\\' if self.letters.peek() == Some(&',') => {
                    self.letters.next();
                    text.push(',');
                }
                other => text.push(other),
            }
        }
        Ok(Loose::Text(text.trim_end().to_owned()))
    }

    fn quoted(&mut self, quote: char) -> Result<String, String> {
        self.letters.next();
        let mut text = String::new();
        while let Some(letter) = self.letters.next() {
            match letter {
                '\\' if self.letters.peek() == Some(&quote) || self.letters.peek() == Some(&'\\') => {
                    text.extend(self.letters.next());
                }
                letter if letter == quote => return Ok(text),
                other => text.push(other),
            }
        }
        Err(self.wrong("a quote is not closed"))
    }

    fn list(&mut self) -> Result<Loose, String> {
        self.deeper()?;
        self.letters.next();
        let mut items = Vec::new();
        self.blanks();
        while !self.take(']') {
            items.push(match self.letters.peek() {
                Some('[') => self.list()?,
                Some('{') => self.map()?,
                None => return Err(self.wrong("`]` is missing")),
                Some(_) => self.text_value(Some(']'))?,
            });
            self.blanks();
            if !self.take(',') && self.letters.peek() != Some(&']') {
                return Err(self.wrong("`]` is missing"));
            }
            self.blanks();
        }
        self.depth -= 1;
        Ok(Loose::List(items))
    }

    fn map(&mut self) -> Result<Loose, String> {
        self.deeper()?;
        self.letters.next();
        self.blanks();
        let pairs = if self.letters.peek() == Some(&'}') { Vec::new() } else { self.pairs(Some('}'))? };
        self.blanks();
        if !self.take('}') {
            return Err(self.wrong("`}` is missing"));
        }
        self.depth -= 1;
        Ok(Loose::Map(pairs))
    }
}

/// Whether `key=` comes next.
fn begins_pair(ahead: Peekable<Chars<'_>>, close: Option<char>) -> bool {
    let mut letters = ahead.skip_while(|letter| letter.is_whitespace()).peekable();
    if let Some(quote @ ('"' | '\'')) = letters.peek().copied() {
        letters.next();
        return letters.skip_while(|letter| *letter != quote).nth(1) == Some('=');
    }
    let rest = letters.find(|letter| !(letter.is_alphanumeric() || "_-.#/:$@".contains(*letter)));
    rest == Some('=') && close != Some('=')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn text(text: &str) -> Loose {
        Loose::Text(text.to_owned())
    }

    fn read(source: &str) -> Vec<(String, Loose)> {
        pairs(source).unwrap()
    }

    #[test]
    fn reads_what_the_guide_shows() {
        assert_eq!(read("Key=a,Value=b c"), [("Key".into(), text("a")), ("Value".into(), text("b c"))]);
        assert_eq!(
            read("Name=x,Values=a,b"),
            [("Name".into(), text("x")), ("Values".into(), Loose::List(vec![text("a"), text("b")]))]
        );
        assert_eq!(
            read("A=[x,y],B=z"),
            [("A".into(), Loose::List(vec![text("x"), text("y")])), ("B".into(), text("z"))]
        );
        assert_eq!(
            read("A={B=1,C={D=2}},E="),
            [
                (
                    "A".into(),
                    Loose::Map(vec![("B".into(), text("1")), ("C".into(), Loose::Map(vec![("D".into(), text("2"))]))])
                ),
                ("E".into(), text("")),
            ]
        );
        assert_eq!(read("A='x,y=z',B=\"q\\\"\""), [("A".into(), text("x,y=z")), ("B".into(), text("q\""))]);
        assert_eq!(read("Url=http://h/?a=b,B=1"), [("Url".into(), text("http://h/?a=b")), ("B".into(), text("1"))]);
        assert_eq!(read("A=a,b=c,d"), [("A".into(), text("a")), ("b".into(), Loose::List(vec![text("c"), text("d")]))]);
        assert_eq!(read("A='x',y"), [("A".into(), Loose::List(vec![text("x"), text("y")]))]);
    }

    #[test]
    fn refuses_the_rest() {
        for wrong in ["", "a", "=b", "A=1,A=2", "A=x,", "A=[x", "A={B=1", "A='x", &format!("A={}", "[".repeat(1000))] {
            assert!(pairs(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(source in "[a-c=,\\[\\]{}'\" \\\\]{0,30}") {
            let _ = pairs(&source);
        }
    }
}
