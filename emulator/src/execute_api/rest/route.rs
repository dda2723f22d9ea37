//! Which resource and method of an API a request is for.

use std::cmp::Ordering;

use crate::apigateway::state::{Content, Method, Resource};

/// What a request is for.
pub(super) struct Route<'a> {
    pub resource: &'a Resource,
    pub method: &'a Method,
    /// The values of the path's variables, as they were sent.
    pub parameters: Vec<(String, String)>,
}

/// Finds it: of all resources whose path fits and that have the method, the one that says most of the path, from the left.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html>
pub(super) fn route<'a>(content: &'a Content, method: &str, path: &str) -> Option<Route<'a>> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let mut best: Option<(Vec<Fit>, Route<'a>)> = None;
    for resource in content.resources.values() {
        let Some((fits, parameters)) = fit(&resource.path, &parts) else { continue };
        let Some(method) = resource.methods.get(method).or_else(|| resource.methods.get("ANY")) else { continue };
        if best.as_ref().is_none_or(|(other, _)| fits.cmp(other) == Ordering::Less) {
            best = Some((fits, Route { resource, method, parameters }));
        }
    }
    best.map(|(_, route)| route)
}

/// The values of a resource's variables in a path; none if the path is not the resource's.
pub(super) fn parameters(resource: &str, path: &str) -> Option<Vec<(String, String)>> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    fit(resource, &parts).map(|(_, parameters)| parameters)
}

/// How a part of a path fits a resource's; the better first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Literal,
    Variable,
    Greedy,
}

/// How a resource's path fits a request's, and what its variables are.
type Fitting = (Vec<Fit>, Vec<(String, String)>);

fn fit(resource: &str, parts: &[&str]) -> Option<Fitting> {
    let mut rest = parts;
    let (mut fits, mut parameters) = (Vec::new(), Vec::new());
    for own in resource.split('/').filter(|part| !part.is_empty()) {
        let (first, others) = rest.split_first()?;
        match own.strip_prefix('{').and_then(|own| own.strip_suffix('}')) {
            None if own == *first => fits.push(Fit::Literal),
            None => return None,
            Some(name) => match name.strip_suffix('+') {
                Some(greedy) => {
                    parameters.push((greedy.to_owned(), rest.join("/")));
                    fits.push(Fit::Greedy);
                    return Some((fits, parameters));
                }
                None => {
                    parameters.push((name.to_owned(), (*first).to_owned()));
                    fits.push(Fit::Variable);
                }
            },
        }
        rest = others;
    }
    rest.is_empty().then_some((fits, parameters))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn content(resources: &[(&str, &str)]) -> Content {
        let mut content = Content::default();
        for (path, method) in resources {
            let resource = content.resources.entry((*path).to_owned()).or_default();
            resource.path = (*path).to_owned();
            resource.methods.insert((*method).to_owned(), Method::default());
        }
        content
    }

    #[test]
    fn the_path_that_says_most_wins() {
        let content = content(&[
            ("/", "GET"),
            ("/{proxy+}", "ANY"),
            ("/pets", "GET"),
            ("/pets/{id}", "GET"),
            ("/pets/{id}/toys/{rest+}", "GET"),
        ]);
        for (method, path, expected, parameters) in [
            ("GET", "/", "/", ""),
            ("GET", "/pets", "/pets", ""),
            ("GET", "/pets/", "/pets", ""),
            ("POST", "/pets", "/{proxy+}", "proxy=pets"),
            ("GET", "//pets/7", "/pets/{id}", "id=7"),
            ("GET", "/pets/7/toys/a/b", "/pets/{id}/toys/{rest+}", "id=7,rest=a/b"),
            ("GET", "/pets/7/toys", "/{proxy+}", "proxy=pets/7/toys"),
            ("DELETE", "/a%2Fb/", "/{proxy+}", "proxy=a%2Fb"),
        ] {
            let found = route(&content, method, path).unwrap();
            let read: Vec<String> = found.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
            assert_eq!((found.resource.path.as_str(), read.join(",").as_str()), (expected, parameters), "{path}");
        }
        assert!(route(&content, "POST", "/").is_none());
    }
}
