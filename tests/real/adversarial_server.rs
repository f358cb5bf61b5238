//! Pods on a real cluster that behave oddly, and Services that lead to them.

#![allow(dead_code, reason = "each test uses a part of it")]

pub mod netns;

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use svcscope_testkit::cluster::{KubectlRunner, PATIENCE};

/// The first port of the odd server; see `tests/odd_server/server.rs` for those behind it.
pub const FIRST: u16 = 9001;

/// What the odd server does, in the order of its ports.
pub const MODES: [&str; 13] = [
    "healthy",
    "loopback",
    "expired",
    "other-name",
    "redirect",
    "slow",
    "endless",
    "reset",
    "h2c",
    "large",
    "hostile-headers",
    "header-bomb",
    "gzip-bomb",
];

/// The port of a mode.
pub fn port(mode: &str) -> u16 {
    let at = MODES.iter().position(|known| *known == mode);
    FIRST + u16::try_from(at.expect("a mode")).expect("few modes")
}

/// A namespace with the odd server in pods.
pub struct AdversarialServerNamespace {
    pub kubeconfig: PathBuf,
    pub namespace: String,
}

impl AdversarialServerNamespace {
    pub fn new(kubeconfig: &Path, test: &str) -> Self {
        let odd = Self {
            kubeconfig: kubeconfig.to_owned(),
            namespace: format!("svcscope-{test}-{}", std::process::id()),
        };
        let kubectl = KubectlRunner(kubeconfig);
        kubectl.run(&["create", "namespace", &odd.namespace]);
        odd
    }

    pub fn run(&self, args: &[&str]) -> String {
        let kubectl = KubectlRunner(&self.kubeconfig);
        kubectl.run(&[&["-n", &self.namespace], args].concat())
    }

    /// Applies manifests in which `NAMESPACE` stands for this one.
    pub fn apply(&self, manifests: &str) {
        let manifests = manifests.replace("NAMESPACE", &self.namespace);
        KubectlRunner(&self.kubeconfig).apply(&manifests);
    }

