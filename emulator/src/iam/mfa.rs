//! Virtual MFA devices, and whose they are. Hardware devices and passkeys are known to their makers only, and so no serial
//! number but a virtual device's can be enabled. No QR codes are drawn: `Base32StringSeed` says the same.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateVirtualMFADevice.html>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::directory::{Account, Directory, Kind, already_exists, delete_conflict, no_such_entity, quota};
use super::one_time;
use super::service::{maybe, on};
use super::shapes::{Empty, Rest, Tag, Tags, add_tags, list_tags, page};
use super::tagging::{self, TagInput, Tagged, TagsInput, UntagInput};
use super::users::{ListOfUser, UserShape, name_or_caller};
use crate::cloud::{Cx, Service, Target};
use crate::{Error, Result, Timestamp};

/// A user has so many devices.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
const MAX_OF_USER: usize = 8;
/// The bytes of a seed: 64 letters of base 32.
const SEED: usize = 40;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Directory>) -> Service<Directory> {
    service
        .op(
            "CreateVirtualMFADevice",
            |at, i: &Create| Target::on(arn(&at.scope.account, i.path.as_deref(), &i.name)),
            create,
        )
        .op("DeleteVirtualMFADevice", |_, i: &Of| Target::on(&*i.serial_number), delete)
        .op("ListVirtualMFADevices", |_, _: &ListVirtual| Target::any(), list_virtual)
        .op("EnableMFADevice", |at, i: &Codes| on(at, Kind::User, &i.user_name), enable)
        .op("ResyncMFADevice", |at, i: &Codes| on(at, Kind::User, &i.user_name), resync)
        .op("DeactivateMFADevice", |at, i: &OfUser| maybe(at, &i.user_name), deactivate)
        .op("ListMFADevices", |at, i: &ListOfUser| maybe(at, &i.user_name), list)
        .op("GetMFADevice", |at, i: &OfUser| maybe(at, &i.user_name), get)
        .op("TagMFADevice", |_, i: &TagInput| Target::on(&*i.name), |cx, i| tagging::tag(cx, Tagged::Mfa, i))
        .op("UntagMFADevice", |_, i: &UntagInput| Target::on(&*i.name), |cx, i| tagging::untag(cx, Tagged::Mfa, i))
        .op("ListMFADeviceTags", |_, i: &TagsInput| Target::on(&*i.name), |cx, i| tagging::tags(cx, Tagged::Mfa, i))
}

/// A virtual device; its serial number, which is an ARN, is the key.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Device {
    seed: Vec<u8>,
    /// The id of the user who has it, and since when.
    holder: Option<(String, Timestamp)>,
    pub(super) tags: Tags,
}

/// Shows no seed, so that a debug line in a log cannot leak it.
impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device").field("holder", &self.holder).finish_non_exhaustive()
    }
}

impl Device {
    fn is_of(&self, user_id: &str) -> bool {
        self.holder.as_ref().is_some_and(|(id, _)| id == user_id)
    }

    pub(super) fn is_in_use(&self) -> bool {
        self.holder.is_some()
    }
}

impl Directory {
    /// Whether the device of this serial number shows this code now; none where the user has no such device.
    pub fn mfa_code_holds(
        &self,
        account: &str,
        user_id: &str,
        serial: &str,
        code: &str,
        now: Timestamp,
    ) -> Option<bool> {
        let device = self.account(account)?.mfa_devices.get(serial).filter(|device| device.is_of(user_id))?;
        Some(one_time::is_code(&device.seed, now, code))
    }
}

/// Whether a user has a device.
pub(super) fn has_device(account: &Account, user_id: &str) -> bool {
    account.mfa_devices.values().any(|device| device.is_of(user_id))
}

fn arn(account: &str, path: Option<&str>, name: &str) -> String {
    format!("arn:aws:iam::{account}:mfa{}{name}", path.unwrap_or("/"))
}

fn missing(serial: &str) -> Error {
    no_such_entity(format!("VirtualMFADevice with serial number {serial} doesn't exist."))
}

fn wrong_code() -> Error {
    Error::new(403, "InvalidAuthenticationCode", "Authentication code for device is not valid.")
}

