//! Imported material: wrapped for a key pair that is made for the purpose, and deleted at will or when its time is over.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys.html>

use std::time::Duration;

use aes_kw::KwpAes256;
use aes_kw::cipher::KeyInit;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::blob::Blob;
use super::chance::Chance;
use super::keys::{Key, Material, Place, invalid_state};
use super::spec::Spec;
use super::{Keys, find_key, find_mut, making, on_key, pairs};
use crate::cloud::{At, Cx, Service, Step, Target};
use crate::{Error, Result, Timestamp};

/// The parameters for an import are good for so long.
/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetParametersForImport.html>
const VALID: Duration = Duration::from_secs(24 * 3600);
/// Bytes of a token.
const TOKEN: usize = 128;
/// The event that deletes material whose time is over.
const EXPIRE: &str = "ExpireMaterial";

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Keys>) -> Service<Keys> {
    service
        .waiting_op("GetParametersForImport", to_wrap, parameters)
        .op("ImportKeyMaterial", to_import, import)
        .op("DeleteImportedKeyMaterial", |at, i: &Delete| on_key(at, &i.key_id), delete)
        .event(EXPIRE, expire)
}

/// The key pair for which material is wrapped, by its token in base64.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Wrapping {
    /// The key's ARN.
    key: String,
    spec: Spec,
    private: Blob,
    algorithm: String,
    until: Timestamp,
}

fn to_wrap(at: &At<Keys>, input: &Parameters) -> Target {
    on_key(at, &input.key_id)
        .context("kms:WrappingAlgorithm", input.wrapping_algorithm.as_str())
        .context("kms:WrappingKeySpec", input.wrapping_key_spec.as_str())
}

fn to_import(at: &At<Keys>, input: &Import) -> Target {
    let target = on_key(at, &input.key_id).context("kms:ExpirationModel", input.model());
    input.valid_to.iter().fold(target, |target, at| target.context("kms:ValidTo", at.to_iso_secs()))
}

