//! Ending in order where a signal asks for it, so that no probe pod is left behind.

use std::{io, thread, time::Duration};

use tokio::time::timeout;

/// How `kill` and a shell call a signal that ends a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TerminationSignal {
    pub(super) name: &'static str,
    pub(super) number: u8,
}

/// So long the process may take to end in order; removing a probe pod takes 3 s at most.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);

/// Calls `first` when a signal asks this process to end. A second signal ends it at once.
pub(super) fn on_termination_signal(
    first: impl FnOnce(TerminationSignal) + Send + 'static,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut signals = {
        let _on_runtime = runtime.enter();
        TerminationSignals::listen()?
    };
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            if let Some(signal) = runtime.block_on(signals.next()) {
                first(signal);
                runtime.block_on(async { timeout(SHUTDOWN_GRACE, signals.next()).await.ok() });
                end_at_once();
            }
        })
        .map(drop)
}

/// The signals that ask a process to end, but a SIGHUP that its parent has it ignore: a job that
/// `nohup` started outlives its terminal. SIGINT, which a shell has its jobs in the background
/// ignore, counts all the same, as it does for kubectl, which calls Go's `signal.Notify` for it.
#[cfg(unix)]
pub(super) struct TerminationSignals(Vec<(TerminationSignal, tokio::signal::unix::Signal)>);

#[cfg(unix)]
impl TerminationSignals {
    /// From now on they don't end the process by themselves. Must be called on a runtime.
    pub(super) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let ignored =
            ignored_signals(&std::fs::read_to_string("/proc/self/status").unwrap_or_default());
        let mut signals = Vec::new();
        for (name, kind) in [
            ("HUP", SignalKind::hangup()),
            ("INT", SignalKind::interrupt()),
            ("TERM", SignalKind::terminate()),
        ] {
            let number = u8::try_from(kind.as_raw_value()).unwrap_or_default();
            let is_ignored = name == "HUP" && ignored & 1 == 1;
            if number > 0 && !is_ignored {
                signals.push((TerminationSignal { name, number }, signal(kind)?));
            }
        }
        Ok(Self(signals))
    }

    /// The next one. Safe to drop and call again.
    pub(super) async fn next(&mut self) -> Option<TerminationSignal> {
        if self.0.is_empty() {
            return None;
        }
        let all = self.0.iter_mut().map(|(known, signal)| {
            Box::pin(async move {
                signal.recv().await;
                *known
            })
        });
        Some(futures::future::select_all(all).await.0)
    }
}

/// The mask of ignored signals, as Linux tells it (proc(5), `SigIgn`).
#[cfg(unix)]
fn ignored_signals(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or_default()
}

/// Windows knows Ctrl+C alone.
#[cfg(not(unix))]
pub(super) struct EndSignals;

#[cfg(not(unix))]
impl TerminationSignals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    pub(super) async fn next(&mut self) -> Option<TerminationSignal> {
        tokio::signal::ctrl_c().await.ok()?;
        Some(TerminationSignal {
            name: "INT",
            number: 2,
        })
    }
}

/// Without a message: a user who sends a second signal does not want to wait.
#[cfg(unix)]
fn end_at_once() {
    use rustix::process::{Signal, getpid, kill_process};
    if let Err(error) = kill_process(getpid(), Signal::KILL) {
        tracing::error!("could not end: {error}");
    }
}

#[cfg(not(unix))]
fn end_at_once() {
    std::process::abort();
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_that_is_ignored_is_known() {
        assert_eq!(ignored_signals("Name:\tx\nSigIgn:\t0000000000000001\n"), 1);
        assert_eq!(ignored_signals("SigIgn:\t0000000000001002\n") & 1, 0);
        assert_eq!(ignored_signals(""), 0);
    }
}
