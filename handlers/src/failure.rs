//! What went wrong in a call of AWS, in one line.

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// An error with all its causes in one line: the SDK's own text names only the outermost ("service error").
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    /// More causes than any SDK error has.
    const MAX_CAUSES: usize = 16;
    let causes = std::iter::successors(Some(error), |error| error.source()).take(MAX_CAUSES);
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// What a service said, or why it could not be asked.
///
/// Not the SDK's own text of a service's error: that lists request ids besides, in an order that changes from run to run.
pub(crate) fn reason<E, R>(error: &SdkError<E, R>) -> String
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug,
{
    let Some(said) = error.as_service_error() else { return chain(error) };
    match (said.code(), said.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(text), None) | (None, Some(text)) => text.to_owned(),
        (None, None) => "an error without code and text".to_owned(),
    }
}
