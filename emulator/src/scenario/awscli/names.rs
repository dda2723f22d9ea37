//! The CLI's names for services, operations and members.

/// Services whose command is not named as their model is.
const COMMANDS: [(&str, &str); 1] = [("s3api", "s3")];

/// Names that the rule would tear apart; botocore lists the operations that hold them one by one.
const WHOLE_WORDS: [(&str, &str); 4] =
    [("PartiQL", "Partiql"), ("iSCSI", "Iscsi"), ("WhatsApp", "Whatsapp"), ("HITs", "Hits")];

/// The model that a command's service word means.
pub fn model_of(command: &str) -> &str {
    COMMANDS.iter().find(|(name, _)| *name == command).map_or(command, |(_, model)| model)
}

/// The word for a model's service.
pub fn command_of(model: &str) -> &str {
    COMMANDS.iter().find(|(_, name)| *name == model).map_or(model, |(command, _)| command)
}

/// `ListObjectsV2` → `list-objects-v2`, `DBInstanceARNs` → `db-instance-arns`: the rule of botocore's `xform_name`.
///
/// A capital begins a word where a small letter or a digit stands before it, or where a small letter follows it.
pub fn kebab(name: &str) -> String {
    let whole_words = WHOLE_WORDS.iter().fold(name.to_owned(), |name, (word, plain)| name.replace(word, plain));
    let letters: Vec<char> = whole_words.chars().collect();
    // A plural of capitals at the end, such as `ARNs`, is one word.
    let plural = plural_of_capitals(&letters);
    let mut kebab = String::with_capacity(name.len() + 8);
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| letters.get(before));
        let begins = match plural {
            Some(start) if at == start => true,
            Some(start) if at > start => false,
            _ => {
                let after_small = before.is_some_and(|before| before.is_ascii_lowercase() || before.is_ascii_digit());
                let before_small = letters.get(at + 1).is_some_and(char::is_ascii_lowercase);
                letter.is_ascii_uppercase() && (after_small || before_small)
            }
        };
        if begins && before.is_some_and(|before| !matches!(before, '-' | '_')) {
            kebab.push('-');
        }
        kebab.push(letter.to_ascii_lowercase());
    }
    kebab
}

fn plural_of_capitals(letters: &[char]) -> Option<usize> {
    let (last, rest) = letters.split_last()?;
    let capitals = rest.iter().rev().take_while(|letter| letter.is_ascii_uppercase()).count();
    (*last == 's' && capitals >= 2).then(|| rest.len() - capitals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_botocore() {
        for (name, expected) in [
            ("PutObject", "put-object"),
            ("ListObjectsV2", "list-objects-v2"),
            ("logGroupName", "log-group-name"),
            ("SSEKMSKeyId", "ssekms-key-id"),
            ("GetIDs", "get-ids"),
            ("DescribeDBInstances", "describe-db-instances"),
            ("ACL", "acl"),
            ("MD5OfBody", "md5-of-body"),
            ("ContentMD5", "content-md5"),
            ("IfMatch", "if-match"),
            ("StackName", "stack-name"),
            ("AmazonRDSARNs", "amazon-rdsarns"),
            ("PutMetricData", "put-metric-data"),
            ("DBInstanceARNs", "db-instance-arns"),
            ("S3Key", "s3-key"),
            ("ExecutePartiQLStatement", "execute-partiql-statement"),
            ("CreateCachediSCSIVolume", "create-cached-iscsi-volume"),
        ] {
            assert_eq!(kebab(name), expected, "{name}");
        }
    }
}
