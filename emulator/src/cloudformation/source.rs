//! Where the text of a template comes from: the call itself, or an object in a bucket.
//!
//! `cdk deploy`, `sam deploy` and nested stacks name an object. It is read as the caller of the operation, which waits for it.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::state::{Stack, Stacks};
use super::template::{MAX_BODY_BYTES, MAX_TEMPLATE_BYTES, validation_error};
use crate::cloud::{Answer, Cx, Question};
use crate::{Error, Result};

/// The text of a template, or the object that holds it.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Text(String),
    Object { bucket: String, key: String, version: Option<String> },
}

impl Source {
    /// The template that a call carries or names.
    ///
    /// # Errors
    /// `ValidationError` if it does neither or both, if the text is too long, and if the URL is none of S3's.
    pub fn new(cx: &Cx<Stacks>, body: Option<String>, url: Option<&str>) -> Result<Self> {
        match (body, url) {
            (Some(_), Some(_)) => Err(validation_error("Cannot specify both TemplateBody and TemplateURL")),
            (Some(body), None) if body.len() > MAX_BODY_BYTES => Err(validation_error(format!(
                "1 validation error detected: Value '{body}' at 'templateBody' failed to satisfy constraint: Member must have length \
                 less than or equal to {MAX_BODY_BYTES}"
            ))),
            (Some(body), None) => Ok(Self::Text(body)),
            (None, Some(url)) => object(cx.endpoint().as_deref(), url),
            (None, None) => Err(validation_error("Either Template URL or Template Body must be specified.")),
        }
    }

    /// The template of an update, which may be the one that the stack has.
    ///
    /// # Errors
    /// As [`Source::new`].
    pub fn of_update(
        cx: &Cx<Stacks>,
        sent: (Option<String>, Option<&str>),
        use_previous: Option<bool>,
        stack: &Stack,
    ) -> Result<Self> {
        match (sent, use_previous.unwrap_or_default()) {
            ((None, None), true) => Ok(Self::Text(stack.definition.body.clone())),
            (_, true) => {
                Err(validation_error("You cannot specify both usePreviousTemplate and Template Body/Template URL."))
            }
            ((body, url), false) => Self::new(cx, body, url),
        }
    }

    /// What to ask for the text; `None` if it is there.
    pub fn question(&self, cx: &Cx<Stacks>) -> Option<Question> {
        let Self::Object { bucket, key, version } = self else { return None };
        // One byte more than a template may have tells one that is too long.
        let range = format!("bytes=0-{MAX_TEMPLATE_BYTES}");
        let input = json!({ "Bucket": bucket, "Key": key, "VersionId": version, "Range": range });
        Some(Question {
            service: "s3".to_owned(),
            operation: "GetObject".to_owned(),
            input,
            caller: cx.caller.clone(),
            scope: None,
        })
    }
}

/// The text of the object that was asked for.
///
/// # Errors
/// `ValidationError` with S3's reason, or if the text is too long.
pub(super) fn text(answer: Answer) -> Result<String> {
    let found = answer.into_result().map_err(|error| match error.status() {
        501 => error,
        _ => validation_error(format!(
            "S3 error: {}\nFor more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html",
            error.message()
        )),
    })?;
    let body = STANDARD.decode(found["Body"].as_str().unwrap_or_default()).map_err(Error::internal)?;
    if body.len() > MAX_TEMPLATE_BYTES {
        return Err(validation_error(format!("Template may not exceed {MAX_TEMPLATE_BYTES} bytes in size.")));
    }
    String::from_utf8(body).map_err(|_| validation_error("Template format error: the template is not UTF-8 text."))
}

