//! The lock of a kubeconfig, as kubectl has it: `FILE.lock`, made where there is none and removed
//! after (client-go, tools/clientcmd/loader.go, `lockFile`).
//!
//! Such a file outlives a process that is killed, and kubectl then saves nothing any more. So ours is
//! marked, and locked by the system as long as its process lives: one that can be locked is a
//! leftover, and goes.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use super::{OidcError, display_path};

/// What a lock of ours holds.
const LOCK_MARKER: &str = "svcscope\n";

/// How often the lock is polled.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Held as long as the kubeconfig is read and written.
#[derive(Debug)]
pub(super) struct KubeconfigLock {
    path: PathBuf,
    // Its lock ends with it.
    _file: File,
}

impl KubeconfigLock {
    /// Takes the lock, once it is free. None where the folder takes no file: kubectl can't change
    /// that kubeconfig either.
    pub async fn take(kubeconfig: &Path, timeout: Duration) -> Result<Option<Self>, OidcError> {
        let path = path_of(kubeconfig);
        let deadline = Instant::now() + timeout;
        loop {
            match create(&path) {
                Ok(file) => return Ok(Some(Self { path, _file: file })),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    try_remove_stale_lock(&path).ok();
                }
                Err(_no_file_here) => return Ok(None),
            }
            if Instant::now() >= deadline {
                let lock = display_path(&path);
                return Err(OidcError::Locked { lock });
            }
            sleep(POLL_INTERVAL).await;
        }
    }
}

/// Removes the lock that a killed process of ours left: kubectl saves nothing while it is there.
pub(super) fn remove_stale_lock(kubeconfig: &Path) {
    try_remove_stale_lock(&path_of(kubeconfig)).ok();
}

fn path_of(kubeconfig: &Path) -> PathBuf {
    let mut path = kubeconfig.as_os_str().to_owned();
    path.push(".lock");
    PathBuf::from(path)
}

impl Drop for KubeconfigLock {
    fn drop(&mut self) {
        fs::remove_file(&self.path).ok();
    }
}

/// Locks before it marks, so that no marked lock of a living process can be locked.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    // Where a disk is full or knows no locks it is still the lock that kubectl knows.
    file.lock()
        .and_then(|()| file.write_all(LOCK_MARKER.as_bytes()))
        .ok();
    Ok(file)
}

/// Removes a lock of ours whose process has ended. Two that try exclude each other by its own lock.
fn try_remove_stale_lock(path: &Path) -> io::Result<()> {
    let mut file = File::open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(()),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    if text == LOCK_MARKER && is_at(&file, path)? {
        fs::remove_file(path)?;
    }
    Ok(())
}

/// Whether the path still leads to this file.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let (held, there) = (file.metadata()?, fs::metadata(path)?);
    Ok((held.dev(), held.ino()) == (there.dev(), there.ino()))
}

#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> io::Result<bool> {
    Ok(true)
}
