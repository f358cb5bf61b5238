//! A program that forwards, watched from outside.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::Mutex,
    time::Duration,
};

use crate::cluster::Cluster;

/// Clock ticks a second in /proc, fixed by the kernel's interface.
const TICKS_PER_SECOND: u64 = 100;

/// One of the two.
pub struct Side {
    pub name: &'static str,
    pub http: SocketAddr,
    pub up: SocketAddr,
    ports: Vec<SocketAddr>,
    command: Mutex<Command>,
    child: Mutex<Child>,
}

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
        let program = std::env::var_os("SVCSCOPE_BENCH_PROGRAM");
        let mut command =
            Command::new(program.unwrap_or_else(|| env!("CARGO_BIN_EXE_svcscope").into()));
        command.arg("forward").args(flags);
        Self::start("svcscope", command, cluster, target, ports)
    }

    pub fn kubectl(cluster: &Cluster, target: &str, ports: &[u16]) -> Self {
        let mut command = Command::new("kubectl");
        command.arg("port-forward");
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
            .arg("--kubeconfig")
            .arg(&cluster.kubeconfig)
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let ports: Vec<SocketAddr> = ports
            .iter()
            .map(|(local, _)| SocketAddr::from(([127, 0, 0, 1], *local)))
            .collect();
        let child = listening(&mut command, ports.len());
        Self {
            name,
            http: ports[0],
            up: ports[ports.len() - 1],
            ports,
            command: Mutex::new(command),
            child: Mutex::new(child),
        }
    }

    /// The local ends of all forwards.
    pub fn ports(&self) -> &[SocketAddr] {
        &self.ports
    }

    /// Starts it again if it has ended, as a person would.
    pub fn revive(&self) {
        let mut child = self.child.lock().unwrap();
        if let Ok(Some(_ended)) = child.try_wait() {
            *child = listening(&mut self.command.lock().unwrap(), self.ports.len());
        }
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
fn listening(command: &mut Command, ports: usize) -> Child {
    let mut child = command.spawn().expect("the program starts");
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
