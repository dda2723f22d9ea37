//! `aws …` lines: what the AWS CLI would send for them, and what it would print.
//!
//! Everything here is a pure function of the words, the service models ([`Shapes`]) and the answers. The runner makes
//! the calls: [`Command::parse`], then [`Command::input`] and, page by page, [`Command::next`]; then [`Command::print`]
//! or [`Command::failure`].

pub mod names;
mod options;
mod output;
mod s3;
pub mod shapes;
mod shorthand;
pub mod split;
#[cfg(test)]
pub(crate) mod tests;
mod text;
mod value;

use std::fmt;

use bytes::Bytes;
use serde_json::Value;

pub use shapes::{OperationShape, Paginator, Shape, Shapes, Structure};

use crate::Error;

/// An error in a command, and which of its words (after `aws`, from 0) is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandError {
    /// The word; `None` for the command as a whole.
    pub word: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// How to put it right, where that is known.
    pub help: Option<String>,
}

impl CommandError {
    pub(crate) fn new(word: impl Into<Option<usize>>, message: impl Into<String>) -> Self {
        Self { word: word.into(), message: message.into(), help: None }
    }

    pub(crate) fn near<'a>(mut self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        self.help = super::script::suggest::closest(word, known).map(|near| format!("did you mean `{near}`?"));
        self
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, "; {help}"))
    }
}

impl std::error::Error for CommandError {}

/// What a call answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Response {
    /// The output's members, as the model names them.
    pub output: Value,
    /// The member bound to the HTTP payload, if it is a blob.
    pub body: Bytes,
}

/// The format of `--output`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Indented JSON.
    #[default]
    Json,
    /// Lines with tabs.
    Text,
}

/// What is done with the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Print {
    /// As the CLI prints an operation's output.
    Output { query: Option<String>, format: Format },
    /// The payload alone: an output file named `-`, and `aws s3 cp … -`.
    Payload,
    /// The payload, then the output: an output file named `/dev/stdout`.
    PayloadAndOutput { query: Option<String>, format: Format },
    /// `aws s3 ls` without a bucket.
    Buckets,
    /// `aws s3 ls s3://bucket/prefix`; `prefix` is the folder that keys are shown without.
    Objects { folder: String },
    /// `aws s3 rm`: the line that it prints.
    Line(String),
}

/// An `aws` command, ready to be called.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// The service, as the models name it: `s3`, not `s3api`.
    pub service: String,
    /// The operation, as the model names it.
    pub operation: String,
    /// The input's members.
    pub input: Value,
    /// The input's member that is bound to the HTTP payload, if it is a blob.
    pub body: Option<Bytes>,
    /// The file that the payload is read from instead, and which word names it: whoever makes the call has it.
    pub file: Option<(usize, String)>,
    /// `--region`.
    pub region: Option<String>,
    paginator: Option<Paginator>,
    output_shape: Option<String>,
    print: Print,
    /// What stands before an error's text, as in `download failed: …`.
    failure_prefix: String,
}

impl Command {
    /// Reads the words after `aws`.
    ///
    /// # Errors
    /// Unknown services, operations and options with a suggestion; values that do not fit the model; what needs files.
    pub fn parse(words: &[String], shapes: &dyn Shapes) -> Result<Self, CommandError> {
        match words.first().map(String::as_str) {
            None => Err(CommandError::new(None, "`aws` needs a service and an operation")),
            Some("s3") => s3::parse(words),
            Some(_) => options::parse(words, shapes),
        }
    }

    /// The input of the call for the page after this one; `None` after the last page, or without pages.
    pub fn next(&self, page: &Response) -> Option<Value> {
        let paginator = self.paginator.as_ref()?;
        let more = paginator.more_results.as_ref();
        if more.is_some_and(|more| page.output.get(more) != Some(&Value::Bool(true))) {
            return None;
        }
        let mut input = self.input.clone();
        let members = input.as_object_mut()?;
        let mut found = false;
        for (output, member) in paginator.output_tokens.iter().zip(&paginator.input_tokens) {
            // Several expressions for one token, as in `NextMarker || Contents[-1].Key`, are JMESPath.
            let token = super::expect::jmes::search(output, &page.output).unwrap_or(Value::Null);
            let empty = token.is_null() || token.as_str() == Some("");
            found |= !empty;
            if empty {
                members.shift_remove(member);
            } else {
                members.insert(member.clone(), token);
            }
        }
        found.then_some(input)
    }

    /// What the CLI prints for the pages of a call that succeeded, with a newline at the end if there is anything.
    ///
    /// # Errors
    /// What is wrong with the `--query` for this answer.
    pub fn print(&self, pages: &[Response], shapes: &dyn Shapes) -> Result<String, CommandError> {
        let error = |message: String| CommandError::new(None, message);
        match &self.print {
            Print::Output { query, format } => {
                self.print_output(pages, query.as_deref(), *format, shapes).map_err(error)
            }
            Print::Payload => Ok(payload(pages)),
            Print::PayloadAndOutput { query, format } => {
                let output = self.print_output(pages, query.as_deref(), *format, shapes).map_err(error)?;
                Ok(payload(pages) + &output)
            }
            Print::Buckets => Ok(s3::buckets(pages)),
            Print::Objects { folder } => Ok(s3::objects(pages, folder)),
            Print::Line(line) => Ok(format!("{line}\n")),
        }
    }

    fn print_output(
        &self,
        pages: &[Response],
        query: Option<&str>,
        format: Format,
        shapes: &dyn Shapes,
    ) -> Result<String, String> {
        let shape = self.output_shape.as_deref();
        let shown: Vec<Value> = pages
            .iter()
            .map(|page| output::shown(&page.output, &self.service, shape, shapes))
            .collect::<Result<_, _>>()?;
        output::print(&shown, self.paginator.as_ref(), query, format)
    }

    /// What the CLI prints for a call that failed, without a newline.
    pub fn failure(&self, error: &Error) -> String {
        format!("{}{}", self.failure_prefix, error_text(&self.operation, error.code(), error.message()))
    }
}

/// The AWS CLI's words for an error answer.
pub fn error_text(operation: &str, code: &str, message: &str) -> String {
    format!("An error occurred ({code}) when calling the {operation} operation: {message}")
}

fn payload(pages: &[Response]) -> String {
    pages.iter().map(|page| String::from_utf8_lossy(&page.body)).collect()
}
