//! Files that a person asks for: pictures and data of the map.

use std::{
    env,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use etcetera::{BaseStrategy as _, choose_base_strategy, home_dir};

/// Why a file was not written. Says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Nothing is overwritten unasked.
    #[error("{} exists already: choose another name", .0.display())]
    Exists(PathBuf),
    /// The folder is missing.
    #[error("there is no folder {}", .0.display())]
    NoFolder(PathBuf),
    /// The system refused.
    #[error("{} could not be written: {reason}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's words.
        reason: io::Error,
    },
}

/// Writes a new file, whole or not at all.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let failed = |reason: io::Error| match reason.kind() {
        io::ErrorKind::AlreadyExists => WriteError::Exists(path.to_owned()),
        io::ErrorKind::NotFound => WriteError::NoFolder(path.parent().unwrap_or(path).to_owned()),
        _ => WriteError::Io {
            path: path.to_owned(),
            reason,
        },
    };
    let mut file = File::create_new(path).map_err(failed)?;
    file.write_all(bytes).map_err(|error| {
        // Half a picture is of no use. That it can't be removed adds nothing to why.
        fs::remove_file(path).ok();
        failed(error)
    })
}

/// Where pictures go: the person's folder for them, else that for downloads, else the home; none
/// where there is no home.
pub fn pictures_folder() -> Option<PathBuf> {
    let home = home_dir().ok()?;
    let settings = choose_base_strategy()
        .ok()
        .map(|strategy| strategy.config_dir().join("user-dirs.dirs"))
        .and_then(|file| fs::read_to_string(file).ok())
        .unwrap_or_default();
    let candidates = [
        env::var_os("XDG_PICTURES_DIR").map(PathBuf::from),
        user_folder(&settings, "XDG_PICTURES_DIR", &home),
        Some(home.join("Pictures")),
        user_folder(&settings, "XDG_DOWNLOAD_DIR", &home),
        Some(home.join("Downloads")),
    ];
    let found = candidates.into_iter().flatten().find(|path| path.is_dir());
    Some(found.unwrap_or(home))
}

/// A folder by the desktop's own settings, where it has another name: `XDG_PICTURES_DIR="$HOME/Bilder"`.
fn user_folder(settings: &str, name: &str, home: &Path) -> Option<PathBuf> {
    let value = settings.lines().find_map(|line| {
        let (key, value) = line.trim().split_once('=')?;
        (key.trim() == name).then(|| value.trim().trim_matches('"'))
    })?;
    match value.strip_prefix("$HOME") {
        Some(rest) => Some(home.join(rest.trim_start_matches('/'))),
        None => Path::new(value).is_absolute().then(|| PathBuf::from(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_never_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("map.svg");
        write_new(&path, b"one").expect("it is new");
        let error = write_new(&path, b"two").expect_err("it exists");
        assert!(
            error
                .to_string()
                .ends_with("exists already: choose another name")
        );
        assert_eq!(fs::read(&path).expect("still there"), b"one");
    }

    #[test]
    fn a_missing_folder_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = write_new(&folder.path().join("none/map.svg"), b"").expect_err("no folder");
        let said = error.to_string();
        assert!(
            said.starts_with("there is no folder") && said.ends_with("none"),
            "{said}"
        );
    }

    #[test]
    fn the_desktop_may_call_its_folders_otherwise() {
        let settings =
            "# a comment\nXDG_PICTURES_DIR=\"$HOME/Bilder\"\nXDG_DOWNLOAD_DIR=\"/data/dl\"\n";
        let home = Path::new("/home/dev");
        let folder = |name| user_folder(settings, name, home);
        assert_eq!(folder("XDG_PICTURES_DIR"), Some(home.join("Bilder")));
        assert_eq!(folder("XDG_DOWNLOAD_DIR"), Some(PathBuf::from("/data/dl")));
        assert_eq!(folder("XDG_MUSIC_DIR"), None);
    }
}
