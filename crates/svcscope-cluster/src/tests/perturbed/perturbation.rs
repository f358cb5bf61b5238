//! What becomes of an event on its way.

/// One way in which an event does not arrive as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EventPerturbation {
    /// It never comes, though later ones do.
    Lost,
    /// It comes after several later ones.
    Late,
    /// It comes twice.
    Doubled,
    /// It comes after the next event of another kind.
    AfterOther,
    /// It comes before the last event of another kind.
    BeforeOther,
    /// In its place the watch says 410 and ends.
    GoneInStream,
    /// In its place the watch ends, and the next one is answered 410.
    GoneAsStatus,
    /// In its place the object comes as it was before, from an API server that lags behind.
    Older,
}

impl EventPerturbation {
    /// Each of them.
    pub(super) const ALL: [Self; 8] = [
        Self::Lost,
        Self::Late,
        Self::Doubled,
        Self::AfterOther,
        Self::BeforeOther,
        Self::GoneInStream,
        Self::GoneAsStatus,
        Self::Older,
    ];
}
