//! Entries of `status.conditions`.

use jiff::Timestamp;

use crate::{
    partial::partial,
    text::{JsonText, TextInterner},
};
use svcscope_model::inventory::{SharedStr, StatusCondition};

partial! {
    /// One of `status.conditions` of any object.
    pub struct PartialCondition<'json> {
        kind as "type": JsonText<'json>,
        status: JsonText<'json>,
        pub reason: JsonText<'json>,
        message: JsonText<'json>,
        last_transition_time: JsonText<'json>,
        pub last_update_time: JsonText<'json>,
    }
}

impl PartialCondition<'_> {
    /// The condition of this type.
    pub fn find<'a, 'json>(
        all: &'a [PartialCondition<'json>],
        kind: &str,
    ) -> Option<&'a PartialCondition<'json>> {
        all.iter().find(|condition| condition.kind == kind)
    }

    /// When it changed last.
    pub fn last_transition(&self) -> Option<Timestamp> {
        self.last_transition_time.timestamp()
    }

    pub fn is_true(&self) -> bool {
        self.status == "True"
    }

    /// Why it is as it is: the message, else the reason.
    pub fn message_or_reason(&self) -> Option<SharedStr> {
        self.message
            .to_non_empty()
            .or_else(|| self.reason.to_non_empty())
    }

    pub fn record(&self, texts: &mut TextInterner) -> StatusCondition {
        StatusCondition {
            kind: texts.intern(self.kind.as_str()),
            holds: match self.status.as_str() {
                "True" => Some(true),
                "False" => Some(false),
                _ => None,
            },
            reason: texts.intern(self.reason.as_str()),
            message: self.message.to_shared(),
        }
    }
}

/// All of them as records.
pub fn conditions(all: &[PartialCondition<'_>], texts: &mut TextInterner) -> Vec<StatusCondition> {
    all.iter()
        .map(|condition| condition.record(texts))
        .collect()
}
