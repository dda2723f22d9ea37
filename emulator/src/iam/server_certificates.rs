//! Server certificates. They are kept and told; nothing serves them. That a private key is its certificate's is not looked at.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UploadServerCertificate.html>

use serde::{Deserialize, Serialize};

use super::directory::{Directory, already_exists, no_such_entity, quota};
use super::pem;
use super::shapes::{Empty, Rest, Tag, Tags, add_tags, list_tags, page};
use super::tagging::{self, TagInput, Tagged, TagsInput, UntagInput};
use crate::cloud::{At, Cx, Service, Target};
use crate::{Error, Result, Timestamp};

/// An account has so many.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub(super) const MAX_CERTIFICATES: usize = 20;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Directory>) -> Service<Directory> {
    service
        .op(
            "UploadServerCertificate",
            |at, i: &Upload| {
                Target::on(arn(&at.scope.account, i.path.as_deref().unwrap_or("/"), &i.server_certificate_name))
            },
            upload,
        )
        .op("GetServerCertificate", |at, i: &Of| on(at, &i.server_certificate_name), get)
        .op("ListServerCertificates", |_, _: &List| Target::any(), list)
        .op("UpdateServerCertificate", |at, i: &Update| on(at, &i.server_certificate_name), update)
        .op("DeleteServerCertificate", |at, i: &Of| on(at, &i.server_certificate_name), delete)
        .op(
            "TagServerCertificate",
            |at, i: &TagInput| on(at, &i.name),
            |cx, i| tagging::tag(cx, Tagged::ServerCertificate, i),
        )
        .op(
            "UntagServerCertificate",
            |at, i: &UntagInput| on(at, &i.name),
            |cx, i| tagging::untag(cx, Tagged::ServerCertificate, i),
        )
        .op(
            "ListServerCertificateTags",
            |at, i: &TagsInput| on(at, &i.name),
            |cx, i| tagging::tags(cx, Tagged::ServerCertificate, i),
        )
}

/// A certificate; its name in lower case is the key. The private key is looked at and forgotten: nobody can ask for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Certificate {
    name: String,
    path: String,
    id: String,
    arn: String,
    body: String,
    chain: Option<String>,
    uploaded: Timestamp,
    expires: Timestamp,
    pub(super) tags: Tags,
}

fn arn(account: &str, path: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:server-certificate{path}{name}")
}

fn on(at: &At<Directory>, name: &str) -> Target {
    let account = &at.scope.account;
    let known = at.state.account(account).and_then(|one| one.server_certificates.get(&name.to_lowercase()));
    Target::on(known.map_or_else(|| arn(account, "/", name), |known| known.arn.clone()))
}

fn missing(name: &str) -> Error {
    no_such_entity(format!("The Server Certificate with name {name} cannot be found."))
}

pub(super) fn find_mut<'a>(cx: &'a mut Cx<Directory>, name: &str) -> Result<&'a mut Certificate> {
    let account = cx.scope.account.clone();
    let found = cx.state.account_mut(&account).server_certificates.get_mut(&name.to_lowercase());
    found.ok_or_else(|| missing(name))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Upload {
    path: Option<String>,
    server_certificate_name: String,
    certificate_body: String,
    private_key: String,
    certificate_chain: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

/// `ServerCertificateMetadata` of the IAM API.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    path: String,
    server_certificate_name: String,
    server_certificate_id: String,
    arn: String,
    upload_date: Timestamp,
    expiration: Timestamp,
}

