//! AWS CloudFormation: templates, the SAM transform, stacks.

pub mod template;
