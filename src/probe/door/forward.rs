//! A temporary forward as a door.

use std::{net::SocketAddr, sync::Arc};

use super::{
    Failure,
    watched::{Watch, Watched},
};
use crate::{
    forward::{
        DialErrorKind, ForwardId, ForwardSpec, ForwardState, ForwardStatus, ForwardTarget,
        Forwards, RemotePort, Spread,
    },
    inventory::{Inventory, ObjectKey, Text},
    probe::{
        CurlError, CurlRequest, Vantage, Ways,
        asked::{self, no_way},
        http::Marks,
    },
};

/// The temporary forward is the only one of its manager.
const ONLY: ForwardId = ForwardId(0);

/// A forward that lives as long as the door.
pub(in crate::probe) struct ForwardDoor {
    forwards: Forwards,
    begun: ForwardStatus,
    /// Where it listens.
    pub(super) local: SocketAddr,
    watch: Arc<Watch>,
}

impl ForwardDoor {
    pub(super) async fn open(
        request: &CurlRequest,
        ways: &Ways,
        spread: Spread,
    ) -> Result<Self, CurlError> {
        let (target, port) = match &request.vantage {
            Vantage::ForwardPod(pod) => to_pod(request, pod, &ways.inventory.borrow())?,
            _ => (request.target.clone(), request.port.clone()),
        };
        let watch = Arc::new(Watch::default());
        let dialer = Arc::new(Watched::new(ways.dialer.clone(), watch.clone()));
        let forwards = Forwards::new(ways.inventory.clone(), dialer, Arc::new(|| {}));
        let spec = ForwardSpec {
            spread,
            ..ForwardSpec::new(target, port)
        };
        let begun = forwards.start(ONLY, spec).await;
        let local = match (&begun.state, begun.local) {
            (ForwardState::Failed { reason } | ForwardState::Waiting { reason, .. }, _) => {
                return Err(no_way(&**reason));
            }
            (_, Some(local)) => local,
            (_, None) => {
                return Err(no_way("the temporary forward has no local address"));
            }
        };
        Ok(Self {
            forwards,
            begun,
            local,
            watch,
        })
    }

    pub(super) fn watch(&self, marks: &Arc<Marks>) {
        self.watch.begin(marks.clone());
    }

    fn status(&self) -> ForwardStatus {
        self.forwards
            .status(ONLY)
            .unwrap_or_else(|| self.begun.clone())
    }

    pub(super) fn pod(&self) -> Option<ObjectKey> {
        self.status().pod
    }

    pub(super) fn words(&self) -> Text {
        let status = self.status();
        match (&status.pod, status.pod_port) {
            (Some(pod), Some(port)) => {
                format!("port-forward to pod {} port {port}", pod.name).into()
            }
            _ => Text::from("port-forward"),
        }
    }

    pub(super) fn failure(&self) -> Option<Failure> {
        let kind = self.watch.failure();
        let message = self.status().last_error?;
        Some(Failure {
            kind: kind.unwrap_or(DialErrorKind::Other),
            message,
        })
    }
}

/// The pod's own port behind a port of the Service.
pub(super) fn to_pod(
    request: &CurlRequest,
    pod: &Text,
    inventory: &Inventory,
) -> Result<(ForwardTarget, RemotePort), CurlError> {
    let key = ObjectKey::new(request.target.key().namespace.clone(), pod.clone());
    if !matches!(request.target, ForwardTarget::Service(_)) {
        return Ok((ForwardTarget::Pod(key), request.port.clone()));
    }
    let port = asked::port(request, asked::service(request, inventory)?)?;
    let number = asked::port_of_pod(&port, asked::pod(request, pod, inventory)?)?;
    Ok((ForwardTarget::Pod(key), RemotePort::Number(number)))
}
