//! Shows a run while it runs: a live table on a terminal, plain lines without one, JSON lines on demand.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::screen::Screen;
use super::view::View;
use super::{json, summary};
use crate::model::{Event, Outcome, Tally, What};
use crate::plan::Plan;

/// Rows of running steps on a terminal.
const ROWS: usize = 12;
/// Longest silence of a log, in run time.
const SILENCE: Duration = Duration::from_secs(30);

/// The progress of one run.
pub struct Progress {
    view: View,
    screen: Screen,
    bar: Option<ProgressBar>,
    spoke: Duration,
}

impl Progress {
    /// Begins to show a run of `plan`.
    #[must_use]
    pub fn start(screen: &Screen, plan: &Plan) -> Self {
        let bar = (screen.is_terminal() && !screen.is_json()).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self { view: View::new(plan), screen: screen.clone(), bar, spoke: Duration::ZERO }
    }

    /// Shows an event.
    pub fn event(&mut self, event: &Event) {
        self.view.fold(event);
        if self.screen.is_json() {
            if let Some(line) = json::of_event(event) {
                self.screen.event(line);
            }
            return;
        }
        let line = self.view.line(event);
        match (&self.bar, line) {
            (Some(bar), Some(line)) if is_an_end(event) => bar.suspend(|| self.screen.status(&line)),
            (None, Some(line)) => {
                self.spoke = event.at;
                self.screen.status(&line);
            }
            _ => {}
        }
    }

    /// Says something beside the table.
    pub fn say(&self, text: &str) {
        match &self.bar {
            _ if self.screen.is_json() => {}
            Some(bar) => bar.suspend(|| self.screen.status(text)),
            None => self.screen.status(text),
        }
    }

    /// Redraws the table, or breaks a long silence.
    pub fn tick(&mut self, now: Duration) {
        if let Some(bar) = &self.bar {
            let width = self.screen.width().saturating_sub(1);
            let cut = |row: String| row.chars().take(width).collect::<String>();
            let rows = std::iter::once(self.view.head(now)).chain(self.view.rows(now, ROWS));
            bar.set_message(rows.map(cut).collect::<Vec<_>>().join("\n"));
            bar.tick();
        } else if !self.screen.is_json() && now.saturating_sub(self.spoke) >= SILENCE {
            self.spoke = now;
            self.screen.status(&self.view.head(now));
        }
    }

    /// Takes the table away.
    pub fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// The closing text.
    #[must_use]
    pub fn summary(&self, tally: &Tally, elapsed: Duration) -> String {
        summary::summary(&self.view, tally, elapsed)
    }
}

fn is_an_end(event: &Event) -> bool {
    matches!(&event.what, What::Ended { outcome, .. } if !matches!(outcome, Outcome::Cancelled))
}
