//! Files that are remembered in: read with care, changed under a lock, replaced whole.

use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read as _, Write},
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

use etcetera::{BaseStrategy, choose_base_strategy};
use serde::{Serialize, de::DeserializeOwned};

use super::strict_json;

/// More than any of them ever needs; a longer one is none of ours.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// As many links as Linux follows (`MAXSYMLINKS`).
const MAX_SYMLINKS: usize = 40;

/// Where settings are kept: `svcscope/settings.json` in the user's configuration directory
/// (`$XDG_CONFIG_HOME` or what the system has instead); none where there is no home.
pub fn default_path() -> Option<PathBuf> {
    let strategy = choose_base_strategy().ok()?;
    Some(strategy.config_dir().join("svcscope").join("settings.json"))
}

/// What a file holds; none where there is none. What is no regular file (a folder, a FIFO, a
/// device, a dangling link) or is too long is an error and is not read; so is what should
/// be in a folder whose link is dangling.
pub(super) fn read_file(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let link = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return require_reachable_parent(path).map(|()| None);
        }
        found => found?.is_symlink(),
    };
    let found = match fs::metadata(path) {
        Err(error) if link && error.kind() == io::ErrorKind::NotFound => {
            return Err(io::Error::other("it is a dangling symbolic link"));
        }
        found => found?,
    };
    if found.is_dir() {
        return Err(io::Error::other("it is a folder"));
    }
    if !found.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(io::Error::other("it is larger than 16 MiB"));
    }
    Ok(Some(bytes))
}

/// Whether a file is missing is not known where a link above it is dangling, as to a disk that is
/// not mounted.
fn require_reachable_parent(path: &Path) -> io::Result<()> {
    let is_lost = |folder: &&Path| {
        let is_link = fs::symlink_metadata(folder).is_ok_and(|found| found.is_symlink());
        is_link && fs::metadata(folder).is_err()
    };
    match path.ancestors().skip(1).find(is_lost) {
        None => Ok(()),
        Some(folder) => Err(io::Error::other(format!(
            "its folder {} is a dangling symbolic link",
            folder.display()
        ))),
    }
}

/// Reads a file that stays as it is. One that is missing gives the default; an unusable one gives
/// the default too, with words about it: `PATH can't be used: WHY; it stays as it is`.
pub(super) fn read_or_default<T: DeserializeOwned + Default>(path: &Path) -> (T, Option<String>) {
    match read_value(path) {
        Ok(value) => (value, None),
        Err(problem) => {
            let shown = path.display();
            let said = format!("{shown} can't be used: {problem}; it stays as it is");
            (T::default(), Some(said))
        }
    }
}

fn read_value<T: DeserializeOwned + Default>(path: &Path) -> Result<T, String> {
    let Some(bytes) = read_file(path).map_err(|error| error.to_string())? else {
        return Ok(T::default());
    };
    let value = strict_json::parse(&bytes).and_then(serde_json::from_value);
    value.map_err(|error| error.to_string())
}

/// Reads a file that is then written. One that is missing gives the default; an unusable one is moved
/// aside and gives the default too, with words about it: `PATH can't be used: WHY; it is kept as
/// OTHER PATH`.
pub(super) fn read_or_move_aside<T: DeserializeOwned + Default>(
    path: &Path,
) -> (T, Option<String>) {
    let problem = match read_value(path) {
        Ok(value) => return (value, None),
        Err(problem) => problem,
    };
    // A link stays: the file that it leads to is set aside.
    let target = target_of(path);
    let moved = if path.is_symlink() && !target.is_file() {
        Err(io::Error::other("it is a link to no file"))
    } else {
        move_aside(&target)
    };
    let whereabouts = match moved {
        Ok(aside) => format!("it is kept as {}", aside.display()),
        Err(error) => format!("it could not be moved aside ({error})"),
    };
    let shown = path.display();
    let problem = format!("{shown} can't be used: {problem}; {whereabouts}");
    (T::default(), Some(problem))
}

