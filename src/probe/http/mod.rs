//! One HTTP exchange with an address, by reqwest.
//!
//! **In**: a request, the name to call the other side by, and where to connect. **Out**: the head
//! of the answer and a body still to be read, with the moment at which each step was done.
//!
//! reqwest tells no phases, so they are taken at its seams: the resolver knows when the name was
//! resolved, the session store is asked for a ticket when the TLS handshake begins, which is when
//! the TCP connection is there, and a layer around the connector sees the end of both.

mod connector;
mod exchange;
mod marks;
mod resolver;

pub(super) use exchange::Exchange;
pub(super) use marks::Marks;
pub(super) use resolver::{NameError, To};
