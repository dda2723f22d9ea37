//! The Lambda function that an integration or an authorizer names.

use super::state::Texts;

/// The service's part of a URI: `arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function}/invocations`.
const PATH: &str = ":lambda:path/2015-03-31/functions/";
const INVOCATIONS: &str = "/invocations";
/// How a text names a stage variable.
const VARIABLE: &str = "${stageVariables.";

/// The function's ARN in a URI, which may be that ARN itself; stage variables stand in it as they were written.
pub(super) fn arn_of(uri: &str) -> Option<&str> {
    let arn = match uri.split_once(PATH) {
        Some((service, rest)) if service.starts_with("arn:") => rest.strip_suffix(INVOCATIONS)?,
        _ => uri,
    };
    (arn.starts_with("arn:") && arn.contains(":lambda:") && arn.contains(":function:")).then_some(arn)
}

/// A text with the values of stage variables; one that the stage does not have is empty.
pub(super) fn with_variables(text: &str, variables: Option<&Texts>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(VARIABLE) {
        let Some((name, after)) = rest[at + VARIABLE.len()..].split_once('}') else { break };
        filled.push_str(&rest[..at]);
        filled.push_str(variables.and_then(|variables| variables.get(name)).map_or("", String::as_str));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_named_by_its_arn_or_by_the_path_of_its_invocations() {
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:f";
        let path = format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations");
        assert_eq!(arn_of(arn), Some(arn));
        assert_eq!(arn_of(&path), Some(arn));
        for other in ["", "arn:aws:sqs:us-east-1:1:q", "https://example.com", "auth_uri"] {
            assert_eq!(arn_of(other), None, "{other}");
        }
    }

    #[test]
    fn stage_variables_are_filled_in() {
        let variables: Texts = [("f".to_owned(), "live".to_owned())].into_iter().collect();
        assert_eq!(with_variables("a:${stageVariables.f}:${stageVariables.g}!", Some(&variables)), "a:live:!");
        assert_eq!(with_variables("a:${stageVariables.f", Some(&variables)), "a:${stageVariables.f");
    }
}
