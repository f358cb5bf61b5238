//! The built program: what it prints, how it ends, and what it does with what comes from outside.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that can't go on says so by a panic"
)]

mod bad_days;
mod check;
mod conventions;
mod curl;
mod doctor;
mod export;
#[expect(
    clippy::disallowed_methods,
    reason = "the issuer and the server are programs of their own, which take their time"
)]
mod login;
mod map_filter;
mod outside;
