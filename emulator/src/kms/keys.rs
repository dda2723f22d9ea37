//! Keys: what they are, and the states that they are in.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html>

use imbl::{OrdMap, Vector};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Keys;
use super::blob::Blob;
use super::spec::{Spec, Usage};
use crate::cloud::{Cx, Scope};
use crate::{Error, Result, Timestamp};

/// A key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Key {
    pub id: String,
    pub scope: Scope,
    pub description: String,
    /// Whether AWS manages it.
    pub managed: bool,
    pub created: Timestamp,
    pub enabled: bool,
    /// Whether it is a replica that is still on its way.
    pub creating: bool,
    pub deletion: Option<Deletion>,
    pub policy: String,
    pub tags: OrdMap<String, String>,
    pub spec: Spec,
    pub usage: Usage,
    /// Whether its material is imported: `Origin`.
    pub external: bool,
    /// What the key is: the bytes of a symmetric key or of one for HMAC, PKCS #8 of a pair. Older material decrypts.
    pub materials: Vector<Material>,
    pub rotation: Option<Rotation>,
    /// The region of the primary key, of a key of several regions.
    pub primary: Option<std::sync::Arc<str>>,
}

/// When a key is deleted, and the days that it was given. A primary key waits until its replicas are gone.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Deletion {
    pub at: Option<Timestamp>,
    pub days: i64,
}

/// `KeyMaterialState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Place {
    #[serde(rename = "CURRENT")]
    Current,
    #[serde(rename = "NON_CURRENT")]
    Former,
    #[serde(rename = "PENDING_ROTATION")]
    Pending,
}

/// A key's material.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Material {
    /// Sixty-four hexadecimal digits.
    pub id: String,
    /// None once imported material was deleted.
    pub secret: Option<Blob>,
    pub place: Place,
    /// When it became the current one by a rotation, and by which.
    pub rotated: Option<(Timestamp, String)>,
    pub description: Option<String>,
    /// Until when imported material is good.
    pub valid_to: Option<Timestamp>,
}

/// Automatic rotation.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Rotation {
    pub days: u32,
    pub next: Timestamp,
}

impl Material {
    /// New material, to be used at once.
    pub fn new(id: String, secret: Blob) -> Self {
        Self { id, secret: Some(secret), place: Place::Current, rotated: None, description: None, valid_to: None }
    }
}

impl Key {
    /// A symmetric key that AWS manages.
    pub fn managed(cx: &mut Cx<Keys>, id: String, description: String, policy: String) -> Self {
        let (secret, material) = (cx.ids().bytes::<32>().to_vec(), cx.ids().hex(64));
        Self {
            id,
            scope: cx.scope.clone(),
            description,
            managed: true,
            created: cx.now,
            enabled: true,
            creating: false,
            deletion: None,
            policy,
            tags: OrdMap::new(),
            spec: Spec::Symmetric,
            usage: Usage::Encrypt,
            external: false,
            materials: Vector::unit(Material::new(material, secret.into())),
            rotation: None,
            primary: None,
        }
    }

    /// The ARN.
    pub fn arn(&self) -> String {
        super::arn(&self.scope, &self.id)
    }

