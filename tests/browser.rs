//! The report in a real browser: no way to scroll sideways, nothing fetched, every text of the picture within its box.
//! Needs Chromium (`CHROMIUM` names another program). Skipped where it is absent, unless `CI_CHROMIUM=required`.

use std::path::Path;
use std::process::Command as Process;

use serde_json::Value;
use tempfile::TempDir;

fn chromium() -> Option<String> {
    let name = std::env::var("CHROMIUM").unwrap_or_else(|_| "chromium".to_owned());
    if Process::new(&name).arg("--version").output().is_ok_and(|output| output.status.success()) {
        return Some(name);
    }
    assert!(std::env::var("CI_CHROMIUM").as_deref() != Ok("required"), "{name} is required and not there");
    println!("skipped: no Chromium ({name})");
    None
}

/// Chromium with a profile of its own that is thrown away.
fn run(name: &str, folder: &TempDir, args: &[&str]) -> String {
    let profile = tempfile::tempdir().unwrap();
    let output = Process::new(name)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"])
        .args(["--disable-component-update", "--disable-sync", "--hide-scrollbars", "--virtual-time-budget=10000"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(args)
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn made(folder: &TempDir, sample: &str, verb: &str) -> String {
    let file = format!("{}/samples/{sample}.toml", env!("CARGO_MANIFEST_DIR"));
    let mut command = assert_cmd::Command::cargo_bin("privaml").unwrap();
    command.current_dir(folder.path()).env_clear().args([verb, "-c", &file, "-o", "out"]).assert().success();
    std::fs::read_to_string(folder.path().join("out")).unwrap()
}

/// A page around the report, in a frame of that width, that writes down what it measures: the report itself runs no script.
fn around(report: &str, width: u32) -> String {
    let report = report.replace('&', "&amp;").replace('"', "&quot;");
    let measure = r#"
      addEventListener("load", () => {
        const page = document.getElementById("report");
        const inner = page.contentDocument, root = inner.documentElement, spills = [];
        for (const group of inner.querySelectorAll("svg.topo g")) {
          const box = group.querySelector("rect").getBBox();
          for (const text of group.querySelectorAll("text")) {
            const place = text.getBBox();
            if (place.x < box.x || place.x + place.width > box.x + box.width) spills.push(text.textContent);
          }
        }
        const wide = [...inner.querySelectorAll("body *")].filter(one => !one.closest(".scroll")
          && one.getBoundingClientRect().right > root.clientWidth + 1).map(one => one.tagName + " " + one.className);
        const said = { title: inner.title, scroll: root.scrollWidth, client: root.clientWidth, spills, wide,
          texts: inner.querySelectorAll("svg.topo text").length,
          fetched: page.contentWindow.performance.getEntriesByType("resource").map(one => one.name) };
        document.body.innerHTML = "";
        document.body.dataset.said = encodeURIComponent(JSON.stringify(said));
      });"#;
    format!(
        "<!doctype html><script>{measure}</script><body><iframe id=report width={width} height=900 frameborder=0 \
         srcdoc=\"{report}\"></iframe>"
    )
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut plain, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        if bytes[at] == b'%' {
            plain.push(u8::from_str_radix(&text[at + 1..at + 3], 16).unwrap());
            at += 3;
        } else {
            plain.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(plain).unwrap()
}

fn measured(name: &str, folder: &TempDir, report: &str, width: u32) -> Value {
    std::fs::write(folder.path().join("around.html"), around(report, width)).unwrap();
    let at = format!("file://{}", folder.path().join("around.html").display());
    let dom = run(name, folder, &["--window-size=1400,1000", "--dump-dom", &at]);
    let said = dom.split_once("data-said=\"").and_then(|(_, rest)| rest.split_once('"')).map(|(said, _)| said);
    serde_json::from_str(&decoded(said.unwrap_or_else(|| panic!("the page was not measured: {dom}")))).unwrap()
}

#[test]
fn the_report_fits_desktop_and_phone_and_fetches_nothing() {
    let Some(name) = chromium() else { return };
    let folder = tempfile::tempdir().unwrap();
    for sample in ["everything", "hardened", "no-jumpbox"] {
        let report = made(&folder, sample, "report");
        for width in [1280, 390] {
            let said = measured(&name, &folder, &report, width);
            assert_eq!(said["client"], width, "{sample}: the frame has another width");
            assert_eq!(said["scroll"], said["client"], "{sample} at {width} scrolls sideways: {}", said["wide"]);
            assert_eq!(said["wide"], serde_json::json!([]), "{sample} at {width}");
            assert_eq!(said["fetched"], serde_json::json!([]), "{sample} at {width}");
            assert_eq!(said["spills"], serde_json::json!([]), "{sample} at {width}");
            assert!(said["title"].as_str().unwrap().starts_with("Isolation report: rg-"), "{said}");
            assert!(said["texts"].as_u64().unwrap() > 40, "{said}");
        }
    }
}

#[test]
fn a_page_that_is_too_wide_is_noticed() {
    let Some(name) = chromium() else { return };
    let folder = tempfile::tempdir().unwrap();
    let report = "<title>t</title><body><p style='width:900px'>wide</p><img src='https://stranger.invalid/x.png'>";
    let said = measured(&name, &folder, report, 390);
    assert_ne!(said["scroll"], said["client"]);
    assert_ne!(said["wide"], serde_json::json!([]));
    assert_ne!(said["fetched"], serde_json::json!([]));
}

#[test]
fn the_report_prints() {
    let Some(name) = chromium() else { return };
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("page.html"), made(&folder, "everything", "report")).unwrap();
    let at = format!("file://{}", folder.path().join("page.html").display());
    run(&name, &folder, &["--print-to-pdf=page.pdf", "--no-pdf-header-footer", &at]);
    let pdf = std::fs::read(Path::new(folder.path()).join("page.pdf")).unwrap();
    assert!(pdf.starts_with(b"%PDF") && pdf.len() > 30_000, "{} bytes", pdf.len());
}
