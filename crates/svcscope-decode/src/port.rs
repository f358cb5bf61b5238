//! Ports as objects write them.

use serde::Deserialize;

use crate::text::{JsonText, TextInterner, port_number};
use svcscope_model::inventory::{Protocol, TargetPort};

/// TCP where nothing is said.
pub fn protocol(text: &JsonText<'_>) -> Protocol {
    match text.as_str() {
        "UDP" => Protocol::Udp,
        "SCTP" => Protocol::Sctp,
        _ => Protocol::Tcp,
    }
}

/// A port by its number or its name.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum IntOrString<'json> {
    Int(i64),
    #[serde(borrow)]
    String(JsonText<'json>),
}

impl IntOrString<'_> {
    /// As the record has it; none where the number is no port.
    pub fn target_port(&self, texts: &mut TextInterner) -> Option<TargetPort> {
        match self {
            Self::Int(number) => port_number(Some(*number)).map(TargetPort::Number),
            Self::String(name) => Some(TargetPort::Name(texts.intern(name.as_str()))),
        }
    }
}
