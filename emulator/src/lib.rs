//! Garoa: a small cloud on your own machine, and the test harness around it.
//!
//! Read `ARCHITECTURE.md` beside this crate first; it says where everything is and why.

pub mod apigateway;
pub mod apigatewayv2;
pub mod clock;
pub mod cloud;
pub mod cloudformation;
pub mod cloudwatch;
pub mod dynamodb;
pub mod ec2;
pub mod ecr;
pub mod error;
pub mod event_pattern;
pub mod events;
pub mod execute_api;
pub mod glacier;
pub mod iam;
pub mod kinesis;
pub mod kms;
pub mod lambda;
pub mod logs;
pub mod model;
pub mod s3;
pub mod scenario;
pub mod scheduler;
pub mod sdk;
pub mod secretsmanager;
pub mod serve;
pub mod sigv4;
pub mod sinks;
pub mod sns;
pub mod sqs;
pub mod ssm;
pub mod sts;
pub mod timestamp;
mod token;
pub mod wire;

pub use error::{Error, Result};
pub use timestamp::Timestamp;

/// The examples of the README are compiled and run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}
