//! Short numbers: hundredths of a point are finer than any screen shows.

use egui::Pos2;

/// How many steps there are in a point.
const STEPS: f32 = 100.0;
/// Farther out nothing is ever seen; renderers count in 32 bits.
const FARTHEST: f32 = 1e7;

/// Appends a number with at most two decimals and nothing that says nothing.
pub(super) fn push_number(out: &mut String, value: f32) {
    push_steps(out, steps(value));
}

/// A number in hundredths. What is no number is nothing.
#[expect(clippy::cast_possible_truncation, reason = "clamped")]
fn steps(value: f32) -> i64 {
    (value.clamp(-FARTHEST, FARTHEST) * STEPS).round() as i64
}

fn push_steps(out: &mut String, steps: i64) {
    if steps < 0 {
        out.push('-');
    }
    let steps = steps.unsigned_abs();
    let (whole, part) = (steps / 100, steps % 100);
    if whole > 0 || part == 0 {
        out.push_str(&whole.to_string());
    }
    match (part / 10, part % 10) {
        (0, 0) => {}
        (tenths, 0) => out.push_str(&format!(".{tenths}")),
        (tenths, hundredths) => out.push_str(&format!(".{tenths}{hundredths}")),
    }
}

/// The `d` of a path. All but its first point are written as steps from the one before, which
/// makes the curves of a large map half as long.
#[derive(Default)]
pub(super) struct SvgPathBuilder {
    text: String,
    at: (i64, i64),
}

impl SvgPathBuilder {
    /// Starts a piece of the path.
    pub fn move_to(&mut self, to: Pos2) -> &mut Self {
        self.at = (steps(to.x), steps(to.y));
        self.text.push('M');
        push_steps(&mut self.text, self.at.0);
        self.separate(self.at.1);
        push_steps(&mut self.text, self.at.1);
        self
    }

    /// A straight line.
    pub fn line_to(&mut self, to: Pos2) -> &mut Self {
        self.curve('l', &[to])
    }

    /// A curve whose last point is its end and whose others are its controls.
    pub fn curve(&mut self, letter: char, points: &[Pos2]) -> &mut Self {
        self.text.push(letter);
        let from = self.at;
        for (at, point) in points.iter().enumerate() {
            self.at = (steps(point.x), steps(point.y));
            let (x, y) = (self.at.0 - from.0, self.at.1 - from.1);
            if at > 0 {
                self.separate(x);
            }
            push_steps(&mut self.text, x);
            self.separate(y);
            push_steps(&mut self.text, y);
        }
        self
    }

    /// A quarter of a circle, clockwise.
    pub fn corner(&mut self, radius: f32, to: Pos2) -> &mut Self {
        self.text.push('a');
        push_number(&mut self.text, radius);
        self.text.push(' ');
        push_number(&mut self.text, radius);
        self.text.push_str(" 0 0 1 ");
        let from = self.at;
        self.at = (steps(to.x), steps(to.y));
        push_steps(&mut self.text, self.at.0 - from.0);
        self.text.push(' ');
        push_steps(&mut self.text, self.at.1 - from.1);
        self
    }

    /// Back to the start of the piece.
    pub fn close(&mut self) -> &mut Self {
        self.text.push('z');
        self
    }

    /// Straight lines through points.
    pub fn line(&mut self, points: &[Pos2]) -> &mut Self {
        if let [first, others @ ..] = points {
            self.move_to(*first);
            for point in others {
                self.line_to(*point);
            }
        }
        self
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The text of the attribute.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// A minus separates as well as a space.
    fn separate(&mut self, next: i64) {
        if next >= 0 {
            self.text.push(' ');
        }
    }
}

#[cfg(test)]
mod tests {
    use egui::pos2;

    use super::*;

    fn written(value: f32) -> String {
        let mut out = String::new();
        push_number(&mut out, value);
        out
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (-0.001, "0"),
            (12.0, "12"),
            (0.5, ".5"),
            (-0.5, "-.5"),
            (12.05, "12.05"),
            (12.346, "12.35"),
            (-3.999, "-4"),
            (1e6, "1000000"),
            (f32::NAN, "0"),
        ] {
            assert_eq!(written(value), text, "{value}");
        }
    }

    #[test]
    fn errors_of_rounding_do_not_add_up() {
        let mut path = SvgPathBuilder::default();
        path.move_to(pos2(0.0, 0.0));
        for step in 1_u8..=9 {
            path.line_to(pos2(f32::from(step) * 0.333, 0.0));
        }
        assert_eq!(path.at, (300, 0));
        assert_eq!(&path.as_str()[..19], "M0 0l.33 0l.34 0l.3");
    }
}
