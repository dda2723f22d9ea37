//! operand
