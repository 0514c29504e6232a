//! What is on the screen, and what a key makes of it.

use std::collections::HashMap;
use std::time::Duration;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::history::History;
use super::keys::{Verb, Wish};
use super::log;
use crate::core::id::Id;
use crate::core::stream::Stream;
use crate::ops::hap::{Entry, Hap};
use crate::ops::load::Load;
use crate::ops::tail::Tail;
use crate::view::look::Badge;
use crate::view::sanitize::visible;

/// See the module.
#[derive(Debug)]
pub struct Model {
    /// Those that go on first, then those that ended, the newest first.
    entries: Vec<Entry>,
    histories: HashMap<Id, History>,
    pub(super) selected: Option<Id>,
    pub(super) filter: String,
    pub(super) mode: Mode,
    pub(super) stream: Stream,
    pub(super) log: Vec<String>,
    /// How many lines of the log are below what is shown. `None`: its end is followed.
    pub(super) below: Option<usize>,
    pub(super) said: Option<Said>,
}

/// What the keys are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Looking at haps.
    List,
    /// Typing what to look for.
    Filter,
    /// Answering whether this is to be done.
    Question(Verb, Id),
}

/// What there is to say about the last thing that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) text: String,
    pub(super) is_error: bool,
}

/// So far a page of the log goes.
const PAGE: usize = 10;

impl Default for Model {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            histories: HashMap::new(),
            selected: None,
            filter: String::new(),
            mode: Mode::List,
            stream: Stream::Stdout,
            log: Vec::new(),
            below: None,
            said: None,
        }
    }
}

impl Model {
    /// These haps are there now, and take this.
    pub fn update(&mut self, mut entries: Vec<Entry>, loads: &[(Id, Load)], now: Duration) {
        entries.sort_by_key(place);
        self.histories.retain(|id, _| loads.iter().any(|(other, _)| other == id));
        for (id, load) in loads {
            self.histories.entry(*id).or_default().note(now, load);
        }
        self.entries = entries;
        self.keep_selected();
    }

    /// This is the end of the selected log now.
    pub fn show_log(&mut self, tail: &Tail) {
        self.log = log::lines(tail);
    }

    /// A verb was sent off.
    pub fn begin(&mut self, verb: Verb, id: Id) {
        self.said = Some(Said { text: format!("{} hap {id} …", verb.word()), is_error: false });
    }

    /// This came of it: what a verb of the command line says.
    pub fn say(&mut self, text: &str, is_error: bool) {
        let lines: Vec<_> = text.lines().map(|line| visible(line.trim()).into_owned()).collect();
        self.said = Some(Said { text: lines.join("; "), is_error });
    }

    /// The hap that is selected.
    pub fn selected_hap(&self) -> Option<&Hap> {
        self.entries.iter().find(|entry| Some(entry.id()) == self.selected).and_then(|entry| match entry {
            Entry::Whole(hap) => Some(hap.as_ref()),
            Entry::Broken(_) => None,
        })
    }

    /// Which of its logs is shown.
    pub fn stream(&self) -> Stream {
        self.stream
    }

    /// Whether the log is to be read again as it grows.
    pub fn follows(&self) -> bool {
        self.below.is_none()
    }

    /// Those that the filter lets through, in the order of the screen.
    pub(super) fn shown(&self) -> Vec<&Entry> {
        self.entries.iter().filter(|entry| self.is_shown(entry)).collect()
    }

