//! Whether what runs in the background outlives a logout, by what systemd's documents and code say:
//! logind.conf(5), loginctl(1), `manager_shall_kill` of systemd-logind.

/// Which unit of systemd a process belongs to, as far as a logout concerns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// The scope of a login session: a terminal of the machine, an ssh connection.
    Session,
    /// Some unit of the user's own manager, `user@.service`: terminals of most desktops.
    Manager,
    /// Neither: a logout does not concern it.
    Other,
}

impl Unit {
    /// Reads `/proc/PID/cgroup` (cgroups(7)).
    pub fn read(cgroup: &str) -> Self {
        let is = |start: &str, end: &str| {
            let mut parts = cgroup.lines().flat_map(|line| line.split('/'));
            parts.any(|part| part.starts_with(start) && part.ends_with(end))
        };
        // The manager is within the user's slice and may have scopes of its own.
        if is("user@", ".service") {
            Self::Manager
        } else if is("session-", ".scope") {
            Self::Session
        } else {
            Self::Other
        }
    }
}

/// What logind is told to do with the processes that a session leaves behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    kill: Option<bool>,
    /// What was compiled in, which the file that comes with it shows as a comment.
    default: Option<bool>,
    only: Vec<String>,
    /// `None`: the list that was compiled in, which is root.
    exclude: Option<Vec<String>>,
}

impl Rules {
    /// Adds what a configuration file says; a later one wins.
    pub fn read(&mut self, text: &str) {
        let mut section = "";
        for line in text.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                section = name;
            } else if let Some((key, value)) = setting(line).filter(|_| section == "Login") {
                self.set(key, value);
            }
        }
    }

    /// Takes only the comment from a file that shows what was compiled in.
    pub fn read_default(&mut self, text: &str) {
        let mut comments = text.lines().filter_map(|line| line.trim().strip_prefix('#'));
        let default = comments.find_map(|comment| match setting(comment) {
            Some(("KillUserProcesses", value)) => boolean(value),
            _ => None,
        });
        self.default = self.default.or(default);
    }

    fn set(&mut self, key: &str, value: &str) {
        let list = match key {
            "KillUserProcesses" => {
                self.kill = boolean(value).or(self.kill);
                return;
            }
            "KillOnlyUsers" => &mut self.only,
            "KillExcludeUsers" => self.exclude.get_or_insert_default(),
            _ => return,
        };
        // An empty assignment begins the list again.
        if value.is_empty() {
            list.clear();
        }
        list.extend(value.split_whitespace().map(str::to_owned));
    }

    /// Whether what this user's session leaves behind is killed. `None` if nothing says.
    fn kills(&self, user: &str) -> Option<bool> {
        let is_in = |list: &[String]| list.iter().any(|name| name == user);
        let is_excluded = self.exclude.as_ref().map_or(user == "root", |list| is_in(list));
        if is_excluded {
            Some(false)
        } else if self.only.is_empty() {
            self.kill.or(self.default)
        } else {
            Some(is_in(&self.only))
        }
    }
}

fn setting(line: &str) -> Option<(&str, &str)> {
    line.split_once('=').map(|(key, value)| (key.trim(), value.trim()))
}

/// As systemd reads one.
fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "yes" | "y" | "true" | "t" | "on" => Some(true),
        "0" | "no" | "n" | "false" | "f" | "off" => Some(false),
        _ => None,
    }
}

/// All that the fate at a logout depends on.
#[derive(Clone, Debug)]
pub struct Facts {
    /// systemd runs this machine.
    pub has_systemd: bool,
    /// Where this process belongs, and what it starts with it.
    pub unit: Unit,
    /// The user's name.
    pub user: String,
    /// The user's manager goes on after the last logout: loginctl(1), `enable-linger`.
    pub lingers: bool,
    /// What logind is told.
    pub rules: Rules,
}

/// What a logout does to a hap that is started from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It lives on: there is no systemd.
    NoSystemd,
    /// It lives on: it belongs to no login.
    NoLogin,
    /// It lives on: logind leaves this user's processes alone.
    LeftAlone,
    /// It lives on: the user's manager stays.
    Lingers,
    /// It is killed with its session.
    KilledWithSession {
        /// The user's manager would stay.
        lingers: bool,
    },
    /// It is killed with the user's manager, at the last logout.
    KilledWithManager,
    /// No file says what logind does.
    Unknown,
}

impl Facts {
    /// The fate that these facts amount to. Lingering keeps the user's manager alive, and does not help
    /// who is in the scope of a session.
    pub fn fate(&self) -> Fate {
        if !self.has_systemd {
            return Fate::NoSystemd;
        }
        match (self.unit, self.rules.kills(&self.user)) {
            (Unit::Other, _) => Fate::NoLogin,
            (Unit::Manager, _) if self.lingers => Fate::Lingers,
            (Unit::Manager, _) => Fate::KilledWithManager,
            (Unit::Session, Some(false)) => Fate::LeftAlone,
            (Unit::Session, Some(true)) => Fate::KilledWithSession { lingers: self.lingers },
            (Unit::Session, None) => Fate::Unknown,
        }
    }
}

