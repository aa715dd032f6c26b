//! Logs of any length that look like logs: many shapes of line, growing times and changing numbers, so that they
//! compress about as well as real ones do (some eight to one).

use std::io::Write;

const SHAPES: &[&str] = &[
    "INFO  [http-nio-8080-exec-{a}] c.t.b.s.RequestFilter : GET /api/v3/biz/{b}/hosts?page={c} 200 {a}ms",
    "INFO  [http-nio-8080-exec-{a}] c.t.b.s.RequestFilter : POST /api/v3/find/instance/{b} 200 {c}ms",
    "DEBUG [scheduling-{a}] c.t.b.job.Heartbeat : node 10.244.{a}.{c} answered in {c} ms, lease {b}",
    "WARN  [XNIO-1 task-{a}] c.t.d.common.Retry : attempt {a} of 5 for request {b} after {c} ms",
    "[{a}] [INFO] Booting worker with pid: {b}",
    "level=info msg=\"finished call\" method=/bcs.Cluster/List code=OK took={c}ms trace={b}",
    "ERROR [pool-{a}-thread-{c}] c.t.b.gse.Client : connection to 10.0.{a}.{c}:28625 closed by peer, request {b}",
    "10.0.{a}.{c} - - \"GET /static/js/chunk-{b}.js HTTP/1.1\" 200 {b} \"-\" \"Mozilla/5.0\"",
    "    at com.tencent.bk.job.execute.engine.TaskExecutor.run(TaskExecutor.java:{c})",
    "{\"level\":\"info\",\"ts\":\"2026-11-22\",\"caller\":\"controller/sync.go:{c}\",\"msg\":\"synced\",\"key\":\"blueking/app-{a}\",\"id\":{b}}",
];

/// Writes lines until `bytes` are written, or a little more. The same `seed` gives the same text.
pub fn write(out: &mut impl Write, bytes: u64, seed: u64) -> std::io::Result<()> {
    let mut random = seed | 1;
    let mut written = 0;
    let mut second = 0_u64;
    while written < bytes {
        // xorshift: any sequence will do that does not repeat soon.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        second += random % 3;
        let (hours, minutes, seconds) = (second / 3600 % 24, second / 60 % 60, second % 60);
        let shape = SHAPES[usize::try_from(random >> 8).unwrap_or(0) % SHAPES.len()];
        let text = shape
            .replace("{a}", &(random % 32).to_string())
            .replace("{b}", &(random % 1_000_003).to_string())
            .replace("{c}", &(random % 251).to_string());
        let line = format!(
            "2026-11-22T{hours:02}:{minutes:02}:{seconds:02}.{:09}Z {text}\n",
            random % 1_000_000_000
        );
        out.write_all(line.as_bytes())?;
        written += line.len() as u64;
    }
    Ok(())
}

/// Lines about credentials, without and with one.
const TELLING: &str =
    "INFO  [auth-{a}] c.t.b.iam.Filter : user admin, token checked at http://bk-iam-web/api/v1/{b} in {c} ms";
const SECRET: [&str; 2] = [
    "ERROR [pool-{a}] c.t.b.Db : connect mysql://bk_iam:pw{c}Xq7@bk-mysql:3306/bk_iam failed, attempt {b}",
    "INFO  [main] c.t.b.Config : loaded {'host': 'bk-redis', 'password': 'Rd5-{c}zK', 'pool': {a}}",
];

/// The same as [`write()`], with a telling line among twenty and a secret among five hundred.
pub fn write_with_secrets(out: &mut impl Write, bytes: u64, seed: u64) -> std::io::Result<()> {
    let mut plain = Vec::new();
    let (mut written, mut count) = (0, 0_u64);
    while written < bytes {
        plain.clear();
        write(&mut plain, 256 << 10, seed + count)?;
        for line in plain.split_inclusive(|b| *b == b'\n') {
            count += 1;
            let shape = match count {
                _ if count.is_multiple_of(500) => SECRET[usize::try_from(count / 500 % 2).unwrap_or(0)],
                _ if count.is_multiple_of(20) => TELLING,
                _ => {
                    out.write_all(line)?;
                    written += line.len() as u64;
                    continue;
                }
            };
            let text = shape
                .replace("{a}", &(count % 32).to_string())
                .replace("{b}", &(count % 1_000_003).to_string())
                .replace("{c}", &(count % 251).to_string());
            let line = format!("2026-11-22T00:00:00.{:09}Z {text}\n", count % 1_000_000_000);
            out.write_all(line.as_bytes())?;
            written += line.len() as u64;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_the_wanted_size_and_repeats_itself_for_a_seed() {
        let text = |seed| {
            let mut bytes = Vec::new();
            write(&mut bytes, 10_000, seed).unwrap();
            bytes
        };
        assert!((10_000..10_300).contains(&text(7).len()));
        assert_eq!(text(7), text(7));
        assert_ne!(text(7), text(9));
    }
}