/// Refuses keys whose material KMS made.
fn check(key: &Key, arn: &str) -> Result<()> {
    if !key.external {
        let message = format!("{arn} origin is AWS_KMS which is not valid for this operation.");
        return Err(Error::client("UnsupportedOperationException", message));
    }
    key.check_deletion(arn)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameters {
    key_id: String,
    wrapping_algorithm: String,
    wrapping_key_spec: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ParametersOutput {
    key_id: String,
    import_token: Blob,
    public_key: Blob,
    parameters_valid_to: Timestamp,
}

fn parameters(cx: &mut Cx<Keys>, input: &Parameters) -> Result<Step<ParametersOutput>> {
    let (arn, key) = find_key(cx, &input.key_id)?;
    check(key, &arn)?;
    let spec = Spec::read(&input.wrapping_key_spec)?;
    let algorithm = &input.wrapping_algorithm;
    // The padding of PKCS #1 is no more at AWS either, and SM2 is China's alone.
    if !algorithm.starts_with("RSAES_OAEP") && !algorithm.starts_with("RSA_AES_KEY_WRAP") {
        return Err(Error::not_implemented(format!("the WrappingAlgorithm {algorithm} of kms:GetParametersForImport")));
    }
    let private = match making::pair(cx, spec)? {
        Step::Done(private) => private,
        Step::Later(later) => return Ok(Step::Later(later)),
    };
    let public = pairs::public(spec, &private).ok_or_else(|| Error::internal("a new key pair cannot be read"))?;
    let token = Blob::from(Chance::new(cx.ids().bytes()).bytes(TOKEN));
    let (now, until) = (cx.now, cx.now + VALID);
    let fresh = cx.state.imports.iter().filter(|(_, wrapping)| wrapping.until > now);
    cx.state.imports = fresh.map(|(token, wrapping)| (token.clone(), wrapping.clone())).collect();
    let wrapping = Wrapping { key: arn.clone(), spec, private, algorithm: algorithm.clone(), until };
    cx.state.imports.insert(hex::encode(&*token), wrapping);
    Ok(Step::Done(ParametersOutput {
        key_id: arn,
        import_token: token,
        public_key: public.into(),
        parameters_valid_to: until,
    }))
}

impl Wrapping {
    /// The material that was wrapped.
    fn unwrap(&self, wrapped: &[u8], seed: [u8; 32]) -> Option<Vec<u8>> {
        let mut chance = Chance::new(seed);
        if self.algorithm.starts_with("RSAES") {
            return pairs::decrypt(&self.private, &self.algorithm, wrapped, &mut chance);
        }
        let (key, rest) = wrapped.split_at_checked(self.spec.rsa_bits()? / 8)?;
        let key = pairs::decrypt(&self.private, &self.algorithm, key, &mut chance)?;
        let mut room = vec![0; rest.len()];
        let material = KwpAes256::new_from_slice(&key).ok()?.unwrap_key(rest, &mut room).ok()?;
        Some(material.to_vec())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Import {
    key_id: String,
    import_token: Blob,
    encrypted_key_material: Blob,
    valid_to: Option<Timestamp>,
    expiration_model: Option<String>,
    import_type: Option<String>,
    key_material_description: Option<String>,
    key_material_id: Option<String>,
}

impl Import {
    fn model(&self) -> &str {
        self.expiration_model.as_deref().unwrap_or("KEY_MATERIAL_EXPIRES")
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Imported {
    key_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_material_id: Option<String>,
}

fn import(cx: &mut Cx<Keys>, input: Import) -> Result<Imported> {
    let (seed, now) = (cx.ids().bytes(), cx.now);
    let (arn, key) = find_key(cx, &input.key_id)?;
    check(key, &arn)?;
    let expires = input.model() == "KEY_MATERIAL_EXPIRES";
    if expires && input.valid_to.is_none() {
        let message = "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES";
        return Err(Error::client("ValidationException", message));
    }
    let wrapping = cx.state.imports.get(&hex::encode(&*input.import_token)).filter(|wrapping| wrapping.key == arn);
    let wrapping = wrapping.ok_or_else(|| Error::client("InvalidImportTokenException", ""))?;
    if wrapping.until <= now {
        return Err(Error::client("ExpiredImportTokenException", ""));
    }
    let secret = wrapping.unwrap(&input.encrypted_key_material, seed);
    let secret = secret.ok_or_else(|| Error::client("InvalidCiphertextException", ""))?;
    let fits = match key.spec.bytes() {
        Some((least, most)) => (least..=most).contains(&secret.len()),
        None => pairs::public(key.spec, &secret).is_some(),
    };
    if !fits {
        return Err(Error::client("IncorrectKeyMaterialException", ""));
    }
    // The same material has the same id whenever it is imported.
    let id = hex::encode(Sha256::new().chain_update(&arn).chain_update(&secret).finalize());
    let place = place(key, &id, &input)?;
    let material = Material {
        place,
        rotated: key.materials.iter().find(|known| known.id == id).and_then(|known| known.rotated.clone()),
        description: input.key_material_description,
        valid_to: input.valid_to.filter(|_| expires),
        ..Material::new(id.clone(), secret.into())
    };
    let until = material.valid_to;
    let key = find_mut(cx, &arn)?;
    match key.materials.iter().position(|known| known.id == id) {
        Some(at) => drop(key.materials.set(at, material)),
        None => key.materials.push_back(material),
    }
    let key_material_id = Some(id.clone()).filter(|_| key.is_symmetric());
    let timer = format!("{arn}#{id}");
    match until {
        Some(until) => cx.set_timer(EXPIRE, timer, until),
        None => cx.cancel_timer(EXPIRE, timer),
    }
    Ok(Imported { key_id: arn, key_material_id })
}

/// Where imported material goes: to its place, if it was there before; else it is the first, or waits for a rotation.
fn place(key: &Key, id: &str, input: &Import) -> Result<Place> {
    let incorrect = || Error::client("IncorrectKeyMaterialException", "");
    if input.key_material_id.as_deref().is_some_and(|wanted| wanted != id) {
        return Err(incorrect());
    }
    let known = key.materials.iter().find(|known| known.id == id).map(|known| known.place);
    let is_new = match input.import_type.as_deref() {
        Some(kind) => kind == "NEW_KEY_MATERIAL",
        None => key.current().is_none(),
    };
    match (known, key.current()) {
        (Some(place), _) => Ok(place),
        (None, None) if is_new => Ok(Place::Current),
        (None, Some(_)) if is_new && key.is_symmetric() => {
            let waiting = key.materials.iter().find(|known| known.place == Place::Pending);
            let Some(waiting) = waiting else { return Ok(Place::Pending) };
            Err(invalid_state(format!(
                "New key material (id: {id}) cannot be imported into KMS key {}, because another key material (id: {}) \
                 is pending rotation.",
                key.arn(),
                waiting.id
            )))
        }
        _ => Err(incorrect()),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Delete {
    key_id: String,
    key_material_id: Option<String>,
}

fn delete(cx: &mut Cx<Keys>, input: Delete) -> Result<Imported> {
    let arn = cx.state.find_key(cx.scope, &input.key_id)?;
    let key = find_mut(cx, &arn)?;
    check(key, &arn)?;
    let current = key.current().map(|material| material.id.clone());
    let id = input.key_material_id.or(current);
    let known = id.as_ref().and_then(|id| key.materials.iter().position(|material| material.id == *id));
    match (known, &id) {
        (Some(at), _) => take(key, at),
        (None, Some(id)) => return Err(super::not_found(format!("Key material '{id}' does not exist"))),
        // There is nothing to delete, which is what was wanted.
        (None, None) => {}
    }
    let key_material_id = id.filter(|_| key.is_symmetric());
    Ok(Imported { key_id: arn, key_material_id })
}

/// Deletes material. What only waited for a rotation leaves nothing behind.
fn take(key: &mut Key, at: usize) {
    match key.materials.get_mut(at) {
        Some(material) if material.place != Place::Pending => (material.secret, material.valid_to) = (None, None),
        _ => drop(key.materials.remove(at)),
    }
}

/// The time of imported material is over.
fn expire(cx: &mut Cx<Keys>, which: &str) -> Result<()> {
    let (arn, id) = which.split_once('#').unwrap_or((which, ""));
    let now = cx.now;
    let Some(key) = cx.state.keys.get_mut(arn) else { return Ok(()) };
    let over = |material: &Material| material.id == id && material.valid_to.is_some_and(|until| until <= now);
    if let Some(at) = key.materials.iter().position(over) {
        take(key, at);
    }
    Ok(())
}
