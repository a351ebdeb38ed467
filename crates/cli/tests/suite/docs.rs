//! Every command that the pages print is run as printed.
//!
//! The `sh` blocks of a page are scripts. They run one after the other in one copy of the repository's files, each from
//! the root. Commands within a line of text, in backticks, are parts of commands or names: their options are parsed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use crate::folder;

/// Files of the repository that printed commands read.
const FILES: [&str; 4] = ["crates/onnx/tests/graphs", "examples", "sweeps", "traces"];

/// Commands of other programs, and scripts that build this one or need the network: not run.
const OTHERS: [&str; 6] =
    ["git clone ", "cargo ", "pip install ", "scripts/", "examples/photos/run.sh", "bash .ci/run"];

/// Commands that take minutes: parsed, and held by tests on smaller inputs.
const LONG: [&str; 5] = [
    "aquasim paper --out paper",         // 47 runs of VGG16, most of them 64 images
    "aquasim paper isaac --out isaac",   // eight networks on up to 64 chips
    "aquasim tolerance ",                // 16 crops x 3 weight sets x 400 pictures
    "aquasim predict \"$@\" --evaluate", // hundreds of settings x 400 pictures
    "aquasim predict \"$@\" --tune",     // the same
];

/// A page, and its commands as scripts for sh.
struct Page {
    path: PathBuf,
    text: String,
}

impl Page {
    fn all() -> Vec<Page> {
        let root = repository();
        let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
        let pages = docs.chain(["README.md", "CONTRIBUTING.md", "traces/README.md"].map(|page| root.join(page)));
        let pages = pages.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
        pages.map(|path| Page { text: fs::read_to_string(&path).unwrap(), path }).collect()
    }

    /// Languages and contents of the fenced blocks.
    fn blocks(&self) -> impl Iterator<Item = (&str, &str)> {
        let fenced = self.text.split("\n```").skip(1).step_by(2);
        fenced.map(|block| block.split_once('\n').expect("a block has lines"))
    }

    /// The blocks of commands, then a block of the commands within text.
    fn scripts(&self) -> Vec<String> {
        let blocks = self.blocks().filter(|(language, _)| *language == "sh");
        let mut scripts: Vec<String> = blocks.map(|(_, lines)| lines.lines().filter_map(runnable).collect()).collect();
        let text = self.text.split("\n```").step_by(2);
        let spans = text.flat_map(|text| text.split('`').skip(1).step_by(2));
        scripts.push(spans.filter(|span| span.starts_with("aquasim ")).map(parsed).collect());
        scripts
    }

    /// Runs the commands; an error is a text.
    fn run(&self) -> Result<(), String> {
        let folder = folder();
        let program = Path::new(env!("CARGO_BIN_EXE_aquasim")).parent().expect("the program is in a folder");
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
        for files in FILES {
            let copy = folder.path().join(files);
            fs::create_dir_all(copy.parent().unwrap()).unwrap();
            let copied = Command::new("cp").arg("-r").arg(repository().join(files)).arg(copy).status().unwrap();
            assert!(copied.success(), "{files}");
        }
        for script in self.scripts() {
            let mut shell = Command::new("sh");
            shell.args(["-eux", "-c", &script]).current_dir(folder.path()).env("PATH", &path);
            let output = shell.output().unwrap();
            if !output.status.success() {
                return Err(format!("{}: {}", self.path.display(), String::from_utf8_lossy(&output.stderr)));
            }
        }
        Ok(())
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A printed line as it is run; `None` for other programs.
fn runnable(line: &str) -> Option<String> {
    let is_among = |commands: &[&str]| commands.iter().any(|command| line.starts_with(command));
    if is_among(&OTHERS) {
        return None;
    }
    Some(if is_among(&LONG) { parsed(line) } else { format!("{line}\n") })
}

/// A command that ends once its options are parsed.
fn parsed(line: &str) -> String {
    let command = line.split(" #").next().expect("a text has a first part");
    format!("{command} --help\n")
}

#[test]
fn every_printed_command_runs() {
    let pages = Page::all();
    for (page, (language, block)) in pages.iter().flat_map(|page| page.blocks().map(move |block| (page, block))) {
        let is_checked = language == "sh" || !block.lines().any(|line| line.starts_with("aquasim"));
        assert!(is_checked, "{}: a block with commands is marked sh, not {language:?}", page.path.display());
    }
    for exception in OTHERS.iter().chain(&LONG) {
        let is_printed = |page: &Page| page.text.lines().any(|line| line.starts_with(exception));
        assert!(pages.iter().any(is_printed), "no page prints {exception}");
    }
    let failures: Vec<String> = thread::scope(|scope| {
        let threads: Vec<_> = pages.iter().map(|page| scope.spawn(|| page.run())).collect();
        threads.into_iter().filter_map(|thread| thread.join().unwrap().err()).collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
