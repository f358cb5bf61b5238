//! SPDY/3.1 as kubectl speaks it for port-forwards: the server's side of `portforward.k8s.io`.
//!
//! In comes a connection, bare after an upgrade or inside a WebSocket, and the pod; out go the bytes of the
//! pod's listeners. Every forwarded connection is a pair of streams, one for data and one for errors, and each
//! direction of the data stream ends by itself. There is no flow control, as in Kubernetes' own library: a
//! stream that is not read holds up the others.
//!
//! After the protocol's text (draft-mbelshe-httpbis-spdy-00 with the changes of 3.1) and the kubelet's
//! `pkg/kubelet/cri/streaming/portforward/httpstream.go`.

mod frame;
mod headers;
mod session;
mod websocket_tunnel;

pub(super) use session::serve;
pub(super) use websocket_tunnel::serve_websocket;
