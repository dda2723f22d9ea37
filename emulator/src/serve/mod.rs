//! The same cloud behind a port.
