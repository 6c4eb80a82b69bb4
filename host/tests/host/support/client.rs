//! A client that sends exactly the bytes that a test gives it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long a test waits for the host.
pub const DEADLINE: Duration = Duration::from_secs(60);

pub const GET: &str = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// The header of a request with one byte of content. The client sends the byte
/// after the response 100, which arrives when the component reads.
pub const EXPECT: &str = "POST / HTTP/1.1\r\nHost: localhost\r\n\
    Content-Length: 1\r\nExpect: 100-continue\r\n\r\n";

/// A POST request with `content`.
pub fn post(content: &str) -> String {
    let length = content.len();
    format!("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{content}")
}

pub struct Client(pub TcpStream);

impl Client {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        Self(stream)
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).unwrap();
    }

    /// The header of the next response; the tests' components send no content.
    pub fn header(&mut self) -> String {
        let mut header = Vec::new();
        let mut byte = [0];
        while !header.ends_with(b"\r\n\r\n") {
            let length = self.0.read(&mut byte).unwrap();
            assert_eq!(
                length, 1,
                "expected a whole response header, not {header:?}"
            );
            header.extend(byte);
        }
        String::from_utf8(header).unwrap()
    }

    /// The status of the next response.
    pub fn status(&mut self) -> u16 {
        let header = self.header();
        let status = header.split(' ').nth(1).unwrap();
        status.parse().unwrap()
    }

    /// The bytes that the server sends until it closes or resets the connection.
    pub fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        if let Err(error) = self.0.read_to_end(&mut rest) {
            let reset = error.kind() == std::io::ErrorKind::ConnectionReset;
            assert!(
                reset,
                "expected the server to close the connection: {error}"
            );
        }
        String::from_utf8(rest).unwrap()
    }
}

/// The status of the response to `request`, on a connection of its own.
pub fn status(address: SocketAddr, request: impl AsRef<[u8]>) -> u16 {
    let mut client = Client::connect(address);
    client.send(request);
    client.status()
}
