//! `Subscribe`, `Unsubscribe`, and the attributes of subscriptions.

use std::sync::Arc;

use imbl::{OrdMap, Vector};
use serde::{Deserialize, Serialize};

use super::confirm;
use super::errors::{because, check_arn, invalid, not_found};
use super::filter;
use super::subscription::{Confirmation, In, On, Subscription, check_endpoint};
use super::topic::{Topics, find, on, subscriptions_of};
use crate::cloud::{At, Cx, Scope, Service, Target};
use crate::iam::Principal;
use crate::{Error, Result};

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Topics>) -> Service<Topics> {
    service
        .op(
            "Subscribe",
            |at, i: &Subscribe| {
                let target = on(at, &i.topic_arn).context("sns:Protocol", i.protocol.clone());
                target.context("sns:Endpoint", i.endpoint.clone())
            },
            subscribe,
        )
        // Whoever has the link in a message may follow it.
        .op("Unsubscribe", |_, _: &OfSubscription| Target::open(), unsubscribe)
        .op("GetSubscriptionAttributes", |at, i: &OfSubscription| on_subscription(at, &i.subscription_arn), get)
        .op("SetSubscriptionAttributes", |at, i: &SetAttribute| on_subscription(at, &i.subscription_arn), set)
}

/// Subscriptions belong to who subscribed; a topic's policy has no say in them.
fn on_subscription(at: &At<Topics>, arn: &str) -> Target {
    match at.state.subscriptions.get(arn) {
        Some(subscription) => Target::on(&*subscription.topic).owner(&*subscription.owner),
        None => Target::on(arn),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Subscribe {
    topic_arn: String,
    protocol: String,
    #[serde(default)]
    endpoint: String,
    #[serde(default)]
    attributes: OrdMap<String, String>,
    #[serde(default)]
    return_subscription_arn: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Subscribed {
    subscription_arn: String,
}

fn subscribe(cx: &mut Cx<Topics>, input: Subscribe) -> Result<Subscribed> {
    find(cx, &input.topic_arn)?;
    check_endpoint(cx, &input.topic_arn, &input.protocol, &input.endpoint)?;
    let place = On { topic: &input.topic_arn, endpoint: &input.endpoint, when: In::Subscribe };
    let attributes = place.all(&input.attributes)?;
    let same =
        |(_, there): &(&String, &Subscription)| there.protocol == input.protocol && there.endpoint == input.endpoint;
    if let Some((arn, there)) = subscriptions_of(cx.state, &input.topic_arn).find(same) {
        let told = there.told(arn, None);
        // A scope that is not told is that of a policy which has none.
        let is = |name: &String, value: &String| match told.get(name) {
            Some(there) => there == value,
            None => name == "FilterPolicyScope" && value == filter::ATTRIBUTES,
        };
        if !attributes.iter().all(|(name, value)| is(name, value)) {
            return Err(because("Attributes", "Subscription already exists with different attributes"));
        }
        let arn = arn.clone();
        return Ok(answer(arn, there.is_pending() && !input.return_subscription_arn));
    }
    let arn = format!("{}:{}", input.topic_arn, cx.ids().uuid());
    let mine = Scope::of_arn(&input.endpoint).account == cx.scope.account;
    let confirmation = match input.protocol.as_str() {
        "http" | "https" | "email" | "email-json" => Confirmation::Pending { token: confirm::token(cx) },
        "sqs" if !mine => Confirmation::Pending { token: confirm::token(cx) },
        _ => Confirmation::Confirmed { authenticated: true, only_authenticated: false },
    };
    let subscription = Subscription {
        topic: Arc::from(input.topic_arn.as_str()),
        owner: cx.scope.account.clone(),
        principal: cx.caller.principal.arn(),
        protocol: input.protocol,
        endpoint: input.endpoint,
        attributes,
        confirmation,
        outbox: Vector::new(),
    };
    let is_pending = subscription.is_pending();
    confirm::ask(cx, &arn, &subscription)?;
    cx.state.subscriptions.insert(arn.clone(), subscription);
    Ok(answer(arn, is_pending && !input.return_subscription_arn))
}

fn answer(arn: String, hidden: bool) -> Subscribed {
    Subscribed { subscription_arn: if hidden { "pending confirmation".to_owned() } else { arn } }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfSubscription {
    /// Missed by the operation itself.
    #[serde(default)]
    subscription_arn: String,
}

/// Takes a subscription back. One that is not there counts as taken back.
fn unsubscribe(cx: &mut Cx<Topics>, input: OfSubscription) -> Result<()> {
    let arn = input.subscription_arn;
    if arn.is_empty() {
        return Err(because("SubscriptionArn", "no value for required parameter"));
    }
    check_arn("SubscriptionArn", &arn)?;
    let id = arn.splitn(7, ':').nth(6).unwrap_or_default();
    if !is_uuid(id) {
        return Err(invalid("SubscriptionId"));
    }
    let Some(subscription) = cx.state.subscriptions.get(&arn) else { return Ok(()) };
    let topic = Arc::clone(&subscription.topic);
    let only_authenticated =
        matches!(subscription.confirmation, Confirmation::Confirmed { only_authenticated: true, .. });
    let may = match cx.caller.principal {
        Principal::Anonymous => !only_authenticated,
        _ => cx.access().may_on("sns:Unsubscribe", &Target::on(&*topic).owner(&*subscription.owner)),
    };
    if !may {
        let caller = cx.caller.principal.arn();
        let message = format!("User: {caller} is not authorized to perform: SNS:Unsubscribe on resource: {topic}");
        return Err(Error::new(403, "AuthorizationError", message));
    }
    let owner = Arc::clone(&subscription.owner);
    let removed = cx.state.subscriptions.remove(&arn);
    if let Some(topic) = cx.state.topics.get_mut(&*topic) {
        topic.deleted += 1;
    }
    // Who owns the subscription need not be told of what he did.
    let by_owner = cx.caller.principal != Principal::Anonymous && cx.scope.account == owner;
    match removed {
        Some(subscription) if !by_owner => confirm::farewell(cx, &arn, subscription),
        _ => Ok(()),
    }
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    attributes: OrdMap<String, String>,
}

fn get(cx: &mut Cx<Topics>, input: OfSubscription) -> Result<Attributes> {
    check_arn("SubscriptionArn", &input.subscription_arn)?;
    let subscription = cx.state.subscriptions.get(&input.subscription_arn).ok_or_else(|| not_found("Subscription"))?;
    let topic = cx.state.topics.get(&*subscription.topic);
    let policy = topic.and_then(|topic| topic.attributes.get("DeliveryPolicy")).map(String::as_str);
    Ok(Attributes { attributes: subscription.told(&input.subscription_arn, policy) })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SetAttribute {
    subscription_arn: String,
    attribute_name: String,
    #[serde(default)]
    attribute_value: String,
}

fn set(cx: &mut Cx<Topics>, input: SetAttribute) -> Result<()> {
    check_arn("SubscriptionArn", &input.subscription_arn)?;
    let found = cx.state.subscriptions.get_mut(&input.subscription_arn);
    let subscription = found.ok_or_else(|| not_found("Subscription"))?;
    let mut attributes = subscription.attributes.clone();
    let place = On { topic: &subscription.topic, endpoint: &subscription.endpoint, when: In::Change };
    place.set(&mut attributes, &input.attribute_name, &input.attribute_value)?;
    subscription.attributes = attributes;
    Ok(())
}
