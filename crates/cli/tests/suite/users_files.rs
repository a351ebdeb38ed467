//! Users' weights and pictures as they come, and the ranges of activations.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::answers::{arguments, case};
use crate::{Ran, aquasim, succeeds};

/// Output of `infer --json -`.
fn answered(place: &Path, options: &[&str]) -> Value {
    serde_json::from_str(&succeeds(place, &arguments("infer", &[options, &["--json", "-"]].concat()))).unwrap()
}

/// Name and scores of each picture.
fn scores(answers: &Value) -> Vec<(String, Value)> {
    let pictures = answers["pictures"].as_array().unwrap();
    pictures.iter().map(|picture| (picture["picture"].as_str().unwrap().to_owned(), picture["top"].clone())).collect()
}

/// A file of tensors with the header and the data changed.
fn rewrite(path: &Path, change: impl Fn(&mut serde_json::Map<String, Value>, &mut Vec<u8>)) {
    let bytes = fs::read(path).unwrap();
    let size = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut header: Value = serde_json::from_slice(&bytes[8..8 + size]).unwrap();
    let mut data = bytes[8 + size..].to_vec();
    change(header.as_object_mut().unwrap(), &mut data);
    let header = serde_json::to_vec(&header).unwrap();
    fs::write(path, [&(header.len() as u64).to_le_bytes()[..], &header, &data].concat()).unwrap();
}

/// Adds a tensor of zeros.
fn add(path: &Path, name: &str, length: usize) {
    rewrite(path, |header, data| {
        let start = data.len();
        data.resize(start + 4 * length, 0);
        header
            .insert(name.to_owned(), json!({ "dtype": "F32", "shape": [length], "data_offsets": [start, data.len()] }));
    });
}

#[test]
fn notes_say_what_was_left_out_and_answers_stay() {
    let place = case(3);
    let weights = place.path().join("weights.safetensors");
    let expected = scores(&answered(place.path(), &[]));
    rewrite(&weights, |header, _| *header = header.iter().map(|(k, v)| (format!("module.{k}"), v.clone())).collect());
    add(&weights, "epoch", 1);
    let Ran { code, stdout, stderr } = aquasim(place.path(), &arguments("infer", &["--json", "-"]));
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(
        stderr,
        "note: weights.safetensors: the tensors' names begin with module., which is left out\n\
         note: weights.safetensors: no layer of digits uses epoch\n"
    );
    assert_eq!(scores(&serde_json::from_str(&stdout).unwrap()), expected);
    add(&weights, "module.features.1.running_var", 8);
    let Ran { code, stdout, stderr } = aquasim(place.path(), &arguments("infer", &[]));
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("no layer for that: module.features.1.running_var"), "{stderr}");
}

#[test]
fn answers_depend_on_no_order_and_with_ranges_on_no_other_picture() {
    let place = case(40);
    let test = place.path().join("test");
    let all = answered(place.path(), &["--save-ranges", "ranges.toml"]);
    assert_eq!(all["ranges"]["calibration"], "32 of 40 pictures, drawn by content");
    // The same pictures in the opposite order.
    let labels = fs::read_to_string(place.path().join("labels.csv")).unwrap();
    let renamed = |name: &str| format!("{:03}.png", 39 - name[..3].parse::<u32>().unwrap());
    fs::rename(&test, place.path().join("before")).unwrap();
    fs::create_dir(&test).unwrap();
    let mut turned = "image,label\n".to_owned();
    for line in labels.lines().skip(1) {
        let (name, label) = line.split_once(',').unwrap();
        fs::copy(place.path().join("before").join(name), test.join(renamed(name))).unwrap();
        turned += &format!("{},{label}\n", renamed(name));
    }
    fs::write(place.path().join("labels.csv"), turned).unwrap();
    let other = answered(place.path(), &[]);
    assert_eq!(all["ranges"], other["ranges"]);
    let mut other: Vec<_> = scores(&other).into_iter().map(|(name, top)| (renamed(&name), top)).collect();
    other.reverse();
    assert_eq!(scores(&all), other);
    // Two pictures alone: by the ranges that were saved, and by the set that was named.
    for index in 2..40 {
        fs::remove_file(test.join(format!("{index:03}.png"))).unwrap();
    }
    for options in [&["--ranges", "ranges.toml"][..], &["--calibrate", "before/000.png", "before"]] {
        let two = answered(place.path(), options);
        let expected = [&other[39], &other[38]].map(|(_, top)| top);
        let found = scores(&two);
        assert_eq!(found.iter().map(|(_, top)| top).collect::<Vec<_>>(), expected, "{options:?}");
    }
    assert_eq!(answered(place.path(), &["--ranges", "ranges.toml"])["ranges"], all["ranges"]);
    let named = answered(place.path(), &["--calibrate", "before/000.png", "before"]);
    assert_eq!(named["ranges"]["calibration"], "41 pictures of before/000.png and 1 more");
}

