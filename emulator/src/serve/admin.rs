//! Garoa's own paths: health, reset, the clock, and the mails that were accepted.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Timestamp;
use crate::clock::ClockMode;
use crate::cloud::{Cloud, Scope};

/// `GET /_garoa/health`: that it runs, what time it is, and which operations there are.
pub(super) async fn health(State(cloud): State<Arc<Cloud>>) -> Response {
    let services: Value =
        cloud.0.services.iter().map(|(name, service)| ((*name).to_owned(), json!(service.operations()))).collect();
    let body = json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "now": cloud.now().to_iso_millis(),
        "services": services,
    });
    answer(StatusCode::OK, &body)
}

/// `POST /_garoa/reset`: empties the cloud, and its mailbox.
pub(super) async fn reset(State(cloud): State<Arc<Cloud>>) -> Response {
    cloud.reset();
    answer(StatusCode::OK, &json!({ "status": "ok" }))
}

/// `GET /_garoa/mails`: the mails that `--smtp` accepted, the newest hundred, the oldest of them first.
pub(super) async fn mails(State(cloud): State<Arc<Cloud>>) -> Response {
    answer(StatusCode::OK, &json!({ "mails": cloud.0.mails.all() }))
}

/// How far to move the clock: `{"seconds": 900}` or `{"to": "2026-03-02T12:15:00Z"}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: Option<u64>,
    to: Option<String>,
}

/// `POST /_garoa/clock/advance`: moves virtual time, and runs what falls due on the way.
pub(super) async fn advance(State(cloud): State<Arc<Cloud>>, body: Bytes) -> Response {
    if cloud.0.clock.mode() == ClockMode::Real {
        return refuse(
            StatusCode::CONFLICT,
            "the clock is the machine's; serve with --clock frozen or --clock auto to move it",
        );
    }
    let target = match serde_json::from_slice::<Advance>(&body) {
        Ok(Advance { seconds: Some(seconds), to: None }) => cloud.now() + Duration::from_secs(seconds),
        Ok(Advance { seconds: None, to: Some(to) }) => match to.parse::<Timestamp>() {
            Ok(target) => target,
            Err(error) => return refuse(StatusCode::BAD_REQUEST, &format!("`to` is no time: {error}")),
        },
        Ok(_) => return refuse(StatusCode::BAD_REQUEST, "say either `seconds` or `to`"),
        Err(error) => return refuse(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    match cloud.advance_to(target).await {
        Ok(()) => answer(StatusCode::OK, &json!({ "now": cloud.now().to_iso_millis() })),
        Err(stalled) => refuse(StatusCode::CONFLICT, &stalled.to_string()),
    }
}

/// `GET /_garoa/code/…`: the code of a function, as the URL in the answer of `GetFunction` names it.
pub(super) async fn code(
    State(cloud): State<Arc<Cloud>>,
    Path((account, region, name, version, hash, proof)): Path<(String, String, String, String, String, String)>,
) -> Response {
    match crate::lambda::download(&cloud, &Scope::new(account, region), &name, &version, &hash, &proof) {
        Some(zip) => (StatusCode::OK, [(header::CONTENT_TYPE, "application/zip")], zip).into_response(),
        None => refuse(StatusCode::FORBIDDEN, "this URL was not given out, or names code that is gone"),
    }
}

fn refuse(status: StatusCode, error: &str) -> Response {
    answer(status, &json!({ "error": error }))
}

fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
