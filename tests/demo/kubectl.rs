//! The real kubectl against the demo cluster.

use std::process::{Command, Output, Stdio};

use svcscope_demo::{DemoOptions, DemoServer, write_kubeconfig};

struct DemoKubectl {
    // Held for as long as kubectl runs against it.
    _server: DemoServer,
    folder: tempfile::TempDir,
}

impl DemoKubectl {
    fn start() -> Self {
        let server = DemoServer::spawn(DemoOptions {
            scripted_activity: false,
            ..DemoOptions::default()
        })
        .unwrap();
        let folder = tempfile::tempdir().unwrap();
        write_kubeconfig(&folder.path().join("config"), &server.kubeconfig()).unwrap();
        Self {
            _server: server,
            folder,
        }
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new("kubectl");
        command
            .env("KUBECONFIG", self.folder.path().join("config"))
            .env("HOME", self.folder.path())
            .env_remove("HTTP_PROXY")
            .env_remove("http_proxy")
            .args(
                arguments
                    .split(' ')
                    .map(|argument| argument.replace('~', " ")),
            );
        command
    }

    fn run(&self, arguments: &str) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What it prints; it must succeed. A `~` in the arguments is a space.
    fn ok(&self, arguments: &str) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "kubectl {arguments}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Asks until it prints what is wanted: controllers follow a moment later.
    fn until(&self, arguments: &str, wanted: &str) {
        let mut said = String::new();
        for _ in 0..200 {
            said = String::from_utf8(self.run(arguments).stdout).unwrap();
            if said == wanted {
                return;
            }
        }
        panic!("kubectl {arguments}: {said:?}, wanted {wanted:?}");
    }

    /// What it complains about; it must fail.
    fn fails(&self, arguments: &str) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "kubectl {arguments} should fail");
        String::from_utf8(output.stderr).unwrap()
    }

    fn ok_with(&self, arguments: &str, input: &str) -> String {
        use std::io::Write;
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "kubectl {arguments}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }
}

/// The words of the line that begins with these words.
fn row<'t>(table: &'t str, name: &str) -> Vec<&'t str> {
    let found = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    found
        .into_iter()
        .find(|words| words.contains(&name))
        .unwrap_or_else(|| panic!("no {name} in\n{table}"))
}

#[test]
#[ignore = "needs kubectl"]
fn reading() {
    let kubectl = DemoKubectl::start();
    let all = kubectl.ok("get svc,pods,nodes,endpointslices -A");
    assert_eq!(row(&all, "service/web")[2..5].len(), 3);
    let web = row(&all, "service/web");
    assert_eq!(web[2], "LoadBalancer");
    assert!(web[4].ends_with(".255.7"), "{}", web[4]);
    assert_eq!(row(&all, "service/payments")[4], "<pending>");
    assert_eq!(row(&all, "pod/db-0")[2], "1/1");
    assert_eq!(row(&all, "node/node-a")[1], "Ready");
    let wide = kubectl.ok("get svc -o wide");
    assert_eq!(row(&wide, "orphan").last(), Some(&"app=orfan"));
    let described = kubectl.ok("describe svc api");
    assert!(
        described.contains("NodePort:                 http  30080/TCP"),
        "{described}"
    );
    assert!(described.contains(":8080"), "{described}");
    let yaml = kubectl.ok("get svc web -o yaml");
    assert!(yaml.contains("type: LoadBalancer"), "{yaml}");
    assert!(kubectl.ok("version").contains("v1.36.0-demo"));
    let resources = kubectl.ok("api-resources");
    assert_eq!(row(&resources, "endpointslices")[1], "discovery.k8s.io/v1");
    for kind in ["ns", "ep", "ev", "deploy", "rs", "sts", "ds"] {
        assert!(
            kubectl.ok(&format!("get {kind} -A")).lines().count() > 1,
            "{kind}"
        );
    }
    assert_eq!(kubectl.ok("auth can-i patch services").trim(), "yes");
    assert!(
        kubectl
            .fails("get svc none")
            .contains("services \"none\" not found")
    );
}

#[test]
#[ignore = "needs kubectl"]
fn changing() {
    let kubectl = DemoKubectl::start();
    let cache = r#"patch svc cache -p {"spec":{"type":"NodePort"}}"#;
    kubectl.ok(&format!("{cache} --dry-run=server"));
    assert_eq!(
        row(&kubectl.ok("get svc"), "cache")[1],
        "ClusterIP",
        "a dry run changes nothing"
    );
    kubectl.ok(cache);
    assert_eq!(row(&kubectl.ok("get svc"), "cache")[1], "NodePort");
    kubectl.ok(r#"patch svc cache --type=merge -p {"spec":{"type":"ClusterIP"}}"#);
    kubectl.ok(
        r#"patch svc cache --type=json -p [{"op":"add","path":"/metadata/labels/x","value":"y"}]"#,
    );
    assert!(
        kubectl
            .ok("get svc -l x=y -o name")
            .contains("service/cache")
    );
    let taken = r#"patch svc cache -p {"spec":{"type":"NodePort","ports":[{"port":6379,"nodePort":30080}]}}"#;
    assert!(
        kubectl
            .fails(taken)
            .contains("provided port is already allocated")
    );
    let service = r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"made"},"spec":{"selector":{"app":"web"},"ports":[{"port":80,"targetPort":"http"}]}}"#;
    kubectl.ok_with("create -f -", service);
    kubectl.until(
        "get endpoints made -o jsonpath={.subsets[*].ports[*].port}",
        "8080",
    );
    kubectl.ok_with("apply -f -", &service.replace("made", "applied"));
    kubectl.ok_with(
        "apply -f -",
        &service
            .replace("made", "applied")
            .replace("\"port\":80", "\"port\":81"),
    );
    assert_eq!(row(&kubectl.ok("get svc"), "applied")[4], "81/TCP");
    kubectl.ok_with(
        "apply --server-side -f -",
        &service.replace("made", "served"),
    );
    kubectl.ok("delete svc made applied served");
    assert!(kubectl.fails("get svc made").contains("not found"));
}

