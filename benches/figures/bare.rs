//! The floor of routes: an actix-web program with the site's settings and nothing between socket and answer.

use std::{io::Write as _, time::Duration};

use actix_web::{App, HttpResponse, HttpServer, web};

use crate::Outcome;

/// Answers `GET /` with so many bytes; the first line of its output says where.
pub(crate) fn serve(bytes: usize) -> Outcome {
    let body: &'static [u8] = vec![b'x'; bytes].leak();
    // As login-with-zoho runs: HTTP workers of actix's number, driven from a multi-threaded runtime.
    tokio::runtime::Runtime::new()?.block_on(async {
        let server = HttpServer::new(move || {
            App::new().route("/", web::get().to(move || async move { HttpResponse::Ok().body(body) }))
        })
        .client_request_timeout(Duration::from_secs(8))
        .keep_alive(Duration::from_secs(8))
        .bind("127.0.0.1:0")?;
        writeln!(std::io::stdout(), "http://{}", server.addrs()[0])?;
        std::io::stdout().flush()?;
        Ok(server.run().await?)
    })
}
