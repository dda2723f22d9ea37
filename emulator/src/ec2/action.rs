//! What all operations have in common: the dry run, the default VPC, and what a call acts on.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, StringDeserializer};
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde_json::Value;

use super::tags::Specification;
use super::{Network, arn, defaults};
use crate::cloud::{At, Cx, Service, Target};
use crate::{Error, Result};

/// An operation, which is its input.
pub(super) trait Action: DeserializeOwned + Send + 'static {
    /// Its name.
    const NAME: &'static str;

    /// The type and id of what it acts on, as ARNs name them; without an id it is about to be made.
    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        None
    }

    /// The tags that come with the call.
    fn tags(&self) -> &[Specification] {
        &[]
    }

    /// Does it.
    fn run(self, cx: &mut Cx<Network>) -> Result<Value>;
}

/// Adds an operation.
pub(super) fn act<A: Action>(service: Service<Network>) -> Service<Network> {
    service.op(
        A::NAME,
        |at, asked: &Asked<A>| target(at, &asked.input),
        |cx, asked: Asked<A>| {
            defaults::make(cx);
            // The caller may: that was checked already.
            // <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonParameters.html>
            if asked.is_dry {
                let text = "Request would have succeeded, but DryRun flag is set.";
                return Err(Error::new(412, "DryRunOperation", text));
            }
            asked.input.run(cx)
        },
    )
}

/// What IAM is asked for: the ARN, with the tags that are there and those that come.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html>
fn target<A: Action>(at: &At<Network>, input: &A) -> Target {
    let Some((kind, id)) = input.on() else { return Target::any() };
    let mut target = Target::on(arn(at.scope, kind, id.unwrap_or("*")));
    for (key, value) in id.and_then(|id| at.state.tags.get(id)).into_iter().flatten() {
        target = target.context(format!("ec2:ResourceTag/{key}"), value.clone());
        target = target.context(format!("aws:ResourceTag/{key}"), value.clone());
    }
    for tag in input.tags().iter().flat_map(Specification::tags) {
        target = target.context(format!("aws:RequestTag/{}", tag.key), tag.value.clone().unwrap_or_default());
    }
    target
}

/// An input, and whether the call is to be tried only: `DryRun` is a member of every one.
pub(super) struct Asked<A> {
    is_dry: bool,
    input: A,
}

impl<'de, A: DeserializeOwned> Deserialize<'de> for Asked<A> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<A>(PhantomData<A>);
        impl<'de, A: DeserializeOwned> Visitor<'de> for Members<A> {
            type Value = Asked<A>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the members of an input")
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Asked<A>, M::Error> {
                let mut dry = None;
                let input = A::deserialize(MapAccessDeserializer::new(Others { map, dry: &mut dry }))?;
                Ok(Asked { is_dry: dry.unwrap_or(false), input })
            }
        }
        deserializer.deserialize_map(Members(PhantomData))
    }
}

/// The members of a map without `DryRun`.
struct Others<'a, M> {
    map: M,
    dry: &'a mut Option<bool>,
}

impl<'de, M: MapAccess<'de>> MapAccess<'de> for Others<'_, M> {
    type Error = M::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, M::Error> {
        while let Some(key) = self.map.next_key::<String>()? {
            if key != "DryRun" {
                let key: StringDeserializer<M::Error> = key.into_deserializer();
                return seed.deserialize(key).map(Some);
            }
            *self.dry = self.map.next_value()?;
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, M::Error> {
        self.map.next_value_seed(seed)
    }
}
