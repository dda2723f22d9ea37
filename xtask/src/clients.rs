//! Tests with real clients: boto3 and the AWS CLI against `garoa serve`, in a virtual environment of their own.

use std::path::{Path, PathBuf};

use crate::run::{Outcome, answers, command, command_with, text};

/// Where the virtual environment is made, and what it is made from.
const VENV: &str = "target/clients";
const REQUIREMENTS: &str = "emulator/tests/clients/requirements.txt";
const TESTS: &str = "emulator/tests/clients";

/// Builds the server, sets the clients up if they are not, and runs the tests.
pub fn run() -> Outcome {
    let python = environment()?;
    command("cargo", &["build", "--quiet", "--package", "garoa", "--bin", "garoa"])?;
    let server = crate::root().join("target/debug/garoa");
    command_with(
        text(&python)?,
        &["-m", "pytest", "-q", "-p", "no:cacheprovider", TESTS],
        &[("GAROA", text(&server)?), ("PYTHONDONTWRITEBYTECODE", "1")],
    )
}

/// The interpreter of the virtual environment, which is made again whenever the requirements change.
fn environment() -> Result<PathBuf, String> {
    let root = crate::root();
    let venv = root.join(VENV);
    let python = venv.join("bin/python");
    let wanted = read(&root.join(REQUIREMENTS))?;
    let stamp = venv.join("requirements.txt");
    if python.exists() && std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    if !answers("python3", &["-c", "import venv, ensurepip"]) {
        return Err(
            "the tests with real clients need python3 with its venv module (Debian: apt-get install python3-venv)"
                .into(),
        );
    }
    println!("   setting up boto3 and the AWS CLI in {VENV}");
    command("python3", &["-m", "venv", "--clear", text(&venv)?])?;
    command(
        text(&python)?,
        &["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", REQUIREMENTS],
    )?;
    std::fs::write(&stamp, wanted).map_err(|e| format!("{}: {e}", stamp.display()))?;
    Ok(python)
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}
