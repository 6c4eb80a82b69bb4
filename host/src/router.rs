//! Which trigger a path belongs to, by Spin's rules: an exact route before a
//! `/:segment`, that before a `/...`, and the longer prefix first. Spin uses
//! the same crate.

use std::fmt;

use anyhow::{Result, anyhow};

/// Finds the `T` of a path.
pub struct Router<T>(routefinder::Router<T>);

impl<T> Router<T> {
    /// # Errors
    /// Names the route that is not in Spin's syntax.
    pub fn new(routes: impl IntoIterator<Item = (Route, T)>) -> Result<Self> {
        let mut router = routefinder::Router::new();
        for (route, target) in routes {
            let pattern = match route.0.strip_suffix("/...") {
                Some(prefix) => format!("{prefix}/*"),
                None => route.0.clone(),
            };
            router
                .add(pattern, target)
                .map_err(|error| anyhow!("the route {} is not valid: {error}", route.0))?;
        }
        Ok(Self(router))
    }

    /// The target of the best route for `path`, which has no query.
    pub fn find(&self, path: &str) -> Option<&T> {
        Some(self.0.best_match(path)?.handler())
    }
}

/// A trigger's route; shown as `spin up` shows it.
#[derive(Clone, Debug)]
pub struct Route(pub String);

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
        Router::new(
            routes
                .iter()
                .map(|route| (Route(route.to_string()), *route)),
        )
        .unwrap()
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
        assert_eq!(Route("/...".into()).to_string(), " (wildcard)");
        assert_eq!(Route("/a/...".into()).to_string(), "/a (wildcard)");
        assert_eq!(Route("/a".into()).to_string(), "/a");
    }
}