    /// A pod with a toolbox in it, and further YAML for its spec. It need not become ready.
    pub fn toolbox(&self, name: &str, app: &str, spec: &str, container: &str) {
        let manifest = format!(
            "
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: NAMESPACE, labels: {{app: {app}}}}}
spec:
  terminationGracePeriodSeconds: 0
{spec}
  containers:
  - name: tool
    image: \"testkube/toolbox:1\"
    imagePullPolicy: Never
    command: [sleep, \"3600\"]
{container}
"
        );
        self.apply(&manifest);
    }

    /// Waits until a pod runs.
    pub fn wait_until_running(&self, name: &str) {
        let started = Instant::now();
        let state = "jsonpath={.status.containerStatuses[0].state.running.startedAt}";
        while self.run(&["get", "pod", name, "-o", state]).is_empty() {
            assert!(started.elapsed() < PATIENCE, "pod {name} does not run");
        }
    }

    /// Copies the odd server into a pod, with what it is linked to, and starts it there.
    pub fn serve(&self, pod: &str) {
        let program = stripped();
        self.copy(pod, &program, "/tmp/odd");
        for library in libraries(&program) {
            let name = library.file_name().and_then(|name| name.to_str());
            self.copy(pod, &library, &format!("/tmp/{}", name.expect("a name")));
        }
        if program.extension().is_some() {
            std::fs::remove_file(&program).expect("the copy without symbols goes");
        }
        let begun = self
            .kubectl()
            .args(["exec", pod, "--", "busybox", "sh", "-c"])
            .arg(format!(
                "LD_LIBRARY_PATH=/tmp /tmp/odd {FIRST} >/tmp/log 2>&1 </dev/null &"
            ))
            .output()
            .expect("kubectl runs");
        assert!(begun.status.success(), "{begun:?}");
        let started = Instant::now();
        let url = format!("http://127.0.0.1:{FIRST}/");
        loop {
            let asked = self
                .kubectl()
                .args(["exec", pod, "--", "curl", "-sS", &url])
                .output()
                .expect("kubectl runs");
            if asked.status.success() {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "{asked:?}");
        }
    }

    fn copy(&self, pod: &str, file: &Path, to: &str) {
        let bytes = std::fs::metadata(file).expect("a file").len();
        let copied = self
            .kubectl()
            .args(["exec", "-i", pod, "--", "busybox", "sh", "-c"])
            .arg(format!(
                "busybox head -c {bytes} > {to} && busybox chmod +x {to}"
            ))
            .stdin(std::fs::File::open(file).expect("a file"))
            .output()
            .expect("kubectl runs");
        assert!(copied.status.success(), "{copied:?}");
    }

    fn kubectl(&self) -> Command {
        let mut kubectl = Command::new("kubectl");
        kubectl
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            .args(["-n", &self.namespace])
            .stdin(Stdio::null());
        kubectl
    }

    /// A Service before the pods of an app: its port's name, and where that leads.
    pub fn service(&self, name: &str, app: &str, port_name: &str, target: u16) {
        self.apply(&format!(
            "
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: NAMESPACE}}
spec:
  selector: {{app: {app}}}
  ports: [{{name: {port_name}, port: 80, targetPort: {target}}}]
"
        ));
    }

    /// Lines for `hostAliases`: each Service under its short name, with the namespace, and whole. The
    /// test's cluster has no DNS.
    pub fn host_aliases(&self) -> String {
        let list = "jsonpath={range .items[*]}{.metadata.name}{range .spec.clusterIPs[*]} {@}{end}\
                    {\"\\n\"}{end}";
        let services = self.run(&["get", "services", "-o", list]);
        let mut lines = String::from("  hostAliases:\n");
        for line in services.lines() {
            let mut words = line.split(' ');
            let name = words.next().unwrap_or_default();
            for address in words.filter(|address| *address != "None") {
                lines.push_str(&self.host_alias(name, address));
            }
        }
        lines
    }

    /// One of these lines.
    pub fn host_alias(&self, name: &str, address: &str) -> String {
        let namespace = &self.namespace;
        format!(
            "  - {{ip: \"{address}\", hostnames: [{name}, {name}.{namespace}, \
             {name}.{namespace}.svc.cluster.local]}}\n"
        )
    }
}

impl Drop for AdversarialServerNamespace {
    fn drop(&mut self) {
        // Not waited for: the cluster goes on without us.
        self.kubectl()
            .args(["delete", "namespace", &self.namespace, "--wait=false"])
            .output()
            .ok();
    }
}

/// What a program is linked to, but for the C library, which the toolbox has.
fn libraries(program: &Path) -> Vec<PathBuf> {
    let listed = Command::new("ldd").arg(program).output();
    let listed = String::from_utf8_lossy(&listed.expect("ldd runs").stdout).into_owned();
    let paths = listed.lines().filter_map(|line| {
        let (_, found) = line.split_once(" => ")?;
        Some(PathBuf::from(found.split_whitespace().next()?))
    });
    paths.filter(|path| !path.ends_with("libc.so.6")).collect()
}

/// The odd server without its symbols: it is sent through the API server. Cargo builds it with the
/// tests, unless one of them is asked for alone.
fn stripped() -> PathBuf {
    let programs = Path::new(env!("CARGO_BIN_EXE_svcscope")).parent();
    let examples = programs.expect("a folder").join("examples");
    let built = examples.join("odd_server");
    assert!(
        built.exists(),
        "{} is not there: cargo build --example odd_server",
        built.display()
    );
    let small = examples.join(format!("odd_server.{}", std::process::id()));
    let stripped = Command::new("strip")
        .arg("-o")
        .arg(&small)
        .arg(&built)
        .status();
    match stripped {
        Ok(status) if status.success() => small,
        _ => built,
    }
}
