//! The two routes in the style of Spin's Rust template: the SDK's `Request` and
//! `Response`. The template's line to stdout for each request is left out,
//! because no other peer logs.

use spin_sdk::http::{IntoResponse, Request, Response};
use spin_sdk::http_component;

#[http_component]
fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    let content = match request.path() {
        "/will" => "\"Hello World\"\n",
        "/ready" => "\"It works!\"\n",
        _ => return Ok(Response::new(404, "")),
    };
    Ok(Response::builder()
        .status(200)
        .header("content-type", "application/json")
        .body(content)
        .build())
}
