//! `aws SERVICE OPERATION --options`: words to an input, by the model.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::names::{command_of, kebab, model_of};
use super::shapes::{OperationShape, Shape, Shapes, Structure};
use super::value::{Context, parse_json};
use super::{Command, CommandError, Format, Print};

/// Options of the CLI itself that change what is sent or printed here.
const GLOBAL: [&str; 5] = ["region", "output", "query", "cli-binary-format", "cli-input-json"];
/// Options of the CLI itself that take no value.
const SWITCHES: [&str; 2] = ["no-paginate", "no-cli-pager"];
/// Options of the CLI itself that a script does not have, and why.
const REFUSED: [(&str, &str); 13] = [
    ("profile", "a script calls as its own account"),
    ("endpoint-url", "a script calls the cloud that it runs in"),
    ("max-items", "write the page that you want with the operation's own limit and token"),
    ("page-size", "write the page that you want with the operation's own limit and token"),
    ("starting-token", "write the page that you want with the operation's own limit and token"),
    ("cli-input-yaml", "write --cli-input-json"),
    ("generate-cli-skeleton", "a script makes calls"),
    ("cli-auto-prompt", "a script answers no questions"),
    ("debug", "the trace tells what happened"),
    ("no-verify-ssl", "no TLS is spoken in process"),
    ("no-sign-request", "a script calls as its own account"),
    ("cli-read-timeout", "the clock is the script's"),
    ("cli-connect-timeout", "the clock is the script's"),
];

pub(super) fn parse(words: &[String], shapes: &dyn Shapes) -> Result<Command, CommandError> {
    let (service, operation, shape) = find_operation(words, shapes)?;
    let input_shape = structure(&service, shape.input.as_deref(), shapes)?;
    let output_shape = structure(&service, shape.output.as_deref(), shapes)?;
    let (options, positional) = collect(words)?;
    let mut globals = Globals::read(&options)?;
    let context = Context { shapes, service: &service, base64: globals.base64 };

    let mut input = Map::new();
    let mut body = None;
    if let (Some((word, text)), Some(name)) = (&globals.input_json, &shape.input) {
        let value = parse_json(text).and_then(|value| context.json(name, &value, 0));
        let value = value.map_err(|why| CommandError::new(*word, why))?;
        input = value.as_object().cloned().unwrap_or_default();
    }
    for option in options.iter().filter(|option| !is_global(&option.name)) {
        let extra = member(option, &input_shape, &context, &mut input, &mut body)?;
        globals.trailing.extend(extra.iter().cloned());
    }
    let payload = input_shape.payload.as_deref().filter(|member| is_blob(&input_shape, member, &context));
    if let (Some(member), None) = (payload, &body) {
        body = input
            .shift_remove(member)
            .map(|value| decoded(&value))
            .transpose()
            .map_err(|why| CommandError::new(None, why))?;
    }
    require(&input_shape, &input, body.is_some())?;

    let streams = output_shape.payload.as_deref().is_some_and(|member| is_blob(&output_shape, member, &context));
    let print = printing(&mut globals, streams, &positional)?;
    let paginator = if globals.paginate { pages(shape.paginator, &input) } else { None };
    Ok(Command {
        service: service.clone(),
        operation,
        input: Value::Object(input),
        body,
        file: None,
        region: globals.region,
        paginator,
        output_shape: shape.output,
        print,
        failure_prefix: String::new(),
    })
}

/// Someone who gives the token pages by hand: the CLI then makes one call.
fn pages(paginator: Option<super::Paginator>, input: &Map<String, Value>) -> Option<super::Paginator> {
    paginator.filter(|paginator| !paginator.input_tokens.iter().any(|token| input.contains_key(token)))
}

fn find_operation(words: &[String], shapes: &dyn Shapes) -> Result<(String, String, OperationShape), CommandError> {
    let command = words.first().map(String::as_str).unwrap_or_default();
    let service = model_of(command).to_owned();
    // `aws s3` is no service's name but the high-level commands, which are not read here.
    let Some(operations) = shapes.operations(&service) else {
        let known = shapes.services();
        return Err(CommandError::new(0, format!("there is no service `{command}` here"))
            .near(command, known.iter().map(|name| command_of(name))));
    };
    let Some(word) = words.get(1).filter(|word| !word.starts_with('-')) else {
        return Err(CommandError::new(0, format!("`aws {command}` needs an operation")));
    };
    let Some(operation) = operations.iter().find(|name| kebab(name) == *word) else {
        let known: Vec<String> = operations.iter().map(|name| kebab(name)).collect();
        return Err(CommandError::new(1, format!("{command} has no operation `{word}`"))
            .near(word, known.iter().map(String::as_str)));
    };
    let shape = shapes.operation(&service, operation);
    let shape =
        shape.ok_or_else(|| CommandError::new(1, format!("the model of {service} does not describe {operation}")))?;
    Ok((service, operation.clone(), shape))
}

