//! A temporary forward as a door.

use std::{net::SocketAddr, sync::Arc};

use super::{
    DialFailure,
    dial_recorder::{DialRecord, DialRecorder},
};
use crate::{
    forward::{
        DialErrorKind, ForwardId, ForwardSpec, ForwardState, ForwardStatus, ForwardTarget,
        Forwards, RemotePort, SpreadPolicy,
    },
    probe::{
        AccessPath, AccessPaths, CurlError, CurlRequest,
        http::PhaseTimestamps,
        target_lookup::{self, no_target},
    },
};
use svcscope_model::inventory::{Inventory, ObjectKey, SharedStr};

/// The temporary forward is the only one of its manager.
const ONLY: ForwardId = ForwardId(0);

/// A forward that lives as long as the door.
pub(in crate::probe) struct TemporaryForward {
    forwards: Forwards,
    initial_status: ForwardStatus,
    /// Where it listens.
    pub(super) local: SocketAddr,
    dial_record: Arc<DialRecord>,
}

impl TemporaryForward {
    pub(super) async fn open(
        request: &CurlRequest,
        ways: &AccessPaths,
        spread: SpreadPolicy,
    ) -> Result<Self, CurlError> {
        let (target, port) = match &request.access_path {
            AccessPath::ForwardPod(pod) => to_pod(request, pod, &ways.inventory.borrow())?,
            _ => (request.target.clone(), request.port.clone()),
        };
        let watch = Arc::new(DialRecord::default());
        let dialer = Arc::new(DialRecorder::new(ways.dialer.clone(), watch.clone()));
        let forwards = Forwards::new(ways.inventory.clone(), dialer, Arc::new(|| {}));
        let spec = ForwardSpec {
            spread,
            ..ForwardSpec::new(target, port)
        };
        let begun = forwards.start(ONLY, spec).await;
        let local = match (&begun.state, begun.local) {
            (ForwardState::Failed { reason } | ForwardState::Waiting { reason, .. }, _) => {
                return Err(no_target(&**reason));
            }
            (_, Some(local)) => local,
            (_, None) => {
                return Err(no_target("the temporary forward has no local address"));
            }
        };
        Ok(Self {
            forwards,
            initial_status: begun,
            local,
            dial_record: watch,
        })
    }

    pub(super) fn start_recording(&self, marks: &Arc<PhaseTimestamps>) {
        self.dial_record.begin(marks.clone());
    }

    fn status(&self) -> ForwardStatus {
        self.forwards
            .status(ONLY)
            .unwrap_or_else(|| self.initial_status.clone())
    }

    pub(super) fn pod(&self) -> Option<ObjectKey> {
        self.status().pod
    }

    pub(super) fn description(&self) -> SharedStr {
        let status = self.status();
        match (&status.pod, status.pod_port) {
            (Some(pod), Some(port)) => {
                format!("port-forward to pod {} port {port}", pod.name).into()
            }
            _ => SharedStr::from("port-forward"),
        }
    }

    pub(super) fn dial_failure(&self) -> Option<DialFailure> {
        let kind = self.dial_record.failure();
        let message = self.status().last_error?;
        Some(DialFailure {
            kind: kind.unwrap_or(DialErrorKind::Other),
            message,
        })
    }
}

/// The pod's own port behind a port of the Service.
pub(super) fn to_pod(
    request: &CurlRequest,
    pod: &SharedStr,
    inventory: &Inventory,
) -> Result<(ForwardTarget, RemotePort), CurlError> {
    let key = ObjectKey::new(request.target.key().namespace.clone(), pod.clone());
    if !matches!(request.target, ForwardTarget::Service(_)) {
        return Ok((ForwardTarget::Pod(key), request.port.clone()));
    }
    let port = target_lookup::port(request, target_lookup::service(request, inventory)?)?;
    let number = target_lookup::port_of_pod(&port, target_lookup::pod(request, pod, inventory)?)?;
    Ok((ForwardTarget::Pod(key), RemotePort::Number(number)))
}
