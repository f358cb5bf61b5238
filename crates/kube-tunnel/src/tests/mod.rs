//! Sessions and pools against nodes in memory.

mod garbage;
mod node;
mod pool;
mod session;
mod slow;
