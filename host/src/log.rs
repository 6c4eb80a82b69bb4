//! The host's log, which is its stderr.

use std::fmt::{self, Display, Formatter};
use std::io::{self, Write};
use std::sync::Arc;

use hyper::{Method, Request, Uri};

/// Writes a line. A closed stderr must not stop the service.
pub fn error(message: fmt::Arguments<'_>) {
    let _ = io::stderr().write_all(format!("error: {message}\n").as_bytes());
}

/// A request to a component. Messages show method and path.
pub struct Asked {
    pub component: Arc<str>,
    pub method: Method,
    uri: Uri,
}

impl Asked {
    pub fn new<B>(component: &Arc<str>, request: &Request<B>) -> Self {
        Self {
            component: Arc::clone(component),
            method: request.method().clone(),
            uri: request.uri().clone(),
        }
    }
}

impl Display for Asked {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method, self.uri.path())
    }
}
