//! How CloudFormation calls the services: as the caller of the stack's operation, with inputs that fit the model.

use bytes::Bytes;
use serde_json::Value;

use super::fit::fit;
use crate::cloud::{Call, Caller, Cloud, Scope};
use crate::model::Model;
use crate::{Error, Result, wire};

/// A way to the services for one caller.
pub(in crate::cloudformation) struct Door {
    /// The cloud.
    pub cloud: Cloud,
    /// The account and region of the stack.
    pub scope: Scope,
    /// As whom to call.
    pub caller: Caller,
}

impl Door {
    /// Makes a call. What a template writes as text is read as the number, flag or time that the model wants; members that
    /// are null are left out.
    pub async fn call(&self, service: &'static str, operation: &str, input: Value) -> Result<Value> {
        self.send(service, operation, input, Bytes::new()).await
    }

    /// The bytes of an object in a bucket.
    pub async fn object(&self, mut input: Value) -> Result<Bytes> {
        if let Some(members) = input.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        let call = Call::new("s3", "GetObject", self.caller.clone(), self.scope.clone(), input);
        Ok(self.cloud.call(call).await?.body.unwrap_or_default())
    }

    /// Makes a call with a payload.
    pub async fn send(&self, service: &'static str, operation: &str, input: Value, body: Bytes) -> Result<Value> {
        let model = Model::of(service).and_then(|model| Some((model, model.operation(operation)?)));
        let (model, found) =
            model.ok_or_else(|| Error::internal(format!("there is no operation {service}:{operation}")))?;
        let input = match found.input_shape() {
            Some(shape) => fit(model, shape, &input, "#")?,
            None => input,
        };
        wire::validate(found, &input)?;
        let call = Call::new(service, operation, self.caller.clone(), self.scope.clone(), input);
        Ok(self.cloud.call(call.with_body(body)).await?.output)
    }
}
