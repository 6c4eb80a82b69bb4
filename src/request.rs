//! What a function can ask of a request. Nothing here calls the host, so all of it
//! is tested natively.

use std::borrow::Cow;
use std::fmt;

use anyhow::Result;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use crate::response::Problem;

/// A request method (RFC 9110 section 9, RFC 5789), in the order of WASI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Delete,
    Connect,
    Options,
    Trace,
    Patch,
    /// Every other method, registered or not.
    Other,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("{self:?}").to_uppercase())
    }
}

/// The parts of a request for which the component calls the host, and so only if a
/// function asks for them.
pub trait Incoming {
    /// Field names in lower case, and values, in the order of the request.
    fn headers(&self) -> Vec<(String, Vec<u8>)>;

    /// The content, or `None` if it has more than `limit` bytes.
    ///
    /// # Errors
    /// When the content does not arrive completely, or was read already.
    fn content(&self, limit: usize) -> Result<Option<Vec<u8>>>;
}

/// A request that a function answers.
pub struct Request<'a> {
    pub method: Method,
    /// Path and query, as in the request line.
    pub target: &'a str,
    /// The path of the resource, with its parameters in braces.
    pub template: &'static str,
    pub incoming: &'a dyn Incoming,
}

impl Request<'_> {
    /// The segment of the path at `{name}` in the resource's path, with its
    /// percent-encoded bytes decoded.
    pub fn parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut segments = self.template.split('/').zip(path(self.target).split('/'));
        let (_, segment) = segments.find(|(template, _)| {
            let parameter = template.strip_prefix('{');
            parameter.and_then(|rest| rest.strip_suffix('}')) == Some(name)
        })?;
        Some(percent_decode_str(segment).decode_utf8_lossy())
    }

    /// The first value of `name` in the query, decoded as forms are.
    pub fn query(&self, name: &str) -> Option<Cow<'_, str>> {
        let (_, query) = self.target.split_once('?')?;
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        Some(pairs.find(|(found, _)| found == name)?.1)
    }

    /// The first value of the header `name`, which is in lower case.
    pub fn header(&self, name: &str) -> Option<String> {
        let mut headers = self.incoming.headers().into_iter();
        let (_, value) = headers.find(|(found, _)| found == name)?;
        Some(String::from_utf8_lossy(&value).into_owned())
    }

    /// The content, of at most `limit` bytes.
    ///
    /// # Errors
    /// The [`Problem`] 413 when there is more; another error when the content does not
    /// arrive completely.
    pub fn content(&self, limit: usize) -> Result<Vec<u8>> {
        let content = self.incoming.content(limit)?;
        Ok(content.ok_or_else(|| {
            let problem = Problem::new(413, "Content Too Large");
            problem.with_detail(format!("The limit is {limit} bytes."))
        })?)
    }

    /// The value of the JSON in the content, of at most `limit` bytes.
    ///
    /// # Errors
    /// Those of [`content`](Self::content), and the [`Problem`] 400 when the content is
    /// not JSON of such a value.
    pub fn json<T: DeserializeOwned>(&self, limit: usize) -> Result<T> {
        let content = self.content(limit)?;
        let value = serde_json::from_slice(&content);
        Ok(value
            .map_err(|error| Problem::new(400, "Bad Request").with_detail(error.to_string()))?)
    }
}

/// The path of a request's target, without the query.
pub fn path(target: &str) -> &str {
    target.split('?').next().unwrap_or_default()
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// The headers and the content of a request.
    pub struct Sent(pub &'static [(&'static str, &'static str)], pub Vec<u8>);

    impl Incoming for Sent {
        fn headers(&self) -> Vec<(String, Vec<u8>)> {
            let headers = self.0.iter();
            let owned = headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
            owned.collect()
        }

        fn content(&self, limit: usize) -> Result<Option<Vec<u8>>> {
            Ok((self.1.len() <= limit).then(|| self.1.clone()))
        }
    }

    fn request<'a>(target: &'a str, incoming: &'a Sent) -> Request<'a> {
        Request {
            method: Method::Get,
            target,
            template: "/a/{first}/{second}",
            incoming,
        }
    }

    #[test]
    fn a_parameter_is_the_decoded_segment() {
        let sent = Sent(&[], Vec::new());
        let request = request("/a/x%20y%2Fz/%ff?first=no", &sent);
        assert_eq!(request.parameter("first").unwrap(), "x y/z");
        assert_eq!(request.parameter("second").unwrap(), "\u{fffd}");
        assert_eq!(request.parameter("third"), None);
        assert_eq!(request.parameter("a"), None);
    }

    #[test]
    fn the_first_value_of_a_name_in_the_query_counts() {
        let sent = Sent(&[], Vec::new());
        let request = request("/a/b/c?x=1+2%263&x=4&y&=5", &sent);
        assert_eq!(request.query("x").unwrap(), "1 2&3");
        assert_eq!(request.query("y").unwrap(), "");
        assert_eq!(request.query("z"), None);
    }

    #[test]
    fn the_first_value_of_a_header_counts() {
        let sent = Sent(&[("accept", "a"), ("accept", "b")], Vec::new());
        let request = request("/a/b/c", &sent);
        assert_eq!(request.header("accept").unwrap(), "a");
        assert_eq!(request.header("cookie"), None);
    }

    #[test]
    fn content_beyond_the_limit_is_problem_413() {
        let sent = Sent(&[], b"[1, 2]".to_vec());
        let request = request("/a/b/c", &sent);
        assert_eq!(request.content(6).unwrap(), b"[1, 2]");
        assert_eq!(request.json::<Vec<u8>>(6).unwrap(), [1, 2]);
        let error = request.content(5).unwrap_err();
        assert_eq!(error.downcast::<Problem>().unwrap().status, 413);
    }

    #[test]
    fn content_that_is_not_such_json_is_problem_400() {
        let sent = Sent(&[], b"[1, \"2\"]".to_vec());
        let error = request("/a/b/c", &sent).json::<Vec<u8>>(100).unwrap_err();
        assert_eq!(error.downcast::<Problem>().unwrap().status, 400);
    }
}
