//! Times on the command line, in seconds.

use std::time::Duration;

/// A time; 0 is one.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|error| format!("`{text}` is no number of seconds: {error}"))?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// As [`seconds`], but not 0: within no time nothing can be tried.
pub(super) fn time_limit(text: &str) -> Result<Duration, String> {
    match seconds(text)? {
        Duration::ZERO => Err("it must be more than 0".to_owned()),
        limit => Ok(limit),
    }
}
