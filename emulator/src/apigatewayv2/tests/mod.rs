//! Tests of the control plane, through the front door.
