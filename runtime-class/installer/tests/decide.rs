//! The decisions, as a table: what the node is like, and what is done next.

// With this, clippy lets helpers panic, too: see clippy.toml.
#![cfg(test)]

use std::path::Path;
use std::time::{Duration, SystemTime};

use swiss_node_installer::config;
use swiss_node_installer::cri::{RunningRuntime, Status};
use swiss_node_installer::decide::{Action, Decision, Desired, decide};
use swiss_node_installer::dump::Dump;
use swiss_node_installer::node::Node;
use swiss_node_installer::snapshot::{
    Config, Imported, Installed, Judged, Lease, NodeObject, Snapshot,
};
use swiss_node_installer::trial::{Failed, Trial};
use swiss_node_installer::unit::Unit;

const SHIM: &str = "/shims/containerd-shim-spin-v2";
const PLAIN: &str = "version = 3\n[plugins.\"io.containerd.cri.v1.runtime\".containerd.runtimes.runc]\nruntime_type = \"io.containerd.runc.v2\"\n";

fn node() -> Node {
    Node {
        host_root: "/".into(),
        handler: "spin".to_owned(),
        shim: SHIM.into(),
        config: "/etc/containerd/config.toml".into(),
        containerd: None,
        socket: "/run/containerd/containerd.sock".into(),
        unit: "containerd".to_owned(),
        systemctl: "systemctl".to_owned(),
        systemd_run: "systemd-run".to_owned(),
        restart_with_pods: false,
        attempt: String::new(),
        health_timeout: 60,
        report_timeout: 120,
    }
}

fn at(second: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(second)
}

fn dump(text: &str) -> Dump {
    Dump::read(text.as_bytes(), Path::new("/etc/containerd/config.toml")).unwrap()
}

/// The plain configuration with the handler.
fn with_handler() -> String {
    let runtime = node().runtime(&dump(PLAIN));
    String::from_utf8(config::add(PLAIN.as_bytes(), &runtime).unwrap()).unwrap()
}

fn runs(handlers: &[&str]) -> Status {
    Status {
        version: "2.1.9".to_owned(),
        runtime_ready: true,
        network_ready: true,
        handlers: handlers.iter().map(ToString::to_string).collect(),
        reports_handlers: true,
        ..Status::default()
    }
}

/// A node at second 1000 whose file was changed at second 100, whose containerd was
/// started at second 200, and on which nothing is installed.
fn plain() -> Snapshot {
    Snapshot {
        now: at(1000),
        config: Some(Config {
            bytes: PLAIN.into(),
            changed: at(100),
        }),
        generated: None,
        imported: Vec::new(),
        identities: Vec::new(),
        unit: Unit {
            program: "/usr/bin/containerd".into(),
            config: None,
            started: Some(at(200)),
            state_changed: Some(at(200)),
        },
        program_version: "2.1.9".to_owned(),
        dump: Ok(dump(PLAIN)),
        judged: None,
        running: Ok(runs(&["runc"])),
        had_network: true,
        rollback_armed: None,
        restarts: Vec::new(),
        trial: None,
        failed: None,
        shim_sha256: "1234".to_owned(),
        shim: Installed::No,
        rollback_program: Installed::No,
        original: None,
        has_files: false,
        lease: Lease::NotHeld,
        node: Some(NodeObject::default()),
    }
}

fn trial(config: &[u8], shim_sha256: &str, attempt: &str) -> Trial {
    Trial::new(config, shim_sha256, attempt, true)
}

/// The same node, with a candidate that was judged as `text`, and all but the
/// configuration in place.
fn judged(text: &str) -> Snapshot {
    Snapshot {
        judged: Some(Judged {
            config: PLAIN.into(),
            candidate: with_handler().into(),
            dump: Ok(dump(text)),
        }),
        shim: Installed::Yes,
        rollback_program: Installed::Yes,
        trial: Some(trial(with_handler().as_bytes(), "1234", "")),
        original: Some(PLAIN.into()),
        has_files: true,
        lease: Lease::Held,
        rollback_armed: Some(at(990)),
        ..plain()
    }
}

