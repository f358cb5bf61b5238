//! What comes from outside, by the built program: text of the cluster that could command a terminal,
//! proxies, files that are written and read.

mod fake_api_server;
mod files;
mod output;
mod proxies;
