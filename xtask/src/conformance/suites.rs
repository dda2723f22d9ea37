//! Sets up what a list needs: its suite at its commit, and the Python environment that the suite runs in.

use std::path::{Path, PathBuf};

use super::plan::{self, Plan, PlannedList, Suite};
use crate::run::{Outcome, answers, command, text};

/// The Python environments: name, version of Python, requirements, and how pip is to take them.
const VENVS: &[(&str, &str, &str, &[&str])] = &[
    ("suite", "3.12", "requirements-suite.txt", &[]),
    ("lstests", "3.13", "requirements-lstests.txt", &["--no-deps"]),
];

/// Where the Python environments are made.
pub fn venvs() -> PathBuf {
    crate::root().join("target/conformance/venvs")
}

/// Fetches and installs what is missing.
pub fn prepare(plan: &Plan, list: &PlannedList, suites: &Path) -> Outcome {
    let suite = plan.suites.get(list.suite()).ok_or_else(|| format!("suites.json has no suite {}", list.suite()))?;
    let folder = suites.join(&suite.folder);
    if !folder.exists() {
        fetch(suite, &folder)?;
    }
    if suite.npm && !folder.join("node_modules").exists() {
        command("npm", &["install", "--prefix", text(&folder)?, "--no-audit", "--no-fund"])?;
    }
    match &suite.venv {
        Some(venv) => environment(venv),
        None => Ok(()),
    }
}

/// One commit of the repository, without its history.
fn fetch(suite: &Suite, folder: &Path) -> Outcome {
    println!("   fetching {} at {}", suite.repository, suite.commit);
    let unpacked = folder.with_extension("incoming");
    let at = text(&unpacked)?;
    let _ = std::fs::remove_dir_all(&unpacked);
    command("git", &["init", "--quiet", at])?;
    let fetched = command("git", &["-C", at, "fetch", "--quiet", "--depth=1", &suite.repository, &suite.commit]);
    fetched.map_err(|error| {
        let (commit, folder) = (&suite.commit, folder.display());
        format!(
            "{error}\nput commit {commit} of {} into {folder} yourself, or name its place by --suites",
            suite.repository
        )
    })?;
    let mut checkout = vec!["-C", at, "checkout", "--quiet", "FETCH_HEAD", "--"];
    checkout.extend(if suite.keep.is_empty() { vec!["."] } else { suite.keep.iter().map(String::as_str).collect() });
    command("git", &checkout)?;
    std::fs::rename(&unpacked, folder).map_err(|error| format!("{}: {error}", folder.display()))
}

fn environment(name: &str) -> Outcome {
    let (_, version, requirements, options) =
        VENVS.iter().find(|(venv, ..)| *venv == name).ok_or_else(|| format!("no environment is called {name}"))?;
    let venv = venvs().join(name);
    let installed = venv.join("installed");
    if installed.exists() {
        return Ok(());
    }
    println!("   setting up Python {version} for the suites in {}", venv.display());
    let python = python(version)?;
    command(text(&python)?, &["-m", "venv", "--clear", text(&venv)?])?;
    let (pip, requirements) = (venv.join("bin/pip"), plan::folder().join(requirements));
    let mut install = vec!["install", "--quiet", "--disable-pip-version-check", "--requirement", text(&requirements)?];
    install.extend(*options);
    command(text(&pip)?, &install)?;
    std::fs::write(&installed, "").map_err(|error| format!("{}: {error}", installed.display()))
}

/// An interpreter of this version: on the path, or one that pyenv has installed.
fn python(version: &str) -> Result<PathBuf, String> {
    let name = format!("python{version}");
    if answers(&name, &["--version"]) {
        return Ok(name.into());
    }
    let pyenv =
        std::env::var_os("PYENV_ROOT").map(PathBuf::from).or_else(|| Some(std::env::home_dir()?.join(".pyenv")));
    let installed = pyenv.and_then(|pyenv| std::fs::read_dir(pyenv.join("versions")).ok());
    let wanted = format!("{version}.");
    let found = installed.into_iter().flatten().flatten();
    let mut found = found.filter(|entry| entry.file_name().to_string_lossy().starts_with(&wanted));
    let found = found.next().map(|entry| entry.path().join("bin").join(&name));
    found.ok_or_else(|| format!("the suites need Python {version}, and there is no {name} here"))
}
