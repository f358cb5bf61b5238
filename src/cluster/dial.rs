//! [`Dialer`] by the API server: a WebSocket to `pods/portforward` for each connection.

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use http::Request;
use tokio::time::timeout;

use super::{CallError, CallErrorKind, link::Link, path, pod_stream::PodStream as Forwarded};
use crate::{
    forward::{DialError, DialErrorKind, Dialer, PodStream},
    inventory::ObjectKey,
};

/// How long the upgrade may take: TLS, the API server, the kubelet.
const UPGRADE: Duration = Duration::from_secs(10);

/// How long a node is given to say that nothing listens. It says so within milliseconds, and
/// every connection that is accepted waits this long.
const REFUSAL: Duration = Duration::from_millis(10);

/// Opens port-forwards.
pub(super) struct KubeDialer {
    link: Arc<Link>,
}

impl KubeDialer {
    pub fn new(link: Arc<Link>) -> Self {
        Self { link }
    }

    async fn connect(&self, pod: &ObjectKey, port: u16) -> Result<Box<dyn PodStream>, DialError> {
        let tried = format!("forward to port {port} of pod {pod}");
        let call = |error: CallError| to_dial_error(&error);
        let session = self
            .link
            .session()
            .await
            .map_err(|error| call(error.while_trying(&tried)))?;
        let socket = match upgrade(&session.client, pod, port, &tried).await {
            Err(error) if error.kind == CallErrorKind::Unauthorized => {
                let renewed = self
                    .link
                    .renew(&session)
                    .await
                    .map_err(|error| call(error.while_trying(&tried)))?;
                upgrade(&renewed.client, pod, port, &tried).await
            }
            answered => answered,
        };
        let mut stream = Forwarded::new(socket.map_err(call)?.into_stream());
        let refused = timeout(UPGRADE, stream.refused(REFUSAL))
            .await
            .map_err(|_elapsed| call(CallError::timed_out(&tried, UPGRADE)))?
            .map_err(|error| call(CallError::from_transport(&tried, &error)))?;
        match refused {
            None => Ok(Box::new(stream)),
            Some(words) => Err(refusal(&tried, &words)),
        }
    }
}

impl Dialer for KubeDialer {
    fn dial<'a>(
        &'a self,
        pod: &'a ObjectKey,
        port: u16,
    ) -> BoxFuture<'a, Result<Box<dyn PodStream>, DialError>> {
        Box::pin(self.connect(pod, port))
    }
}

async fn upgrade(
    client: &kube::Client,
    pod: &ObjectKey,
    port: u16,
    tried: &str,
) -> Result<kube::client::Connection, CallError> {
    let object = path::object("/api/v1", &pod.namespace, "pods", &pod.name);
    let request = Request::get(format!("{object}/portforward?ports={port}"))
        .body(Vec::new())
        .map_err(|error| CallError::new(CallErrorKind::Other, tried, &error.to_string()))?;
    timeout(UPGRADE, client.connect(request))
        .await
        .map_err(|_elapsed| CallError::timed_out(tried, UPGRADE))?
        .map_err(|error| CallError::from_client(tried, &error))
}

fn to_dial_error(error: &CallError) -> DialError {
    let kind = match error.kind {
        CallErrorKind::NotFound => DialErrorKind::PodGone,
        CallErrorKind::Forbidden => DialErrorKind::Forbidden,
        CallErrorKind::Unauthorized | CallErrorKind::Credentials => DialErrorKind::Unauthorized,
        CallErrorKind::Unreachable | CallErrorKind::Untrusted => DialErrorKind::Unreachable,
        _ => DialErrorKind::Other,
    };
    DialError {
        kind,
        message: error.message.clone(),
    }
}

/// The node could not reach the port, or found no pod; it has words for it but no code.
fn refusal(tried: &str, words: &str) -> DialError {
    let gone = ["not found", "no such", "does not exist", "not running"];
    let kind = if words.contains("refused") {
        DialErrorKind::Refused
    } else if gone.iter().any(|word| words.contains(word)) {
        DialErrorKind::PodGone
    } else {
        DialErrorKind::Other
    };
    let next = match kind {
        DialErrorKind::Refused => "; nothing listens on that port in the pod",
        _ => "",
    };
    DialError {
        kind,
        message: format!("could not {tried}: {words}{next}").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nodes_words_decide_what_to_do_next() {
        let refused = refusal(
            "forward",
            "dial tcp4 127.0.0.1:81: connect: connection refused",
        );
        assert_eq!(refused.kind, DialErrorKind::Refused);
        assert!(refused.message.contains("dial tcp4 127.0.0.1:81"));
        let gone = refusal("forward", "container \"x\" not found");
        assert_eq!(gone.kind, DialErrorKind::PodGone);
        let else_ = refusal("forward", "out of file descriptors");
        assert_eq!(else_.kind, DialErrorKind::Other);
    }
}
