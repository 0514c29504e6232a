//! Where in the command line the cursor stands, by the definition that also parses it.

use clap::{Arg, ArgAction, Command, Id};

/// What is being typed.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    /// The verb, or `hap` itself before there is one.
    pub(super) command: &'a Command,
    pub(super) place: Place<'a>,
    /// The word that is being typed, as far as it is there; without `--option=`.
    pub(super) word: String,
    /// The arguments in the place of haps so far.
    pub(super) given: Vec<String>,
    /// The options so far.
    pub(super) used: Vec<Id>,
}

#[derive(Debug)]
pub(super) enum Place<'a> {
    /// An option.
    Option,
    /// The value of an option.
    Value(&'a Arg),
    /// A verb, if the command has any, or one of these arguments.
    Argument(Vec<&'a Arg>),
    /// A word of the user's command, which begins with this word.
    Command(usize),
}

/// How far the words were read.
struct Reader<'a> {
    command: &'a Command,
    /// The option whose value comes next.
    pending: Option<&'a Arg>,
    /// `--` was there.
    only_arguments: bool,
    given: Vec<String>,
    used: Vec<Id>,
}

impl<'a> Cursor<'a> {
    /// The last word is the one that is being typed. `None` if there is none.
    pub(super) fn at_the_end_of(words: &[String], hap: &'a Command) -> Option<Self> {
        let (word, before) = words.split_last()?;
        let mut reader =
            Reader { command: hap, pending: None, only_arguments: false, given: Vec::new(), used: Vec::new() };
        for (index, word) in before.iter().enumerate() {
            if reader.is_at_command(word) {
                return Some(reader.cursor(Place::Command(index), word));
            }
            reader.read(word);
        }
        let (place, word) = reader.place(word, before.len());
        Some(reader.cursor(place, word))
    }
}

impl<'a> Reader<'a> {
    fn cursor(self, place: Place<'a>, word: &str) -> Cursor<'a> {
        let Self { command, given, used, .. } = self;
        Cursor { command, place, word: word.to_owned(), given, used }
    }

    /// Whether this word is the first of the user's command.
    fn is_at_command(&self, word: &str) -> bool {
        let takes_all = self.arguments().first().is_some_and(|argument| argument.is_trailing_var_arg_set());
        takes_all && self.pending.is_none() && !self.is_option(word)
    }

    fn is_option(&self, word: &str) -> bool {
        !self.only_arguments && word.starts_with('-') && word != "-"
    }

    fn read(&mut self, word: &str) {
        if self.pending.take().is_some() {
            return;
        }
        if self.is_option(word) {
            self.read_option(word);
        } else if let Some(verb) = self.command.find_subcommand(word).filter(|_| self.given.is_empty()) {
            self.command = verb;
            self.used.clear();
        } else {
            self.given.push(word.to_owned());
        }
    }

    fn read_option(&mut self, word: &str) {
        match word.strip_prefix("--") {
            Some("") => self.only_arguments = true,
            Some(long) => {
                let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
                let option = self.long(name);
                self.used.extend(option.map(|option| option.get_id().clone()));
                self.pending = option.filter(|option| value.is_none() && takes_value(option));
            }
            None => self.read_short(&word[1..]),
        }
    }

    /// `-vn` is `-v -n`, and `-n5` is `-n 5`.
    fn read_short(&mut self, letters: &str) {
        for (at, letter) in letters.char_indices() {
            let Some(option) = self.command.get_arguments().find(|option| option.get_short() == Some(letter)) else {
                continue;
            };
            self.used.push(option.get_id().clone());
            if takes_value(option) {
                let is_last = at + letter.len_utf8() == letters.len();
                self.pending = is_last.then_some(option);
                return;
            }
        }
    }

    fn place<'w>(&self, word: &'w str, index: usize) -> (Place<'a>, &'w str) {
        if let Some(option) = self.pending {
            return (Place::Value(option), word);
        }
        let long = word.strip_prefix("--").and_then(|long| long.split_once('='));
        if let Some((name, value)) = long.filter(|_| !self.only_arguments) {
            return (self.long(name).map_or(Place::Argument(Vec::new()), Place::Value), value);
        }
        if word.starts_with('-') && !self.only_arguments {
            return (Place::Option, word);
        }
        if self.is_at_command(word) {
            return (Place::Command(index), word);
        }
        (Place::Argument(self.arguments()), word)
    }