fn structure(service: &str, name: Option<&str>, shapes: &dyn Shapes) -> Result<Structure, CommandError> {
    match name.map(|name| (name, shapes.shape(service, name))) {
        None => Ok(Structure::default()),
        Some((_, Some(Shape::Structure(structure)))) => Ok(structure),
        Some((name, _)) => Err(CommandError::new(None, format!("the model of {service} has no structure {name}"))),
    }
}

/// An option and its values, which are the words up to the next option.
struct Option_ {
    word: usize,
    name: String,
    values: Vec<(usize, String)>,
}

/// Options, and the words before any option (an output file).
type Collected = (Vec<Option_>, Vec<(usize, String)>);

fn collect(words: &[String]) -> Result<Collected, CommandError> {
    let mut options: Vec<Option_> = Vec::new();
    let mut positional = Vec::new();
    for (at, word) in words.iter().enumerate().skip(2) {
        match word
            .strip_prefix("--")
            .filter(|name| name.chars().next().is_some_and(|first| first.is_ascii_alphabetic()))
        {
            Some(name) => {
                let (name, value) = name.split_once('=').map_or((name, None), |(name, value)| (name, Some(value)));
                if options.iter().any(|option| option.name == name) {
                    return Err(CommandError::new(at, format!("`--{name}` is given twice")));
                }
                let values = value.map(|value| (at, value.to_owned())).into_iter().collect();
                options.push(Option_ { word: at, name: name.to_owned(), values });
            }
            None => match options.last_mut() {
                Some(option) => option.values.push((at, word.clone())),
                None => positional.push((at, word.clone())),
            },
        }
    }
    Ok((options, positional))
}

fn is_global(name: &str) -> bool {
    GLOBAL.contains(&name) || SWITCHES.contains(&name) || REFUSED.iter().any(|(refused, _)| *refused == name)
}

/// The options that belong to the CLI, not to the operation.
struct Globals {
    region: Option<String>,
    query: Option<String>,
    format: Format,
    base64: bool,
    paginate: bool,
    input_json: Option<(usize, String)>,
    /// What stands after a global option's value: it can only be the output file.
    trailing: Vec<(usize, String)>,
}

impl Globals {
    fn read(options: &[Option_]) -> Result<Self, CommandError> {
        let mut globals = Self {
            region: None,
            query: None,
            format: Format::Json,
            base64: false,
            paginate: true,
            input_json: None,
            trailing: Vec::new(),
        };
        for option in options.iter().filter(|option| is_global(&option.name)) {
            globals.set(option)?;
        }
        Ok(globals)
    }

    fn set(&mut self, option: &Option_) -> Result<(), CommandError> {
        let name = option.name.as_str();
        if let Some((_, why)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
            return Err(CommandError::new(option.word, format!("`--{name}` is not supported: {why}")));
        }
        if SWITCHES.contains(&name) {
            self.paginate &= name != "no-paginate";
            self.trailing.extend(option.values.iter().cloned());
            return Ok(());
        }
        let Some(((word, value), trailing)) = option.values.split_first() else {
            return Err(CommandError::new(option.word, format!("`--{name}` needs a value")));
        };
        self.trailing.extend(trailing.iter().cloned());
        match (name, value.as_str()) {
            ("region", region) => self.region = Some(region.to_owned()),
            ("output", "json") => self.format = Format::Json,
            ("output", "text") => self.format = Format::Text,
            ("output", other) => {
                return Err(CommandError::new(
                    *word,
                    format!("the output format `{other}` is not supported: json and text are"),
                ));
            }
            ("query", query) => {
                crate::scenario::expect::jmes::check(query).map_err(|why| CommandError::new(*word, why))?;
                self.query = Some(query.to_owned());
            }
            ("cli-binary-format", "base64") => self.base64 = true,
            ("cli-binary-format", "raw-in-base64-out") => self.base64 = false,
            ("cli-binary-format", other) => {
                return Err(CommandError::new(
                    *word,
                    format!("`{other}` is not a binary format: base64 or raw-in-base64-out"),
                ));
            }
            (_, json) => {
                if json.starts_with("file://") {
                    return Err(CommandError::new(
                        *word,
                        "`file://` is not supported: a script holds its values itself",
                    ));
                }
                self.input_json = Some((*word, json.to_owned()));
            }
        }
        Ok(())
    }
}

