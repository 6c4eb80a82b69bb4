//! The routes of HTTP triggers.

use std::fmt;
use std::str::FromStr;

use routefinder::RouteSpec;

/// A trigger's route, displayed as `spin up` displays it.
#[derive(Clone, Debug, PartialEq)]
pub struct Route(String);

impl Route {
    /// The route that matches every path.
    pub fn any() -> Self {
        Self("/...".to_owned())
    }

    /// In Spin's syntax, as it is written in a manifest.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// In the syntax of the crate `routefinder`, with which Spin matches paths.
    pub fn pattern(&self) -> String {
        match self.0.strip_suffix("/...") {
            Some(prefix) => format!("{prefix}/*"),
            None => self.0.clone(),
        }
    }
}

impl FromStr for Route {
    type Err = String;

    /// Reads Spin's syntax: `/will`, `/:segment`, `/...`. As in Spin, the leading
    /// slash is optional and a trailing slash is ignored.
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

    #[test]
    fn routes_are_displayed_as_spin_displays_them() {
        let shown = |route: &str| route.parse::<Route>().unwrap().to_string();
        assert_eq!(shown("/..."), " (wildcard)");
        assert_eq!(shown("/a/..."), "/a (wildcard)");
        assert_eq!(shown("/a"), "/a");
        assert_eq!(shown("a/"), "/a");
    }
}
