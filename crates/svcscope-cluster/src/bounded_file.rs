//! Files that the user or a kubeconfig names, read up to a limit: never a folder, a pipe or a
//! device, which would fail with odd words, block or never end.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

/// No kubeconfig is longer: 10,000 contexts with their certificates are 50 MB.
pub(super) const MAX_KUBECONFIG: u64 = 64 << 20;

/// No certificate bundle, key or token is longer.
pub(super) const MAX_CREDENTIAL: u64 = 4 << 20;

/// How long what writes into a pipe may take: it may log in first.
const PIPE_TIMEOUT: Duration = Duration::from_secs(60);

/// The content of a regular file; or in words why it can't be had.
pub(super) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    // Asked before it is opened: to open a pipe waits for who writes into it.
    let found = path.metadata().map_err(|error| error.to_string())?;
    if found.is_dir() {
        return Err("it is a directory".to_owned());
    }
    if !found.is_file() {
        return Err("it is a pipe, a socket or a device, and no regular file".to_owned());
    }
    read_limited(path, limit)
}

/// Whether it is a pipe, which has no writer yet perhaps.
pub(super) fn is_pipe(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        path.metadata()
            .is_ok_and(|found| found.file_type().is_fifo())
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

/// What comes out of a pipe, within [`PIPE_TIMEOUT`].
pub(super) fn read_pipe(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let (sender, content) = mpsc::channel();
    let pipe: PathBuf = path.to_owned();
    // It can't be stopped while it waits, and ends with the process.
    thread::spawn(move || sender.send(read_limited(&pipe, limit)).ok());
    content.recv_timeout(PIPE_TIMEOUT).unwrap_or_else(|_| {
        let patience = PIPE_TIMEOUT.as_secs();
        Err(format!(
            "it is a pipe whose writer did not finish within {patience} s"
        ))
    })
}

fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let mut content = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit + 1).read_to_end(&mut content))
        .map_err(|error| error.to_string())?;
    if content.len() as u64 > limit {
        return Err(format!("it is larger than {} MiB", limit >> 20));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_of_a_bounded_length_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "12345").unwrap();
        assert_eq!(read(&file, 5).unwrap(), b"12345");
        assert!(read(&file, 4).unwrap_err().contains("larger than"));
        assert_eq!(read(folder.path(), 4).unwrap_err(), "it is a directory");
        let missing = read(&folder.path().join("none"), 4).unwrap_err();
        assert!(missing.contains("No such file"), "{missing}");
    }

    #[cfg(unix)]
    #[test]
    fn a_device_and_a_pipe_are_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        assert!(is_pipe(&pipe) && !is_pipe(Path::new("/dev/zero")));
        for endless in [Path::new("/dev/zero"), &pipe] {
            let said = read(endless, MAX_CREDENTIAL).unwrap_err();
            assert!(said.contains("no regular file"), "{said}");
        }
    }
}
