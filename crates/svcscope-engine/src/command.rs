//! What the user can ask of the engine.

use std::path::PathBuf;

use super::{MapView, PathTestId, PathTestRequest, SettingsChange};
use crate::settings::{ProtectionChange, SavedForward};
use svcscope_edit::{ExposeOptions, RequestedChange};
use svcscope_model::{
    inventory::{ObjectKey, SharedStr},
    layout::MapPoint,
};
use svcscope_net::{
    forward::{ForwardId, ForwardSpec},
    probe::{BodySink, CurlRequest, RequestId},
};

/// Names an edit as long as the engine lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EditId(pub u64);

/// One request. The asker chooses the ids, from [`super::Handle::next_id`], so that it can find the
/// result in a later scene.
#[derive(Clone, Debug, PartialEq)]
pub enum EngineCommand {
    /// Leave the cluster and connect to this context of the kubeconfig (none: the current one).
    Connect(Option<SharedStr>),
    /// Try again now: rebuild the client and all watches.
    Reconnect,
    /// Give up on the login that is under way.
    CancelLogin,
    /// Watch only these namespaces; none of them means all.
    SetNamespaces(Vec<SharedStr>),
    /// Show this on the map, like this.
    SetMapView(MapView),
    /// The map has this shape on screen, width by height: what is laid out afresh from now on is
    /// made for it.
    SetMapAspectRatio(f32),
    /// Lay everything out afresh, without what was put somewhere by hand.
    ResetLayout {
        /// Width by height of the map on screen.
        aspect: f32,
    },
    /// Take back the last [`Self::ResetLayout`]: what was put somewhere by hand stands there again.
    UndoResetLayout,
    /// Put a Service with its family here, from the corner of its district; none puts it back.
    PinService(ObjectKey, Option<MapPoint>),
    /// Load what the inspector shows beyond the records (the YAML) and keep it current; none
    /// stops that.
    InspectService(Option<ObjectKey>),
    /// Read this Service where they may not be listed; see [`super::Scene::looked_up`].
    LookUpService(ObjectKey),
    /// Start a forward. One that has the same id is stopped first, and this takes its place.
    StartForward(ForwardId, ForwardSpec),
    /// Stop a forward; it stays in the list as stopped.
    StopForward(ForwardId),
    /// Stop a forward, if it runs, and take it from the list.
    RemoveForward(ForwardId),
    /// Keep a forward for the next start.
    SaveForward {
        /// The running one that it was made of, which bears its name from now on.
        running: Option<ForwardId>,
        /// What it was called before.
        previous_name: Option<SharedStr>,
        /// The forward.
        forward: Box<SavedForward>,
    },
    /// Keep the forward of this name no longer. It goes on if it runs.
    ForgetForward(SharedStr),
    /// Start those of these saved forwards that are not up.
    StartSavedForwards(Vec<SharedStr>),
    /// Write the saved forwards of the context to a new file.
    ExportForwards(PathBuf),
    /// Read such a file and show what it holds, as [`super::Scene::import_offer`].
    PreviewForwardImport(PathBuf),
    /// Save the forwards that such a file holds, beside those that are saved: as they were offered,
    /// where they were.
    ImportForwards(PathBuf),
    /// Send a request. A tap takes the whole body; without one it is kept up to a limit.
    SendRequest(RequestId, Box<CurlRequest>, Option<BodySink>),
    /// Send a request so many times, one after another.
    RepeatRequest(RequestId, Box<CurlRequest>, u32),
    /// Write the whole body of an answer to a new file: what was kept, and the rest as it comes.
    SaveResponseBody(RequestId, PathBuf),
    /// Give up on a request.
    CancelRequest(RequestId),
    /// Test every path to a Service. It takes the place of the last test.
    StartPathTest(PathTestId, Box<PathTestRequest>),
    /// End the test of paths; what is known stays.
    StopPathTest,
    /// Test the connection step by step, also while there is none. It takes the place of the last
    /// test.
    StartConnectionTest {
        /// Whether the user agreed to a command in a container, which shows up in audit logs.
        run_command: bool,
    },
    /// End the test of the connection; what is known stays.
    StopConnectionTest,
    /// Plan a change, a creation or a deletion of a Service and try it by a dry run.
    PlanEdit(EditId, ObjectKey, RequestedChange),
    /// Plan a Service for a `Pod`, `Deployment`, `StatefulSet` or `DaemonSet`, as `kubectl expose`
    /// does, and try it by a dry run.
    PlanExpose(EditId, SharedStr, ObjectKey, ExposeOptions),
    /// Plan a Service like this one under another name and try it by a dry run.
    DuplicateService(EditId, ObjectKey, SharedStr),
    /// Plan the opposite of this entry of the journal and try it by a dry run.
    UndoEdit(EditId, u64),
    /// Apply a plan whose dry run was accepted. In a production context it is refused.
    ApplyEdit(EditId),
    /// The same, also in a production context: the user has typed this name, which must be that of
    /// the Service.
    ApplyEditByName(EditId, SharedStr),
    /// The user has allowed, in this production context and until it is left, commands in pods,
    /// probe pods and requests that could change something.
    AllowInProduction(SharedStr),
    /// Mark a context as read-only or production, or take marks away; it is remembered.
    ChangeProtection {
        /// The context.
        context: SharedStr,
        /// Its marks that change.
        change: ProtectionChange,
    },
    /// Forget a plan.
    DiscardEdit(EditId),
    /// Write the journal of all writes to a new file, as JSON.
    ExportAuditLog(PathBuf),
    /// Suppress a check, or hear of it again; it is remembered.
    SuppressRule {
        /// The identifier of the rule, or `*` for all.
        rule: SharedStr,
        /// The Service; none means everywhere, in any cluster.
        service: Option<ObjectKey>,
        /// Whether it is suppressed from now on.
        suppressed: bool,
    },
    /// Tell on the desktop when this Service breaks or heals, or don't; it is remembered.
    SetHealthAlert {
        /// The Service.
        service: ObjectKey,
        /// Whether it is told from now on.
        enabled: bool,
    },
    /// Know this at the next start.
    ChangeSettings(SettingsChange),
}
