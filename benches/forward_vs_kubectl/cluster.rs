//! The pod that both programs forward to.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use svcscope_testkit::cluster::KubectlRunner;

/// How much the sink reads at once; what goes up is a multiple of it.
pub const BLOCK: u64 = 64 * 1024;

/// A pod in a real cluster, or one of the demo's.
pub struct Cluster {
    pub kubeconfig: PathBuf,
    pub namespace: String,
    pub pod: String,
    pub http_port: u16,
    /// Takes bytes: a sink that says when it has them, or an echo.
    pub up_port: u16,
    demo: Option<Child>,
    _folder: tempfile::TempDir,
}

impl Cluster {
    /// A cluster whose sink takes so many bytes of each connection.
    pub fn start(up: u64) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        match std::env::var_os("SVCSCOPE_TEST_KUBECONFIG") {
            Some(file) => Self::real(file.into(), folder, up),
            None => Self::demo(folder),
        }
    }

    fn real(kubeconfig: PathBuf, folder: tempfile::TempDir, up: u64) -> Self {
        let namespace = format!("svcscope-bench-{}", std::process::id());
        let manifest = MANIFEST
            .replace("NAMESPACE", &namespace)
            .replace("BLOCKS", &(up / BLOCK).to_string());
        KubectlRunner(&kubeconfig).apply(&manifest);
        let cluster = Self {
            kubeconfig,
            namespace,
            pod: "target".to_owned(),
            http_port: 8080,
            up_port: 9001,
            demo: None,
            _folder: folder,
        };
        let namespace = ["-n", &*cluster.namespace];
        let wait = [
            "wait",
            "--for=condition=Ready",
            "pod/target",
            "--timeout=60s",
        ];
        KubectlRunner(&cluster.kubeconfig).run(&[&namespace[..], &wait].concat());
        cluster
    }

    /// kubectl in the namespace.
    pub fn kubectl(&self, args: &[&str]) -> String {
        let namespace = ["-n", &*self.namespace];
        KubectlRunner(&self.kubeconfig).run(&[&namespace[..], args].concat())
    }

    /// A Deployment and its Service with so many pods, all of them ready.
    pub fn scale(&self, replicas: u8) {
        self.kubectl(&["scale", "deployment/web", &format!("--replicas={replicas}")]);
        self.kubectl(&["rollout", "status", "deployment/web", "--timeout=90s"]);
    }

    /// The names of the Deployment's pods that are not being deleted.
    pub fn pods(&self) -> Vec<String> {
        let template = "go-template={{range .items}}{{if not .metadata.deletionTimestamp}}\
                        {{.metadata.name}} {{end}}{{end}}";
        let said = self.kubectl(&["get", "pods", "-l", "app=web", "-o", template]);
        said.split_whitespace().map(str::to_owned).collect()
    }

    /// Whether a new Deployment's pods can be watched here.
    pub fn is_real(&self) -> bool {
        self.demo.is_none()
    }

    /// The pod, as both programs name it.
    pub fn target(&self) -> String {
        format!("pod/{}", self.pod)
    }

    fn demo(folder: tempfile::TempDir) -> Self {
        let kubeconfig = folder.path().join("kubeconfig");
        let demo = Command::new(env!("CARGO_BIN_EXE_svcscope"))
            .args(["demo", "--write-kubeconfig"])
            .arg(&kubeconfig)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the demo cluster starts");
        while !kubeconfig.exists() {
            std::thread::park_timeout(Duration::from_millis(20));
        }
        let jsonpath = "jsonpath={.items[0].metadata.name}";
        let pods = [
            "-n", "infra", "get", "pods", "-l", "app=echo", "-o", jsonpath,
        ];
        let pod = KubectlRunner(&kubeconfig).run(&pods);
        Self {
            kubeconfig,
            namespace: "infra".to_owned(),
            pod,
            http_port: 8080,
            up_port: 9000,
            demo: Some(demo),
            _folder: folder,
        }
    }

    pub fn describe(&self) -> String {
        let place = match self.demo {
            Some(_) => "the demo cluster",
            None => "a real cluster",
        };
        format!(
            "pod {} of {place}, medians of {} runs in turn",
            self.pod,
            crate::ROUNDS
        )
    }

    pub fn up_echoes(&self) -> bool {
        self.demo.is_some()
    }

    pub fn up_label(&self, bytes: u64) -> String {
        let back = if self.up_echoes() { " and back" } else { "" };
        format!("{} MB up{back}", bytes / 1_000_000)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(demo) = &mut self.demo {
            demo.kill().ok();
            demo.wait().ok();
            return;
        }
        let delete = ["delete", "namespace", &*self.namespace, "--wait=false"];
        KubectlRunner(&self.kubeconfig).run(&delete);
    }
}

/// A web server, and a sink that says something when it has read enough of a connection.
const MANIFEST: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: NAMESPACE}
---
apiVersion: v1
kind: Pod
metadata: {name: target, namespace: NAMESPACE}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: httpd
    image: "testkube/httpd:1"
    imagePullPolicy: Never
    ports: [{name: http, containerPort: 8080}]
    readinessProbe: {httpGet: {port: 8080, path: /ready}, periodSeconds: 1}
  - name: sink
    image: "testkube/toolbox:1"
    imagePullPolicy: Never
    ports: [{name: sink, containerPort: 9001}]
    command: [nc, -ll, -p, "9001", -e, sh, -c, "dd of=/dev/null bs=64k count=BLOCKS iflag=fullblock 2>&1"]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: NAMESPACE}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 2
      containers:
      - name: httpd
        image: "testkube/httpd:1"
        imagePullPolicy: Never
        ports: [{name: http, containerPort: 8080}]
        readinessProbe: {httpGet: {port: 8080, path: /ready}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: NAMESPACE}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: http}]
"#;