/// Sets the member that an option names. What stands after its value is handed back: it can only be the output file.
fn member<'o>(
    option: &'o Option_,
    structure: &Structure,
    context: &Context<'_>,
    input: &mut Map<String, Value>,
    body: &mut Option<Bytes>,
) -> Result<&'o [(usize, String)], CommandError> {
    let (name, negated) = named_member(option, structure)?;
    let shape_name = structure.member(name).unwrap_or_default();
    let shape = context.shape(shape_name).map_err(|why| CommandError::new(option.word, why))?;
    if shape == Shape::Boolean {
        input.insert(name.to_owned(), (!negated).into());
        return Ok(&option.values);
    }
    if negated {
        return Err(CommandError::new(option.word, format!("`--no-…` is for truth values, and {name} is none")));
    }
    let Some(((word, first), extra)) = option.values.split_first() else {
        return Err(CommandError::new(option.word, format!("`--{}` needs a value", option.name)));
    };
    let wrong = |why: String| CommandError::new(*word, format!("--{}: {why}", option.name));
    if shape == Shape::Blob && structure.payload.as_deref() == Some(name) {
        *body = Some(context.blob(first).map_err(wrong)?.into());
        return Ok(extra);
    }
    if let Shape::List(item) = &shape {
        let values: Vec<&str> = option.values.iter().map(|(_, value)| value.as_str()).collect();
        input.insert(name.to_owned(), context.list(item, &values).map_err(wrong)?);
        return Ok(&[]);
    }
    input.insert(name.to_owned(), context.single(shape_name, first).map_err(wrong)?);
    Ok(extra)
}

/// The member that an option means, and whether it is written `--no-…`.
fn named_member<'s>(option: &Option_, structure: &'s Structure) -> Result<(&'s str, bool), CommandError> {
    let names: BTreeMap<String, &str> =
        structure.members.iter().map(|(name, _)| (kebab(name), name.as_str())).collect();
    if let Some(name) = names.get(&option.name) {
        return Ok((name, false));
    }
    if let Some(name) = option.name.strip_prefix("no-").and_then(|name| names.get(name)) {
        return Ok((name, true));
    }
    let known = names.keys().map(String::as_str).chain(GLOBAL).chain(SWITCHES);
    let known: Vec<String> = known.map(|name| format!("--{name}")).collect();
    let written = format!("--{}", option.name);
    Err(CommandError::new(option.word, format!("there is no option `{written}`"))
        .near(&written, known.iter().map(String::as_str)))
}

fn is_blob(structure: &Structure, member: &str, context: &Context<'_>) -> bool {
    structure.member(member).is_some_and(|shape| context.shape(shape) == Ok(Shape::Blob))
}

fn decoded(value: &Value) -> Result<Bytes, String> {
    use base64::Engine as _;
    let text = value.as_str().unwrap_or_default();
    base64::engine::general_purpose::STANDARD.decode(text).map(Bytes::from).map_err(|why| why.to_string())
}

fn require(structure: &Structure, input: &Map<String, Value>, has_body: bool) -> Result<(), CommandError> {
    let given = |name: &String| input.contains_key(name) || (has_body && structure.payload.as_ref() == Some(name));
    let missing: Vec<String> =
        structure.required.iter().filter(|name| !given(name)).map(|name| format!("--{}", kebab(name))).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(CommandError::new(1, format!("the following arguments are required: {}", missing.join(", "))))
}

fn printing(globals: &mut Globals, streams: bool, positional: &[(usize, String)]) -> Result<Print, CommandError> {
    let (query, format) = (globals.query.take(), globals.format);
    let mut files = positional.iter().chain(&globals.trailing);
    let file = files.next();
    if let Some((word, extra)) = files.next() {
        return Err(CommandError::new(*word, format!("`{extra}` is too much")));
    }
    match (streams, file) {
        (false, None) => Ok(Print::Output { query, format }),
        (false, Some((word, text))) => {
            Err(CommandError::new(*word, format!("`{text}` is too much: this operation writes no file")))
        }
        (true, None) => {
            Err(CommandError::new(1, "this operation writes its payload to a file: end the line with `-` to print it"))
        }
        (true, Some((_, file))) if file == "-" => Ok(Print::Payload),
        (true, Some((_, file))) if file == "/dev/stdout" => Ok(Print::PayloadAndOutput { query, format }),
        (true, Some((word, file))) => {
            Err(CommandError::new(*word, format!("a script writes no file `{file}`: `-` prints the payload")))
        }
    }
}