/// A node whose file has the handler, and whose containerd was restarted with it.
fn installed() -> Snapshot {
    Snapshot {
        config: Some(Config {
            bytes: with_handler().into(),
            changed: at(100),
        }),
        dump: Ok(dump(&with_handler())),
        judged: None,
        running: Ok(runs(&["runc", "spin"])),
        lease: Lease::NotHeld,
        rollback_armed: None,
        node: Some(NodeObject {
            handlers: vec!["runc".to_owned(), "spin".to_owned()],
            waited: Duration::ZERO,
        }),
        ..judged("")
    }
}

/// The same node right after the restart, `seconds` ago.
fn on_trial(seconds: u64) -> Snapshot {
    Snapshot {
        rollback_armed: Some(at(900)),
        restarts: vec![at(1000 - seconds)],
        lease: Lease::Held,
        ..installed()
    }
}

fn no_answer() -> Result<Status, String> {
    Err("containerd does not answer".to_owned())
}

fn with_pods(status: Status, pods: usize) -> Result<Status, String> {
    let pods = [("spin".to_owned(), pods)].into();
    Ok(Status { pods, ..status })
}

/// The decision in a word, with what a person reads.
fn told(snapshot: &Snapshot, desired: &Desired, node: &Node) -> String {
    match decide(snapshot, desired, node) {
        Err(error) => format!("refuse: {error:#}"),
        Ok(Decision::Wait(what)) => format!("wait: {what}"),
        Ok(Decision::Postpone(postponed)) => format!("{}: {}", postponed.reason, postponed.message),
        Ok(Decision::Done) => "done".to_owned(),
        Ok(Decision::Act(Action::RollBack { cause })) => format!("roll back: {cause}"),
        Ok(Decision::Act(Action::Replace(change))) => {
            let handler = String::from_utf8(change.new).unwrap().contains("spin");
            format!("replace, with handler: {handler}")
        }
        Ok(Decision::Act(action)) => format!("{action:?}")
            .split([' ', '{'])
            .next()
            .unwrap()
            .to_owned(),
    }
}

/// Each row: what the node is like, and how the decision begins or what it contains.
fn check(desired: &Desired, rows: Vec<(&str, Snapshot, &[&str])>) {
    for (name, snapshot, expected) in rows {
        let told = told(&snapshot, desired, &node());
        for text in expected {
            assert!(told.contains(text), "{name}: {text:?} is not in: {told}");
        }
    }
}

#[test]
fn install_takes_one_step_after_the_other() {
    let all = judged(&with_handler());
    let step = |change: &dyn Fn(&mut Snapshot)| {
        let mut snapshot = all.clone();
        change(&mut snapshot);
        snapshot
    };
    check(
        &Desired::Installed,
        vec![
            (
                "nothing is known of the candidate",
                step(&|it| it.judged = None),
                &["Judge"],
            ),
            (
                "no lease is held",
                step(&|it| it.lease = Lease::NotHeld),
                &["AcquireLease"],
            ),
            (
                "no shim",
                step(&|it| it.shim = Installed::No),
                &["PlaceShim"],
            ),
            (
                "another shim",
                step(&|it| it.shim = Installed::Other),
                &["PlaceShim"],
            ),
            ("no copy", step(&|it| it.original = None), &["KeepOriginal"]),
            (
                "no rollback program",
                step(&|it| it.rollback_program = Installed::No),
                &["PlaceRollbackProgram"],
            ),
            (
                "no record of the trial",
                step(&|it| it.trial = None),
                &["RecordTrial"],
            ),
            (
                "the record of another trial",
                step(&|it| it.trial = Some(trial(PLAIN.as_bytes(), "1234", ""))),
                &["RecordTrial"],
            ),
            (
                "no rollback",
                step(&|it| it.rollback_armed = None),
                &["ArmRollback"],
            ),
            (
                "all is ready",
                all.clone(),
                &["replace, with handler: true"],
            ),
            (
                "killed after the replacement",
                Snapshot {
                    config: Some(Config {
                        bytes: with_handler().into(),
                        changed: at(995),
                    }),
                    running: Ok(runs(&["runc"])),
                    node: Some(NodeObject::default()),
                    rollback_armed: Some(at(990)),
                    lease: Lease::NotNeeded,
                    ..installed()
                },
                &["Restart"],
            ),
            (
                "killed between the record and the restart",
                Snapshot {
                    config: Some(Config {
                        bytes: with_handler().into(),
                        changed: at(995),
                    }),
                    running: Ok(runs(&["runc"])),
                    restarts: vec![at(996)],
                    rollback_armed: Some(at(990)),
                    lease: Lease::NotNeeded,
                    ..installed()
                },
                &["Restart"],
            ),
            ("healthy again", on_trial(2), &["DisarmRollback"]),
            (
                "healthy with what was rolled back before",
                Snapshot {
                    failed: Some(Failed {
                        digest: String::new(),
                        at: at(500),
                    }),
                    ..installed()
                },
                &["ForgetFailure"],
            ),
            (
                "confirmed",
                Snapshot {
                    lease: Lease::Held,
                    ..installed()
                },
                &["ReleaseLease"],
            ),
            ("all done", installed(), &["done"]),
        ],
    );
}

