//! The table of resources: which request gets which answer.

use anyhow::Result;

use crate::request::{Method, Request, path};
use crate::response::{Constant, Response, constant};

/// The largest number of bytes that every host accepts in one write
/// (`blocking-write-and-flush` of wasi:io).
pub const MAX_WRITE_BYTES: usize = 4096;

/// Answers a request. An error that is a [`Problem`](crate::response::Problem) is the
/// response; every other error is written to stderr, and the response is 500.
pub type Function = fn(&Request) -> Result<Response>;

/// What answers the requests of one method to one resource.
#[derive(Clone, Copy)]
pub enum Handler {
    Constant(&'static Constant),
    Function(Function),
}

/// A path and its methods, from `resource!`.
pub struct Resource {
    /// The path is compared byte for byte. A segment in braces, as in
    /// `/hello/{name}`, is a parameter: it matches any segment that is not empty.
    pub path: &'static str,
    pub methods: &'static [(Method, Handler)],
    pub options: &'static Constant,
    pub not_allowed: &'static Constant,
}

/// The resource at `$path`, with the [`Handler`] of each of its methods. A resource
/// with GET has HEAD, too, and every resource has OPTIONS.
macro_rules! resource {
    ($path:literal, $($method:ident: $handler:expr),+ $(,)?) => {{
        use $crate::request::Method;
        use $crate::resource::{Handler, Resource, handler, is_path};
        use $crate::response::{Constant, constant};
        const { assert!(is_path($path), "a path begins with / and has no query") };
        const METHODS: &[(Method, Handler)] = &[$((Method::$method, $handler)),+];
        const fn listed(method: Method, name: &'static str) -> &'static str {
            if handler(METHODS, method).is_some() { name } else { "" }
        }
        const ALLOW: &str = const_format::concatcp!(
            listed(Method::Get, "GET, HEAD, "),
            listed(Method::Post, "POST, "),
            listed(Method::Put, "PUT, "),
            listed(Method::Patch, "PATCH, "),
            listed(Method::Delete, "DELETE, "),
            "OPTIONS",
        );
        Resource {
            path: $path,
            methods: METHODS,
            options: &Constant {
                status: 200,
                headers: &[("allow", ALLOW), ("content-length", "0")],
                content: "",
            },
            not_allowed: constant!(
                405,
                "application/problem+json",
                "{\"title\":\"Method Not Allowed\",\"status\":405}\n",
                "allow": ALLOW
            ),
        }
    }};
}
pub(crate) use resource;

/// A problem document (RFC 9457), like that of 405.
pub static NOT_FOUND: &Constant = constant!(
    404,
    "application/problem+json",
    "{\"title\":\"Not Found\",\"status\":404}\n"
);

/// The handler of `method`. HEAD has that of GET.
pub const fn handler(methods: &[(Method, Handler)], method: Method) -> Option<Handler> {
    let mut rest = methods;
    while let [(other, handler), others @ ..] = rest {
        let same = *other as u8 == method as u8;
        if same || (matches!(method, Method::Head) && matches!(other, Method::Get)) {
            return Some(*handler);
        }
        rest = others;
    }
    None
}

/// Whether `path` can be a resource's path.
pub const fn is_path(path: &str) -> bool {
    let mut rest = path.as_bytes();
    let absolute = matches!(rest, [b'/', ..]);
    while let [byte, others @ ..] = rest {
        if *byte == b'?' {
            return false;
        }
        rest = others;
    }
    absolute
}

/// All resources. The first whose path matches answers.
pub struct Routes {
    pub resources: &'static [Resource],
    has_parameters: bool,
    has_functions: bool,
    has_long_content: bool,
}

/// What answers a request.
pub enum Answer {
    Constant(&'static Constant),
    /// A function, and the path of its resource.
    Function(Function, &'static str),
}

impl Routes {
    pub const fn new(resources: &'static [Resource]) -> Self {
        let mut has_parameters = false;
        let mut has_functions = false;
        let mut has_long_content = false;
        let mut resources_left = resources;
        while let [resource, others @ ..] = resources_left {
            let mut path = resource.path.as_bytes();
            while let [byte, after @ ..] = path {
                has_parameters |= *byte == b'{';
                path = after;
            }
            let mut methods = resource.methods;
            while let [(_, handler), others @ ..] = methods {
                match handler {
                    Handler::Constant(response) => {
                        has_long_content |= response.content.len() > MAX_WRITE_BYTES;
                    }
                    Handler::Function(_) => {
                        has_functions = true;
                        has_long_content = true;
                    }
                }
                methods = others;
            }
            resources_left = others;
        }
        Self {
            resources,
            has_parameters,
            has_functions,
            has_long_content,
        }
    }

    /// Whether a function answers any request. The compiler removes the code for
    /// functions from a component that has none.
    pub const fn has_functions(&self) -> bool {
        self.has_functions
    }

    /// Whether content may need more than one write.
    pub const fn has_long_content(&self) -> bool {
        self.has_long_content
    }

    /// What answers a request. An unknown path is 404 for every method. `target` is
    /// the path with its query, as in the request line.
    #[inline(always)]
    pub fn find(&self, method: Method, target: &str) -> Answer {
        let found = self.resources.iter().find(|resource| {
            if self.has_parameters {
                matches(resource.path, path(target))
            } else {
                // The same for a path without parameters, in fewer instructions.
                let rest = target.strip_prefix(resource.path);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('?'))
            }
        });
        let Some(resource) = found else {
            return Answer::Constant(NOT_FOUND);
        };
        match handler(resource.methods, method) {
            Some(Handler::Constant(constant)) => Answer::Constant(constant),
            Some(Handler::Function(function)) => Answer::Function(function, resource.path),
            None if method == Method::Options => Answer::Constant(resource.options),
            None => Answer::Constant(resource.not_allowed),
        }
    }
}

/// Whether `path` is one of a resource at `template`.
fn matches(template: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    template.split('/').all(|expected| {
        segments.next().is_some_and(|segment| {
            expected == segment || (expected.starts_with('{') && !segment.is_empty())
        })
    }) && segments.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::Handler::{Constant, Function};
    use super::*;

    const FIXED: Routes = Routes::new(&[
        resource!("/a", Get: Constant(constant!("text/plain", "a"))),
        resource!("/b", Post: Constant(constant!("text/plain", "b"))),
    ]);
    const COMPUTED: Routes = Routes::new(&[
        resource!("/a", Get: Constant(constant!("text/plain", "a"))),
        resource!("/a/{id}", Get: Function(not_called), Put: Function(not_called), Delete: Function(not_called)),
        resource!("/{x}/end", Patch: Function(not_called)),
    ]);

    fn not_called(_: &Request) -> Result<Response> {
        Ok(Response::empty(500))
    }

    /// The status of a constant response and its Allow, or the path of the resource.
    fn found(routes: &Routes, method: Method, target: &str) -> (u16, &'static str) {
        match routes.find(method, target) {
            Answer::Constant(response) => {
                let mut headers = response.headers.iter();
                let allow = headers.find(|(name, _)| *name == "allow");
                (response.status, allow.map_or("", |(_, value)| value))
            }
            Answer::Function(_, template) => (0, template),
        }
    }

    #[test]
    fn the_table_tells_what_the_component_needs() {
        assert!(!FIXED.has_functions() && !FIXED.has_long_content());
        assert!(COMPUTED.has_functions() && COMPUTED.has_long_content());
        static LONG: &str = match str::from_utf8(&[b'x'; MAX_WRITE_BYTES + 1]) {
            Ok(text) => text,
            Err(_) => "",
        };
        const LONG_CONTENT: Routes =
            Routes::new(&[resource!("/long", Get: Constant(constant!("text/plain", LONG)))]);
        assert!(LONG_CONTENT.has_long_content() && !LONG_CONTENT.has_functions());
    }

    #[test]
    fn a_path_is_compared_byte_for_byte() {
        for routes in [FIXED, COMPUTED] {
            assert_eq!(found(&routes, Method::Get, "/a"), (200, ""));
            assert_eq!(found(&routes, Method::Head, "/a?x=/a/1"), (200, ""));
            for target in [
                "", "/", "*", "/A", "/a/", "//a", "/aa", "/%61", "?/a", "/a/?x",
            ] {
                for method in [Method::Get, Method::Options, Method::Other] {
                    assert_eq!(found(&routes, method, target), (404, ""), "{target}");
                }
            }
        }
    }

    #[test]
    fn a_parameter_matches_one_segment_that_is_not_empty() {
        assert_eq!(found(&COMPUTED, Method::Get, "/a/1?x"), (0, "/a/{id}"));
        assert_eq!(found(&COMPUTED, Method::Get, "/a/%2F"), (0, "/a/{id}"));
        assert_eq!(found(&COMPUTED, Method::Patch, "/b/end"), (0, "/{x}/end"));
        for target in ["/a/", "/a/1/", "/a/1/2", "/b/", "//end"] {
            assert_eq!(found(&COMPUTED, Method::Get, target), (404, ""), "{target}");
        }
    }

    #[test]
    fn the_first_resource_that_matches_answers() {
        let allow = "GET, HEAD, PUT, DELETE, OPTIONS";
        assert_eq!(found(&COMPUTED, Method::Patch, "/a/end"), (405, allow));
    }

    #[test]
    fn allow_lists_the_methods_of_the_resource() {
        for (routes, target, allow) in [
            (&FIXED, "/a", "GET, HEAD, OPTIONS"),
            (&FIXED, "/b", "POST, OPTIONS"),
            (&COMPUTED, "/b/end", "PATCH, OPTIONS"),
        ] {
            assert_eq!(found(routes, Method::Options, target), (200, allow));
            assert_eq!(found(routes, Method::Trace, target), (405, allow));
            assert_eq!(found(routes, Method::Other, target), (405, allow));
        }
        assert_eq!(found(&FIXED, Method::Head, "/b"), (405, "POST, OPTIONS"));
    }

    #[test]
    fn a_path_is_absolute_and_has_no_query() {
        for (path, valid) in [
            ("/", true),
            ("/a/{b}", true),
            ("", false),
            ("a", false),
            ("/a?", false),
        ] {
            assert_eq!(is_path(path), valid, "{path}");
        }
    }
}
