//! Pieces of a page: text that is escaped, tables, badges, numbers.

use std::fmt::{self, Write as _};

/// A piece of HTML. Text becomes HTML by being escaped, so what is shown and what is markup cannot be mixed up.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[must_use]
pub struct Html(String);

impl Html {
    /// Text, escaped; good in an element and in a quoted attribute.
    pub fn text(text: &str) -> Html {
        let mut html = String::with_capacity(text.len());
        for character in text.chars() {
            match character {
                '&' => html.push_str("&amp;"),
                '<' => html.push_str("&lt;"),
                '>' => html.push_str("&gt;"),
                '"' => html.push_str("&quot;"),
                '\'' => html.push_str("&#39;"),
                // No HTML document may hold other control characters, not even escaped.
                control if control < ' ' && !"\t\n\r".contains(control) => html.push('\u{fffd}'),
                other => html.push(other),
            }
        }
        Html(html)
    }

    /// Markup, taken as it is.
    pub fn raw(markup: impl Into<String>) -> Html {
        Html(markup.into())
    }

    /// Text as it stands, line by line, in a fixed-width face: for counterexamples and messages.
    pub fn listing(text: &str) -> Html {
        Html(format!("<pre>{}</pre>\n", Html::text(text)))
    }

    /// A paragraph of text.
    pub fn paragraph(text: &str) -> Html {
        Html(format!("<p>{}</p>\n", Html::text(text)))
    }

    /// A short word that says how something went.
    pub fn badge(tone: Tone, text: &str) -> Html {
        Html(format!("<span class=\"badge {}\">{}</span>", tone.class(), Html::text(text)))
    }

    /// Something that the reader can fold.
    pub fn details(summary: &Html, body: &Html, open: bool) -> Html {
        let open = if open { " open" } else { "" };
        Html(format!("<details{open}>\n<summary>{summary}</summary>\n{body}</details>\n"))
    }

    /// Appends markup.
    pub fn push(&mut self, other: &Html) {
        self.0.push_str(&other.0);
    }

    /// The markup.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The markup, as a string.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }

    /// Appends what `write!` formats, taken as markup.
    pub fn write_fmt(&mut self, arguments: fmt::Arguments<'_>) {
        self.0.write_fmt(arguments).expect("a string takes all writes");
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a badge or a card says at a glance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    /// As it must be.
    Good,
    /// Wrong.
    Bad,
    /// Neither.
    Plain,
}

impl Tone {
    pub(super) fn class(self) -> &'static str {
        match self {
            Tone::Good => "good",
            Tone::Bad => "bad",
            Tone::Plain => "plain",
        }
    }

    /// Good if something holds, else bad.
    #[must_use]
    pub fn of(holds: bool) -> Tone {
        if holds { Tone::Good } else { Tone::Bad }
    }
}

/// A table: columns first, then rows.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct HtmlTable {
    columns: Vec<(Html, bool)>,
    rows: Vec<Vec<Html>>,
}

impl HtmlTable {
    /// A table without columns.
    pub fn new() -> HtmlTable {
        HtmlTable::default()
    }

    /// Adds a column of text.
    pub fn column(mut self, title: &str) -> HtmlTable {
        self.columns.push((Html::text(title), false));
        self
    }

    /// Adds a column of numbers: they stand below each other.
    pub fn number_column(mut self, title: &str) -> HtmlTable {
        self.columns.push((Html::text(title), true));
        self
    }

    /// Adds a row.
    ///
    /// # Panics
    /// If the row has not as many cells as there are columns.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Html>) {
        let cells: Vec<Html> = cells.into_iter().collect();
        assert!(cells.len() == self.columns.len(), "{} cells in {} columns", cells.len(), self.columns.len());
        self.rows.push(cells);
    }

    /// The markup.
    pub fn render(&self) -> Html {
        let class = |numbers: bool| if numbers { " class=\"number\"" } else { "" };
        let mut html = Html::raw("<div class=\"wide\"><table>\n<thead><tr>");
        for (title, numbers) in &self.columns {
            write!(html, "<th scope=\"col\"{}>{title}</th>", class(*numbers));
        }
        html.push(&Html::raw("</tr></thead>\n<tbody>\n"));
        for row in &self.rows {
            html.push(&Html::raw("<tr>"));
            for (cell, (_, numbers)) in row.iter().zip(&self.columns) {
                write!(html, "<td{}>{cell}</td>", class(*numbers));
            }
            html.push(&Html::raw("</tr>\n"));
        }
        html.push(&Html::raw("</tbody>\n</table></div>\n"));
        html
    }
}

/// Digits in groups of three.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index != 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// A number of bytes, in KiB but for small ones.
#[must_use]
pub fn kib(bytes: usize) -> String {
    match bytes {
        0 => "0 KiB".to_owned(),
        1..=1023 => format!("{bytes} bytes"),
        _ if bytes.is_multiple_of(1024) || bytes >= 100 << 10 => {
            format!("{} KiB", grouped((bytes as u64 + 512) >> 10))
        }
        // One digit behind the point.
        _ => {
            let tenths = (bytes * 10 + 512) >> 10;
            format!("{}.{} KiB", tenths / 10, tenths % 10)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever a finding says, it is text.
    #[test]
    fn text_is_escaped() {
        let html = Html::text("<script>a && 'b' > \"c\"</script>\u{0}");
        assert_eq!(html.as_str(), "&lt;script&gt;a &amp;&amp; &#39;b&#39; &gt; &quot;c&quot;&lt;/script&gt;\u{fffd}");
        assert!(Html::listing("a\n<b>").as_str().contains("a\n&lt;b&gt;"));
    }

    #[test]
    fn a_table_has_its_cells() {
        let mut table = HtmlTable::new().column("name").number_column("count");
        table.row([Html::text("a<b"), Html::text("7")]);
        let html = table.render();
        assert!(html.as_str().contains("<td>a&lt;b</td><td class=\"number\">7</td>"), "{html}");
        assert_eq!(html.as_str().matches("<tr>").count(), 2);
    }

    #[test]
    #[should_panic(expected = "1 cells in 2 columns")]
    fn a_row_of_another_length_is_refused() {
        HtmlTable::new().column("a").column("b").row([Html::text("a")]);
    }

    #[test]
    fn digits_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1 000"), (1_234_567, "1 234 567")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn bytes_are_readable() {
        let cases = [
            (0, "0 KiB"),
            (32, "32 bytes"),
            (1024, "1 KiB"),
            (1536, "1.5 KiB"),
            (262_112, "256 KiB"),
            (64 << 20, "65 536 KiB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(kib(bytes), text);
        }
    }
}
