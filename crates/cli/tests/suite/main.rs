//! Whole commands, from arguments to texts, files and exit codes.

#![expect(clippy::cast_possible_truncation, reason = "numbers of test cases are small")]

mod answers;
mod bad_input;
mod commands;
mod compare;
mod docs;
mod examples;
mod interrupts;
mod readme;
mod reports;
mod sweep;
mod traces;
mod users_files;
mod widths;

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// A small machine and a small network.
const TINY: [&str; 4] = ["--arch", "tiny", "--network", "tiny"];

/// Exit code and output of a command.
struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

/// Runs `aquasim` in `folder`.
fn aquasim(folder: &Path, arguments: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_aquasim"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("COLUMNS")
        .env_remove("AQUASIM_LOG")
        .output()
        .expect("aquasim can be run");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    let code = output.status.code().expect("aquasim ends by itself");
    Ran { code, stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Standard output of a command that must succeed without a warning.
fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let Ran { code, stdout, stderr } = aquasim(folder, arguments);
    assert_eq!((code, stderr.as_str()), (0, ""), "{arguments:?}");
    stdout
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

/// Names in `folder`, in order.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}
