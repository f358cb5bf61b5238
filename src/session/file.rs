//! Reading and writing the settings' file.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use etcetera::{BaseStrategy, choose_base_strategy};
use serde::{Serialize, de::DeserializeOwned};

use super::Settings;

/// What a file gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The settings, or the defaults.
    pub settings: Settings,
    /// What to tell the person: that the file was unusable, and where it is now.
    pub notice: Option<String>,
}

/// Settings could not be saved.
#[derive(Debug, thiserror::Error)]
#[error("settings could not be saved to {}: {source}", path.display())]
pub struct SaveError {
    path: PathBuf,
    source: io::Error,
}

/// Where settings are kept: `svcscope/settings.json` in the person's configuration directory
/// (`$XDG_CONFIG_HOME` or what the system has instead); none where there is no home.
pub fn default_path() -> Option<PathBuf> {
    let strategy = choose_base_strategy().ok()?;
    Some(strategy.config_dir().join("svcscope").join("settings.json"))
}

impl Settings {
    /// Reads settings. A missing file gives the defaults; an unusable one is moved aside, never
    /// overwritten, and the defaults are used.
    pub fn load(path: &Path) -> Loaded {
        let (settings, problem) = read_or_aside(path);
        Loaded {
            settings,
            notice: problem
                .map(|problem| format!("settings in {problem}, and defaults are in use")),
        }
    }

    /// Writes settings so that a crash leaves either the old file or the new one, readable for
    /// its owner only: names of contexts and namespaces are nobody else's business.
    pub fn save(&self, path: &Path) -> Result<(), SaveError> {
        write_whole(self, path).map_err(|source| SaveError {
            path: path.to_owned(),
            source,
        })
    }
}

/// Reads a file. One that is missing gives the default; an unusable one is moved aside and gives
/// the default too, with words about it: `PATH can't be used: WHY; it is kept as OTHER PATH`.
pub(super) fn read_or_aside<T: DeserializeOwned + Default>(path: &Path) -> (T, Option<String>) {
    let problem = match fs::read(path) {
        Ok(bytes) => match serde_json::from_slice(&bytes) {
            Ok(value) => return (value, None),
            Err(error) => error.to_string(),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => return (T::default(), None),
        Err(error) => error.to_string(),
    };
    let whereabouts = match move_aside(path) {
        Ok(aside) => format!("it is kept as {}", aside.display()),
        Err(error) => format!("it could not be moved aside ({error})"),
    };
    let shown = path.display();
    let problem = format!("{shown} can't be used: {problem}; {whereabouts}");
    (T::default(), Some(problem))
}

/// Writes a file so that a crash leaves either the old one or the new one, for its owner only.
pub(super) fn write_whole<T: Serialize>(value: &T, path: &Path) -> io::Result<()> {
    let directory = path.parent().unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(directory)?;
    // Beside the file, so that renaming stays within one file system.
    let temporary = beside(path, &format!("{}.tmp", std::process::id()));
    let written = create(&temporary).and_then(|mut file| {
        serde_json::to_writer_pretty(&mut file, value)?;
        file.write_all(b"\n")?;
        file.sync_all()
    });
    let renamed = written.and_then(|()| fs::rename(&temporary, path));
    if renamed.is_err() {
        // The first error is the one to tell.
        fs::remove_file(&temporary).ok();
    }
    renamed
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
        let aside = beside(path, &name);
        if !aside.try_exists()? {
            fs::rename(path, &aside)?;
            return Ok(aside);
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// `NAME.SUFFIX` in the same folder.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path
        .file_name()
        .map_or_else(|| OsString::from("settings"), OsString::from);
    name.push(".");
    name.push(suffix);
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Theme;

    fn chosen() -> Settings {
        Settings {
            theme: Theme::Light,
            ui_zoom: 1.25,
            last_context: Some("prod".to_owned()),
            last_namespaces: [("prod".to_owned(), vec!["shop".to_owned()])].into(),
            read_only_contexts: ["prod".to_owned()].into(),
            ..Settings::default()
        }
    }

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/settings.json");
        assert_eq!(Settings::load(&path).settings, Settings::default());
        for settings in [chosen(), Settings::default()] {
            settings.save(&path).unwrap();
            let loaded = Settings::load(&path);
            assert_eq!((loaded.settings, loaded.notice), (settings, None));
        }
        assert_eq!(names(path.parent().unwrap()), ["settings.json"]);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt;

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("settings.json");
        fs::write(&path, "{}").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        chosen().save(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_broken_file_is_moved_aside_each_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("settings.json");
        for broken in ["{\"theme\": \"lig", "[]"] {
            fs::write(&path, broken).unwrap();
            let loaded = Settings::load(&path);
            assert_eq!(loaded.settings, Settings::default());
            assert!(loaded.notice.unwrap().contains("it is kept as"));
        }
        assert_eq!(
            names(directory.path()),
            ["settings.json.broken", "settings.json.broken-2"]
        );
        let kept = fs::read_to_string(directory.path().join("settings.json.broken"));
        assert_eq!(kept.unwrap(), "{\"theme\": \"lig");
    }

    #[test]
    fn a_file_of_another_version_counts_and_keeps_what_is_not_understood() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("settings.json");
        fs::write(&path, r#"{"theme": "dark", "minimap": true}"#).unwrap();
        let loaded = Settings::load(&path);
        assert_eq!(loaded.notice, None);
        assert_eq!(loaded.settings.theme, Theme::Dark);
        loaded.settings.save(&path).unwrap();
        assert!(fs::read_to_string(&path).unwrap().contains("minimap"));
    }

    #[test]
    fn a_place_that_can_not_be_written_is_an_error_with_its_path() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        let error = chosen().save(&file.join("settings.json")).unwrap_err();
        assert!(error.to_string().contains("settings.json"));
    }
}
