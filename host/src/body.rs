//! The content of a response, compared with its announced length.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::CONTENT_LENGTH;
use hyper::{Method, Response, StatusCode};
use wasmtime_wasi_http::{Error, WasiBody};

use crate::log::{self, Asked};

/// Passes the content of a response on, and logs if it has more or fewer bytes than the
/// response's Content-Length. The client sees the same as without.
pub struct Measured {
    content: WasiBody,
    announced: u64,
    sent: u64,
    ended: bool,
    asked: Asked,
}

impl Measured {
    /// The response to the request `asked`.
    pub fn response(response: Response<WasiBody>, asked: Asked) -> Response<WasiBody> {
        // Such a response has no content, whatever its Content-Length is (RFC 9110
        // section 8.6).
        let status = response.status();
        if asked.method == Method::HEAD
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
        {
            return response;
        }
        let length = response.headers().get(CONTENT_LENGTH);
        let Some(announced) = length.and_then(|length| length.to_str().ok()?.parse().ok()) else {
            return response;
        };
        response.map(|content| {
            WasiBody::new(Self {
                content,
                announced,
                sent: 0,
                ended: false,
                asked,
            })
        })
    }

    fn record<E>(&mut self, frame: &Poll<Option<Result<Frame<Bytes>, E>>>) {
        match frame {
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                self.sent += u64::try_from(bytes).unwrap_or(u64::MAX);
            }
            Poll::Ready(_) => self.ended = true,
            Poll::Pending => {}
        }
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
        self.record(&frame);
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.content.size_hint()
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        // hyper polls neither empty content nor what comes after the announced length.
        self.ended |= self.content.is_end_stream();
        if self.sent == self.announced && !self.ended {
            let mut context = Context::from_waker(Waker::noop());
            let frame = Pin::new(&mut self.content).poll_frame(&mut context);
            self.record(&frame);
        }
        let found = if self.sent > self.announced {
            "at least"
        } else if self.ended && self.sent < self.announced {
            "only"
        } else {
            return;
        };
        let (id, asked) = (&self.asked.component, &self.asked);
        let (announced, sent) = (self.announced, self.sent);
        log::error(format_args!(
            "the response of the component `{id}` to {asked} has a Content-Length of \
             {announced} and {found} {sent} bytes of content"
        ));
    }
}
