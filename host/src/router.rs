//! Which trigger a path belongs to, by Spin's rules: an exact route before a
//! `/:segment`, that before a `/...`, and the longer prefix first. Spin uses
//! the same crate.

use std::fmt;
use std::str::FromStr;

use anyhow::{Result, anyhow};
use routefinder::RouteSpec;

/// Finds the `T` of a path.
pub struct Router<T>(routefinder::Router<T>);

impl<T> Router<T> {
    /// # Errors
    /// Names the route that the crate does not take.
    pub fn new(routes: impl IntoIterator<Item = (Route, T)>) -> Result<Self> {
        let mut router = routefinder::Router::new();
        for (route, target) in routes {
            router
                .add(route.pattern(), target)
                .map_err(|error| anyhow!("{} is no route: {error}", route.0))?;
        }
        Ok(Self(router))
    }

    /// The target of the best route for `path`, which has no query.
    pub fn find(&self, path: &str) -> Option<&T> {
        Some(self.0.best_match(path)?.handler())
    }
}

/// A trigger's route; shown as `spin up` shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Route(String);

impl Route {
    /// The route of every path.
    pub fn any() -> Self {
        Self("/...".to_owned())
    }

    /// In the crate's syntax.
    fn pattern(&self) -> String {
        match self.0.strip_suffix("/...") {
            Some(prefix) => format!("{prefix}/*"),
            None => self.0.clone(),
        }
    }
}

impl FromStr for Route {
    type Err = String;

    /// Reads Spin's syntax: `/will`, `/:segment`, `/...`. As in Spin, the first
    /// slash may be missing, and a last one means nothing.
    fn from_str(text: &str) -> Result<Self, String> {
        let slash = if text.starts_with('/') { "" } else { "/" };
        let route = Self(format!("{slash}{}", text.strip_suffix('/').unwrap_or(text)));
        RouteSpec::from_str(&route.pattern())?;
        Ok(route)
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.strip_suffix("/...") {
            Some(prefix) => write!(f, "{prefix} (wildcard)"),
            None => f.write_str(&self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router(routes: &[&'static str]) -> Router<&'static str> {
        Router::new(routes.iter().map(|route| (route.parse().unwrap(), *route))).unwrap()
    }

    #[test]
    fn an_exact_route_beats_a_segment_and_that_a_wildcard() {
        let router = router(&["/...", "/:name", "/will"]);
        assert_eq!(router.find("/will"), Some(&"/will"));
        assert_eq!(router.find("/other"), Some(&"/:name"));
        assert_eq!(router.find("/will/other"), Some(&"/..."));
        assert_eq!(router.find("/"), Some(&"/..."));
    }

    #[test]
    fn the_longest_prefix_wins() {
        let router = router(&["/one/...", "/one/two/..."]);
        assert_eq!(router.find("/one/two/three"), Some(&"/one/two/..."));
        assert_eq!(router.find("/one/three"), Some(&"/one/..."));
    }

    #[test]
    fn a_path_without_a_route_has_no_target() {
        assert_eq!(router(&["/will"]).find("/ready"), None);
    }

    #[test]
    fn routes_are_shown_as_spin_shows_them() {
        let shown = |route: &str| route.parse::<Route>().unwrap().to_string();
        assert_eq!(shown("/..."), " (wildcard)");
        assert_eq!(shown("/a/..."), "/a (wildcard)");
        assert_eq!(shown("/a"), "/a");
        assert_eq!(shown("a/"), "/a");
    }
}
