//! How far away the user looks from.

/// What a zoom shows. Drawing, hit test and accessibility all ask this one predicate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DetailLevel {
    /// A district is a chip with its name, counts and worst state.
    Overview,
    /// A Service is one card with its ports and a row of pod dots.
    Compact,
    /// Everything.
    Full,
}

impl DetailLevel {
    /// Below this zoom the text of a Service card would be under 7 points.
    pub const FULL_MIN_ZOOM: f32 = 0.55;
    /// Below this zoom a row of pod dots would be under 3 points a dot.
    pub const COMPACT_MIN_ZOOM: f32 = 0.25;

    /// The distance at a zoom (points on screen for each map unit).
    pub fn of(zoom: f32) -> Self {
        if zoom >= Self::FULL_MIN_ZOOM {
            Self::Full
        } else if zoom >= Self::COMPACT_MIN_ZOOM {
            Self::Compact
        } else {
            Self::Overview
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closer_is_never_less_detailed() {
        let mut last = DetailLevel::Overview;
        for step in 1_u8..200 {
            let now = DetailLevel::of(f32::from(step) / 50.0);
            assert!(now >= last, "step {step}");
            last = now;
        }
        assert_eq!(last, DetailLevel::Full);
    }

    #[test]
    fn the_limits_belong_to_the_closer_side() {
        assert_eq!(
            DetailLevel::of(DetailLevel::FULL_MIN_ZOOM),
            DetailLevel::Full
        );
        assert_eq!(DetailLevel::of(0.549), DetailLevel::Compact);
        assert_eq!(
            DetailLevel::of(DetailLevel::COMPACT_MIN_ZOOM),
            DetailLevel::Compact
        );
        assert_eq!(DetailLevel::of(0.249), DetailLevel::Overview);
    }
}
