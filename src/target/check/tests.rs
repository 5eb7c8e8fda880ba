//! Every mistake in a profile, told where it stands.

use crate::target::load;

/// The faults of a profile, each as `line:column: message`.
fn faults(text: &str) -> Vec<String> {
    let Err(diagnostics) = load::parse(text.as_bytes(), "p.yaml") else { return Vec::new() };
    diagnostics.0.iter().map(|d| format!("{}:{}: {}", d.source.line, d.source.column, d.message)).collect()
}

#[test]
fn each_fault_is_told_at_its_own_place() {
    for (text, expected) in [
        ("product: x\n", "1:1: a profile needs a `url`, such as `http://127.0.0.1:{port}`"),
        ("url: http://h:{port}\n", "1:6: `{port}`: no placeholder has a value here"),
        ("url: http://h:{prot}\nlaunch: {command: [x]}\n", "1:6: `{prot}` is no placeholder; did you mean `{port}`?"),
        ("url: http://h:1\nlaunch: {command: [x]}\n", "1:6: a launched target listens on a free port"),
        ("url: http://u:secret@h\n", "1:6: credentials do not belong in a URL"),
        ("url: http://h/v2/\n", "1:6: `http://h/v2/`: leave `/v2/` out"),
        ("url: http://h:{port}\nlaunch: {command: []}\n", "2:19: `command` is empty"),
        (
            "url: http://h:{port}\nlaunch: {command: [x, '{where}']}\n",
            "2:23: `{where}` is no placeholder here: `{port}`, `{dir}`",
        ),
        (
            "url: http://h:{port}\nlaunch:\n  command: [x]\n  files: {../y: z}\n",
            "4:11: `../y`: files are written into {dir} only",
        ),
        ("url: http://h:{port}\nlaunch:\n  command: [x]\n  files: {/y: z}\n", "4:11: `/y`: files"),
        (
            "url: http://h:{port}\nlaunch:\n  command: [x]\n  files: {y: 'a {potr}'}\n",
            "4:14: `{potr}` is no placeholder",
        ),
        ("url: http://h:{port}\nlaunch: {command: [x], ports: [S3]}\n", "2:32: `S3`: a port's name is of a-z"),
        ("url: http://h:{port}\nlaunch: {command: [x], ports: [a, a]}\n", "2:35: `a` stands twice"),
        (
            "url: http://h:{port}\nlaunch: {command: [x, '{port-s4}'], ports: [s3]}\n",
            "2:23: `{port-s4}` is no placeholder; did you mean `{port-s3}`?",
        ),
        (
            "url: http://h:{port}\nlaunch: {command: [x], ports: [s3], before: [{command: [y], listens: s4}]}\n",
            "2:70: `s4` is none of the launch's `ports`; did you mean `s3`?",
        ),
        ("url: http://h:{port}\nlaunch: {command: [x], before: [{command: []}]}\n", "2:43: `command` is empty"),
        (
            "url: http://h:{port}\nlaunch: {command: [x], before: [{command: [y], within: 0s}]}\n",
            "2:56: nothing ends in no time",
        ),
        (
            "url: http://h:{port}\nlaunch: {command: [x], before: [{command: [y, '{prot}']}]}\n",
            "2:47: `{prot}` is no placeholder; did you mean `{port}`?",
        ),
        ("url: http://h\nauth: {}\n", "2:1: exactly one of"),
        ("url: http://h\nrepositories: {template: 'a/{run}/{case}'}\n", "2:26: without `{n}`"),
        (
            "url: http://h\nclaims: {refferers: absent}\n",
            "2:10: `refferers` is no capability; did you mean `referrers`?",
        ),
        (
            "url: http://h\nclaims: {stance: {oic: refuse}}\n",
            "2:19: `oic` is no format: `oci` or `docker`; did you mean `oci`?",
        ),
        ("url: http://h\nclaims: {stance: {oci: {require: []}}}\n", "2:24: which platforms?"),
        ("url: http://h\nclaims: {stance: {oci: {require: [amd64]}}}\n", "2:35: `amd64` is no platform"),
        ("url: http://h:0\n", "1:6: `http://h:0`: no registry listens on port 0"),
        ("url: http://h\nrepositories: {pool: [a, b, a]}\n", "2:29: `a` stands twice"),
        ("url: http://h\nrepositories: {pool: []}\n", "2:22: an empty pool"),
        ("url: http://h\nrepositories: {pool: [A B]}\n", "2:23: `A B` is no repository's name: lower-case"),
        ("url: http://h\nrepositories: {pool: [../x]}\n", "2:23: `../x` is no repository's name"),
        ("url: http://h\nrepositories: {pool: ['?x#']}\n", "2:23: `?x#` is no repository's name"),
        (
            "url: http://h\nrepositories: {template: 'A/{run}/../{case}-{n}'}\n",
            "2:26: `A/{run}/../{case}-{n}` makes no repository's name",
        ),
        ("url: http://h\ntls: {ca: /no/such.pem}\n", "2:11: /no/such.pem cannot be read: No such file"),
        ("url: http://h\ntls: {ca: /dev/zero}\n", "2:11: /dev/zero cannot be read: it is no regular file"),
        ("url: http://h\ntls: {ca: Cargo.toml}\n", "2:11: Cargo.toml holds no PEM certificate"),
        ("url: http://h\nauth: {env: ['A=B', P]}\n", "2:14: no environment variable has such a name"),
        ("url: http://h:{port}\nlaunch: {command: [\"x\\0\"]}\n", "2:20: a NUL"),
        ("url: http://h:{port}\nlaunch: {command: [x], env: {A: \"\\0\"}}\n", "2:33: a NUL"),
        ("url: http://h:{port}\nlaunch: {command: [x], env: {A=B: c}}\n", "2:30: no environment variable"),
        ("url: http://h:{port}\nlaunch: {command: [x], ready: {within: 0s}}\n", "2:40: nothing is ready"),
        (
            "url: http://h:{port}\nlaunch: {command: [x]}\nbeside: {url: 'http://h:{port}'}\n",
            "3:1: the target's storage",
        ),
        (
            "url: http://h\nbeside: {url: 'http://i:{port}', launch: {command: [x]}}\n",
            "2:34: its storage is not lacuna's",
        ),
        ("url: http://h\nbeside: {url: http://h}\n", "2:15: the target's own `url`"),
        ("url: http://h\nbeside: {}\n", "2:9: a profile needs a `url`"),
        ("url: http://h\nbeside: {url: http://i, dir: x}\n", "2:25: the key `dir` is unknown"),
        (
            "url: http://h:{port}\nlaunch: {command: [x]}\nbeside: {url: 'http://h:{port}', launch: {command: [y, '{url}']}}\n",
            "3:56: `{url}` is no placeholder here",
        ),
        ("url: http://h\nlimits: {connect: 0s}\n", "2:19: nothing can be answered in no time"),
        ("url: http://h\nlimits: {total: 0s}\n", "2:17: nothing can be answered in no time"),
        ("url: http://h\nlimits: {body: 0B}\n", "2:16: no answer would be read"),
        ("url: http://h\nlimits: {rate: 0.0000000001/s}\n", "2:16: `0.0000000001/s` is slower than"),
        ("url: http://h\nauth: {env: [A]}\n", "2:13: a list of 1 instead of a list of 2"),
        ("url: http://h\nauth: {env: [A, B, C]}\n", "2:13: a list of 3 instead of a list of 2"),
        ("url: http://h\nlimits: {jobs: 0}\n", "2:16: no case would ever run"),
        ("url: http://h\nlimits: {connect: 5}\n", "2:19: `5` is no duration"),
        ("url: http://h\nlimits: {body: 64M}\n", "2:16: `64M` is no size"),
        ("url: http://h\nlimits: {rate: 5}\n", "2:16: `5` is no rate"),
        ("url: http://h\nurl: http://i\n", "2:1: the key `url` stands twice"),
        ("url: http://h\nvariables: {a: b}\n", "2:13: `a`: a variable's name is of A-Z"),
        ("url: http://h\nvariables: {A: b}\n", "2:13: `{A}` stands neither in `url` nor in `repositories`"),
        ("variables: {A: b}\nurl: 'http://{A}:{B}'\n", "2:6: `{B}` is no placeholder"),
        ("variables: {A: b}\nurl: 'http://{A}/v2/'\n", "2:6: `http://registry.example/v2/`: leave `/v2/` out"),
        (
            "variables: {A: b}\nurl: http://h\nrepositories: {pool: ['{A}', '{A}']}\n",
            "3:30: `registry.example` stands twice",
        ),
        ("url: http://h\nlimts: {}\n", "2:1: the key `limts` is unknown"),
    ] {
        let found = faults(text);
        assert!(found.len() == 1 && found[0].starts_with(expected), "{text}\n  wanted {expected}\n  found {found:?}");
    }
}

