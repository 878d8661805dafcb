//! A text in which ranges are replaced, one inside another, and where each replacement went.

use std::ops::Range;

/// What stands in the place of a range.
#[derive(Clone, Debug)]
pub(super) enum Part {
    /// Text that is not in the source.
    Text(String),
    /// A range of the source, with the edits inside of it.
    Source(Range<usize>),
    /// Parts that are compiled for one mutant alone.
    Mutant(usize, Vec<Part>),
}

/// A range, and what stands in its place.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    /// The bytes that are replaced; empty where something is put in.
    pub(super) range: Range<usize>,
    /// What replaces them.
    pub(super) parts: Vec<Part>,
    /// The mutants that it is there for.
    pub(super) mutants: Vec<usize>,
}

impl Edit {
    /// Takes a range away.
    pub(super) fn removal(range: Range<usize>) -> Edit {
        Edit { range, parts: Vec::new(), mutants: Vec::new() }
    }
}

/// Bytes of the rendered text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Region {
    /// Where it is.
    pub(super) range: Range<usize>,
    /// The mutants that it is there for.
    pub(super) mutants: Vec<usize>,
    /// Whether it is what one mutant puts there; else it is all of an edit, with the choice.
    pub(super) is_alternative: bool,
}

/// A text with its edits made.
#[derive(Clone, Debug, Default)]
pub(super) struct Rendered {
    /// The text.
    pub(super) text: String,
    /// The places of what was put in; one region may be inside another.
    pub(super) regions: Vec<Region>,
}

impl Rendered {
    /// Makes `edits` in `source`. Of two edits one has to be inside of the other, or after it.
    pub(super) fn new(source: &str, edits: &[Edit]) -> Rendered {
        let mut ordered: Vec<&Edit> = edits.iter().collect();
        // What is put in somewhere comes before what is replaced there; the wider of two is made first.
        ordered.sort_by_key(|edit| (edit.range.start, !edit.range.is_empty(), std::cmp::Reverse(edit.range.end)));
        let mut rendered = Rendered::default();
        rendered.add_source(source, &ordered, 0..source.len());
        rendered
    }

    /// The smallest region that holds all of `range`, which is in bytes of the rendered text.
    pub(super) fn around(&self, range: &Range<usize>) -> Option<&Region> {
        let holds = |region: &&Region| region.range.start <= range.start && range.end <= region.range.end;
        self.regions.iter().filter(holds).min_by_key(|region| region.range.len())
    }

    /// The regions inside of `range`.
    pub(super) fn inside(&self, range: Range<usize>) -> impl Iterator<Item = &Region> {
        self.regions.iter().filter(move |region| range.start <= region.range.start && region.range.end <= range.end)
    }

    fn add_source(&mut self, source: &str, ordered: &[&Edit], range: Range<usize>) {
        let mut at = range.start;
        for (index, edit) in ordered.iter().enumerate() {
            // The parts of an edit that has been made have the edits inside of it.
            if edit.range.start < at || edit.range.end > range.end {
                continue;
            }
            self.text.push_str(&source[at..edit.range.start]);
            let begin = self.text.len();
            self.add_parts(source, &ordered[index + 1..], &edit.parts);
            let (range, mutants) = (begin..self.text.len(), edit.mutants.clone());
            self.regions.push(Region { range, mutants, is_alternative: false });
            at = edit.range.end;
        }
        self.text.push_str(&source[at..range.end]);
    }

    fn add_parts(&mut self, source: &str, inner: &[&Edit], parts: &[Part]) {
        for part in parts {
            match part {
                Part::Text(text) => self.text.push_str(text),
                Part::Source(range) => self.add_source(source, inner, range.clone()),
                Part::Mutant(mutant, parts) => {
                    let begin = self.text.len();
                    self.add_parts(source, inner, parts);
                    let (range, mutants) = (begin..self.text.len(), vec![*mutant]);
                    self.regions.push(Region { range, mutants, is_alternative: true });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(words: &str) -> Part {
        Part::Text(words.to_owned())
    }

    #[test]
    fn edits_are_made_inside_of_edits() {
        // `(a+b)<c`, with a choice for the sum inside of a choice for the comparison, which has its operands twice.
        let source = "x = a+b<c;";
        let sum = Edit {
            range: 4..7,
            parts: vec![text("["), Part::Mutant(1, vec![text("a-b")]), text("|"), Part::Source(4..7), text("]")],
            mutants: vec![1],
        };
        let comparison = Edit {
            range: 4..9,
            parts: vec![
                Part::Mutant(2, vec![Part::Source(4..7), text(">"), Part::Source(8..9)]),
                text("|"),
                Part::Source(4..9),
            ],
            mutants: vec![2],
        };
        let rendered = Rendered::new(source, &[sum, comparison]);
        assert_eq!(rendered.text, "x = [a-b|a+b]>c|[a-b|a+b]<c;");
        let second = rendered.text.rfind("a-b").expect("it is there");
        let around = rendered.around(&(second..second + 3)).expect("a mutant is there");
        assert_eq!(around.mutants, [1]);
        let greater = rendered.text.find('>').expect("it is there");
        assert_eq!(rendered.around(&(greater..greater + 1)).expect("a mutant is there").mutants, [2]);
        assert!(rendered.around(&(0..1)).is_none());
        assert_eq!(rendered.inside(0..rendered.text.len()).count(), rendered.regions.len());
    }

    #[test]
    fn an_insertion_comes_before_what_starts_there() {
        let insertion = Edit { range: 1..1, parts: vec![text("i;")], mutants: vec![0] };
        let word = Edit { range: 1..2, parts: vec![text("w")], mutants: vec![1] };
        let both = [word, insertion];
        assert_eq!(Rendered::new("{a}", &both).text, "{i;w}");
    }
}
