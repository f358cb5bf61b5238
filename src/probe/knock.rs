//! Asks a port that need not speak HTTP: does it take a connection, does it shake hands by TLS.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    io::AsyncReadExt,
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};

use super::{
    Ask, CurlError, CurlRequest, CurlResponse, Said, Ways,
    authority::Authority,
    diagnosis::{self, Scene, diagnose},
    door::Door,
    http::Marks,
    tls::{Recorder, ShakeError, shake_hands},
};
use crate::probe::FailureKind;

/// A node says that nothing listens only after it took the stream, about this soon.
const SECOND_THOUGHTS: Duration = Duration::from_millis(500);

/// Opens a connection, shakes hands where that is asked for, and closes.
pub(super) async fn knock(
    request: &CurlRequest,
    ways: &Ways,
    deadline: Instant,
) -> Result<CurlResponse, CurlError> {
    let door = Door::open(request, ways).await?;
    let marks = Arc::new(Marks::new());
    let name = Authority::of(request, &ways.inventory.borrow()).host;
    let name = request.tls.server_name.as_deref().unwrap_or(&name);
    let recorder = Recorder::new(&request.tls, name, marks.clone())
        .map(Arc::new)
        .map_err(|error| CurlError::new(FailureKind::Malformed, error.to_string()))?;
    let knocking = async {
        let stream = connect(&door, &marks).await?;
        let address = stream.peer_addr().ok();
        let tls = if request.ask == Ask::Tls {
            Some(shake_hands(stream, &recorder, &request.tls, &marks).await?)
        } else {
            marks.connected();
            stays_open(&door, stream).await?;
            None
        };
        Ok::<_, ShakeError>((address, tls))
    };
    let outcome = timeout_at(deadline, knocking).await;
    let seen = || recorder.facts().map(Arc::new);
    let so_far = |error: CurlError| CurlError {
        so_far: Box::new(door.so_far(&marks, seen())),
        ..error
    };
    match outcome {
        Ok(Ok((address, tls))) => Ok(CurlResponse {
            said: if tls.is_some() {
                Said::Handshake
            } else {
                Said::Connected
            },
            via: door.words(),
            pod: door.pod(),
            address,
            phases: marks.phases(),
            tls: tls.map(Arc::new),
            ..CurlResponse::empty()
        }),
        Ok(Err(ShakeError::Choice(error))) => Err(so_far(CurlError::new(
            FailureKind::Malformed,
            error.to_string(),
        ))),
        Ok(Err(ShakeError::Io(error))) => {
            let facts = seen();
            let scene = Scene {
                door: &door,
                scheme: if request.ask == Ask::Tls {
                    super::Scheme::Https
                } else {
                    super::Scheme::Http
                },
                rejected: facts.as_ref().and_then(|facts| facts.rejected.as_deref()),
            };
            Err(so_far(diagnose(&error, &scene)))
        }
        Err(_elapsed) => Err(so_far(diagnosis::timed_out(request.timeout, &door, &marks))),
    }
}

async fn connect(door: &Door, marks: &Arc<Marks>) -> io::Result<TcpStream> {
    let addresses = door
        .to(marks)
        .resolve(marks)
        .await
        .map_err(io::Error::other)?;
    TcpStream::connect(&*addresses).await
}

/// A forward's listener takes every connection: whether the pod does shows a moment later.
async fn stays_open(door: &Door, mut stream: TcpStream) -> io::Result<()> {
    if matches!(door, Door::Direct { .. }) {
        return Ok(());
    }
    match timeout(SECOND_THOUGHTS, stream.read_u8()).await {
        Err(_still_open) => Ok(()),
        Ok(Ok(_it_speaks_first)) => Ok(()),
        Ok(Err(error)) => Err(error),
    }
}
