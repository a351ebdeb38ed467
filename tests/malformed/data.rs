//! Weights, pictures and labels: bytes changed, and files cut off.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use ndarray::Array4;
use ndarray_npy::{NpzWriter, WriteNpyExt};
use network::Network;
use proptest::prelude::*;
use tempfile::tempdir;

use crate::edits::{byte_edits, edited, edited_bytes, edits};

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/digits")
}

fn digits() -> Network {
    network::load(&example().join("network.toml").to_string_lossy()).expect("the example's network")
}

/// The example's weights as npz.
static NPZ: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let network = digits();
    let weights =
        dataset::load_weights(&example().join("weights.safetensors"), &network).expect("the example's weights");
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut archive = NpzWriter::new(&mut bytes);
    for (layer, weights) in network.layers.iter().zip(&weights.weights.layers) {
        archive.add_array(format!("{}.weight", layer.name), &weights.weights).expect("memory takes all");
        archive.add_array(format!("{}.bias", layer.name), &weights.bias).expect("memory takes all");
    }
    archive.finish().expect("memory takes all");
    bytes.into_inner()
});

/// A file of this name with these bytes.
fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempdir().expect("a folder");
    let path = folder.path().join(name);
    fs::write(&path, bytes).expect("a file");
    (folder, path)
}

fn check_error(error: &dataset::Error, file: &Path) -> Result<(), TestCaseError> {
    let name = file.file_name().expect("a name").to_string_lossy();
    prop_assert!(error.to_string().contains(&*name), "{error}");
    prop_assert!(!error.remedy().is_empty(), "{error}");
    Ok(())
}

fn check_weights(name: &str, bytes: &[u8], network: &Network) -> Result<(), TestCaseError> {
    let (_folder, path) = file(name, bytes);
    if let Err(errors) = dataset::load_weights(&path, network) {
        prop_assert!(!errors.is_empty());
        for error in &errors {
            check_error(error, &path)?;
        }
    }
    Ok(())
}

/// Opens and decodes all pictures of a file.
fn check_pictures(name: &str, bytes: &[u8], network: &Network) -> Result<(), TestCaseError> {
    let (_folder, path) = file(name, bytes);
    match dataset::pictures(&path, network) {
        Ok(pictures) => {
            for picture in pictures {
                if let Err(error) = picture.load(network) {
                    check_error(&error, &path)?;
                }
            }
        }
        Err(error) => check_error(&error, &path)?,
    }
    Ok(())
}

#[test]
fn files_without_edits_are_read() {
    let network = digits();
    let (_folder, path) = file("weights.npz", &NPZ);
    dataset::load_weights(&path, &network).unwrap_or_else(|errors| panic!("{errors:?}"));
    let (_folder, path) = file("pictures.npy", &npy(&network));
    assert_eq!(dataset::pictures(&path, &network).unwrap_or_else(|error| panic!("{error}")).len(), 3);
}

/// Three pictures as npy.
fn npy(network: &Network) -> Vec<u8> {
    let size = |length: u32| usize::try_from(length).expect("usize has 64 bits");
    let input = network.input;
    let mut bytes = Vec::new();
    let pictures = Array4::<u8>::from_elem((3, size(input.height), size(input.width), size(input.channels)), 7);
    pictures.write_npy(&mut bytes).expect("memory takes all");
    bytes
}

proptest! {
    #[test]
    fn safetensors(edits in byte_edits()) {
        let bytes = fs::read(example().join("weights.safetensors")).expect("the example's weights");
        check_weights("weights.safetensors", &edited_bytes(&bytes, &edits), &digits())?;
    }

    #[test]
    fn weights_as_npz(edits in byte_edits()) {
        check_weights("weights.npz", &edited_bytes(&NPZ, &edits), &digits())?;
    }

    #[test]
    fn pictures_as_npy(edits in byte_edits()) {
        let network = digits();
        check_pictures("pictures.npy", &edited_bytes(&npy(&network), &edits), &network)?;
    }

    #[test]
    fn pictures_as_png(edits in byte_edits()) {
        let bytes = fs::read(example().join("test/000.png")).expect("a picture of the example");
        check_pictures("picture.png", &edited_bytes(&bytes, &edits), &digits())?;
    }

    #[test]
    fn labels(edits in edits()) {
        let text: String = (0..10).map(|picture| format!("{picture:03}.png,{picture}\n")).collect();
        let (_folder, path) = file("labels.csv", edited(&format!("image,label\n{text}"), &edits).as_bytes());
        if let Err(error) = dataset::Labels::load(&path, 10) {
            check_error(&error, &path)?;
        }
    }
}