/// Where a path leads: through symbolic links, also to a file that is not there yet.
fn target_of(path: &Path) -> PathBuf {
    let mut target = path.to_owned();
    for _ in 0..MAX_SYMLINKS {
        let Ok(next) = fs::read_link(&target) else {
            break;
        };
        let folder = target.parent().unwrap_or_else(|| Path::new("."));
        target = folder.join(next);
    }
    target
}

/// Writes a file so that a crash leaves either the old one or the new one, for its owner only: names
/// of contexts and namespaces are nobody else's business. A symbolic link is written through.
pub(super) fn write_atomically<T: Serialize>(value: &T, path: &Path) -> io::Result<()> {
    write_unless(value, path, || false).map(drop)
}

/// As [`write_atomically`], unless `outdated` says at the last moment that somebody else has written;
/// whether it was written.
pub(super) fn write_unless<T: Serialize>(
    value: &T,
    path: &Path,
    outdated: impl FnOnce() -> bool,
) -> io::Result<bool> {
    let path = target_of(path);
    if path.exists() && !path.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    create_folder(path.parent().unwrap_or_else(|| Path::new(".")))?;
    // Beside the file, so that renaming stays within one file system.
    let temporary = sibling_path(&path, &format!("{}.tmp", std::process::id()));
    let written = create(&temporary).and_then(|mut file| {
        serde_json::to_writer_pretty(&mut file, value)?;
        file.write_all(b"\n")?;
        file.sync_all()
    });
    let renamed = written.and_then(|()| {
        let is_outdated = outdated();
        if !is_outdated {
            fs::rename(&temporary, &path)?;
        }
        Ok(!is_outdated)
    });
    if !matches!(renamed, Ok(true)) {
        // The first error is the one to tell.
        fs::remove_file(&temporary).ok();
    }
    renamed
}

/// Makes a folder, and those above it that are missing, for their owner only, as the XDG Base
/// Directory Specification asks of those that hold configuration.
pub(super) fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// How long another process may hold a lock: a write takes milliseconds, and who waits may be the
/// engine.
const LOCK_TIMEOUT: Duration = Duration::from_secs(3);

/// Keeps other processes of svcscope out until it is dropped. A file system that knows no locks
/// keeps nobody out, which is how it was before.
pub(super) fn lock(path: &Path) -> io::Result<File> {
    lock_within(path, LOCK_TIMEOUT)
}

fn lock_within(path: &Path, patience: Duration) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
    let mut options = File::options();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let name = sibling_path(path, "lock");
    let file = options.open(&name)?;
    if !matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return Ok(file);
    }
    // No system call waits for a lock for a while: a thread does, and what it gets too late it lets
    // go at once.
    let (locked, waiting) = mpsc::channel();
    thread::Builder::new().spawn(move || {
        file.lock().ok();
        locked.send(file).ok();
    })?;
    waiting.recv_timeout(patience).map_err(|_elapsed| {
        let said = format!(
            "another program has held {} for {} s; end it and try again",
            name.display(),
            patience.as_secs()
        );
        io::Error::new(io::ErrorKind::TimedOut, said)
    })
}

