//! What stands before each line where the output of several logs is shown together.
//!
//! Must not decide whether marks are wanted. Invariant: all are equally wide, and say in words which log
//! it is; colour only repeats it.

use super::look::{Look, MARKS, STDERR_MARK};
use super::width;
use crate::core::stream::Stream;

/// A log: the name of its hap, and which of its streams, as far as these are not the same for all.
#[derive(Clone, Copy, Debug)]
pub struct Marked<'a> {
    /// The name of the hap.
    pub name: Option<&'a str>,
    /// The stream.
    pub stream: Option<Stream>,
}

/// The marks of these logs, in their order.
pub fn marks(logs: &[Marked<'_>], look: &Look) -> Vec<String> {
    let words: Vec<String> = logs.iter().map(|log| words(*log)).collect();
    let widest = words.iter().map(|words| width::of(words)).max().unwrap_or(0);
    if widest == 0 {
        return words;
    }
    let marks = words.iter().zip(logs).enumerate().map(|(number, (words, log))| {
        let room = " ".repeat(widest - width::of(words));
        let paint = match log {
            Marked { name: None, stream: Some(Stream::Stderr) } => STDERR_MARK,
            Marked { .. } => MARKS[number % MARKS.len()],
        };
        look.paint(paint, &format!("{words}{room} |")) + " "
    });
    marks.collect()
}

fn words(log: Marked<'_>) -> String {
    let stream = log.stream.map(|stream| match stream {
        Stream::Stdout => "out",
        Stream::Stderr => "err",
    });
    let words: Vec<&str> = log.name.into_iter().chain(stream).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::{Marked, marks};
    use crate::core::stream::Stream;
    use crate::view::look::Look;
    use crate::view::samples::piped;

    #[test]
    fn marks_are_words_of_one_width_and_colour_comes_on_top() {
        let of = |name, stream| Marked { name, stream };
        assert_eq!(marks(&[of(None, None)], &piped()), [""]);
        let streams = [of(None, Some(Stream::Stdout)), of(None, Some(Stream::Stderr))];
        assert_eq!(marks(&streams, &piped()), ["out | ", "err | "]);
        let names = [of(Some("train"), None), of(Some("訓練"), Some(Stream::Stderr))];
        assert_eq!(marks(&names, &piped()), ["train    | ", "訓練 err | "]);
        let coloured = marks(&streams, &Look { colour: true, ..piped() });
        assert!(coloured[1].contains("err |") && coloured[1].starts_with("\u{1b}[31m"), "{coloured:?}");
    }
}
