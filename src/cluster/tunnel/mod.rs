//! The multiplexed port-forward: many connections to a pod over one session.
//!
//! **In**: a way to upgrade a connection ([`upgrade`]), a pod and a port.
//! **Out**: a [`TunnelStream`] for each local connection, or the node's words why there is none; and
//! what a [`command`] in a container says, where WebSockets may not be used for it.
//!
//! A [`pool`] keeps the sessions of every pod. A [`session`] is one task that owns a [`transport`]
//! and a [`book`] of its streams; [`frame`] and [`headers`] are the protocol (SPDY/3.1 as
//! Kubernetes speaks it, k8s.io/apimachinery/pkg/util/httpstream/spdy), [`pulse`] knows whether
//! the other side lives.

mod book;
mod command;
mod frame;
mod headers;
mod inbox;
mod pool;
mod pulse;
mod session;
mod stream;
mod transport;
mod upgrade;

pub(super) use command::run_command;
pub(super) use pool::{Failure, Opener, Pool};
pub(super) use session::Session;
pub(super) use stream::{Refusal, TunnelStream};
pub(super) use upgrade::{Protocol, Upgradable, UpgradeError, spdy, upgrade, websocket};

#[cfg(test)]
mod tests;
