//! `lacuna serve`: the reference registry for anyone.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::output;
use crate::reference::{AuthConfig, Config, GcConfig, Scheme, Stance, defects, start, variations};
use crate::target::units::Time;

/// Arguments of `lacuna serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Where it listens; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:5000")]
    pub listen: SocketAddr,
    /// What it does with an index of which a child is absent: accept, refuse, or require=linux/amd64,..
    #[arg(long, value_name = "STANCE", default_value = "accept", value_parser = Stance::parse)]
    pub stance: Stance,
    /// Is wrong in this way; may repeat. `lacuna list --defects` names them.
    #[arg(long = "defect", value_name = "NAME")]
    pub defects: Vec<String>,
    /// Differs in this lawful way; may repeat. `lacuna list --variations` names them.
    #[arg(long = "variation", value_name = "NAME")]
    pub variations: Vec<String>,
    /// Wants to know who asks: by `basic` or by `bearer`, whose tokens its own /token gives. The one user is named in the
    /// environment: LACUNA_USER, LACUNA_PASSWORD.
    #[arg(long, value_name = "SCHEME")]
    pub auth: Option<Scheme>,
    /// With --auth: anybody may pull.
    #[arg(long, requires = "auth")]
    pub public: bool,
    /// With --auth bearer: how long a token is good.
    #[arg(long, value_name = "TIME", requires = "auth", value_parser = time)]
    pub token_lifetime: Option<Duration>,
    /// Keeps everything in this folder, which survives; without it, in memory.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Serves until SIGINT or SIGTERM: exit code 0. 2: an unknown name, or an address or folder that cannot be used.
pub async fn serve(args: ServeArgs) -> ExitCode {
    match run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => output::refuse("serve", &message).into(),
    }
}

/// `2s`, `5m`.
fn time(text: &str) -> Result<Duration, String> {
    Time::try_from(text.to_owned()).map(|time| time.0)
}

/// Who is let in, where somebody has to be.
fn let_in(args: &ServeArgs) -> Result<Option<AuthConfig>, String> {
    let Some(scheme) = args.auth else { return Ok(None) };
    let said = |name: &str| {
        std::env::var(name).ok().filter(|value| !value.is_empty()).ok_or_else(|| {
            format!("--auth lets in one user: say who in LACUNA_USER and LACUNA_PASSWORD ({name} is not set)")
        })
    };
    let auth = AuthConfig::of(scheme, &said("LACUNA_USER")?, &said("LACUNA_PASSWORD")?);
    let token_lifetime = args.token_lifetime.unwrap_or(auth.token_lifetime);
    Ok(Some(AuthConfig { anonymous_pull: args.public, token_lifetime, ..auth }))
}

async fn run(args: ServeArgs) -> Result<(), String> {
    let config = Config {
        auth: let_in(&args)?,
        stance: args.stance,
        dir: args.dir,
        defects: known("defect", &args.defects, defects().iter().map(|d| d.name))?,
        variations: known("variation", &args.variations, variations().iter().map(|v| v.name))?,
        gc: GcConfig { admin: true, ..GcConfig::default() },
        ..Config::default()
    };
    let watch = |kind| signal(kind).map_err(|e| format!("cannot watch for signals: {e}"));
    let (mut interrupt, mut terminate) = (watch(SignalKind::interrupt())?, watch(SignalKind::terminate())?);
    let running = start(config, args.listen).await.map_err(|e| format!("cannot serve on {}: {e}", args.listen))?;
    // A reader that is gone already is no reason not to serve.
    let mut out = std::io::stdout();
    let _ = writeln!(out, "listening on {}", running.url).and_then(|()| out.flush());
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    running.stop().await;
    Ok(())
}

/// The catalogue's own spelling of each name; an unknown one is refused with the nearest that is known.
fn known(
    what: &str,
    asked: &[String],
    names: impl Iterator<Item = &'static str> + Clone,
) -> Result<BTreeSet<&'static str>, String> {
    let find = |name: &String| {
        names.clone().find(|known| known == name).ok_or_else(|| {
            let likeness = |known: &&'static str| similar::TextDiff::from_chars(name.as_str(), *known).ratio();
            let near = names.clone().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
            let hint = near.filter(|near| likeness(near) > 0.5).map(|near| format!("; did you mean `{near}`?"));
            format!("unknown {what} `{name}`{}", hint.unwrap_or_default())
        })
    };
    asked.iter().map(find).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_refused_with_the_nearest() {
        let names = ["child-lost", "tag-lost"].into_iter();
        assert_eq!(known("defect", &["tag-lost".into()], names.clone()), Ok(BTreeSet::from(["tag-lost"])));
        let error = known("defect", &["child-lots".into()], names.clone()).err().unwrap_or_default();
        assert_eq!(error, "unknown defect `child-lots`; did you mean `child-lost`?");
        let error = known("defect", &["zzzz".into()], names).err().unwrap_or_default();
        assert_eq!(error, "unknown defect `zzzz`");
    }
}
