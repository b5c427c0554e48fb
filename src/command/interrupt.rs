//! Ctrl-C, SIGTERM and a closed terminal: told to the run that is under way, else the command ends. Exits nothing itself.

use std::sync::{Arc, Mutex, Once, PoisonError};

use tokio::sync::Notify;

/// What a run does when it is interrupted.
type Hear = Box<dyn Fn() + Send>;

/// The signals of this process. Until somebody listens for the first time, the system's own action ends the process.
#[derive(Clone, Default)]
pub(super) struct Interrupts(Arc<Inner>);

struct Inner {
    watching: Once,
    listener: Mutex<Option<Hear>>,
    unheard: Notify,
}

impl Default for Inner {
    fn default() -> Self {
        Self { watching: Once::new(), listener: Mutex::default(), unheard: Notify::new() }
    }
}

/// Whoever holds this hears the signals; after it, they end the command.
pub(super) struct Listening(Interrupts);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

impl Interrupts {
    /// Calls `hear` at every signal for as long as the result lives. Must be called inside the runtime.
    pub(super) fn listen(&self, hear: impl Fn() + Send + 'static) -> Listening {
        self.set(Some(Box::new(hear)));
        self.0.watching.call_once(|| {
            if let Ok(mut signals) = Signals::new() {
                let this = self.clone();
                tokio::spawn(async move {
                    while signals.next().await {
                        this.pass_on();
                    }
                });
            }
        });
        Listening(self.clone())
    }

    /// Returns at the first signal that no run hears.
    pub(super) async fn unheard(&self) {
        self.0.unheard.notified().await;
    }

    fn set(&self, listener: Option<Hear>) {
        *self.0.listener.lock().unwrap_or_else(PoisonError::into_inner) = listener;
    }

    fn pass_on(&self) {
        match &*self.0.listener.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(hear) => hear(),
            None => self.0.unheard.notify_one(),
        }
    }
}

/// The signals that ask a process to end.
#[cfg(unix)]
struct Signals([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self([signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?]))
    }

    /// Waits for one; false when there will be none.
    async fn next(&mut self) -> bool {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            it = interrupt.recv() => it,
            it = terminate.recv() => it,
            it = hangup.recv() => it,
        }
        .is_some()
    }
}

/// Ctrl-C, all there is elsewhere.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> bool {
        tokio::signal::ctrl_c().await.is_ok()
    }
}
