//! Wildcards and policy variables: what a pattern of a policy matches.

use std::collections::BTreeMap;

/// The context of a request: condition keys with their values. Keys compare without case, as AWS does.
pub type Context = BTreeMap<String, Vec<String>>;

/// The values of a condition key; none where the request has no such key.
pub fn lookup<'a>(context: &'a Context, key: &str) -> Option<&'a [String]> {
    if let Some(values) = context.get(key) {
        return Some(values);
    }
    context.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, values)| values.as_slice())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    /// Exactly this character: also a `*` that came out of a variable, which is no wildcard.
    Literal(char),
    /// `?`
    One,
    /// `*`
    Any,
    /// A `*` with more text after it in one of an ARN's first five segments: it stays inside that segment.
    AnyInSegment,
}

/// A pattern with its variables filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    tokens: Vec<Token>,
    ignore_case: bool,
}

/// Which elements of a policy a pattern comes from decides how it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Actions: wildcards, no variables, case ignored.
    Action,
    /// Resources: wildcards and, with a context, variables.
    Resource,
    /// `StringLike` and the segments of `ArnLike`: wildcards and, with a context, variables.
    Like,
    /// `StringEquals`: variables only.
    Exact,
    /// `StringEqualsIgnoreCase`: variables only, case ignored.
    ExactIgnoreCase,
}

impl Pattern {
    /// Compiles a pattern. With a context, `${…}` is filled in; none where a variable has no single value and no default, for then
    /// AWS matches nothing. Policies of version 2008-10-17 have no variables: pass no context for them.
    ///
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>
    pub fn compile(text: &str, style: Style, context: Option<&Context>) -> Option<Self> {
        let wildcards = !matches!(style, Style::Exact | Style::ExactIgnoreCase);
        let mut tokens = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if let (Some(context), Some((inside, after))) = (context, variable(rest)) {
                tokens.extend(resolve(inside, context)?.chars().map(Token::Literal));
                rest = after;
                continue;
            }
            tokens.push(match first {
                '*' if wildcards => Token::Any,
                '?' if wildcards => Token::One,
                other => Token::Literal(other),
            });
            rest = rest.get(first.len_utf8()..).unwrap_or("");
        }
        if style == Style::Resource {
            confine(&mut tokens);
        }
        Some(Self { tokens, ignore_case: matches!(style, Style::Action | Style::ExactIgnoreCase) })
    }

    /// Whether the whole text matches. Takes at most text length times pattern length steps, whatever the pattern.
    pub fn matches(&self, text: &str) -> bool {
        let mut states = vec![false; self.tokens.len() + 1];
        let mut next = states.clone();
        self.enter(&mut states, 0);
        for c in text.chars() {
            next.fill(false);
            let mut alive = false;
            for at in 0..self.tokens.len() {
                if !states.get(at).copied().unwrap_or(false) {
                    continue;
                }
                let to = match self.tokens.get(at) {
                    Some(Token::Any) => at,
                    Some(Token::AnyInSegment) if c != ':' => at,
                    Some(Token::One) => at + 1,
                    Some(Token::Literal(l)) if *l == c || (self.ignore_case && l.eq_ignore_ascii_case(&c)) => at + 1,
                    _ => continue,
                };
                self.enter(&mut next, to);
                alive = true;
            }
            if !alive {
                return false;
            }
            std::mem::swap(&mut states, &mut next);
        }
        states.last().copied().unwrap_or(false)
    }

    /// Marks a state and those reachable from it without reading a character.
    fn enter(&self, states: &mut [bool], mut at: usize) {
        while let Some(state) = states.get_mut(at) {
            if std::mem::replace(state, true) {
                return;
            }
            if !matches!(self.tokens.get(at), Some(Token::Any | Token::AnyInSegment)) {
                return;
            }
            at += 1;
        }
    }
}

/// The number of an ARN's segments before the resource part.
const ARN_SEGMENTS_BEFORE_RESOURCE: usize = 5;

/// A `*` that ends its segment may run past the colon; any other stays in its segment. The resource part is one segment.
fn confine(tokens: &mut [Token]) {
    let mut colons = 0;
    for at in 0..tokens.len() {
        let followed = !matches!(tokens.get(at + 1), None | Some(Token::Literal(':') | Token::Any));
        match tokens.get_mut(at) {
            Some(Token::Literal(':')) => colons += 1,
            Some(token @ Token::Any) if colons > 0 && followed => *token = Token::AnyInSegment,
            _ => {}
        }
        if colons >= ARN_SEGMENTS_BEFORE_RESOURCE {
            return;
        }
    }
}

