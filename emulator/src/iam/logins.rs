//! Login profiles: that a user has a password. There is no console, so the password itself is looked at and forgotten.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateLoginProfile.html>

use serde::{Deserialize, Serialize};

use super::directory::{Directory, Kind, Login, PasswordPolicy, already_exists, no_such_entity};
use super::shapes::Empty;
use super::users::{MaybeNamed, name_or_caller};
use crate::cloud::Cx;
use crate::{Error, Result, Timestamp};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateLogin {
    pub user_name: Option<String>,
    password: Option<String>,
    #[serde(default)]
    password_reset_required: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UpdateLogin {
    pub user_name: String,
    password: Option<String>,
    password_reset_required: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct LoginAnswer {
    login_profile: LoginShape,
}

/// `LoginProfile` of the IAM API.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LoginShape {
    user_name: String,
    create_date: Timestamp,
    password_reset_required: bool,
}

fn answer(user: &str, login: &Login) -> LoginAnswer {
    LoginAnswer {
        login_profile: LoginShape {
            user_name: user.to_owned(),
            create_date: login.created,
            password_reset_required: login.reset_required,
        },
    }
}

fn missing(user: &str) -> Error {
    no_such_entity(format!("Login Profile for User {user} cannot be found."))
}

/// Refuses a password that the account's policy does not allow.
fn check(policy: Option<&PasswordPolicy>, password: &str) -> Result<()> {
    let Some(policy) = policy else { return Ok(()) };
    let length = usize::try_from(policy.minimum_password_length).unwrap_or(usize::MAX);
    let has = |wanted: bool, fits: fn(char) -> bool| !wanted || password.chars().any(fits);
    let fits = password.chars().count() >= length
        && has(policy.require_symbols, |c| !c.is_alphanumeric())
        && has(policy.require_numbers, |c| c.is_numeric())
        && has(policy.require_uppercase_characters, char::is_uppercase)
        && has(policy.require_lowercase_characters, char::is_lowercase);
    if fits {
        return Ok(());
    }
    Err(Error::client("PasswordPolicyViolation", "Password does not conform to the account password policy."))
}

fn allowed(cx: &Cx<Directory>, password: Option<&String>) -> Result<()> {
    let policy = cx.state.account(&cx.scope.account).and_then(|account| account.passwords.as_ref());
    password.map_or(Ok(()), |password| check(policy, password))
}

pub(super) fn create(cx: &mut Cx<Directory>, input: CreateLogin) -> Result<LoginAnswer> {
    let name = name_or_caller(cx, input.user_name)?;
    let account = cx.scope.account.clone();
    let user = cx.state.user(&account, &name).ok_or_else(|| Kind::User.missing(&name))?;
    if user.login.is_some() {
        return Err(already_exists(format!("Login Profile for user {name} already exists.")));
    }
    allowed(cx, input.password.as_ref())?;
    let login = Login { created: cx.now, reset_required: input.password_reset_required };
    let answer = answer(&name, &login);
    cx.state.user_mut(&account, &name)?.login = Some(login);
    Ok(answer)
}

pub(super) fn get(cx: &mut Cx<Directory>, input: MaybeNamed) -> Result<LoginAnswer> {
    let name = name_or_caller(cx, input.user_name)?;
    let user = cx.state.user(&cx.scope.account, &name).ok_or_else(|| Kind::User.missing(&name))?;
    user.login.as_ref().map(|login| answer(&name, login)).ok_or_else(|| missing(&name))
}

pub(super) fn update(cx: &mut Cx<Directory>, input: UpdateLogin) -> Result<Empty> {
    allowed(cx, input.password.as_ref())?;
    let account = cx.scope.account.clone();
    let user = cx.state.user_mut(&account, &input.user_name)?;
    let login = user.login.as_mut().ok_or_else(|| missing(&input.user_name))?;
    login.reset_required = input.password_reset_required.unwrap_or(login.reset_required);
    Ok(Empty {})
}

pub(super) fn delete(cx: &mut Cx<Directory>, input: MaybeNamed) -> Result<Empty> {
    let name = name_or_caller(cx, input.user_name)?;
    let account = cx.scope.account.clone();
    let user = cx.state.user_mut(&account, &name)?;
    user.login.take().map(|_| Empty {}).ok_or_else(|| missing(&name))
}
