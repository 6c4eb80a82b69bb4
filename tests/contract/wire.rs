//! HTTP/1.1 on a raw connection.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};

use crate::server::Target;

/// TCP, or TLS on it.
pub trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// A response as received, except that its framing is removed.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    pub content: Vec<u8>,
}

impl Response {
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.headers.iter().filter(move |(field, _)| field == name);
        named.map(|(_, value)| value.as_str())
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.values(name).next()
    }

    /// The methods in `Allow`, sorted, because their order has no meaning.
    pub fn allowed(&self) -> Vec<&str> {
        let value = self.header("allow").unwrap_or_default();
        let mut methods: Vec<_> = value.split(',').map(str::trim).collect();
        methods.sort_unstable();
        methods
    }

    pub fn headers_except_date(&self) -> Vec<&(String, String)> {
        let headers = self.headers.iter();
        headers.filter(|(name, _)| name != "date").collect()
    }
}

/// Sends a request on a connection of its own, and asserts that nothing follows
/// the response.
pub fn ask(method: &str, target: &str) -> Response {
    let mut connection = Connection::open();
    connection.send(method, target, "connection: close\r\n");
    let response = connection.response(method);
    let mut rest = Vec::new();
    match connection.stream.read_to_end(&mut rest) {
        // The server closed TCP without closing TLS. The response was complete.
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {}
        Err(error) => panic!("{method} {target}: the server did not close: {error}"),
        Ok(_) => {}
    }
    let rest = String::from_utf8_lossy(&rest);
    assert!(
        rest.is_empty(),
        "{method} {target}: the server sent {rest:?} after the response"
    );
    response
}

pub struct Connection {
    stream: BufReader<Box<dyn Stream>>,
    authority: &'static str,
}

impl Connection {
    pub fn open() -> Self {
        let server = Target::get();
        let stream = server.connect().unwrap_or_else(|error| panic!("{error}"));
        Self {
            stream: BufReader::new(stream),
            authority: &server.authority,
        }
    }

    /// Sends a request with a Host header and `headers`, which are whole lines.
    pub fn send(&mut self, method: &str, target: &str, headers: &str) {
        let host = self.authority;
        let request = format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\n{headers}\r\n");
        let sent = self.stream.get_mut().write_all(request.as_bytes());
        sent.unwrap_or_else(|error| panic!("{method} {target}: cannot send: {error}"));
    }

    /// Reads the response to a request with this method. The content ends where
    /// content-length says.
    pub fn response(&mut self, method: &str) -> Response {
        let start = self.line();
        let status = start
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.split(' ').next()?.parse().ok())
            .unwrap_or_else(|| panic!("expected a status line, got {start:?}"));
        let mut response = Response {
            status,
            headers: Vec::new(),
            content: Vec::new(),
        };
        loop {
            let line = self.line();
            if line.is_empty() {
                break;
            }
            let (name, value) = line
                .split_once(':')
                .unwrap_or_else(|| panic!("expected a header, got {line:?}"));
            let field = (name.to_ascii_lowercase(), value.trim().to_owned());
            response.headers.push(field);
        }
        if method != "HEAD" {
            let length = response.header("content-length");
            let length = length.and_then(|value| value.parse().ok());
            let length = length.unwrap_or_else(|| panic!("no length in {response:?}"));
            response.content = vec![0; length];
            let read = self.stream.read_exact(&mut response.content);
            read.unwrap_or_else(|error| panic!("less than {length} bytes of content: {error}"));
        }
        response
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line);
        read.unwrap_or_else(|error| panic!("no response, or only a part of it: {error}"));
        let whole = line.strip_suffix("\r\n");
        whole
            .unwrap_or_else(|| panic!("the response ended at {line:?}"))
            .to_owned()
    }
}