fn create(path: &Path) -> io::Result<File> {
    // What a crash left would keep its own mode.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Renames a file to `NAME.broken`, or `NAME.broken-2` and so on where that is taken.
fn move_aside(path: &Path) -> io::Result<PathBuf> {
    let names = std::iter::once("broken".to_owned())
        .chain((2_u32..).map(|number| format!("broken-{number}")));
    for name in names {
        let aside = sibling_path(path, &name);
        if !aside.try_exists()? {
            fs::rename(path, &aside)?;
            return Ok(aside);
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// `NAME.SUFFIX` in the same folder.
pub(super) fn sibling_path(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path
        .file_name()
        .map_or_else(|| OsString::from("settings"), OsString::from);
    name.push(".");
    name.push(suffix);
    path.with_file_name(name)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::{
        collections::BTreeMap,
        os::unix::fs::{PermissionsExt as _, symlink},
    };

    use super::*;

    type CountsByName = BTreeMap<String, u32>;

    fn one() -> CountsByName {
        [("a".to_owned(), 1)].into()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn files_and_the_folders_made_for_them_are_for_their_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config/svcscope/names.json");
        let _lock = lock(&path).unwrap();
        write_atomically(&one(), &path).unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(&folder.path().join("config")), 0o700);
        assert_eq!(mode(&folder.path().join("config/svcscope")), 0o700);
        assert_eq!(mode(&sibling_path(&path, "lock")), 0o600);
    }

    #[test]
    fn a_lock_that_another_program_keeps_is_given_up_and_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("names.json");
        let held = lock(&path).unwrap();
        let said = lock_within(&path, Duration::from_millis(5)).unwrap_err();
        assert_eq!(said.kind(), io::ErrorKind::TimedOut);
        assert!(said.to_string().contains("names.json.lock"), "{said}");
        drop(held);
        lock(&path).unwrap();
    }

    #[test]
    fn a_link_is_written_through_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("dotfiles")).unwrap();
        let target = folder.path().join("dotfiles/names.json");
        let (near, far) = (folder.path().join("near"), folder.path().join("far"));
        symlink("dotfiles/names.json", &near).unwrap();
        symlink(&near, &far).unwrap();
        // Also where the file is not there yet.
        for value in [one(), CountsByName::new(), one()] {
            write_atomically(&value, &far).unwrap();
            assert_eq!(read_or_move_aside(&far), (value, None));
            assert!(near.is_symlink() && far.is_symlink() && !target.is_symlink());
        }
        fs::write(&target, "{").unwrap();
        let (none, said) = read_or_move_aside::<CountsByName>(&far);
        assert!(none.is_empty() && said.unwrap().contains("dotfiles/names.json.broken"));
        assert!(far.is_symlink(), "the link stays");
        write_atomically(&one(), &far).unwrap();
        assert_eq!(read_or_move_aside(&near), (one(), None));
    }

    #[test]
    fn a_file_is_not_missing_where_its_folder_leads_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        symlink(at("unmounted"), at("config")).unwrap();
        for name in ["config/names.json", "config/svcscope/names.json"] {
            let said = read_file(&at(name)).unwrap_err().to_string();
            assert!(
                said.contains("config is a dangling symbolic link"),
                "{said}"
            );
        }
        fs::create_dir(at("unmounted")).unwrap();
        assert_eq!(read_file(&at("config/svcscope/names.json")).unwrap(), None);
    }

    #[test]
    fn what_is_only_read_stays_where_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("names.json");
        fs::write(&path, "{").unwrap();
        let (none, said) = read_or_default::<CountsByName>(&path);
        assert!(none.is_empty() && said.unwrap().ends_with("it stays as it is"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(fs::read_to_string(&path).unwrap(), "{");
    }

    #[test]
    fn what_is_no_regular_file_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert_eq!(read_file(&at("none")).unwrap(), None);
        fs::create_dir(at("folder")).unwrap();
        symlink(at("none"), at("dangling")).unwrap();
        symlink("/dev/zero", at("device")).unwrap();
        symlink(at("loop"), at("loop")).unwrap();
        let fifo = std::process::Command::new("mkfifo")
            .arg(at("fifo"))
            .status();
        assert!(fifo.unwrap().success());
        File::create(at("large"))
            .unwrap()
            .set_len(MAX_FILE_BYTES + 1)
            .unwrap();
        for (name, why) in [
            ("folder", "it is a folder"),
            ("dangling", "a dangling symbolic link"),
            ("device", "no regular file"),
            ("fifo", "no regular file"),
            ("loop", "symbolic link"),
            ("large", "larger than 16 MiB"),
        ] {
            let said = read_file(&at(name)).unwrap_err().to_string();
            assert!(said.contains(why), "{name}: {said}");
        }
    }
}