#[test]
fn install_refuses_or_waits_without_a_change() {
    let lacks_runc = with_handler().replace("runtimes.runc", "runtimes.other");
    let shadow = Imported {
        path: "/etc/containerd/conf.d/99.toml".into(),
        bytes: PLAIN.into(),
        changed: at(100),
    };
    let config = |bytes: &str| {
        Some(Config {
            bytes: bytes.into(),
            changed: at(100),
        })
    };
    let three = vec![at(700), at(800), at(900)];
    check(
        &Desired::Installed,
        vec![
            (
                "no file",
                Snapshot {
                    config: None,
                    ..plain()
                },
                &["refuse", "has no configuration"],
            ),
            (
                "k3s elsewhere",
                Snapshot {
                    config: None,
                    generated: Some(("k3s", "/k3s/config.toml")),
                    ..plain()
                },
                &["refuse", "k3s writes /k3s/config.toml"],
            ),
            (
                "k3s",
                Snapshot {
                    config: config("# File generated by k3s. DO NOT EDIT.\n"),
                    ..plain()
                },
                &["refuse", "k3s writes"],
            ),
            (
                "a broken file",
                Snapshot {
                    dump: Err("broken".to_owned()),
                    ..plain()
                },
                &["refuse: broken"],
            ),
            (
                "CRI is disabled",
                Snapshot {
                    dump: Ok(dump("version = 3")),
                    ..plain()
                },
                &["refuse", "CRI plugin is disabled"],
            ),
            (
                "another program",
                Snapshot {
                    program_version: "1.7.24".to_owned(),
                    ..plain()
                },
                &["refuse", "2.1.9", "/usr/bin/containerd is 1.7.24"],
            ),
            (
                "another file",
                Snapshot {
                    unit: Unit {
                        config: Some("/etc/other.toml".into()),
                        ..plain().unit
                    },
                    ..plain()
                },
                &["refuse", "/etc/other.toml", "set CONTAINERD_CONFIG"],
            ),
            (
                "a candidate with losses",
                judged(&lacks_runc),
                &["refuse", "runtimes.runc would be gone"],
            ),
            (
                "a candidate without effect",
                judged(PLAIN),
                &["refuse", "ignores the table of runtimes"],
            ),
            (
                "a drop-in that shadows",
                Snapshot {
                    imported: vec![shadow],
                    ..judged(PLAIN)
                },
                &["refuse", "99.toml", "add these lines"],
            ),
            (
                "no answer",
                Snapshot {
                    running: no_answer(),
                    ..judged(&with_handler())
                },
                &["refuse", "does not answer: nothing was changed"],
            ),
            (
                "no answer, and the handler in the file",
                Snapshot {
                    running: no_answer(),
                    ..installed()
                },
                &["refuse", "does not answer: nothing was changed"],
            ),
            (
                "a restart is owed, and containerd does not answer",
                Snapshot {
                    running: no_answer(),
                    config: Some(Config {
                        bytes: with_handler().into(),
                        changed: at(500),
                    }),
                    ..installed()
                },
                &["refuse", "does not answer: nothing was changed"],
            ),
            (
                "started after the change, and without the handler",
                Snapshot {
                    running: Ok(runs(&["runc"])),
                    ..installed()
                },
                &[
                    "refuse",
                    "was started after /etc/containerd/config.toml was changed",
                ],
            ),
            (
                "started after the change of the main file, but before that of an imported one",
                Snapshot {
                    running: Ok(runs(&["runc"])),
                    imported: vec![Imported {
                        path: "/etc/containerd/conf.d/a.toml".into(),
                        bytes: Vec::new(),
                        changed: at(999),
                    }],
                    ..installed()
                },
                &["AcquireLease"],
            ),
            (
                "too many restarts",
                Snapshot {
                    restarts: three,
                    ..judged(&with_handler())
                },
                &["TooManyRestarts", "3 times", "must wait until 00:33:20 UTC"],
            ),
            (
                "the lease is held by another node",
                Snapshot {
                    lease: Lease::HeldBy(vec!["other".to_owned()]),
                    ..judged(&with_handler())
                },
                &["RestartPending: containerd must be restarted, but MAX_RESTARTING is 1"],
            ),
        ],
    );
}

