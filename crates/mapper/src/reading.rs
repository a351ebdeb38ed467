//! Mapping files: from a text to a checked layout, with faults drawn where they stand.

use arch::Arch;
use document::{Document, Faults};
use network::{Network, Plan};

use crate::{Layout, Mapping, MappingError};

impl Layout {
    /// What follows from the mapping in the TOML file at `path`.
    pub fn load(path: &str, arch: &Arch, network: &Network, plan: &Plan) -> Result<Layout, Faults> {
        Layout::parse(&document::read_text(path)?, path, arch, network, plan)
    }

    /// What follows from the mapping in `text`, which is called `file` in faults.
    pub fn parse(text: &str, file: &str, arch: &Arch, network: &Network, plan: &Plan) -> Result<Layout, Faults> {
        let mut document = Document::parse(text, file);
        let mapping: Option<Mapping> = document.read();
        let made_for = mapping.as_ref().map(|mapping| [("arch", &mapping.arch), ("network", &mapping.network)]);
        let mut is_for_this = true;
        for ((key, made_for), given) in made_for.into_iter().flatten().zip([&arch.name, &network.name]) {
            if made_for != given {
                is_for_this = false;
                document.fault(
                    &[key],
                    format!("the mapping is for {made_for}, and the {key} of this run is {given}"),
                    format!("give the {key} that it is for, or write a mapping for {given} with `aquasim map --out`"),
                );
            }
        }
        // Of a mapping for something else, or with stand-ins in it, the rest says nothing.
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
                errors.iter().for_each(|error| place(error, &names, &mut document));
                None
            }
            None => None,
        };
        document.finish(layout)
    }
}

/// Adds `error` to the faults of the mapping, at the entries of its layers; one without an entry is missed by the
/// network.
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