pub(super) fn find_mut<'a>(cx: &'a mut Cx<Directory>, serial: &str) -> Result<&'a mut Device> {
    let account = cx.scope.account.clone();
    cx.state.account_mut(&account).mfa_devices.get_mut(serial).ok_or_else(|| missing(serial))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    path: Option<String>,
    #[serde(rename = "VirtualMFADeviceName")]
    name: String,
    #[serde(default)]
    tags: Vec<Tag>,
}

/// `VirtualMFADevice` of the IAM API.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct VirtualShape {
    serial_number: String,
    #[serde(rename = "Base32StringSeed", skip_serializing_if = "Option::is_none")]
    seed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enable_date: Option<Timestamp>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag>,
}

#[derive(Serialize)]
struct Created {
    #[serde(rename = "VirtualMFADevice")]
    device: VirtualShape,
}

fn create(cx: &mut Cx<Directory>, input: Create) -> Result<Created> {
    let tags = add_tags("MFADevice", &Tags::new(), input.tags)?;
    let seed = cx.ids().bytes::<SEED>().to_vec();
    let account = cx.scope.account.clone();
    let serial_number = arn(&account, input.path.as_deref(), &input.name);
    let devices = &mut cx.state.account_mut(&account).mfa_devices;
    if devices.contains_key(&serial_number) {
        return Err(already_exists("MFADevice entity at the same path and name already exists."));
    }
    let shown = Some(STANDARD.encode(one_time::base32(&seed)));
    let shape = VirtualShape {
        serial_number: serial_number.clone(),
        seed: shown,
        user: None,
        enable_date: None,
        tags: list_tags(&tags),
    };
    devices.insert(serial_number, Device { seed, holder: None, tags });
    Ok(Created { device: shape })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Of {
    serial_number: String,
}

fn delete(cx: &mut Cx<Directory>, input: Of) -> Result<Empty> {
    if find_mut(cx, &input.serial_number)?.is_in_use() {
        return Err(delete_conflict("Virtual MFA Device is currently in use."));
    }
    let account = cx.scope.account.clone();
    cx.state.account_mut(&account).mfa_devices.remove(&input.serial_number);
    Ok(Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListVirtual {
    assignment_status: Option<String>,
    marker: Option<String>,
    max_items: Option<usize>,
}

#[derive(Serialize)]
struct VirtualDevices {
    #[serde(rename = "VirtualMFADevices")]
    devices: Vec<VirtualShape>,
    #[serde(flatten)]
    rest: Rest,
}

fn list_virtual(cx: &mut Cx<Directory>, input: ListVirtual) -> Result<VirtualDevices> {
    let Some(account) = cx.state.account(&cx.scope.account) else {
        let (devices, rest) = page([], input.marker, input.max_items)?;
        return Ok(VirtualDevices { devices, rest });
    };
    let wanted = |device: &Device| match input.assignment_status.as_deref() {
        Some("Assigned") => device.is_in_use(),
        Some("Unassigned") => !device.is_in_use(),
        _ => true,
    };
    let shape = |serial: &String, device: &Device| {
        let (id, enabled) = device.holder.as_ref().map_or((None, None), |(id, since)| (Some(id), Some(*since)));
        let user = account.users.values().find(|user| Some(&user.entity.id) == id);
        VirtualShape {
            serial_number: serial.clone(),
            seed: None,
            user: user.map(|user| UserShape::full(&user.entity)),
            enable_date: enabled,
            tags: Vec::new(),
        }
    };
    let devices = account.mfa_devices.iter().filter(|(_, device)| wanted(device));
    let devices = devices.map(|(serial, device)| (serial.clone(), shape(serial, device)));
    let (devices, rest) = page(devices, input.marker, input.max_items)?;
    Ok(VirtualDevices { devices, rest })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Codes {
    user_name: String,
    serial_number: String,
    #[serde(rename = "AuthenticationCode1")]
    first: String,
    #[serde(rename = "AuthenticationCode2")]
    second: String,
}

/// The id of a user.
fn id_of(cx: &Cx<Directory>, name: &str) -> Result<String> {
    cx.state.entity(Kind::User, &cx.scope.account, name).map(|entity| entity.id.clone())
}

fn check_codes(device: &Device, now: Timestamp, input: &Codes) -> Result<()> {
    if one_time::are_codes(&device.seed, now, &input.first, &input.second) { Ok(()) } else { Err(wrong_code()) }
}

fn enable(cx: &mut Cx<Directory>, input: Codes) -> Result<Empty> {
    let (id, now) = (id_of(cx, &input.user_name)?, cx.now);
    let devices = cx.state.account(&cx.scope.account).map(|account| account.mfa_devices.values());
    let held = devices.into_iter().flatten().filter(|device| device.is_of(&id)).count();
    let device = find_mut(cx, &input.serial_number)?;
    if device.is_in_use() {
        return Err(already_exists("MFA Device is already in use."));
    }
    if held >= MAX_OF_USER {
        return Err(quota("MFADevicesPerUser", MAX_OF_USER));
    }
    check_codes(device, now, &input)?;
    device.holder = Some((id, now));
    Ok(Empty {})
}

/// A virtual device keeps the machine's time, so that there is nothing to be set right.
fn resync(cx: &mut Cx<Directory>, input: Codes) -> Result<Empty> {
    let (id, now) = (id_of(cx, &input.user_name)?, cx.now);
    let device = find_mut(cx, &input.serial_number)?;
    if !device.is_of(&id) {
        return Err(not_of(&input.user_name));
    }
    check_codes(device, now, &input).map(|()| Empty {})
}

fn not_of(user: &str) -> Error {
    no_such_entity(format!("MFA Device invalid for user {user}."))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfUser {
    user_name: Option<String>,
    serial_number: String,
}

fn deactivate(cx: &mut Cx<Directory>, input: OfUser) -> Result<Empty> {
    let name = name_or_caller(cx, input.user_name)?;
    let id = id_of(cx, &name)?;
    let device = find_mut(cx, &input.serial_number)?;
    if !device.is_of(&id) {
        return Err(not_of(&name));
    }
    device.holder = None;
    Ok(Empty {})
}

/// `MFADevice` of the IAM API, and the answer of `GetMFADevice`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DeviceShape {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
    serial_number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    enable_date: Option<Timestamp>,
}

#[derive(Serialize)]
struct Devices {
    #[serde(rename = "MFADevices")]
    devices: Vec<DeviceShape>,
    #[serde(flatten)]
    rest: Rest,
}

fn list(cx: &mut Cx<Directory>, input: ListOfUser) -> Result<Devices> {
    let name = name_or_caller(cx, input.user_name)?;
    let id = id_of(cx, &name)?;
    let devices = cx.state.account(&cx.scope.account).map(|account| account.mfa_devices.iter());
    let devices = devices.into_iter().flatten().filter(|(_, device)| device.is_of(&id)).map(|(serial, device)| {
        let enable_date = device.holder.as_ref().map(|(_, since)| *since);
        (serial.clone(), DeviceShape { user_name: Some(name.clone()), serial_number: serial.clone(), enable_date })
    });
    let (devices, rest) = page(devices, input.marker, input.max_items)?;
    Ok(Devices { devices, rest })
}

fn get(cx: &mut Cx<Directory>, input: OfUser) -> Result<DeviceShape> {
    let user = input.user_name.map(|name| id_of(cx, &name).map(|id| (name, id))).transpose()?;
    let holder = find_mut(cx, &input.serial_number)?.holder.clone();
    if let Some((name, id)) = &user
        && holder.as_ref().is_none_or(|(holder, _)| holder != id)
    {
        return Err(not_of(name));
    }
    let users = cx.state.account(&cx.scope.account).map(|account| account.users.values());
    let id = holder.as_ref().map(|(id, _)| id);
    let held_by = users.into_iter().flatten().find(|user| Some(&user.entity.id) == id);
    Ok(DeviceShape {
        user_name: held_by.map(|user| user.entity.name.clone()),
        serial_number: input.serial_number,
        enable_date: holder.map(|(_, since)| since),
    })
}
