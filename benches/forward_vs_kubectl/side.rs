//! A program that forwards, watched from outside.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use crate::{asked::Asked, cluster::Cluster};

/// Clock ticks a second in /proc, fixed by the kernel's interface.
const TICKS_PER_SECOND: u64 = 100;

/// How much later than the client's end of a connection its end may be told.
const A_MOMENT: Duration = Duration::from_secs(1);

/// One of the two.
pub struct Side {
    pub name: &'static str,
    pub http: SocketAddr,
    pub up: SocketAddr,
    ports: Vec<SocketAddr>,
    command: Mutex<Command>,
    child: Mutex<Child>,
    said: Said,
}

/// Lines of stderr, and when they came.
type Said = Arc<Mutex<Vec<(Instant, String)>>>;

impl Side {
    /// Both, on ports of a pod or of a Service.
    pub fn both(cluster: &Cluster, target: &str, ports: &[u16]) -> [Self; 2] {
        [
            Self::svcscope(cluster, target, ports, &[]),
            Self::kubectl(cluster, target, ports),
        ]
    }

    /// `SVCSCOPE_BENCH_PROGRAM` names another build than the one that this was built with.
    pub fn svcscope(cluster: &Cluster, target: &str, ports: &[u16], flags: &[&str]) -> Self {
        let mut command = Self::command(flags);
        command.arg("--kubeconfig").arg(&cluster.kubeconfig);
        Self::start("svcscope", command, cluster, target, ports)
    }

    /// As [`Self::svcscope`], which says of each connection that failed where it led.
    pub fn talking(cluster: &Cluster, target: &str, ports: &[u16], flags: &[&str]) -> Self {
        let mut command = Self::command(flags);
        command
            .env("RUST_LOG", "svcscope_net::forward=debug")
            .env("NO_COLOR", "1")
            .stderr(Stdio::piped())
            .arg("--kubeconfig")
            .arg(&cluster.kubeconfig);
        Self::start("svcscope", command, cluster, target, ports)
    }

    /// svcscope with another kubeconfig, which says how its forward stands.
    pub fn through(kubeconfig: &Path, cluster: &Cluster, target: &str) -> Self {
        let mut command = Self::command(&[]);
        command
            .stderr(Stdio::piped())
            .arg("--kubeconfig")
            .arg(kubeconfig);
        Self::start("svcscope", command, cluster, target, &[cluster.http_port])
    }

    /// What it said on stderr.
    pub fn words(&self) -> Vec<(Instant, String)> {
        self.said.lock().unwrap().clone()
    }

    fn command(flags: &[&str]) -> Command {
        let program = std::env::var_os("SVCSCOPE_BENCH_PROGRAM");
        let mut command =
            Command::new(program.unwrap_or_else(|| env!("CARGO_BIN_EXE_svcscope").into()));
        command.arg("forward").args(flags).stderr(Stdio::null());
        command
    }

    pub fn kubectl(cluster: &Cluster, target: &str, ports: &[u16]) -> Self {
        let mut command = Command::new("kubectl");
        command
            .arg("port-forward")
            .stderr(Stdio::null())
            .arg("--kubeconfig")
            .arg(&cluster.kubeconfig);
        Self::start("kubectl", command, cluster, target, ports)
    }

    fn start(
        name: &'static str,
        mut command: Command,
        cluster: &Cluster,
        target: &str,
        remotes: &[u16],
    ) -> Self {
        // The same local ports after a revival.
        let ports: Vec<(u16, u16)> = remotes.iter().map(|it| (free_port(), *it)).collect();
        command
            .args(["-n", &cluster.namespace])
            .arg(target)
            .args(
                ports
                    .iter()
                    .map(|(local, remote)| format!("{local}:{remote}")),
            )
            .stdout(Stdio::piped());
        let ports: Vec<SocketAddr> = ports
            .iter()
            .map(|(local, _)| SocketAddr::from(([127, 0, 0, 1], *local)))
            .collect();
        let said = Said::default();
        let child = listening(&mut command, ports.len(), &said);
        Self {
            name,
            http: ports[0],
            up: ports[ports.len() - 1],
            ports,
            command: Mutex::new(command),
            child: Mutex::new(child),
            said,
        }
    }

    /// The local ends of all forwards.
    pub fn ports(&self) -> &[SocketAddr] {
        &self.ports
    }

    /// Starts it again if it has ended, as the user would.
    pub fn revive(&self) {
        let mut child = self.child.lock().unwrap();
        if let Ok(Some(_ended)) = child.try_wait() {
            *child = listening(
                &mut self.command.lock().unwrap(),
                self.ports.len(),
                &self.said,
            );
        }
    }

    /// What it said of a client's connection while a request was under way, or a moment later. A
    /// client's port may be another's before and after.
    pub fn said_of(&self, client: SocketAddr, asked: &Asked) -> Option<String> {
        let name = format!(" client={client} ");
        let said = self.said.lock().unwrap();
        let while_asked = said
            .iter()
            .filter(|(at, _)| *at >= asked.started && *at <= asked.ended + A_MOMENT);
        let mut found = while_asked.filter(|(_, line)| line.contains(&name));
        found.next().map(|(_, line)| line.clone())
    }

    /// The CPU time that the process has used.
    pub fn cpu(&self) -> Duration {
        let id = self.child.lock().unwrap().id();
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // After the name, which may hold spaces: the state is field 3, utime and stime 14 and 15.
        let fields = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        let ticks: u64 = fields
            .split(' ')
            .skip(11)
            .take(2)
            .filter_map(|ticks| ticks.parse::<u64>().ok())
            .sum();
        Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
    }

    /// Open descriptors, and KiB of memory.
    pub fn holdings(&self) -> (usize, u64) {
        let id = self.child.lock().unwrap().id();
        let open = fs::read_dir(format!("/proc/{id}/fd")).map_or(0, Iterator::count);
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let resident = status.lines().find_map(|line| {
            line.strip_prefix("VmRSS:")?
                .split_whitespace()
                .next()?
                .parse()
                .ok()
        });
        (open, resident.unwrap_or_default())
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        let mut child = self.child.lock().unwrap();
        child.kill().ok();
        child.wait().ok();
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// Starts it, and waits until all ports are forwarded.
fn listening(command: &mut Command, ports: usize, said: &Said) -> Child {
    let mut child = command.spawn().expect("the program starts");
    if let Some(stderr) = child.stderr.take() {
        let said = said.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                said.lock().unwrap().push((Instant::now(), line));
            }
        });
    }
    let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
    let mut forwarded = 0;
    while forwarded < ports {
        let line = lines.next().expect("a line").expect("text");
        forwarded += usize::from(line.starts_with("Forwarding from 127.0.0.1:"));
    }
    // Each connection prints a line, which somebody must read.
    std::thread::spawn(move || lines.for_each(drop));
    child
}
