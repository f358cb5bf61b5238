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
mod marks;
mod resolver;
mod wire;

pub(super) use exchange::{Exchange, NUL, UNDECODABLE};
pub(super) use head::{fields, is_automatic, options};
pub(super) use marks::Marks;
pub(super) use resolver::{NameError, To};
pub(super) use wire::Record;
