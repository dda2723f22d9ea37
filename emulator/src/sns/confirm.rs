//! Confirmations: the question to an endpoint whether it wants messages, and `ConfirmSubscription`.
//! <https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.prepare.html>

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::deliver::{self, Delivery};
use super::errors::{bare, check_arn, invalid};
use super::message::{Kind, Message};
use super::subscription::{Confirmation, Subscription};
use super::topic::{Topics, on};
use crate::Result;
use crate::cloud::{Cx, Scope, Service, Target};
use crate::iam::Principal;

/// How many hexadecimal digits a token has.
const TOKEN: usize = 288;
/// How long a token is good, and a subscription waits to be confirmed.
/// <https://docs.aws.amazon.com/sns/latest/api/API_ConfirmSubscription.html>
const VALID: Duration = Duration::from_secs(48 * 3600);
/// The event by which a token ends; its key is the token.
const EXPIRE: &str = "ExpireToken";

/// Adds the operation and the event of this file.
pub(super) fn operations(service: Service<Topics>) -> Service<Topics> {
    // Whoever has the token may: that is what it is for.
    service
        .op("ConfirmSubscription", |at, i: &Confirm| Target { open: true, ..on(at, &i.topic_arn) }, confirm)
        .event(EXPIRE, expire)
}

/// What a token stands for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Asked {
    /// The ARN of the subscription.
    subscription: String,
    /// The subscription itself, if it was taken back: the token restores it.
    removed: Option<Subscription>,
}

/// A token for a new subscription.
pub(super) fn token(cx: &mut Cx<Topics>) -> String {
    cx.ids().hex(TOKEN)
}

/// Asks the endpoint of a subscription that waits for it. Those of e-mail get no message: no mail leaves.
pub(super) fn ask(cx: &mut Cx<Topics>, arn: &str, subscription: &Subscription) -> Result<()> {
    let Confirmation::Pending { token } = &subscription.confirmation else { return Ok(()) };
    let text = format!(
        "You have chosen to subscribe to the topic {}.\nTo confirm the subscription, visit the SubscribeURL included in this \
         message.",
        subscription.topic
    );
    remember(cx, token, Asked { subscription: arn.to_owned(), removed: None });
    tell(cx, arn, subscription, Kind::Confirmation { token: token.clone() }, text)
}

/// Tells an endpoint that somebody took its subscription back, and how to have it again.
pub(super) fn farewell(cx: &mut Cx<Topics>, arn: &str, subscription: Subscription) -> Result<()> {
    if subscription.is_pending() || !is_told(&subscription) {
        return Ok(());
    }
    let text = format!(
        "You have chosen to deactivate subscription {arn}.\nTo cancel this operation and restore the subscription, visit the \
         SubscribeURL included in this message."
    );
    let token = token(cx);
    tell(cx, arn, &subscription, Kind::Farewell { token: token.clone() }, text)?;
    remember(cx, &token, Asked { subscription: arn.to_owned(), removed: Some(subscription) });
    Ok(())
}

fn is_told(subscription: &Subscription) -> bool {
    subscription.is_http() || subscription.protocol == "sqs"
}

fn tell(cx: &mut Cx<Topics>, arn: &str, subscription: &Subscription, kind: Kind, text: String) -> Result<()> {
    if !is_told(subscription) {
        return Ok(());
    }
    let message = Message::from_sns(cx, kind, &subscription.topic, text);
    let delivery = Delivery::new(cx, arn, subscription, message);
    deliver::send(cx, vec![delivery])
}

fn remember(cx: &mut Cx<Topics>, token: &str, asked: Asked) {
    cx.state.tokens.insert(token.to_owned(), asked);
    let end = cx.now + VALID;
    cx.set_timer(EXPIRE, token, end);
}

/// A token is good no longer, and a subscription that still waits for it goes.
fn expire(cx: &mut Cx<Topics>, token: &str) -> Result<()> {
    let Some(asked) = cx.state.tokens.remove(token) else { return Ok(()) };
    if cx.state.subscriptions.get(&asked.subscription).is_some_and(Subscription::is_pending) {
        cx.state.subscriptions.remove(&asked.subscription);
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Confirm {
    topic_arn: String,
    token: String,
    authenticate_on_unsubscribe: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Confirmed {
    subscription_arn: String,
}

/// The token counts: of the topic's ARN only the region is looked at, and a second confirmation is none (seen at AWS).
fn confirm(cx: &mut Cx<Topics>, input: Confirm) -> Result<Confirmed> {
    let region = Scope::of_arn(&input.topic_arn).region;
    // A link that is visited carries no signature, and so no region.
    let is_anonymous = cx.caller.principal == Principal::Anonymous;
    if check_arn("TopicArn", &input.topic_arn).is_err() || !is_anonymous && region != cx.scope.region {
        return Err(invalid("Topic"));
    }
    if !input.token.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(bare("Invalid token"));
    }
    let unknown = || invalid("Token");
    let asked = cx.state.tokens.get_mut(&input.token).ok_or_else(unknown)?;
    let arn = asked.subscription.clone();
    if Scope::of_arn(&arn).region != region {
        return Err(invalid("Topic"));
    }
    let there = cx.state.subscriptions.get(&arn).or(asked.removed.as_ref());
    let there = there.filter(|there| cx.state.topics.contains_key(&*there.topic)).ok_or_else(unknown)?;
    let is_open = there.is_pending() || asked.removed.is_some();
    if is_open {
        let only_authenticated = input.authenticate_on_unsubscribe.is_some_and(|flag| flag == "true");
        let confirmation = Confirmation::Confirmed { authenticated: !is_anonymous, only_authenticated };
        let subscription = Subscription { confirmation, ..there.clone() };
        asked.removed = None;
        cx.state.subscriptions.insert(arn.clone(), subscription);
    }
    Ok(Confirmed { subscription_arn: arn })
}
