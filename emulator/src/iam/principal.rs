//! Who makes a request, and whether a policy's `Principal` element means them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The identity behind a request, after authentication.
///
/// Follows <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Principal {
    /// The account itself: root credentials, which no identity-based policy limits.
    AccountRoot {
        /// The twelve digits of the account.
        account: String,
    },
    /// An IAM user with long-term credentials.
    User {
        /// The twelve digits of the account.
        account: String,
        /// The path, which begins and ends with `/`.
        path: String,
        /// The user's name, without its path.
        name: String,
        /// The unique id, `AIDA…`.
        id: String,
    },
    /// A session of a role: what `sts:AssumeRole` hands out.
    AssumedRole {
        /// The twelve digits of the account.
        account: String,
        /// The role's name, without its path.
        role_name: String,
        /// The role's path, which begins and ends with `/`; the session's own ARN does not show it.
        role_path: String,
        /// The role's unique id, `AROA…`.
        role_id: String,
        /// The name that the caller of `AssumeRole` gave the session.
        session_name: String,
    },
    /// A user of somebody else's directory: what `sts:GetFederationToken` hands out.
    FederatedUser {
        /// The twelve digits of the account.
        account: String,
        /// The name that the caller of `GetFederationToken` gave.
        name: String,
        /// The name of the IAM user who called it; none for the account's root.
        issuer: Option<String>,
    },
    /// An AWS service acting for itself, such as `scheduler.amazonaws.com`.
    Service(String),
    /// Somebody whom an identity provider vouches for and who is about to assume a role: the ARN or name of the provider.
    Federated(String),
    /// Nobody: a request without a signature.
    Anonymous,
}

/// How narrowly a `Principal` element means someone. The order is from wide to narrow.
///
/// The breadth decides which limits an allowing resource-based policy escapes; see
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-single-account.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Breadth {
    /// The account: permission to delegate, so an identity-based policy must allow as well.
    Account,
    /// `*`: everybody.
    Everyone,
    /// The role behind the session.
    Role,
    /// Exactly this user, session, service or root.
    Exact,
}

impl Principal {
    /// The ARN that policies, denials and `GetCallerIdentity` show; a service's name or `anonymous` where there is none.
    pub fn arn(&self) -> String {
        match self {
            Self::AccountRoot { account } => format!("arn:aws:iam::{account}:root"),
            Self::User { account, path, name, .. } => format!("arn:aws:iam::{account}:user{path}{name}"),
            Self::AssumedRole { account, role_name, session_name, .. } => {
                format!("arn:aws:sts::{account}:assumed-role/{role_name}/{session_name}")
            }
            Self::FederatedUser { account, name, .. } => format!("arn:aws:sts::{account}:federated-user/{name}"),
            Self::Service(name) | Self::Federated(name) => name.clone(),
            Self::Anonymous => "anonymous".to_owned(),
        }
    }

    /// The twelve digits of the account that the principal belongs to; none for a service or nobody.
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::AccountRoot { account }
            | Self::User { account, .. }
            | Self::AssumedRole { account, .. }
            | Self::FederatedUser { account, .. } => Some(account),
            Self::Service(_) | Self::Federated(_) | Self::Anonymous => None,
        }
    }

    /// What `GetCallerIdentity` answers as `UserId` and conditions read as `aws:userid`: `AIDA…`, `AROA…:session`,
    /// the account for its root, `anonymous` for nobody.
    pub fn user_id(&self) -> String {
        match self {
            Self::AccountRoot { account } => account.clone(),
            Self::User { id, .. } => id.clone(),
            Self::AssumedRole { role_id, session_name, .. } => format!("{role_id}:{session_name}"),
            Self::FederatedUser { account, name, .. } => format!("{account}:{name}"),
            Self::Service(name) | Self::Federated(name) => name.clone(),
            Self::Anonymous => "anonymous".to_owned(),
        }
    }

    /// The ARN of the role behind a session, path included.
    pub fn role_arn(&self) -> Option<String> {
        match self {
            Self::AssumedRole { account, role_name, role_path, .. } => {
                Some(format!("arn:aws:iam::{account}:role{role_path}{role_name}"))
            }
            _ => None,
        }
    }

    /// What conditions read as `aws:PrincipalArn`: for a session the ARN of its role.
    pub fn condition_arn(&self) -> Option<String> {
        match self {
            Self::AssumedRole { .. } => self.role_arn(),
            Self::AccountRoot { .. } | Self::User { .. } | Self::FederatedUser { .. } => Some(self.arn()),
            Self::Service(_) | Self::Federated(_) | Self::Anonymous => None,
        }
    }

    /// What conditions read as `aws:PrincipalType`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::AccountRoot { .. } => "Account",
            Self::User { .. } => "User",
            Self::AssumedRole { .. } => "AssumedRole",
            Self::FederatedUser { .. } => "FederatedUser",
            Self::Federated(_) => "Federated",
            Self::Service(_) => "Service",
            Self::Anonymous => "Anonymous",
        }
    }
}

