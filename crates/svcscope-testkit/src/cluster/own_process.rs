//! A test that measures its process, apart from the other tests of its program.

use std::{env, process::Command};

/// Whether this process runs this test alone. Where it does not, the test is run in a process of
/// its own, must pass there, and has nothing left to do here.
pub fn runs_in_own_process(test: &str) -> bool {
    const MARK: &str = "SVCSCOPE_TEST_IN_OWN_PROCESS";
    if env::var_os(MARK).is_some() {
        return true;
    }
    let program = env::current_exe().expect("this program has a path");
    let output = Command::new(program)
        .args([test, "--exact", "--include-ignored", "--nocapture"])
        .env(MARK, "1")
        .output()
        .expect("this program runs once more");
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && printed.contains("1 passed"),
        "{printed}{errors}"
    );
    false
}
