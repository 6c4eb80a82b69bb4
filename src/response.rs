//! Responses: constant, computed, and those that report an error.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use anyhow::Result;
use serde::Serialize;

use crate::request::Request;

/// A response that is the same for every request, from `constant!`.
#[derive(Debug, PartialEq, Eq)]
pub struct Constant {
    /// HTTP status code.
    pub status: u16,
    /// Field names in lower case, and values. `content-length` is always
    /// present, so that no host falls back to a chunked body.
    pub headers: &'static [(&'static str, &'static str)],
    pub content: &'static str,
}

/// The largest number of headers in a constant response.
pub const MAX_HEADERS: usize = 3;

/// The constant response with this media type and content, and with status 200 if
/// none is given.
macro_rules! constant {
    ($media_type:literal, $content:expr) => {
        $crate::response::constant!(200, $media_type, $content)
    };
    ($status:literal, $media_type:literal, $content:expr $(, $name:literal: $value:expr)?) => {{
        const BYTES: usize = $content.len();
        &$crate::response::Constant {
            status: $status,
            headers: &[
                $(($name, $value),)?
                ("content-type", $media_type),
                ("content-length", const_format::concatcp!(BYTES)),
            ],
            content: $content,
        }
    }};
}
pub(crate) use constant;

/// A response that a function computes.
#[derive(Debug)]
pub struct Response {
    /// HTTP status code.
    pub status: u16,
    /// Field names in lower case, and values. Among them is the length of the content.
    pub headers: Vec<(String, Vec<u8>)>,
    pub content: Cow<'static, [u8]>,
}

impl Response {
    /// A response with content, which is constant or owned.
    pub fn new(status: u16, media_type: &str, content: impl Into<Cow<'static, [u8]>>) -> Self {
        let mut response = Self::empty(status);
        response.headers.clear();
        response.content = content.into();
        let length = response.content.len().to_string();
        let response = response.with_header("content-type", media_type);
        response.with_header("content-length", &length)
    }

    /// A response without content.
    pub fn empty(status: u16) -> Self {
        let response = Self {
            status,
            headers: Vec::new(),
            content: Cow::Borrowed(b""),
        };
        match status {
            // RFC 9110 section 8.6.
            204 => response,
            _ => response.with_header("content-length", "0"),
        }
    }

    /// `value` as JSON and a newline, with status 200.
    ///
    /// # Errors
    /// When JSON cannot express `value`.
    pub fn json(value: &impl Serialize) -> Result<Self> {
        let mut content = serde_json::to_vec(value)?;
        content.push(b'\n');
        Ok(Self::new(200, "application/json", content))
    }

    /// The response with this status instead.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The response with one more header. `name` is in lower case.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        let header = (name.to_owned(), value.as_bytes().to_vec());
        self.headers.push(header);
        self
    }
}

/// A problem document (RFC 9457). A function returns it as the error with which it
/// answers.
#[derive(Debug, Serialize)]
pub struct Problem {
    /// The phrase of the status (RFC 9110 section 15).
    title: &'static str,
    /// HTTP status code.
    pub status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl Problem {
    pub fn new(status: u16, title: &'static str) -> Self {
        Self {
            title,
            status,
            detail: None,
        }
    }

    /// The problem with an explanation for the client.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The response to `request`, which ended in `error`. An error that is not a problem
    /// is not for the client: it is written to stderr, and the response is 500.
    pub fn response(request: &Request, error: anyhow::Error) -> Response {
        let problem = error.downcast().unwrap_or_else(|error: anyhow::Error| {
            eprintln!("error: {} {}: {error:#}", request.method, request.target);
            Self::new(500, "Internal Server Error")
        });
        let mut content = serde_json::to_vec(&problem).unwrap_or_default();
        content.push(b'\n');
        Response::new(problem.status, "application/problem+json", content)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.title)
    }
}

impl Error for Problem {}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;
    use crate::request::Method;
    use crate::request::tests::Sent;

    #[test]
    fn the_length_of_a_constant_is_computed() {
        let response = constant!("text/plain", "äö\n");
        assert_eq!(response.status, 200);
        assert_eq!(response.content, "äö\n");
        assert_eq!(
            response.headers,
            [("content-type", "text/plain"), ("content-length", "5")]
        );
    }

    #[test]
    fn a_response_has_its_length_once() {
        let response = Response::new(201, "text/plain", b"abc".as_slice());
        let names: Vec<_> = response.headers.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["content-type", "content-length"]);
        assert_eq!(response.headers[1].1, b"3");
        assert_eq!(Response::empty(200).headers[0].1, b"0");
        assert_eq!(Response::empty(204).headers, []);
    }

    #[test]
    fn json_ends_with_a_newline() {
        let response = Response::json(&["a"]).unwrap().with_status(201);
        assert_eq!(
            (response.status, &*response.content),
            (201, &b"[\"a\"]\n"[..])
        );
    }

    #[test]
    fn only_a_problem_is_shown_to_the_client() {
        let sent = Sent(&[], Vec::new());
        let request = Request {
            method: Method::Get,
            target: "/x",
            template: "/x",
            incoming: &sent,
        };
        let problem = Problem::new(409, "Conflict").with_detail("Taken.");
        let response = Problem::response(&request, problem.into());
        assert_eq!(response.status, 409);
        let expected = "{\"title\":\"Conflict\",\"status\":409,\"detail\":\"Taken.\"}\n";
        assert_eq!(&*response.content, expected.as_bytes());

        let response = Problem::response(&request, anyhow!("secret"));
        assert_eq!(response.status, 500);
        let expected = "{\"title\":\"Internal Server Error\",\"status\":500}\n";
        assert_eq!(&*response.content, expected.as_bytes());
    }
}
