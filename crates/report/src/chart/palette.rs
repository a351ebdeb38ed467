//! Colours. A colour means one thing in all charts: a component, a stall cause, a layer, or small parts together.
//!
//! Components are cool, causes are warm but for computing and the ends of a run, and layers are pale. All are light
//! enough for black text on them and dark enough to stand out from white paper.

use std::fmt::Write;

use arch::BLOCKS;
use chip::Cause;

/// Colours of the component groups, in the order of [`BLOCKS`].
const COMPONENTS: [&str; 15] = [
    "#5b9bd5", "#8fcbef", "#4a80c4", "#b3d4e8", "#3fa7a0", "#7ed0c4", "#2f9bb8", "#9a86d6", "#c3b4ee", "#7a8fe0",
    "#a5b4f0", "#b57fc9", "#dcb3e3", "#7f93ad", "#5fc0d8",
];
const _: () = assert!(BLOCKS.len() == COMPONENTS.len(), "every block has a colour");

/// Colours of the causes, in the order of [`Cause::ALL`].
const CAUSES: [&str; Cause::ALL.len()] = [
    "#5fae57", "#ef9a3c", "#e05a4e", "#f2c230", "#b9814f", "#f4a78e", "#e0729c", "#b09a3f", "#f6d98a", "#cc6f5c",
    "#9aa0ac", "#c9ccd6", "#f0a8c8",
];

/// Colour of small parts together.
const OTHER: &str = "#c2b59b";

/// Class of small parts together.
pub(crate) const OTHER_CLASS: &str = "other";

/// Colours of all that carries no meaning of its own.
struct Theme {
    ink: &'static str,
    paper: &'static str,
    mute: &'static str,
    empty: &'static str,
    line: &'static str,
}

const LIGHT: Theme = Theme { ink: "#1c1e21", paper: "#ffffff", mute: "#5c5f6e", empty: "#ececf0", line: "#d2d2da" };
const DARK: Theme = Theme { ink: "#e8e8ee", paper: "#17181c", mute: "#a0a0ae", empty: "#2a2c33", line: "#3f414a" };

/// Returns the class of a component group.
pub(crate) fn component(name: &str) -> String {
    let index = BLOCKS.iter().position(|block| block.name == name);
    index.map_or(OTHER_CLASS.to_owned(), |index| format!("c{index}"))
}

/// Returns the class of a stall cause.
pub(crate) fn cause(cause: Cause) -> String {
    format!("k{}", cause as usize)
}

/// Returns the colour of a layer, which differs clearly from those of its neighbours.
pub(crate) fn layer(index: usize) -> String {
    // Steps of the golden angle spread any number of hues evenly.
    let hue = (index as f64 * 137.508) % 360.0;
    hex(hue, 0.55, if index.is_multiple_of(2) { 0.82 } else { 0.74 })
}

/// Returns a colour given as hue in degrees, saturation and lightness.
fn hex(hue: f64, saturation: f64, lightness: f64) -> String {
    let reach = saturation * lightness.min(1.0 - lightness);
    let channel = |offset: f64| {
        let turn = (offset + hue / 30.0) % 12.0;
        255.0 * (lightness - reach * (turn - 3.0).min(9.0 - turn).clamp(-1.0, 1.0))
    };
    [0.0, 8.0, 4.0].into_iter().fold("#".to_owned(), |colour, offset| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a channel is at most 255")]
        let value = channel(offset).round() as u8;
        format!("{colour}{value:02x}")
    })
}

/// Returns the style of a page, in light and, on screens, in dark.
pub(crate) fn of_page() -> String {
    let variables = |theme: &Theme| {
        let Theme { ink, paper, mute, empty, line } = theme;
        format!(":root{{--ink:{ink};--paper:{paper};--mute:{mute};--empty:{empty};--line:{line}}}")
    };
    format!(
        "{}@media screen and (prefers-color-scheme:dark){{{}}}{}",
        variables(&LIGHT),
        variables(&DARK),
        rules(&Theme {
            ink: "var(--ink)",
            paper: "var(--paper)",
            mute: "var(--mute)",
            empty: "var(--empty)",
            line: "var(--line)"
        })
    )
}

/// Returns the style of a chart that is a file of its own. Vector editors know no variables, so it has none.
pub(crate) fn of_picture() -> String {
    rules(&LIGHT)
}

fn rules(theme: &Theme) -> String {
    let Theme { ink, paper, mute, empty, line } = theme;
    let mut style = format!(
        "svg{{font:12px Helvetica,Arial,'Liberation Sans',sans-serif}}text{{fill:{ink}}}.mute{{fill:{mute}}}\
         .on{{fill:#111}}.title{{font-size:15px;font-weight:bold}}.paper{{fill:{paper}}}.empty{{fill:{empty}}}\
         .grid{{stroke:{line}}}.axis{{stroke:{mute}}}.frame{{fill:none;stroke:{line}}}.{OTHER_CLASS}{{fill:{OTHER}}}\
         .static{{fill-opacity:.45}}.wire{{stroke:{}}}",
        COMPONENTS[BLOCKS.iter().position(|block| block.name == "router").expect("the mesh has routers")]
    );
    for (kind, colours) in [("c", &COMPONENTS[..]), ("k", &CAUSES[..])] {
        for (index, colour) in colours.iter().enumerate() {
            write!(style, ".{kind}{index}{{fill:{colour}}}").expect("a text takes what is written to it");
        }
    }
    style
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channels(colour: &str) -> [f64; 3] {
        [1, 3, 5].map(|at| f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()))
    }

    /// Returns the luminance of WCAG 2, 0 to 1.
    fn luminance(colour: &str) -> f64 {
        let [red, green, blue] = channels(colour).map(|channel| {
            let part = channel / 255.0;
            if part <= 0.03928 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    #[test]
    fn black_text_can_be_read_on_every_colour() {
        let layers: Vec<String> = (0..160).map(layer).collect();
        for colour in COMPONENTS.iter().chain(&CAUSES).copied().chain(layers.iter().map(String::as_str)) {
            // 4.5 is the contrast that WCAG asks for; #111 has a luminance of 0.006.
            assert!((luminance(colour) + 0.05) / 0.056 >= 4.5, "{colour}");
        }
    }

    #[test]
    fn no_two_components_or_causes_share_a_colour() {
        let all: Vec<&str> = COMPONENTS.iter().chain(&CAUSES).copied().chain([OTHER]).collect();
        for (index, colour) in all.iter().enumerate() {
            for other in &all[..index] {
                let [a, b] = [colour, other].map(|colour| channels(colour));
                let distance: f64 = a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum();
                assert!(distance > 20.0, "{colour} and {other}");
            }
        }
    }

    #[test]
    fn a_layer_looks_unlike_the_one_before() {
        assert_eq!(hex(0.0, 1.0, 0.5), "#ff0000");
        assert_eq!(hex(210.0, 0.5, 0.6), "#6699cc");
        for index in 1..160 {
            assert_ne!(layer(index), layer(index - 1));
        }
    }
}
