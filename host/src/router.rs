//! Finds the trigger of a path by Spin's rules: an exact route wins over a
//! `/:segment`, a segment over a `/...`, and a longer prefix over a shorter one.
//! Spin uses the same crate.

use anyhow::{Result, anyhow};
use swiss_manifest::Route;

/// Maps paths to targets of type `T`.
pub struct Router<T>(routefinder::Router<T>);

impl<T> Router<T> {
    /// # Errors
    /// When a route is not valid. The error names it.
    pub fn new(routes: impl IntoIterator<Item = (Route, T)>) -> Result<Self> {
        let mut router = routefinder::Router::new();
        for (route, target) in routes {
            router
                .add(route.pattern(), target)
                .map_err(|error| anyhow!("{} is not a valid route: {error}", route.pattern()))?;
        }
        Ok(Self(router))
    }

    /// The target of the best route for `path`, which has no query.
    pub fn find(&self, path: &str) -> Option<&T> {
        Some(self.0.best_match(path)?.handler())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router(routes: &[&'static str]) -> Router<&'static str> {
        Router::new(routes.iter().map(|route| (route.parse().unwrap(), *route))).unwrap()
    }

    #[test]
    fn an_exact_route_wins_over_a_segment_and_a_segment_over_a_wildcard() {
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
}
