//! The facts of AWS's service models that drive the wire.
