//! Patterns of models: Java's regular expressions, made into ones of the `regex` crate.
//!
//! AWS checks them with `java.util.regex` against the whole value. There `\d`, `\w` and `\s` know ASCII only and
//! `$` at the end also stands before a final line break; the second is left out, for no pattern means it.

use regex::{Regex, RegexBuilder};

/// The greatest size of a compiled pattern, in bytes: the longest of the models repeat classes 2048 times.
const SIZE_LIMIT: usize = 64 << 20;

/// Patterns that look ahead or behind, which the `regex` crate cannot do in linear time, or that are no regular expression to it:
/// they are not checked here.
/// What matters of them a service checks by itself. Service and shape; a test holds the table against the models.
pub const UNCHECKED: &[(&str, &str)] = &[
    ("dynamodb", "AutoScalingPolicyName"),
    ("dynamodb", "AutoScalingRoleArn"),
    ("iam", "accountAliasType"),
    ("lambda", "Alias"),
    ("lambda", "CollectionName"),
    ("lambda", "FunctionUrlFunctionName"),
    ("lambda", "FunctionUrlQualifier"),
    ("lambda", "S3Bucket"),
    ("scheduler", "Source"),
    ("ssm", "CloudConnectorIamRoleArn"),
    ("ssm", "InstancePropertyFilterValue"),
    ("ssm", "InstancePropertyStringFilterKey"),
    ("ssm", "StringDateTime"),
];

/// A look-ahead that several models have, and that can be said without: some character is no space.
const NOT_BLANK: &str = r"^(?!\s*$).+";

/// The expression that matches a whole value; `None` if this crate cannot check it (see [`UNCHECKED`]).
pub fn compile(pattern: &str) -> Option<Regex> {
    let pattern = if pattern == NOT_BLANK { r".*\S.*" } else { pattern };
    let whole = format!(r"\A(?:{})\z", translate(pattern));
    RegexBuilder::new(&whole).size_limit(SIZE_LIMIT).build().ok()
}

/// Rewrites what the two dialects read differently.
fn translate(pattern: &str) -> String {
    let mut translated = String::with_capacity(pattern.len() + 16);
    let mut classes = 0_u32;
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some(escaped) => translated.push_str(&escape(escaped, classes > 0)),
                None => translated.push('\\'),
            },
            '[' => {
                classes += 1;
                translated.push('[');
            }
            ']' => {
                classes = classes.saturating_sub(1);
                translated.push(']');
            }
            _ => translated.push(letter),
        }
    }
    translated
}

fn escape(escaped: char, in_class: bool) -> String {
    let class = match escaped {
        'd' => "0-9",
        'w' => "a-zA-Z0-9_",
        's' => r" \t\n\x0B\x0C\r",
        'D' => return "[^0-9]".to_owned(),
        'W' => return "[^a-zA-Z0-9_]".to_owned(),
        'S' => return r"[^ \t\n\x0B\x0C\r]".to_owned(),
        'Z' => return r"\z".to_owned(),
        _ => return format!("\\{escaped}"),
    };
    if in_class { class.to_owned() } else { format!("[{class}]") }
}