/// The inside of a `${…}` that the text begins with, and what follows it.
fn variable(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix("${")?.split_once('}')
}

fn resolve<'a>(inside: &'a str, context: &'a Context) -> Option<&'a str> {
    if matches!(inside, "*" | "?" | "$") {
        return Some(inside);
    }
    let (key, default) = match inside.split_once(',') {
        Some((key, default)) => {
            (key, Some(default.trim().strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''))?))
        }
        None => (inside, None),
    };
    match lookup(context, key.trim()) {
        Some([one]) => Some(one),
        Some([]) | None => default,
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn context() -> Context {
        Context::from([
            ("aws:username".into(), vec!["ana*".into()]),
            ("aws:PrincipalTag/team".into(), vec!["red".into()]),
            ("many".into(), vec!["a".into(), "b".into()]),
        ])
    }

    fn resource(pattern: &str, text: &str) -> bool {
        Pattern::compile(pattern, Style::Resource, Some(&context())).is_some_and(|p| p.matches(text))
    }

    #[test]
    fn wildcards_of_actions_and_resources() {
        let action = |p: &str, t: &str| Pattern::compile(p, Style::Action, None).unwrap().matches(t);
        assert!(action("S3:get*", "s3:GetObject"));
        assert!(action("*", "s3:GetObject"));
        assert!(action("iam:*AccessKey*", "iam:CreateAccessKey"));
        assert!(!action("s3:Get", "s3:GetObject"));
        assert!(action("s3:GetObject?", "s3:GetObjects"));
        assert!(resource("arn:aws:s3:::b/*", "arn:aws:s3:::b/a/b:c"));
        assert!(!resource("arn:aws:s3:::b/*", "arn:aws:s3:::B/a"));
        assert!(resource("arn:aws:s3:::b/*.txt", "arn:aws:s3:::b/a:b.txt"));
        assert!(resource("arn:aws:lambda:*:function:f", "arn:aws:lambda:us-east-1:123456789012:function:f"));
        assert!(resource("arn:aws:sqs:us-*-1:1:q", "arn:aws:sqs:us-east-1:1:q"));
        assert!(!resource("arn:aws:sqs:us-*-1:1:q", "arn:aws:sqs:us-x:1-1:1:q"));
        assert!(resource("*", "anything at all"));
    }

    #[test]
    fn variables_are_literal_and_have_defaults() {
        assert!(resource("arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/ana*/x"));
        assert!(!resource("arn:aws:s3:::b/${aws:username}", "arn:aws:s3:::b/anabel"));
        assert!(resource("arn:aws:s3:::b/${AWS:PrincipalTag/team}", "arn:aws:s3:::b/red"));
        assert!(resource("b/${aws:PrincipalTag/none, 'company-wide'}/x", "b/company-wide/x"));
        assert!(!resource("b/${aws:PrincipalTag/none}/x", "b/${aws:PrincipalTag/none}/x"));
        assert!(resource("b/${*}${?}${$}", "b/*?$"));
        assert!(!resource("b/${*}", "b/x"));
        assert!(!resource("b/${many}", "b/a"));
        let old = Pattern::compile("b/${aws:username}", Style::Resource, None).unwrap();
        assert!(old.matches("b/${aws:username}"));
    }

    proptest! {
        #[test]
        fn like_is_what_a_regex_says(pattern in "[ab:?*]{0,12}", text in "[ab:]{0,14}") {
            let regex: String = pattern.chars().map(|c| match c {
                '*' => "(?s:.*)".to_owned(),
                '?' => "(?s:.)".to_owned(),
                c => regex::escape(&c.to_string()),
            }).collect();
            let expected = regex::Regex::new(&format!("^{regex}$")).unwrap().is_match(&text);
            prop_assert_eq!(Pattern::compile(&pattern, Style::Like, None).unwrap().matches(&text), expected);
        }

        #[test]
        fn any_text_compiles(text in ".{0,60}", subject in ".{0,40}") {
            for style in [Style::Action, Style::Resource, Style::Like, Style::Exact, Style::ExactIgnoreCase] {
                if let Some(pattern) = Pattern::compile(&text, style, Some(&context())) {
                    pattern.matches(&subject);
                }
            }
        }
    }

    #[test]
    fn many_stars_stay_fast() {
        let pattern = "*a".repeat(500) + "b";
        assert!(!Pattern::compile(&pattern, Style::Like, None).unwrap().matches(&"a".repeat(1000)));
    }
}
