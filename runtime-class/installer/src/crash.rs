//! Points at which the tests kill the installer, to see that it can be killed
//! anywhere. Without the feature `crash-points` there is nothing here.

/// Kills this process, without a last word, if it is the turn of this point:
/// `CRASH_AT` counts them.
#[cfg(feature = "crash-points")]
pub fn point(name: &str) {
    use std::sync::atomic::{AtomicUsize, Ordering};

    static PASSED: AtomicUsize = AtomicUsize::new(0);
    let at = std::env::var("CRASH_AT")
        .ok()
        .and_then(|at| at.parse().ok());
    if at == Some(PASSED.fetch_add(1, Ordering::Relaxed)) {
        eprintln!("crash point: {name}");
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

#[cfg(not(feature = "crash-points"))]
pub fn point(_: &str) {}
