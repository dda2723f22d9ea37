//! The AWS CLI's names for operations and options, from those of the model.
//!
//! The rule is botocore's `xform_name`: a plural acronym at the end stays whole, a capital with small letters
//! after it begins a word, and so does a capital after a small letter or a digit.

/// Names that the CLI spells against the rule, from botocore's table; our services have none other of it.
const IRREGULAR: &[(&str, &str)] = &[
    ("ExecutePartiQLStatement", "execute-partiql-statement"),
    ("ExecutePartiQLTransaction", "execute-partiql-transaction"),
    ("ExecutePartiQLBatch", "execute-partiql-batch"),
];

/// `logGroupName` becomes `log-group-name`, `S3Key` becomes `s3-key`, `StackARNs` becomes `stack-arns`.
pub fn kebab(name: &str) -> String {
    if let Some((_, special)) = IRREGULAR.iter().find(|(irregular, _)| *irregular == name) {
        return (*special).to_owned();
    }
    if name.contains('-') {
        return name.to_owned();
    }
    let words = before_small_letters(&split_plural_acronym(name));
    let mut kebab = String::with_capacity(words.len() + 4);
    let mut previous = '-';
    for letter in words.chars() {
        if letter.is_ascii_uppercase() && (previous.is_ascii_lowercase() || previous.is_ascii_digit()) {
            kebab.push('-');
        }
        kebab.push(letter.to_ascii_lowercase());
        previous = letter;
    }
    kebab
}

/// `StackARNs` becomes `Stack-arns`: two capitals or more before a final `s`.
fn split_plural_acronym(name: &str) -> String {
    let Some(stem) = name.strip_suffix('s') else { return name.to_owned() };
    let capitals = stem.bytes().rev().take_while(u8::is_ascii_uppercase).count();
    if capitals < 2 {
        return name.to_owned();
    }
    let (head, acronym) = stem.split_at(stem.len() - capitals);
    format!("{head}-{}s", acronym.to_ascii_lowercase())
}

/// Sets a hyphen between any character and a capital that small letters follow; matches do not overlap.
fn before_small_letters(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut split = String::with_capacity(name.len() + 4);
    let mut place = 0;
    while let Some(&letter) = letters.get(place) {
        split.push(letter);
        place += 1;
        let begins = |at: usize| {
            letters.get(at).is_some_and(char::is_ascii_uppercase)
                && letters.get(at + 1).is_some_and(char::is_ascii_lowercase)
        };
        if begins(place) {
            split.push('-');
            split.extend(letters.get(place));
            place += 1;
            while let Some(small) = letters.get(place).filter(|letter| letter.is_ascii_lowercase()) {
                split.push(*small);
                place += 1;
            }
        }
    }
    split
}

#[cfg(test)]
mod tests {
    use super::kebab;

    /// Each pair was taken from botocore's own function.
    #[test]
    fn names_are_the_cli_s() {
        for (name, expected) in [
            ("FilterLogEvents", "filter-log-events"),
            ("logGroupName", "log-group-name"),
            ("maxResults", "max-results"),
            ("S3Key", "s3-key"),
            ("S3ObjectVersion", "s3-object-version"),
            ("ListObjectsV2", "list-objects-v2"),
            ("StackARNs", "stack-arns"),
            ("NotificationARNs", "notification-arns"),
            ("SSECustomerKeyMD5", "sse-customer-key-md5"),
            ("SSEKMSKeyId", "ssekms-key-id"),
            ("ChecksumCRC32C", "checksum-crc32-c"),
            ("ChecksumCRC64NVME", "checksum-crc64-nvme"),
            ("MFA", "mfa"),
            ("ACL", "acl"),
            ("EC2InstanceId", "ec2-instance-id"),
            ("GetSAMLProvider", "get-saml-provider"),
            ("ListWebACLs", "list-web-acls"),
            ("DescribeDBInstances", "describe-db-instances"),
            ("TemplateURL", "template-url"),
            ("DBName", "db-name"),
            ("If-Match", "If-Match"),
            ("Id", "id"),
        ] {
            assert_eq!(kebab(name), expected, "{name}");
        }
    }
}
