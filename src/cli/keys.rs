//! `heartline keys new`: makes an API key, and the line by which a server knows it.

use std::io::Write;

use serde_json::json;
use sha2::{Digest, Sha256};

use super::CliError;
use super::arguments::KeysCommand;
use crate::app::random_text;
use crate::config::check_name;
use crate::hexadecimal::hexadecimal;

/// What every key begins with, so that people and programs that search for lost secrets know one when they see it.
const PREFIX: &str = "hlk_";

/// Makes a key.
pub(super) fn run(command: &KeysCommand, output: &mut dyn Write) -> Result<(), CliError> {
    let KeysCommand::New { name, output: arguments } = command;
    check_name(name).map_err(CliError::Usage)?;
    let key = new_key()?;
    let sha256 = hexadecimal(&Sha256::digest(key.as_bytes()));
    if arguments.json {
        writeln!(output, "{}", json!({"name": name, "key": key, "sha256": sha256}))?;
        return Ok(());
    }
    writeln!(output, "The key of \"{name}\", which is shown this once:\n\n  {key}\n")?;
    writeln!(output, "What the server needs, in the list access.keys of its configuration:\n")?;
    writeln!(output, "  {{ name = \"{name}\", sha256 = \"{sha256}\" }}\n")?;
    writeln!(output, "Clients send it as \"Authorization: Bearer KEY\".")?;
    Ok(())
}

/// A key that can stand in headers and in a WebSocket's subprotocols.
fn new_key() -> Result<String, CliError> {
    random_text().map(|random| format!("{PREFIX}{random}")).ok_or(CliError::NoRandomness)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_long_different_and_plain() {
        let (one, other) = (new_key().unwrap(), new_key().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), PREFIX.len() + 43);
        assert!(one.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{one}");
    }
}
