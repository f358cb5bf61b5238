//! How many connections this process can hold: each takes a file descriptor. kubectl has no other
//! limit either.

use std::{
    io,
    sync::{Arc, OnceLock},
};

use tokio::sync::Semaphore;

/// What is kept for all else: connections to the API server, files, the window.
const RESERVED_DESCRIPTORS: u64 = 128;

/// Where the system names no limit, and more than anybody needs.
const MAX_CONNECTIONS: u64 = 65_536;

/// Fewer descriptors than this do not even carry the watches of a small cluster.
const MIN_DESCRIPTORS: u64 = 32;

/// Raises the limit of open files as far as that is permitted, as Go's runtime does for kubectl
/// (os/rlimit.go); says so where it is too low to work with.
pub fn raise_limit() -> Result<(), String> {
    let limit = raised_limit();
    if limit < MIN_DESCRIPTORS {
        return Err(format!(
            "this process may open {limit} files, and svcscope needs {MIN_DESCRIPTORS} at the least: raise the limit (ulimit -n)"
        ));
    }
    Ok(())
}

/// The number of files that this process may open.
#[cfg(unix)]
fn raised_limit() -> u64 {
    use rustix::process::{Resource, getrlimit, setrlimit};
    static LIMIT: OnceLock<u64> = OnceLock::new();
    *LIMIT.get_or_init(|| {
        let mut limit = getrlimit(Resource::Nofile);
        let before = limit.current;
        // Programs that are started inherit it, and some walk over all that they might have open.
        let enough = MAX_CONNECTIONS + RESERVED_DESCRIPTORS;
        let wanted = limit.maximum.map_or(enough, |most| most.min(enough));
        if before.is_none_or(|before| before >= wanted) {
            return before.unwrap_or(MAX_CONNECTIONS);
        }
        limit.current = Some(wanted);
        // macOS refuses more than kern.maxfilesperproc; then it stays as it is.
        let now = match setrlimit(Resource::Nofile, limit) {
            Ok(()) => limit.current,
            Err(_) => before,
        };
        now.unwrap_or(MAX_CONNECTIONS)
    })
}

#[cfg(not(unix))]
fn raised() -> u64 {
    MAX_CONNECTIONS
}

/// A place for each local connection of all forwards of this process, and how many there are.
pub(crate) fn connection_permits() -> (Arc<Semaphore>, usize) {
    static PLACES: OnceLock<(Arc<Semaphore>, usize)> = OnceLock::new();
    let places = PLACES.get_or_init(|| {
        let limit = raised_limit();
        let most = limit
            .saturating_sub(RESERVED_DESCRIPTORS)
            .max(limit / 4)
            .min(MAX_CONNECTIONS);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        (Arc::new(Semaphore::new(most)), most)
    });
    places.clone()
}

/// Whether there is no descriptor left: EMFILE and ENFILE, or WSAEMFILE.
pub fn is_out_of_files(error: &io::Error) -> bool {
    let codes: &[i32] = if cfg!(windows) { &[10_024] } else { &[23, 24] };
    error
        .raw_os_error()
        .is_some_and(|code| codes.contains(&code))
}

/// That there is none left, and what to do.
pub fn out_of_files() -> String {
    let limit = raised_limit();
    format!(
        "too many open files: this process may have {limit}; end some connections, or raise the limit (ulimit -n)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_and_some_of_it_kept() {
        assert_eq!(raise_limit(), Ok(()));
        let (_, most) = connection_permits();
        assert!(
            most as u64 <= raised_limit().max(RESERVED_DESCRIPTORS),
            "{most}"
        );
        assert!(most > 0);
    }

    #[cfg(unix)]
    #[test]
    fn having_no_descriptor_left_is_told_from_other_errors() {
        for (code, expected) in [(24, true), (23, true), (111, false)] {
            let error = io::Error::from_raw_os_error(code);
            assert_eq!(is_out_of_files(&error), expected, "{error}");
        }
        assert!(out_of_files().contains("ulimit -n"));
    }
}