#[test]
#[ignore = "needs kubectl"]
fn generating_and_rolling_out() {
    let kubectl = DemoKubectl::start();
    kubectl.ok("create service nodeport generated --tcp=80:8080 --node-port=30123");
    assert_eq!(row(&kubectl.ok("get svc"), "generated")[4], "80:30123/TCP");
    kubectl.ok("create service externalname away --external-name=away.example.com");
    assert_eq!(row(&kubectl.ok("get svc"), "away")[3], "away.example.com");
    kubectl.ok("create namespace fresh");
    kubectl.ok("create deployment shown --image=shown:1 --replicas=2 --port=8080 -n fresh");
    kubectl.ok("rollout status deployment/shown -n fresh --timeout=60s");
    kubectl.ok("expose deployment shown -n fresh --port=80 --target-port=8080");
    let ready = "get endpointslices -n fresh -l kubernetes.io/service-name=shown -o jsonpath={.items[*].endpoints[*].conditions.ready}";
    kubectl.until(ready, "true true");
    kubectl.ok("scale deployment shown -n fresh --replicas=0");
    kubectl.ok("wait --for=delete pod -l app=shown -n fresh --timeout=60s");
}

#[test]
#[ignore = "needs kubectl"]
fn watching() {
    let kubectl = DemoKubectl::start();
    use std::io::{BufRead, BufReader};
    let mut child = kubectl
        .command("get svc cache -w -o jsonpath={.spec.type}{\"\\n\"}")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "ClusterIP");
    kubectl.ok(r#"patch svc cache -p {"spec":{"type":"NodePort"}}"#);
    assert_eq!(lines.next().unwrap().unwrap(), "NodePort");
    child.kill().unwrap();
    child.wait().unwrap();
}

/// `kubectl port-forward` and where it listens; it ends with this.
struct KubectlPortForward {
    child: std::process::Child,
    local: std::net::SocketAddr,
    // Kept open, so that kubectl can go on printing.
    _lines: std::io::Lines<std::io::BufReader<std::process::ChildStdout>>,
}

impl KubectlPortForward {
    fn start(kubectl: &DemoKubectl, target: &str, websockets: bool) -> Self {
        use std::io::{BufRead, BufReader};
        let mut child = kubectl
            .command(&format!("port-forward {target}"))
            .env("KUBECTL_PORT_FORWARD_WEBSOCKETS", websockets.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Forwarding from 127.0.0.1:40123 -> 8080
        let first = lines.next().unwrap().unwrap();
        let local = first.split(' ').nth(2).unwrap().parse().unwrap();
        Self {
            child,
            local,
            _lines: lines,
        }
    }

    /// Sends all, closes this half, and reads to the end.
    fn ask(&self, request: &[u8]) -> Vec<u8> {
        use std::io::{Read, Write};
        let stream = std::net::TcpStream::connect(self.local).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                (&stream).write_all(request).unwrap();
                stream.shutdown(std::net::Shutdown::Write).unwrap();
            });
            let mut answer = Vec::new();
            (&stream).read_to_end(&mut answer).unwrap();
            answer
        })
    }
}

impl Drop for KubectlPortForward {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
#[ignore = "needs kubectl"]
fn forwarding() {
    let kubectl = DemoKubectl::start();
    for websockets in [true, false] {
        let forward = KubectlPortForward::start(&kubectl, "svc/web 0:80", websockets);
        let request = b"GET /bytes?n=3000000 HTTP/1.1\r\nhost: web\r\nconnection: close\r\n\r\n";
        std::thread::scope(|scope| {
            let answers = [(); 5].map(|()| scope.spawn(|| forward.ask(request)));
            for answer in answers {
                let answer = answer.join().unwrap();
                assert!(answer.starts_with(b"HTTP/1.1 200"));
                let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
                let body = &answer[end.unwrap() + 4..];
                assert_eq!(body.len(), 3_000_000);
                let intact = body.iter().enumerate();
                assert!(
                    intact
                        .into_iter()
                        .all(|(place, byte)| place % 251 == usize::from(*byte))
                );
            }
        });
        let echo = KubectlPortForward::start(&kubectl, "svc/echo -n infra 0:9000", websockets);
        let sent = (0..1_000_000_u32)
            .map(|place| place.to_le_bytes()[0])
            .collect::<Vec<_>>();
        assert!(
            echo.ask(&sent) == sent,
            "the echo after half-close is whole"
        );
    }
}
