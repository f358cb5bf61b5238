//! Notices that the machine slept or is on another network, while that matters.
//!
//! A sleeping machine's steady clock stands still and its wall clock does not; where the steady
//! clock goes on (Windows), a look comes much later than it was meant to. Another network shows in
//! the address from which the API server would be asked. Neither needs anything of the system that
//! is not everywhere, and looking sends nothing.

use std::{
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use jiff::Timestamp;

use svcscope_net::forward::is_out_of_files;

/// How often there is a look, while forwards are up.
pub(super) const SUSPEND_CHECK_INTERVAL: Duration = Duration::from_secs(10);

/// Clocks are corrected by less than this while nothing is wrong.
const CLOCK_JUMP: Duration = Duration::from_secs(5);

/// What was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SuspendEvent {
    /// So much time has passed in which nothing was done.
    Suspended(Duration),
    /// The way to the server begins elsewhere, or nowhere.
    NetworkChanged,
}

/// How it was at the last look.
#[derive(Clone, Debug)]
pub(super) struct SuspendDetector {
    /// Where the way begins that is watched.
    server: Option<SocketAddr>,
    wall_clock: Timestamp,
    monotonic_clock: Instant,
    local_address: Option<IpAddr>,
}

impl SuspendDetector {
    /// Begins to look out for the way to a server, `https://10.0.0.1:6443`.
    pub(super) fn start(server: &str) -> Self {
        let server = address_of(server);
        Self {
            wall_clock: Timestamp::now(),
            monotonic_clock: Instant::now(),
            local_address: local_address_towards(server).unwrap_or_default(),
            server,
        }
    }

    /// What has happened since the last look.
    pub(super) fn check(&mut self) -> Option<SuspendEvent> {
        // Without a descriptor it can't be asked.
        let from = local_address_towards(self.server).unwrap_or(self.local_address);
        self.compare(Timestamp::now(), Instant::now(), from)
    }

    fn compare(
        &mut self,
        wall: Timestamp,
        steady: Instant,
        from: Option<IpAddr>,
    ) -> Option<SuspendEvent> {
        let counted = steady.saturating_duration_since(self.monotonic_clock);
        let passed = Duration::try_from(wall.duration_since(self.wall_clock)).unwrap_or_default();
        let moved = from != self.local_address;
        (self.wall_clock, self.monotonic_clock, self.local_address) = (wall, steady, from);
        let missed = passed.saturating_sub(counted);
        let late = counted.saturating_sub(SUSPEND_CHECK_INTERVAL * 2);
        if missed.max(late) > CLOCK_JUMP {
            Some(SuspendEvent::Suspended(missed.max(late)))
        } else {
            moved.then_some(SuspendEvent::NetworkChanged)
        }
    }
}

impl SuspendEvent {
    /// In words that complete "checking the connection: …".
    pub(super) fn description(self) -> String {
        match self {
            Self::Suspended(time) => {
                let (number, unit) = match time.as_secs() {
                    secs @ 0..120 => (secs, "s"),
                    secs @ 120..7_200 => (secs / 60, "min"),
                    secs => (secs / 3_600, "h"),
                };
                format!("the computer slept for {number} {unit}")
            }
            Self::NetworkChanged => "the network is another one".to_owned(),
        }
    }
}

/// The address of a server that is given by number.
fn address_of(server: &str) -> Option<SocketAddr> {
    let (_, rest) = server.split_once("://")?;
    let authority = rest.split('/').next()?;
    authority
        .parse()
        .ok()
        .or_else(|| Some(SocketAddr::new(authority.parse().ok()?, 443)))
}

