//! How far away a person looks from.

/// What a zoom shows. Drawing, hit test and accessibility all ask this one predicate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Distance {
    /// A district is a chip with its name, counts and worst state.
    Far,
    /// A Service is one card with its ports and a row of pod dots.
    Middle,
    /// Everything.
    Near,
}

impl Distance {
    /// Below this zoom the text of a Service card would be under 7 points.
    pub const NEAR_FROM: f32 = 0.55;
    /// Below this zoom a row of pod dots would be under 3 points a dot.
    pub const MIDDLE_FROM: f32 = 0.25;

    /// The distance at a zoom (points on screen for each map unit).
    pub fn of(zoom: f32) -> Self {
        if zoom >= Self::NEAR_FROM {
            Self::Near
        } else if zoom >= Self::MIDDLE_FROM {
            Self::Middle
        } else {
            Self::Far
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closer_is_never_less_detailed() {
        let mut last = Distance::Far;
        for step in 1_u8..200 {
            let now = Distance::of(f32::from(step) / 50.0);
            assert!(now >= last, "step {step}");
            last = now;
        }
        assert_eq!(last, Distance::Near);
    }

    #[test]
    fn the_limits_belong_to_the_closer_side() {
        assert_eq!(Distance::of(Distance::NEAR_FROM), Distance::Near);
        assert_eq!(Distance::of(0.549), Distance::Middle);
        assert_eq!(Distance::of(Distance::MIDDLE_FROM), Distance::Middle);
        assert_eq!(Distance::of(0.249), Distance::Far);
    }
}
