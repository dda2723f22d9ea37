//! `AssumeRoleWithSAML`: a role for whom a SAML provider vouches for. An assertion counts as it stands; its signature is not
//! verified.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithSAML.html>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha1::{Digest as _, Sha1};

use super::Tokens;
use super::assume::{AssumeRoleAnswer, account_of_role, denied};
use super::session::{PolicyArn, Tag};
use super::vouched::{Vouched, begin};
use crate::cloud::{At, Cx, Target};
use crate::wire::xml::{self, Element};
use crate::{Error, Result, Timestamp};

/// What AWS's attributes begin with.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_saml_assertions.html>
const ATTRIBUTES: &str = "https://aws.amazon.com/SAML/Attributes/";
/// What the formats of names begin with that answers show without it.
const FORMAT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AssumeWithSaml {
    role_arn: String,
    principal_arn: String,
    #[serde(rename = "SAMLAssertion")]
    assertion: String,
    #[serde(default)]
    policy_arns: Vec<PolicyArn>,
    policy: Option<String>,
    duration_seconds: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SamlAnswer {
    #[serde(flatten)]
    begun: AssumeRoleAnswer,
    subject: String,
    subject_type: String,
    issuer: String,
    audience: String,
    name_qualifier: String,
}

/// The role. The operation decides by itself, for the trust policy is IAM's and not STS's.
pub(super) fn target(_: &At<Tokens>, input: &AssumeWithSaml) -> Target {
    Target { open: true, ..Target::on(&*input.role_arn) }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::client("InvalidIdentityToken", message)
}

/// What an assertion says.
struct Assertion {
    issuer: String,
    subject: String,
    format: String,
    recipient: String,
    ends: Option<Timestamp>,
    attributes: Vec<(String, Vec<String>)>,
}

fn within<'a>(element: &'a Element, path: &[&'a str]) -> Option<&'a Element> {
    path.iter().try_fold(element, |element, name| element.named(name).next())
}

impl Assertion {
    fn read(encoded: &str) -> Result<Self> {
        let letters: String = encoded.chars().filter(|c| !c.is_whitespace()).collect();
        let bytes = STANDARD.decode(letters).map_err(|_| invalid("Invalid base64 SAMLResponse"))?;
        let malformed = || invalid("Could not parse SAMLResponse");
        let root = xml::parse(&bytes).ok().flatten().ok_or_else(malformed)?;
        let assertion =
            if root.name() == "Assertion" { &root } else { within(&root, &["Assertion"]).ok_or_else(malformed)? };
        let text = |path: &[&str]| within(assertion, path).map(|found| found.text().trim().to_owned());
        let name = within(assertion, &["Subject", "NameID"]).ok_or_else(malformed)?;
        let confirmation = within(assertion, &["Subject", "SubjectConfirmation", "SubjectConfirmationData"]);
        let conditions = within(assertion, &["Conditions"]);
        let end = |element: Option<&Element>| element?.attribute("NotOnOrAfter")?.parse().ok();
        let attribute = |one: &Element| {
            let values = one.named("AttributeValue").map(|value| value.text().trim().to_owned()).collect();
            Some((one.attribute("Name")?.to_owned(), values))
        };
        let statements = assertion.named("AttributeStatement").flat_map(|statement| statement.named("Attribute"));
        Ok(Self {
            issuer: text(&["Issuer"]).ok_or_else(malformed)?,
            subject: name.text().trim().to_owned(),
            format: name.attribute("Format").unwrap_or_default().to_owned(),
            recipient: confirmation.and_then(|one| one.attribute("Recipient")).unwrap_or_default().to_owned(),
            ends: end(confirmation).or_else(|| end(conditions)),
            attributes: statements.filter_map(attribute).collect(),
        })
    }

    /// The values of one of AWS's attributes.
    fn values(&self, name: &str) -> &[String] {
        let wanted = |full: &str| full.strip_prefix(ATTRIBUTES) == Some(name);
        self.attributes.iter().find(|(full, _)| wanted(full)).map_or(&[], |(_, values)| values)
    }

    fn first(&self, name: &str) -> Option<&String> {
        self.values(name).first()
    }

    /// Whether the assertion names this role with this provider, in either order.
    fn offers(&self, role: &str, provider: &str) -> bool {
        self.values("Role").iter().any(|pair| {
            let halves = pair.split_once(',').map(|(one, other)| (one.trim(), other.trim()));
            halves == Some((role, provider)) || halves == Some((provider, role))
        })
    }

    fn tags(&self) -> Vec<Tag> {
        let tag = |(name, values): &(String, Vec<String>)| {
            let key = name.strip_prefix(ATTRIBUTES)?.strip_prefix("PrincipalTag:")?;
            Some(Tag { key: key.to_owned(), value: values.first()?.clone() })
        };
        self.attributes.iter().filter_map(tag).collect()
    }
}

pub(super) fn assume(cx: &mut Cx<Tokens>, input: AssumeWithSaml) -> Result<SamlAnswer> {
    let account = account_of_role(&input.role_arn)?;
    let assertion = Assertion::read(&input.assertion)?;
    if !cx.access().directory().has_saml_provider(&account, &input.principal_arn) {
        return Err(invalid("Specified provider doesn't exist"));
    }
    if assertion.ends.is_some_and(|end| cx.now >= end) {
        let text = "Token must be redeemed within 5 minutes of issuance";
        return Err(Error::client("ExpiredTokenException", text));
    }
    let session_name = assertion.first("RoleSessionName").cloned();
    let session_name = session_name.ok_or_else(|| invalid("RoleSessionName is required in AuthnResponse"))?;
    if !assertion.offers(&input.role_arn, &input.principal_arn) {
        return Err(denied("Not authorized to perform sts:AssumeRoleWithSAML"));
    }
    let kind = assertion.format.strip_prefix(FORMAT).unwrap_or(&assertion.format).to_owned();
    let provider = input.principal_arn.split_once(":saml-provider/").map_or("", |(_, name)| name);
    let qualifier = Sha1::digest(format!("{}{account}/{provider}", assertion.issuer));
    let keys = [
        ("saml:aud", &assertion.recipient),
        ("saml:iss", &assertion.issuer),
        ("saml:sub", &assertion.subject),
        ("saml:sub_type", &kind),
        ("saml:namequalifier", &STANDARD.encode(qualifier)),
        ("saml:doc", &format!("{account}/{provider}")),
    ]
    .map(|(key, value)| (key.to_owned(), vec![value.clone()]));
    let named = assertion.first("SessionDuration").and_then(|text| text.parse().ok());
    let vouched = Vouched {
        operation: "AssumeRoleWithSAML",
        role_arn: input.role_arn,
        session_name,
        provider: input.principal_arn.clone(),
        keys: keys.to_vec(),
        policy: input.policy,
        policy_arns: input.policy_arns,
        // The shorter of what is asked for and what the provider says.
        duration: input.duration_seconds.into_iter().chain(named).min(),
        tags: assertion.tags(),
        transitive: assertion.values("TransitiveTagKeys").to_vec(),
        source_identity: assertion.first("SourceIdentity").cloned(),
    };
    Ok(SamlAnswer {
        begun: begin(cx, &account, vouched)?,
        subject: assertion.subject,
        subject_type: kind,
        issuer: assertion.issuer,
        audience: assertion.recipient,
        name_qualifier: STANDARD.encode(qualifier),
    })
}
