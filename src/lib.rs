//! The `swiss` component: connects [`routes`] to `wasi:http`.

mod memory;
pub mod routes;

use core::array;

use routes::{Method, Response};
use spin_sdk::http::{
    Fields, IncomingRequest, Method as WasiMethod, OutgoingBody, OutgoingResponse, ResponseOutparam,
};

mod bindings {
    wit_bindgen::generate!({
        world: "swiss",
        with: {
            "wasi:http/types@0.2.0": spin_sdk::http,
            "wasi:io/streams@0.2.0": generate,
            "wasi:io/error@0.2.0": generate,
        },
    });
}

struct Swiss;
bindings::export!(Swiss with_types_in bindings);

impl bindings::exports::wasi::http::incoming_handler::Guest for Swiss {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        memory::reclaim_after(|| serve(&request, out));
    }
}

fn serve(request: &IncomingRequest, out: ResponseOutparam) {
    let method = match request.method() {
        WasiMethod::Get => Method::Get,
        WasiMethod::Head => Method::Head,
        WasiMethod::Options => Method::Options,
        _ => Method::Other,
    };
    let target = request.path_with_query().unwrap_or_default();
    send(out, method, routes::respond(method, &target));
}

/// Sends `response` through the outparam.
fn send(out: ResponseOutparam, method: Method, response: &Response) {
    // An array: growing a `Vec` whose length is known only at run time could fail.
    let headers: [_; routes::MAX_HEADERS] = array::from_fn(|index| {
        let (name, value) = response.headers.get(index).copied().unwrap_or_default();
        (memory::copy(name), memory::copy(value).into_bytes())
    });
    let headers = headers.get(..response.headers.len()).unwrap_or(&headers);
    let Ok(fields) = Fields::from_list(headers) else {
        return;
    };
    let outgoing = OutgoingResponse::new(fields);
    // The default is 200, and a call to the host costs more than this function's code.
    if response.status != 200 && outgoing.set_status_code(response.status).is_err() {
        return;
    }
    // A response to HEAD has the headers of GET and no content: RFC 9110 section 9.3.2.
    if method == Method::Head || response.content.is_empty() {
        out.set(outgoing);
        return;
    }
    let Ok(body) = outgoing.body() else { return };
    if let Ok(stream) = body.write() {
        let _ = stream.blocking_write_and_flush(response.content);
    }
    let _ = OutgoingBody::finish(body, None);
    out.set(outgoing);
}
