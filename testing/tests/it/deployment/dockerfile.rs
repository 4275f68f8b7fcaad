//! The image: what its stages copy is there, and what it runs exists.

use std::{collections::BTreeMap, fs};

use anyhow::{Context, Result, bail};

use super::program;
use crate::policy::repository::root;

/// One stage of a Dockerfile.
#[derive(Default)]
pub(super) struct Stage {
    base: String,
    name: String,
    instructions: Vec<Instruction>,
}

/// `COPY --from=x a b` is the word COPY, the option and the rest.
struct Instruction {
    word: String,
    options: Vec<String>,
    rest: String,
}

impl Instruction {
    /// Splits a line, continuations already joined.
    fn parse(line: &str) -> Result<Self> {
        let (word, mut rest) = line.split_once(' ').with_context(|| format!("no arguments: {line}"))?;
        let mut options = Vec::new();
        loop {
            rest = rest.trim_start();
            match rest.split_once(' ') {
                Some((option, after)) if option.starts_with("--") => {
                    options.push(option.to_owned());
                    rest = after;
                }
                _ => break,
            }
        }
        Ok(Self {
            word: word.to_owned(),
            options,
            rest: rest.to_owned(),
        })
    }

    fn option(&self, name: &str) -> Option<&str> {
        let prefix = format!("--{name}=");
        self.options.iter().find_map(|option| option.strip_prefix(&prefix))
    }

    /// The arguments of the form that needs no shell: a JSON list.
    fn arguments(&self) -> Result<Vec<String>> {
        let list = self.rest.trim_start_matches("CMD ");
        serde_json::from_str(list).with_context(|| format!("{} needs a shell: {}", self.word, self.rest))
    }
}

impl Stage {
    fn all(&self, word: &str) -> impl Iterator<Item = &Instruction> {
        self.instructions
            .iter()
            .filter(move |instruction| instruction.word == word)
    }

    fn one(&self, word: &str) -> Result<&Instruction> {
        let mut all = self.all(word);
        match (all.next(), all.next()) {
            (Some(instruction), None) => Ok(instruction),
            _ => bail!("not one {word} in the stage {:?}", self.name),
        }
    }

    /// What ENV sets.
    pub(super) fn environment(&self) -> BTreeMap<String, String> {
        self.all("ENV")
            .flat_map(|instruction| instruction.rest.split_whitespace())
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// What ENTRYPOINT and CMD run together.
    pub(super) fn command(&self) -> Result<Vec<String>> {
        let mut command = self.one("ENTRYPOINT")?.arguments()?;
        command.extend(self.one("CMD")?.arguments()?);
        Ok(command)
    }

    /// What HEALTHCHECK runs.
    pub(super) fn health_check(&self) -> Result<Vec<String>> {
        self.one("HEALTHCHECK")?.arguments()
    }

    /// Where COPY puts files, as absolute paths.
    pub(super) fn copied_to(&self) -> impl Iterator<Item = &str> {
        self.all("COPY").filter_map(|copy| copy.rest.split_whitespace().last())
    }
}

/// The stages of our Dockerfile, in order.
pub(super) fn stages() -> Result<Vec<Stage>> {
    let text = fs::read_to_string(root().join("Dockerfile"))?;
    let without_comments: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .collect();
    let joined = without_comments.join("\n").replace("\\\n", " ");
    let mut stages: Vec<Stage> = Vec::new();
    for line in joined.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let instruction = Instruction::parse(line)?;
        if instruction.word == "FROM" {
            let mut words = instruction.rest.split(" AS ");
            stages.push(Stage {
                base: words.next().unwrap_or_default().to_owned(),
                name: words.next().unwrap_or_default().to_owned(),
                instructions: Vec::new(),
            });
        } else {
            let stage = stages.last_mut().context("an instruction before FROM")?;
            stage.instructions.push(instruction);
        }
    }
    Ok(stages)
}

/// The stage that becomes the image.
pub(super) fn image() -> Result<Stage> {
    stages()?.pop().context("a Dockerfile without stages")
}

