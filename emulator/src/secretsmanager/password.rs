//! `GetRandomPassword`.

use serde::{Deserialize, Serialize};

use super::store::{Secrets, invalid_parameter, invalid_request};
use crate::Result;
use crate::cloud::{Cx, Service, Target};

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
const SPACE: &str = " ";
/// How long a password is unless it is said.
/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html>
const LENGTH: usize = 32;

pub(super) fn operations(service: Service<Secrets>) -> Service<Secrets> {
    service.op("GetRandomPassword", |_, _: &GetRandomPassword| Target::any(), get)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct GetRandomPassword {
    password_length: usize,
    exclude_characters: String,
    exclude_numbers: bool,
    exclude_punctuation: bool,
    exclude_uppercase: bool,
    exclude_lowercase: bool,
    include_space: bool,
    require_each_included_type: bool,
}

impl Default for GetRandomPassword {
    fn default() -> Self {
        Self {
            password_length: LENGTH,
            exclude_characters: String::new(),
            exclude_numbers: false,
            exclude_punctuation: false,
            exclude_uppercase: false,
            exclude_lowercase: false,
            include_space: false,
            require_each_included_type: true,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Password {
    random_password: String,
}

fn get(cx: &mut Cx<Secrets>, input: GetRandomPassword) -> Result<Password> {
    let kinds = [
        (SPACE, input.include_space),
        (LOWER, !input.exclude_lowercase),
        (UPPER, !input.exclude_uppercase),
        (DIGITS, !input.exclude_numbers),
        (PUNCTUATION, !input.exclude_punctuation),
    ];
    let kinds: Vec<Vec<char>> = kinds
        .into_iter()
        .filter(|(_, included)| *included)
        .map(|(kind, _)| kind.chars().filter(|one| !input.exclude_characters.contains(*one)).collect())
        .filter(|kind: &Vec<char>| !kind.is_empty())
        .collect();
    if kinds.is_empty() {
        return Err(invalid_request("The password can't be generated because every character type is excluded."));
    }
    let length = input.password_length;
    let required = if input.require_each_included_type { kinds.len() } else { 0 };
    // The space is no type of its own to AWS. Where there is no room for it and the others, one of them goes.
    if length < required - usize::from(required > 0 && input.include_space) {
        return Err(invalid_parameter(format!("Password length {length} is too short based on the required types.")));
    }
    let all: Vec<char> = kinds.concat();
    let mut password: Vec<char> = kinds.iter().take(required.min(length)).map(|kind| draw(cx, kind)).collect();
    while password.len() < length {
        password.push(draw(cx, &all));
    }
    // The required characters may stand anywhere.
    for last in (1..password.len()).rev() {
        let other = usize::try_from(cx.ids().below(last as u64 + 1)).unwrap_or_default();
        password.swap(last, other);
    }
    Ok(Password { random_password: password.into_iter().collect() })
}

fn draw(cx: &mut Cx<Secrets>, from: &[char]) -> char {
    let index = usize::try_from(cx.ids().below(from.len() as u64)).unwrap_or_default();
    from.get(index).copied().unwrap_or_default()
}
