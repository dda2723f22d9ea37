//! `cargo xtask tidy`: the house rules that no compiler checks.

use std::fs;
use std::path::{Path, PathBuf};

use crate::run::Outcome;

/// A file has at most this many lines.
const FILE_LINES: usize = 600;
/// A function has at most this many lines, from its signature to its closing brace.
const FUNCTION_LINES: usize = 70;

/// Checks every Rust file of the workspace, and that the architecture page names every folder.
pub fn check() -> Outcome {
    let root = crate::root();
    let mut faults = Vec::new();
    let mut folders = Vec::new();
    for member in ["emulator", "handlers", "scenarios", "xtask"] {
        walk(&root.join(member), &mut |path| {
            if path.extension().is_some_and(|ending| ending == "rs") {
                faults.extend(file(path));
            }
        })?;
    }
    subfolders(&root.join("emulator/src"), &mut folders)?;
    let page =
        fs::read_to_string(root.join("emulator/ARCHITECTURE.md")).map_err(|e| format!("ARCHITECTURE.md: {e}"))?;
    for folder in folders {
        let name = format!("`{}/`", folder.file_name().unwrap_or_default().to_string_lossy());
        if !page.contains(&name) {
            faults.push(format!("emulator/ARCHITECTURE.md does not name the folder {name}"));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(format!("house rules:\n  {}", faults.join("\n  "))) }
}

fn file(path: &Path) -> Vec<String> {
    let name = path.strip_prefix(crate::root()).unwrap_or(path).display().to_string();
    let Ok(text) = fs::read_to_string(path) else { return vec![format!("{name} is not UTF-8")] };
    let mut faults = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() > FILE_LINES {
        faults.push(format!("{name} has {} lines; {FILE_LINES} is the limit", lines.len()));
    }
    if !lines.first().is_some_and(|first| first.starts_with("//! ")) {
        faults.push(format!("{name} does not say in its first line what it does"));
    }
    faults.extend(
        long_functions(&lines).map(|(line, length)| {
            format!("{name}:{line}: a function of {length} lines; {FUNCTION_LINES} is the limit")
        }),
    );
    faults
}

/// The functions that are too long: line and length. It reads the layout that rustfmt gives.
fn long_functions<'a>(lines: &'a [&'a str]) -> impl Iterator<Item = (usize, usize)> + 'a {
    lines.iter().enumerate().filter_map(|(start, line)| {
        let indent = line.len() - line.trim_start().len();
        let words = line.trim_start().trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ");
        let words = words.trim_start_matches("pub ").trim_start_matches("const ").trim_start_matches("async ");
        if !words.starts_with("fn ") || line.trim_end().ends_with('}') || line.trim_end().ends_with(';') {
            return None;
        }
        let closing = format!("{}}}", " ".repeat(indent));
        let length = lines[start..].iter().position(|line| *line == closing)? + 1;
        (length > FUNCTION_LINES).then_some((start + 1, length))
    })
}

fn walk(folder: &Path, visit: &mut dyn FnMut(&Path)) -> Outcome {
    for entry in fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))? {
        let path = entry.map_err(|e| e.to_string())?.path();
        if path.is_dir() {
            walk(&path, visit)?;
        } else {
            visit(&path);
        }
    }
    Ok(())
}

fn subfolders(folder: &Path, found: &mut Vec<PathBuf>) -> Outcome {
    for entry in fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))? {
        let path = entry.map_err(|e| e.to_string())?.path();
        if path.is_dir() {
            subfolders(&path, found)?;
            found.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_function_is_found_with_its_line() {
        let body = "        let x = 1;\n".repeat(FUNCTION_LINES);
        let text = format!(
            "impl A {{\n    pub fn short() {{\n    }}\n\n    pub(crate) async fn long() {{\n{body}    }}\n}}\n"
        );
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(long_functions(&lines).collect::<Vec<_>>(), [(5, FUNCTION_LINES + 2)]);
    }
}
