//! Documents on their way to typed values, and the faults found on it.

use document::{Document, Faults, nearest, preset_or_file, read_text};
use insta::assert_snapshot;
use schemars::JsonSchema;
use serde::Deserialize;

/// A recipe.
#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Recipe {
    /// Name of the dish.
    #[schemars(length(min = 1, max = 128))]
    name: String,
    /// Oven, if it is baked.
    oven: Option<Oven>,
    /// Steps, in order.
    #[serde(default)]
    steps: Vec<Step>,
    /// Number of people it feeds.
    guests: Option<u16>,
    /// Heat lost, for each wall.
    #[serde(default)]
    losses: Vec<f32>,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Oven {
    /// Heat, in degrees Celsius.
    #[schemars(range(min = 50.0, max = 300.0))]
    heat_c: f64,
    /// Time in it, in minutes.
    #[schemars(range(min = 1, max = 600))]
    time_min: u32,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Step {
    /// Kind of step.
    kind: Kind,
    /// True if it can wait.
    #[serde(default)]
    can_wait: bool,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// With a spoon.
    Stir,
    /// With a knife.
    Chop,
}

fn read(text: &str) -> Result<Recipe, Faults> {
    let mut document = Document::parse(text, "recipe.toml");
    let recipe = document.read();
    document.finish(recipe)
}

fn faults(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

fn messages(text: &str) -> Vec<String> {
    read(text).unwrap_err().iter().map(|fault| fault.message().to_owned()).collect()
}

#[test]
fn a_document_that_fits_is_read_with_its_defaults() {
    let recipe =
        read("\u{feff}name = 'bread'\r\noven = { heat_c = 220, time_min = 0x28 }\r\n[[steps]]\r\nkind = 'stir'\r\n")
            .unwrap();
    assert_eq!(
        recipe,
        Recipe {
            name: "bread".to_owned(),
            oven: Some(Oven { heat_c: 220.0, time_min: 40 }),
            steps: vec![Step { kind: Kind::Stir, can_wait: false }],
            guests: None,
            losses: Vec::new(),
        }
    );
    assert_eq!(read("name = 'salad'").unwrap().oven, None);
}

#[test]
fn every_fault_is_drawn_with_its_place_and_remedy() {
    let faults = faults(
        "nmae = 'bread'\ncolour = 'brown'\n\n[oven]\nheat_c = '220 C'\ntime_min = 99999999999999999999\n\n\
         [[steps]]\nkind = 'stirr'\n\n[[steps]]\ncan_wait = 'yes'\n",
    );
    assert_snapshot!(faults);
}

#[test]
fn faults_of_syntax_do_not_hide_the_others() {
    let faults = faults("name = 'bread'\nname = 'cake'\noven = { heat_c = 1, time_min = }\nsteps = 3\n");
    assert_snapshot!(faults);
}

#[test]
fn a_text_without_quotes_is_one_fault_and_not_two() {
    assert_eq!(messages("name = 'x'\n[oven]\nheat_c = 220 C\ntime_min = 5\n").len(), 1);
    assert_eq!(messages("name = bread\n").len(), 1);
}

#[test]
fn a_key_that_is_only_misspelt_is_not_called_missing_too() {
    assert_eq!(messages("naem = 'x'"), ["unknown key naem"]);
}

#[test]
fn a_table_where_a_value_belongs_and_a_value_where_a_table_belongs_are_faults() {
    let messages = messages("oven = 220\nsteps = { kind = 'stir' }\n[name]\n");
    assert_eq!(
        messages,
        [
            "oven must be a table, not 220",
            "steps must be a list, not a table",
            "name must be a text of 1 to 128 bytes without control characters, not a table"
        ]
    );
}

#[test]
fn numbers_that_are_not_finite_are_out_of_every_range() {
    for number in ["nan", "inf", "-inf"] {
        let messages = messages(&format!("name = 'x'\n[oven]\nheat_c = {number}\ntime_min = 1\n"));
        assert_eq!(messages.len(), 1, "{number}");
    }
}

#[test]
fn a_value_that_is_set_takes_the_place_of_the_one_in_the_text() {
    let mut document = Document::parse("name = 'x'\noven = { heat_c = 100, time_min = 1 }\n", "recipe.toml");
    document.set("oven.heat_c", 200.into());
    let recipe: Recipe = document.read().unwrap();
    assert_eq!(recipe.oven.unwrap().heat_c, 200.0);
}

#[test]
fn a_fault_of_a_value_that_is_wrong_already_is_not_added() {
    let mut document = Document::parse("name = ''\noven = { heat_c = 100, time_min = 0 }\n", "recipe.toml");
    let recipe: Option<Recipe> = document.read();
    document.fault(&["oven.heat_c", "oven.time_min"], "too hot for so long", "wait");
    document.fault(&["oven.heat_c"], "too hot", "wait");
    let faults = document.finish(recipe).unwrap_err();
    let messages: Vec<&str> = faults.iter().map(document::Fault::message).collect();
    assert_eq!(messages.len(), 3);
    assert_eq!(messages[1], "too hot");
}

#[test]
fn a_fault_knows_its_file_span_and_remedy() {
    let faults = read("name = 'x'\nsteps = 3\n").unwrap_err();
    let fault = faults.iter().next().unwrap();
    assert_eq!(fault.file(), Some("recipe.toml"));
    assert_eq!(fault.span(), Some(19..20));
    assert_eq!(fault.line_and_column(), Some((2, 9)));
    assert_eq!(fault.remedy(), "correct steps (Steps, in order)");
}

#[test]
fn faults_have_colours_only_when_asked() {
    let faults = read("").unwrap_err();
    assert!(!faults.to_string().contains('\u{1b}'));
    assert!(faults.coloured().contains('\u{1b}'));
}

#[test]
fn files_that_are_binary_or_cannot_be_read_are_faults() {
    let binary = std::env::current_exe().unwrap();
    let faults = read_text(binary.to_str().unwrap()).unwrap_err();
    assert!(faults.to_string().contains("is a binary file"), "{faults}");
    let faults = read_text("no/such/file.toml").unwrap_err();
    assert!(faults.to_string().contains("no/such/file.toml cannot be read"), "{faults}");
    assert!(read_text("src").is_err());
}

#[test]
fn a_preset_comes_before_a_file_and_a_misspelt_one_is_named() {
    let presets = [("bread", "name = 'bread'"), ("cake", "name = 'cake'")];
    assert_eq!(preset_or_file(&presets, "cake").unwrap(), ("name = 'cake'".to_owned(), "cake.toml".to_owned()));
    let (text, file) = preset_or_file(&presets, "Cargo.toml").unwrap();
    assert!(text.contains("[package]"));
    assert_eq!(file, "Cargo.toml");
    let faults = preset_or_file(&presets, "bred").unwrap_err();
    assert!(faults.to_string().contains("did you mean bread?"), "{faults}");
}

#[test]
fn the_nearest_name_differs_in_at_most_a_third_of_its_letters() {
    let known = ["rows", "columns", "cell_bits"];
    assert_eq!(nearest("colums", known), Some("columns"));
    assert_eq!(nearest("cellbits", known), Some("cell_bits"));
    assert_eq!(nearest("sow", known), None);
    assert_eq!(nearest("banks", known), None);
}

#[test]
fn numbers_that_their_type_cannot_hold_are_faults_with_a_place() {
    let cases = [
        ("guests = 65536", "guests must be a whole number from 0 to 65535, not 65536"),
        ("guests = -1", "guests must be a whole number from 0 to 65535, not -1"),
        ("guests = 3.0", "guests must be a whole number from 0 to 65535, not 3"),
        ("guests = nan", "guests must be a whole number from 0 to 65535, not NaN"),
        ("guests = 99999999999999999999", "guests must be a whole number from 0 to 65535, not 100000000000000000000"),
        ("guests = 0x10000000000000000", "guests must be a whole number from 0 to 65535, not 18446744073709552000"),
        ("losses = [1, 1e39]", "losses[1] must be a number, not 1000000000000000000000000000000000000000"),
        ("losses = [inf]", "losses[0] must be a number, not inf"),
    ];
    for (line, message) in cases {
        let faults = read(&format!("name = 'x'\n{line}\n")).unwrap_err();
        let fault = faults.iter().next().unwrap();
        assert!(fault.message().starts_with(message), "{line}: {}", fault.message());
        assert!(fault.span().is_some_and(|span| span.start > 11), "{line}");
    }
    assert_eq!(read("name = 'x'\nguests = 65535").unwrap().guests, Some(65535));
}

#[test]
fn texts_that_would_break_a_line_are_faults_and_all_others_are_not() {
    for escape in ["\\n", "\\r", "\\t", "\\u0000", "\\u001b[31m", "\\u007f", "\\u0085", "\\u2028"] {
        let messages = messages(&format!("name = \"a{escape}b\""));
        assert!(messages[0].contains("without control characters"), "{escape}: {messages:?}");
    }
    let name = "</script> 网络, \"a\"/b 100% 'x*[?]";
    assert_eq!(read(&format!("name = '''{name}'''")).unwrap().name, name);
}

#[test]
fn faults_by_the_ten_thousand_are_counted_and_the_first_are_drawn() {
    let mut text = "name = 'x'\n".to_owned();
    (0..50_000).for_each(|number| text += &format!("key{number} = {number}\n"));
    let faults = read(&text).unwrap_err();
    assert_eq!(faults.iter().count(), 50_000);
    let drawn = faults.to_string();
    assert_eq!(drawn.matches("error: ").count(), 20);
    assert!(drawn.ends_with("\n\n50000 faults in all; these are the first 20"), "{drawn}");
}
