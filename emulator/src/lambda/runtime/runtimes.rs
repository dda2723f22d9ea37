//! Runtime identifiers, and what on this machine runs their handlers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use parking_lot::Mutex;

/// What a runtime identifier asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    /// An executable `bootstrap` in the archive.
    Provided,
    /// This minor version of Python 3.
    Python(u32),
    /// This major version of Node.js.
    Node(u32),
}

/// Which version of an interpreter may run a function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interpreters {
    /// The one that the function's runtime names, and no other.
    #[default]
    Exact,
    /// Where that is not installed, the nearest one of the language that is.
    Nearest,
}

/// What runs a function's code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Program {
    /// The file `bootstrap` of the function's folder.
    Bootstrap,
    /// Garoa's client for Python handlers, in this interpreter.
    Python {
        interpreter: PathBuf,
        /// A folder of another interpreter with AWS's SDK, where this one has none.
        sdk: Option<PathBuf>,
    },
    /// Garoa's client for Node.js handlers, in this interpreter.
    Node {
        interpreter: PathBuf,
        /// A folder of packages with AWS's SDK, if there is one.
        sdk: Option<PathBuf>,
    },
}

/// What is installed here, as far as it was asked for.
#[derive(Default)]
pub(super) struct Installed {
    python: Mutex<Option<Programs>>,
    node: Mutex<Option<Programs>>,
}

/// Interpreters by minor version of Python 3, or by major version of Node.js.
type Programs = BTreeMap<u32, Program>;

/// Where version managers keep one folder for each version, below the home directory, and the interpreter in it: pyenv and uv, nvm.
const PYTHON_HOMES: [(&str, &str); 2] = [(".pyenv/versions", "bin/python3"), (".local/share/uv/python", "bin/python3")];
const NODE_HOMES: [(&str, &str); 1] = [(".nvm/versions/node", "bin/node")];

/// Which version an interpreter is, where it really is, and where it has AWS's SDK, if it does.
const PYTHON_QUESTION: &str = "import importlib.util, os, sys
print('%d.%d' % sys.version_info[:2])
print(sys.executable)
found = importlib.util.find_spec('boto3')
print(os.path.dirname(os.path.dirname(found.origin)) if found and found.origin else '')";

/// The same of Node.js, whose packages are where `NODE_PATH` says, or where npm installs them for everybody.
const NODE_QUESTION: &str = "const fs = require('fs'), path = require('path');
const places = (process.env.NODE_PATH || '').split(path.delimiter).filter(Boolean);
places.push(path.join(path.dirname(process.execPath), '..', 'lib', 'node_modules'));
console.log(process.versions.node);
console.log(process.execPath);
console.log(places.map((place) => path.resolve(place)).find((place) => fs.existsSync(path.join(place, '@aws-sdk'))) || '');";

/// The minor versions of Python that are looked for by name.
const PYTHONS: std::ops::RangeInclusive<u32> = 8..=20;

impl Installed {
    /// The program for a runtime, and what to say about it if it is not the very one that was asked for.
    ///
    /// # Errors
    /// A text that names what is missing.
    pub fn program(&self, runtime: &str, choice: Interpreters) -> Result<(Program, Option<String>), String> {
        let wanted = wanted(runtime).ok_or_else(|| {
            format!(
                "Garoa does not run the runtime {runtime}: it runs provided.al2023, provided.al2, and those of Python and Node.js \
                 whose interpreter is installed"
            )
        })?;
        let (found, language, version) = match wanted {
            Wanted::Provided => return Ok((Program::Bootstrap, None)),
            Wanted::Python(version) => (self.python.lock().get_or_insert_with(pythons).clone(), "python3.", version),
            Wanted::Node(version) => (self.node.lock().get_or_insert_with(nodes).clone(), "Node.js ", version),
        };
        if let Some(program) = found.get(&version) {
            return Ok((program.clone(), None));
        }
        let later = found.range(version..).next();
        match later.or_else(|| found.last_key_value()) {
            Some((other, program)) if choice == Interpreters::Nearest => {
                let note = format!(
                    "Garoa: {language}{version} is not installed; {language}{other} runs this function instead"
                );
                Ok((program.clone(), Some(note)))
            }
            other => {
                let there = match other {
                    None => "none of this language is".to_owned(),
                    Some(_) => {
                        let versions: Vec<String> =
                            found.keys().map(|version| format!("{language}{version}")).collect();
                        format!("{} is", versions.join(", "))
                    }
                };
                Err(format!(
                    "the function's runtime is {runtime}, and its interpreter {language}{version} is not installed on this machine \
                     ({there}; `garoa serve --interpreters nearest` would use that)"
                ))
            }
        }
    }
}

fn wanted(runtime: &str) -> Option<Wanted> {
    if matches!(runtime, "provided" | "provided.al2" | "provided.al2023") {
        return Some(Wanted::Provided);
    }
    if let Some(minor) = runtime.strip_prefix("python3.") {
        return minor.parse().ok().map(Wanted::Python);
    }
    let major = runtime.strip_prefix("nodejs")?.strip_suffix(".x")?;
    major.parse().ok().map(Wanted::Node)
}

