//! kubectl, as tests and benchmarks run it.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

/// Whether kubectl is installed; says so in one line where it is not.
pub fn has_kubectl() -> bool {
    let found = Command::new("kubectl")
        .args(["version", "--client"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !found {
        eprintln!("skipped: kubectl is not installed");
    }
    found
}

/// kubectl on a kubeconfig.
pub struct KubectlRunner<'a>(pub &'a Path);

impl KubectlRunner<'_> {
    /// Runs it; it must succeed.
    pub fn run(&self, args: &[&str]) -> String {
        let output = Command::new("kubectl")
            .arg("--kubeconfig")
            .arg(self.0)
            .args(args)
            .stdin(Stdio::null())
            .output()
            .expect("kubectl runs");
        assert!(
            output.status.success(),
            "kubectl {args:?} failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs it with `-o json`.
    pub fn json(&self, args: &[&str]) -> serde_json::Value {
        let text = self.run(&[args, &["-o", "json"]].concat());
        serde_json::from_str(&text).expect("kubectl prints JSON")
    }

    /// `kubectl apply` of a manifest.
    pub fn apply(&self, manifest: &str) {
        let mut child = Command::new("kubectl")
            .arg("--kubeconfig")
            .arg(self.0)
            .args(["apply", "-f", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("kubectl runs");
        let mut input = child.stdin.take().expect("stdin");
        input.write_all(manifest.as_bytes()).expect("written");
        drop(input);
        assert!(
            child.wait().expect("kubectl ends").success(),
            "kubectl apply failed"
        );
    }
}
