//! API Gateway's errors.

use crate::Error;

/// 400.
pub(super) fn bad(message: impl Into<String>) -> Error {
    Error::client("BadRequestException", message)
}

/// 404.
pub(super) fn not_found(message: impl Into<String>) -> Error {
    Error::new(404, "NotFoundException", message)
}

/// 409.
pub(super) fn conflict(message: impl Into<String>) -> Error {
    Error::new(409, "ConflictException", message)
}
