//! Files that are cut off or changed, and data outside the model's folder: an error, no panic, no hang.

use onnx::Options;
use onnx_rs::ast::{DataLocation, DataType, StringStringEntry, TensorProto};

use crate::build::Build;

fn import(bytes: &[u8]) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    std::fs::write(&path, bytes).unwrap();
    onnx::import(&path, &Options::default()).and_then(|import| import.lower()).is_ok()
}

#[test]
fn files_cut_off_anywhere_are_refused() {
    for name in ["resnet18.dynamo", "shufflenet_v2_x1_0.script"] {
        let bytes = std::fs::read(format!("tests/graphs/{name}.onnx")).unwrap();
        for part in 0..100 {
            assert!(!import(&bytes[..bytes.len() * part / 100]), "{part} % of {name}");
        }
    }
}

#[test]
fn changed_files_are_read_or_refused() {
    for name in ["resnet18.dynamo", "shufflenet_v2_x1_0.script"] {
        let bytes = std::fs::read(format!("tests/graphs/{name}.onnx")).unwrap();
        let mut state = 1u64;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % below
        };
        for _ in 0..1_000 {
            let mut changed = bytes.clone();
            for _ in 0..=random(3) {
                let place = random(changed.len());
                changed[place] = u8::try_from(random(256)).unwrap();
            }
            // Most are refused; a change of a name may leave a sound model.
            import(&changed);
        }
    }
}

/// A convolution with weights in the file `location`.
fn external(location: &str, length: &str) -> Vec<u8> {
    let entry = |key, value| StringStringEntry { key, value };
    let weights = TensorProto::from_raw("w", vec![1, 1, 1, 1], DataType::Float, &[])
        .with_data_location(DataLocation::External)
        .with_external_data(vec![entry("location", location), entry("length", length)]);
    Build::new(&[1, 1, 4, 4]).tensor(weights).node("Conv", &["x", "w"], "c", vec![]).bytes()
}

fn import_beside(location: &str, length: &str) -> Result<f32, String> {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("model");
    std::fs::create_dir(&inner).unwrap();
    std::fs::write(folder.path().join("outside.bin"), 2f32.to_le_bytes()).unwrap();
    std::fs::write(inner.join("inside.bin"), 3f32.to_le_bytes()).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.path().join("outside.bin"), inner.join("link.bin")).unwrap();
    let location = location.replace("ABSOLUTE", folder.path().to_str().unwrap());
    std::fs::write(inner.join("model.onnx"), external(&location, length)).unwrap();
    let import = onnx::import(&inner.join("model.onnx"), &Options::default()).map_err(|faults| faults.to_string())?;
    Ok(import.weights().map_err(|faults| faults.to_string())?[0].values[0])
}

#[test]
fn data_files_lie_in_the_folder_of_the_model() {
    assert_eq!(import_beside("inside.bin", "4"), Ok(3.0));
    for location in ["../outside.bin", "ABSOLUTE/outside.bin", "./../outside.bin", "link.bin"] {
        let message = import_beside(location, "4").unwrap_err();
        assert!(message.contains("outside the folder of the model"), "{location}: {message}");
    }
    assert!(import_beside("absent.bin", "4").unwrap_err().contains("missing"));
    assert!(import_beside("inside.bin", "8").unwrap_err().contains("beyond its end"));
    assert!(import_beside("inside.bin", "all").unwrap_err().contains("length"));
}