/// The Python interpreters of this machine.
fn pythons() -> Programs {
    let names = PYTHONS.map(|minor| format!("python3.{minor}")).chain(["python3".to_owned()]);
    let paths = names.flat_map(|name| on_path(&name)).chain(managed(&PYTHON_HOMES));
    let mut found = BTreeMap::<u32, (PathBuf, Option<PathBuf>)>::new();
    for (version, told) in ask(paths, "-c", PYTHON_QUESTION) {
        let Some(minor) = version.strip_prefix("3.").and_then(|minor| minor.parse().ok()) else { continue };
        let (interpreter, sdk) = told.split_once('\n').unwrap_or((&told, ""));
        let sdk = (!sdk.is_empty()).then(|| PathBuf::from(sdk));
        found.entry(minor).or_insert((PathBuf::from(interpreter), sdk));
    }
    // AWS's runtimes bring AWS's SDK along. It is the same for all versions.
    let lent = found.values().find_map(|(_, sdk)| sdk.clone());
    let program = |(interpreter, sdk): (PathBuf, Option<PathBuf>)| Program::Python {
        interpreter,
        sdk: lent.clone().filter(|_| sdk.is_none()),
    };
    found.into_iter().map(|(minor, found)| (minor, program(found))).collect()
}

/// The Node.js interpreters of this machine.
fn nodes() -> Programs {
    let paths = ["node", "nodejs"].iter().flat_map(|name| on_path(name)).chain(managed(&NODE_HOMES));
    let mut found = BTreeMap::<u32, (PathBuf, Option<PathBuf>)>::new();
    for (version, told) in ask(paths, "-e", NODE_QUESTION) {
        let Some(major) = version.split('.').next().and_then(|major| major.parse().ok()) else { continue };
        let (interpreter, sdk) = told.split_once('\n').unwrap_or((&told, ""));
        let sdk = (!sdk.is_empty()).then(|| PathBuf::from(sdk));
        found.entry(major).or_insert((PathBuf::from(interpreter), sdk));
    }
    let lent = found.values().find_map(|(_, sdk)| sdk.clone());
    let program = |(interpreter, sdk): (PathBuf, Option<PathBuf>)| Program::Node {
        interpreter,
        sdk: sdk.or_else(|| lent.clone()),
    };
    found.into_iter().map(|(major, found)| (major, program(found))).collect()
}

/// What programs print, all asked at once: the first line, and what follows. They say themselves where they really are, for what
/// is called by a version manager's wrapper would need that manager's environment.
fn ask(programs: impl Iterator<Item = PathBuf>, option: &str, script: &str) -> Vec<(String, String)> {
    let start = |program: PathBuf| {
        let mut command = Command::new(program);
        command.args([option, script]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()
    };
    let asked: Vec<_> = programs.filter_map(start).collect();
    let answer = |child: std::process::Child| {
        let output = child.wait_with_output().ok().filter(|output| output.status.success())?;
        let text = String::from_utf8(output.stdout).ok()?;
        let (version, rest) = text.trim().split_once('\n')?;
        Some((version.trim().to_owned(), rest.trim().to_owned()))
    };
    asked.into_iter().filter_map(answer).collect()
}

/// The interpreters of version managers. What is on the path goes before them.
fn managed(homes: &[(&str, &str)]) -> Vec<PathBuf> {
    let Some(home) = std::env::home_dir() else { return Vec::new() };
    let folders = homes.iter().filter_map(|(folder, program)| Some((home.join(folder).read_dir().ok()?, *program)));
    let mut found: Vec<PathBuf> = folders
        .flat_map(|(folder, program)| folder.flatten().map(move |version| version.path().join(program)))
        .filter(|program| program.is_file())
        .collect();
    found.sort();
    found
}

/// All files of this name, for the first may be a wrapper of what is not there.
fn on_path(name: &str) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(name)).filter(|file| file.is_file()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn python(path: &str) -> Program {
        Program::Python { interpreter: path.into(), sdk: None }
    }

    fn installed() -> Installed {
        let python = BTreeMap::from([(9, python("/p9")), (11, python("/p11"))]);
        Installed { python: Mutex::new(Some(python)), node: Mutex::new(Some(BTreeMap::new())) }
    }

    #[test]
    fn the_interpreter_is_the_one_that_the_runtime_names() {
        let found = installed().program("python3.11", Interpreters::Exact).unwrap();
        assert_eq!(found, (python("/p11"), None));
        assert_eq!(installed().program("provided.al2023", Interpreters::Exact).unwrap().0, Program::Bootstrap);
    }

    #[test]
    fn a_missing_interpreter_is_named() {
        let missing = installed().program("python3.12", Interpreters::Exact).unwrap_err();
        assert!(missing.contains("interpreter python3.12 is not installed"), "{missing}");
        assert!(missing.contains("(python3.9, python3.11 is;"), "{missing}");
        let missing = installed().program("nodejs22.x", Interpreters::Nearest).unwrap_err();
        assert!(missing.contains("Node.js 22 is not installed"), "{missing}");
        let unknown = installed().program("java21", Interpreters::Nearest).unwrap_err();
        assert!(unknown.contains("does not run the runtime java21"), "{unknown}");
    }

    #[test]
    fn the_nearest_is_the_next_later_one_else_the_latest() {
        for (wanted, path) in [("python3.10", "/p11"), ("python3.8", "/p9"), ("python3.13", "/p11")] {
            let (program, note) = installed().program(wanted, Interpreters::Nearest).unwrap();
            assert_eq!(program, python(path));
            assert!(note.unwrap().contains(wanted));
        }
    }
}