#[test]
fn running_pods_postpone_a_restart_and_nothing_else() {
    let runs_without = Snapshot {
        running: with_pods(runs(&["runc"]), 3),
        ..judged(&with_handler())
    };
    let rewritten = Snapshot {
        running: with_pods(runs(&["runc", "spin"]), 3),
        ..judged(&with_handler())
    };
    let new_shim = Snapshot {
        running: with_pods(runs(&["runc", "spin"]), 3),
        shim: Installed::Other,
        ..installed()
    };
    check(
        &Desired::Installed,
        vec![
            (
                "a restart",
                runs_without.clone(),
                &["RestartPending", "the running pods of the handler spin (3)"],
            ),
            (
                "a file that the running containerd need not read",
                rewritten,
                &["replace, with handler: true"],
            ),
            ("a new version of the shim", new_shim, &["PlaceShim"]),
        ],
    );
    let asked = Node {
        restart_with_pods: true,
        ..node()
    };
    assert_eq!(
        told(&runs_without, &Desired::Installed, &asked),
        "replace, with handler: true"
    );
}

#[test]
fn what_was_rolled_back_is_tried_again_only_after_a_change() {
    let failed = |failed: Trial| Snapshot {
        failed: Some(Failed {
            digest: failed.digest,
            at: at(500),
        }),
        ..judged(&with_handler())
    };
    let tried = with_handler();
    let again = &["replace, with handler: true"][..];
    check(
        &Desired::Installed,
        vec![
            (
                "the same",
                failed(trial(tried.as_bytes(), "1234", "")),
                &["RolledBack", "was rolled back at 00:08:20 UTC"],
            ),
            (
                "the same, with another network",
                failed(Trial::new(tried.as_bytes(), "1234", "", false)),
                &["RolledBack"],
            ),
            (
                "another configuration",
                failed(trial(PLAIN.as_bytes(), "1234", "")),
                again,
            ),
            (
                "another shim",
                failed(trial(tried.as_bytes(), "5678", "")),
                again,
            ),
            (
                "another attempt",
                failed(trial(tried.as_bytes(), "1234", "2")),
                again,
            ),
        ],
    );
}

#[test]
fn the_running_handler_must_be_as_in_the_file() {
    let running = |shim: &str, systemd_cgroup| {
        let runtime = RunningRuntime {
            runtime_type: shim.to_owned(),
            systemd_cgroup,
        };
        let runtimes = [("spin".to_owned(), runtime)].into();
        let status = Status {
            runtimes,
            ..runs(&["runc", "spin"])
        };
        let changed = Config {
            bytes: with_handler().into(),
            changed: at(500),
        };
        Snapshot {
            running: Ok(status),
            config: Some(changed),
            lease: Lease::NotNeeded,
            rollback_armed: Some(at(990)),
            ..installed()
        }
    };
    check(
        &Desired::Installed,
        vec![
            ("the same", running(SHIM, false), &["DisarmRollback"]),
            ("another shim", running("/old/shim", false), &["Restart"]),
            ("another cgroup driver", running(SHIM, true), &["Restart"]),
        ],
    );
}

