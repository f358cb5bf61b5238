//! Watches that bring nothing, too little or nonsense, as faulty servers and proxies answer them.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream;
use serde_json::json;
use tokio::time::sleep;

use super::app::{App, Call};
use super::http::{self as answer, Answer};
use super::list;
use super::status::Status;
use super::store;
use super::watch;

/// What goes wrong with every watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchFault {
    /// Answered 200 and ended at once, without a line (kubernetes/kubernetes#104171).
    Ended,
    /// Answered 200 with `Content-Length: 0`.
    Empty,
    /// Ended after whatever is said first.
    FirstLine,
    /// Ended after a second.
    Short,
    /// A proxy's page instead of events.
    Page,
    /// A list instead of events.
    List,
    /// Answered 200, and then nothing ever comes, not even the end.
    Silent,
    /// Never answered.
    Unanswered,
    /// Events are lost; bookmarks go on.
    Lossy,
    /// A bookmark that lies far in the past.
    Backwards,
    /// A bookmark of version 0, and then all is well.
    Zero,
}

pub(super) async fn answer(
    app: &Arc<App>,
    call: Call,
    fault: WatchFault,
) -> Result<Answer, Status> {
    let events = |lines| answer::answer(200, "application/json", lines);
    Ok(match fault {
        WatchFault::Ended => events(answer::stream(stream::empty())),
        WatchFault::Empty => events(answer::full("")),
        WatchFault::FirstLine => events(answer::stream(watch::lines(app, call)?.take(1))),
        WatchFault::Short => {
            let second = Box::pin(sleep(Duration::from_secs(1)));
            events(answer::stream(watch::lines(app, call)?.take_until(second)))
        }
        WatchFault::Page => {
            let page = "<html><body>Please log in</body></html>\n";
            answer::answer(200, "text/html", answer::full(page))
        }
        WatchFault::List => list::answer(app, &call)?,
        WatchFault::Silent => events(answer::stream(stream::pending())),
        WatchFault::Unanswered => pending().await,
        WatchFault::Lossy => watch::answer(app, call)?,
        WatchFault::Backwards => {
            let line = stream::iter([bookmark("1")]);
            events(answer::stream(line.chain(stream::pending())))
        }
        WatchFault::Zero => {
            let line = stream::iter([bookmark("0")]);
            events(answer::stream(line.chain(watch::lines(app, call)?)))
        }
    })
}

fn bookmark(version: &str) -> Bytes {
    let object = json!({"metadata": {"resourceVersion": version}});
    store::line("BOOKMARK", object.to_string().as_bytes())
}
