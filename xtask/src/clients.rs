//! Tests with real clients against `garoa serve`: boto3 and the AWS CLI in a virtual environment of their own, and the
//! JavaScript SDK, the AWS CDK and a browser where Node.js is.

use std::path::{Path, PathBuf};

use crate::run::{Outcome, answers, command, command_with, programs, text};

/// Where the virtual environment is made, and what it is made from.
const VENV: &str = "target/clients";
const REQUIREMENTS: &str = "emulator/tests/clients/requirements.txt";
const TESTS: &str = "emulator/tests/clients";
/// The tests with the JavaScript SDK; its packages are installed beside them.
const JAVASCRIPT: &str = "emulator/tests/clients/js";
/// An app of the AWS CDK; its packages bring the command along.
const CDK: &str = "emulator/tests/clients/cdk";
/// What drives a browser; its packages carry one, for where none is installed.
const BROWSER: &str = "emulator/tests/clients/browser";
/// The first version of Node.js whose test runner can do what these tests ask.
const NODE: u32 = 20;
const NODE_WANTED: &str = "Node.js 20 or newer, with npm";

/// Builds the server, sets the clients up if they are not, and runs the tests. Gives what cannot run here, with the reason.
pub fn run() -> Result<Vec<String>, String> {
    let python = environment()?;
    // The handlers are deployed as executables.
    programs()?;
    let server = crate::root().join("target/debug/garoa");
    let mut skipped = Vec::new();
    let mut variables = vec![("GAROA", text(&server)?), ("PYTHONDONTWRITEBYTECODE", "1")];
    match browser() {
        Ok(()) => variables.push(("GAROA_BROWSER", "yes")),
        Err(reason) => skipped.push(format!("the test in a browser: {reason}")),
    }
    if has_node() {
        packages(CDK, "the AWS CDK")?;
        variables.push(("GAROA_CDK", "yes"));
    } else {
        skipped.push(format!("tests with the AWS CDK: they need {NODE_WANTED}"));
    }
    command_with(text(&python)?, &["-m", "pytest", "-q", "-p", "no:cacheprovider", TESTS], &variables)?;
    if has_node() {
        packages(JAVASCRIPT, "the JavaScript SDK")?;
        command_with("npm", &["test", "--silent", "--prefix", JAVASCRIPT], &[("GAROA", text(&server)?)])?;
    } else {
        skipped.push(format!("tests with the JavaScript SDK: they need {NODE_WANTED}"));
    }
    Ok(skipped)
}

/// Whether a Node.js is here that can do what these tests ask.
fn has_node() -> bool {
    let node = std::process::Command::new("node").arg("--version").output();
    let version = node.ok().and_then(|node| String::from_utf8(node.stdout).ok());
    let major = version.and_then(|version| version.trim_start_matches('v').split('.').next()?.parse::<u32>().ok());
    major.is_some_and(|major| major >= NODE) && answers("npm", &["--version"])
}

/// Sets a browser up, and starts it once to see that it runs here.
///
/// # Errors
/// Why there is none.
fn browser() -> Outcome {
    if !has_node() {
        return Err(format!("it needs {NODE_WANTED}"));
    }
    packages(BROWSER, "a headless Chromium")?;
    let driver = format!("{BROWSER}/chat.mjs");
    let started = std::process::Command::new("node").arg(driver).current_dir(crate::root()).output();
    let started = started.map_err(|error| format!("node: {error}"))?;
    if started.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&started.stderr);
    let reason = said.lines().find(|line| line.contains("rror")).unwrap_or("no reason was given").trim().to_owned();
    Err(format!("Chromium does not start (Debian: apt-get install chromium): {reason}"))
}

/// Installs the npm packages of a folder, again whenever their versions change.
fn packages(folder: &str, what: &str) -> Outcome {
    let path = crate::root().join(folder);
    let wanted = read(&path.join("package.json"))?;
    let stamp = path.join("node_modules/package.json");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("   setting up {what} in {folder}/node_modules");
    command("npm", &["install", "--silent", "--no-audit", "--no-fund", "--no-package-lock", "--prefix", folder])?;
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
