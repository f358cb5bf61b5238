//! Commands in real containers, and probe pods.

use std::{path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use svcscope_cluster::{KubeconfigSource, MergedKubeconfig, connect};
use svcscope_model::inventory::ObjectKey;
use svcscope_net::probe::in_cluster::{PodAccess, PodCommand, PodErrorKind};
use svcscope_testkit::cluster::KubectlRunner;

use crate::kubeconfig;

const TOOLBOX: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: NAME, namespace: NAMESPACE, labels: {app: NAME}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: tool
    image: "testkube/toolbox:1"
    imagePullPolicy: Never
    command: [sleep, "3600"]
"#;

/// A namespace of its own, taken away at the end.
pub struct ExecTestNamespace<'a> {
    pub kubectl: KubectlRunner<'a>,
    pub namespace: String,
}

impl<'a> ExecTestNamespace<'a> {
    pub fn new(kubeconfig: &'a Path, test: &str) -> Self {
        let namespace = format!("svcscope-{test}-{}", std::process::id());
        let kubectl = KubectlRunner(kubeconfig);
        kubectl.run(&["create", "namespace", &namespace]);
        Self { kubectl, namespace }
    }

    /// A pod with a shell, curl and nothing to do.
    pub fn toolbox(&self, name: &str) -> ObjectKey {
        let manifest = TOOLBOX.replace("NAMESPACE", &self.namespace);
        self.kubectl.apply(&manifest.replace("NAME", name));
        let pod = format!("pod/{name}");
        self.run(&["wait", "--for=condition=Ready", &pod, "--timeout=60s"]);
        ObjectKey::new(&*self.namespace, name)
    }

    pub fn run(&self, args: &[&str]) -> String {
        self.kubectl.run(&[&["-n", &self.namespace], args].concat())
    }
}

impl Drop for ExecTestNamespace<'_> {
    fn drop(&mut self) {
        std::process::Command::new("kubectl")
            .arg("--kubeconfig")
            .arg(self.kubectl.0)
            .args(["delete", "namespace", &self.namespace, "--wait=false"])
            .output()
            .ok();
    }
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().expect("a runtime")
}

pub async fn pods(kubeconfig: &Path) -> Arc<dyn PodAccess> {
    svcscope_net::tls::install_crypto_provider();
    let file =
        MergedKubeconfig::load(&KubeconfigSource::File(kubeconfig.to_owned())).expect("a file");
    connect(&file, None).await.expect("a cluster").pods()
}

pub fn command(pod: &ObjectKey, words: &[&str]) -> PodCommand {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    PodCommand::new(pod.clone(), words, Duration::from_secs(20))
}

#[test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
fn a_command_runs_in_a_container_and_its_failures_have_words() {
    let file = kubeconfig();
    let place = ExecTestNamespace::new(&file, "exec");
    let tool = place.toolbox("tool");
    runtime().block_on(async {
        let pods = pods(&file).await;
        let run = async |words: &[&str]| pods.run(&command(&tool, words)).await;

        let both = run(&["sh", "-c", "echo out; echo err >&2; exit 7"]).await;
        let both = both.expect("it runs");
        assert_eq!(both.code, Some(7));
        assert_eq!(both.stdout, b"out\n");
        assert_eq!(both.stderr, b"err\n");

        // 3 MB in, which is more than one message and than any buffer on the way.
        let sent: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 251) as u8).collect();
        let copied = PodCommand {
            stdin: Some(Bytes::from(sent.clone())),
            max_output: 4_000_000,
            ..command(&tool, &["busybox", "head", "-c", "3000000"])
        };
        let copied = pods.run(&copied).await.expect("it is copied");
        assert!(copied.stdout == sent, "{} bytes came", copied.stdout.len());

        let endless = run(&["busybox", "cat", "/dev/zero"])
            .await
            .expect("it is cut");
        assert!(endless.is_truncated());
        assert_eq!(endless.stdout.len(), 1024 * 1024);

        let kind = |outcome: Result<_, svcscope_net::probe::in_cluster::PodError>| {
            let error = outcome
                .map(|_: svcscope_net::probe::in_cluster::PodOutput| ())
                .unwrap_err();
            eprintln!("{error}");
            error.kind
        };
        assert_eq!(
            kind(run(&["no-such-program"]).await),
            PodErrorKind::NoProgram
        );
        let elsewhere = PodCommand {
            container: Some("other".into()),
            ..command(&tool, &["true"])
        };
        assert_eq!(kind(pods.run(&elsewhere).await), PodErrorKind::NoContainer);
        let nobody = ObjectKey::new(&*place.namespace, "nobody");
        let nobody = command(&nobody, &["true"]);
        assert_eq!(kind(pods.run(&nobody).await), PodErrorKind::Gone);
        let slow = PodCommand {
            limit: Duration::from_millis(500),
            ..command(&tool, &["sleep", "2"])
        };
        assert_eq!(kind(pods.run(&slow).await), PodErrorKind::TimedOut);
    });
}

/// As `timeout`, a runner's cancel and a terminal that is closed end it.
#[test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
fn signals_leave_no_probe_pod_behind() {
    use std::{
        process::{Command, Stdio},
        time::Instant,
    };
    let file = kubeconfig();
    let place = ExecTestNamespace::new(&file, "signals");
    place.toolbox("tool");
    place.run(&["expose", "pod", "tool", "--port=80"]);
    let pods = || place.run(&["get", "pods", "-o", "name"]);
    let wait_until = |is_there: bool, what: &str| {
        let started = Instant::now();
        while pods().contains("svcscope-probe") != is_there {
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "{what}: {}",
                pods()
            );
        }
    };
    for (signal, code) in [("-TERM", Some(143)), ("-HUP", Some(129)), ("-INT", None)] {
        let home = tempfile::tempdir().expect("a folder");
        let mut child = svcscope_testkit::cluster::svcscope(&["reach", "svc/tool", "--every", "1"])
            .args([
                "--probe-image",
                "testkube/toolbox:1",
                "--probe-pull",
                "never",
            ])
            .args([
                "-n",
                &place.namespace,
                "--inside",
                &place.namespace,
                "--kubeconfig",
            ])
            .arg(&file)
            .env("XDG_CONFIG_HOME", home.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("svcscope runs");
        wait_until(true, "no probe pod came");
        let sent = Command::new("kill")
            .args([signal, &child.id().to_string()])
            .status();
        assert!(sent.expect("kill runs").success());
        let ended = child.wait().expect("it ended").code();
        assert!(code.is_none() || ended == code, "{signal}: {ended:?}");
        wait_until(false, signal);
    }
}
