//! Text, references and directives.

use crate::ast::{Node, Reference, Step};
use crate::expression::{arguments, expression};
use crate::lexer::Cursor;
use crate::{DEPTH_LIMIT, Error};

/// Directives of Velocity that are refused.
const UNSUPPORTED: &[&str] = &["macro", "define", "parse", "include", "evaluate", "return"];

/// What ends a block.
enum Ending {
    Text,
    End,
    Else,
    ElseIf,
}

/// Reads a whole template.
pub(crate) fn template(text: &str) -> Result<Vec<Node>, Error> {
    let mut cursor = Cursor::new(text);
    let (nodes, ending) = block(&mut cursor, 0)?;
    match ending {
        Ending::Text => Ok(nodes),
        Ending::End => Err(cursor.error("#end without a directive that it ends")),
        Ending::Else | Ending::ElseIf => Err(cursor.error("#else without #if")),
    }
}

/// Reads up to the end of the text or to the directive that ends a block, which is read as well.
fn block(cursor: &mut Cursor<'_>, depth: usize) -> Result<(Vec<Node>, Ending), Error> {
    if depth > DEPTH_LIMIT {
        return Err(Error::Limit("32 levels of nesting"));
    }
    let mut nodes = Vec::new();
    let mut text = String::new();
    loop {
        let read = cursor.take_while(|letter| !matches!(letter, '$' | '#' | '\\'));
        text.push_str(read);
        let before = cursor.clone();
        let backslashes = cursor.take_while(|letter| letter == '\\').len();
        match cursor.peek() {
            None => {
                text.push_str(cursor.since(&before));
                flush(&mut nodes, &mut text);
                return Ok((nodes, Ending::Text));
            }
            Some('$') => match reference(cursor, depth)? {
                Some(reference) => {
                    flush(&mut nodes, &mut text);
                    nodes.push(Node::Reference(Reference { backslashes, ..reference }));
                }
                None => text.push_str(cursor.since(&before)),
            },
            Some('#') => {
                text.extend(std::iter::repeat_n('\\', backslashes / 2));
                if backslashes % 2 == 1 {
                    text.extend(cursor.bump());
                    continue;
                }
                let directive = directive(cursor, depth, &mut text)?;
                match directive {
                    Directive::Nothing => {}
                    Directive::Node(node) => {
                        flush(&mut nodes, &mut text);
                        nodes.push(node);
                    }
                    Directive::Ends(ending) => {
                        flush(&mut nodes, &mut text);
                        return Ok((nodes, ending));
                    }
                }
            }
            Some(_) => text.push_str(cursor.since(&before)),
        }
    }
}

fn flush(nodes: &mut Vec<Node>, text: &mut String) {
    if !text.is_empty() {
        nodes.push(Node::Text(std::mem::take(text)));
    }
}

enum Directive {
    /// It was a comment, or text after all.
    Nothing,
    Node(Node),
    Ends(Ending),
}

/// Reads what begins with `#`.
fn directive(cursor: &mut Cursor<'_>, depth: usize, text: &mut String) -> Result<Directive, Error> {
    let before = cursor.clone();
    cursor.bump();
    if cursor.eat("#") {
        cursor.take_while(|letter| letter != '\n');
        cursor.bump();
        return Ok(Directive::Nothing);
    }
    if cursor.eat("*") {
        cursor.take_until("*#").ok_or_else(|| before.error("the comment has no end"))?;
        return Ok(Directive::Nothing);
    }
    if cursor.eat("[[") {
        let unparsed = cursor.take_until("]]#").ok_or_else(|| before.error("#[[ has no ]]#"))?;
        text.push_str(unparsed);
        return Ok(Directive::Nothing);
    }
    let braced = cursor.eat("{");
    let name = cursor.take_while(|letter| letter.is_ascii_alphabetic());
    if UNSUPPORTED.contains(&name) {
        return Err(Error::Unsupported { directive: name.to_owned(), line: before.line() });
    }
    let closed = !braced || cursor.eat("}");
    let directive = match name {
        "set" if closed => Directive::Node(set(cursor, depth)?),
        "if" if closed => Directive::Node(condition(cursor, depth)?),
        "foreach" if closed => Directive::Node(foreach(cursor, depth)?),
        "elseif" if closed => Directive::Ends(Ending::ElseIf),
        "else" if closed => Directive::Ends(Ending::Else),
        "end" if closed => {
            cursor.end_of_line();
            Directive::Ends(Ending::End)
        }
        "break" if closed => Directive::Node(Node::Break),
        "stop" if closed => Directive::Node(Node::Stop),
        _ => {
            // `#fff` and a lone `#` are text.
            text.push_str(cursor.since(&before));
            Directive::Nothing
        }
    };
    Ok(directive)
}

