//! Mapping files: from TOML text to a checked layout.
//!
//! A mapping for another machine or network, or one that does not fit the schema of its file, is refused before it is
//! laid out. Faults found after that are reported at the key of the layer's entry that causes them.

use arch::Arch;
use document::{Document, Faults};
use network::{Network, Plan};

use crate::{Layout, Mapping, MappingError};

impl Layout {
    /// Reads the mapping file at `path` and lays it out.
    pub fn load(path: &str, arch: &Arch, network: &Network, plan: &Plan) -> Result<Layout, Faults> {
        Layout::parse(&document::read_text(path)?, path, arch, network, plan)
    }

    /// Lays out the mapping in `text`. Faults show the name `file`.
    pub fn parse(text: &str, file: &str, arch: &Arch, network: &Network, plan: &Plan) -> Result<Layout, Faults> {
        let mut document = Document::parse(text, file);
        let mapping: Option<Mapping> = document.read();
        let made_for = mapping.as_ref().map(|mapping| [("arch", &mapping.arch), ("network", &mapping.network)]);
        let mut is_for_this = true;
        for ((key, made_for), given) in made_for.into_iter().flatten().zip([&arch.name, &network.name]) {
            // A changed machine has its own name, and the mapping is checked against its values.
            let is_changed = key == "arch" && arch::is_changed(given, made_for);
            if made_for != given && !is_changed {
                is_for_this = false;
                document.fault(
                    &[key],
                    format!("the mapping is for {made_for}, and the {key} of this run is {given}"),
                    format!("give the {key} that it is for, or write a mapping for {given} with `aquasim map --out`"),
                );
            }
        }
        // Further checks of a mapping for another machine or network, or with stand-ins in it, would mislead.
        if !is_for_this || !document.is_sound("") {
            return document.finish(None);
        }
        let mapping = mapping.map(|mapping| {
            let names: Vec<String> = mapping.layers.iter().map(|layer| layer.name.clone()).collect();
            (Layout::new(arch, network, plan, mapping), names)
        });
        let layout = match mapping {
            Some((Ok(layout), _)) => Some(layout),
            Some((Err(errors), names)) => {
                for error in &errors {
                    place(error, &names, &mut document);
                }
                None
            }
            None => None,
        };
        document.finish(layout)
    }
}

/// Adds `error` to the faults of the document, at the entries of its layers. A layer without an entry is reported at
/// the key `network`, since the network requires it.
fn place(error: &MappingError, names: &[String], document: &mut Document) {
    let key = match error {
        MappingError::Invalid { key, .. } => key,
        _ => "copies",
    };
    let entries = error.layers().iter().filter_map(|layer| names.iter().position(|name| name == layer));
    let paths: Vec<String> = entries.map(|index| format!("layers[{index}].{key}")).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    document.fault(if paths.is_empty() { &["network"] } else { &paths }, error.to_string(), error.remedy());
}
