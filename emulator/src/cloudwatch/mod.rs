//! Amazon CloudWatch metrics.
