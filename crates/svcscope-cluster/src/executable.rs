//! Finding the program of a credential plugin, as Go's `os/exec` does (LookPath in lp_unix.go).

use std::{
    env,
    ffi::OsStr,
    fs::Metadata,
    path::{Path, PathBuf},
};

/// A command with a separator is a path; a bare one is searched for in the absolute places of
/// `path`. One that is found only by an empty entry, `.` or another relative one is not run:
/// what lies in the current directory may be anybody's (`exec.ErrDot`).
pub(super) fn find(command: &str, path: &OsStr) -> Option<PathBuf> {
    let named = Path::new(command);
    if named.components().count() > 1 || command.contains(std::path::MAIN_SEPARATOR) {
        return is_program(named).then(|| named.to_owned());
    }
    let suffix = env::consts::EXE_SUFFIX;
    env::split_paths(path)
        .filter(|place| place.is_absolute())
        .flat_map(|place| {
            [
                place.join(command),
                place.join(format!("{command}{suffix}")),
            ]
        })
        .find(|candidate| is_program(candidate))
}

fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|found| found.is_file() && may_run(&found))
}

#[cfg(unix)]
fn may_run(found: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    found.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn may_run(_found: &Metadata) -> bool {
    true
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::{ffi::OsString, fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    fn program(folder: &Path, mode: u32) -> PathBuf {
        fs::create_dir_all(folder).unwrap();
        let path = folder.join("plugin");
        fs::write(&path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn a_bare_command_is_never_taken_from_a_relative_place() {
        let folder = tempfile::tempdir().unwrap();
        let good = program(&folder.path().join("bin"), 0o755);
        // Tests run in the folder of the package.
        for relative in ["", ".", "src", "./"] {
            let path = OsString::from(format!("{relative}:{}", folder.path().display()));
            assert_eq!(find("Cargo.toml", &path), None, "{relative:?}");
            let path = OsString::from(format!("{relative}:{}/bin", folder.path().display()));
            assert_eq!(find("plugin", &path), Some(good.clone()), "{relative:?}");
        }
    }

    #[test]
    fn what_may_not_be_run_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("a"), folder.path().join("b"));
        program(&first, 0o644);
        let good = program(&second, 0o755);
        let path = env::join_paths([&first, &second]).unwrap();
        assert_eq!(find("plugin", &path), Some(good.clone()));
        assert_eq!(find(good.to_str().unwrap(), &path), Some(good));
        let unusable = first.join("plugin");
        assert_eq!(find(unusable.to_str().unwrap(), &path), None);
    }
}
