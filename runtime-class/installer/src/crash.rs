//! Points at which the tests kill the installer, to see that it can be killed
//! anywhere. Without the feature `crash-points` there is nothing here.

/// Kills this process, without a last word, if it is the turn of this point:
/// `CRASH_AT` has its number or its name.
#[cfg(feature = "crash-points")]
pub fn point(name: &str) {
    use std::sync::atomic::{AtomicUsize, Ordering};

    static PASSED: AtomicUsize = AtomicUsize::new(0);
    let at = std::env::var("CRASH_AT").unwrap_or_default();
    let number = PASSED.fetch_add(1, Ordering::Relaxed);
    if at == name || at.parse() == Ok(number) {
        eprintln!("crash point: {name}");
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

#[cfg(not(feature = "crash-points"))]
pub fn point(_: &str) {}
