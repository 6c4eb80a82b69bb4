//! The two routes in axum: a native server in the same language.

use std::io;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

const JSON: [(axum::http::HeaderName, &str); 1] = [(CONTENT_TYPE, "application/json")];

#[tokio::main]
async fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).expect("usage: axum-peer ADDRESS");
    let app = Router::new()
        .route("/will", get(|| async { (JSON, "\"Hello World\"\n") }))
        .route("/ready", get(|| async { (JSON, "\"It works!\"\n") }));
    // As in the embedded host: a client that delays its ACKs would wait 40 ms.
    let listener = TcpListener::bind(address).await?.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, app).await
}
