//! Small pieces of text: values, orderings, wrapping, and what XML wants escaped.

use std::sync::atomic::Ordering;

/// Values below this are counts, indices or a few flags, and read best in decimal.
const DECIMAL_BELOW: u64 = 256;

/// A value: in decimal when small, or just below zero; else in hexadecimal.
pub(super) fn value(value: u64) -> String {
    if value < DECIMAL_BELOW {
        value.to_string()
    } else if value > u64::MAX - DECIMAL_BELOW {
        format!("-{}", value.wrapping_neg())
    } else {
        format!("{value:#x}")
    }
}

/// An ordering in few letters, for cells of a table.
pub(super) fn ordering_short(ordering: Ordering) -> &'static str {
    match ordering {
        Ordering::Relaxed => "Rlx",
        Ordering::Acquire => "Acq",
        Ordering::Release => "Rel",
        Ordering::AcqRel => "AcqRel",
        _ => "SeqCst",
    }
}

/// Cuts `text` to `width` characters, of which the last says that something is missing.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// Breaks `text` into lines of at most `width` characters, at spaces where there are any. Its own line ends stay.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            let mut word: &str = word;
            loop {
                let used = line.chars().count();
                let room = width.saturating_sub(used + usize::from(used != 0)).max(usize::from(used == 0));
                let length = word.chars().count();
                if length <= room {
                    if used != 0 {
                        line.push(' ');
                    }
                    line.push_str(word);
                    break;
                }
                if used != 0 {
                    lines.push(std::mem::take(&mut line));
                } else {
                    let end = word.char_indices().nth(room).map_or(word.len(), |(at, _)| at);
                    lines.push(word[..end].to_owned());
                    word = &word[end..];
                }
            }
        }
        if !line.is_empty() {
            lines.push(line);
        }
    }
    lines
}

/// `text` as XML character data or attribute value. Control characters, which XML cannot hold, become spaces.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push('\n'),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_values_are_decimal_and_large_ones_hexadecimal() {
        assert_eq!(value(17), "17");
        assert_eq!(value(0xdbdb_dbdb), "0xdbdbdbdb");
        assert_eq!(value(u64::MAX), "-1");
    }

    #[test]
    fn wrapping_breaks_at_spaces_and_inside_words_that_are_too_long() {
        assert_eq!(wrap("one two three\nfour", 8), ["one two", "three", "four"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
    }

    #[test]
    fn escaping_leaves_nothing_that_xml_forbids() {
        assert_eq!(escape("a<b> & \"c\"\u{1b}"), "a&lt;b&gt; &amp; &quot;c&quot; ");
    }
}