    /// All of them.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn history(&self, id: Id) -> Option<&History> {
        self.histories.get(&id)
    }

    /// What a key does.
    pub fn press(&mut self, key: KeyEvent) -> Option<Wish> {
        if key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL) {
            return Some(Wish::Quit);
        }
        match self.mode {
            Mode::List => self.press_in_list(key.code),
            Mode::Filter => {
                self.type_filter(key.code);
                None
            }
            Mode::Question(verb, id) => self.answer(key.code, verb, id),
        }
    }

    fn press_in_list(&mut self, key: KeyCode) -> Option<Wish> {
        self.said = None;
        match key {
            KeyCode::Char('q') => return Some(Wish::Quit),
            KeyCode::Up => self.select(-1),
            KeyCode::Down => self.select(1),
            KeyCode::Home => self.select(isize::MIN),
            KeyCode::End => self.select(isize::MAX),
            KeyCode::PageUp => self.scroll_up(),
            KeyCode::PageDown => self.scroll_down(),
            KeyCode::Char('f') => self.below = if self.follows() { Some(0) } else { None },
            KeyCode::Char('e') => self.switch_stream(),
            KeyCode::Char('/') => self.mode = Mode::Filter,
            KeyCode::Esc => self.set_filter(String::new()),
            KeyCode::Char(letter) => return self.begin_verb(letter),
            _ => {}
        }
        None
    }

    fn begin_verb(&mut self, letter: char) -> Option<Wish> {
        let verb = Verb::ALL.into_iter().find(|verb| verb.key() == letter)?;
        let id = self.selected?;
        if verb.is_asked_first() {
            self.mode = Mode::Question(verb, id);
            return None;
        }
        Some(Wish::Act(verb, id))
    }

    fn answer(&mut self, key: KeyCode, verb: Verb, id: Id) -> Option<Wish> {
        match key {
            KeyCode::Char('y') => {
                self.mode = Mode::List;
                Some(Wish::Act(verb, id))
            }
            KeyCode::Char('n' | 'q') | KeyCode::Esc => {
                self.mode = Mode::List;
                None
            }
            _ => None,
        }
    }

    fn type_filter(&mut self, key: KeyCode) {
        match key {
            KeyCode::Enter => self.mode = Mode::List,
            KeyCode::Esc => {
                self.mode = Mode::List;
                self.set_filter(String::new());
            }
            KeyCode::Backspace => {
                let mut filter = self.filter.clone();
                filter.pop();
                self.set_filter(filter);
            }
            KeyCode::Char(letter) => self.set_filter(format!("{}{letter}", self.filter)),
            _ => {}
        }
    }

    fn set_filter(&mut self, filter: String) {
        self.filter = filter;
        self.keep_selected();
    }

    fn select(&mut self, by: isize) {
        let shown: Vec<Id> = self.shown().iter().map(|entry| entry.id()).collect();
        let Some(last) = shown.len().checked_sub(1) else { return };
        let here = shown.iter().position(|id| Some(*id) == self.selected).unwrap_or(0);
        self.change_selected(Some(shown[here.saturating_add_signed(by).min(last)]));
    }

    /// One that is gone or filtered out gives way to the first that is there.
    fn keep_selected(&mut self) {
        let shown: Vec<Id> = self.shown().iter().map(|entry| entry.id()).collect();
        let kept = self.selected.filter(|id| shown.contains(id));
        self.change_selected(kept.or_else(|| shown.first().copied()));
    }

    fn change_selected(&mut self, selected: Option<Id>) {
        if self.selected != selected {
            self.selected = selected;
            self.begin_log();
        }
    }

    fn switch_stream(&mut self) {
        self.stream = match self.stream {
            Stream::Stdout => Stream::Stderr,
            Stream::Stderr => Stream::Stdout,
        };
        self.begin_log();
    }

    fn begin_log(&mut self) {
        self.log.clear();
        self.below = None;
    }

    fn scroll_up(&mut self) {
        let below = self.below.unwrap_or(0) + PAGE;
        self.below = Some(below.min(self.log.len().saturating_sub(1)));
    }

    /// At the end it is followed again.
    fn scroll_down(&mut self) {
        self.below = self.below.and_then(|below| below.checked_sub(PAGE)).filter(|&below| below > 0);
    }

    fn is_shown(&self, entry: &Entry) -> bool {
        let wanted = self.filter.to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&wanted);
        match entry {
            Entry::Whole(hap) => {
                has(hap.record.name.as_str()) || has(hap.status.kind().word()) || has(&hap.record.command_line())
            }
            Entry::Broken(_) => has(Badge::BROKEN.word),
        }
    }
}

/// By which it is sorted.
fn place(entry: &Entry) -> (bool, i64) {
    let number = i64::from(entry.id().number());
    match entry {
        Entry::Whole(hap) if !hap.is_over() => (false, number),
        Entry::Whole(hap) => (true, hap.record.end.map_or(-number, |end| -end.unix_ns)),
        Entry::Broken(_) => (true, number),
    }
}

#[cfg(test)]
mod tests {
    use super::{Mode, Model};
    use crate::core::record::Outcome;
    use crate::core::stream::Stream;
    use crate::ops::tail::Tail;
    use crate::view::samples::{ended, id, running, whole};
    use crate::view::top::{Verb, Wish};
    use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
    use std::time::Duration;

    fn model() -> Model {
        let mut model = Model::default();
        let entries =
            [running(1, "train"), ended(2, "index", Outcome::Exited(0)), running(3, "web")].map(whole).to_vec();
        model.update(entries, &[], Duration::ZERO);
        model
    }

