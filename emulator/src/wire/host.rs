//! What a host name says: the service, and S3's bucket in virtual-hosted style.

use http::header::HOST;
use http::request::Parts;

use super::headers::text;
use crate::model::Model;

/// The domains of AWS's endpoints.
const AWS_DOMAINS: &[&str] = &[".amazonaws.com", ".amazonaws.com.cn", ".api.aws"];
/// The domains of local endpoints; LocalStack's resolves to 127.0.0.1 for everyone.
const LOCAL_DOMAINS: &[&str] = &[".localhost.localstack.cloud", ".localhost"];

/// What was found out.
#[derive(Default)]
pub(super) struct Host {
    pub(super) service: Option<&'static Model>,
    pub(super) bucket: Option<String>,
    /// A name of AWS that belongs to no service here.
    pub(super) stranger: Option<String>,
}

/// The bucket that a request names by its host, in virtual-hosted style.
pub(crate) fn bucket_of_host(head: &Parts) -> Option<String> {
    of(head)?.bucket
}

/// The host that a request names, with its port; empty if it names none.
pub(crate) fn host(head: &Parts) -> &str {
    let header = text(&head.headers, HOST);
    header.or_else(|| head.uri.authority().map(|authority| authority.as_str())).unwrap_or_default()
}

/// Whether a host is an address, or this machine, and so tells nothing of what is wanted: most clients' hosts are.
pub(crate) fn is_nameless(host: &str) -> bool {
    let name = without_port(host);
    name == "localhost" || !name.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// Reads the host of a request; `None` if it is of no known domain.
pub(super) fn of(head: &Parts) -> Option<Host> {
    let host = host(head);
    if is_nameless(host) { None } else { read(host) }
}

fn read(host: &str) -> Option<Host> {
    let name = without_port(host).to_ascii_lowercase();
    let local = LOCAL_DOMAINS.iter().find_map(|domain| name.strip_suffix(domain));
    let aws = AWS_DOMAINS.iter().find_map(|domain| name.strip_suffix(domain));
    let labels: Vec<&str> = local.or(aws)?.split('.').collect();
    // At most two labels follow S3's own: `dualstack` and the region.
    let is_s3 = |label: &str| label == "s3" || (local.is_none() && label.starts_with("s3-"));
    if let Some(place) = labels.iter().rposition(|label| is_s3(label))
        && labels.len() - place <= 3
    {
        let bucket = labels.get(..place).filter(|labels| !labels.is_empty()).map(|labels| labels.join("."));
        return Some(Host { service: Model::of("s3"), bucket, stranger: None });
    }
    let service = service_of(&labels);
    Some(match (service, local) {
        (Some(_), _) => Host { service, ..Host::default() },
        // `bucket.localhost` is what SDKs make of a bucket and the endpoint http://localhost.
        (None, Some(bucket)) => Host { bucket: Some(bucket.to_owned()), ..Host::default() },
        (None, None) => Host { stranger: Some(name), ..Host::default() },
    })
}

/// The service that the labels before a domain name; at most one more follows it, the region.
fn service_of(labels: &[&str]) -> Option<&'static Model> {
    let (first, rest) = labels.split_first()?;
    if let [second, others @ ..] = rest
        && others.len() <= 1
        && let Some(model) = Model::by_endpoint_prefix(&format!("{first}.{second}"))
    {
        return Some(model);
    }
    Model::by_endpoint_prefix(first)
        .or_else(|| first.split_once('-').and_then(|(_, rest)| Model::by_endpoint_prefix(rest)))
        .filter(|_| rest.len() <= 1)
}

/// A host name, or an address, without the port that may follow it.
pub(crate) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::read;

    #[test]
    fn hosts() {
        for (host, service, bucket) in [
            ("logs.us-east-1.amazonaws.com", Some("logs"), None),
            ("monitoring.us-east-1.amazonaws.com:443", Some("cloudwatch"), None),
            ("stream-logs.us-east-1.amazonaws.com", Some("logs"), None),
            ("sts.amazonaws.com", Some("sts"), None),
            ("s3.amazonaws.com", Some("s3"), None),
            ("s3.us-east-1.amazonaws.com", Some("s3"), None),
            ("s3.dualstack.us-east-1.amazonaws.com", Some("s3"), None),
            ("bucket.s3.us-east-1.amazonaws.com", Some("s3"), Some("bucket")),
            ("my.dotted.bucket.s3.amazonaws.com", Some("s3"), Some("my.dotted.bucket")),
            ("s3-x.s3-us-west-2.amazonaws.com", Some("s3"), Some("s3-x")),
            ("bucket.s3.localhost:4566", Some("s3"), Some("bucket")),
            ("bucket.s3.us-east-1.localhost.localstack.cloud:4566", Some("s3"), Some("bucket")),
            ("bucket.localhost:4566", None, Some("bucket")),
            ("s3-x.localhost", None, Some("s3-x")),
            ("logs.localhost", Some("logs"), None),
        ] {
            let read = read(host).unwrap();
            assert_eq!(read.service.map(|model| model.service), service, "{host}");
            assert_eq!(read.bucket.as_deref(), bucket, "{host}");
        }
        assert_eq!(read("batch.us-east-1.amazonaws.com").unwrap().stranger.unwrap(), "batch.us-east-1.amazonaws.com");
        for host in ["localhost:4566", "127.0.0.1:4566", "[::1]:4566", "garoa", ""] {
            assert!(read(host).is_none(), "{host}");
        }
    }
}