/// The address of this machine from which a server would be asked; that of one which is given by
/// name is taken for the one that leads to the world. No packet is sent.
fn local_address_towards(server: Option<SocketAddr>) -> io::Result<Option<IpAddr>> {
    // TEST-NET-1 is nobody's, and so is the documentation prefix.
    let world = [
        SocketAddr::from(([192, 0, 2, 1], 443)),
        SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 443)),
    ];
    let ask = |to: SocketAddr| -> io::Result<IpAddr> {
        let any: SocketAddr = if to.is_ipv4() {
            ([0; 4], 0).into()
        } else {
            ([0_u16; 8], 0).into()
        };
        let socket = UdpSocket::bind(any)?;
        socket.connect(to)?;
        Ok(socket.local_addr()?.ip())
    };
    for to in server.map_or_else(|| world.to_vec(), |server| vec![server]) {
        match ask(to) {
            Ok(from) => return Ok(Some(from)),
            Err(error) if is_out_of_files(&error) => return Err(error),
            Err(_no_way) => {}
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    const HERE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 1, 7)));

    fn vigil() -> SuspendDetector {
        SuspendDetector {
            server: None,
            wall_clock: Timestamp::UNIX_EPOCH,
            monotonic_clock: Instant::now(),
            local_address: HERE,
        }
    }

    fn after(vigil: &mut SuspendDetector, wall: i64, steady: u64) -> Option<SuspendEvent> {
        let wall = vigil.wall_clock + SignedDuration::from_secs(wall);
        let steady = vigil.monotonic_clock + Duration::from_secs(steady);
        vigil.compare(wall, steady, vigil.local_address)
    }

    #[test]
    fn a_sleep_shows_in_either_clock_and_is_noticed_once() {
        let mut vigil = vigil();
        assert_eq!(after(&mut vigil, 10, 10), None);
        let slept = SuspendEvent::Suspended(Duration::from_secs(590));
        assert_eq!(after(&mut vigil, 600, 10), Some(slept));
        assert_eq!(after(&mut vigil, 10, 10), None);
        let slept = SuspendEvent::Suspended(Duration::from_secs(580));
        assert_eq!(after(&mut vigil, 600, 600), Some(slept));
        assert_eq!(after(&mut vigil, 10, 10), None);
    }

    #[test]
    fn corrected_clocks_and_busy_machines_are_no_sleep() {
        let mut vigil = vigil();
        assert_eq!(after(&mut vigil, 13, 10), None);
        assert_eq!(after(&mut vigil, -3_600, 10), None, "set back");
        assert_eq!(after(&mut vigil, 20, 20), None, "late");
    }

    #[test]
    fn another_network_is_noticed_coming_and_going() {
        let mut vigil = vigil();
        let (wall, steady) = (vigil.wall_clock, vigil.monotonic_clock);
        assert_eq!(vigil.compare(wall, steady, HERE), None);
        assert_eq!(
            vigil.compare(wall, steady, None),
            Some(SuspendEvent::NetworkChanged)
        );
        assert_eq!(vigil.compare(wall, steady, None), None);
        let elsewhere = Some(IpAddr::from([10, 0, 0, 9]));
        assert_eq!(
            vigil.compare(wall, steady, elsewhere),
            Some(SuspendEvent::NetworkChanged)
        );
    }

    #[test]
    fn the_way_to_this_machine_begins_here() {
        let server = address_of("https://127.0.0.1:6443/prefix");
        assert_eq!(server, "127.0.0.1:6443".parse().ok());
        assert_eq!(
            local_address_towards(server).unwrap(),
            Some(IpAddr::from([127, 0, 0, 1]))
        );
        assert_eq!(address_of("https://[::1]:1"), "[::1]:1".parse().ok());
        assert_eq!(address_of("https://10.0.0.1"), "10.0.0.1:443".parse().ok());
        assert_eq!(address_of("https://eks.example.com"), None);
        let mut vigil = SuspendDetector::start("https://127.0.0.1:6443");
        assert_eq!(vigil.check(), None);
    }

    #[test]
    fn a_sleep_is_told_in_words() {
        let slept = |secs| SuspendEvent::Suspended(Duration::from_secs(secs)).description();
        assert_eq!(slept(90), "the computer slept for 90 s");
        assert_eq!(slept(725), "the computer slept for 12 min");
        assert_eq!(slept(30_000), "the computer slept for 8 h");
    }
}
