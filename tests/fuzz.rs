//! Every seed and every kept find of the fuzz targets, played on stable: a find stays found, a seed does not rot.
//! `tests/fuzz/run` looks for new ones.

use std::fs;
use std::path::{Path, PathBuf};

#[expect(unreachable_pub, reason = "the fuzz targets take it from outside")]
#[path = "fuzz/promises/mod.rs"]
mod promises;

pub(crate) use promises::environment::facts;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz")
}

/// The files of `seeds/TARGET` or `finds/TARGET`; a target without finds has no folder.
fn files(kind: &str, target: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder().join(kind).join(target)) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn seeds_and_finds_keep_every_promise() {
    let mut broken = Vec::new();
    for (target, run) in promises::ALL {
        let (seeds, finds) = (files("seeds", target), files("finds", target));
        assert!(seeds.len() >= 3, "{target} has {} seeds", seeds.len());
        for path in seeds.iter().chain(&finds) {
            let data = fs::read(path).unwrap();
            if std::panic::catch_unwind(|| run(&data)).is_err() {
                broken.push(path.display().to_string());
            }
        }
    }
    assert!(broken.is_empty(), "a promise is broken by {}", broken.join(", "));
}

/// A target, seed folder or dictionary that nothing runs would look like a test and be none.
#[test]
fn every_target_is_run() {
    let names = |kind: &str| {
        let mut names: Vec<String> = fs::read_dir(folder().join(kind))
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    let all: Vec<&str> = promises::ALL.iter().map(|(name, _)| *name).collect();
    assert_eq!(names("targets"), all);
    assert_eq!(names("seeds"), all);
    assert!(names("finds").iter().all(|name| all.contains(&name.as_str())));
    assert!(names("dictionaries").iter().all(|name| all.contains(&name.as_str())));
    let manifest = fs::read_to_string(folder().join("Cargo.toml")).unwrap();
    assert!(all.iter().all(|name| manifest.contains(&format!("name = \"{name}\""))));
}
