//! The scenarios of the five systems: the stage that they are played on, and their scripts.
//!
//! This is what a user's own project holds: it registers the code of its functions and its invariants, and leaves the
//! rest to [`garoa::scenario::run`].

pub mod invariants;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_types::SdkConfig;
use garoa::scenario::run::Stage;
use garoa::scenario::script::{self, Script};
use garoa::sinks::Network;
use handlers::mail_notify::smtp::{Connect, Stream};
use handlers::mail_notify::{self, MailNotify, SettingsError};

/// The stage: every function of `handlers`, every invariant of [`invariants`].
pub fn stage() -> Stage {
    Stage::new(root())
        .function("bucket-purge", garoa::lambda::handler(handlers::bucket_purge::service))
        .function("data-refresh", garoa::lambda::handler(handlers::data_refresh::service))
        .function("mail-notify", garoa::lambda::networked_handler(mail_notify))
        .function("pix-monitor", garoa::lambda::handler(handlers::pix_monitor::service))
        .function("ws-authorizer", garoa::lambda::handler(handlers::realtime::authorizer))
        .function("ws-connect", garoa::lambda::handler(handlers::realtime::connect))
        .function("ws-disconnect", garoa::lambda::handler(handlers::realtime::disconnect))
        .function("ws-message", garoa::lambda::handler(handlers::realtime::message))
        .invariants(invariants::all())
}

/// mail-notify, over the network of the cloud that it runs in.
fn mail_notify(
    sdk: &SdkConfig,
    env: &dyn Fn(&str) -> Option<String>,
    network: &Network,
) -> Result<MailNotify, SettingsError> {
    let network = network.clone();
    let connect: Connect = Arc::new(move |host, port| {
        let network = network.clone();
        Box::pin(async move { Ok(Box::new(network.connect(&host, port).await?) as Box<dyn Stream>) })
    });
    mail_notify::service_over(sdk, env, connect)
}

/// The workspace's folder, below which templates and snapshots are.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// The file of a scenario.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("{name}.scn"))
}

/// The names of all scenarios, in order.
///
/// # Errors
/// If the folder cannot be read.
pub fn names() -> Result<Vec<String>, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let entries = std::fs::read_dir(folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    let name = |file: PathBuf| {
        let is_script = file.extension().is_some_and(|ending| ending == "scn");
        file.file_stem().filter(|_| is_script).map(|stem| stem.to_string_lossy().into_owned())
    };
    let mut names: Vec<String> = entries.filter_map(|entry| name(entry.ok()?.path())).collect();
    names.sort_unstable();
    Ok(names)
}

/// Reads and parses a scenario.
///
/// # Errors
/// An unknown name, with what was probably meant; what the script's parser refuses, drawn at its place.
pub fn load(name: &str) -> Result<Script, String> {
    let known = names()?;
    if !known.iter().any(|known| known == name) {
        return Err(format!("there is no scenario `{name}`; known: {}", known.join(", ")));
    }
    let text = std::fs::read_to_string(path(name)).map_err(|why| format!("{name}: {why}"))?;
    script::parse(&format!("scenarios/{name}.scn"), &text).map_err(|refused| refused.to_string())
}
