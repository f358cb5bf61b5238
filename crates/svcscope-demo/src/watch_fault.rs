//! Watches that bring nothing, too little or nonsense, as faulty servers and proxies answer them.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream;
use serde_json::json;
use tokio::time::sleep;

use super::api_request::ApiRequest;
use super::cluster::DemoCluster;
use super::fault_injection::WatchFault;
use super::list;
use super::response::{self as answer, ApiResponse};
use super::status::FailureStatus;
use super::store;
use super::watch;

pub(super) async fn answer(
    app: &Arc<DemoCluster>,
    call: ApiRequest,
    fault: WatchFault,
) -> Result<ApiResponse, FailureStatus> {
    let events = |lines| answer::response(200, "application/json", lines);
    Ok(match fault {
        WatchFault::EndsAtOnce => events(answer::streamed_body(stream::empty())),
        WatchFault::EmptyBody => events(answer::full_body("")),
        WatchFault::EndsAfterFirstLine => events(answer::streamed_body(
            watch::watch_lines(app, call)?.take(1),
        )),
        WatchFault::OneSecond => {
            let second = Box::pin(sleep(Duration::from_secs(1)));
            events(answer::streamed_body(
                watch::watch_lines(app, call)?.take_until(second),
            ))
        }
        WatchFault::HtmlPage => {
            let page = "<html><body>Please log in</body></html>\n";
            answer::response(200, "text/html", answer::full_body(page))
        }
        WatchFault::ListBody => list::answer(app, &call)?,
        WatchFault::NoEvents => events(answer::streamed_body(stream::pending())),
        WatchFault::NoResponse => pending().await,
        WatchFault::DropsEvents => watch::answer(app, call)?,
        WatchFault::OldRevision => {
            let line = stream::iter([bookmark("1")]);
            events(answer::streamed_body(line.chain(stream::pending())))
        }
        WatchFault::ZeroRevision => {
            let line = stream::iter([bookmark("0")]);
            events(answer::streamed_body(
                line.chain(watch::watch_lines(app, call)?),
            ))
        }
    })
}

fn bookmark(version: &str) -> Bytes {
    let object = json!({"metadata": {"resourceVersion": version}});
    store::format_watch_line("BOOKMARK", object.to_string().as_bytes())
}