    fn press(model: &mut Model, keys: &str) -> Option<Wish> {
        let code = |letter| match letter {
            '\n' => KeyCode::Enter,
            '\u{1b}' => KeyCode::Esc,
            '\u{8}' => KeyCode::Backspace,
            '<' => KeyCode::Up,
            '>' => KeyCode::Down,
            letter => KeyCode::Char(letter),
        };
        keys.chars().filter_map(|letter| model.press(KeyEvent::new(code(letter), KeyModifiers::NONE))).last()
    }

    fn shown(model: &Model) -> Vec<u32> {
        model.shown().iter().map(|entry| entry.id().number()).collect()
    }

    #[test]
    fn those_that_go_on_come_first_and_the_first_is_selected() {
        let model = model();
        assert_eq!((shown(&model), model.selected), (vec![1, 3, 2], Some(id(1))));
    }

    #[test]
    fn pause_and_resume_are_done_at_once_and_all_else_is_asked_first() {
        let mut model = model();
        assert_eq!(press(&mut model, "p"), Some(Wish::Act(Verb::Pause, id(1))));
        assert_eq!(press(&mut model, "r"), Some(Wish::Act(Verb::Resume, id(1))));
        for (key, verb) in [("s", Verb::Stop), ("k", Verb::Kill), ("R", Verb::Restart)] {
            assert_eq!(press(&mut model, key), None);
            assert_eq!(model.mode, Mode::Question(verb, id(1)));
            assert_eq!(press(&mut model, "xk\n"), None, "only y is a yes");
            assert_eq!(press(&mut model, "n"), None);
            assert_eq!(model.mode, Mode::List);
            assert_eq!(press(&mut model, key).or_else(|| press(&mut model, "y")), Some(Wish::Act(verb, id(1))));
        }
    }

    #[test]
    fn what_is_asked_is_done_to_whom_it_was_asked_about() {
        let mut model = model();
        press(&mut model, "k");
        model.update(vec![whole(running(3, "web"))], &[], Duration::ZERO);
        assert_eq!(model.selected, Some(id(3)));
        assert_eq!(press(&mut model, "y"), Some(Wish::Act(Verb::Kill, id(1))));
    }

    #[test]
    fn the_selection_stays_on_its_hap_and_within_the_list() {
        let mut model = model();
        press(&mut model, "<");
        assert_eq!(model.selected, Some(id(1)));
        press(&mut model, ">>>>");
        assert_eq!(model.selected, Some(id(2)));
        model.update(vec![whole(running(2, "index")), whole(running(9, "new"))], &[], Duration::ZERO);
        assert_eq!(model.selected, Some(id(2)));
        model.update(Vec::new(), &[], Duration::ZERO);
        assert_eq!((model.selected, press(&mut model, "<>pskR")), (None, None));
    }

    #[test]
    fn a_filter_looks_at_name_status_and_command_as_it_is_typed() {
        let mut model = model();
        press(&mut model, "/we");
        assert_eq!((shown(&model), model.selected), (vec![3], Some(id(3))));
        press(&mut model, "\u{8}\u{8}SUCC\n");
        assert_eq!((shown(&model), model.mode), (vec![2], Mode::List));
        press(&mut model, "\u{1b}/train.py q");
        assert_eq!(shown(&model), Vec::<u32>::new(), "letters are typed, not obeyed");
        press(&mut model, "\u{1b}");
        assert_eq!(shown(&model), [1, 3, 2]);
    }

    #[test]
    fn another_log_is_followed_from_its_end() {
        let mut model = model();
        model.show_log(&Tail { bytes: b"1\n2\n3\n".to_vec(), is_cut: false });
        press(&mut model, "f");
        assert!(!model.follows());
        press(&mut model, "e");
        assert_eq!((model.stream(), model.follows(), model.log.len()), (Stream::Stderr, true, 0));
        model.show_log(&Tail { bytes: b"1\n2\n3\n".to_vec(), is_cut: false });
        model.press(KeyEvent::new(KeyCode::PageUp, KeyModifiers::NONE));
        assert_eq!((model.below, model.follows()), (Some(2), false));
        model.press(KeyEvent::new(KeyCode::PageDown, KeyModifiers::NONE));
        assert!(model.follows());
    }

    #[test]
    fn q_and_control_c_end_it() {
        let mut model = model();
        assert_eq!(press(&mut model, "q"), Some(Wish::Quit));
        press(&mut model, "/");
        let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(model.press(interrupt), Some(Wish::Quit));
    }
}
