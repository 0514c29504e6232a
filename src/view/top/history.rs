//! What a hap has taken lately, and how that is drawn in a line of text.

use std::collections::VecDeque;
use std::time::Duration;

use crate::ops::load::Load;

/// So far back it goes, a sample a second.
const LENGTH: usize = 40;

/// Clock ticks are ten milliseconds long: over less time than this they say little.
const SHORTEST: Duration = Duration::from_millis(900);

/// Nothing, and seven heights of something.
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The last samples of one hap.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    /// Percent of one processor.
    cpu: VecDeque<u64>,
    /// Bytes.
    memory: VecDeque<u64>,
    last: Option<(Duration, Duration)>,
}

impl History {
    /// Takes note of what it takes at this moment of a clock that only goes forward.
    pub(super) fn note(&mut self, now: Duration, load: &Load) {
        let Some(cpu) = load.cpu else { return };
        let passed = self.last.map(|(then, _)| now.saturating_sub(then));
        if passed.is_some_and(|passed| passed < SHORTEST) {
            return;
        }
        if let (Some(passed), Some((_, before))) = (passed, self.last) {
            let used = cpu.saturating_sub(before).as_micros() * 100 / passed.as_micros().max(1);
            push(&mut self.cpu, u64::try_from(used).unwrap_or(u64::MAX));
        }
        push(&mut self.memory, load.memory.unwrap_or(0));
        self.last = Some((now, cpu));
    }

    /// Percent of one processor, once there are two samples.
    pub(super) fn percent(&self) -> Option<u64> {
        self.cpu.back().copied()
    }

    /// Bytes.
    pub(super) fn memory(&self) -> Option<u64> {
        self.memory.back().copied()
    }

    /// The CPU over time. A whole processor fills it, or more where more were in use.
    pub(super) fn cpu_line(&self, width: usize) -> String {
        line(&self.cpu, 100, width)
    }

    /// The memory over time. What it has most is drawn two thirds high: what never changes is no alarm.
    pub(super) fn memory_line(&self, width: usize) -> String {
        let most = self.memory.iter().copied().max().unwrap_or(0);
        line(&self.memory, most.saturating_mul(3) / 2, width)
    }
}

fn push(samples: &mut VecDeque<u64>, sample: u64) {
    if samples.len() == LENGTH {
        samples.pop_front();
    }
    samples.push_back(sample);
}

/// The newest on the right. So much fills it, or the largest of them if that is more.
fn line(samples: &VecDeque<u64>, full: u64, width: usize) -> String {
    let shown = samples.iter().skip(samples.len().saturating_sub(width));
    let full = shown.clone().copied().max().unwrap_or(0).max(full).max(1);
    let height = |sample: u64| HEIGHTS[usize::try_from(sample.saturating_mul(7).div_ceil(full).min(7)).unwrap_or(0)];
    let missing = width.saturating_sub(samples.len());
    " ".repeat(missing) + &shown.map(|&sample| height(sample)).collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::{History, LENGTH};
    use crate::ops::load::Load;
    use std::time::Duration;

    fn load(cpu_ms: u64, memory: u64) -> Load {
        Load { cpu: Some(Duration::from_millis(cpu_ms)), memory: Some(memory), logs: 0 }
    }

    fn history(samples: &[(u64, u64, u64)]) -> History {
        let mut history = History::default();
        for &(ms, cpu, memory) in samples {
            history.note(Duration::from_millis(ms), &load(cpu, memory));
        }
        history
    }

    #[test]
    fn a_percentage_needs_two_samples_that_lie_apart() {
        assert_eq!(history(&[(0, 500, 7)]).percent(), None);
        assert_eq!(history(&[(0, 500, 7)]).memory(), Some(7));
        assert_eq!(history(&[(0, 500, 7), (100, 600, 9)]).percent(), None, "too soon to say");
        assert_eq!(history(&[(0, 500, 7), (1000, 750, 9)]).percent(), Some(25));
        assert_eq!(history(&[(0, 0, 7), (1000, 4000, 9)]).percent(), Some(400), "four processors");
        assert_eq!(history(&[(0, 500, 7), (1000, 100, 9)]).percent(), Some(0), "after a restart");
    }

    #[test]
    fn the_newest_stands_on_the_right_and_a_whole_processor_fills_the_line() {
        let history = history(&[(0, 0, 100), (1000, 0, 50), (2000, 500, 0), (3000, 1500, 100)]);
        assert_eq!(history.cpu_line(5), "  ▁▅█");
        assert_eq!(history.cpu_line(2), "▅█");
        assert_eq!(history.memory_line(5), " ▆▄▁▆");
        assert_eq!(History::default().memory_line(3), "   ");
    }

    #[test]
    fn it_does_not_grow_for_ever() {
        let samples: Vec<(u64, u64, u64)> = (0..200).map(|n| (n * 1000, n * 10, n)).collect();
        let history = history(&samples);
        assert_eq!((history.cpu.len(), history.memory.len()), (LENGTH, LENGTH));
    }
}
