//! `ws` steps: clients of WebSocket APIs, without sockets.

use serde_json::Value;

use super::player::{Player, Wrong};
use crate::apigatewayv2::websocket::{NotConnected, VirtualClient};
use crate::scenario::expect::Mismatch;
use crate::scenario::script::websocket::{Act, WebSocket};
use crate::scenario::script::{Span, Template};

/// Carries out a step.
pub(super) async fn take(player: &mut Player<'_>, step: &WebSocket, span: Span) -> Result<(), Wrong> {
    let name = &step.client;
    match &step.act {
        Act::Connect(url, refused) => connect(player, name, url, *refused, span).await,
        Act::Send(text) => {
            let text = text.render(&|name| player.name(name))?;
            client(player, name, span)?.send(&player.cloud, &text).await;
            Ok(())
        }
        Act::Receives(wanted) => receives(player, name, wanted.as_ref(), span),
        Act::Closed(code) => {
            let closed = client(player, name, span)?.closed(&player.cloud).map(|close| close.code);
            if closed == Some(*code) {
                return Ok(());
            }
            let there = closed.map_or_else(|| "it is open".to_owned(), |code| format!("closed {code}"));
            Err(differs(span, name, format!("closed {code}"), there))
        }
        Act::Vanish => {
            taken(player, name, span)?.vanish(&player.cloud);
            Ok(())
        }
        Act::Close => {
            taken(player, name, span)?.close(&player.cloud);
            Ok(())
        }
    }
}

async fn connect(
    player: &mut Player<'_>,
    name: &str,
    url: &Template,
    refused: Option<u16>,
    span: Span,
) -> Result<(), Wrong> {
    if player.clients.contains_key(name) {
        return Err(Wrong::new(span, format!("`{name}` is connected already")));
    }
    let url = url.render(&|name| player.name(name))?;
    let wanted = refused.map_or_else(|| "connected".to_owned(), |status| format!("HTTP {status}"));
    match VirtualClient::connect(&player.cloud, &url).await {
        Ok(client) if refused.is_none() => {
            player.clients.insert(name.to_owned(), client);
            Ok(())
        }
        Ok(client) => {
            client.close(&player.cloud);
            Err(differs(span, name, wanted, "connected".to_owned()))
        }
        Err(NotConnected::Refused(status, _)) if refused == Some(status) => Ok(()),
        Err(NotConnected::Refused(status, body)) => {
            Err(Wrong { is_call: true, ..differs(span, name, wanted, format!("HTTP {status} {body}")) })
        }
        Err(NotConnected::NoApi(why)) => Err(Wrong::new(span, why)),
    }
}

fn receives(player: &Player<'_>, name: &str, wanted: Option<&Template>, span: Span) -> Result<(), Wrong> {
    let received = client(player, name, span)?.receive(&player.cloud);
    let Some(wanted) = wanted else {
        return match received {
            None => Ok(()),
            Some(text) => Err(differs(span, name, "nothing".to_owned(), text)),
        };
    };
    let wanted = wanted.render(&|name| player.name(name))?;
    let value = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|_| text.into());
    match received {
        Some(text) if value(&text) == value(&wanted) => Ok(()),
        other => Err(differs(span, name, wanted, other.unwrap_or_else(|| "nothing".to_owned()))),
    }
}

fn client<'a>(player: &'a Player<'_>, name: &str, span: Span) -> Result<&'a VirtualClient, Wrong> {
    player.clients.get(name).ok_or_else(|| Wrong::new(span, format!("no client `{name}` is connected")))
}

fn taken(player: &mut Player<'_>, name: &str, span: Span) -> Result<VirtualClient, Wrong> {
    player.clients.remove(name).ok_or_else(|| Wrong::new(span, format!("no client `{name}` is connected")))
}

fn differs(span: Span, name: &str, wanted: String, there: String) -> Wrong {
    let mismatch = Mismatch::new(format!("ws {name}"), wanted, there);
    Wrong { difference: Some(mismatch.to_string()), ..Wrong::new(span, "the client saw something else") }
}
