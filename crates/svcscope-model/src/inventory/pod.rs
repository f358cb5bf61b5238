//! A pod, with the fields that say whether it takes traffic and where.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ObjectKey, Protocol, SharedStr, TargetPort};

/// `status.phase`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PodPhase {
    /// Accepted, not all containers started.
    Pending,
    /// Bound to a node, at least one container runs or restarts.
    Running,
    /// All containers ended well; never an endpoint.
    Succeeded,
    /// All containers ended, one of them badly; never an endpoint.
    Failed,
    /// The kubelet can't be asked.
    #[default]
    Unknown,
}

/// A declared port of a container.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ContainerPort {
    /// Its name, by which a targetPort may find it.
    pub name: Option<SharedStr>,
    /// TCP, UDP or SCTP; a named targetPort must match it too.
    pub protocol: Protocol,
    /// `containerPort`.
    pub port: u16,
    /// `hostPort`: a port of the node that leads here.
    pub host_port: Option<u16>,
}

/// What a probe is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ProbeKind {
    /// Whether the pod takes traffic.
    Readiness,
    /// Whether the container is started anew.
    Liveness,
    /// Whether the container has started.
    Startup,
}

impl ProbeKind {
    /// The field of a container that it stands in.
    pub fn field(self) -> &'static str {
        match self {
            Self::Readiness => "readinessProbe",
            Self::Liveness => "livenessProbe",
            Self::Startup => "startupProbe",
        }
    }
}

/// A probe of a container.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ContainerProbe {
    /// What it is for.
    pub kind: ProbeKind,
    /// The port that it asks; none where it runs a command.
    pub port: Option<TargetPort>,
}

/// A container that may serve traffic: a regular one, or an init container that restarts always
/// (a sidecar).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ContainerRecord {
    /// Its name.
    pub name: SharedStr,
    /// Whether it is an init container with `restartPolicy: Always`.
    pub sidecar: bool,
    /// Declared ports.
    pub ports: Vec<ContainerPort>,
    /// `containerStatuses[].ready`.
    pub ready: bool,
    /// `containerStatuses[].restartCount`.
    pub restarts: u32,
    /// The reason of a waiting or terminated state: `CrashLoopBackOff`, `ImagePullBackOff`.
    pub reason: Option<SharedStr>,
    /// Its probes; most containers have one or two.
    pub probes: Box<[ContainerProbe]>,
}

/// The owner of a pod that has `controller: true`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OwnerRef {
    /// `ReplicaSet`, `StatefulSet`, `DaemonSet`, `Job`, …
    pub kind: SharedStr,
    /// Its name.
    pub name: SharedStr,
}

/// A pod.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PodRecord {
    /// Namespace and name.
    pub key: ObjectKey,
    /// `metadata.uid`.
    pub uid: SharedStr,
    /// `metadata.creationTimestamp`.
    pub created: Option<Timestamp>,
    /// `metadata.deletionTimestamp`: the pod is terminating.
    pub deleting: Option<Timestamp>,
    /// `metadata.labels`.
    pub labels: BTreeMap<SharedStr, SharedStr>,
    /// The controlling owner.
    pub owner: Option<OwnerRef>,
    /// `spec.nodeName`.
    pub node: Option<SharedStr>,
    /// `status.podIPs`, the primary one first.
    pub ips: Vec<SharedStr>,
    /// `spec.hostNetwork`.
    pub host_network: bool,
    /// `status.phase`.
    pub phase: PodPhase,
    /// The `Ready` condition.
    pub ready: bool,
    /// Why the `Ready` condition is false, in the kubelet's words.
    pub not_ready_message: Option<SharedStr>,
    /// When the `Ready` condition changed last.
    pub ready_changed: Option<Timestamp>,
    /// Why the scheduler finds no node, in its words (`PodScheduled` is false).
    pub unscheduled: Option<SharedStr>,
    /// Readiness gates (`spec.readinessGates`) whose condition is not true.
    pub closed_gates: Box<[SharedStr]>,
    /// Regular containers, then sidecars.
    pub containers: Vec<ContainerRecord>,
}

