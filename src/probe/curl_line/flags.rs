//! curl's flags that say what to send: one list for the command line and for what is pasted.

use std::{path::PathBuf, time::Duration};

use clap::ArgAction;

/// What to send, in curl's own words (curl(1)).
#[derive(Clone, Debug, Default, clap::Args)]
pub struct SendFlags {
    /// The method; GET, or POST where there is data
    #[arg(short = 'X', long, value_name = "METHOD")]
    pub request: Option<String>,
    /// A header, `Name: value`; may be given several times
    #[arg(short = 'H', long = "header", value_name = "HEADER", action = ArgAction::Append)]
    pub headers: Vec<String>,
    /// Data to send, or @FILE; several are joined by &
    #[arg(short, long, value_name = "DATA", action = ArgAction::Append, allow_hyphen_values = true)]
    pub data: Vec<String>,
    /// Data to send as it is, also where it begins with @
    #[arg(long, value_name = "DATA", action = ArgAction::Append, allow_hyphen_values = true)]
    pub data_raw: Vec<String>,
    /// Data to send, or @FILE with its line breaks
    #[arg(long, value_name = "DATA", action = ArgAction::Append, allow_hyphen_values = true)]
    pub data_binary: Vec<String>,
    /// Data to send percent-encoded: CONTENT, =CONTENT, NAME=CONTENT, @FILE or NAME@FILE
    #[arg(long, value_name = "DATA", action = ArgAction::Append, allow_hyphen_values = true)]
    pub data_urlencode: Vec<String>,
    /// JSON to send, or @FILE, with the headers that belong to it
    #[arg(long, value_name = "DATA", action = ArgAction::Append, allow_hyphen_values = true)]
    pub json: Vec<String>,
    /// Put the data into the query
    #[arg(short = 'G', long)]
    pub get: bool,
    /// Ask for the headers only
    #[arg(short = 'I', long)]
    pub head: bool,
    /// NAME:PASSWORD for basic authentication
    #[arg(short, long, value_name = "USER")]
    pub user: Option<String>,
    /// A bearer token
    #[arg(long, value_name = "TOKEN")]
    pub oauth2_bearer: Option<String>,
    /// The User-Agent
    #[arg(short = 'A', long, value_name = "NAME")]
    pub user_agent: Option<String>,
    /// The Referer
    #[arg(short = 'e', long, value_name = "URL")]
    pub referer: Option<String>,
    /// Cookies, `NAME=VALUE; NAME=VALUE`
    #[arg(short = 'b', long, value_name = "COOKIES", action = ArgAction::Append)]
    pub cookie: Vec<String>,
    /// Ask for gzip and undo it
    #[arg(long)]
    pub compressed: bool,
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
    /// Speak HTTP/1.1 only
    #[arg(long = "http1.1", conflicts_with_all = ["http2", "http2_prior_knowledge"])]
    pub http1_1: bool,
    /// Speak HTTP/2 by TLS
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
