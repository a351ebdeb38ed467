//! Edits of a file.

use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Numbers at and beyond the ends of ranges, and values that are no numbers.
const EXTREMES: [&str; 16] = [
    "0",
    "-1",
    "1",
    "65536",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "1e308",
    "-0.0",
    "1e-320",
    "nan",
    "inf",
    "\"\"",
    "[]",
];

/// An edit of a text. Places are chosen among those that the text has.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    DeleteLine(Index),
    RepeatLine(Index),
    SwapLines(Index, Index),
    ReplaceNumber(Index, &'static str),
    ReplaceCharacter(Index, char),
    Truncate(Index),
}

/// One to four edits.
pub(crate) fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let index = any::<Index>;
    let edit = prop_oneof![
        2 => index().prop_map(Edit::DeleteLine),
        2 => index().prop_map(Edit::RepeatLine),
        2 => (index(), index()).prop_map(|(one, other)| Edit::SwapLines(one, other)),
        6 => (index(), select(&EXTREMES[..])).prop_map(|(number, value)| Edit::ReplaceNumber(number, value)),
        3 => (index(), any::<char>()).prop_map(|(character, new)| Edit::ReplaceCharacter(character, new)),
        1 => index().prop_map(Edit::Truncate),
    ];
    prop::collection::vec(edit, 1..=4)
}

/// Returns the text after these edits.
pub(crate) fn edited(text: &str, edits: &[Edit]) -> String {
    edits.iter().fold(text.to_owned(), |text, edit| apply(&text, edit))
}

fn apply(text: &str, edit: &Edit) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let characters = text.chars().count();
    if characters == 0 {
        return String::new();
    }
    match edit {
        Edit::DeleteLine(line) => {
            lines.remove(line.index(lines.len()));
        }
        Edit::RepeatLine(line) => {
            let line = line.index(lines.len());
            lines.insert(line, lines[line]);
        }
        Edit::SwapLines(one, other) => {
            let (one, other) = (one.index(lines.len()), other.index(lines.len()));
            lines.swap(one, other);
        }
        Edit::ReplaceNumber(number, value) => {
            let numbers = numbers(text);
            if numbers.is_empty() {
                return text.to_owned();
            }
            let (start, end) = numbers[number.index(numbers.len())];
            return [&text[..start], value, &text[end..]].concat();
        }
        Edit::ReplaceCharacter(character, new) => {
            let place = character.index(characters);
            return text.chars().enumerate().map(|(at, old)| if at == place { *new } else { old }).collect();
        }
        Edit::Truncate(length) => return text.chars().take(length.index(characters)).collect(),
    }
    lines.concat()
}

/// Starts and ends of the numbers outside of words.
fn numbers(text: &str) -> Vec<(usize, usize)> {
    let mut numbers = Vec::new();
    let mut start = None;
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        let continues = character.is_ascii_digit() || start.is_some() && character == '.';
        match start {
            None if continues && !before.is_alphanumeric() && before != '_' => start = Some(at),
            Some(first) if !continues => {
                numbers.push((first, at));
                start = None;
            }
            _ => {}
        }
        before = character;
    }
    numbers
}

/// Edits of bytes: a new length, and bytes replaced.
pub(crate) fn byte_edits() -> impl Strategy<Value = (Option<Index>, Vec<(Index, u8)>)> {
    // Headers are at the beginning, and short.
    let place = any::<Index>();
    (prop::option::weighted(0.3, place), prop::collection::vec((any::<Index>(), any::<u8>()), 0..6))
}

/// Returns the bytes after these edits; half of the replaced bytes are among the first or the last 200.
pub(crate) fn edited_bytes(bytes: &[u8], (length, replaced): &(Option<Index>, Vec<(Index, u8)>)) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (number, (place, byte)) in replaced.iter().enumerate() {
        let ends = bytes.len().min(200);
        let place = match number % 4 {
            0 => place.index(ends),
            1 => bytes.len() - 1 - place.index(ends),
            _ => place.index(bytes.len()),
        };
        bytes[place] = *byte;
    }
    if let Some(length) = length {
        bytes.truncate(length.index(bytes.len()));
    }
    bytes
}
