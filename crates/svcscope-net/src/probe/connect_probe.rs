//! Asks a port that need not speak HTTP: does it take a connection, does it shake hands by TLS.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    io::AsyncReadExt,
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};

use super::{
    AccessPaths, CurlError, CurlRequest, CurlResponse, RequestKind, ResponseKind,
    authority::RequestAuthority,
    diagnosis::{self, FailureContext, diagnose},
    http::PhaseTimestamps,
    resolved_access_path::ResolvedAccessPath,
    tls::{CertificateRecorder, HandshakeError, tls_handshake},
};
use crate::probe::FailureKind;

/// A node says that nothing listens only after it took the stream, about this soon.
const LATE_REFUSAL_WINDOW: Duration = Duration::from_millis(500);

/// Opens a connection, shakes hands where that is asked for, and closes.
pub(super) async fn connect_probe(
    request: &CurlRequest,
    ways: &AccessPaths,
    deadline: Instant,
) -> Result<CurlResponse, CurlError> {
    let door = ResolvedAccessPath::open(request, ways).await?;
    let marks = Arc::new(PhaseTimestamps::new());
    let name = RequestAuthority::of(request, &ways.inventory.borrow()).host;
    let name = request.tls.server_name.as_deref().unwrap_or(&name);
    let recorder = CertificateRecorder::new(&request.tls, name, marks.clone())
        .map(Arc::new)
        .map_err(|error| CurlError::new(FailureKind::Malformed, error.to_string()))?;
    let knocking = async {
        let stream = connect(&door, &marks).await?;
        let address = stream.peer_addr().ok();
        let tls = if request.kind == RequestKind::Tls {
            Some(tls_handshake(stream, &recorder, &request.tls, &marks).await?)
        } else {
            marks.connected();
            stays_open(&door, stream).await?;
            None
        };
        Ok::<_, HandshakeError>((address, tls))
    };
    let outcome = timeout_at(deadline, knocking).await;
    let seen = || recorder.summary().map(Arc::new);
    let so_far = |error: CurlError| CurlError {
        progress: Box::new(door.progress(&marks, seen())),
        ..error
    };
    match outcome {
        Ok(Ok((address, tls))) => Ok(CurlResponse {
            kind: if tls.is_some() {
                ResponseKind::TlsHandshake
            } else {
                ResponseKind::TcpConnected
            },
            via: door.description(),
            pod: door.pod(),
            address,
            phases: marks.timings(),
            tls: tls.map(Arc::new),
            ..CurlResponse::empty()
        }),
        Ok(Err(HandshakeError::Options(error))) => Err(so_far(CurlError::new(
            FailureKind::Malformed,
            error.to_string(),
        ))),
        Ok(Err(HandshakeError::Io(error))) => {
            let facts = seen();
            let scene = FailureContext {
                access_path: &door,
                scheme: if request.kind == RequestKind::Tls {
                    super::HttpScheme::Https
                } else {
                    super::HttpScheme::Http
                },
                rejection: facts.as_ref().and_then(|facts| facts.rejection.as_deref()),
            };
            Err(so_far(diagnose(&error, &scene)))
        }
        Err(_elapsed) => Err(so_far(diagnosis::timed_out(request.timeout, &door, &marks))),
    }
}

async fn connect(door: &ResolvedAccessPath, marks: &Arc<PhaseTimestamps>) -> io::Result<TcpStream> {
    let addresses = door
        .connect_address(marks)
        .resolve(marks)
        .await
        .map_err(io::Error::other)?;
    TcpStream::connect(&*addresses).await
}

/// A forward's listener takes every connection: whether the pod does shows a moment later.
async fn stays_open(door: &ResolvedAccessPath, mut stream: TcpStream) -> io::Result<()> {
    if matches!(door, ResolvedAccessPath::Direct { .. }) {
        return Ok(());
    }
    match timeout(LATE_REFUSAL_WINDOW, stream.read_u8()).await {
        Err(_still_open) => Ok(()),
        Ok(Ok(_it_speaks_first)) => Ok(()),
        Ok(Err(error)) => Err(error),
    }
}
