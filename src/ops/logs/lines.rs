//! Output of one or several logs on its way to one place: with marks and times before its lines where
//! these are wanted, and byte for byte where they are not.
//!
//! Several logs are never mixed within a line: what one has not finished waits, up to a limit, while
//! the others go on. A carriage return ends a line as well, for progress bars.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::core::error::{Error, Result};
use crate::sys::output;

/// How long an unfinished line may become before it is shown as it is.
const LONGEST: usize = 64 << 10;

/// How the time of a line is written; of some nobody knows it.
pub(super) type WriteTime = Box<dyn Fn(Option<i64>) -> String + Send>;

/// Who speaks: one of the logs, by its place among the marks.
pub type Voice = usize;

/// Where the lines go, and what stands before them.
pub struct Show {
    /// The output.
    pub out: OwnedFd,
    /// Writes the time of each line.
    pub time: Option<WriteTime>,
}

/// See the module.
pub struct Lines {
    show: Show,
    speakers: Vec<Speaker>,
    /// Whose line is written to the output and not yet at its end.
    open: Option<Voice>,
}

/// One log's share of the output.
struct Speaker {
    mark: String,
    /// The bytes of an unfinished line, and where it begins in the log.
    waiting: Vec<u8>,
    offset: u64,
}

impl Lines {
    /// For as many logs as there are marks.
    pub fn new(show: Show, marks: Vec<String>) -> Self {
        let speakers = marks.into_iter().map(|mark| Speaker { mark, waiting: Vec::new(), offset: 0 }).collect();
        Self { show, speakers, open: None }
    }

    /// Where they go.
    pub fn out(&self) -> BorrowedFd<'_> {
        self.show.out.as_fd()
    }

    /// Whether the time of each line is wanted.
    pub(super) fn has_times(&self) -> bool {
        self.show.time.is_some()
    }

    /// Whether what is said goes out as it is.
    pub fn is_plain(&self) -> bool {
        self.show.time.is_none() && matches!(self.speakers.as_slice(), [only] if only.mark.is_empty())
    }

    /// Says what stands at this place of the log.
    pub fn say(&mut self, voice: Voice, bytes: &[u8], offset: u64, time_of: &dyn Fn(u64) -> Option<i64>) -> Result<()> {
        if self.is_plain() {
            return output::write_all(&self.show.out, bytes).map_err(Error::Output);
        }
        let is_alone = self.speakers.len() == 1;
        let speaker = &mut self.speakers[voice];
        if speaker.waiting.is_empty() {
            speaker.offset = offset;
        }
        speaker.waiting.extend_from_slice(bytes);
        let ready = if is_alone { speaker.waiting.len() } else { end_of_lines(&speaker.waiting) };
        self.send(voice, ready, time_of)
    }

    /// Says what a log has left unfinished: nothing will come to it.
    pub fn finish(&mut self, voice: Voice, time_of: &dyn Fn(u64) -> Option<i64>) -> Result<()> {
        self.send(voice, self.speakers[voice].waiting.len(), time_of)
    }

    fn send(&mut self, voice: Voice, length: usize, time_of: &dyn Fn(u64) -> Option<i64>) -> Result<()> {
        if length == 0 {
            return Ok(());
        }
        let speaker = &mut self.speakers[voice];
        let bytes: Vec<u8> = speaker.waiting.drain(..length).collect();
        let mut offset = speaker.offset;
        speaker.offset += length as u64;
        let mut text = Vec::with_capacity(length + length / 4);
        if self.open.take_if(|open| *open != voice).is_some() {
            text.push(b'\n');
        }
        for piece in pieces(&bytes) {
            let (back, line) = piece.split_at(usize::from(piece[0] == b'\r' && piece.get(1) != Some(&b'\n')));
            text.extend_from_slice(back);
            if self.open.is_none() || !back.is_empty() {
                text.extend_from_slice(self.speakers[voice].mark.as_bytes());
                text.extend(self.show.time.iter().flat_map(|write| write(time_of(offset)).into_bytes()));
            }
            text.extend_from_slice(line);
            self.open = Some(voice).filter(|_| !piece.ends_with(b"\n"));
            offset += piece.len() as u64;
        }
        output::write_all(&self.show.out, &text).map_err(Error::Output)
    }
}

