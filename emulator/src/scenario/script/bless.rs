//! `--bless`: writes what commands printed into the script, and changes nothing else in it.

use super::lexer::{self, Line};
use super::parser::is_output;
use super::{Script, StepKind};

impl Script {
    /// The script's text with the expected output of some steps replaced; `printed` gives step indexes and what each
    /// printed. Steps without expected output are left as they are.
    pub fn bless(&self, printed: &[(usize, String)]) -> String {
        let mut edits: Vec<(super::Span, String)> = Vec::new();
        for (index, output) in printed {
            let expected = match self.steps.get(*index).map(|step| &step.kind) {
                Some(StepKind::Aws(aws)) => aws.expected.as_ref(),
                Some(StepKind::Invoke(invoke)) => invoke.expected.as_ref(),
                Some(StepKind::Http(http)) => http.expected.as_ref(),
                _ => None,
            };
            if let Some(expected) = expected {
                edits.push((expected.span, block(output)));
            }
        }
        edits.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
        let mut text = self.source.to_string();
        for (span, output) in edits {
            text.replace_range(span.start..span.end, &output);
        }
        text
    }
}

/// Output as a script holds it: a backslash before each line that would read as something else.
fn block(output: &str) -> String {
    let lines = lexer::lines(output.trim_end_matches('\n'));
    if lines.is_empty() {
        return "\\".to_owned();
    }
    let escape = |line: &Line<'_>| {
        let plain = is_output(line) && !line.text.starts_with('\\') && !line.text.starts_with("=>");
        format!("{}{}", if plain { "" } else { "\\" }, line.text)
    };
    lines.iter().map(escape).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::{StepKind, parse};
    use super::*;
    use proptest::prelude::*;

    const HEADER: &str = "+++\ntitle = \"t\"\nstack = \"s\"\nstart = \"2026-03-02T12:00:00Z\"\n+++\n";

    fn blessed(output: &str) -> (String, Script) {
        let script = parse("a.scn", &format!("{HEADER}$ aws sts get-caller-identity\n?\n\nmark\n")).unwrap();
        let text = script.bless(&[(0, output.to_owned())]);
        let again = parse("a.scn", &text).unwrap();
        (text, again)
    }

    #[test]
    fn replaces_only_the_block() {
        let (text, _) = blessed("a\n\nexpect x\n");
        assert_eq!(text, format!("{HEADER}$ aws sts get-caller-identity\na\n\\\n\\expect x\n\nmark\n"));
    }

    proptest! {
        #[test]
        fn what_is_blessed_is_then_expected(output in "(mark|log x|#c|=> x|\\\\|a|  b|\\$ aws|\n){0,8}") {
            let (_, script) = blessed(&output);
            prop_assert_eq!(script.steps.len(), 2);
            let StepKind::Aws(aws) = &script.steps[0].kind else { panic!("another step") };
            let expected = aws.expected.as_ref().unwrap().text.as_written();
            prop_assert_eq!(expected, output.trim_end_matches('\n'));
        }
    }
}
