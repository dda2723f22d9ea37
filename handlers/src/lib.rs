//! The functions of the five systems, deployable to AWS as they are.
