//! Functions of conditions besides CEL's own.

use std::net::IpAddr;

use cel::common::types::{
    CelBool, CelDuration, CelInt, CelString, CelTimestamp, STRING_TYPE, TIMESTAMP_TYPE,
};
use cel::common::value::{CowVal, StaticVal, Val};
use cel::{DeclarationError, Env, ExecutionError};

use super::types::{Cidr, Ip, Quantity, Semver};
use crate::matching::glob::Glob;

/// What `ago(t)` is written out to, with the time of collection before the argument.
pub const ELAPSED: &str = "elapsed_until";

/// Names of functions that conditions may call.
pub const KNOWN: &[&str] = &[
    "quantity",
    "isQuantity",
    "isLessThan",
    "isGreaterThan",
    "compareTo",
    "semver",
    "isSemver",
    "major",
    "minor",
    "patch",
    "ip",
    "isIP",
    "family",
    "isLoopback",
    "isGlobalUnicast",
    "isLinkLocalUnicast",
    "isUnspecified",
    "cidr",
    "isCIDR",
    "containsIP",
    "prefixLength",
    "skew",
    "glob",
    // CEL's own
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "string",
    "int",
    "uint",
    "double",
    "bool",
    "bytes",
    "duration",
    "timestamp",
    "type",
    "dyn",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getFullYear",
    "getHours",
    "getMilliseconds",
    "getMinutes",
    "getMonth",
    "getSeconds",
    "min",
    "max",
    "value",
    "hasValue",
    "or",
    "orValue",
    "of",
    "none",
    "ofNonZeroValue",
    // CEL's string extension
    "charAt",
    "indexOf",
    "lastIndexOf",
    "lowerAscii",
    "upperAscii",
    "replace",
    "split",
    "substring",
    "trim",
    "join",
    "reverse",
    "format",
    "quote",
];

type Args<'b, 'v> = Vec<CowVal<'b, 'v>>;
type Result<'b, 'v> = std::result::Result<CowVal<'b, 'v>, ExecutionError>;

pub fn declare(env: &mut Env) -> std::result::Result<(), DeclarationError> {
    let string = || vec![STRING_TYPE];
    env.add_overload("quantity", "string_to_quantity", string(), |args| {
        parsed(&args, "quantity", Quantity::parse)
    })?;
    env.add_overload("isQuantity", "is_quantity", string(), |args| parses(&args, Quantity::parse))?;
    env.add_overload("semver", "string_to_semver", string(), |args| parsed(&args, "semver", Semver::parse))?;
    env.add_overload("isSemver", "is_semver", string(), |args| parses(&args, Semver::parse))?;
    env.add_overload("ip", "string_to_ip", string(), |args| parsed(&args, "ip", parse_ip))?;
    env.add_overload("isIP", "is_ip", string(), |args| parses(&args, parse_ip))?;
    env.add_overload("cidr", "string_to_cidr", string(), |args| parsed(&args, "cidr", Cidr::parse))?;
    env.add_overload("isCIDR", "is_cidr", string(), |args| parses(&args, Cidr::parse))?;
    ordered::<Quantity>(env, "quantity")?;
    ordered::<Semver>(env, "semver")?;
    version_parts(env)?;
    addresses(env)?;
    times(env)?;
    env.add_overload("glob", "glob_string_string", vec![STRING_TYPE, STRING_TYPE], |args| {
        let pattern = Glob::new(text(&args, 1)?);
        Ok(CowVal::owned(CelBool::from(pattern.matches(text(&args, 0)?))))
    })?;
    Ok(())
}

fn ordered<T: StaticVal + PartialOrd>(env: &mut Env, id: &str) -> std::result::Result<(), DeclarationError> {
    let this = || <T as Val>::cel_type().to_owned();
    env.add_member_overload("isLessThan", &format!("{id}_less"), this(), vec![this()], |args| {
        Ok(CowVal::owned(CelBool::from(arg::<T>(&args, 0)? < arg::<T>(&args, 1)?)))
    })?;
    env.add_member_overload("isGreaterThan", &format!("{id}_greater"), this(), vec![this()], |args| {
        Ok(CowVal::owned(CelBool::from(arg::<T>(&args, 0)? > arg::<T>(&args, 1)?)))
    })?;
    env.add_member_overload("compareTo", &format!("{id}_compare"), this(), vec![this()], |args| {
        let order = arg::<T>(&args, 0)?.partial_cmp(arg::<T>(&args, 1)?);
        Ok(CowVal::owned(CelInt::from(order.map_or(0, |order| order as i64))))
    })
}

fn version_parts(env: &mut Env) -> std::result::Result<(), DeclarationError> {
    let this = || Semver::cel_type().to_owned();
    env.add_member_overload("major", "semver_major", this(), vec![], |args| {
        number(arg::<Semver>(&args, 0)?.0.major)
    })?;
    env.add_member_overload("minor", "semver_minor", this(), vec![], |args| {
        number(arg::<Semver>(&args, 0)?.0.minor)
    })?;
    env.add_member_overload("patch", "semver_patch", this(), vec![], |args| {
        number(arg::<Semver>(&args, 0)?.0.patch)
    })
}