fn set(cursor: &mut Cursor<'_>, depth: usize) -> Result<Node, Error> {
    open(cursor)?;
    let place = cursor.clone();
    let target = reference(cursor, depth)?.ok_or_else(|| place.error("#set needs a reference"))?;
    cursor.white();
    cursor.expect("=")?;
    let value = expression(cursor, depth + 1)?;
    close(cursor)?;
    Ok(Node::Set { target, value })
}

fn condition(cursor: &mut Cursor<'_>, depth: usize) -> Result<Node, Error> {
    let place = cursor.clone();
    let mut branches = Vec::new();
    loop {
        open(cursor)?;
        let test = expression(cursor, depth + 1)?;
        close(cursor)?;
        let (body, ending) = block(cursor, depth + 1)?;
        branches.push((test, body));
        match ending {
            Ending::End => return Ok(Node::If { branches, otherwise: Vec::new() }),
            Ending::ElseIf => {}
            Ending::Else => {
                let (otherwise, ending) = block(cursor, depth + 1)?;
                return match ending {
                    Ending::End => Ok(Node::If { branches, otherwise }),
                    _ => Err(place.error("#if has no #end after its #else")),
                };
            }
            Ending::Text => return Err(place.error("#if has no #end")),
        }
    }
}

fn foreach(cursor: &mut Cursor<'_>, depth: usize) -> Result<Node, Error> {
    let place = cursor.clone();
    open(cursor)?;
    let variable = reference(cursor, depth)?.filter(|reference| reference.steps.is_empty());
    let variable = variable.ok_or_else(|| place.error("#foreach needs a variable"))?.name;
    cursor.white();
    cursor.expect("in")?;
    let list = expression(cursor, depth + 1)?;
    close(cursor)?;
    match block(cursor, depth + 1)? {
        (body, Ending::End) => Ok(Node::Foreach { variable, list, body }),
        _ => Err(place.error("#foreach has no #end")),
    }
}

fn open(cursor: &mut Cursor<'_>) -> Result<(), Error> {
    cursor.blanks();
    cursor.expect("(")?;
    cursor.white();
    Ok(())
}

fn close(cursor: &mut Cursor<'_>) -> Result<(), Error> {
    cursor.white();
    cursor.expect(")")?;
    cursor.end_of_line();
    Ok(())
}

/// Reads a reference; `None` if what begins with `$` is none, and then it was read as text.
pub(crate) fn reference(cursor: &mut Cursor<'_>, depth: usize) -> Result<Option<Reference>, Error> {
    let before = cursor.clone();
    if !cursor.eat("$") {
        return Ok(None);
    }
    let quiet = cursor.eat("!");
    let braced = cursor.eat("{");
    let Some(name) = cursor.identifier() else { return Ok(None) };
    let steps = steps(cursor, depth)?;
    if braced && !cursor.eat("}") {
        return Err(before.error("the reference has no `}`"));
    }
    let source = cursor.since(&before).to_owned();
    Ok(Some(Reference { name: name.to_owned(), steps, quiet, source, backslashes: 0 }))
}

fn steps(cursor: &mut Cursor<'_>, depth: usize) -> Result<Vec<Step>, Error> {
    let mut steps = Vec::new();
    loop {
        if steps.len() > DEPTH_LIMIT {
            return Err(Error::Limit("steps of a reference"));
        }
        let mut ahead = cursor.clone();
        if ahead.eat("[") {
            *cursor = ahead;
            let index = expression(cursor, depth + 1)?;
            cursor.white();
            cursor.expect("]")?;
            steps.push(Step::Index(index));
            continue;
        }
        let name = ahead.eat(".").then(|| ahead.identifier()).flatten();
        let Some(name) = name else { return Ok(steps) };
        *cursor = ahead;
        let step = if cursor.eat("(") {
            Step::Method(name.to_owned(), arguments(cursor, ")", depth + 1)?)
        } else {
            Step::Property(name.to_owned())
        };
        steps.push(step);
    }
}
