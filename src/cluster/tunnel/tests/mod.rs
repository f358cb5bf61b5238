//! Sessions and pools against nodes in memory.

mod node;
mod pool;
mod session;
mod slow;
