//! Files that the user asks for: pictures and data of the map.

use std::{
    env,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use etcetera::{BaseStrategy as _, choose_base_strategy, home_dir};

/// Why a file was not written. Says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum FileWriteError {
    /// Nothing is overwritten unasked.
    #[error("{} exists already: choose another name", .0.display())]
    Exists(PathBuf),
    /// A folder is no file.
    #[error("{} is a folder: name a file in it", .0.display())]
    Folder(PathBuf),
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

fn failed(path: &Path, reason: io::Error) -> FileWriteError {
    match reason.kind() {
        io::ErrorKind::AlreadyExists => FileWriteError::Exists(path.to_owned()),
        io::ErrorKind::IsADirectory => FileWriteError::Folder(path.to_owned()),
        io::ErrorKind::NotFound => FileWriteError::NoFolder(folder_of(path).to_owned()),
        _ => FileWriteError::Io {
            path: path.to_owned(),
            reason,
        },
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Writes a new file, whole or not at all.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), FileWriteError> {
    write_with(&mut File::options(), path, bytes)
}

/// As [`write_new`], for its owner only: what names contexts, namespaces or hosts.
pub fn write_new_private(path: &Path, bytes: &[u8]) -> Result<(), FileWriteError> {
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    write_with(&mut options, path, bytes)
}

fn write_with(options: &mut OpenOptions, path: &Path, bytes: &[u8]) -> Result<(), FileWriteError> {
    let file = options
        .create_new(true)
        .write(true)
        .open(path)
        .map_err(|error| failed(path, error))?;
    write_or_remove(file, path, bytes).map_err(|error| failed(path, error))
}

/// Half a picture is of no use.
fn write_or_remove(mut file: File, path: &Path, bytes: &[u8]) -> io::Result<()> {
    // What the disk has no room for is known for certain only after it was sent there.
    let filled = file.write_all(bytes).and_then(|()| file.sync_all());
    if filled.is_err() {
        // That it can't be removed adds nothing to why.
        fs::remove_file(path).ok();
    }
    filled
}

/// Writes a file, over one that is there as a shell's `>` and curl's `-o` do, but whole or not at
/// all: where it fails, the old one stays. What a symbolic link leads to is replaced, not the link; a
/// named pipe or a device takes the bytes.
pub fn write_over(path: &Path, bytes: &[u8]) -> Result<(), FileWriteError> {
    replace(path, bytes).map_err(|error| failed(path, error))
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // What `/dev/stdout` leads to may be a file that others write to as well.
    let is_of_process = path.starts_with("/dev") || path.starts_with("/proc");
    let old = match fs::metadata(path) {
        Ok(old) if is_of_process || !(old.is_file() || old.is_dir()) => {
            return File::options().append(true).open(path)?.write_all(bytes);
        }
        Ok(old) => Some(old),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let path = resolve_links(path)?;
    // One that may not be written to is not replaced either, and a folder is none.
    let mut in_place = match old {
        Some(_) => Some(File::options().write(true).open(&path)?),
        None => None,
    };
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut beside = std::ffi::OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}.tmp", std::process::id()));
    let beside = folder_of(&path).join(beside);
    match (File::create_new(&beside), &mut in_place) {
        (Ok(file), _) => {
            if let Some(old) = &old {
                file.set_permissions(old.permissions())?;
            }
            write_or_remove(file, &beside, bytes)?;
        }
        // In a folder of somebody else only the file itself may be written.
        (Err(error), Some(file)) if error.kind() == io::ErrorKind::PermissionDenied => {
            file.set_len(0)?;
            file.write_all(bytes)?;
            return file.sync_all();
        }
        (Err(error), _) => return Err(error),
    }
    fs::rename(&beside, &path).inspect_err(|_why| {
        fs::remove_file(&beside).ok();
    })
}

/// The file that a path leads to, also where the last link's end is not there yet.
fn resolve_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    // As many as Linux follows (path_resolution(7)).
    for _ in 0..40 {
        match fs::read_link(&path) {
            Ok(target) => path = folder_of(&path).join(target),
            Err(_no_link) => return Ok(path),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// Where pictures go: the user's folder for them, else that for downloads, else the home; none
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
    fn what_is_written_over_is_replaced_as_a_whole_and_a_link_stays_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        write_over(&at("map.svg"), b"first").expect("it is new");
        write_over(&at("map.svg"), b"2").expect("it is replaced");
        assert_eq!(fs::read(at("map.svg")).expect("there"), b"2");
        let said = write_over(folder.path(), b"").expect_err("a folder");
        assert!(said.to_string().ends_with("name a file in it"), "{said}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::{PermissionsExt as _, symlink};
            fs::create_dir(at("real")).expect("made");
            symlink("real/other.svg", at("link.svg")).expect("linked");
            for text in ["new", "newer"] {
                write_over(&at("link.svg"), text.as_bytes()).expect("written");
                assert_eq!(
                    fs::read_to_string(at("real/other.svg")).expect("there"),
                    text
                );
            }
            assert!(
                fs::symlink_metadata(at("link.svg"))
                    .expect("there")
                    .is_symlink()
            );
            fs::set_permissions(at("map.svg"), fs::Permissions::from_mode(0o640)).expect("set");
            write_over(&at("map.svg"), b"3").expect("written");
            let mode = fs::metadata(at("map.svg"))
                .expect("there")
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o640);
            let said = write_over(Path::new("/dev/full"), b"x").expect_err("it is full");
            assert!(
                said.to_string().contains("/dev/full could not be written"),
                "{said}"
            );
            symlink("b", at("a"))
                .and_then(|()| symlink("a", at("b")))
                .expect("a circle");
            write_over(&at("a"), b"").expect_err("the link is dangling");
        }
        let left = fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(
            left,
            if cfg!(unix) { 5 } else { 1 },
            "nothing is left beside"
        );
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
