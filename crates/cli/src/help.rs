//! Help of the whole program: subcommands in groups, and the subcommand that was meant. Completions and man pages are
//! made from the same.

use std::io;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::Cli;
use crate::failure::Failure;
use crate::output;

/// Subcommands, by what they are for.
const GROUPS: [(&str, &[&str]); 5] = [
    ("Simulate", &["run", "stalls", "compare", "sweep", "merge"]),
    ("Describe", &["arch", "network", "map", "schema"]),
    ("Answer pictures", &["infer", "tolerance", "predict"]),
    ("Evaluate", &["paper"]),
    ("Shell", &["completions", "man", "help"]),
];

/// Returns the command line, with its subcommands in groups.
pub(crate) fn command() -> Command {
    let mut command = Cli::command();
    command.build();
    let groups: Vec<String> = GROUPS.iter().filter_map(|(title, names)| group(&command, title, names)).collect();
    let template =
        format!("{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}\n{{options}}\n", groups.join("\n"));
    Cli::command().help_template(StyledStr::from(template))
}

/// Returns the lines of the subcommands with these names; `None` if there are none.
fn group(command: &Command, title: &str, names: &[&str]) -> Option<String> {
    let of = names.iter().filter_map(|name| command.find_subcommand(name));
    let line = |command: &Command| {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        format!("  {:<12} {about}\n", command.get_name())
    };
    let lines: String = of.map(line).collect();
    (!lines.is_empty()).then(|| format!("{title}:\n{lines}"))
}

/// Adds the nearest subcommand to an error about one that there is not.
pub(crate) fn suggest(mut error: clap::Error) -> clap::Error {
    let has_suggestion = error.get(ContextKind::SuggestedSubcommand).is_some();
    if error.kind() == ErrorKind::InvalidSubcommand
        && !has_suggestion
        && let Some(ContextValue::String(given)) = error.get(ContextKind::InvalidSubcommand)
        && let Some(meant) = document::nearest(given, GROUPS.iter().flat_map(|(_, names)| names.iter().copied()))
    {
        let meant = ContextValue::Strings(vec![meant.to_owned()]);
        error.insert(ContextKind::SuggestedSubcommand, meant);
    }
    error
}

/// Print completions of commands and options for a shell
#[derive(Args)]
pub(crate) struct Completions {
    /// Shell
    shell: Shell,
}

impl Completions {
    /// Prints the script.
    pub(crate) fn execute(self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "aquasim", &mut script);
        output::print(&text(script))
    }
}

/// Print a man page: of the program, or of a command
#[derive(Args)]
pub(crate) struct Manual {
    /// Command, as in `aquasim man run`
    command: Vec<String>,
}

impl Manual {
    /// Prints the page, for `man -l -`.
    pub(crate) fn execute(self) -> Result<(), Failure> {
        let mut root = Cli::command();
        root.build();
        let mut command = &root;
        for name in &self.command {
            command = command.find_subcommand(name).ok_or_else(|| {
                let known: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
                document::Fault::new(
                    format!("there is no command {name}"),
                    format!("the commands are {}", known.join(", ")),
                )
            })?;
        }
        let mut page = Vec::new();
        let rendered: io::Result<()> = Man::new(command.clone()).render(&mut page);
        rendered.expect("a buffer can be written to");
        output::print(&text(page))
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("texts of the program are UTF-8")
}
