//! `StartQuery`, `GetQueryResults`, `StopQuery`, `DescribeQueries`, `GetLogRecord`.
//!
//! A query is run when it is started and is complete at once: what it found is kept as long as AWS keeps it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::LANGUAGE;
use super::parse::parse;
use super::row::{Row, Source};
use super::run::{Found, Line, run};
use crate::cloud::{Cx, Scope, Service, Target};
use crate::logs::batch::Event;
use crate::logs::get::check_unmask;
use crate::logs::id::EventKey;
use crate::logs::names::{group_name, invalid, missing, on_group};
use crate::logs::store::LogGroups;
use crate::logs::token;
use crate::{Error, Result, Timestamp};

/// A query is about so many groups.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html>
const MAX_GROUPS: usize = 50;
/// So many lines are answered where a query does not say.
const DEFAULT_LIMIT: usize = 10_000;
/// Results are kept for so long.
const KEPT: Duration = Duration::from_secs(7 * 86_400);
/// And of so many queries: the number is ours.
const KEPT_QUERIES: usize = 1000;
/// Times above this are milliseconds, below seconds: it is the year 5138 in seconds, and 1973 in milliseconds.
const FIRST_MILLIS: i64 = 100_000_000_000;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<LogGroups>) -> Service<LogGroups> {
    service
        .op("StartQuery", |at, i: &Start| on_group(at, i.first(), None), start)
        .op("GetQueryResults", |_, _: &OfQuery| Target::any(), results)
        .op("StopQuery", |_, _: &OfQuery| Target::any(), stop)
        .op("DescribeQueries", |_, _: &Describe| Target::any(), describe)
        .op("GetLogRecord", |_, _: &Record| Target::any(), record)
}

/// A query that was run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::logs) struct Query {
    /// In the order in which they were started.
    number: u64,
    text: String,
    groups: Vec<String>,
    created: Timestamp,
    lines: Arc<Vec<Line>>,
    matched: usize,
    scanned: usize,
    bytes: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Start {
    log_group_name: Option<String>,
    log_group_names: Option<Vec<String>>,
    log_group_identifiers: Option<Vec<String>>,
    start_time: i64,
    end_time: i64,
    query_string: String,
    limit: Option<usize>,
    query_language: Option<String>,
}

impl Start {
    fn first(&self) -> Option<&String> {
        let lists = [&self.log_group_names, &self.log_group_identifiers];
        self.log_group_name.as_ref().or_else(|| lists.into_iter().flatten().find_map(|list| list.first()))
    }

    fn groups<'a>(&'a self, scope: &Scope) -> Result<Vec<&'a str>> {
        let given =
            [self.log_group_name.is_some(), self.log_group_names.is_some(), self.log_group_identifiers.is_some()];
        if given.into_iter().filter(|given| *given).count() != 1 {
            return Err(invalid(
                "Exactly one of logGroupName, logGroupNames and logGroupIdentifiers must be specified.",
            ));
        }
        let all = self.log_group_name.iter().chain(self.log_group_names.iter().flatten());
        let mut names: Vec<&str> = all.map(String::as_str).collect();
        for identifier in self.log_group_identifiers.iter().flatten() {
            names.push(group_name(scope, None, Some(identifier))?);
        }
        let distinct: BTreeSet<&str> = names.iter().copied().collect();
        if names.is_empty() || distinct.len() > MAX_GROUPS {
            return Err(invalid(format!("A query is about 1 to {MAX_GROUPS} log groups.")));
        }
        Ok(distinct.into_iter().collect())
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Started {
    query_id: String,
}

