//! Which rpc a path and method mean. Templates are those of `google.api.http`, as far as the contract uses them:
//! literal segments and `{field}` or `{field.field}`, each one segment. A literal beats a variable.

use std::{borrow::Cow, sync::Arc};

use http::Method;

use crate::contract::{Body, Rpc};

/// All REST routes.
#[derive(Debug)]
pub(crate) struct Table(Vec<Pattern>);

/// One way to call a rpc.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) template: Arc<str>,
    /// The fields that the path gives, in its order; each a path of names.
    pub(crate) variables: Vec<Vec<String>>,
    pub(crate) body: Body,
    pub(crate) rpc: Arc<Rpc>,
}

/// Paths of one shape.
#[derive(Debug)]
struct Pattern {
    segments: Vec<Segment>,
    routes: Vec<Route>,
}

/// In the order of precedence.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Literal(String),
    Variable,
}

/// What a path and method lead to.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    /// A route and the values of its variables.
    Route(&'a Route, Vec<String>),
    /// The path is known, with other methods.
    NotAllowed(&'a str, Vec<&'a Method>),
    /// No such path.
    Nothing,
}

impl Table {
    /// # Panics
    /// On a template it does not understand: the contract is part of the build.
    pub(crate) fn new(rpcs: &[Arc<Rpc>]) -> Self {
        let mut patterns: Vec<Pattern> = Vec::new();
        for rpc in rpcs {
            for http in &rpc.http {
                let (segments, variables) = parse(&http.template);
                let route = Route {
                    method: http.method.clone(),
                    template: http.template.as_str().into(),
                    variables,
                    body: http.body.clone(),
                    rpc: Arc::clone(rpc),
                };
                match patterns.iter_mut().find(|pattern| pattern.segments == segments) {
                    Some(pattern) => {
                        let taken = pattern.routes.iter().find(|other| other.method == route.method);
                        assert!(taken.is_none(), "{} {} is there twice", route.method, route.template);
                        pattern.routes.push(route);
                    }
                    None => patterns.push(Pattern { segments, routes: vec![route] }),
                }
            }
        }
        patterns.sort_by(|a, b| a.segments.cmp(&b.segments));
        Self(patterns)
    }

    /// Every route, in a fixed order.
    pub(crate) fn routes(&self) -> impl Iterator<Item = &Route> {
        self.0.iter().flat_map(|pattern| &pattern.routes)
    }

    /// What `path` leads to. `HEAD` is served as `GET`, but for streams.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Found<'_> {
        let Some(path) = path.strip_prefix('/') else { return Found::Nothing };
        let given: Vec<&str> = path.split('/').collect();
        let Some(pattern) = self.0.iter().find(|pattern| pattern.matches(&given)) else { return Found::Nothing };
        let route = pattern.routes.iter().find(|route| {
            route.method == *method || *method == Method::HEAD && route.method == Method::GET && !route.rpc.streams()
        });
        let Some(route) = route else {
            let allowed = pattern.routes.iter().map(|route| &route.method).collect();
            return Found::NotAllowed(&pattern.routes[0].template, allowed);
        };
        let values = pattern.segments.iter().zip(&given).filter(|(segment, _)| **segment == Segment::Variable);
        match values.map(|(_, given)| decode(given, false).map(Cow::into_owned)).collect::<Option<_>>() {
            Some(values) => Found::Route(route, values),
            None => Found::Nothing,
        }
    }
}

impl Pattern {
    fn matches(&self, given: &[&str]) -> bool {
        self.segments.len() == given.len()
            && self.segments.iter().zip(given).all(|(segment, given)| match segment {
                Segment::Literal(literal) => literal == given,
                Segment::Variable => !given.is_empty(),
            })
    }
}

fn parse(template: &str) -> (Vec<Segment>, Vec<Vec<String>>) {
    let mut variables = Vec::new();
    let path = template.strip_prefix('/').unwrap_or_else(|| panic!("{template} does not start with /"));
    let segments = path
        .split('/')
        .map(|segment| match segment.strip_prefix('{').and_then(|segment| segment.strip_suffix('}')) {
            Some(variable) => {
                assert!(!variable.contains(['=', '*']), "{template}: only {{field}} is understood");
                variables.push(variable.split('.').map(ToOwned::to_owned).collect());
                Segment::Variable
            }
            None => Segment::Literal(segment.to_owned()),
        })
        .collect();
    (segments, variables)
}

/// Undoes percent-encoding, and in a query (`plus`) the `+` for a space; nothing if that is no UTF-8.
pub(crate) fn decode(text: &str, plus: bool) -> Option<Cow<'_, str>> {
    if !text.contains(['%', '+']) {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(str::from_utf8(&digits).ok().filter(|digits| !digits.contains('+'))?, 16).ok()?
            }
            b'+' if plus => b' ',
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table::new(&crate::contract::rpcs(todo_proto::json::pool()))
    }

    fn name<'a>(found: &'a Found<'_>) -> (&'a str, Vec<&'a str>) {
        match found {
            Found::Route(route, values) => (route.rpc.descriptor.name(), values.iter().map(String::as_str).collect()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_literal_beats_a_variable() {
        let table = table();
        assert_eq!(name(&table.find(&Method::GET, "/api/tasks/counts")), ("GetTaskCounts", vec![]));
        assert_eq!(name(&table.find(&Method::GET, "/api/tasks/7")), ("GetTask", vec!["7"]));
        assert_eq!(name(&table.find(&Method::PATCH, "/api/tasks/7")), ("UpdateTask", vec!["7"]));
        assert_eq!(name(&table.find(&Method::POST, "/api/notifications/read-all")), ("MarkAllRead", vec![]));
        assert_eq!(name(&table.find(&Method::POST, "/api/notifications/7/read")), ("MarkRead", vec!["7"]));
        assert_eq!(name(&table.find(&Method::POST, "/api/changes/12/undo")), ("UndoChange", vec!["12"]));
    }

    #[test]
    fn head_is_get_except_on_a_stream() {
        let table = table();
        assert_eq!(name(&table.find(&Method::HEAD, "/api/tasks")).0, "ListTasks");
        assert!(matches!(table.find(&Method::HEAD, "/api/events"), Found::NotAllowed("/api/events", _)));
    }

    #[test]
    fn a_known_path_says_which_methods_it_takes() {
        let table = table();
        let Found::NotAllowed(_, mut methods) = table.find(&Method::PUT, "/api/tasks/7") else { panic!() };
        methods.sort_by_key(|method| method.as_str());
        assert_eq!(methods, [&Method::DELETE, &Method::GET, &Method::PATCH]);
        for path in ["/api/nothing", "/api/tasks/", "/api/tasks//complete", "", "/", "/api/tasks/7/complete/x"] {
            assert!(matches!(table.find(&Method::GET, path), Found::Nothing), "{path}");
        }
    }

    #[test]
    fn variables_are_decoded() {
        let table = table();
        assert_eq!(name(&table.find(&Method::GET, "/api/tasks/a%2Fb+c%20d")).1, ["a/b+c d"]);
        assert!(matches!(table.find(&Method::GET, "/api/tasks/%ff"), Found::Nothing));
        assert_eq!(decode("a+b%2B%F0%9F%8F%A0", true).as_deref(), Some("a b+🏠"));
        for malformed in ["%", "%4", "%+1", "%zz", "%é"] {
            assert_eq!(decode(malformed, true), None, "{malformed}");
        }
    }
}
