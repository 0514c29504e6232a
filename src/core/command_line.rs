//! How a command is shown: quoted, so that it can be pasted back into a shell.

/// One line that a POSIX shell reads back as these arguments. Bytes that are no UTF-8 are shown
/// as the replacement character: the exact bytes lie in the hap's `cmdline` file.
pub fn quoted<I>(arguments: I) -> String
where
    I: IntoIterator,
    I::Item: AsRef<str>,
{
    let mut line = String::new();
    for argument in arguments {
        if !line.is_empty() {
            line.push(' ');
        }
        // A NUL, which shlex refuses, cannot be in an argument that execve(2) took.
        let argument = argument.as_ref();
        line.push_str(&shlex::try_quote(argument).unwrap_or(argument.into()));
    }
    line
}

/// Whether a single argument that is no program can only have been meant for a shell:
/// it has white space or a character that shells treat specially.
pub fn is_shell_text(argument: &[u8]) -> bool {
    argument.iter().any(|byte| byte.is_ascii_whitespace() || b"|&;<>()$`\\\"'*?[]#~=%{}!".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::{is_shell_text, quoted};

    #[test]
    fn a_quoted_line_reads_back_as_the_arguments() {
        let arguments = ["python", "-c", "print('a b')", "", "two\nlines", "ünï", "~"];
        let line = quoted(arguments);
        assert_eq!(shlex::split(&line), Some(arguments.map(str::to_owned).to_vec()));
    }

    #[test]
    fn plain_words_are_not_shell_text() {
        for word in ["make", "./a.out", "/bin/true", "a-b_c.d,e:f@g+h"] {
            assert!(!is_shell_text(word.as_bytes()), "{word}");
        }
        for text in ["make && x", "a>b", "X=1", "a|b", "echo\t1", "$HOME/x"] {
            assert!(is_shell_text(text.as_bytes()), "{text}");
        }
    }
}
