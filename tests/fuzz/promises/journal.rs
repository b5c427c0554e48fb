//! Any bytes as a journal: refused, or as many events as lines at most; a prefix of lines gives a prefix of events; and
//! what is read folds into a state or is refused there.

use privaml::model::State;
use privaml::store::journal::{self, Flaw, Replay};

/// The target. The bytes are taken as a journal, and as bare payloads that get their sums.
///
/// # Panics
/// When a promise is broken.
pub fn run(data: &[u8]) {
    judge(data);
    let (mut text, mut sum) = (Vec::new(), String::new());
    for payload in data.split(|&byte| byte == b'\n').filter(|payload| !payload.is_empty()) {
        journal::push_line(&mut text, &mut sum, payload);
    }
    judge(&text);
    // Torn where the input says.
    let cut = data.iter().fold(0_usize, |sum, &byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % (text.len() + 1);
    torn(&text, cut);
}

fn judge(text: &[u8]) {
    let lines: Vec<&[u8]> = text.split_inclusive(|&byte| byte == b'\n').collect();
    let whole = journal::parse(text);
    let good = match &whole {
        Ok(Some(replay)) => {
            assert!(replay.events.len() < lines.len(), "more events than lines");
            assert!(replay.events.windows(2).all(|two| two[0].seq < two[1].seq), "events out of order");
            fold(replay);
            lines.len()
        }
        Ok(None) | Err(Flaw::Newer(_)) => return,
        Err(Flaw::Line(line)) => {
            assert!((1..=lines.len()).contains(line), "line {line} is not there");
            line - 1
        }
    };
    for count in 0..good {
        let prefix = journal::parse(&lines[..count].concat()).expect("a prefix of good lines is good");
        let (events, header) = prefix.map_or((Vec::new(), None), |replay| (replay.events, Some(replay.header)));
        assert_eq!(events.len(), count.saturating_sub(1), "one event a line but the first");
        if let Ok(Some(whole)) = &whole {
            assert!(count == 0 || header.as_ref() == Some(&whole.header));
            assert_eq!(events, whole.events[..events.len()], "a prefix of lines is no prefix of events");
        }
    }
}

/// A tear loses the torn line and nothing before it.
fn torn(text: &[u8], cut: usize) {
    let Ok(Some(whole)) = journal::parse(text) else { return };
    let replay = journal::parse(&text[..cut]).expect("a torn journal is read up to the tear");
    let events = replay.map_or(Vec::new(), |replay| replay.events);
    let lines = text[..cut].split(|&byte| byte == b'\n').count() - 1;
    assert!(events.len() + 1 >= lines && events.len() <= lines, "{} events of {lines} whole lines", events.len());
    assert_eq!(events, whole.events[..events.len()]);
}

fn fold(replay: &Replay) {
    let mut state = State { serial: replay.header.base, ..State::empty(replay.header.lineage) };
    for event in &replay.events {
        let before = state.clone();
        if state.fold(event).is_err() {
            assert_eq!(state, before, "a refused event left a trace");
        }
    }
}
