//! One HTTP exchange with an address, by hyper.
//!
//! **In**: a request, the name to call the other side by, and where to connect. **Out**: the head
//! of the answer and a body still to be read, with the moment at which each step was done.
//!
//! The head of a request is written as curl writes it (`head`), and those of answers are kept as
//! they came, both at the socket (`wire`), because no HTTP library of Rust gives either.

mod decode;
mod exchange;
mod head;
mod phase_timestamps;
mod resolver;
mod wire_capture;

pub(super) use exchange::{HttpExchange, NUL, UNDECODABLE};
pub(super) use head::{fields, is_automatic, option_header_count};
pub(super) use phase_timestamps::PhaseTimestamps;
pub(super) use resolver::{ConnectAddress, ResolveError};
pub(super) use wire_capture::WireCapture;
