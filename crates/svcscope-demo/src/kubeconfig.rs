//! The kubeconfig that leads to the demo cluster.

use std::fs;
use std::io::Write;
use std::path::Path;

/// A kubeconfig with one context, `demo`, in the namespace `shop`. The token is part of the URL,
/// since neither kubectl nor svcscope sends one over plain HTTP.
pub(super) fn text(url: &str, token: &str) -> String {
    format!(
        "apiVersion: v1\n\
         kind: Config\n\
         current-context: demo\n\
         clusters:\n\
         - name: demo\n  cluster:\n    server: {url}/{token}\n\
         users:\n\
         - name: demo\n  user: {{}}\n\
         contexts:\n\
         - name: demo\n  context:\n    cluster: demo\n    user: demo\n    namespace: shop\n"
    )
}

/// Writes a kubeconfig so that only its owner can read it: it holds the token.
///
/// # Errors
/// When the file can't be written.
pub fn write_kubeconfig(path: &Path, kubeconfig: &str) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
        options.mode(0o600);
        // A file that was there keeps its mode on opening; it must not stay readable by others.
        if path.exists() {
            fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        }
    }
    options.open(path)?.write_all(kubeconfig.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        fs::write(&path, "old and much longer than nothing").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        write_kubeconfig(&path, "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}
