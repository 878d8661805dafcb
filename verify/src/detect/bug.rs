//! A bug: a patch of one file of the heap, and a sentence that says what it does.

use std::path::Path;

/// What a file of a bug is, for whoever wrote another one.
const FORM: &str = "a planted bug is a sentence, an empty line and a diff of one file under src/ (CONTRIBUTING.md, \"A \
                    planted bug\")";

/// A bug to plant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bug {
    /// The file's name without its ending.
    pub name: String,
    /// What is wrong in a heap with the bug.
    pub what: String,
    /// The file of the sources that it changes.
    pub file: String,
    /// The change, as a unified diff.
    pub diff: String,
}

impl Bug {
    /// The bugs of a directory, by name.
    ///
    /// # Errors
    /// The directory cannot be read, or something in it is no patch of a bug; the error names the file and says what
    /// a bug is.
    pub fn all(directory: &Path) -> Result<Vec<Bug>, String> {
        let unreadable = |error| format!("{} cannot be read: {error}", directory.display());
        let mut bugs = Vec::new();
        for entry in std::fs::read_dir(directory).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let named = |reason: String| format!("{}: {reason}; {FORM}", path.display());
            if path.extension().is_none_or(|ending| ending != "patch") {
                return Err(named("it is no NAME.patch".to_owned()));
            }
            let text = std::fs::read_to_string(&path)
                .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            bugs.push(Bug::parse(&name, &text).map_err(named)?);
        }
        bugs.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(bugs)
    }

    /// Reads a sentence, an empty line, and a unified diff of one file.
    ///
    /// # Errors
    /// What is missing or wrong.
    pub fn parse(name: &str, text: &str) -> Result<Bug, String> {
        let sentence = text.split_once("\n\n").filter(|(what, _)| !what.trim().is_empty() && !what.contains("+++ "));
        let (what, diff) = sentence.ok_or("it has no sentence before its diff")?;
        let file = diff
            .lines()
            .find_map(|line| line.strip_prefix("+++ b/"))
            .ok_or("its diff names no file: a line `+++ b/FILE` is missing")?;
        if diff.lines().filter(|line| line.starts_with("+++ ")).count() != 1 {
            return Err("its diff is of several files; a bug is in one place".to_owned());
        }
        if !file.starts_with("src/") {
            return Err(format!("it changes {file}: a bug is planted in the heap, under src/"));
        }
        Ok(Bug { name: name.to_owned(), what: what.trim().to_owned(), file: file.to_owned(), diff: diff.to_owned() })
    }

    /// The file's text with the bug.
    ///
    /// # Errors
    /// The patch does not fit the text.
    pub fn apply(&self, text: &str) -> Result<String, String> {
        let patch = diffy::Patch::from_str(&self.diff).map_err(|error| format!("{}: no diff: {error}", self.name))?;
        diffy::apply(text, &patch).map_err(|error| {
            format!("{} does not fit {} ({error}): make its patch anew, with `git diff -U2`", self.name, self.file)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A patch that does not fit is found when the code changes, not when somebody looks for bugs.
    #[test]
    fn every_bug_fits_the_sources_as_they_are() {
        let root = heaplab_common::workspace();
        let bugs = Bug::all(&root.join("verify/bugs")).expect("the bugs can be read");
        assert!(!bugs.is_empty());
        for bug in bugs {
            let text = std::fs::read_to_string(root.join(&bug.file)).expect("a source");
            let planted = bug.apply(&text).unwrap_or_else(|reason| panic!("{reason}"));
            assert_ne!(planted, text, "{} changes nothing", bug.name);
        }
    }

    const TEXT: &str = "Two is three.\n\n--- a/src/x.rs\n+++ b/src/x.rs\n@@ -1,3 +1,3 @@\n one\n-two\n+three\n four\n";

    #[test]
    fn a_patch_is_a_sentence_and_a_diff() {
        let bug = Bug::parse("x", TEXT).unwrap();
        assert_eq!((&*bug.what, &*bug.file), ("Two is three.", "src/x.rs"));
        assert_eq!(bug.apply("one\ntwo\nfour\n"), Ok("one\nthree\nfour\n".to_owned()));
    }

    #[test]
    fn what_is_no_patch_or_does_not_fit_is_refused_by_name() {
        let bug = Bug::parse("x", TEXT).unwrap();
        assert!(bug.apply("one\nfour\n").unwrap_err().contains("x does not fit src/x.rs"));
        for (text, reason) in [
            ("--- a/src/x.rs", "no sentence"),
            (" \n\n--- a/src/x.rs\n+++ b/src/x.rs\n", "no sentence"),
            ("--- a/src/x.rs\n+++ b/src/x.rs\n@@ -1 +1 @@\n-one\n+two\n\n", "no sentence"),
            ("What.\n\n@@ -1 +1 @@", "names no file"),
            ("What.\n\n+++ b/verify/x.rs\n", "under src/"),
            ("What.\n\n+++ b/src/x.rs\n+++ b/src/y.rs\n", "several files"),
        ] {
            assert!(Bug::parse("x", text).unwrap_err().contains(reason), "{text}");
        }
    }
    /// A file that is no bug is refused by its name, and the message says what a bug is.
    #[test]
    fn a_directory_of_bugs_has_nothing_else() {
        let directory = std::env::temp_dir().join(format!("heaplab-bugs-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let with = |name: &str, text: &str| {
            std::fs::write(directory.join(name), text).unwrap();
            let bugs = Bug::all(&directory);
            std::fs::remove_file(directory.join(name)).unwrap();
            bugs
        };
        assert_eq!(with("x.patch", TEXT).unwrap(), [Bug::parse("x", TEXT).unwrap()]);
        for (name, text, reason) in [
            ("x.diff", TEXT, "no NAME.patch"),
            ("x.patch", TEXT.split_once("\n\n").unwrap().1, "no sentence"),
            ("x.patch", &*TEXT.replace("src/x.rs", "verify/x.rs"), "under src/"),
            ("x.patch", &*(TEXT.to_owned() + "--- a/src/y.rs\n+++ b/src/y.rs\n"), "several files"),
        ] {
            let error = with(name, text).expect_err(reason);
            for words in [name, reason, "one file under src/", "CONTRIBUTING.md"] {
                assert!(error.contains(words), "no {words:?} in {error}");
            }
        }
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