fn start(cx: &mut Cx<LogGroups>, input: Start) -> Result<Started> {
    only_insights(input.query_language.as_deref())?;
    let names = input.groups(cx.scope)?;
    for name in &names {
        if !cx.state.groups.contains_key(*name) {
            let account = &cx.scope.account;
            return Err(missing(format!(
                "Log group '{name}' does not exist for account ID '{account}' (Service: AWSLogs; Status Code: 400; Error Code: \
                 ResourceNotFoundException; Request ID: {}; Proxy: null)",
                cx.request_id
            )));
        }
    }
    let (from, to) = (millis(input.start_time, 0), millis(input.end_time, 999));
    if from > to {
        return Err(invalid("End time must not be before start time."));
    }
    let commands = parse(&input.query_string)?;
    let limit = input.limit.unwrap_or(DEFAULT_LIMIT);
    let found = {
        let rows = rows(cx.state, cx.scope, &names, (from, to), cx.now)?;
        run(&commands, rows, limit, cx.now.millis())
    };
    let Found { lines, matched, scanned, bytes, spent } = found;
    if spent {
        return Err(Error::client("LimitExceededException", "The functions of the query make too much text"));
    }
    let sources: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let text = format!("SOURCE {} START={from} END={to} | {}", sources.join(","), input.query_string);
    let groups = names.into_iter().map(str::to_owned).collect();
    let oldest = cx.now - KEPT;
    let number = cx.state.queries.values().map(|query| query.number).max().unwrap_or_default() + 1;
    let gone = |query: &Query| query.created < oldest || query.number + (KEPT_QUERIES as u64) <= number;
    let old: Vec<String> = cx.state.queries.iter().filter(|(_, query)| gone(query)).map(|(id, _)| id.clone()).collect();
    for id in old {
        cx.state.queries.remove(&id);
    }
    let query = Query { number, text, groups, created: cx.now, lines: Arc::new(lines), matched, scanned, bytes };
    let query_id = cx.ids().uuid();
    cx.state.queries.insert(query_id.clone(), query);
    Ok(Started { query_id })
}

/// The other languages are SQL and PPL.
fn only_insights(language: Option<&str>) -> Result<()> {
    match language {
        Some(other) if other != LANGUAGE => {
            Err(Error::not_implemented(format!("queries of logs in {other} (queryLanguage)")))
        }
        _ => Ok(()),
    }
}

/// A time in milliseconds: the API takes seconds, and milliseconds as well. Of a second, the last is meant at the end.
fn millis(time: i64, last: i64) -> i64 {
    if time < FIRST_MILLIS { time.saturating_mul(1000).saturating_add(last) } else { time }
}

/// The events of groups in a range, the newest first. With what each has in bytes.
fn rows<'a>(
    state: &'a LogGroups,
    scope: &'a Scope,
    names: &[&'a str],
    (from, to): (i64, i64),
    now: Timestamp,
) -> Result<Rows<'a>> {
    let mut all: Vec<Rows<'a>> = Vec::with_capacity(names.len());
    for name in names.iter().copied() {
        let group = state.group(name)?;
        let from = group.cutoff(now).map_or(from, |cutoff| cutoff.millis().max(from));
        let range = (
            Bound::Included(EventKey::first_at(Timestamp::from_millis(from))),
            Bound::Included(EventKey::last_at(Timestamp::from_millis(to))),
        );
        let events = group.all(range, false);
        all.push(Box::new(events.map(move |(key, event)| (row(scope, name, key, event), event.message().len()))));
    }
    if all.len() == 1 {
        return Ok(all.remove(0));
    }
    let mut merged: Vec<(Row<'a>, usize)> = all.into_iter().flatten().collect();
    merged.sort_by_key(|(row, _)| std::cmp::Reverse(row.time()));
    Ok(Box::new(merged.into_iter()))
}

type Rows<'a> = Box<dyn Iterator<Item = (Row<'a>, usize)> + 'a>;

