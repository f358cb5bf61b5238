#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod byte_chunks;
mod frame;
mod headers;
mod keepalive;
mod liveness;
mod node_message;
mod open_stream;
mod pod_stream;
mod pool;
mod receive_buffer;
mod remote_command;
mod session;
mod state;
mod stream;
mod transport;
mod upgrade;
mod websocket_stream;

pub use byte_chunks::ByteChunks;
pub use liveness::LivenessCheck;
pub use pod_stream::PodStream;
pub use pool::{OpeningSession, SessionOpener, SessionPool, TunnelDialError};
pub use remote_command::{SpdyCommandOutput, run_command};
pub use session::TunnelSession;
pub use stream::{NodeRefusal, TunnelStream};
pub use upgrade::{
    PORT_FORWARD, SPDY_OVER_WEBSOCKET, TunnelProtocol, WebSocketHandshake, is_spdy_response,
    spdy_request,
};
pub use websocket_stream::WebSocketPodStream;

#[cfg(test)]
mod tests;
