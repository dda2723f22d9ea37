//! Custom domain names: which API and stage a path of one leads to.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mappings.html>

use super::address::{Address, Form, rooted};
use crate::apigateway::RestApis;
use crate::apigatewayv2::Apis;
use crate::cloud::{Inner, Scope, State};

/// Where a path of a custom domain name leads.
pub(crate) struct Mapped {
    /// How the path begins, without its leading slash; nothing for all that no other mapping covers.
    pub base: String,
    /// The API's id.
    pub api: String,
    /// Its stage; without one that is the first segment of the rest of the path.
    pub stage: Option<String>,
}

/// A state that has custom domain names.
pub(crate) trait HasDomains: State {
    /// The mappings of a domain name, if there is that name.
    fn mapped(&self, name: &str) -> Option<Vec<Mapped>>;

    /// Whether the domain name is another service's, and ends with it.
    fn borrows(&self, _name: &str) -> bool {
        false
    }
}

/// The address of a request whose host is a custom domain name. A path that no mapping covers leads to no API.
pub(super) fn custom(inner: &Inner, domain: &str, path: &str) -> Option<Address> {
    if is_ordinary(domain) {
        return None;
    }
    // `*.example.com` is for all names below it that have no entry of their own.
    let (scope, mapped) = named(inner, domain).or_else(|| {
        let (_, below) = domain.split_once('.')?;
        named(inner, &format!("*.{below}"))
    })?;
    let rest = path.strip_prefix('/').unwrap_or(path);
    let (api, stage, below) = match choose(&mapped, rest) {
        Some(found) => (found.api.clone(), found.stage.clone(), rest.get(found.base.len()..).unwrap_or_default()),
        None => (String::new(), None, rest),
    };
    Some(Address {
        api,
        region: Some(scope.region.to_string()),
        domain: domain.to_owned(),
        stage,
        path: rooted(below),
        form: Form::Custom,
    })
}

/// Whether a host is one by which services are called, and never an API: nearly all requests have such a one, and look no further.
fn is_ordinary(domain: &str) -> bool {
    // No name ends so, but addresses do.
    domain.ends_with(|c: char| c.is_ascii_digit() || c == ']')
        || matches!(domain, "" | "localhost" | "localhost.localstack.cloud")
        || domain.ends_with(".amazonaws.com")
        || domain.starts_with("s3.")
        || domain.contains(".s3.")
}

/// A domain name's place and its mappings. REST APIs are mapped by the one service, HTTP and WebSocket APIs by the other; both may
/// know the same name.
fn named(inner: &Inner, name: &str) -> Option<(Scope, Vec<Mapped>)> {
    let first = known::<RestApis>(inner, "apigateway", name);
    let second = known::<Apis>(inner, "apigatewayv2", name).filter(|(scope, _)| {
        let borrows = |place: &Scope, apis: &Apis| (place == scope).then(|| apis.borrows(name));
        first.is_some() || inner.running::<Apis>("apigatewayv2").and_then(|apis| apis.find(borrows)) != Some(true)
    });
    match (first, second) {
        (Some((scope, mut mapped)), Some((_, more))) => {
            mapped.extend(more);
            Some((scope, mapped))
        }
        (first, second) => first.or(second),
    }
}

fn known<S: HasDomains>(inner: &Inner, service: &str, name: &str) -> Option<(Scope, Vec<Mapped>)> {
    inner.running::<S>(service)?.find(|scope, state| Some((scope.clone(), state.mapped(name)?)))
}

/// The mapping that covers a path, which has no leading slash: the longest one. Where there are mappings of several levels, a base
/// path is the beginning of a text; else it is a segment.
fn choose<'a>(mapped: &'a [Mapped], path: &str) -> Option<&'a Mapped> {
    let several = mapped.iter().any(|mapping| mapping.base.contains('/'));
    let covers = |mapping: &&Mapped| {
        let rest = path.strip_prefix(&*mapping.base);
        rest.is_some_and(|rest| mapping.base.is_empty() || several || rest.is_empty() || rest.starts_with('/'))
    };
    mapped.iter().filter(covers).max_by_key(|mapping| mapping.base.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(bases: &[&str]) -> Vec<Mapped> {
        let one = |base: &&str| Mapped { base: (*base).to_owned(), api: String::new(), stage: None };
        bases.iter().map(one).collect()
    }

    /// The examples of AWS's page.
    #[test]
    fn the_longest_base_path_is_taken() {
        let several = mapped(&["", "orders", "orders/v1/items", "orders/v2/items", "orders/v2/items/categories"]);
        let single = mapped(&["", "orders"]);
        for (mapped, path, expected) in [
            (&several, "orders", Some("orders")),
            (&several, "orders/v1/items", Some("orders/v1/items")),
            (&several, "orders/v2/items", Some("orders/v2/items")),
            (&several, "orders/v1/items/123", Some("orders/v1/items")),
            (&several, "orders/v2/items/categories/5", Some("orders/v2/items/categories")),
            (&several, "customers", Some("")),
            (&several, "ordersandmore", Some("orders")),
            (&single, "ordersandmore", Some("")),
            (&single, "orders/", Some("orders")),
            (&single, "", Some("")),
        ] {
            assert_eq!(choose(mapped, path).map(|found| &*found.base), expected, "{path}");
        }
        let some = mapped(&["orders"]);
        assert!(choose(&some, "customers").is_none());
        assert!(choose(&some, "").is_none());
    }

    #[test]
    fn services_are_called_by_ordinary_hosts() {
        for host in
            ["localhost", "127.0.0.1", "[::1]", "", "sqs.us-east-1.amazonaws.com", "b.s3.localhost", "s3.localhost"]
        {
            assert!(is_ordinary(host), "{host}");
        }
        for host in ["api.example.com", "shop.localhost", "garoa"] {
            assert!(!is_ordinary(host), "{host}");
        }
    }
}
