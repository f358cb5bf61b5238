//! The way into pods while there is no cluster: none.

use futures::{FutureExt as _, future::BoxFuture};

use kube_tunnel::PodStream;
use svcscope_model::inventory::{ObjectKey, SharedStr};
use svcscope_net::forward::{DialError, DialErrorKind, Dialer};

/// Refuses every connection until a cluster's own dialer takes its place.
pub(super) struct OfflineDialer;

impl Dialer for OfflineDialer {
    fn dial<'a>(
        &'a self,
        pod: &'a ObjectKey,
        _port: u16,
    ) -> BoxFuture<'a, Result<Box<dyn PodStream>, DialError>> {
        let error = DialError {
            kind: DialErrorKind::Unreachable,
            message: SharedStr::from(format!("pod {pod}: not connected to a cluster")),
        };
        futures::future::ready(Err(error)).boxed()
    }
}