impl PodRecord {
    /// A running pod with nothing in it: the base of tests.
    pub fn new(key: ObjectKey) -> Self {
        Self {
            key,
            uid: SharedStr::from(""),
            created: None,
            deleting: None,
            labels: BTreeMap::new(),
            owner: None,
            node: None,
            ips: Vec::new(),
            host_network: false,
            phase: PodPhase::Running,
            ready: false,
            not_ready_message: None,
            ready_changed: None,
            unscheduled: None,
            closed_gates: Box::default(),
            containers: Vec::new(),
        }
    }

    /// The workload that the user knows the pod by: the Deployment behind a ReplicaSet, else the
    /// controlling owner itself; none for a bare pod and for a static pod, whose owner is its node.
    ///
    /// A Deployment names its ReplicaSets `<deployment>-<hash>` and puts the hash on their pods as
    /// label `pod-template-hash`, so that no ReplicaSet has to be watched. A Job of a CronJob stays
    /// the Job.
    pub fn workload(&self) -> Option<OwnerRef> {
        let owner = self.owner.as_ref().filter(|owner| &*owner.kind != "Node")?;
        let deployment = (&*owner.kind == "ReplicaSet")
            .then(|| self.labels.get("pod-template-hash"))
            .flatten()
            .and_then(|hash| owner.name.strip_suffix(&**hash)?.strip_suffix('-'))
            .filter(|name| !name.is_empty());
        Some(match deployment {
            Some(name) => OwnerRef {
                kind: SharedStr::from("Deployment"),
                name: SharedStr::from(name),
            },
            None => owner.clone(),
        })
    }

    /// Whether the pod can ever be an endpoint again: it has not finished.
    pub fn is_active(&self) -> bool {
        !matches!(self.phase, PodPhase::Succeeded | PodPhase::Failed)
    }

    /// The most telling reason of a container that does not run: `CrashLoopBackOff`.
    pub fn trouble(&self) -> Option<&SharedStr> {
        self.containers
            .iter()
            .find_map(|container| container.reason.as_ref().filter(|_| !container.ready))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workload(kind: &str, name: &str, hash: Option<&str>) -> Option<(String, String)> {
        let mut pod = PodRecord::new(ObjectKey::new("shop", "web-7f9c-x2"));
        pod.owner = Some(OwnerRef {
            kind: SharedStr::from(kind),
            name: SharedStr::from(name),
        });
        if let Some(hash) = hash {
            pod.labels
                .insert(SharedStr::from("pod-template-hash"), SharedStr::from(hash));
        }
        pod.workload()
            .map(|owner| (owner.kind.to_string(), owner.name.to_string()))
    }

    fn named(kind: &str, name: &str) -> Option<(String, String)> {
        Some((kind.to_owned(), name.to_owned()))
    }

    #[test]
    fn a_replica_set_with_the_hash_in_its_name_is_a_deployments() {
        assert_eq!(
            workload("ReplicaSet", "web-7f9c", Some("7f9c")),
            named("Deployment", "web")
        );
    }

    #[test]
    fn other_owners_stay_what_they_are() {
        assert_eq!(
            workload("ReplicaSet", "web", None),
            named("ReplicaSet", "web")
        );
        assert_eq!(
            workload("ReplicaSet", "web-7f9c", Some("5d4b")),
            named("ReplicaSet", "web-7f9c")
        );
        assert_eq!(
            workload("ReplicaSet", "-7f9c", Some("7f9c")),
            named("ReplicaSet", "-7f9c")
        );
        assert_eq!(
            workload("StatefulSet", "db", None),
            named("StatefulSet", "db")
        );
        assert_eq!(
            workload("Job", "backup-28400", None),
            named("Job", "backup-28400")
        );
    }

    #[test]
    fn bare_and_static_pods_have_none() {
        assert_eq!(workload("Node", "node-a", None), None);
        assert_eq!(
            PodRecord::new(ObjectKey::new("shop", "one")).workload(),
            None
        );
    }
}
