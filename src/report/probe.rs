//! What the probe found, for a person.

use std::fmt::Write as _;

use super::clean;
use super::paint::Painter;
use crate::record::TargetRecord;
use crate::suite::model::StanceWord;
use crate::target::claims::{self, ClaimCheck};
use crate::target::findings::{Findings, Is, StanceFinding, all_capabilities};

/// A table of stance, capabilities and claims, each with its evidence.
pub fn render(target: &TargetRecord, findings: &Findings, claims: &[ClaimCheck], paint: Painter) -> String {
    let mut out = String::new();
    let product = target.product.as_deref().map(|product| format!(" ({})", clean::line(product))).unwrap_or_default();
    let _ = writeln!(out, "{}{product} at {}", paint.strong(&clean::line(&target.name)), clean::line(&target.url));
    if let Some(not_run) = &target.not_run {
        let text = format!("the profile was not run before: {}", clean::line(not_run));
        let _ = writeln!(out, "{}", paint.odd(&text));
    }
    out.push('\n');
    for (format, finding) in [("oci", &findings.oci), ("docker", &findings.docker)] {
        stance(&mut out, format, finding, paint);
    }
    out.push('\n');
    // In the order of the catalogue: related ones stand together.
    for (name, _) in all_capabilities() {
        let Some(finding) = findings.capabilities.get(name) else { continue };
        let word = format!("{:<9}", claims::is(finding.is));
        let word = match finding.is {
            Is::Supported => paint.good(&word),
            Is::Absent => paint.odd(&word),
            Is::Broken => paint.bad(&word),
        };
        row(&mut out, &format!("{name:<23}  {word}"), 36, &finding.evidence, paint);
    }
    let window = |seconds: f64| match seconds {
        late if late > 0.0 => format!("after up to {late:.2} s"),
        _ => "at once".to_owned(),
    };
    let writes = if findings.write_seen {
        format!("writes are read {}", window(findings.read_window))
    } else {
        "how soon writes are read was not measured: nothing could be written".to_owned()
    };
    let deletes = if findings.delete_seen {
        format!("deletes are seen {}", window(findings.delete_window))
    } else {
        "how soon deletes are seen was not measured: nothing could be deleted".to_owned()
    };
    let _ = writeln!(out, "\n{writes}, {deletes}\n{} requests in {:.2} s", findings.requests, findings.seconds);
    let (held, contradicted): (Vec<&ClaimCheck>, Vec<&ClaimCheck>) = claims.iter().partition(|claim| claim.holds);
    match (held.len(), contradicted.len()) {
        (0, 0) => {}
        (held, 0) => {
            let _ = writeln!(out, "all {held} claims of the profile hold");
        }
        (held, wrong) => {
            let unasked = contradicted.iter().any(|claim| claim.unasked);
            let how = if unasked { "do not hold, or could not be looked into" } else { "are contradicted" };
            let _ = writeln!(out, "{}", paint.bad(&format!("{wrong} of {} claims {how}:", held + wrong)));
        }
    }
    for claim in contradicted {
        let _ = writeln!(out, "  {}: {}", claim.id, clean::line(&claim.text()));
    }
    out
}

fn stance(out: &mut String, format: &str, finding: &StanceFinding, paint: Painter) {
    let words = claims::found(finding);
    let words = match finding.is {
        StanceWord::Broken => paint.bad(&words),
        _ => paint.good(&words),
    };
    let _ = writeln!(out, "stance {format:<7} {words}");
    for part in finding.evidence.split("; ") {
        let _ = writeln!(out, "    {}", paint.faint(&clean::line(part)));
    }
}

/// A row with its evidence; each further part stands under the first one.
fn row(out: &mut String, head: &str, indent: usize, evidence: &str, paint: Painter) {
    for (i, part) in evidence.split("; ").enumerate() {
        let part = paint.faint(&clean::line(part));
        let _ = if i == 0 { writeln!(out, "{head}  {part}") } else { writeln!(out, "{:indent$}{part}", "") };
    }
}