#[test]
fn a_trial_ends_well_or_is_rolled_back_in_time() {
    let not_ready = Status {
        runtime_ready: false,
        ..runs(&["runc", "spin"])
    };
    let no_network = Status {
        network_ready: false,
        ..runs(&["runc", "spin"])
    };
    check(
        &Desired::Installed,
        vec![
            (
                "not yet",
                Snapshot {
                    running: no_answer(),
                    ..on_trial(59)
                },
                &["wait: containerd does not answer"],
            ),
            (
                "never",
                Snapshot {
                    running: no_answer(),
                    ..on_trial(60)
                },
                &["roll back", "60 s after its restart"],
            ),
            (
                "not ready",
                Snapshot {
                    running: Ok(not_ready),
                    ..on_trial(60)
                },
                &["roll back", "not ready"],
            ),
            (
                "no network",
                Snapshot {
                    running: Ok(no_network.clone()),
                    ..on_trial(60)
                },
                &["roll back", "network"],
            ),
            (
                "no network, as before",
                Snapshot {
                    running: Ok(no_network),
                    had_network: false,
                    ..on_trial(60)
                },
                &["DisarmRollback"],
            ),
            (
                "without the handler",
                Snapshot {
                    running: Ok(runs(&["runc"])),
                    unit: Unit {
                        started: Some(at(950)),
                        ..plain().unit
                    },
                    ..on_trial(60)
                },
                &["roll back", "its handlers are runc"],
            ),
        ],
    );
    let started_by_another = |changed, state_changed| Snapshot {
        running: no_answer(),
        config: Some(Config {
            bytes: with_handler().into(),
            changed: at(changed),
        }),
        unit: Unit {
            state_changed: Some(at(state_changed)),
            ..plain().unit
        },
        rollback_armed: Some(at(900)),
        restarts: Vec::new(),
        ..installed()
    };
    check(
        &Desired::Confirmed,
        vec![
            (
                "the installer is gone, containerd is healthy",
                on_trial(60),
                &["DisarmRollback"],
            ),
            (
                "the installer is gone, containerd is not healthy",
                Snapshot {
                    running: no_answer(),
                    ..on_trial(60)
                },
                &["roll back"],
            ),
            (
                "not yet",
                Snapshot {
                    running: no_answer(),
                    ..on_trial(59)
                },
                &["done"],
            ),
            (
                "no trial",
                Snapshot {
                    running: no_answer(),
                    ..installed()
                },
                &["done"],
            ),
            (
                "killed before the restart, and no restart since",
                Snapshot {
                    restarts: Vec::new(),
                    running: no_answer(),
                    ..on_trial(60)
                },
                &["done"],
            ),
            (
                "another process restarted containerd with the new file",
                started_by_another(920, 920),
                &["roll back"],
            ),
            (
                "another process restarted containerd with the old file",
                started_by_another(100, 920),
                &["done"],
            ),
            (
                "a slow containerd, with the new file, before its restart",
                started_by_another(920, 200),
                &["done"],
            ),
            (
                "the clock was set back after the restart",
                Snapshot {
                    rollback_armed: Some(at(900)),
                    // Those in the future are not read.
                    restarts: Vec::new(),
                    ..started_by_another(5000, 920)
                },
                &["roll back"],
            ),
            (
                "another process wrote the file during the trial",
                Snapshot {
                    running: no_answer(),
                    config: Some(Config {
                        bytes: PLAIN.into(),
                        changed: at(999),
                    }),
                    ..on_trial(60)
                },
                &["roll back"],
            ),
        ],
    );
    let again = |changed, restarts: Vec<u64>| Snapshot {
        running: no_answer(),
        config: Some(Config {
            bytes: PLAIN.into(),
            changed: at(changed),
        }),
        restarts: restarts.into_iter().map(at).collect(),
        ..on_trial(60)
    };
    check(
        &Desired::RolledBack {
            cause: "the cause".to_owned(),
        },
        vec![
            (
                "with the handler",
                Snapshot {
                    running: no_answer(),
                    ..on_trial(60)
                },
                &["replace, with handler: false"],
            ),
            ("not yet restarted", again(999, vec![940]), &["Restart"]),
            (
                "restarted",
                again(950, vec![940, 960]),
                &["wait: containerd does not answer"],
            ),
            (
                "killed between the record and the restart",
                again(900, vec![930, 940]),
                &["Restart"],
            ),
            (
                "restarted in vain",
                Snapshot {
                    unit: Unit {
                        started: Some(at(941)),
                        ..plain().unit
                    },
                    ..again(900, vec![930, 940])
                },
                &["refuse: containerd should have its previous", "the cause"],
            ),
            (
                "restarted too often",
                again(999, vec![940, 950, 960]),
                &["refuse", "the cause"],
            ),
            (
                "healthy",
                Snapshot {
                    running: Ok(runs(&["runc"])),
                    ..again(950, vec![940, 960])
                },
                &["DisarmRollback"],
            ),
            (
                "confirmed",
                Snapshot {
                    running: Ok(runs(&["runc"])),
                    rollback_armed: None,
                    ..again(950, vec![940, 960])
                },
                &[
                    "refuse: containerd has its previous configuration again, and is healthy: the cause",
                ],
            ),
        ],
    );
}

