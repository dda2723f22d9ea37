//! Tests with real clients against `garoa serve`: boto3 and the AWS CLI in a virtual environment of their own, and the
//! JavaScript SDK where Node.js is.

use std::path::{Path, PathBuf};

use crate::run::{Outcome, answers, command, command_with, text};

/// Where the virtual environment is made, and what it is made from.
const VENV: &str = "target/clients";
const REQUIREMENTS: &str = "emulator/tests/clients/requirements.txt";
const TESTS: &str = "emulator/tests/clients";
/// The tests with the JavaScript SDK; its packages are installed beside them.
const JAVASCRIPT: &str = "emulator/tests/clients/js";
/// The first version of Node.js whose test runner can do what these tests ask.
const NODE: u32 = 20;

/// Why the tests with the JavaScript SDK cannot run here, if they cannot.
pub fn javascript_is_missing() -> Option<&'static str> {
    let node = std::process::Command::new("node").arg("--version").output();
    let version = node.ok().and_then(|node| String::from_utf8(node.stdout).ok());
    let major = version.and_then(|version| version.trim_start_matches('v').split('.').next()?.parse::<u32>().ok());
    match major {
        Some(major) if major >= NODE && answers("npm", &["--version"]) => None,
        _ => Some("tests with the JavaScript SDK: they need Node.js 20 or newer, with npm"),
    }
}

/// Builds the server, sets the clients up if they are not, and runs the tests.
pub fn run() -> Outcome {
    let python = environment()?;
    // With the workspace's features, as everything else is built; functions under test are of these programs too.
    command("cargo", &["build", "--quiet", "--workspace", "--bins"])?;
    let server = crate::root().join("target/debug/garoa");
    command_with(
        text(&python)?,
        &["-m", "pytest", "-q", "-p", "no:cacheprovider", TESTS],
        &[("GAROA", text(&server)?), ("PYTHONDONTWRITEBYTECODE", "1")],
    )?;
    if javascript_is_missing().is_some() {
        return Ok(());
    }
    packages()?;
    command_with("npm", &["test", "--silent", "--prefix", JAVASCRIPT], &[("GAROA", text(&server)?)])
}

/// Installs the JavaScript SDK, again whenever its versions change.
fn packages() -> Outcome {
    let folder = crate::root().join(JAVASCRIPT);
    let wanted = read(&folder.join("package.json"))?;
    let stamp = folder.join("node_modules/package.json");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("   setting up the JavaScript SDK in {JAVASCRIPT}/node_modules");
    command("npm", &["install", "--silent", "--no-audit", "--no-fund", "--no-package-lock", "--prefix", JAVASCRIPT])?;
    std::fs::write(&stamp, wanted).map_err(|e| format!("{}: {e}", stamp.display()))
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
