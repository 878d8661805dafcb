//! The page in the making: sections in the order in which they are added, in one file of HTML.

use super::html::Html;

const STYLE: &str = include_str!("style.css");

/// A page in the making: sections in the order in which they are added.
///
/// # Examples
///
/// ```
/// use heaplab_verify::report::{Html, HtmlTable, Report, Tone};
///
/// let mut table = HtmlTable::new().column("model").number_column("executions").column("verdict");
/// table.row([Html::text("add_vs_add"), Html::text("7"), Html::badge(Tone::Good, "complete")]);
/// let mut report = Report::new();
/// report.section("Models", "Every interleaving within a bound.", table.render());
/// assert!(report.render().contains("<td>add_vs_add</td>"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Report {
    sections: Vec<Section>,
}

#[derive(Clone, Debug)]
struct Section {
    title: Html,
    /// What links name it by.
    anchor: String,
    intro: Html,
    body: Html,
}

impl Report {
    /// A page without sections.
    #[must_use]
    pub fn new() -> Report {
        Report::default()
    }

    /// Adds a section: its title and a sentence or two about what it shows, both text, then its body.
    pub fn section(&mut self, title: &str, intro: &str, body: Html) {
        let anchor = title.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        self.sections.push(Section { title: Html::text(title), anchor, intro: Html::text(intro), body });
    }

    /// The page.
    #[must_use]
    pub fn render(&self) -> String {
        let mut page = Html::raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        write!(
            page,
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" \
             content=\"light dark\">\n<title>heaplab: what was checked</title>\n<style>\n{STYLE}</style>\n</head>\n\
             <body>\n<header>\n<h1>heaplab</h1>\n<p>A heap that many threads allocate from at once, and what was done \
             to find a fault in it.</p>\n<nav>"
        );
        for section in &self.sections {
            write!(page, "<a href=\"#{}\">{}</a>", section.anchor, section.title);
        }
        page.push(&Html::raw("</nav>\n</header>\n<main>\n"));
        for Section { title, anchor, intro, body } in &self.sections {
            write!(
                page,
                "<section id=\"{anchor}\">\n<h2>{title}</h2>\n<p class=\"intro\">{intro}</p>\n{body}</section>\n"
            );
        }
        write!(
            page,
            "</main>\n<footer>heaplab {}. One file: no script, nothing loaded from elsewhere.</footer>\n</body>\n\
             </html>\n",
            env!("CARGO_PKG_VERSION")
        );
        page.into_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RP-1 and RP-2.
    #[test]
    fn the_page_stands_alone() {
        let mut report = Report::new();
        report.section("Kill matrix, <b>", "Which & why.", Html::paragraph("<script>alert(1)</script>"));
        let page = report.render();
        assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
        for outside in ["<script", "http:", "https:", "src=", "url(", "@import"] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.contains("<a href=\"#kill-matrix---b-\">Kill matrix, &lt;b&gt;</a>"), "{page}");
        assert!(page.contains("Which &amp; why."), "{page}");
    }
}