    /// `Origin`.
    pub fn origin(&self) -> &'static str {
        if self.external { "EXTERNAL" } else { "AWS_KMS" }
    }

    /// Whether it may have replicas.
    pub fn is_multi_region(&self) -> bool {
        self.primary.is_some()
    }

    /// Whether it is a replica.
    pub fn is_replica(&self) -> bool {
        self.primary.as_ref().is_some_and(|primary| *primary != self.scope.region)
    }

    /// Whether two keys are the same in several regions.
    pub fn is_kin(&self, other: &Self) -> bool {
        self.id == other.id && self.scope.account == other.scope.account
    }

    /// Whether its material is told of: a symmetric key's.
    pub fn is_symmetric(&self) -> bool {
        self.spec == Spec::Symmetric
    }

    /// The material that is used, if there is any.
    pub fn current(&self) -> Option<&Material> {
        self.materials.iter().find(|material| material.place == Place::Current)
    }

    /// A key whose material was not imported, or not all of it, is good for nothing.
    fn lacks_material(&self) -> bool {
        let used = |material: &&Material| material.place != Place::Pending;
        self.current().is_none() || self.materials.iter().filter(used).any(|material| material.secret.is_none())
    }

    /// `KeyState`.
    pub fn state(&self) -> &'static str {
        match self.deletion {
            Some(Deletion { at: Some(_), .. }) => "PendingDeletion",
            Some(Deletion { at: None, .. }) => "PendingReplicaDeletion",
            None if self.creating => "Creating",
            None if self.lacks_material() => "PendingImport",
            None if self.enabled => "Enabled",
            None => "Disabled",
        }
    }

    /// Refuses to change a key that is to be deleted.
    ///
    /// # Errors
    /// `KMSInvalidStateException`.
    pub fn check_deletion(&self, arn: &str) -> Result<()> {
        match self.state() {
            "PendingDeletion" => Err(invalid_state(format!("{arn} is pending deletion."))),
            "PendingReplicaDeletion" => Err(invalid_state(format!("{arn} is pending replica deletion."))),
            "Creating" => Err(invalid_state(format!("{arn} is creating."))),
            _ => Ok(()),
        }
    }

    /// Refuses what only an enabled key does.
    ///
    /// # Errors
    /// `DisabledException`, or `KMSInvalidStateException` for the other states.
    pub fn check_enabled(&self, arn: &str) -> Result<()> {
        self.check_deletion(arn)?;
        match self.state() {
            "Disabled" => Err(Error::client("DisabledException", format!("{arn} is disabled."))),
            "PendingImport" => Err(invalid_state(format!("{arn} is pending import."))),
            _ => Ok(()),
        }
    }

    /// Refuses what a key of another usage does.
    ///
    /// # Errors
    /// `InvalidKeyUsageException`, and what [`Key::check_enabled`] says.
    pub fn check_usage(&self, arn: &str, usage: Usage, operation: &str) -> Result<()> {
        self.check_enabled(arn)?;
        if self.usage == usage {
            return Ok(());
        }
        let message = format!("{arn} key usage is {} which is not valid for {operation}.", self.usage.name());
        Err(Error::client("InvalidKeyUsageException", message))
    }

    /// The same, and refuses an algorithm that is none of the key's.
    ///
    /// # Errors
    /// What [`Key::check_usage`] and [`Spec::check_algorithm`] say.
    pub fn check_use(&self, arn: &str, usage: Usage, operation: &str, algorithm: &str) -> Result<()> {
        self.check_usage(arn, usage, operation)?;
        self.spec.check_algorithm(usage, algorithm)
    }

    /// The material's bytes; the key was found enabled.
    ///
    /// # Errors
    /// `KMSInvalidStateException` if they are not there after all.
    pub fn secret(&self) -> Result<&Blob> {
        let secret = self.current().and_then(|material| material.secret.as_ref());
        secret.ok_or_else(|| invalid_state(format!("{} is pending import.", self.arn())))
    }

    /// The id of the current material, which answers about symmetric keys tell.
    pub fn material_id(&self) -> Option<String> {
        self.current().filter(|_| self.is_symmetric()).map(|material| material.id.clone())
    }

    /// `KeyMetadata`; `regions` are those where the key is, of one of several regions.
    pub fn metadata(&self, regions: &[(bool, String, Scope)]) -> Value {
        let mut told = json!({
            "AWSAccountId": self.scope.account,
            "KeyId": self.id,
            "Arn": self.arn(),
            "CreationDate": self.created,
            "Enabled": self.state() == "Enabled",
            "Description": self.description,
            "KeyUsage": self.usage.name(),
            "KeyState": self.state(),
            "Origin": self.origin(),
            "KeyManager": if self.managed { "AWS" } else { "CUSTOMER" },
            "CustomerMasterKeySpec": self.spec.name(),
            "KeySpec": self.spec.name(),
            "MultiRegion": self.is_multi_region(),
        });
        let (member, algorithms) = self.spec.algorithms(self.usage);
        told[member] = json!(algorithms);
        match self.deletion {
            Some(Deletion { at: Some(at), .. }) => told["DeletionDate"] = json!(at),
            Some(Deletion { at: None, days }) => told["PendingDeletionWindowInDays"] = json!(days),
            None if self.creating => {}
            None => {
                if let Some(material) = self.material_id() {
                    told["CurrentKeyMaterialId"] = json!(material);
                }
            }
        }
        self.tell_expiration(&mut told);
        if self.is_multi_region() {
            let place = |(_, arn, scope): &(bool, String, Scope)| json!({ "Arn": arn, "Region": scope.region });
            let (primary, replicas): (Vec<_>, Vec<_>) = regions.iter().partition(|(is_primary, ..)| *is_primary);
            told["MultiRegionConfiguration"] = json!({
                "MultiRegionKeyType": if self.is_replica() { "REPLICA" } else { "PRIMARY" },
                "PrimaryKey": primary.first().map(|place_of| place(place_of)),
                "ReplicaKeys": replicas.into_iter().map(place).collect::<Vec<_>>(),
            });
        }
        told
    }

    fn tell_expiration(&self, told: &mut Value) {
        let Some(current) = self.current().filter(|material| self.external && material.secret.is_some()) else {
            return;
        };
        match current.valid_to {
            Some(at) => {
                told["ExpirationModel"] = "KEY_MATERIAL_EXPIRES".into();
                told["ValidTo"] = json!(at);
            }
            None => told["ExpirationModel"] = "KEY_MATERIAL_DOES_NOT_EXPIRE".into(),
        }
    }
}

/// The state that a key is in does not allow it.
pub(super) fn invalid_state(message: String) -> Error {
    Error::client("KMSInvalidStateException", message)
}
