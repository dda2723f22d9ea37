//! AWS CloudFormation: templates, the SAM transform, stacks.
