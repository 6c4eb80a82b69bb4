//! The content of a response, compared with its announced length.

use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::Response;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::CONTENT_LENGTH;
use wasmtime_wasi_http::{Error, WasiBody};

/// Passes the content of a response on, and writes a line to stderr if it has more or
/// fewer bytes than the response's Content-Length. The client sees the same as without.
pub struct Measured {
    content: WasiBody,
    announced: u64,
    sent: u64,
    /// For messages.
    request: String,
}

impl Measured {
    /// The response of the component `id` to `request`.
    pub fn response(response: Response<WasiBody>, id: &str, request: &str) -> Response<WasiBody> {
        let length = response.headers().get(CONTENT_LENGTH);
        let announced = length.and_then(|length| length.to_str().ok()?.parse().ok());
        let Some(announced) = announced else {
            return response;
        };
        response.map(|content| {
            let request = format!("the response of the component `{id}` to {request}");
            let measured = Self {
                content,
                announced,
                sent: 0,
                request,
            };
            WasiBody::new(measured)
        })
    }
}

impl Body for Measured {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = Pin::new(&mut self.content).poll_frame(context);
        let (sent, announced) = (self.sent, self.announced);
        match &frame {
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                self.sent += u64::try_from(bytes).unwrap_or(u64::MAX);
                if sent <= announced && self.sent > announced {
                    let (response, sent) = (&self.request, self.sent);
                    eprintln!(
                        "error: {response} has a Content-Length of {announced} and at least {sent} bytes of content"
                    );
                }
            }
            Poll::Ready(_) if sent < announced => {
                let response = &self.request;
                eprintln!(
                    "error: {response} has a Content-Length of {announced} and only {sent} bytes of content"
                );
            }
            _ => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.content.size_hint()
    }
}
