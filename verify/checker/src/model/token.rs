//! Tokens: the name of one execution of one model, by which it can be run again.
//!
//! An exploration is deterministic, so model, pass and number identify an execution, and of the explorer's also the
//! decisions that lead to it, by which it is run again without the executions before it. That holds as long as the
//! sources are the same, and debug assertions are on in both builds or off in both: assertions can fail, and some of
//! them read atomics. So a token has a fingerprint of the sources, and a `+` behind it if assertions are on. A token of
//! other sources, or of the other kind of build, is refused, not replayed as another execution. The token of an
//! execution under a mutant also names the mutant.

use super::Pass;
use super::mutation::{self, MutantName};
use crate::build::{COMMIT, FINGERPRINT};
use heaplab::sync::GraphName;
use std::fmt;
use std::str::FromStr;

/// Digits of the fingerprint in a token.
const DIGITS: usize = 8;

/// What an execution is called within its pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExecutionName {
    /// Its number, from 1.
    Number(u64),
    /// The decisions of the explorer that lead to it.
    Graph(GraphName),
}

impl fmt::Display for ExecutionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExecutionName::Number(number) => number.fmt(f),
            ExecutionName::Graph(name) => name.fmt(f),
        }
    }
}

/// One execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The model.
    pub model: String,
    /// The pass.
    pub pass: Pass,
    /// The execution.
    pub execution: ExecutionName,
    /// The sources.
    pub fingerprint: String,
    /// Whether the build has debug assertions.
    pub assertions: bool,
    /// The mutant it ran under.
    pub mutant: Option<MutantName>,
}

impl Token {
    /// The token of an execution of this build.
    #[must_use]
    pub fn new(model: &str, pass: Pass, execution: ExecutionName, mutant: Option<MutantName>) -> Token {
        let fingerprint = FINGERPRINT[..DIGITS].to_owned();
        let assertions = cfg!(debug_assertions);
        Token { model: model.to_owned(), pass, execution, fingerprint, assertions, mutant }
    }

    /// Checks that this build can replay the token.
    ///
    /// # Errors
    /// The token was made from other sources, or by a build with other assertions.
    pub fn check_fresh(&self) -> Result<(), String> {
        if FINGERPRINT.starts_with(&self.fingerprint) {
            if self.assertions == cfg!(debug_assertions) {
                return Ok(());
            }
            let (is, profile) = if self.assertions { ("with", "--profile test") } else { ("without", "--release") };
            return Err(format!(
                "the token is of a build {is} debug assertions, whose executions are others: cargo run {profile} \
                 --features loom -- replay {self}"
            ));
        }
        Err(format!(
            "the token is stale: it was made from other sources ({}, these are {}, commit {COMMIT}). Check out and \
             build what it was made from, or run the model again: models --only {}",
            self.fingerprint,
            &FINGERPRINT[..DIGITS],
            self.model
        ))
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let assertions = if self.assertions { "+" } else { "" };
        write!(f, "{},{},{},{}{assertions}", self.model, self.pass, self.execution, self.fingerprint)?;
        self.mutant.as_ref().map_or(Ok(()), |mutant| write!(f, ",{mutant}"))
    }
}

impl FromStr for Token {
    type Err = String;

    fn from_str(text: &str) -> Result<Token, String> {
        let bad = |what: &str| {
            format!(
                "`{text}` is no token ({what}); one is printed with each failure: \
                 MODEL,PASS,EXECUTION,SOURCES[+][,MUTANT]"
            )
        };
        let mut parts = text.splitn(5, ',');
        let mut next = |what: &str| parts.next().filter(|part| !part.is_empty()).ok_or_else(|| bad(what));
        let model = next("the model is missing")?.to_owned();
        let pass = next("the pass is missing")?;
        let execution = next("the execution is missing")?;
        let execution =
            match execution.parse() {
                Ok(0) => return Err(bad("the execution is no number from 1")),
                Ok(number) => ExecutionName::Number(number),
                Err(_) => ExecutionName::Graph(execution.parse().map_err(|error| {
                    bad(&format!("the execution is no number from 1 and no name of a graph: {error}"))
                })?),
            };
        let fingerprint = next("the fingerprint of the sources is missing")?;
        let (fingerprint, assertions) = match fingerprint.strip_suffix('+') {
            Some(fingerprint) => (fingerprint.to_owned(), true),
            None => (fingerprint.to_owned(), false),
        };
        if fingerprint.len() != DIGITS || !fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(bad("the fingerprint of the sources is not 8 hexadecimal digits"));
        }
        let pass = pass.parse().map_err(|error| bad(&format!("{error}")))?;
        if pass != Pass::Graphs && matches!(execution, ExecutionName::Graph(_)) {
            return Err(bad("only the executions of the graphs pass have names"));
        }
        let mutant = parts.next().map(mutation::parse).transpose().map_err(|error| bad(&error))?;
        Ok(Token { model, pass, execution, fingerprint, assertions, mutant: mutant.map(|mutant| mutant.to_string()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_its_text() {
        for mutant in [None, Some("src/a.rs:1:2,rmw,relaxed".to_owned())] {
            let graph = "t1.3:5s0.0-12r1.2.0.0".parse().unwrap();
            for (pass, execution) in [
                (Pass::Normal, ExecutionName::Number(17)),
                (Pass::Graphs, ExecutionName::Number(17)),
                (Pass::Graphs, ExecutionName::Graph(graph)),
                (Pass::Graphs, ExecutionName::Graph("first".parse().unwrap())),
            ] {
                let token = Token::new("a::b", pass, execution, mutant.clone());
                assert_eq!(token.to_string().parse(), Ok(token.clone()));
                assert_eq!(token.check_fresh(), Ok(()));
            }
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for text in [
            "",
            "a",
            "a,normal",
            "a,normal,0,12345678",
            "a,normal,first,12345678",
            "a,graphs,t1:first,12345678",
            "a,graphs,t9.1:first,12345678",
            "a,graphs,3x1,12345678",
            "a,normal,1,1234",
            "a,odd,1,12345678",
            "a,normal,x,12345678",
        ] {
            assert!(text.parse::<Token>().unwrap_err().contains("is no token"), "{text}");
        }
        assert!("a,normal,1,12345678,nonsense".parse::<Token>().unwrap_err().contains("mutant"));
    }

    #[test]
    fn a_token_of_the_other_build_says_which_one_to_run() {
        let mut token = Token::new("a::b", Pass::Normal, ExecutionName::Number(17), None);
        token.assertions = !token.assertions;
        let reason = token.check_fresh().unwrap_err();
        assert!(reason.contains(&format!("-- replay {token}")), "{reason}");
        assert_eq!(reason.contains("--release"), cfg!(debug_assertions), "{reason}");
    }

    #[test]
    fn a_token_of_other_sources_is_stale() {
        let mut token = Token::new("a::b", Pass::Normal, ExecutionName::Number(17), None);
        token.fingerprint = if FINGERPRINT.starts_with('0') { "1".repeat(8) } else { "0".repeat(8) };
        assert!(token.check_fresh().unwrap_err().contains("stale"));
    }
}
