//! Whether a request is addressed to an API, to which, and to which stage and path of it.
//!
//! By host: `{api}.execute-api.{region}.amazonaws.com` as at AWS, and `{api}.execute-api` below `localhost` and
//! `localhost.localstack.cloud`, with the region or without it. By path, for clients that cannot set a host name:
//! `/_aws/execute-api/{api}/{stage}/…` and `/restapis/{api}/{stage}/_user_request_/…`. What is none of these may still be a custom
//! domain name: `domains.rs`.

use http::request::Parts;

use super::domains;
use crate::cloud::Inner;
use crate::wire::{host, is_nameless, without_port};

/// The label of the data plane in a host name.
const LABEL: &str = "execute-api";
/// What follows it.
const DOMAINS: &[&str] = &["amazonaws.com", "localhost.localstack.cloud", "localhost"];
/// The path form of our own; LocalStack has it too.
const AWS_PATH: &str = "/_aws/execute-api/";
/// LocalStack's first path form.
const RESTAPIS_PATH: &str = "/restapis/";
const USER_REQUEST: &str = "_user_request_";

/// Where in which API a request goes. Nothing is decoded: `%2F` in a path is not a slash.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Address {
    /// The API's id.
    pub api: String,
    /// The region, where the host name tells.
    pub region: Option<String>,
    /// The host name, without its port.
    pub domain: String,
    /// The stage, where the form of the address tells it: the path forms do, and most mappings of custom domain names. In the host
    /// forms it is the first segment of `path`, save for the `$default` stage of an HTTP API, which has none.
    pub stage: Option<String>,
    /// The path below the stage if that is known, else the whole path; with its leading slash.
    pub path: String,
    /// How all this was told.
    pub form: Form,
}

/// The forms of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The host names the API: its default endpoint.
    Host,
    /// The path names it.
    Path,
    /// The host is a custom domain name, and the first of the path, which is taken off, led to a mapping.
    Custom,
}

impl Address {
    /// Stage and path below it, for an API whose stage always stands in the path.
    pub fn staged(&self) -> (String, String) {
        match &self.stage {
            Some(stage) => (stage.clone(), self.path.clone()),
            None => {
                let rest = self.path.trim_start_matches('/');
                let (stage, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                (stage.to_owned(), rooted(path))
            }
        }
    }
}

/// The address of a request to an API of this cloud; `None` for a request to a service.
pub(crate) fn address(inner: &Inner, head: &Parts) -> Option<Address> {
    let (name, path) = (without_port(host(head)), head.uri.path());
    if is_nameless(name) {
        return by_path(name, path);
    }
    let domain = name.to_ascii_lowercase();
    of_domain(&domain, path).or_else(|| domains::custom(inner, &domain, path))
}

fn of_domain(domain: &str, path: &str) -> Option<Address> {
    by_host(domain, path).or_else(|| by_path(domain, path))
}

fn by_host(domain: &str, path: &str) -> Option<Address> {
    let (api, rest) = domain.split_once('.')?;
    let rest = rest.strip_prefix(LABEL)?.strip_prefix('.')?;
    let place = DOMAINS.iter().find_map(|known| rest.strip_suffix(known))?;
    // The region, if there is one: a label with its dot.
    let region = place.strip_suffix('.').filter(|region| !region.is_empty() && !region.contains('.'));
    if api.is_empty() || (region.is_none() && !place.is_empty()) {
        return None;
    }
    Some(Address {
        api: api.to_owned(),
        region: region.map(str::to_owned),
        domain: domain.to_owned(),
        stage: None,
        path: rooted(path),
        form: Form::Host,
    })
}

fn by_path(domain: &str, path: &str) -> Option<Address> {
    let (mut parts, marked) = match (path.strip_prefix(AWS_PATH), path.strip_prefix(RESTAPIS_PATH)) {
        (Some(rest), _) => (rest.splitn(3, '/'), false),
        (_, Some(rest)) => (rest.splitn(3, '/'), true),
        (None, None) => return None,
    };
    let (api, stage, rest) = (parts.next()?, parts.next()?, parts.next().unwrap_or_default());
    let rest = if marked { rest.strip_prefix(USER_REQUEST)? } else { rest };
    // `_user_request_x` is no such path.
    if api.is_empty() || stage.is_empty() || (marked && !rest.is_empty() && !rest.starts_with('/')) {
        return None;
    }
    Some(Address {
        api: api.to_owned(),
        region: None,
        domain: domain.to_owned(),
        stage: Some(stage.to_owned()),
        path: rooted(rest),
        form: Form::Path,
    })
}

pub(super) fn rooted(path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(host: &str, path: &str) -> Option<(String, String, String)> {
        let head = http::Request::builder().uri(path).header(http::header::HOST, host).body(()).unwrap().into_parts().0;
        of_domain(&without_port(super::host(&head)).to_ascii_lowercase(), head.uri.path()).map(|address| {
            let (stage, path) = address.staged();
            (address.api, stage, path)
        })
    }

    #[test]
    fn every_form_tells_api_stage_and_path() {
        for (host, path, expected) in [
            ("abc.execute-api.localhost:4566", "/prod/a/b", ("abc", "prod", "/a/b")),
            ("abc.execute-api.localhost.localstack.cloud:4566", "/prod", ("abc", "prod", "/")),
            ("abc.execute-api.us-east-1.amazonaws.com", "/prod/", ("abc", "prod", "/")),
            ("abc.execute-api.localhost", "//prod//a", ("abc", "prod", "//a")),
            ("ABC.execute-api.eu-west-1.amazonaws.com:443", "/prod/a%2Fb", ("abc", "prod", "/a%2Fb")),
            ("localhost:4566", "/_aws/execute-api/abc/prod", ("abc", "prod", "/")),
            ("127.0.0.1:4566", "/_aws/execute-api/abc/prod/a/", ("abc", "prod", "/a/")),
            ("localhost:4566", "/restapis/abc/prod/_user_request_", ("abc", "prod", "/")),
            ("localhost:4566", "/restapis/abc/prod/_user_request_/a//b", ("abc", "prod", "/a//b")),
        ] {
            let (api, stage, path_read) = read(host, path).unwrap_or_else(|| panic!("{host}{path}"));
            assert_eq!((&*api, &*stage, &*path_read), expected, "{host}{path}");
        }
    }

    #[test]
    fn what_is_addressed_to_a_service_is_none() {
        for (host, path) in [
            ("apigateway.us-east-1.amazonaws.com", "/restapis/abc/stages/prod"),
            ("localhost:4566", "/restapis/abc/resources/xyz"),
            ("localhost:4566", "/restapis/abc/prod/_user_requests_/x"),
            ("bucket.localhost:4566", "/key"),
            ("execute-api.localhost:4566", "/key"),
            ("abc.execute-api.a.b.amazonaws.com", "/key"),
            ("localhost:4566", "/_aws/execute-api/abc"),
        ] {
            assert_eq!(read(host, path), None, "{host}{path}");
        }
    }
}
