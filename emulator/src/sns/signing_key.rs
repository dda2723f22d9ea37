//! The key with which messages are signed, and its certificate.
//!
//! The key is public, as it is written here: a signature shows that code which verifies messages works, and proves nothing. It is
//! always the same so that a run can be repeated to the byte.

/// The certificate, as PEM; valid from 2000 to 2099.
pub(super) const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----
MIIC0zCCAbugAwIBAgIBATANBgkqhkiG9w0BAQsFADAsMRowGAYDVQQDDBFzbnMu
YW1hem9uYXdzLmNvbTEOMAwGA1UECgwFR2Fyb2EwIBcNMDAwMTAxMDAwMDAwWhgP
MjA5OTEyMzEwMDAwMDBaMCwxGjAYBgNVBAMMEXNucy5hbWF6b25hd3MuY29tMQ4w
DAYDVQQKDAVHYXJvYTCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBAI2e
GmW2xlBFxYcDg2/hZR9E68KR8f8WU8hz6q3mSq7n1Ra2bfGEN/wC3+1VEoTLKxv7
Uchipb3a4pn9iX2uT8AbT4U7Z5Q/hQgVrDkMnrZUwOUctWc4BRz+y6fwhgCNCS7v
9Yd3vTj173QfV1ezR4Ev53xYkXp0gA4UtxnymPAEK9yFPkh8Db/Ww29kkA6DvBNM
XhSiKwiA2RASP1Sd1xp8+plZDIdxEVXGks83dSrZLICngJY7w5VD2COK80PpL+Ue
x+vpXvaq8e2CI/+2T9DmLDkldck1kbgzyStMlgX9xmWHwUT8/d1hmfwA382j1+6K
AtAqNtV+HaYapRiCc1kCAwEAATANBgkqhkiG9w0BAQsFAAOCAQEALhsLRH74ezVR
dXXRGny4f/EzFu78aswAnFHfC8daQrlaLsRCXC0Fe+dIy4I2rggbZ8bAiEOX4q5c
JJSw6Mn5+PFMcmLEEbIRF7/nDd7SnOw0PPqoOhSFhvC6w23n3V7Ne6vCmLxh0Gag
OYC/6YY5cfwNDhzpGADd5BeT4C6yXDjqIeZ6NIHz6DI3OTOwHU6QeTnKc/b5wsHT
/2Kk4/kQz2dKXntEoCIkzyZWU/9JNY6aQIdmvE6RxFqfMDdy0lhIKOb3cD8Tkql7
MEqZxlfTHxxmRi7+LytKd7e8TXgwAeg26nNUWNyvF2ltRRAY0cXvKvo8JrP9oP5j
5O8pJITLFQ==
-----END CERTIFICATE-----
";

/// The first prime, in hexadecimal digits, as what follows: RFC 8017, section 3.2.
pub(super) const PRIME_1: &str = "\
c2e7c3d7a450d72efe424f667aae847fda514017ffb00d9dad43efa8c1ceff9ccbee6deba22ecc7bc5b72229f004535fa3c0\
0a620361e11d1fae37cc93e7ebd687deec4843cece3cd0d3de5c433a73c387e0094568d03945a1368af97a9010d00b0baa9d\
f1cbf3b0535e7a6b2e727893cb30c5fb31cf9892a385f44bcea11dcb";
/// The second prime.
pub(super) const PRIME_2: &str = "\
ba023f6ef2e335458f6632a68510242b46f9fd00d110fde245c7e50d84ba62e469e617dfe4674f65a1b714fcdd2c17bde442\
42e9a501215a6de37c97f9acbbadd57ca066f29269120fecb781fce401ca29dabd4cb5d5a74662355230002fe06dbc3fd1bd\
7aa89ca221f468832799446234b4c3069313f39e51e5dde7d1910eeb";
/// The private exponent modulo the first prime less one.
pub(super) const EXPONENT_1: &str = "\
2c8906cffc64d8768d749b6e003466644c7f6a54d180e9eb908ec871582fb36aa1928e9d5c06b384c8adcae9a84564c3a2c8\
1bd73f8c9b02ab9d8474838b67f13244b6dae05b9df679851ff7170981303998f0a56288c9bd6653ef378850e8f690bf8eb1\
de714af28c6a3730cc812d9a1fc0ba4c669a57f391d7e6f577768b37";
/// The same for the second.
pub(super) const EXPONENT_2: &str = "\
33dc2c936264b6958e4590199d3fc2d5ce1424d5f5742754cedfcc9cd8449f0dcff8b6ef555ef863fd926de7924298dbf8a8\
00bfe3a14d0b49580384dbb7ad1bea49b4eefef29318d617c992144ffdafbfbb9ccba666cb1c74852944f8c8606a37f21328\
20eaa1c11276722d1efd3c73a4fe40e1b45ffbac48692e5553b87dd";
/// The inverse of the second prime modulo the first.
pub(super) const COEFFICIENT: &str = "\
52cc6352c924061572f4eb7681c0170a40901cf9cba4ef539d9cf01ba7b6e28b77a8c0ebe7ee4428e33e6b7483317cf888e0\
431eda884840d6e9fedaa860b537cb527c96f4bd1684ea558848b2b88bc62bddda4210a46e021c18328f70deddc2abd09929\
fdbcedd5bbd98348a77cc27f6bf91baf8b1ce85e4b7cdba0764267e7";
