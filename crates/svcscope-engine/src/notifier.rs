//! Notices outside the window.

use std::fmt::Debug;

/// Whoever shows a notice on the desktop. May block: it is called where that holds nobody up.
pub trait Notifier: Debug + Send + Sync {
    /// Shows a notice, or says why that can't be.
    fn show(&self, title: &str, body: &str) -> Result<(), String>;
}

/// The desktop's own notices: over D-Bus on Linux, else by the system.
#[derive(Clone, Copy, Debug, Default)]
pub struct DesktopNotifier;

impl Notifier for DesktopNotifier {
    fn show(&self, title: &str, body: &str) -> Result<(), String> {
        notify_rust::Notification::new()
            .appname("svcscope")
            .summary(title)
            .body(body)
            .show()
            .map(drop)
            .map_err(|error| {
                format!(
                    "could not show a notice on the desktop: {error}; the list of activities has \
                     it all the same"
                )
            })
    }
}
