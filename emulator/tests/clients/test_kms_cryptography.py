"""KMS: what is encrypted, signed and authenticated; data keys, rotation, imported keys, keys of several regions."""

import base64
import hashlib
import json
import subprocess

import pytest
from botocore.exceptions import ClientError

RSA = {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}
CURVES = {"ECC_NIST_P256": "sha256", "ECC_NIST_P384": "sha384", "ECC_NIST_P521": "sha512", "ECC_SECG_P256K1": "sha256"}


@pytest.fixture
def kms(server):
    return server.client("kms")


@pytest.fixture
def make(kms):
    """Makes a key and gives its id."""
    return lambda **settings: kms.create_key(**settings)["KeyMetadata"]["KeyId"]


def node(script, **values):
    """What a script of Node.js says, which is given `v`: its cryptography is not ours."""
    values = {name: base64.b64encode(value).decode() if isinstance(value, bytes) else value for name, value in values.items()}
    head = "const c=require('crypto'),v=JSON.parse(process.argv[1]),b=x=>Buffer.from(x,'base64');"
    ran = subprocess.run(["node", "-e", head + script, json.dumps(values)], capture_output=True, text=True, check=True)
    return json.loads(ran.stdout)


def refused(code, call, **arguments):
    """The text of the error with this code."""
    with pytest.raises(ClientError) as error:
        call(**arguments)
    assert error.value.response["Error"]["Code"] == code, error.value
    return error.value.response["Error"].get("Message", "")


def test_what_is_encrypted_is_decrypted_with_its_context_alone(kms, make):
    key = make()
    arn = kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/mine", TargetKeyId=key)
    context = {"tenant": "a", "purpose": "b"}
    sealed = kms.encrypt(KeyId="alias/mine", Plaintext=b"hush", EncryptionContext=context)
    assert (sealed["KeyId"], sealed["EncryptionAlgorithm"]) == (arn, "SYMMETRIC_DEFAULT")
    blob = sealed["CiphertextBlob"]
    for name in [{}, {"KeyId": key}, {"KeyId": arn}, {"KeyId": "alias/mine"}]:
        opened = kms.decrypt(CiphertextBlob=blob, EncryptionContext=context, **name)
        assert (opened["Plaintext"], opened["KeyId"]) == (b"hush", arn)
    for wrong in [{}, {"tenant": "a"}, {**context, "tenant": "b"}]:
        assert refused("InvalidCiphertextException", kms.decrypt, CiphertextBlob=blob, EncryptionContext=wrong) == ""
    changed = blob[:-1] + bytes([blob[-1] ^ 1])
    refused("InvalidCiphertextException", kms.decrypt, CiphertextBlob=changed, EncryptionContext=context)
    refused("InvalidCiphertextException", kms.decrypt, CiphertextBlob=b"nonsense")
    refused("IncorrectKeyException", kms.decrypt, CiphertextBlob=blob, KeyId=make(), EncryptionContext=context)
    other = make()
    moved = kms.re_encrypt(CiphertextBlob=blob, SourceEncryptionContext=context, DestinationKeyId=other)
    assert moved["SourceKeyId"] == arn
    assert kms.decrypt(CiphertextBlob=moved["CiphertextBlob"])["Plaintext"] == b"hush"
    refused("ValidationException", kms.encrypt, KeyId=key, Plaintext=b"x" * 4097)
    refused("DryRunOperationException", kms.encrypt, KeyId=key, Plaintext=b"x", DryRun=True)


def test_states_of_keys(kms, make):
    key = make()
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    kms.disable_key(KeyId=key)
    assert refused("DisabledException", kms.decrypt, CiphertextBlob=blob).endswith(f"key/{key} is disabled.")
    kms.schedule_key_deletion(KeyId=key)
    assert "is pending deletion." in refused("KMSInvalidStateException", kms.encrypt, KeyId=key, Plaintext=b"x")
    assert refused("NotFoundException", kms.encrypt, KeyId="nothing", Plaintext=b"x") == "Invalid keyId 'nothing'"
    kms.cancel_key_deletion(KeyId=key)
    kms.enable_key(KeyId=key)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_data_keys(kms, make):
    key = make()
    for size, length in [({"KeySpec": "AES_128"}, 16), ({"KeySpec": "AES_256"}, 32), ({"NumberOfBytes": 64}, 64)]:
        made = kms.generate_data_key(KeyId=key, **size)
        assert len(made["Plaintext"]) == length
        assert kms.decrypt(CiphertextBlob=made["CiphertextBlob"])["Plaintext"] == made["Plaintext"]
    assert "Plaintext" not in kms.generate_data_key_without_plaintext(KeyId=key, KeySpec="AES_256")
    refused("ValidationException", kms.generate_data_key, KeyId=key)
    assert len(kms.generate_random(NumberOfBytes=40)["Plaintext"]) == 40
    for spec in ["RSA_2048", "ECC_NIST_P256", "ECC_NIST_EDWARDS25519"]:
        pair = kms.generate_data_key_pair(KeyId=key, KeyPairSpec=spec)
        private = pair["PrivateKeyPlaintext"]
        assert kms.decrypt(CiphertextBlob=pair["PrivateKeyCiphertextBlob"])["Plaintext"] == private
        script = """const k=c.createPrivateKey({key:b(v.k),format:'der',type:'pkcs8'});
            console.log(JSON.stringify(c.createPublicKey(k).export({format:'der',type:'spki'}).toString('base64')))"""
        assert base64.b64decode(node(script, k=private)) == pair["PublicKey"]
    told = kms.generate_data_key_pair_without_plaintext(KeyId=key, KeyPairSpec="RSA_2048")
    assert "PrivateKeyPlaintext" not in told
    refused("DryRunOperationException", kms.generate_data_key_pair, KeyId=key, KeyPairSpec="RSA_4096", DryRun=True)


