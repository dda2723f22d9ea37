//! The service models as `aws` lines see them.

use crate::model::{Kind, Model};
use crate::scenario::awscli::{OperationShape, Paginator, Shape, Shapes, Structure};

/// All models that the emulator has.
pub(super) struct Models;

impl Shapes for Models {
    fn services(&self) -> Vec<String> {
        Model::services().map(str::to_owned).collect()
    }

    fn operations(&self, service: &str) -> Option<Vec<String>> {
        Some(Model::of(service)?.operations().map(|operation| operation.name.to_owned()).collect())
    }

    fn operation(&self, service: &str, operation: &str) -> Option<OperationShape> {
        let operation = Model::of(service)?.operation(operation)?;
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Some(OperationShape {
            input: operation.input_shape().map(|shape| shape.name.to_owned()),
            output: operation.output_shape().map(|shape| shape.name.to_owned()),
            paginator: operation.paginator.as_ref().map(|pages| Paginator {
                input_tokens: owned(&pages.input_tokens),
                output_tokens: owned(&pages.output_tokens),
                result_keys: owned(&pages.result_keys),
                more_results: pages.more_results.map(str::to_owned),
            }),
        })
    }

    fn shape(&self, service: &str, shape: &str) -> Option<Shape> {
        let model = Model::of(service)?;
        let shape = model.shape_named(shape)?;
        let name = |id| model.shape(id).name.to_owned();
        Some(match &shape.kind {
            _ if shape.document => Shape::Document,
            Kind::Structure(structure) => Shape::Structure(Structure {
                members: structure.members.iter().map(|member| (member.name.to_owned(), name(member.shape))).collect(),
                required: structure.members.iter().filter(|m| m.required).map(|m| m.name.to_owned()).collect(),
                payload: shape.payload.map(str::to_owned),
            }),
            Kind::List(element) => Shape::List(name(element.shape)),
            Kind::Map(_, element) => Shape::Map(name(element.shape)),
            Kind::String => Shape::String,
            Kind::Integer { .. } => Shape::Integer,
            Kind::Float => Shape::Float,
            Kind::Boolean => Shape::Boolean,
            Kind::Blob => Shape::Blob,
            Kind::Timestamp => Shape::Timestamp,
        })
    }
}
