//! Running other programs.

use std::path::Path;
use std::process::{Command, Stdio};

/// What a task comes to: nothing, or why it failed.
pub type Outcome = Result<(), String>;

/// Runs a program in the workspace's folder and shows what it prints.
pub fn command(program: &str, arguments: &[&str]) -> Outcome {
    command_with(program, arguments, &[])
}

/// The same, with additional environment variables.
pub fn command_with(program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Outcome {
    let status = Command::new(program)
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(crate::root())
        .status()
        .map_err(|e| format!("{program}: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{program} {}` failed ({status})", arguments.join(" "))) }
}

/// Builds every program beside the tests, and so with the features that these turn on: without them the library would
/// be built, and kept on the disk, a second time.
pub fn programs() -> Outcome {
    command("cargo", &["build", "--quiet", "--workspace", "--bins", "--tests"])
}

/// Builds what is measured: Garoa, the bench, and a Garoa with a function in its process. All with the features that the whole
/// workspace wants, for they share the library.
pub fn release() -> Outcome {
    let programs = ["--bin", "garoa", "--bin", "bench", "--bin", "function"];
    command("cargo", &[&["build", "--release", "--workspace"], &programs[..]].concat())
}

/// Whether a program can be run and says that all is well.
pub fn answers(program: &str, arguments: &[&str]) -> bool {
    let quiet = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}

/// A path as text for a command line.
pub fn text(path: &Path) -> Result<&str, String> {
    path.to_str().ok_or_else(|| format!("{} is not UTF-8", path.display()))
}
