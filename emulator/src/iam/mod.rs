//! AWS IAM: policies, their evaluation, and the IAM service.