#[test]
fn ranges_of_other_weights_and_no_pictures_are_refused() {
    let place = case(2);
    answered(place.path(), &["--save-ranges", "ranges.toml"]);
    let refused = |options: &[&str]| {
        let Ran { code, stdout, stderr } = aquasim(place.path(), &arguments("infer", options));
        assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
        stderr
    };
    assert!(refused(&["--calibrate", "0"]).contains("0 pictures decide no ranges"));
    assert!(refused(&["--calibrate", "nowhere"]).contains("nowhere cannot be read"));
    assert!(refused(&["--calibrate", "2", "--ranges", "ranges.toml"]).contains("cannot be used with"));
    rewrite(&place.path().join("weights.safetensors"), |_, data| data[3] ^= 0x80);
    let said = refused(&["--ranges", "ranges.toml"]);
    assert!(said.contains("ranges.toml:3:") && said.contains("found with other weights"), "{said}");
}

/// Writes an npy file of dark pictures.
fn write_dark(path: &Path, count: usize) {
    let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({count}, 48, 48), }}\n");
    let pixels: Vec<u8> = (0..count * 48 * 48).map(|index| (index % 7) as u8).collect();
    let start = [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), &pixels];
    fs::write(path, start.concat()).unwrap();
}

#[test]
fn saturation_is_a_warning_with_its_remedy_and_dark_pictures_first_do_no_harm() {
    let place = case(30);
    write_dark(&place.path().join("dark.npy"), 8);
    for (command, options) in [
        ("infer", &["--json", "-"][..]),
        ("tolerance", &["--out", "trace.csv"]),
        ("predict", &["--evaluate", "out", "--precisions", "16,0"]),
    ] {
        let options = [options, &["--calibrate", "dark.npy"]].concat();
        let Ran { code, stderr, .. } = aquasim(place.path(), &arguments(command, &options));
        assert_eq!(code, 0, "{stderr}");
        let said = "larger than any that calibration saw (8 pictures of dark.npy)";
        assert!(stderr.contains(said) && stderr.contains("with --calibrate"), "{command}: {stderr}");
    }
    // Eight dark pictures before the others, none of which had decided anything else before.
    write_dark(&place.path().join("test/!dark.npy"), 8);
    let labels = fs::read_to_string(place.path().join("labels.csv")).unwrap();
    let dark: String = (0..8).map(|index| format!("!dark.npy[{index}],0\n")).collect();
    fs::write(place.path().join("labels.csv"), labels + &dark).unwrap();
    let Ran { code, stdout, stderr } = aquasim(place.path(), &arguments("infer", &["--json", "-"]));
    assert_eq!(code, 0, "{stderr}");
    let answers: Value = serde_json::from_str(&stdout).unwrap();
    let right = answers["pictures"].as_array().unwrap().iter().skip(8);
    let right = right.filter(|picture| picture["top"][0]["class"] == picture["label"]).count();
    assert!(right >= 29, "{right} of 30");
}

#[test]
fn json_has_the_answers_their_costs_and_the_ranges() {
    let place = case(3);
    let answers = answered(place.path(), &["--policy", "predicted"]);
    assert_eq!((&answers["schema"], &answers["network"]), (&json!(1), &json!("digits")));
    assert_eq!(answers["totals"]["pictures"], 3);
    assert_eq!(answers["totals"]["right_top5"], 3);
    assert_eq!(answers["ranges"]["layers"].as_array().unwrap().len(), 8);
    for picture in answers["pictures"].as_array().unwrap() {
        let top = picture["top"].as_array().unwrap();
        let scores: Vec<f64> = top.iter().map(|class| class["score"].as_f64().unwrap()).collect();
        assert!(scores.len() == 5 && scores.is_sorted_by(|a, b| a >= b), "{picture}");
        let cycles = picture["cycles"].as_u64().unwrap() as f64;
        assert_eq!(picture["latency_ns"].as_f64().unwrap(), 100.0 * cycles);
        assert!(picture["energy_pj"].as_f64().unwrap() < answers["totals"]["uncropped_pj"].as_f64().unwrap());
    }
    // A file leaves the terminal its answers.
    let printed = succeeds(place.path(), &arguments("infer", &["--json", "answers.json"]));
    assert!(printed.contains("\nranges       3 of 3 pictures, drawn by content\n"), "{printed}");
    assert!(place.path().join("answers.json").exists());
    let Ran { code, stderr, .. } = aquasim(place.path(), &arguments("infer", &["--json", "-", "--csv", "-"]));
    assert_eq!(code, 2, "{stderr}");
}
