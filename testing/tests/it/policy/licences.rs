//! Which licences what we build in may have.

use anyhow::{Context, Result, bail};

use super::repository::packages;

/// Licences that ask for no more than a notice.
pub(crate) const ALLOWED: [&str; 12] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

#[test]
fn every_crate_has_a_licence_that_is_allowed() -> Result<()> {
    let mut refused = Vec::new();
    for package in packages()? {
        let name = package["name"].as_str().context("a package without a name")?;
        let licence = package["license"].as_str().unwrap_or_default();
        if !is_satisfied(licence, &ALLOWED).with_context(|| format!("the licence of {name}"))? {
            refused.push(format!("{name}: {licence:?}"));
        }
    }
    assert_eq!(refused, Vec::<String>::new());
    Ok(())
}

/// Whether a licence expression (SPDX) can be satisfied by allowed licences
/// alone. `A/B`, the older way to write a choice, is read as `A OR B`.
pub(crate) fn is_satisfied(expression: &str, allowed: &[&str]) -> Result<bool> {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words: Vec<&str> = spaced.split_whitespace().rev().collect();
    let satisfied = choice(&mut words, allowed)?;
    match words.pop() {
        None => Ok(satisfied),
        Some(word) => bail!("{word:?} is left over in {expression:?}"),
    }
}

/// `term (OR term)*`; the words are a stack, the next one last.
fn choice(words: &mut Vec<&str>, allowed: &[&str]) -> Result<bool> {
    let mut satisfied = conjunction(words, allowed)?;
    while words.last() == Some(&"OR") {
        words.pop();
        satisfied |= conjunction(words, allowed)?;
    }
    Ok(satisfied)
}

/// `licence (AND licence)*`.
fn conjunction(words: &mut Vec<&str>, allowed: &[&str]) -> Result<bool> {
    let mut satisfied = licence(words, allowed)?;
    while words.last() == Some(&"AND") {
        words.pop();
        satisfied &= licence(words, allowed)?;
    }
    Ok(satisfied)
}

/// One licence, with its exception, or a bracketed expression.
fn licence(words: &mut Vec<&str>, allowed: &[&str]) -> Result<bool> {
    match words.pop() {
        Some("(") => {
            let satisfied = choice(words, allowed)?;
            match words.pop() {
                Some(")") => Ok(satisfied),
                other => bail!("a bracket is not closed before {other:?}"),
            }
        }
        None | Some("OR" | "AND" | "WITH" | ")") => bail!("a licence is missing"),
        Some(name) if words.last() == Some(&"WITH") => {
            words.pop();
            let exception = words.pop().context("an exception is missing")?;
            Ok(allowed.contains(&format!("{name} WITH {exception}").as_str()))
        }
        Some(name) => Ok(allowed.contains(&name)),
    }
}

#[test]
fn a_choice_needs_one_allowed_licence_and_a_conjunction_needs_all() -> Result<()> {
    for (expression, satisfied) in [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("MIT OR GPL-3.0-only", true),
        ("MIT/GPL-3.0-only", true),
        ("MIT AND GPL-3.0-only", false),
        ("(MIT OR GPL-3.0-only) AND ISC", true),
        ("GPL-3.0-only OR MIT AND ISC", true),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("GPL-2.0-only WITH Classpath-exception-2.0", false),
    ] {
        assert_eq!(is_satisfied(expression, &ALLOWED)?, satisfied, "{expression}");
    }
    for broken in ["", "MIT OR", "(MIT", "MIT ISC", "MIT WITH"] {
        assert!(is_satisfied(broken, &ALLOWED).is_err(), "{broken}");
    }
    Ok(())
}
