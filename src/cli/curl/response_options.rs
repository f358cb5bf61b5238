//! curl's options of what comes back, beside those that are older here.

use std::{path::PathBuf, time::Duration};

use super::super::durations::seconds;

/// Where an answer goes, and when a request is sent again (curl(1)).
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ResponseOptions {
    /// Write the heads of answers to this file; - is stdout
    #[arg(short = 'D', long, value_name = "FILE")]
    pub dump_header: Option<PathBuf>,
    /// Write the body to a file of the path's last name
    #[arg(short = 'O', long, conflicts_with = "output")]
    pub remote_name: bool,
    /// With -O: take the name that Content-Disposition gives; a file that is there is not touched
    #[arg(short = 'J', long, requires = "remote_name")]
    pub remote_header_name: bool,
    /// The folder of -o and -O
    #[arg(long, value_name = "DIR")]
    pub output_dir: Option<PathBuf>,
    /// Make the folders of -o and -O where they are missing
    #[arg(long)]
    pub create_dirs: bool,
    /// Write cookies to this file at the end; - is stdout
    #[arg(short = 'c', long, value_name = "FILE")]
    pub cookie_jar: Option<PathBuf>,
    /// Exit with 22 where the status is 400 or above, and print the body all the same
    #[arg(long)]
    pub fail_with_body: bool,
    /// Send again up to so often after a timeout, an unknown name or status 408, 429, 500, 502, 503
    /// or 504; after 1 s, 2 s, 4 s, … or as Retry-After says
    #[arg(
        long,
        default_value = "0",
        hide_default_value = true,
        value_name = "NUMBER"
    )]
    pub retry: u32,
    /// Send again after so many seconds instead
    #[arg(long, value_parser = seconds, value_name = "SECONDS")]
    pub retry_delay: Option<Duration>,
    /// Send nothing again after so many seconds
    #[arg(long, value_parser = seconds, value_name = "SECONDS")]
    pub retry_max_time: Option<Duration>,
    /// Send again also where the connection is refused
    #[arg(long)]
    pub retry_connrefused: bool,
    /// Send again after any failure
    #[arg(long)]
    pub retry_all_errors: bool,
}