fn addresses(env: &mut Env) -> std::result::Result<(), DeclarationError> {
    let ip = || Ip::cel_type().to_owned();
    let cidr = || Cidr::cel_type().to_owned();
    env.add_member_overload("family", "ip_family", ip(), vec![], |args| {
        number(if arg::<Ip>(&args, 0)?.0.is_ipv4() { 4_u32 } else { 6 })
    })?;
    env.add_member_overload("isLoopback", "ip_loopback", ip(), vec![], |args| {
        Ok(CowVal::owned(CelBool::from(arg::<Ip>(&args, 0)?.0.is_loopback())))
    })?;
    env.add_member_overload("isUnspecified", "ip_unspecified", ip(), vec![], |args| {
        Ok(CowVal::owned(CelBool::from(arg::<Ip>(&args, 0)?.0.is_unspecified())))
    })?;
    env.add_member_overload("isLinkLocalUnicast", "ip_link_local", ip(), vec![], |args| {
        Ok(CowVal::owned(CelBool::from(is_link_local(arg::<Ip>(&args, 0)?.0))))
    })?;
    env.add_member_overload("isGlobalUnicast", "ip_global", ip(), vec![], |args| {
        let ip = arg::<Ip>(&args, 0)?.0;
        // Go's meaning, which Kubernetes has: private addresses count as global.
        let global = !ip.is_loopback() && !ip.is_unspecified() && !ip.is_multicast() && !is_link_local(ip);
        Ok(CowVal::owned(CelBool::from(global)))
    })?;
    env.add_member_overload("prefixLength", "cidr_prefix", cidr(), vec![], |args| {
        number(arg::<Cidr>(&args, 0)?.prefix)
    })?;
    env.add_member_overload("containsIP", "cidr_contains_ip", cidr(), vec![ip()], |args| {
        let contains = arg::<Cidr>(&args, 0)?.contains(arg::<Ip>(&args, 1)?.0);
        Ok(CowVal::owned(CelBool::from(contains)))
    })?;
    env.add_member_overload("containsIP", "cidr_contains_string", cidr(), vec![STRING_TYPE], |args| {
        let ip = parse_ip(text(&args, 1)?).ok_or_else(|| failed("containsIP", "not an IP address"))?;
        Ok(CowVal::owned(CelBool::from(arg::<Cidr>(&args, 0)?.contains(ip.0))))
    })
}

fn times(env: &mut Env) -> std::result::Result<(), DeclarationError> {
    // Times are strings in objects and rows, timestamps once converted; either may be given.
    let kinds = [("string", STRING_TYPE), ("timestamp", TIMESTAMP_TYPE)];
    for (first_id, first) in &kinds {
        for (second_id, second) in &kinds {
            let id = format!("skew_{first_id}_{second_id}");
            env.add_overload("skew", &id, vec![first.to_owned(), second.to_owned()], |args| {
                let apart = time(&args, 0)? - time(&args, 1)?;
                Ok(CowVal::owned(CelDuration::from(modulo_half_hours(apart))))
            })?;
        }
        env.add_overload(
            ELAPSED,
            &format!("elapsed_{first_id}"),
            vec![TIMESTAMP_TYPE, first.to_owned()],
            |args| Ok(CowVal::owned(CelDuration::from(time(&args, 0)? - time(&args, 1)?))),
        )?;
    }
    Ok(())
}

/// What remains of a difference when zones, which differ by half hours, are taken out: 0 to 15 minutes.
fn modulo_half_hours(apart: chrono::Duration) -> chrono::Duration {
    const HALF_HOUR: i64 = 30 * 60 * 1000;
    let rest = apart.num_milliseconds().rem_euclid(HALF_HOUR);
    chrono::Duration::milliseconds(rest.min(HALF_HOUR - rest))
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

fn parse_ip(text: &str) -> Option<Ip> {
    text.trim().parse().ok().map(Ip)
}

fn parsed<'b, 'v, T: StaticVal>(
    args: &Args<'b, 'v>,
    function: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<'b, 'v> {
    let source = text(args, 0)?;
    parse(source).map(CowVal::owned).ok_or_else(|| failed(function, &format!("cannot read `{source}`")))
}

fn parses<'b, 'v, T>(args: &Args<'b, 'v>, parse: impl Fn(&str) -> Option<T>) -> Result<'b, 'v> {
    Ok(CowVal::owned(CelBool::from(parse(text(args, 0)?).is_some())))
}

fn number<'b, 'v>(value: impl TryInto<i64>) -> Result<'b, 'v> {
    let value = value.try_into().map_err(|_| failed("number", "too large"))?;
    Ok(CowVal::owned(CelInt::from(value)))
}

fn arg<'a, T: StaticVal>(args: &'a Args<'_, '_>, index: usize) -> std::result::Result<&'a T, ExecutionError> {
    args.get(index)
        .and_then(|value| value.downcast_ref::<T>())
        .ok_or_else(|| failed("argument", "of another type"))
}

fn text<'a>(args: &'a Args<'_, '_>, index: usize) -> std::result::Result<&'a str, ExecutionError> {
    let value = args.get(index).and_then(|value| value.downcast_ref::<CelString>());
    value.map(CelString::inner).ok_or_else(|| failed("argument", "not a string"))
}

fn time(
    args: &Args<'_, '_>,
    index: usize,
) -> std::result::Result<chrono::DateTime<chrono::FixedOffset>, ExecutionError> {
    if let Some(time) = args.get(index).and_then(|value| value.downcast_ref::<CelTimestamp>()) {
        return Ok(*time.inner());
    }
    let text = text(args, index)?;
    chrono::DateTime::parse_from_rfc3339(text)
        .map_err(|_| failed("timestamp", &format!("cannot read `{text}`")))
}

fn failed(function: &str, message: &str) -> ExecutionError {
    ExecutionError::FunctionError { function: function.to_owned(), message: message.to_owned() }
}
