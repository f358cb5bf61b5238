//! Writes new tokens into a kubeconfig, whole or not at all.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::{
    auth_provider_text,
    tokens::{ID_TOKEN, OidcTokens, REFRESH_TOKEN},
};

/// Writes the tokens of a user; other entries, comments and unknown fields stay as they are. Says
/// why it could not.
pub(super) fn save_tokens(file: &Path, user: &str, tokens: &OidcTokens) -> Result<(), String> {
    let words = |error: io::Error| error.to_string();
    let before = auth_provider_text::read(file).map_err(words)?;
    let new = [
        (ID_TOKEN, tokens.id.as_str()),
        (REFRESH_TOKEN, tokens.refresh.as_str()),
    ];
    let after = auth_provider_text::with_fields(&before, user, &new)?;
    // Through a symlink, as kubectl writes, so that it stays one.
    let file = fs::canonicalize(file).map_err(words)?;
    match replace(&file, &after) {
        Err(error) if is_folder_error(&error) => write_over(&file, &before, &after),
        replaced => replaced,
    }
    .map_err(words)
}

/// Whether the file itself may still be written: one that is mounted can't be replaced.
fn is_folder_error(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied
            | io::ErrorKind::ResourceBusy
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::CrossesDevices
    )
}

/// Writes beside it and puts that in its place, on the disk before this returns.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let metadata = fs::metadata(file)?;
    // A file that its owner made read-only is not to be replaced either.
    OpenOptions::new().write(true).open(file)?;
    let new = TemporaryKubeconfig::beside(file)?;
    let mut open = OpenOptions::new().write(true).open(&new.0)?;
    open.write_all(text.as_bytes())?;
    open.set_permissions(metadata.permissions())?;
    keep_owner(&metadata, &open)?;
    open.sync_all()?;
    fs::rename(&new.0, file)?;
    if let Some(folder) = file.parent() {
        // Not every file system knows this; the file itself is there.
        File::open(folder).and_then(|folder| folder.sync_all()).ok();
    }
    Ok(())
}

/// Where a file is that was made beside another one; gone when it was not moved.
struct TemporaryKubeconfig(PathBuf);

impl TemporaryKubeconfig {
    fn beside(file: &Path) -> io::Result<Self> {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let path = file.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&path)?;
        Ok(Self(path))
    }
}

impl Drop for TemporaryKubeconfig {
    fn drop(&mut self) {
        fs::remove_file(&self.0).ok();
    }
}

/// As root, the kubeconfig of another user stays theirs.
#[cfg(unix)]
fn keep_owner(of: &fs::Metadata, new: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let made = new.metadata()?;
    if (made.uid(), made.gid()) == (of.uid(), of.gid()) {
        return Ok(());
    }
    fchown(new, Some(of.uid()), Some(of.gid()))
}

#[cfg(not(unix))]
fn keep_owner(_of: &fs::Metadata, _new: &File) -> io::Result<()> {
    Ok(())
}

/// Writes into the file that is there, and what it held where that fails.
fn write_over(file: &Path, before: &str, after: &str) -> io::Result<()> {
    let write = |text: &str| {
        let mut open = OpenOptions::new().write(true).open(file)?;
        open.write_all(text.as_bytes())?;
        open.set_len(text.len() as u64)?;
        open.sync_all()
    };
    write(after).inspect_err(|_| {
        write(before).ok();
    })
}
