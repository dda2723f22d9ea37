//! Stacks, through the front door.