/// The object of a URL. `endpoint`: where the caller reaches this cloud.
fn object(endpoint: Option<&str>, url: &str) -> Result<Source> {
    let unsupported = || validation_error("TemplateURL must be a supported URL.");
    if let Some(rest) = url.strip_prefix("s3://") {
        let bucket = rest.split('/').next().unwrap_or_default();
        return Err(validation_error(format!("S3 error: Domain name specified in {bucket} is not a valid S3 domain")));
    }
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return Err(unsupported());
    }
    let request = http::Request::builder().uri(url).body(()).map_err(|_| unsupported())?;
    let (head, ()) = request.into_parts();
    let authority = head.uri.authority().map_or("", |authority| authority.as_str());
    let path = head.uri.path().trim_start_matches('/');
    let (bucket, key) = match crate::wire::bucket_of_host(&head) {
        Some(bucket) => (bucket, path.to_owned()),
        None if is_path_style(endpoint, authority) => {
            let (bucket, key) = path.split_once('/').ok_or_else(unsupported)?;
            (bucket.to_owned(), key.to_owned())
        }
        None => return Err(unsupported()),
    };
    let key = percent_encoding::percent_decode_str(&key).decode_utf8().map_err(|_| unsupported())?.into_owned();
    if bucket.is_empty() || key.is_empty() {
        return Err(unsupported());
    }
    let query = head.uri.query().unwrap_or_default().split('&');
    let version = query.filter_map(|pair| pair.strip_prefix("versionId=")).next().map(str::to_owned);
    Ok(Source::Object { bucket, key, version })
}

/// Whether the path of such a host begins with the bucket: S3's own hosts, and those where a cloud like this one is reached: this
/// machine, an address, a name of a network of containers. Nested stacks are made by calls that come from no host.
fn is_path_style(endpoint: Option<&str>, authority: &str) -> bool {
    let name = crate::wire::without_port(authority).trim_matches(['[', ']']);
    let is_aws = name.contains(".amazonaws.com") || name.ends_with(".api.aws");
    if is_aws {
        return name.starts_with("s3.") || name.starts_with("s3-");
    }
    endpoint.is_some_and(|endpoint| endpoint == format!("http://{authority}"))
        || !name.contains('.')
        || name.parse::<std::net::IpAddr>().is_ok()
        || name.ends_with(".localhost")
        || name.ends_with("localhost.localstack.cloud")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn objects_are_named_as_at_s3_or_at_an_endpoint() {
        for (url, bucket, key) in [
            ("https://s3.amazonaws.com/b/a/t.yml", "b", "a/t.yml"),
            ("https://s3.eu-west-1.amazonaws.com/b/t.yml", "b", "t.yml"),
            ("https://b.s3.amazonaws.com/a/t.yml", "b", "a/t.yml"),
            ("https://b.s3.eu-west-1.amazonaws.com/t%20x.yml", "b", "t x.yml"),
            ("http://localhost:4566/b/t.yml", "b", "t.yml"),
            ("http://127.0.0.1:4566/b/t.yml", "b", "t.yml"),
            ("http://b.s3.localhost:4566/t.yml", "b", "t.yml"),
            ("http://garoa:4566/b/t.yml", "b", "t.yml"),
        ] {
            let Source::Object { bucket: found, key: name, version } = object(None, url).unwrap() else {
                panic!("{url}");
            };
            assert_eq!((found.as_str(), name.as_str(), version), (bucket, key, None), "{url}");
        }
        let Source::Object { version, .. } = object(None, "https://s3.amazonaws.com/b/t?versionId=v1").unwrap() else {
            panic!("a version");
        };
        assert_eq!(version.as_deref(), Some("v1"));
        for url in ["https://example.com/dummy.yml", "ftp://s3.amazonaws.com/b/k", "https://s3.amazonaws.com/b", "x"] {
            let error = object(None, url).unwrap_err();
            assert_eq!(error.message(), "TemplateURL must be a supported URL.", "{url}");
        }
        assert!(object(Some("http://cloud.example.com"), "http://cloud.example.com/b/t").is_ok());
        let error = object(None, "s3://b/t").unwrap_err();
        assert_eq!(error.message(), "S3 error: Domain name specified in b is not a valid S3 domain");
    }
}
