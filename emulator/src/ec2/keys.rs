//! Key pairs: public keys that callers bring. `CreateKeyPair`, whose private key would open machines that are not here, is refused
//! by name.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/create-key-pairs.html#how-to-generate-your-own-key-and-import-it-to-aws>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::action::{Action, act};
use super::kind::{Chosen, Facts, Kind, listed, new_id};
use super::tags::{Specification, keep, of_new};
use super::{Network, View, missing};
use crate::cloud::{Cx, Service};
use crate::{Error, Result, Timestamp};

/// A region has at most so many.
const MAX_KEYS: usize = 5000;
/// The longest name.
const MAX_NAME: usize = 255;
/// The longest key that is read.
const MAX_KEY: usize = 16_384;
/// The identifier of RSA keys in ASN.1, with its parameters: `rsaEncryption`, `NULL`.
const RSA: [u8; 15] = [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Network>) -> Service<Network> {
    service.with(listed::<Key>).with(act::<ImportKeyPair>).with(act::<DeleteKeyPair>)
}

/// A public key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Key {
    name: String,
    kind: String,
    fingerprint: String,
    material: String,
    created: Timestamp,
}

impl Kind for Key {
    const FACTS: Facts = Facts {
        operation: "DescribeKeyPairs",
        code: "InvalidKeyPair.NotFound",
        text: "The key pair ID '{}' does not exist",
        members: ("KeyPairIds", "KeyPairs"),
        filters: &[("key-pair-id", "KeyPairId"), ("fingerprint", "KeyFingerprint"), ("key-name", "KeyName")],
    };

    fn all(net: &Network) -> &imbl::OrdMap<String, Self> {
        &net.keys
    }

    fn show(&self, id: &str, _view: &View) -> Option<Value> {
        Some(json!({
            "KeyPairId": id,
            "KeyName": self.name,
            "KeyType": self.kind,
            "KeyFingerprint": self.fingerprint,
            "CreateTime": self.created,
        }))
    }

    fn chosen(member: &str, value: &Value, view: &View) -> Result<Chosen> {
        match member {
            "KeyNames" => {
                let names: Vec<String> = serde_json::from_value(value.clone())?;
                let one = |name: &String| by_name(view.net, name).ok_or_else(|| no_key(name));
                names.iter().map(one).collect::<Result<_>>().map(Chosen::These)
            }
            "IncludePublicKey" if *value == false => Ok(Chosen::All),
            _ => Ok(Chosen::Unknown),
        }
    }
}

fn by_name(net: &Network, name: &str) -> Option<String> {
    net.keys.iter().find(|(_, key)| key.name == name).map(|(id, _)| id.clone())
}

fn no_key(name: &str) -> Error {
    Error::client("InvalidKeyPair.NotFound", format!("The key pair '{name}' does not exist"))
}

/// The type of an OpenSSH public key, and its fingerprint: of an RSA key, the MD5 digest of its DER form; of an ED25519 key, the
/// SHA-256 digest of the key.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/verify-keys.html>
fn read_key(text: &str) -> Option<(&'static str, String)> {
    let mut words = text.split_whitespace();
    let kind = words.next()?;
    let blob = STANDARD.decode(words.next()?).ok()?;
    let mut rest = &blob[..];
    let mut field = || -> Option<&[u8]> {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (field, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        rest = after;
        Some(field)
    };
    if field()? != kind.as_bytes() {
        return None;
    }
    match kind {
        "ssh-ed25519" => (field()?.len() == 32).then(|| ("ed25519", STANDARD.encode(Sha256::digest(&blob)))),
        "ssh-rsa" => {
            let (exponent, modulus) = (field()?.to_vec(), field()?.to_vec());
            let key = der(0x30, &[der(0x02, &modulus), der(0x02, &exponent)].concat());
            let bits = der(0x03, &[vec![0], key].concat());
            let digest = md5_many::md5(&der(0x30, &[RSA.to_vec(), bits].concat()));
            let pairs: Vec<_> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            Some(("rsa", pairs.join(":")))
        }
        _ => None,
    }
}

/// A value of ASN.1 with its tag and length.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    if length < 0x80 {
        out.push(length as u8);
    } else {
        let bytes: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
        out.push(0x80 | bytes.len() as u8);
        out.extend(bytes);
    }
    out.extend(content);
    out
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ImportKeyPair {
    key_name: String,
    public_key_material: String,
    #[serde(default)]
    tag_specifications: Vec<Specification>,
}

impl Action for ImportKeyPair {
    const NAME: &'static str = "ImportKeyPair";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("key-pair", None))
    }

    fn tags(&self) -> &[Specification] {
        &self.tag_specifications
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let tags = of_new(&self.tag_specifications, "key-pair")?;
        let name = self.key_name;
        if name.is_empty() || name.chars().count() > MAX_NAME || !name.is_ascii() {
            return Err(super::invalid(format!("Value ({name}) for parameter keyName is invalid.")));
        }
        let material = STANDARD.decode(&self.public_key_material).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let material = material.filter(|text| text.len() <= MAX_KEY).unwrap_or_default();
        let bad = || Error::client("InvalidKey.Format", "Key is not in valid OpenSSH public key format");
        let (kind, fingerprint) = read_key(&material).ok_or_else(bad)?;
        if by_name(cx.state, &name).is_some() {
            let text = format!("The keypair '{name}' already exists.");
            return Err(Error::client("InvalidKeyPair.Duplicate", text));
        }
        if cx.state.keys.len() >= MAX_KEYS {
            return Err(Error::client("KeyPairLimitExceeded", "The maximum number of key pairs has been reached."));
        }
        let id = new_id(cx.ids(), "key");
        let shown: Vec<_> = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
        let answer = json!({ "KeyPairId": id, "KeyName": name, "KeyFingerprint": fingerprint, "Tags": shown });
        let (kind, created) = (kind.to_owned(), cx.now);
        cx.state.keys.insert(id.clone(), Key { name, kind, fingerprint, material, created });
        keep(cx.state, &id, tags);
        Ok(answer)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteKeyPair {
    key_name: Option<String>,
    key_pair_id: Option<String>,
}

impl Action for DeleteKeyPair {
    const NAME: &'static str = "DeleteKeyPair";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("key-pair", self.key_pair_id.as_deref()))
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let found = match (self.key_pair_id, self.key_name) {
            (Some(id), _) => Some(id).filter(|id| cx.state.keys.contains_key(id)),
            (None, Some(name)) => by_name(cx.state, &name),
            (None, None) => return Err(missing("KeyName or KeyPairId")),
        };
        // One that is not there is gone already.
        let Some(id) = found else { return Ok(json!({ "Return": true })) };
        cx.state.keys.remove(&id);
        cx.state.tags.remove(&id);
        Ok(json!({ "Return": true, "KeyPairId": id }))
    }
}
