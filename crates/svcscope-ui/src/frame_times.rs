//! How many frames a second are drawn and what one costs, for the user who wants to see it.

use std::collections::VecDeque;

/// What is looked back on, in seconds.
const WINDOW: f64 = 1.0;

/// The frames of the last second. Looking at them asks for no frame: while nothing changes none is
/// drawn, and the numbers stay those of the last ones.
#[derive(Debug, Default)]
pub struct FrameTimes {
    /// When each was drawn (seconds of egui's clock) and the CPU time of the one before it
    /// (seconds), the newest last.
    recent: VecDeque<(f64, f32)>,
}

impl FrameTimes {
    /// Notes a frame; `cpu` is what the last one took, in seconds.
    pub fn note(&mut self, now: f64, cpu: f32) {
        self.recent.push_back((now, cpu));
        while self
            .recent
            .front()
            .is_some_and(|(drawn, _)| now - drawn > WINDOW)
        {
            self.recent.pop_front();
        }
    }

    /// Frames in the last second, and the median CPU time of one in milliseconds.
    pub fn summary(&self) -> (usize, f32) {
        let mut costs: Vec<f32> = self.recent.iter().map(|(_, cpu)| *cpu).collect();
        costs.sort_by(f32::total_cmp);
        let median = costs.get(costs.len() / 2).copied().unwrap_or_default();
        (self.recent.len(), median * 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_second_counts_and_one_slow_frame_does_not_hide_the_others() {
        let mut times = FrameTimes::default();
        assert_eq!(times.summary(), (0, 0.0));
        for (now, cpu) in [(0.0, 0.5), (0.5, 0.002), (0.9, 0.004), (1.4, 0.003)] {
            times.note(now, cpu);
        }
        let (frames, median) = times.summary();
        assert_eq!(frames, 3);
        assert!((median - 3.0).abs() < 1e-4, "{median}");
    }
}
