//! Answers whatever it reads with the same bytes, and parses nothing. What limits its
//! throughput is the kernel and the load generator, so no server can show more.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Registry, Token};

/// As long as the answers of the other peers.
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\n\
    content-type: application/json\r\n\
    content-length: 14\r\n\
    date: Wed, 25 Nov 2026 20:00:00 GMT\r\n\
    \r\n\
    \"Hello World\"\n";
const LISTENER: Token = Token(0);

fn main() -> io::Result<()> {
    let address = std::env::args()
        .nth(1)
        .expect("usage: ceiling-peer ADDRESS");
    let mut listener = TcpListener::bind(address.parse().map_err(io::Error::other)?)?;
    let mut poll = Poll::new()?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    let (mut clients, mut events) = (Clients::default(), Events::with_capacity(256));
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() == LISTENER {
                clients.accept_all(&listener, poll.registry())?;
            } else {
                clients.answer(event.token());
            }
        }
    }
}

#[derive(Default)]
struct Clients {
    open: HashMap<Token, TcpStream>,
    last: usize,
}

impl Clients {
    fn accept_all(&mut self, listener: &TcpListener, registry: &Registry) -> io::Result<()> {
        loop {
            match listener.accept() {
                Ok((mut client, _)) => {
                    self.last += 1;
                    let token = Token(self.last);
                    client.set_nodelay(true)?;
                    registry.register(&mut client, token, Interest::READABLE)?;
                    self.open.insert(token, client);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// One read is one request: a load generator sends the next one after the answer.
    fn answer(&mut self, token: Token) {
        let Some(client) = self.open.get_mut(&token) else {
            return;
        };
        let answered = match client.read(&mut [0; 4096]) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(_) => client.write_all(ANSWER),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error),
        };
        if answered.is_err() {
            self.open.remove(&token);
        }
    }
}
