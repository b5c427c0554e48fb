//! Signals, closed terminals, full disks and unwritable folders: each has an outcome that is told, and the next run goes on.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use crate::wire::{Arm, binary, done, puts};

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// An apply that has begun to create things.
fn begun(arm: &Arm, home: &Path) -> Child {
    let mut command = arm.apply(home, &["--trace", "first.ndjson"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("virtual_network.core") || !line.contains("creating") {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "it ended before it began");
    }
    // Whoever reads the rest must not be gone: it would be a closed pipe.
    std::thread::spawn(move || said.lines().for_each(drop));
    child
}

/// The next apply ends it, and creates nothing that was created.
fn goes_on(arm: &Arm, home: &Path) {
    done(arm.apply(home, &["--trace", "second.ndjson"]));
    let first = puts(&home.join("first.ndjson"));
    let second = puts(&home.join("second.ndjson"));
    assert!(!first.is_empty() && second.iter().all(|url| !first.contains(url)), "created twice");
    done(arm.client(home, &["plan", "--detailed-exitcode"]));
    assert!(arm.world()["world"]["resources"].as_object().unwrap().len() > 80);
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[cfg(unix)]
#[test]
fn a_terminated_apply_saves_and_the_next_one_ends_it() {
    let arm = Arm::serve("100", false);
    let home = tempfile::tempdir().unwrap();
    let mut command = arm.apply(home.path(), &[]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(130), "{text}");
    assert!(text.contains("Stopping") && text.contains("goes on from here"), "{text}");
    done(arm.apply(home.path(), &[]));
    done(arm.client(home.path(), &["plan", "--detailed-exitcode"]));
    assert!(arm.world()["world"]["resources"].as_object().unwrap().len() > 80);
}

#[cfg(unix)]
#[test]
fn a_closed_terminal_is_like_ctrl_c() {
    let arm = Arm::serve("100", false);
    let home = tempfile::tempdir().unwrap();
    let mut child = begun(&arm, home.path());
    send("-HUP", &child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    goes_on(&arm, home.path());
}

#[cfg(unix)]
#[test]
fn a_second_ctrl_c_leaves_at_once() {
    // Slow: what runs would take a minute.
    let arm = Arm::serve("5", false);
    let home = tempfile::tempdir().unwrap();
    let mut child = begun(&arm, home.path());
    send("-INT", &child);
    std::thread::sleep(Duration::from_millis(300));
    assert!(child.try_wait().unwrap().is_none(), "the first one waits for what runs");
    send("-INT", &child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let listed = done(arm.client(home.path(), &["state", "list", "--json"]));
    assert!(String::from_utf8_lossy(&listed.stdout).contains("open"), "nothing was left open");
}

/// The limit on a file's size stands for a disk that fills up in the middle of a run.
#[cfg(unix)]
#[test]
fn a_full_disk_stops_the_run_and_loses_nothing() {
    let arm = Arm::serve("400", false);
    let home = tempfile::tempdir().unwrap();
    let apply = arm.apply(home.path(), &["--trace", "/dev/null"]);
    let mut limited = Command::new("sh");
    limited.current_dir(home.path()).stdin(Stdio::null()).env_clear();
    limited.envs(apply.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited.arg("-c").arg("trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"").arg(apply.get_program());
    limited.args(apply.get_args());
    let output = limited.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("make room"), "{}", text(&output));
    let made = arm.world()["world"]["resources"].as_object().unwrap().len();
    assert!(made > 0 && made < 80, "{made} resources");
    done(arm.apply(home.path(), &[]));
    done(arm.client(home.path(), &["plan", "--detailed-exitcode"]));
    done(arm.client(home.path(), &["destroy", "--yes"]));
    let again = done(arm.client(home.path(), &["destroy", "--yes"]));
    assert!(String::from_utf8_lossy(&again.stdout).contains("Nothing to destroy"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_takes_no_file_is_told_before_anything_is_sent() {
    let arm = Arm::serve("400", false);
    let home = tempfile::tempdir().unwrap();
    let args = ["--state", "/proc/privaml.state.json", "--trace", "trace.ndjson"];
    let output = arm.apply(home.path(), &args).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("/proc/privaml.state.json"), "{}", text(&output));
    assert!(puts(&home.path().join("trace.ndjson")).is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_cannot_be_written_is_an_error() {
    let home = tempfile::tempdir().unwrap();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = binary(home.path());
    let output = command.args(["plan", "--sandbox"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("could not be written to stdout"), "{}", text(&output));
    // A reader that has seen enough is none.
    let mut command = binary(home.path());
    let mut child = command.args(["plan", "--sandbox"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}
