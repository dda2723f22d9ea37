//! The server's certificate, and the authority that signs it: made when the server starts, trusted by nobody.

use std::sync::Arc;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ED25519,
};
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::{Error, Result};

/// What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410 section 7).
const ED25519_PKCS8: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// A server's identity.
pub(super) struct Identity {
    pub acceptor: TlsAcceptor,
    /// The authority's certificate, as PEM.
    pub authority: String,
}

/// Where the keys come from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Keys {
    /// The machine: for a server that others can reach.
    Random,
    /// A seed: the certificate is the same in every run, so that it may be part of a trace. Anybody can make these
    /// keys.
    Seeded(u64),
}

impl Keys {
    fn pair(self, label: &str) -> Result<KeyPair> {
        let Self::Seeded(seed) = self else { return KeyPair::generate().map_err(Error::internal) };
        let mut hash = Sha256::new();
        hash.update(label);
        hash.update(seed.to_be_bytes());
        let mut secret = [0; 32];
        ChaCha20Rng::from_seed(hash.finalize().into()).fill_bytes(&mut secret);
        key_pair(&secret)
    }
}

/// The key pair of an Ed25519 key.
pub(crate) fn key_pair(secret: &[u8; 32]) -> Result<KeyPair> {
    let key: Vec<u8> = ED25519_PKCS8.iter().chain(secret).copied().collect();
    KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(key), &PKCS_ED25519).map_err(Error::internal)
}

impl Identity {
    /// A certificate for these host names and addresses.
    pub fn make(hosts: Vec<String>, keys: Keys) -> Result<Self> {
        let name = hosts.first().cloned().unwrap_or_default();
        let issuer = Issuer::new(authority()?, keys.pair(&format!("authority of {name}"))?);
        let authority = authority()?.self_signed(issuer.key()).map_err(Error::internal)?;
        let key = keys.pair(&format!("key of {name}"))?;
        let mut params = CertificateParams::new(hosts).map_err(Error::internal)?;
        params.distinguished_name.push(DnType::CommonName, "Garoa SMTP sink");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let leaf = params.signed_by(&key, &issuer).map_err(Error::internal)?;
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(Error::internal)?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .map_err(Error::internal)?;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), authority: authority.pem() })
    }
}

fn authority() -> Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new()).map_err(Error::internal)?;
    params.distinguished_name.push(DnType::CommonName, "Garoa SMTP sink authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_seed_gives_one_certificate_and_the_machine_another_each_time() {
        let make = |host: &str, keys| Identity::make(vec![host.to_owned()], keys).unwrap().authority;
        assert_eq!(make("a.localhost", Keys::Seeded(1)), make("a.localhost", Keys::Seeded(1)));
        assert!(make("a.localhost", Keys::Seeded(1)) != make("a.localhost", Keys::Seeded(2)));
        assert!(make("a.localhost", Keys::Seeded(1)) != make("b.localhost", Keys::Seeded(1)));
        assert!(make("a.localhost", Keys::Random) != make("a.localhost", Keys::Random));
    }
}
