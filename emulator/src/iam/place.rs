//! Where the statements of a policy stand in its text: lines and columns, as the simulator tells them.

use serde::Serialize;

/// A place in a text: what comes behind a sign, counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Position {
    pub line: usize,
    pub column: usize,
}

/// Behind the opening and the closing bracket of each statement of a document that is valid JSON.
pub(super) fn places(text: &str) -> Vec<(Position, Position)> {
    let mut places = Vec::new();
    let mut at = Position { line: 1, column: 1 };
    // The kinds of brackets that are open, and whether the member `Statement` of the document is being read.
    let (mut open, mut in_statement) = (Vec::new(), false);
    let (mut in_text, mut escaped, mut word, mut start) = (false, false, String::new(), at);
    for sign in text.chars() {
        at = if sign == '\n' {
            Position { line: at.line + 1, column: 1 }
        } else {
            Position { column: at.column + 1, ..at }
        };
        if in_text {
            match sign {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => in_text = false,
                _ => word.push(sign),
            }
            continue;
        }
        // A statement is an object of the member itself, or one of its list.
        let depth = if open.get(1) == Some(&'[') { 2 } else { 1 };
        match sign {
            '"' => {
                in_text = true;
                word.clear();
            }
            ':' if open.len() == 1 => in_statement = word == "Statement",
            '{' | '[' => {
                if sign == '{' && in_statement && open.len() == depth {
                    start = at;
                }
                open.push(sign);
            }
            '}' | ']' => {
                open.pop();
                let depth = if open.get(1) == Some(&'[') { 2 } else { 1 };
                if sign == '}' && in_statement && open.len() == depth {
                    places.push((start, at));
                }
            }
            _ => {}
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_stands_where_aws_says() {
        // Seen at AWS: from column 41 to column 113.
        let text = r#"{"Version": "2012-10-17", "Statement": {"Sid": "", "Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}}"#;
        let (line, start, end) = (1, 41, 113);
        assert_eq!(places(text), [(Position { line, column: start }, Position { line, column: end })]);
    }

    #[test]
    fn statements_of_a_list_have_places_of_their_own() {
        let text = "{\"Statement\": [\n  {\"Sid\": \"}{\", \"Condition\": {\"a\": {}}},\n  {}\n], \"Version\": \"x\"}";
        let found: Vec<_> = places(text).iter().map(|(a, b)| (a.line, a.column, b.line, b.column)).collect();
        assert_eq!(found, [(2, 4, 2, 40), (3, 4, 3, 5)]);
    }
}
