//! Which route of an HTTP API a request takes.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html>: a full match with a method comes
//! first, then one for any method, then the longest `{proxy+}`, and `$default` last.

use std::cmp::Reverse;

use percent_encoding::percent_decode_str;

use super::super::apis::DEFAULT_ROUTE;
use super::super::parameters::Pairs;
use super::super::state::{Route, Served};

/// A route that was found, with the variables of its path.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub route: &'a Route,
    pub variables: Pairs,
}

/// Finds the route of a method and a path below the stage.
pub(super) fn find<'a>(served: &'a Served, method: &str, path: &str) -> Option<Found<'a>> {
    let path: Vec<&str> = segments(path);
    let mut best: Option<(Rank, Found<'a>)> = None;
    for route in served.routes.values() {
        let Some((wanted, template)) = route.route_key.as_deref().and_then(|key| key.split_once(' ')) else { continue };
        if wanted != method && wanted != "ANY" {
            continue;
        }
        let Some((rank, variables)) = fit(&segments(template), &path) else { continue };
        let rank = Rank { any_method: wanted == "ANY", ..rank };
        if best.as_ref().is_none_or(|(known, _)| rank < *known) {
            best = Some((rank, Found { route, variables }));
        }
    }
    let default = || {
        let route = served.routes.values().find(|route| route.route_key.as_deref() == Some(DEFAULT_ROUTE))?;
        Some(Found { route, variables: Pairs::new() })
    };
    best.map(|(_, found)| found).or_else(default)
}

/// How well a route fits: the least is the best.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    greedy: bool,
    /// Literal segments first, where paths differ; the longer the better.
    literals: Reverse<Vec<bool>>,
    any_method: bool,
}

/// The segments; a slash at the end counts for nothing.
fn segments(path: &str) -> Vec<&str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() { Vec::new() } else { path.split('/').collect() }
}

fn fit(template: &[&str], path: &[&str]) -> Option<(Rank, Pairs)> {
    let mut variables = Pairs::new();
    let mut literals = Vec::with_capacity(template.len());
    for (place, segment) in template.iter().enumerate() {
        match variable(segment) {
            Some(name) if name.ends_with('+') => {
                let rest = path.get(place..).filter(|rest| !rest.is_empty())?;
                variables.push((name.trim_end_matches('+').to_owned(), decoded(&rest.join("/"))));
                return Some((Rank { greedy: true, literals: Reverse(literals), any_method: false }, variables));
            }
            Some(name) => {
                variables.push((name.to_owned(), decoded(path.get(place)?)));
                literals.push(false);
            }
            None => {
                // A template's segment may be written encoded or not.
                let there = path.get(place)?;
                if there != segment && decoded(there) != **segment {
                    return None;
                }
                literals.push(true);
            }
        }
    }
    let rank = Rank { greedy: false, literals: Reverse(literals), any_method: false };
    (template.len() == path.len()).then_some((rank, variables))
}

fn variable(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn served(keys: &[&str]) -> Served {
        let mut served = Served::default();
        for key in keys {
            let route = Route { route_key: Some((*key).to_owned()), ..Route::default() };
            served.routes.insert((*key).to_owned(), route);
        }
        served
    }

    #[test]
    fn the_most_specific_route_is_taken() {
        let served = served(&[
            "$default",
            "GET /pets/dog/1",
            "GET /pets/dog/{id}",
            "GET /pets/{proxy+}",
            "ANY /{proxy+}",
            "ANY /pets/dog/{id}",
            "GET /",
        ]);
        for (method, path, key) in [
            ("GET", "/pets/dog/1", "GET /pets/dog/1"),
            ("GET", "/pets/dog/2", "GET /pets/dog/{id}"),
            ("POST", "/pets/dog/2", "ANY /pets/dog/{id}"),
            ("GET", "/pets/cat/1/x", "GET /pets/{proxy+}"),
            ("POST", "/test/5", "ANY /{proxy+}"),
            ("GET", "/", "GET /"),
            ("PUT", "/", "$default"),
        ] {
            let found = find(&served, method, path).unwrap();
            assert_eq!(found.route.route_key.as_deref(), Some(key), "{method} {path}");
        }
    }

    #[test]
    fn variables_are_decoded() {
        let served = served(&["GET /a/{x}/{rest+}"]);
        let found = find(&served, "GET", "/a/b%20c/d/e%2Ff").unwrap();
        let expected = [("x", "b c"), ("rest", "d/e/f")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(found.variables, expected);
        assert!(find(&served, "GET", "/a/b").is_none());
        assert!(find(&served, "PUT", "/a/b/c").is_none());
    }
}
