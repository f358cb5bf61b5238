//! What is done with pods on the user's behalf.

use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use serde_json::Value;

use super::PodError;
use svcscope_model::inventory::{ObjectKey, SharedStr};

/// A command to run in a container.
///
/// Giving up does not end it: a container runtime lets a command go on whose caller has left. So a
/// command must have a time limit of its own, as `curl --max-time`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodCommand {
    /// The pod.
    pub pod: ObjectKey,
    /// The container; none means the pod's first one.
    pub container: Option<SharedStr>,
    /// The program and its arguments. No shell reads them.
    pub argv: Vec<String>,
    /// What the command reads. Servers before 1.30 can't tell it where that ends, so it has to know
    /// by itself, as `head -c`.
    pub stdin: Option<Bytes>,
    /// After so long the caller gives up.
    pub limit: Duration,
    /// So many bytes of stdout, and of stderr, are kept.
    pub max_output: usize,
}

impl PodCommand {
    /// A command without input.
    pub fn new(pod: ObjectKey, argv: Vec<String>, limit: Duration) -> Self {
        Self {
            pod,
            container: None,
            argv,
            stdin: None,
            limit,
            max_output: 1024 * 1024,
        }
    }
}

/// What a command said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodOutput {
    /// Its exit code; none where it was left because it said more than was wanted.
    pub code: Option<i32>,
    /// What it wrote to stdout, at most as much as was wanted.
    pub stdout: Vec<u8>,
    /// What it wrote to stderr, at most as much as was wanted.
    pub stderr: Vec<u8>,
}

impl PodOutput {
    /// Whether it said more than was wanted.
    pub fn is_truncated(&self) -> bool {
        self.code.is_none()
    }
}

/// Pods, as the API server gives access to them. Dropping a future gives up.
pub trait PodAccess: Send + Sync + 'static {
    /// Runs a command and waits for its end. A program that ends with another code than 0 is no
    /// error; one that the container does not have is.
    fn run<'a>(&'a self, command: &'a PodCommand) -> BoxFuture<'a, Result<PodOutput, PodError>>;

    /// Creates a pod; what the server made of it.
    fn create<'a>(
        &'a self,
        namespace: &'a str,
        pod: &'a Value,
    ) -> BoxFuture<'a, Result<Value, PodError>>;

    /// Reads a pod whole.
    fn read<'a>(&'a self, pod: &'a ObjectKey) -> BoxFuture<'a, Result<Value, PodError>>;

    /// Deletes a pod at once, if it is still the one with this uid. One that is gone is no error.
    fn delete<'a>(
        &'a self,
        pod: &'a ObjectKey,
        uid: &'a str,
    ) -> BoxFuture<'a, Result<(), PodError>>;

    /// The pods of a namespace (none: of all) that a label selector finds.
    fn list<'a>(
        &'a self,
        namespace: Option<&'a str>,
        selector: &'a str,
    ) -> BoxFuture<'a, Result<Vec<Value>, PodError>>;
}
