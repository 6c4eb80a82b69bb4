//! The HTTP contract as a pure function: which request gets which response.
//!
//! Every response is static data, so nothing is computed or formatted per
//! request. `openapi.yaml` documents the same contract for clients.

/// The request methods that the contract distinguishes (RFC 9110 section 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Options,
    /// Every other method, registered or not.
    Other,
}

/// The largest number of headers in a response.
pub const MAX_HEADERS: usize = 3;

/// A response as it is sent.
#[derive(Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status code.
    pub status: u16,
    /// Field names in lower case, and values. `content-length` is always
    /// present, so that no host falls back to a chunked body.
    pub headers: &'static [(&'static str, &'static str)],
    /// The content, `content-length` bytes long.
    pub content: &'static [u8],
}

static WILL: Response = Response {
    status: 200,
    headers: &[
        ("content-type", "application/json"),
        ("content-length", "14"),
    ],
    content: b"\"Hello World\"\n",
};

static READY: Response = Response {
    status: 200,
    headers: &[
        ("content-type", "application/json"),
        ("content-length", "12"),
    ],
    content: b"\"It works!\"\n",
};

static OPTIONS: Response = Response {
    status: 200,
    headers: &[("allow", "GET, HEAD, OPTIONS"), ("content-length", "0")],
    content: b"",
};

/// Problem details (RFC 9457), like [`NOT_FOUND`].
static METHOD_NOT_ALLOWED: Response = Response {
    status: 405,
    headers: &[
        ("allow", "GET, HEAD, OPTIONS"),
        ("content-type", "application/problem+json"),
        ("content-length", "44"),
    ],
    content: b"{\"title\":\"Method Not Allowed\",\"status\":405}\n",
};

static NOT_FOUND: Response = Response {
    status: 404,
    headers: &[
        ("content-type", "application/problem+json"),
        ("content-length", "35"),
    ],
    content: b"{\"title\":\"Not Found\",\"status\":404}\n",
};

/// The response to a request. An unknown path is 404 for every method.
/// `target` is the path with its query, as in the request line. The query is
/// ignored, and the path is compared byte for byte.
pub fn respond(method: Method, target: &str) -> &'static Response {
    let resource = if has_path(target, "/will") {
        &WILL
    } else if has_path(target, "/ready") {
        &READY
    } else {
        return &NOT_FOUND;
    };
    match method {
        Method::Get | Method::Head => resource,
        Method::Options => &OPTIONS,
        Method::Other => &METHOD_NOT_ALLOWED,
    }
}

/// Whether the path of `target` is `path`.
fn has_path(target: &str, path: &str) -> bool {
    target
        .strip_prefix(path)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('?'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const METHODS: [Method; 4] = [Method::Get, Method::Head, Method::Options, Method::Other];
    const RESPONSES: [&Response; 5] = [&WILL, &READY, &OPTIONS, &METHOD_NOT_ALLOWED, &NOT_FOUND];

    fn header(response: &Response, name: &str) -> Option<&'static str> {
        let mut headers = response.headers.iter();
        headers.find(|(field, _)| *field == name).map(|(_, v)| *v)
    }

    #[test]
    fn content_length_is_the_length_of_the_content() {
        for response in RESPONSES {
            let length = response.content.len().to_string();
            assert_eq!(
                header(response, "content-length"),
                Some(length.as_str()),
                "{response:?}"
            );
        }
    }

    #[test]
    fn no_response_has_more_than_max_headers() {
        for response in RESPONSES {
            assert!(response.headers.len() <= MAX_HEADERS, "{response:?}");
        }
    }

    #[test]
    fn a_problem_has_the_status_of_its_response() {
        for response in [&METHOD_NOT_ALLOWED, &NOT_FOUND] {
            let content = String::from_utf8_lossy(response.content);
            let status = format!("\"status\":{}}}\n", response.status);
            assert!(content.ends_with(&status), "{response:?}");
            assert_eq!(
                header(response, "content-type"),
                Some("application/problem+json")
            );
        }
    }

    #[test]
    fn an_unknown_path_is_not_found_for_every_method() {
        for method in METHODS {
            for target in [
                "", "/", "*", "/wil", "/willl", "/will/", "/Will", "//will", "?/will",
            ] {
                assert_eq!(respond(method, target), &NOT_FOUND, "{method:?} {target}");
            }
        }
    }

    #[test]
    fn the_method_selects_the_response_of_a_known_path() {
        for (path, resource) in [("/will", &WILL), ("/ready", &READY)] {
            assert_eq!(respond(Method::Get, path), resource);
            assert_eq!(respond(Method::Head, path), resource);
            assert_eq!(respond(Method::Options, path), &OPTIONS);
            assert_eq!(respond(Method::Other, path), &METHOD_NOT_ALLOWED);
        }
    }

    #[test]
    fn the_query_is_ignored() {
        for target in ["/will?", "/will?x=1", "/will?/ready"] {
            assert_eq!(respond(Method::Get, target), &WILL, "{target}");
        }
    }
}
