//! Which process holds a local port, where the system tells.

use std::fmt;

/// A process that listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    name: String,
    pid: u32,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (pid {})", self.name, self.pid)
    }
}

/// The process that listens at a TCP port of this machine, as far as `/proc` shows it: processes
/// of other people keep their sockets to themselves.
#[cfg(target_os = "linux")]
pub(crate) fn of_port(port: u16) -> Option<Holder> {
    use std::fs;

    let sockets: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .into_iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| listening_inodes(&table, port))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    if sockets.is_empty() {
        return None;
    }
    fs::read_dir("/proc")
        .ok()?
        .filter_map(Result::ok)
        .find_map(|process| {
            let pid = process.file_name().to_str()?.parse().ok()?;
            fs::read_dir(process.path().join("fd"))
                .ok()?
                .filter_map(Result::ok)
                .filter_map(|fd| fs::read_link(fd.path()).ok())
                .any(|link| {
                    link.to_str()
                        .is_some_and(|l| sockets.iter().any(|s| s == l))
                })
                .then_some(())?;
            let name = fs::read_to_string(process.path().join("comm")).ok()?;
            Some(Holder {
                name: name.trim().to_owned(),
                pid,
            })
        })
}

/// Other systems need their own tools for it.
#[cfg(not(target_os = "linux"))]
pub(crate) fn of_port(_port: u16) -> Option<Holder> {
    None
}

/// The inodes of listening sockets of a port, from a table in the format of `/proc/net/tcp`
/// (proc(5)): `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …`.
#[cfg(target_os = "linux")]
fn listening_inodes(table: &str, port: u16) -> Vec<u64> {
    const LISTEN: &str = "0A";
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (_, local_port) = fields.get(1)?.rsplit_once(':')?;
            let held = u16::from_str_radix(local_port, 16).ok()? == port;
            (held && *fields.get(3)? == LISTEN).then_some(())?;
            fields.get(9)?.parse().ok()
        })
        .collect()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn reads_the_kernels_table() {
        let table = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1
   1: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4712 1
   2: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1
   3: broken
";
        assert_eq!(listening_inodes(table, 8080), [4711]);
        assert!(listening_inodes(table, 80).is_empty());
    }
}
