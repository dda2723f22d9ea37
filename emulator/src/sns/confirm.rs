//! Confirmations: the question to an endpoint whether it wants messages, and `ConfirmSubscription`.
//! <https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.prepare.html>

use serde::{Deserialize, Serialize};

use super::deliver::{self, Delivery};
use super::errors::{bare, invalid};
use super::message::{Kind, Message};
use super::subscription::{Confirmation, Subscription};
use super::topic::{Topics, check_place, on, subscriptions_of};
use crate::Result;
use crate::cloud::{Cx, Service, Target};
use crate::iam::Principal;

/// How many hexadecimal digits a token has.
const TOKEN: usize = 288;

/// Adds the operation of this file.
pub(super) fn operations(service: Service<Topics>) -> Service<Topics> {
    // Whoever has the token may: that is what it is for.
    service.op("ConfirmSubscription", |at, i: &Confirm| Target { open: true, ..on(at, &i.topic_arn) }, confirm)
}

/// A token for a new subscription.
pub(super) fn token(cx: &mut Cx<Topics>) -> String {
    cx.ids().hex(TOKEN)
}

/// Asks an endpoint. Those of e-mail are not asked: no mail leaves.
pub(super) fn ask(cx: &mut Cx<Topics>, arn: &str, subscription: &Subscription) -> Result<()> {
    let Confirmation::Pending { token } = &subscription.confirmation else { return Ok(()) };
    if !subscription.is_http() && subscription.protocol != "sqs" {
        return Ok(());
    }
    let text = format!(
        "You have chosen to subscribe to the topic {}.\nTo confirm the subscription, visit the SubscribeURL included in this \
         message.",
        subscription.topic
    );
    let kind = Kind::Confirmation { token: token.clone() };
    let message = Message::from_sns(cx, kind, &subscription.topic, text);
    let delivery = Delivery::new(cx, arn, subscription, message);
    deliver::send(cx, vec![delivery])
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

fn confirm(cx: &mut Cx<Topics>, input: Confirm) -> Result<Confirmed> {
    // A link that is visited carries no signature, and so no region.
    let is_anonymous = cx.caller.principal == Principal::Anonymous;
    if check_place(cx.scope, &input.topic_arn).is_err() && !is_anonymous {
        return Err(invalid("Topic"));
    }
    if input.token.len() != TOKEN || !input.token.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(bare("Invalid token"));
    }
    let wanted = |(_, there): &(&String, &Subscription)| matches!(&there.confirmation, Confirmation::Pending { token } if *token == input.token);
    let found = subscriptions_of(cx.state, &input.topic_arn).find(wanted).map(|(arn, _)| arn.clone());
    let arn = found.ok_or_else(|| invalid("Token"))?;
    let only_authenticated = input.authenticate_on_unsubscribe.is_some_and(|flag| flag == "true");
    if let Some(subscription) = cx.state.subscriptions.get_mut(&arn) {
        subscription.confirmation = Confirmation::Confirmed { authenticated: !is_anonymous, only_authenticated };
    }
    Ok(Confirmed { subscription_arn: arn })
}