/// A parsed `Principal` or `NotPrincipal` element.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PrincipalElement {
    /// `"Principal": "*"`, which differs from `{"AWS": "*"}` in writing only.
    pub everyone: bool,
    /// Account ids, ARNs, unique ids or `*`.
    pub aws: Vec<String>,
    /// Service names.
    pub service: Vec<String>,
    /// Identity providers.
    pub federated: Vec<String>,
    /// S3 canonical user ids; parsed and never matched, since Garoa gives principals none.
    pub canonical: Vec<String>,
}

/// Why a `Principal` element is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrincipalError {
    /// Neither `"*"` nor a map of lists of strings.
    Shape,
    /// A map without a single member or value.
    Empty,
    /// A value, or a kind of principal, that AWS does not know: kind and value.
    Invalid(String, String),
}

impl PrincipalElement {
    /// Reads the element and checks the form of each value; whether the principal exists is not checked here.
    pub fn parse(value: &Value) -> Result<Self, PrincipalError> {
        let map = match value {
            Value::String(text) if text == "*" => return Ok(Self { everyone: true, ..Self::default() }),
            Value::String(text) => return Err(PrincipalError::Invalid("STAR".to_owned(), text.clone())),
            Value::Object(map) => map,
            _ => return Err(PrincipalError::Shape),
        };
        let mut element = Self::default();
        for (kind, values) in map {
            let values = match values {
                Value::String(one) => vec![one.clone()],
                Value::Array(many) => many
                    .iter()
                    .map(|one| one.as_str().map(str::to_owned).ok_or(PrincipalError::Shape))
                    .collect::<Result<_, _>>()?,
                _ => return Err(PrincipalError::Shape),
            };
            if let Some(bad) = values.iter().find(|one| !is_valid(kind, one)) {
                return Err(PrincipalError::Invalid(kind.clone(), bad.clone()));
            }
            match kind.as_str() {
                "AWS" => element.aws = values,
                "Service" => element.service = values,
                "Federated" => element.federated = values,
                "CanonicalUser" => element.canonical = values,
                _ => return Err(PrincipalError::Invalid(kind.clone(), values.first().cloned().unwrap_or_default())),
            }
        }
        let empty = element.aws.is_empty()
            && element.service.is_empty()
            && element.federated.is_empty()
            && element.canonical.is_empty();
        if empty { Err(PrincipalError::Empty) } else { Ok(element) }
    }

    /// Whether the element means this principal, and how narrowly; the narrowest of several ways counts.
    pub fn matches(&self, principal: &Principal) -> Option<Breadth> {
        let everyone = self.everyone.then_some(Breadth::Everyone);
        let aws = self.aws.iter().filter_map(|one| aws_matches(one, principal)).max();
        let service = match principal {
            Principal::Service(name) => {
                self.service.iter().any(|one| one == name || of_region(one, name)).then_some(Breadth::Exact)
            }
            Principal::Federated(provider) => self.federated.contains(provider).then_some(Breadth::Exact),
            _ => None,
        };
        everyone.max(aws).max(service)
    }
}

/// Whether a name such as `logs.us-east-1.amazonaws.com` means `logs.amazonaws.com`, as it does in the policies of older pages.
fn of_region(one: &str, name: &str) -> bool {
    let mut parts = one.splitn(3, '.');
    let (service, region, rest) = (parts.next(), parts.next(), parts.next());
    let is_region = region.is_some_and(|region| region.contains('-'));
    is_region && rest == Some("amazonaws.com") && name.strip_suffix(".amazonaws.com") == service
}

fn aws_matches(one: &str, principal: &Principal) -> Option<Breadth> {
    if one == "*" {
        return Some(Breadth::Everyone);
    }
    let account = principal.account()?;
    if one == account || one.strip_prefix("arn:aws:iam::").and_then(|rest| rest.strip_suffix(":root")) == Some(account)
    {
        let root = matches!(principal, Principal::AccountRoot { .. });
        return Some(if root { Breadth::Exact } else { Breadth::Account });
    }
    if one == principal.arn() || one == principal.user_id() {
        return Some(Breadth::Exact);
    }
    let by_role_id = matches!(principal, Principal::AssumedRole { role_id, .. } if one == role_id);
    (by_role_id || principal.role_arn().as_deref() == Some(one)).then_some(Breadth::Role)
}

