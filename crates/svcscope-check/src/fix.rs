//! The change of a Service that would mend what was found.

use serde::Serialize;

use svcscope_model::inventory::{Protocol, SharedStr, TargetPort};
use svcscope_model::topology::PortId;

/// A change that the editor can plan. Nobody is sure that it is what was meant: the user looks at
/// the plan first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SuggestedFix {
    /// Lead a port elsewhere in the pods.
    TargetPort {
        /// The port.
        port: PortId,
        /// Where it should lead.
        to: TargetPort,
    },
    /// Have a port speak another protocol.
    Protocol {
        /// The port.
        port: PortId,
        /// The protocol that the pods declare.
        to: Protocol,
    },
    /// Ask another nodePort.
    NodePort {
        /// The port.
        port: PortId,
        /// The nodePort; none has the API server choose one.
        to: Option<u16>,
    },
    /// Ask another pair in the selector.
    Selector {
        /// The key whose pair goes.
        remove: SharedStr,
        /// The key of the pair that takes its place.
        key: SharedStr,
        /// Its value.
        value: SharedStr,
    },
}
