//! A firewall in a pod's network namespace. Only where the pods' processes are this machine's, and
//! for root.

use std::{fs, process::Command};

use super::AdversarialServerNamespace;

/// Drops what comes to a pod over the network: what comes by loopback, as a forward does, goes on.
/// Says whether that was possible: the pods of another cluster run elsewhere.
pub fn drop_packets(odd: &AdversarialServerNamespace, pod: &str) -> bool {
    let uid = odd.run(&["get", "pod", pod, "-o", "jsonpath={.metadata.uid}"]);
    let Some(process) = process_of(&uid) else {
        eprintln!("skipped: no process of pod {pod} is on this machine, so no packet is dropped");
        return false;
    };
    let words = ["-I", "INPUT", "-i", "eth0", "-p", "tcp", "-j", "DROP"];
    let ran = Command::new("nsenter")
        .args(["-t", &process.to_string(), "-n", "iptables"])
        .args(words)
        .output()
        .expect("nsenter runs");
    assert!(ran.status.success(), "{ran:?}");
    true
}

/// A process in a cgroup of this pod.
fn process_of(uid: &str) -> Option<u32> {
    let escaped = uid.replace('-', "_");
    let processes = fs::read_dir("/proc").ok()?;
    processes.flatten().find_map(|entry| {
        let process = entry.file_name().to_str()?.parse().ok()?;
        let cgroup = fs::read_to_string(entry.path().join("cgroup")).ok()?;
        (cgroup.contains(uid) || cgroup.contains(&escaped)).then_some(process)
    })
}