impl Fate {
    /// A logout ends it.
    pub fn is_death(self) -> bool {
        match self {
            Self::KilledWithSession { .. } | Self::KilledWithManager => true,
            Self::NoSystemd | Self::NoLogin | Self::LeftAlone | Self::Lingers | Self::Unknown => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Facts, Fate, Rules, Unit};

    fn rules(texts: &[&str]) -> Rules {
        let mut rules = Rules::default();
        for text in texts {
            rules.read_default(text);
            rules.read(text);
        }
        rules
    }

    fn kills(texts: &[&str], user: &str) -> Option<bool> {
        rules(texts).kills(user)
    }

    #[test]
    fn the_unit_is_read_from_any_version_of_control_groups() {
        let session = "0::/user.slice/user-1000.slice/session-3.scope\n";
        let hybrid = "12:pids:/user.slice\n1:name=systemd:/user.slice/user-1000.slice/session-c2.scope\n0::/\n";
        let terminal = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/vte-spawn-1.scope\n";
        let service = "0::/system.slice/cron.service\n";
        assert_eq!(Unit::read(session), Unit::Session);
        assert_eq!(Unit::read(hybrid), Unit::Session);
        assert_eq!(Unit::read(terminal), Unit::Manager);
        for other in [service, "0::/\n", "", "0::/user.slice/user-1000.slice\n"] {
            assert_eq!(Unit::read(other), Unit::Other, "{other}");
        }
    }

    #[test]
    fn a_later_file_wins_and_a_comment_shows_the_default() {
        assert_eq!(kills(&[], "ada"), None);
        assert_eq!(kills(&["[Login]\n#KillUserProcesses=no\n"], "ada"), Some(false));
        assert_eq!(kills(&["[Login]\n#KillUserProcesses=yes\n"], "ada"), Some(true));
        assert_eq!(kills(&["[Login]\nKillUserProcesses = on\n"], "ada"), Some(true));
        let shipped = "[Login]\n#KillUserProcesses=no\n";
        assert_eq!(kills(&[shipped, "[Login]\nKillUserProcesses=yes\n"], "ada"), Some(true));
        assert_eq!(kills(&["[Login]\nKillUserProcesses=yes\n", "[Login]\nKillUserProcesses=0"], "ada"), Some(false));
        assert_eq!(kills(&[shipped, "[Other]\nKillUserProcesses=yes\n"], "ada"), Some(false));
        assert_eq!(kills(&["[Login]\nKillUserProcesses=yes\nKillUserProcesses=perhaps\n"], "ada"), Some(true));
    }

    #[test]
    fn lists_of_users_decide_before_the_switch() {
        let yes = "[Login]\nKillUserProcesses=yes\n";
        assert_eq!(kills(&[yes], "root"), Some(false), "root is excluded unless another list is given");
        assert_eq!(kills(&[yes, "[Login]\nKillExcludeUsers=ada bob\n"], "ada"), Some(false));
        assert_eq!(kills(&[yes, "[Login]\nKillExcludeUsers=ada\n"], "root"), Some(true));
        assert_eq!(kills(&[yes, "[Login]\nKillExcludeUsers=ada\nKillExcludeUsers=\n"], "ada"), Some(true));
        assert_eq!(kills(&[yes, "[Login]\nKillOnlyUsers=bob\n"], "ada"), Some(false));
        assert_eq!(kills(&["[Login]\nKillOnlyUsers=ada\n"], "ada"), Some(true));
    }

    #[test]
    fn every_unit_and_rule_has_its_fate() {
        let fate = |has_systemd, unit, text: &str, lingers| {
            Facts { has_systemd, unit, user: "ada".to_owned(), lingers, rules: rules(&[text]) }.fate()
        };
        let (yes, no) = ("[Login]\nKillUserProcesses=yes", "[Login]\nKillUserProcesses=no");
        for lingers in [false, true] {
            assert_eq!(fate(false, Unit::Session, yes, lingers), Fate::NoSystemd);
            assert_eq!(fate(true, Unit::Other, yes, lingers), Fate::NoLogin);
            assert_eq!(fate(true, Unit::Session, no, lingers), Fate::LeftAlone);
            assert_eq!(fate(true, Unit::Session, yes, lingers), Fate::KilledWithSession { lingers });
            assert_eq!(fate(true, Unit::Session, "", lingers), Fate::Unknown);
        }
        for text in [yes, no, ""] {
            assert_eq!(fate(true, Unit::Manager, text, true), Fate::Lingers);
            assert_eq!(fate(true, Unit::Manager, text, false), Fate::KilledWithManager);
        }
    }
}