    /// The arguments that the next word can be.
    fn arguments(&self) -> Vec<&'a Arg> {
        let all: Vec<&Arg> = self.command.get_positionals().collect();
        let is_many = |argument: &Arg| argument.get_num_args().is_some_and(|range| range.max_values() > 1);
        let first_many = all.iter().position(|argument| is_many(argument)).unwrap_or(all.len());
        let count = self.given.len();
        match all.get(count.min(first_many)) {
            // What follows any number of arguments may come as soon as there is one.
            Some(many) if is_many(many) && count > first_many => all[first_many..].to_vec(),
            argument => argument.copied().into_iter().collect(),
        }
    }

    fn long(&self, name: &str) -> Option<&'a Arg> {
        self.command.get_arguments().find(|option| {
            option.get_long() == Some(name) || option.get_all_aliases().is_some_and(|aliases| aliases.contains(&name))
        })
    }
}

fn takes_value(option: &Arg) -> bool {
    matches!(option.get_action(), ArgAction::Set | ArgAction::Append)
}

#[cfg(test)]
mod tests {
    use super::{Cursor, Place};
    use crate::cli::arguments::Arguments;
    use clap::CommandFactory;

    /// The verb, what is expected there, the word so far, and the arguments before it.
    fn at(line: &str) -> String {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let mut hap = Arguments::command();
        hap.build();
        let cursor = Cursor::at_the_end_of(&words, &hap).expect("there is a word");
        let place = match cursor.place {
            Place::Option => "an option".to_owned(),
            Place::Value(option) => format!("the value of {}", option.get_id()),
            Place::Argument(arguments) => {
                arguments.iter().map(|argument| argument.get_id().as_str()).collect::<Vec<_>>().join(" or ")
            }
            Place::Command(from) => format!("a command from {from}"),
        };
        let given = cursor.given.join(" ");
        format!("{}: {place}: {}: {given}", cursor.command.get_name(), cursor.word)
    }

    #[test]
    fn verbs_and_arguments_are_told_apart() {
        assert_eq!(at(""), "hap: : : ");
        assert_eq!(at("lo"), "hap: : lo: ");
        assert_eq!(at("show tr"), "status: aliases: tr: ");
        assert_eq!(at("stop train "), "stop: aliases: : train");
        assert_eq!(at("logs train "), "logs: aliases: : train");
        assert_eq!(at("rename a b "), "rename: : : a b");
        assert_eq!(at("signal train T"), "signal: aliases or signal: T: train");
        assert_eq!(at("rename a b"), "rename: new_name: b: a");
    }

    #[test]
    fn options_and_their_values_are_told_apart() {
        assert_eq!(at("-"), "hap: an option: -: ");
        assert_eq!(at("logs --f"), "logs: an option: --f: ");
        assert_eq!(at("logs -n "), "logs: the value of tail: : ");
        assert_eq!(at("logs -fn 5 "), "logs: aliases: : ");
        assert_eq!(at("logs -n5 t"), "logs: aliases: t: ");
        assert_eq!(at("logs --tail=5 t"), "logs: aliases: t: ");
        assert_eq!(at("run --workdir=/et"), "run: the value of workdir: /et: ");
        assert_eq!(at("stop -- -"), "stop: aliases: -: ");
    }

    #[test]
    fn a_users_command_begins_with_its_first_word() {
        assert_eq!(at("run "), "run: a command from 1: : ");
        assert_eq!(at("run -n x -d / ma"), "run: a command from 5: ma: ");
        assert_eq!(at("run make -C"), "run: a command from 1: make: ");
        assert_eq!(at("run -- make --f"), "run: a command from 2: make: ");
        assert_eq!(at("run --me"), "run: an option: --me: ");
    }
}
