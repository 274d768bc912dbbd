//! The part of "What went wrong" that findings tell: what is wrong, why, and what to do.

use std::io;

use super::sections::after;
use super::{Page, ReportContext};

/// Tells every finding; whether there is one.
pub(super) fn section(page: &mut Page<'_>, context: &ReportContext<'_>) -> io::Result<bool> {
    for finding in context.findings {
        let who = finding.held_by().map(|who| format!(" · {who}")).unwrap_or_default();
        let head = format!("{} {}: ", finding.severity.mark(), finding.kind.name());
        page.paragraph(&head, 6, &format!("{}: {}{who}", finding.about(), finding.told))?;
        let since = after(finding.since, context.dashboard);
        let flow = finding.flow.map(|flow| format!(", flow #{flow}")).unwrap_or_default();
        let sure = format!("(confidence {}, since {since}{flow})", finding.confidence.name());
        page.paragraph("      ", 6, &format!("{} {sure}", finding.why))?;
        page.paragraph("      ", 6, &finding.remedy)?;
    }
    Ok(!context.findings.is_empty())
}