#[test]
fn the_node_object_confirms_the_handler() {
    let listed = |handlers: &[&str], seconds| Snapshot {
        node: Some(NodeObject {
            handlers: handlers.iter().map(ToString::to_string).collect(),
            waited: Duration::from_secs(seconds),
        }),
        ..installed()
    };
    let silent = Status {
        reports_handlers: false,
        ..runs(&["runc", "spin"])
    };
    check(
        &Desired::Installed,
        vec![
            (
                "not yet",
                listed(&["runc"], 119),
                &["wait: the Node does not list"],
            ),
            (
                "never",
                listed(&["runc"], 120),
                &["refuse", "is the kubelet healthy?"],
            ),
            ("Kubernetes 1.30", listed(&[], 120), &["done"]),
            (
                "containerd 1.x",
                Snapshot {
                    running: Ok(silent),
                    ..listed(&[], 0)
                },
                &["done"],
            ),
            (
                "no cluster",
                Snapshot {
                    node: None,
                    ..installed()
                },
                &["done"],
            ),
        ],
    );
}

#[test]
fn uninstall_takes_one_step_after_the_other_and_never_with_pods() {
    let without = Some(Judged {
        config: with_handler().into(),
        candidate: PLAIN.into(),
        dump: Ok(dump(PLAIN)),
    });
    let ready = Snapshot {
        judged: without,
        lease: Lease::Held,
        ..installed()
    };
    let removed = Snapshot {
        lease: Lease::Held,
        running: Ok(runs(&["runc"])),
        ..judged("")
    };
    let copy_in_drop_in = Imported {
        path: "/etc/containerd/conf.d/99.toml".into(),
        bytes: with_handler().into(),
        changed: at(100),
    };
    check(
        &Desired::Removed,
        vec![
            ("nothing is known of the candidate", installed(), &["Judge"]),
            (
                "pods",
                Snapshot {
                    running: with_pods(runs(&["runc", "spin"]), 1),
                    ..ready.clone()
                },
                &["refuse", "drain it first"],
            ),
            (
                "no answer",
                Snapshot {
                    running: no_answer(),
                    ..ready.clone()
                },
                &["refuse", "nothing was changed"],
            ),
            (
                "no lease",
                Snapshot {
                    lease: Lease::NotHeld,
                    ..ready.clone()
                },
                &["AcquireLease"],
            ),
            (
                "all is ready",
                ready.clone(),
                &["replace, with handler: false"],
            ),
            (
                "a copy in a drop-in",
                Snapshot {
                    judged: Some(Judged {
                        dump: Ok(dump(&with_handler())),
                        ..ready.judged.clone().unwrap()
                    }),
                    imported: vec![copy_in_drop_in],
                    ..ready.clone()
                },
                &["refuse", "99.toml", "remove these lines"],
            ),
            (
                "replaced",
                Snapshot {
                    running: Ok(runs(&["runc", "spin"])),
                    config: Some(Config {
                        bytes: PLAIN.into(),
                        changed: at(999),
                    }),
                    ..removed.clone()
                },
                &["Restart"],
            ),
            (
                "restarted",
                Snapshot {
                    running: no_answer(),
                    restarts: vec![at(950)],
                    ..removed.clone()
                },
                &["wait"],
            ),
            (
                "restarted in vain",
                Snapshot {
                    running: no_answer(),
                    restarts: vec![at(940)],
                    ..removed.clone()
                },
                &["refuse", "60 s after its restart"],
            ),
            ("an old rollback", removed.clone(), &["DisarmRollback"]),
            (
                "files are left",
                Snapshot {
                    rollback_armed: None,
                    ..removed.clone()
                },
                &["RemoveFiles"],
            ),
            (
                "the lease",
                Snapshot {
                    rollback_armed: None,
                    has_files: false,
                    ..removed.clone()
                },
                &["ReleaseLease"],
            ),
            (
                "all done",
                Snapshot {
                    lease: Lease::NotNeeded,
                    ..plain()
                },
                &["done"],
            ),
            (
                "no configuration",
                Snapshot {
                    config: None,
                    lease: Lease::NotNeeded,
                    ..plain()
                },
                &["done"],
            ),
        ],
    );
}
