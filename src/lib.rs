//! The `swiss` component: connects [`routes`] to `wasi:http`.

mod memory;
pub mod request;
pub mod resource;
pub mod response;
pub mod routes;

use core::array;

use anyhow::{Result, anyhow, bail};
use request::{Incoming, Method, Request};
use resource::{Answer, MAX_WRITE_BYTES};
use response::{Constant, MAX_HEADERS, Problem};
use routes::ROUTES;
use spin_sdk::http::{
    Fields, IncomingRequest, Method as WasiMethod, OutgoingBody, OutgoingResponse, ResponseOutparam,
};

use wasi::io::streams::StreamError;

mod bindings {
    wit_bindgen::generate!({
        world: "swiss",
        with: {
            "wasi:http/types@0.2.6": spin_sdk::http,
            "wasi:io/streams@0.2.6": generate,
            "wasi:io/error@0.2.6": generate,
        },
    });
}

// SAFETY: where every answer is a constant, the code below is all that runs for a
// request, and it has no static. Std's allocator serves functions, because theirs may.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: memory::Allocator<{ !ROUTES.has_functions() }> =
    unsafe { memory::Allocator::new() };

struct Swiss;
bindings::export!(Swiss with_types_in bindings);

impl bindings::exports::wasi::http::incoming_handler::Guest for Swiss {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        serve(&request, out);
        #[cfg(target_arch = "wasm32")]
        ALLOCATOR.reclaim();
    }
}

fn serve(request: &IncomingRequest, out: ResponseOutparam) {
    let method = match request.method() {
        WasiMethod::Get => Method::Get,
        WasiMethod::Head => Method::Head,
        WasiMethod::Post => Method::Post,
        WasiMethod::Put => Method::Put,
        WasiMethod::Delete => Method::Delete,
        WasiMethod::Connect => Method::Connect,
        WasiMethod::Options => Method::Options,
        WasiMethod::Trace => Method::Trace,
        WasiMethod::Patch => Method::Patch,
        WasiMethod::Other(_) => Method::Other,
    };
    let target = request.path_with_query().unwrap_or_default();
    match ROUTES.find(method, &target) {
        Answer::Constant(response) => send_constant(out, method, response),
        Answer::Function(function, template) if ROUTES.has_functions() => {
            let request = Request {
                method,
                target: &target,
                template,
                incoming: request,
            };
            let response =
                function(&request).unwrap_or_else(|error| Problem::response(&request, error));
            match Fields::from_list(&response.headers) {
                Ok(fields) => send(out, method, response.status, fields, &response.content),
                Err(error) => {
                    eprintln!("error: {method} {target}: a header of the response: {error}");
                }
            }
        }
        Answer::Function(..) => {}
    }
}

fn send_constant(out: ResponseOutparam, method: Method, response: &Constant) {
    // An array: growing a `Vec` whose length is known only at run time could fail.
    let headers: [_; MAX_HEADERS] = array::from_fn(|index| {
        let (name, value) = response.headers.get(index).copied().unwrap_or_default();
        (memory::copy(name), memory::copy(value).into_bytes())
    });
    let headers = headers.get(..response.headers.len()).unwrap_or(&headers);
    let Ok(fields) = Fields::from_list(headers) else {
        return;
    };
    send(
        out,
        method,
        response.status,
        fields,
        response.content.as_bytes(),
    );
}

/// Sends a response through the outparam.
fn send(out: ResponseOutparam, method: Method, status: u16, fields: Fields, content: &[u8]) {
    let response = OutgoingResponse::new(fields);
    // The default is 200, and a call to the host costs more than this function's code.
    if status != 200 && response.set_status_code(status).is_err() {
        return;
    }
    // A response to HEAD has the headers of GET and no content: RFC 9110 section 9.3.2.
    if method == Method::Head || content.is_empty() {
        out.set(response);
        return;
    }
    let Ok(body) = response.body() else { return };
    let Ok(stream) = body.write() else { return };
    let (first, rest) = match content.split_at_checked(MAX_WRITE_BYTES) {
        Some(split) if ROUTES.has_long_content() => split,
        _ => (content, &[][..]),
    };
    let mut written = stream.blocking_write_and_flush(first).is_ok();
    // The host holds one piece, and nobody reads before the response is set: a second
    // piece would wait for ever.
    out.set(response);
    for piece in rest.chunks(MAX_WRITE_BYTES) {
        written = written && stream.blocking_write_and_flush(piece).is_ok();
    }
    drop(stream);
    // A body without an end tells the client that content is missing.
    if written {
        let _ = OutgoingBody::finish(body, None);
    }
}

impl Incoming for IncomingRequest {
    fn headers(&self) -> Vec<(String, Vec<u8>)> {
        self.headers().entries()
    }

    fn content(&self, limit: usize) -> Result<Option<Vec<u8>>> {
        let read_already = |()| anyhow!("the content was read already");
        let body = self.consume().map_err(read_already)?;
        let stream = body.stream().map_err(read_already)?;
        let mut content = Vec::new();
        loop {
            match stream.blocking_read(64 << 10) {
                Ok(piece) => content.extend(piece),
                Err(StreamError::Closed) => return Ok(Some(content)),
                Err(error) => bail!("the content is not complete: {error}"),
            }
            if content.len() > limit {
                return Ok(None);
            }
        }
    }
}