impl Metadata {
    fn of(certificate: &Certificate) -> Self {
        Self {
            path: certificate.path.clone(),
            server_certificate_name: certificate.name.clone(),
            server_certificate_id: certificate.id.clone(),
            arn: certificate.arn.clone(),
            upload_date: certificate.uploaded,
            expiration: certificate.expires,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Uploaded {
    server_certificate_metadata: Metadata,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag>,
}

fn upload(cx: &mut Cx<Directory>, input: Upload) -> Result<Uploaded> {
    let expires = pem::expiration(&input.certificate_body)?;
    let chain = input.certificate_chain.filter(|chain| !chain.trim().is_empty());
    chain.as_deref().map(pem::expiration).transpose()?;
    if pem::decode(&input.private_key, "PRIVATE KEY").is_none() {
        return Err(Error::client("MalformedCertificate", "Invalid Private Key."));
    }
    let tags = add_tags("ServerCertificate", &Tags::new(), input.tags)?;
    let id = format!("ASCA{}", cx.ids().upper(17));
    let (account, uploaded, name) = (cx.scope.account.clone(), cx.now, input.server_certificate_name);
    let path = input.path.unwrap_or_else(|| "/".to_owned());
    let all = &mut cx.state.account_mut(&account).server_certificates;
    if all.contains_key(&name.to_lowercase()) {
        return Err(already_exists(format!("The Server Certificate with name {name} already exists.")));
    }
    if all.len() >= MAX_CERTIFICATES {
        return Err(quota("ServerCertificatesPerAccount", MAX_CERTIFICATES));
    }
    let (key, arn, body) = (name.to_lowercase(), arn(&account, &path, &name), input.certificate_body);
    let certificate = Certificate { name, path, id, arn, body, chain, uploaded, expires, tags };
    let shown =
        Uploaded { server_certificate_metadata: Metadata::of(&certificate), tags: list_tags(&certificate.tags) };
    all.insert(key, certificate);
    Ok(shown)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Of {
    server_certificate_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    server_certificate: Shape,
}

/// `ServerCertificate` of the IAM API. Recordings of AWS show an empty list of tags where there are none.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shape {
    server_certificate_metadata: Metadata,
    certificate_body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_chain: Option<String>,
    tags: Vec<Tag>,
}

/// The body is answered without the white space around it (recorded at AWS).
fn get(cx: &mut Cx<Directory>, input: Of) -> Result<Answer> {
    let found = find_mut(cx, &input.server_certificate_name)?;
    Ok(Answer {
        server_certificate: Shape {
            server_certificate_metadata: Metadata::of(found),
            certificate_body: found.body.trim().to_owned(),
            certificate_chain: found.chain.as_ref().map(|chain| chain.trim().to_owned()),
            tags: list_tags(&found.tags),
        },
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    path_prefix: Option<String>,
    marker: Option<String>,
    max_items: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    server_certificate_metadata_list: Vec<Metadata>,
    #[serde(flatten)]
    rest: Rest,
}

fn list(cx: &mut Cx<Directory>, input: List) -> Result<Listed> {
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    let account = cx.state.account(&cx.scope.account);
    let all = account.into_iter().flat_map(|account| account.server_certificates.iter());
    let all = all.filter(|(_, one)| one.path.starts_with(prefix)).map(|(key, one)| (key.clone(), Metadata::of(one)));
    let (server_certificate_metadata_list, rest) = page(all, input.marker, input.max_items)?;
    Ok(Listed { server_certificate_metadata_list, rest })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Update {
    server_certificate_name: String,
    new_path: Option<String>,
    new_server_certificate_name: Option<String>,
}

fn update(cx: &mut Cx<Directory>, input: Update) -> Result<Empty> {
    let mut found = find_mut(cx, &input.server_certificate_name)?.clone();
    let account = cx.scope.account.clone();
    let old = found.name.to_lowercase();
    found.name = input.new_server_certificate_name.unwrap_or(found.name);
    found.path = input.new_path.unwrap_or(found.path);
    found.arn = arn(&account, &found.path, &found.name);
    let (new, all) = (found.name.to_lowercase(), &mut cx.state.account_mut(&account).server_certificates);
    if new != old && all.contains_key(&new) {
        return Err(already_exists(format!("The Server Certificate with name {} already exists.", found.name)));
    }
    all.remove(&old);
    all.insert(new, found);
    Ok(Empty {})
}

fn delete(cx: &mut Cx<Directory>, input: Of) -> Result<Empty> {
    let name = input.server_certificate_name;
    let account = cx.scope.account.clone();
    let found = cx.state.account_mut(&account).server_certificates.remove(&name.to_lowercase());
    found.map(|_| Empty {}).ok_or_else(|| missing(&name))
}
