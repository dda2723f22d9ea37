//! The high-level `aws s3` commands that a script needs: `cp s3://… -`, `cp FILE s3://…`, `ls`, `rm`. The rest is refused by
//! name.

use serde_json::{Value, json};

use super::{Command, CommandError, Paginator, Print, Response};
use crate::Timestamp;

/// The commands of `aws s3`, for messages.
const COMMANDS: [&str; 9] = ["cp", "ls", "rm", "mv", "sync", "mb", "rb", "presign", "website"];

pub(super) fn parse(words: &[String]) -> Result<Command, CommandError> {
    let command = words.get(1).map(String::as_str).unwrap_or_default();
    let (options, arguments): (Vec<_>, Vec<_>) =
        words.iter().enumerate().skip(2).partition(|(_, word)| word.starts_with("--"));
    let recursive = options.iter().any(|(_, word)| *word == "--recursive");
    if let Some((at, option)) = options.iter().find(|(_, word)| !(command == "ls" && *word == "--recursive")) {
        return Err(CommandError::new(*at, format!("`{option}` is not supported with `aws s3 {command}`")));
    }
    match command {
        "cp" => copy(&arguments),
        "ls" => list(&arguments, recursive),
        "rm" => remove(&arguments),
        other if COMMANDS.contains(&other) => {
            Err(CommandError::new(1, format!("`aws s3 {other}` is not supported: use `aws s3api`")))
        }
        other => Err(CommandError::new(1, format!("`aws s3` has no command `{other}`")).near(other, COMMANDS)),
    }
}

type Argument<'a> = (usize, &'a String);

fn command(operation: &str, input: Value, print: Print) -> Command {
    Command {
        service: "s3".to_owned(),
        operation: operation.to_owned(),
        input,
        body: None,
        file: None,
        region: None,
        paginator: None,
        output_shape: None,
        print,
        failure_prefix: String::new(),
    }
}

/// `s3://bucket/key`; the key may be empty.
fn location<'a>((at, word): Argument<'a>) -> Result<(&'a str, &'a str), CommandError> {
    let path = word.strip_prefix("s3://").filter(|path| !path.is_empty() && !path.starts_with('/'));
    let path = path.ok_or_else(|| CommandError::new(at, format!("`{word}` is not s3://BUCKET/KEY")))?;
    Ok(path.split_once('/').unwrap_or((path, "")))
}

fn object<'a>(argument: Argument<'a>) -> Result<(&'a str, &'a str), CommandError> {
    let (bucket, key) = location(argument)?;
    if key.is_empty() || key.ends_with('/') {
        return Err(CommandError::new(argument.0, format!("`{}` names no object", argument.1)));
    }
    Ok((bucket, key))
}

fn copy(arguments: &[Argument<'_>]) -> Result<Command, CommandError> {
    match arguments {
        [from, (_, to)] if *to == "-" => {
            let (bucket, key) = object(*from)?;
            let mut command = command("GetObject", json!({"Bucket": bucket, "Key": key}), Print::Payload);
            command.failure_prefix = format!("download failed: {} to - ", from.1);
            Ok(command)
        }
        [(at, from), _] if *from == "-" => {
            Err(CommandError::new(*at, "a script has no standard input: use `aws s3api put-object --body 'text'`"))
        }
        [(at, from), to] if !from.starts_with("s3://") && to.1.starts_with("s3://") => {
            let (bucket, key) = location(*to)?;
            // As the CLI does: a folder gets the file under its own name.
            let name = from.rsplit('/').next().unwrap_or(from);
            let key = if key.is_empty() || key.ends_with('/') { format!("{key}{name}") } else { key.to_owned() };
            let printed = format!("upload: ./{from} to s3://{bucket}/{key}");
            let mut command = command("PutObject", json!({"Bucket": bucket, "Key": key}), Print::Line(printed));
            command.file = Some((*at, (*from).clone()));
            command.failure_prefix = format!("upload failed: ./{from} to s3://{bucket}/{key} ");
            Ok(command)
        }
        [_, (at, _)] => Err(CommandError::new(
            *at,
            "a script copies to standard output, `aws s3 cp s3://BUCKET/KEY -`, or a file of its header, `aws s3 cp FILE s3://BUCKET/KEY`",
        )),
        _ => Err(CommandError::new(1, "`aws s3 cp` needs two places: `aws s3 cp s3://BUCKET/KEY -`")),
    }
}

fn remove(arguments: &[Argument<'_>]) -> Result<Command, CommandError> {
    let [argument] = arguments else { return Err(CommandError::new(1, "`aws s3 rm` needs one object")) };
    let (bucket, key) = object(*argument)?;
    let mut command =
        command("DeleteObject", json!({"Bucket": bucket, "Key": key}), Print::Line(format!("delete: {}", argument.1)));
    command.failure_prefix = format!("delete failed: {} ", argument.1);
    Ok(command)
}

fn list(arguments: &[Argument<'_>], recursive: bool) -> Result<Command, CommandError> {
    let argument = match arguments {
        [] => return Ok(command("ListBuckets", json!({}), Print::Buckets)),
        [argument] => *argument,
        [_, (at, extra), ..] => return Err(CommandError::new(*at, format!("`{extra}` is too much"))),
    };
    let (bucket, prefix) = location(argument)?;
    let mut input = json!({"Bucket": bucket, "Prefix": prefix});
    if !recursive {
        input["Delimiter"] = json!("/");
    }
    // Keys are shown below the folder that the prefix names, but whole with --recursive.
    let folder = if recursive { "" } else { prefix.rfind('/').map_or("", |slash| &prefix[..=slash]) };
    let mut command = command("ListObjectsV2", input, Print::Objects { folder: folder.to_owned() });
    command.paginator = Some(Paginator {
        input_tokens: vec!["ContinuationToken".to_owned()],
        output_tokens: vec!["NextContinuationToken".to_owned()],
        result_keys: vec!["Contents".to_owned(), "CommonPrefixes".to_owned()],
        more_results: Some("IsTruncated".to_owned()),
    });
    Ok(command)
}

fn members<'a>(page: &'a Response, key: &str) -> impl Iterator<Item = &'a Value> {
    page.output.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn time(value: &Value, member: &str) -> String {
    let millis = value.get(member).and_then(Value::as_i64).unwrap_or_default();
    Timestamp::from_millis(millis).to_jiff().strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// `2026-03-02 12:00:00 name` for each bucket.
pub(super) fn buckets(pages: &[Response]) -> String {
    let line = |bucket: &Value| format!("{} {}\n", time(bucket, "CreationDate"), text(bucket, "Name"));
    pages.iter().flat_map(|page| members(page, "Buckets")).map(line).collect()
}

/// Folders as `PRE name/`, objects with time and size, in the columns of the CLI.
pub(super) fn objects(pages: &[Response], folder: &str) -> String {
    let below = |name: &str| name.strip_prefix(folder).unwrap_or(name).to_owned();
    let mut out = String::new();
    for page in pages {
        for prefix in members(page, "CommonPrefixes") {
            out += &format!("{:>30} {}\n", "PRE", below(text(prefix, "Prefix")));
        }
        for object in members(page, "Contents") {
            let size = object.get("Size").and_then(Value::as_i64).unwrap_or_default();
            out += &format!("{} {size:>10} {}\n", time(object, "LastModified"), below(text(object, "Key")));
        }
    }
    out
}
