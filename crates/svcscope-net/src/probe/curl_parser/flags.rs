//! curl's flags that say what to send: one list for the command line and for what is pasted.

use std::{path::PathBuf, time::Duration};

use clap::ArgAction;

use super::RequestPayload;

/// What to send, in curl's own words (curl(1)).
#[derive(Clone, Debug, Default, clap::Args)]
pub struct CurlSendFlags {
    /// The method; GET, or POST where there is data
    #[arg(short = 'X', long, value_name = "METHOD")]
    pub request: Option<String>,
    /// A header, `Name: value`; `Name;` sends it empty, `Name:` leaves one out that is sent unasked,
    /// @FILE reads one a line; may be given several times
    #[arg(short = 'H', long = "header", value_name = "HEADER", action = ArgAction::Append, allow_hyphen_values = true)]
    pub headers: Vec<String>,
    /// What to send, in the order given.
    #[command(flatten)]
    pub payload: RequestPayload,
    /// A file to send by PUT, or - for stdin; a path that ends in / gets its name
    #[arg(short = 'T', long, value_name = "FILE")]
    pub upload_file: Option<String>,
    /// Something for the query: CONTENT, NAME=CONTENT, NAME@FILE, which are percent-encoded, or
    /// +CONTENT as it is
    #[arg(long, value_name = "DATA", action = ArgAction::Append, allow_hyphen_values = true)]
    pub url_query: Vec<String>,
    /// Bytes of the answer: 0-99, 500-, -100
    #[arg(short, long, value_name = "RANGE", allow_hyphen_values = true)]
    pub range: Option<String>,
    /// Put the data into the query
    #[arg(short = 'G', long)]
    pub get: bool,
    /// Ask for the headers only
    #[arg(short = 'I', long)]
    pub head: bool,
    /// NAME:PASSWORD for basic authentication; NAME alone asks for the password at the terminal,
    /// which keeps it out of the list of processes
    #[arg(short, long, value_name = "USER")]
    pub user: Option<String>,
    /// Read name and password for the host from this file (netrc(5))
    #[arg(long, value_name = "FILE")]
    pub netrc_file: Option<PathBuf>,
    /// A bearer token
    #[arg(long, value_name = "TOKEN")]
    pub oauth2_bearer: Option<String>,
    /// The User-Agent; '' sends none
    #[arg(short = 'A', long, value_name = "NAME")]
    pub user_agent: Option<String>,
    /// The Referer; ';auto' behind it names the last URL after a redirect
    #[arg(short = 'e', long, value_name = "URL")]
    pub referer: Option<String>,
    /// Cookies, `NAME=VALUE; NAME=VALUE`, or without = a file of Netscape's form or of a head
    #[arg(short = 'b', long, value_name = "COOKIES", action = ArgAction::Append)]
    pub cookie: Vec<String>,
    /// Ask for gzip and deflate and undo them
    #[arg(long)]
    pub compressed: bool,
    /// Send braces and brackets of the path as they are
    #[arg(short, long)]
    pub globoff: bool,
    /// Send /../ and /./ of the path as they are
    #[arg(long)]
    pub path_as_is: bool,
    /// Go on whatever the certificate says
    #[arg(short = 'k', long)]
    pub insecure: bool,
    /// Trust the PEM certificates of this file too
    #[arg(long, value_name = "FILE")]
    pub cacert: Option<PathBuf>,
    /// The client's PEM certificate, and its key unless --key has it
    #[arg(short = 'E', long, value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// The client's PEM key
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Follow redirects that stay at the same host and port
    #[arg(short = 'L', long)]
    pub location: bool,
    /// Follow redirects that lead elsewhere too, from this machine
    #[arg(long)]
    pub location_anywhere: bool,
    /// Follow so many redirects at most; -1 for any number [default: 50]
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    pub max_redirs: Option<i32>,
    /// Speak HTTP/1.1 only
    #[arg(long = "http1.1", overrides_with_all = ["http2", "http2_prior_knowledge"])]
    pub http1_1: bool,
    /// Speak HTTP/2 where TLS agrees on it, as without any flag
    #[arg(long = "http2")]
    pub http2: bool,
    /// Speak HTTP/2 from the first byte, also without TLS
    #[arg(long)]
    pub http2_prior_knowledge: bool,
    /// How long the whole may take; 0 for as long as it takes [default: 30]
    #[arg(short, long, value_parser = seconds, value_name = "SECONDS")]
    pub max_time: Option<Duration>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|error| format!("`{text}` is no number of seconds: {error}"))?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}