fn row<'a>(scope: &Scope, group: &'a str, key: EventKey, event: &'a Event) -> Row<'a> {
    Row::of(Source {
        group,
        log: format!("{}:{group}", scope.account),
        stream: event.stream(),
        message: event.message(),
        ingested: event.ingested().millis(),
        key,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfQuery {
    query_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Results {
    query_language: &'static str,
    results: Vec<Vec<Field>>,
    statistics: Statistics,
    status: &'static str,
}

/// `ResultField` of the API.
#[derive(Serialize)]
struct Field {
    field: String,
    value: String,
}

/// `QueryStatistics` of the API.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Statistics {
    records_matched: f64,
    records_scanned: f64,
    estimated_records_skipped: f64,
    bytes_scanned: f64,
    estimated_bytes_skipped: f64,
    log_groups_scanned: f64,
}

fn find<'a>(cx: &'a Cx<LogGroups>, id: &str) -> Result<&'a Query> {
    let oldest = cx.now - KEPT;
    let found = cx.state.queries.get(id).filter(|query| query.created >= oldest);
    found.ok_or_else(|| missing(format!("Query '{id}' does not exist.")))
}

fn results(cx: &mut Cx<LogGroups>, input: OfQuery) -> Result<Results> {
    let query = find(cx, &input.query_id)?;
    let field = |(field, value): &(String, String)| Field { field: field.clone(), value: value.clone() };
    Ok(Results {
        query_language: LANGUAGE,
        results: query.lines.iter().map(|line| line.iter().map(field).collect()).collect(),
        statistics: Statistics {
            records_matched: query.matched as f64,
            records_scanned: query.scanned as f64,
            estimated_records_skipped: 0.0,
            bytes_scanned: query.bytes as f64,
            estimated_bytes_skipped: 0.0,
            log_groups_scanned: query.groups.len() as f64,
        },
        status: COMPLETE,
    })
}

/// Every query is, once it was started.
const COMPLETE: &str = "Complete";

#[derive(Serialize)]
struct Stopped {
    success: bool,
}

/// A query that has ended cannot be stopped.
fn stop(cx: &mut Cx<LogGroups>, input: OfQuery) -> Result<Stopped> {
    find(cx, &input.query_id)?;
    Err(invalid(format!("Query '{}' has already ended with status '{COMPLETE}'.", input.query_id)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    log_group_name: Option<String>,
    status: Option<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
    query_language: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    queries: Vec<Info>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `QueryInfo` of the API.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Info {
    query_language: &'static str,
    query_id: String,
    query_string: String,
    status: &'static str,
    create_time: Timestamp,
    log_group_name: String,
}

/// The newest first.
fn describe(cx: &mut Cx<LogGroups>, input: Describe) -> Result<Described> {
    only_insights(input.query_language.as_deref())?;
    let oldest = cx.now - KEPT;
    let before = input.next_token.as_deref().map(token::decode::<u64>).transpose()?;
    let wanted = |query: &Query| {
        query.created >= oldest
            && before.is_none_or(|before| query.number < before)
            && input.log_group_name.as_ref().is_none_or(|name| query.groups.contains(name))
            && input.status.as_deref().is_none_or(|status| status == COMPLETE)
    };
    let mut found: Vec<_> = cx.state.queries.iter().filter(|(_, query)| wanted(query)).collect();
    found.sort_by_key(|(_, query)| std::cmp::Reverse(query.number));
    let size = input.max_results.unwrap_or(KEPT_QUERIES);
    let more = found.len() > size;
    found.truncate(size);
    let last = found.last().filter(|_| more).map(|(_, query)| query.number);
    let next_token = last.map(|number| token::encode(&number)).transpose()?;
    let info = |(id, query): (&String, &Query)| Info {
        query_language: LANGUAGE,
        query_id: id.clone(),
        query_string: query.text.clone(),
        status: COMPLETE,
        create_time: query.created,
        log_group_name: query.groups.first().cloned().unwrap_or_default(),
    };
    Ok(Described { queries: found.into_iter().map(info).collect(), next_token })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    log_record_pointer: String,
    unmask: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RecordOutput {
    log_record: BTreeMap<String, String>,
}

/// All fields of the event that a line of results points at.
fn record(cx: &mut Cx<LogGroups>, input: Record) -> Result<RecordOutput> {
    check_unmask(input.unmask)?;
    let wrong = || invalid("The specified log record pointer is invalid.");
    let (name, key): (String, EventKey) = token::decode(&input.log_record_pointer).map_err(|_| wrong())?;
    let event = cx.state.groups.get(&name).and_then(|group| group.event(key)).ok_or_else(wrong)?;
    let row = row(cx.scope, &name, key, event);
    let mut names: BTreeSet<String> = row.found().keys().cloned().collect();
    names.extend(["@timestamp", "@ingestionTime", "@message", "@logStream", "@log", "@ptr"].map(str::to_owned));
    let log_record = names
        .into_iter()
        .filter_map(|name| {
            // A record has its times in milliseconds.
            let text = match row.get(&name) {
                super::value::Value::Time(millis) => millis.to_string(),
                other => other.text()?,
            };
            Some((name, text))
        })
        .collect();
    Ok(RecordOutput { log_record })
}