VERIFY = """const k=c.createPublicKey({key:b(v.k),format:'der',type:'spki'}),o={key:k};
    if(v.pss){o.padding=c.constants.RSA_PKCS1_PSS_PADDING;o.saltLength=c.constants.RSA_PSS_SALTLEN_DIGEST}
    console.log(c.verify(v.hash,b(v.m),o,b(v.s)))"""


def signs(kms, key, algorithm, digest):
    """Whether a key's signatures are good, here and elsewhere."""
    message = b"a message"
    at = {"KeyId": key, "SigningAlgorithm": algorithm}
    signature = kms.sign(Message=message, **at)["Signature"]
    assert kms.verify(Message=message, Signature=signature, **at)["SignatureValid"]
    public = kms.get_public_key(KeyId=key)["PublicKey"]
    assert node(VERIFY, k=public, m=message, s=signature, hash=digest, pss="PSS" in algorithm)
    assert refused("KMSInvalidSignatureException", kms.verify, Message=b"another", Signature=signature, **at) == ""
    return at, message, signature


def test_signatures_of_rsa(kms, make):
    key = make(**RSA)
    for algorithm in kms.get_public_key(KeyId=key)["SigningAlgorithms"]:
        hash = "sha" + algorithm[-3:]
        at, message, signature = signs(kms, key, algorithm, hash)
        digest = hashlib.new(hash, message).digest()
        assert kms.verify(Message=digest, MessageType="DIGEST", Signature=signature, **at)["SignatureValid"]
    text = refused("ValidationException", kms.sign, Message=b"short", MessageType="DIGEST", **at)
    assert text == f"Digest is invalid length for algorithm {at['SigningAlgorithm']}."
    text = refused("InvalidKeyUsageException", kms.encrypt, KeyId=key, Plaintext=b"x")
    assert text.endswith("key usage is SIGN_VERIFY which is not valid for Encrypt.")


@pytest.mark.parametrize("spec", CURVES)
def test_signatures_of_curves(kms, make, spec):
    key = make(KeySpec=spec, KeyUsage="SIGN_VERIFY")
    signs(kms, key, kms.describe_key(KeyId=key)["KeyMetadata"]["SigningAlgorithms"][0], CURVES[spec])


