//! Points at which the tests kill the installer, to prove that the next run
//! finishes its work. Without the feature `crash-points` they do nothing.

/// Kills this process with SIGKILL if `CRASH_AT` is the name of this point, or
/// the number of points passed before it.
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
