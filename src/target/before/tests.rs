//! What comes before a registry, and that nothing of it is left behind.

use std::path::PathBuf;

use super::*;
use crate::target::launch::Process;
use crate::target::units::Time;

/// A server, in words that a shell and every Python know: it listens, and says who it is.
const SERVER: &str = "import socket,sys,os,time\ns=socket.socket();s.bind(('127.0.0.1',int(sys.argv[1])));s.listen()\n\
                      open('pid','w').write(str(os.getpid()))\ntime.sleep(300)";

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn run(script: &str) -> Before {
    Before { command: words(&["sh", "-c", script]), ..Before::default() }
}

fn serve(script: &str, port: &str) -> Before {
    let command = words(&["python3", "-c", script, &format!("{{port-{port}}}")]);
    Before { command, listens: Some(port.into()), ..Before::default() }
}

fn launch(before: Vec<Before>) -> Launch {
    Launch { command: words(&["sleep", "300"]), ports: words(&["store", "other"]), before, ..Launch::default() }
}

fn is_gone(pid: &str) -> bool {
    let stat = PathBuf::from("/proc").join(pid.trim()).join("stat");
    std::fs::read_to_string(stat).map_or(true, |stat| stat.contains(") Z "))
}

#[tokio::test]
async fn it_happens_in_order_and_is_there_until_the_registry_is_gone() {
    let mut all = launch(vec![run("test ! -e pid && cat made >seen"), serve(SERVER, "store"), run("cat pid >>seen")]);
    all.files.insert("made".into(), "{port} {port-store}\n".into());
    let mut process = Process::start(&all).await.unwrap();
    let read = |name: &str| std::fs::read_to_string(process.dir().join(name)).unwrap();
    let (pid, seen) = (read("pid"), read("seen"));
    let (ports, after) = seen.split_once('\n').unwrap();
    assert_eq!((after, ports), (pid.as_str(), process.fill("{port} {port-store}").as_str()));
    let (port, store) = ports.split_once(' ').unwrap();
    assert!(port != store && port == process.port().to_string());
    // What is started again finds it as it was.
    process.end(crate::target::launch::Ending::Killed).await;
    process.again(&all).unwrap();
    assert!(!is_gone(&pid));
    drop(process);
    assert!(is_gone(&pid));
}

#[tokio::test]
async fn what_goes_wrong_before_it_is_told_and_nothing_stays() {
    let short = |mut step: Before| {
        step.within = Time(Duration::from_millis(500));
        step
    };
    for (step, told) in [
        (
            run("echo no disk >&2; exit 3"),
            "sh ended with exit status: 3, which is to come before the registry; it wrote:\nno disk",
        ),
        (run("no-such-program"), "sh ended with 127"),
        (short(run("sleep 300")), "sh did not end within 500ms"),
        (serve("print('Address already in use')", "other"), "python3 ended with exit status: 0 before it listened"),
        (short(serve("import time; time.sleep(300)", "other")), "python3 did not listen within 500ms"),
        (serve(SERVER, "store"), "python3 cannot listen on port"),
        (
            Before { command: words(&["no-such-store"]), missing: "install it".into(), ..Before::default() },
            "no-such-store is not installed; install it by\n    install it",
        ),
    ] {
        let error = Process::start(&launch(vec![serve(SERVER, "store"), step])).await.unwrap_err();
        assert!(error.to_string().starts_with(told), "{error}");
        assert_eq!(error.lost_its_port(), told.contains("listened") || told.contains("cannot listen"), "{error}");
    }
}
