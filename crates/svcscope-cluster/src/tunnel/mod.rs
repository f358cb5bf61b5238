//! The multiplexed port-forward: many connections to a pod over one session.
//!
//! **In**: a way to upgrade a connection ([`upgrade`]), a pod and a port.
//! **Out**: a [`TunnelStream`] for each local connection, or the node's words why there is none; and
//! what a [`remote_command`] in a container says, where WebSockets may not be used for it.
//!
//! A [`pool`] keeps the sessions of every pod. A [`session`] is one task that owns a [`transport`]
//! and a [`state`] of its streams; [`frame`] and [`headers`] are the protocol (SPDY/3.1 as
//! Kubernetes speaks it, k8s.io/apimachinery/pkg/util/httpstream/spdy), [`keepalive`] knows whether
//! the other side lives.

mod frame;
mod headers;
mod keepalive;
mod pool;
mod receive_buffer;
mod remote_command;
mod session;
mod state;
mod stream;
mod transport;
mod upgrade;

pub(super) use pool::{SessionOpener, SessionPool, TunnelDialError};
pub(super) use remote_command::run_command;
pub(super) use session::TunnelSession;
pub(super) use stream::{NodeRefusal, TunnelStream};
pub(super) use upgrade::{
    TunnelProtocol, UpgradeError, UpgradedStream, open_session, upgrade_to_spdy,
    upgrade_to_websocket,
};

#[cfg(test)]
mod tests;
