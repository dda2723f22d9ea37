//! The text of `Fn::Sub`: literal parts and `${variables}`.

use super::template_error;
use crate::Result;

/// A part of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// Taken as it is.
    Text(&'a str),
    /// `${!Literal}`: written as `${Literal}`.
    Literal(&'a str),
    /// `${Name}` or `${Resource.Attribute}`.
    Variable(&'a str),
}

/// Splits the text.
///
/// # Errors
/// `ValidationError` if a variable's name holds other characters than AWS allows.
pub(crate) fn parts(text: &str) -> Result<Vec<Part<'_>>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        // Without an end it is plain text.
        let Some((name, behind)) = after.split_once('}') else { break };
        if !before.is_empty() {
            parts.push(Part::Text(before));
        }
        if let Some(literal) = name.strip_prefix('!') {
            parts.push(Part::Literal(literal));
        } else {
            let name = name.trim();
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:".contains(&byte);
            if name.is_empty() || !name.bytes().all(allowed) {
                return Err(template_error(
                    "variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, \
                     periods, and colons",
                ));
            }
            parts.push(Part::Variable(name));
        }
        rest = behind;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    Ok(parts)
}