#[test]
fn each_fault_of_an_action_is_told_at_its_own_place() {
    let ours = "url: http://h:{port}\nlaunch: {command: [x]}\n";
    let theirs = "url: http://h\n";
    for (head, action, expected) in [
        (ours, "gc: {}", "3:11: nothing would happen: say `command`, `http`"),
        (ours, "gc: {within: 5s}", "3:11: nothing would happen"),
        (ours, "gc: {command: []}", "3:25: `command` is empty"),
        (ours, "gc: {command: [x], http: {path: /}}", "3:30: `command` and `http`: an action is one of them"),
        (ours, "gc: {relaunch: {}, until: untagged-gone}", "3:16: `until` and `relaunch`"),
        (ours, "gc: {command: [x, '{durl}']}", "3:29: `{durl}` is no placeholder; did you mean `{url}`?"),
        (ours, "gc: {command: [x, \"\\0\"]}", "3:29: a NUL"),
        (ours, "gc: {command: [x], within: 0s}", "3:38: nothing ends in no time"),
        (ours, "gc: {command: [x], while: read-only}", "3:37: how is it started so that it takes no writes?"),
        (ours, "gc: {command: [x], read-only: {}}", "3:30: goes with `while: read-only`"),
        (
            ours,
            "gc: {http: {path: /gc}, while: stopped}",
            "3:35: `while` says what the registry does while a `command`",
        ),
        (ours, "gc: {relaunch: {env: {A=B: c}}}", "3:33: no environment variable"),
        (ours, "gc: {relaunch: {files: {../y: z}}}", "3:35: `../y`: files are written into {dir} only"),
        (ours, "gc: {relaunch: {command: [x, '{url}']}}", "3:40: `{url}` is no placeholder here"),
        (ours, "gc: {http: {path: '/gc/{run}'}}", "3:29: `{run}`: no placeholder has a value here"),
        (ours, "gc: {http: {path: gc}}", "3:29: no path: it begins with `/`"),
        (ours, "gc: {http: {path: /g c}}", "3:29: no path: it begins with `/`"),
        (ours, "gc: {http: {path: /, method: 'A B'}}", "3:40: no request has such a method"),
        (ours, "gc: {wait: 1s, poll: {at: a, key: b, done: [c], failed: []}}", "3:26: nothing was promised"),
        (ours, "gc: {http: {path: /}, poll: {at: a, key: b, done: [], failed: []}}", "3:61: it would never have ended"),
        (ours, "gc: {http: {path: /}, poll: {at: '', key: b, done: [c], failed: []}}", "3:44: the name of a key"),
        (ours, "gc: {http: {path: /}, poll: {at: a, key: b, done: [c], failed: [c]}}", "3:74: `c` stands under `done`"),
        (ours, "restart: {wait: 1s}", "3:11: a `restart` ends the registry and starts it again"),
        (ours, "kill: {http: {path: /}}", "3:11: a `kill` ends the registry"),
        (ours, "mirror: {until: untagged-gone}", "3:20: only of a collection"),
        (ours, "downgrade: {relaunch: {}}", "3:11: a way back from an `upgrade` that is not there"),
        (theirs, "gc: {command: [x], while: stopped}", "2:37: only a registry that lacuna launched"),
        (theirs, "restart: {relaunch: {}}", "2:21: only a registry that lacuna launched"),
        (theirs, "gc: {command: [x, '{dir}']}", "2:29: `{dir}` is no placeholder here: `{url}`, `{port}`"),
    ] {
        let text = format!("{head}actions: {{{action}}}\n");
        let found = faults(&text);
        assert!(found.len() == 1 && found[0].starts_with(expected), "{text}\n  wanted {expected}\n  found {found:?}");
    }
    let found = faults("url: http://h\nwindows: {grace: 2m}\n");
    assert!(
        found.len() == 1 && found[0].starts_with("2:18: every collection would be waited for so long"),
        "{found:?}"
    );
    for good in [
        "gc: {command: [x, '{dir}', '{port}', '{url}'], while: stopped, wait: 1s}",
        "gc: {command: [x], while: read-only, read-only: {env: {A: '{dir}'}}}",
        "gc: {http: {path: '/gc?all=1', method: put}, poll: {at: a, key: b, done: [c], failed: [d]}}",
        "restart: {command: [x]}, kill: {relaunch: {}}, upgrade: {relaunch: {command: [y]}}, downgrade: {relaunch: {}}",
        "gc: {wait: 5s}",
    ] {
        assert_eq!(faults(&format!("{ours}actions: {{{good}}}\n")), Vec::<String>::new(), "{good}");
    }
    for good in ["gc: {until: untagged-gone}", "restart: {command: [x, '{url}']}"] {
        assert_eq!(faults(&format!("{theirs}actions: {{{good}}}\n")), Vec::<String>::new(), "{good}");
    }
}

#[test]
fn braces_of_a_configuration_file_are_its_own() {
    let text = "url: http://h:{port}\nlaunch:\n  command: [x]\n  files: {y: '{a: {b: c}} {} {other} {dir}'}\n";
    assert_eq!(faults(text), Vec::<String>::new());
}

#[test]
fn all_faults_of_a_file_are_told_at_once_in_order() {
    let text = "url: ftp://h\nauth: {}\nclaims: {moutn: absent}\nlimits: {jobs: 0}\n";
    let lines: Vec<String> = faults(text).iter().map(|f| f.chars().take(1).collect()).collect();
    assert_eq!(lines, ["1", "2", "3", "4"]);
}

#[test]
fn no_bytes_make_it_panic() {
    let many: [&[u8]; 8] =
        [b"", b"\xff\xfe", b"---\n---\n", b"[", b"&a [*a]", b"url: \x00", b"- - - - -", b"url: [{}]\nlaunch: 1\n"];
    for bytes in many {
        assert!(load::parse(bytes, "p.yaml").is_err(), "{bytes:?}");
    }
    let deep = "a: {".repeat(100_000);
    assert!(load::parse(deep.as_bytes(), "p.yaml").is_err());
}