#[test]
fn what_is_copied_is_there() -> Result<()> {
    let stages = stages()?;
    for (index, stage) in stages.iter().enumerate() {
        for copy in stage.all("COPY") {
            let mut paths: Vec<&str> = copy.rest.split_whitespace().collect();
            paths.pop().context("COPY to nowhere")?;
            assert!(!paths.is_empty(), "COPY of nothing: {}", copy.rest);
            for path in paths {
                match copy.option("from") {
                    None => assert!(root().join(path).exists(), "{path} is not in the repository"),
                    Some(from) => {
                        let source = stages[..index].iter().find(|stage| stage.name == from);
                        let source = source.with_context(|| format!("no stage {from} before this"))?;
                        assert!(makes(source, path)?, "the stage {from} does not make {path}");
                    }
                }
            }
        }
    }
    Ok(())
}

/// Whether a stage has a step that makes a path: one that names it, or, in the
/// console's stage, the build that writes `dist`.
fn makes(stage: &Stage, path: &str) -> Result<bool> {
    let path = path.trim_end_matches('/');
    let below = format!("{}/", stage.one("WORKDIR")?.rest);
    let built =
        path.strip_prefix(&below) == Some("dist") && stage.all("RUN").any(|run| run.rest.contains("npm run build"));
    let named = stage
        .all("RUN")
        .any(|run| run.rest.split_whitespace().any(|word| word == path));
    Ok(built || named)
}

#[test]
fn the_tools_are_those_that_the_repository_pins() -> Result<()> {
    let stages = stages()?;
    let toolchain = fs::read_to_string(root().join("rust-toolchain.toml"))?;
    let rust = stages.iter().find_map(|stage| stage.base.strip_prefix("rust:"));
    let rust = rust
        .and_then(|tag| tag.split('-').next())
        .context("no stage with Rust")?;
    assert!(
        toolchain.contains(&format!("channel = \"{rust}\"")),
        "{rust}: {toolchain}"
    );

    let package = fs::read_to_string(root().join("web/package.json"))?;
    let node = stages.iter().find_map(|stage| stage.base.strip_prefix("node:"));
    let node = node
        .and_then(|tag| tag.split('-').next())
        .context("no stage with Node.js")?;
    assert!(package.contains(&format!("\"node\": \">={node}\"")), "{node}");
    Ok(())
}

#[test]
fn the_image_runs_the_binary_as_nobody_and_without_a_shell() -> Result<()> {
    let image = image()?;
    assert_eq!(image.all("RUN").count(), 0, "a step of the image needs a shell");
    let user = &image.one("USER")?.rest;
    let number = user.split(':').next().and_then(|user| user.parse::<u32>().ok());
    assert!(number.is_some_and(|number| number >= 1000), "USER {user}");

    let copied: Vec<&str> = image.copied_to().collect();
    let subcommands = program::subcommands()?;
    for command in [image.command()?, image.health_check()?] {
        let [path, subcommand, flags @ ..] = command.as_slice() else {
            bail!("{command:?} names no subcommand");
        };
        assert!(copied.contains(&path.as_str()), "{path} is not copied");
        assert!(subcommands.contains(subcommand), "{subcommand}");
        let known = program::options(subcommand)?.flags;
        for flag in flags {
            assert!(known.contains(flag.split('=').next().unwrap_or_default()), "{flag}");
        }
    }
    Ok(())
}

#[test]
fn what_the_image_sets_exists_and_agrees() -> Result<()> {
    let image = image()?;
    let environment = image.environment();
    let known = program::options("serve")?.variables;
    for variable in environment.keys() {
        assert!(known.contains(variable), "{variable}");
    }
    let port = environment["ATOLL_LISTEN"].rsplit(':').next().unwrap_or_default();
    assert_eq!(image.one("EXPOSE")?.rest, port);

    let data = &environment["ATOLL_DATA_DIR"];
    assert_eq!(image.one("VOLUME")?.arguments()?, std::slice::from_ref(data));
    let owner = &image.one("USER")?.rest;
    let made = image.all("COPY").find(|copy| {
        let target = copy.rest.split_whitespace().last().unwrap_or_default();
        target.trim_end_matches('/') == data && copy.option("chown") == Some(owner)
    });
    assert!(made.is_some(), "{data} is not made for the user of the image");
    Ok(())
}