def test_signatures_of_ed25519(kms, make):
    signs(kms, make(KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY"), "ED25519_SHA_512", None)


def test_rsa_encrypts_what_was_encrypted_elsewhere_is_decrypted(kms, make):
    key = make(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
    at = {"KeyId": key, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    blob = kms.encrypt(Plaintext=b"hush", **at)["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob, **at)["Plaintext"] == b"hush"
    text = refused("ValidationException", kms.encrypt, Plaintext=b"x" * 191, **at)
    assert text == "Algorithm RSAES_OAEP_SHA_256 and key spec RSA_2048 cannot encrypt data larger than 190 bytes."
    script = """const k=c.createPublicKey({key:b(v.k),format:'der',type:'spki'});
        console.log(JSON.stringify(c.publicEncrypt({key:k,oaepHash:'sha256'},b(v.m)).toString('base64')))"""
    blob = node(script, k=kms.get_public_key(KeyId=key)["PublicKey"], m=b"from outside")
    assert kms.decrypt(CiphertextBlob=base64.b64decode(blob), **at)["Plaintext"] == b"from outside"
    refused("InvalidCiphertextException", kms.decrypt, CiphertextBlob=b"x" * 256, **at)


def test_macs_and_shared_secrets(kms, make):
    for size in [224, 256, 384, 512]:
        key = make(KeySpec=f"HMAC_{size}", KeyUsage="GENERATE_VERIFY_MAC")
        at = {"KeyId": key, "MacAlgorithm": f"HMAC_SHA_{size}"}
        mac = kms.generate_mac(Message=b"m", **at)["Mac"]
        assert len(mac) * 8 == size
        assert kms.verify_mac(Message=b"m", Mac=mac, **at)["MacValid"]
        refused("KMSInvalidMacException", kms.verify_mac, Message=b"n", Mac=mac, **at)
    text = refused("InvalidKeyUsageException", kms.generate_mac, Message=b"m", KeyId=key, MacAlgorithm="HMAC_SHA_256")
    assert text == "Algorithm HMAC_SHA_256 is incompatible with key spec HMAC_512."
    one, other = (make(KeySpec="ECC_NIST_P384", KeyUsage="KEY_AGREEMENT") for _ in range(2))
    public = {key: kms.get_public_key(KeyId=key)["PublicKey"] for key in (one, other)}
    agree = lambda mine, theirs: kms.derive_shared_secret(KeyId=mine, KeyAgreementAlgorithm="ECDH", PublicKey=theirs)
    assert agree(one, public[other])["SharedSecret"] == agree(other, public[one])["SharedSecret"]


def test_rotated_keys_decrypt_what_was_before(server, start):
    server = start("--clock", "frozen=2026-03-02T12:00:00Z")
    kms = server.client("kms")
    key = kms.create_key()["KeyMetadata"]
    blobs = [kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]]
    kms.rotate_key_on_demand(KeyId=key["KeyId"])
    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    status = kms.get_key_rotation_status(KeyId=key["KeyId"])
    assert (status["KeyRotationEnabled"], status["RotationPeriodInDays"]) == (True, 90)
    server.admin("POST", "clock/advance", {"seconds": 181 * 86400})
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["CurrentKeyMaterialId"] != key["CurrentKeyMaterialId"]
    rotations = kms.list_key_rotations(KeyId=key["KeyId"])["Rotations"]
    assert [one["RotationType"] for one in rotations] == ["ON_DEMAND", "AUTOMATIC", "AUTOMATIC"]
    blobs.append(kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"])
    materials = {kms.decrypt(CiphertextBlob=blob)["KeyMaterialId"] for blob in blobs}
    assert materials == {key["CurrentKeyMaterialId"], rotations[-1]["KeyMaterialId"]}
    every = kms.list_key_rotations(KeyId=key["KeyId"], IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert [one["KeyMaterialState"] for one in every] == ["NON_CURRENT"] * 3 + ["CURRENT"]


WRAP = """const k=c.createPublicKey({key:b(v.k),format:'der',type:'spki'});
    console.log(JSON.stringify(c.publicEncrypt({key:k,oaepHash:'sha256'},b(v.m)).toString('base64')))"""


def test_imported_material(kms, make):
    key = make(Origin="EXTERNAL")
    assert "is pending import." in refused("KMSInvalidStateException", kms.encrypt, KeyId=key, Plaintext=b"x")
    wrapping = {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"}
    given = kms.get_parameters_for_import(KeyId=key, **wrapping)
    wrapped = base64.b64decode(node(WRAP, k=given["PublicKey"], m=bytes(range(32))))
    at = {"KeyId": key, "ImportToken": given["ImportToken"], "EncryptedKeyMaterial": wrapped}
    refused("ValidationException", kms.import_key_material, **at)
    imported = kms.import_key_material(ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE", **at)
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    kms.delete_imported_key_material(KeyId=key)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingImport"
    refused("KMSInvalidStateException", kms.decrypt, CiphertextBlob=blob)
    again = kms.import_key_material(ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE", **at)
    assert again["KeyMaterialId"] == imported["KeyMaterialId"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    refused("UnsupportedOperationException", kms.get_parameters_for_import, KeyId=make(), **wrapping)


def test_replicas_read_each_others_ciphertexts(server, kms):
    key = kms.create_key(MultiRegion=True)["KeyMetadata"]
    assert key["KeyId"].startswith("mrk-")
    made = kms.replicate_key(KeyId=key["KeyId"], ReplicaRegion="sa-east-1", Description="there")["ReplicaKeyMetadata"]
    assert made["MultiRegionConfiguration"]["MultiRegionKeyType"] == "REPLICA"
    there = server.session().client("kms", region_name="sa-east-1", endpoint_url=server.url)
    assert there.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "Enabled"
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    assert there.decrypt(CiphertextBlob=blob)["KeyId"] == made["Arn"]
    alone = kms.encrypt(KeyId=kms.create_key()["KeyMetadata"]["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    refused("AccessDeniedException", there.decrypt, CiphertextBlob=alone)
    refused("UnsupportedOperationException", there.replicate_key, KeyId=key["KeyId"], ReplicaRegion="eu-west-1")
    assert kms.schedule_key_deletion(KeyId=key["KeyId"])["KeyState"] == "PendingReplicaDeletion"


def test_the_cli_encrypts(server, make, tmp_path):
    key = make()
    (tmp_path / "plain").write_bytes(b"hush")
    aws = lambda *words: base64.b64decode(server.aws("kms", *words, "--output", "text"))
    blob = aws("encrypt", "--key-id", key, "--plaintext", f"fileb://{tmp_path}/plain", "--query", "CiphertextBlob")
    (tmp_path / "blob").write_bytes(blob)
    assert aws("decrypt", "--ciphertext-blob", f"fileb://{tmp_path}/blob", "--query", "Plaintext") == b"hush"