/// How much of it can be said: up to its last line end, or to a carriage return, which belongs to what follows it.
fn end_of_lines(bytes: &[u8]) -> usize {
    let end = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let back = bytes.iter().rposition(|&byte| byte == b'\r').unwrap_or(0);
    if bytes.len() > LONGEST { bytes.len() } else { end.max(back) }
}

/// Lines with their ends, and what begins with a carriage return.
fn pieces(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let is_end =
            |at: usize| rest[at] == b'\n' || rest.get(at + 1) == Some(&b'\r') && rest.get(at + 2) != Some(&b'\n');
        let length = (0..rest.len()).find(|&at| is_end(at)).map_or(rest.len(), |at| at + 1);
        let (piece, after) = rest.split_at(length);
        rest = after;
        Some(piece).filter(|piece| !piece.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::{Lines, Show, pieces};
    use proptest::prelude::*;
    use std::fs::{self, File};

    /// What comes out when these are said one after the other, and all is finished in the end.
    fn shown(marks: &[&str], with_times: bool, said: &[(usize, &str)]) -> String {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("out");
        let file = File::create(&path).expect("a file");
        let time = |time: Option<i64>| format!("{} ", time.unwrap_or(-1));
        let show = Show { out: file.into(), time: if with_times { Some(Box::new(time)) } else { None } };
        let mut lines = Lines::new(show, marks.iter().map(|&mark| mark.to_owned()).collect());
        let of = |offset: u64| i64::try_from(offset).ok();
        let mut offsets = vec![0; marks.len()];
        for &(voice, text) in said {
            lines.say(voice, text.as_bytes(), offsets[voice], &of).expect("written");
            offsets[voice] += text.len() as u64;
        }
        for voice in 0..marks.len() {
            lines.finish(voice, &of).expect("written");
        }
        fs::read_to_string(path).expect("text")
    }

    #[test]
    fn one_log_without_marks_is_byte_for_byte() {
        assert_eq!(shown(&[""], false, &[(0, "a\rb"), (0, "\n\nc")]), "a\rb\n\nc");
    }

    #[test]
    fn each_line_has_its_mark_and_unfinished_ones_wait() {
        let said = [(0, "one\ntw"), (1, "err\n"), (0, "o\n"), (1, "x"), (0, "three")];
        assert_eq!(shown(&["a|", "b|"], false, &said), "a|one\nb|err\na|two\na|three\nb|x");
        assert_eq!(shown(&["", ""], false, &said), "one\nerr\ntwo\nthree\nx");
    }

    #[test]
    fn each_line_has_the_time_of_its_first_byte() {
        assert_eq!(shown(&[""], true, &[(0, "one\ntw"), (0, "o\n\n"), (0, "x")]), "0 one\n4 two\n8 \n9 x");
        assert_eq!(shown(&["a|", "b|"], true, &[(0, "on"), (1, "x\n"), (0, "e\n")]), "b|0 x\na|0 one\n");
    }

    #[test]
    fn a_carriage_return_begins_a_line_again() {
        assert_eq!(shown(&["a|", "b|"], false, &[(0, "1%\r2%"), (1, "x\n"), (0, "\r3%")]), "a|1%\nb|x\n\ra|2%\ra|3%");
        assert_eq!(shown(&["a|"], false, &[(0, "dos\r\nend\r\n")]), "a|dos\r\na|end\r\n");
    }

    #[test]
    fn a_line_without_end_is_shown_before_it_is_too_long_to_keep() {
        let long = "x".repeat(100_000);
        let text = shown(&["a|", "b|"], false, &[(0, &long), (1, "y\n"), (0, "z\n")]);
        assert_eq!(text, format!("a|{long}\nb|y\na|z\n"));
    }

    proptest! {
        #[test]
        fn pieces_are_the_whole(bytes in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'x')], 0..40)) {
            prop_assert_eq!(pieces(&bytes).collect::<Vec<_>>().concat(), bytes);
        }

        #[test]
        fn without_marks_no_voice_loses_or_doubles_anything(said in proptest::collection::vec((0..2_usize, "[ab\r\n]{0,5}"), 0..30)) {
            let said: Vec<(usize, &str)> = said.iter().map(|(voice, text)| (*voice, text.as_str())).collect();
            let count = |text: &str, wanted: char| text.chars().filter(|&c| c == wanted).count();
            let text = shown(&["", ""], false, &said);
            for wanted in ['a', 'b', '\r'] {
                prop_assert_eq!(count(&text, wanted), said.iter().map(|(_, text)| count(text, wanted)).sum::<usize>());
            }
        }
    }
}
