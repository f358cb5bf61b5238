//! Which process holds a local port, where the system tells.

use std::fmt;

/// Who listens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(target_os = "linux"),
    expect(
        dead_code,
        reason = "other systems do not tell without tools of their own"
    )
)]
pub(crate) enum PortOwner {
    /// A process that can be looked at.
    Process {
        /// What the system calls it.
        name: String,
        /// Its number.
        pid: u32,
    },
    /// A process of somebody else, who keeps its sockets to themselves.
    OtherUser {
        /// That user's number.
        uid: u32,
    },
}

impl fmt::Display for PortOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process { name, pid } => write!(f, "{name} (pid {pid})"),
            Self::OtherUser { uid: 0 } => f.write_str("a program of the system administrator"),
            Self::OtherUser { uid } => write!(f, "a program of another user (uid {uid})"),
        }
    }
}

/// Who listens at a TCP port of this machine, as far as `/proc` shows it.
#[cfg(target_os = "linux")]
pub(crate) fn owner_of_port(port: u16) -> Option<PortOwner> {
    use std::fs;

    let found: Vec<ListeningSocket> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .into_iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| listening_sockets(&table, port))
        .collect();
    let uid = found.first()?.uid;
    let sockets: Vec<String> = found
        .iter()
        .map(|socket| format!("socket:[{}]", socket.inode))
        .collect();
    let holds = |process: &fs::DirEntry| {
        fs::read_dir(process.path().join("fd")).is_ok_and(|files| {
            files
                .filter_map(|file| fs::read_link(file.ok()?.path()).ok())
                .any(|link| {
                    link.to_str()
                        .is_some_and(|link| sockets.iter().any(|socket| socket == link))
                })
        })
    };
    let process = fs::read_dir("/proc")
        .ok()?
        .filter_map(Result::ok)
        .find_map(|process| {
            let pid = process.file_name().to_str()?.parse().ok()?;
            holds(&process).then_some(())?;
            let name = fs::read_to_string(process.path().join("comm")).ok()?;
            let name = name.trim().to_owned();
            Some(PortOwner::Process { name, pid })
        });
    process.or(Some(PortOwner::OtherUser { uid }))
}

/// Other systems need their own tools for it.
#[cfg(not(target_os = "linux"))]
pub(crate) fn of_port(_port: u16) -> Option<PortOwner> {
    None
}

/// A listening socket.
#[cfg(target_os = "linux")]
#[derive(Debug, PartialEq, Eq)]
struct ListeningSocket {
    uid: u32,
    inode: u64,
}

/// The listening sockets of a port, from a table in the format of `/proc/net/tcp` (proc(5)):
/// `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …`.
#[cfg(target_os = "linux")]
fn listening_sockets(table: &str, port: u16) -> Vec<ListeningSocket> {
    const LISTEN: &str = "0A";
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (_, local_port) = fields.get(1)?.rsplit_once(':')?;
            let held = u16::from_str_radix(local_port, 16).ok()? == port;
            (held && *fields.get(3)? == LISTEN).then_some(())?;
            Some(ListeningSocket {
                uid: fields.get(7)?.parse().ok()?,
                inode: fields.get(9)?.parse().ok()?,
            })
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
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000    33        0 4711 1
   1: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4712 1
   2: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1
   3: broken
";
        let found = ListeningSocket {
            uid: 33,
            inode: 4711,
        };
        assert_eq!(listening_sockets(table, 8080), [found]);
        assert!(listening_sockets(table, 80).is_empty());
    }
}