/// Digits of an account id.
pub const ACCOUNT_DIGITS: usize = 12;

/// Whether the text is an account id.
pub fn is_account(text: &str) -> bool {
    text.len() == ACCOUNT_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_valid(kind: &str, value: &str) -> bool {
    match kind {
        "AWS" => value == "*" || is_account(value) || is_unique_id(value) || is_principal_arn(value),
        "Service" => value.contains('.') && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-'),
        _ => !value.is_empty(),
    }
}

fn is_unique_id(value: &str) -> bool {
    (value.starts_with("AIDA") || value.starts_with("AROA"))
        && value.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

fn is_principal_arn(value: &str) -> bool {
    let mut parts = value.splitn(6, ':');
    let head = [parts.next(), parts.next()];
    let (service, region, account, resource) = (parts.next(), parts.next(), parts.next(), parts.next());
    let (Some(account), Some(resource)) = (account, resource) else { return false };
    let prefixes: &[&str] = match service {
        Some("iam") => &["user/", "role/"],
        Some("sts") => &["assumed-role/", "federated-user/"],
        _ => return false,
    };
    let named = prefixes.iter().any(|p| resource.strip_prefix(p).is_some_and(|name| !name.is_empty()));
    head == [Some("arn"), Some("aws")]
        && region == Some("")
        && is_account(account)
        && !value.contains(['*', '?'])
        && (named || (service == Some("iam") && resource == "root"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn session() -> Principal {
        Principal::AssumedRole {
            account: "123456789012".into(),
            role_name: "pix-role".into(),
            role_path: "/team/".into(),
            role_id: "AROAEXAMPLE".into(),
            session_name: "pix-monitor".into(),
        }
    }

    #[test]
    fn a_session_shows_no_path_and_its_role_does() {
        assert_eq!(session().arn(), "arn:aws:sts::123456789012:assumed-role/pix-role/pix-monitor");
        assert_eq!(session().role_arn().unwrap(), "arn:aws:iam::123456789012:role/team/pix-role");
        assert_eq!(session().user_id(), "AROAEXAMPLE:pix-monitor");
        assert_eq!(session().account(), Some("123456789012"));
    }

    #[test]
    fn breadth_of_each_way_to_name_a_session() {
        let cases = [
            (json!("*"), Some(Breadth::Everyone)),
            (json!({"AWS": "*"}), Some(Breadth::Everyone)),
            (json!({"AWS": "123456789012"}), Some(Breadth::Account)),
            (json!({"AWS": "arn:aws:iam::123456789012:root"}), Some(Breadth::Account)),
            (json!({"AWS": ["999999999999", "arn:aws:iam::123456789012:role/team/pix-role"]}), Some(Breadth::Role)),
            (json!({"AWS": "AROAEXAMPLE"}), Some(Breadth::Role)),
            (json!({"AWS": "arn:aws:sts::123456789012:assumed-role/pix-role/pix-monitor"}), Some(Breadth::Exact)),
            (json!({"AWS": "arn:aws:iam::123456789012:role/pix-role"}), None),
            (json!({"Service": "lambda.amazonaws.com"}), None),
        ];
        for (element, expected) in cases {
            assert_eq!(PrincipalElement::parse(&element).unwrap().matches(&session()), expected, "{element}");
        }
        let lambda = Principal::Service("lambda.amazonaws.com".into());
        let element = PrincipalElement::parse(&json!({"Service": ["lambda.amazonaws.com"]})).unwrap();
        assert_eq!(element.matches(&lambda), Some(Breadth::Exact));
        assert_eq!(element.matches(&Principal::Anonymous), None);
    }

    #[test]
    fn malformed_principals_are_named() {
        let bad = |value| PrincipalElement::parse(&value).unwrap_err();
        assert_eq!(bad(json!({})), PrincipalError::Empty);
        assert_eq!(bad(json!(7)), PrincipalError::Shape);
        let star = "arn:aws:iam::123456789012:role/*".to_owned();
        assert_eq!(bad(json!({"AWS": star})), PrincipalError::Invalid("AWS".into(), star));
        assert_eq!(bad(json!({"AWS": "12345678910"})), PrincipalError::Invalid("AWS".into(), "12345678910".into()));
        assert_eq!(bad(json!({"Planet": "x"})), PrincipalError::Invalid("Planet".into(), "x".into()));
    }

    #[test]
    fn principals_survive_serde() {
        let text = serde_json::to_string(&session()).unwrap();
        assert_eq!(serde_json::from_str::<Principal>(&text).unwrap(), session());
    }
}
