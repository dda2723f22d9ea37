#!/usr/bin/env python3
"""Run one conformance suite (or a frozen list of its tests) against any AWS-compatible endpoint.

Prints one JSON line {suite, service, total, passed, failed, errors, skipped, seconds} and writes
<out>.jsonl (every test) and <out>.fail.txt (failing id <TAB> one-line reason).
`cargo xtask conformance` calls it; the suites are fetched separately.
"""
import argparse, json, os, shutil, signal, subprocess, sys, tempfile, time
from pathlib import Path
from urllib.parse import urlparse

HERE = Path(__file__).resolve().parent

# suite -> (directory below --suites-dir, kind, venv name, {service: [paths]})
M = "tests/test_"
L = "tests/aws/services/"
SUITES = {
    "moto": ("moto", "pytest", "suite", {s: [M + p for p in ps.split()] for s, ps in {
        "logs": "logs", "s3": "s3", "sqs": "sqs", "dynamodb": "dynamodb dynamodbstreams",
        "lambda": "awslambda", "apigateway": "apigateway", "apigatewayv2": "apigatewayv2 apigatewaymanagementapi",
        "scheduler": "scheduler", "sns": "sns", "cloudwatch": "cloudwatch", "glue": "glue", "athena": "athena",
        "secretsmanager": "secretsmanager", "sts": "sts", "iam": "iam", "cloudformation": "cloudformation"}.items()}),
    "localstack": ("localstack", "pytest", "lstests", {s: [L + p for p in ps.split()] for s, ps in {
        "logs": "logs", "s3": "s3 s3control", "sqs": "sqs", "dynamodb": "dynamodb dynamodbstreams", "lambda": "lambda_",
        "apigateway": "apigateway", "scheduler": "scheduler", "sns": "sns", "cloudwatch": "cloudwatch",
        "secretsmanager": "secretsmanager", "sts": "sts", "iam": "iam", "cloudformation": "cloudformation"}.items()}),
    "s3tests": ("s3-tests", "pytest", "suite", {
        "s3": ["s3tests/functional/test_s3.py", "s3tests/functional/test_headers.py"],
        "iam": ["s3tests/functional/test_iam.py"], "sts": ["s3tests/functional/test_sts.py"]}),
    "alternator": ("scylla-agpl/test/alternator", "pytest", "suite", {"dynamodb": ["."]}),
    "botocore": ("botocore", "pytest", "suite", {
        "s3": ["tests/integration/test_s3.py"],
        "smoke": ["tests/integration/test_smoke.py"],
        "mixed": ["tests/integration/test_" + t + ".py" for t in
                  ("apigateway", "client", "client_http", "cloudformation", "cloudwatch", "sts", "waiters", "utils")]}),
    "boto3": ("boto3", "pytest", "suite", {
        "s3": ["tests/integration/test_s3.py", "tests/integration/test_collections.py"],
        "sqs": ["tests/integration/test_sqs.py"], "dynamodb": ["tests/integration/test_dynamodb.py"]}),
    "s3transfer": ("s3transfer", "pytest", "suite", {"s3": ["tests/integration"]}),
    "pynamodb": ("pynamodb", "pytest", "suite", {"dynamodb": ["tests/integration"]}),
    "dynalite": ("dynalite", "mocha", None, {"dynamodb": ["test"]}),
}


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--suite", required=True, choices=SUITES)
    ap.add_argument("--service", required=True)
    ap.add_argument("--endpoint", required=True)
    ap.add_argument("--list", help="file with one test id a line; all tests when left out")
    ap.add_argument("--suites-dir", required=True)
    ap.add_argument("--reset-url", help="POSTed before each moto test, and once before any other suite")
    ap.add_argument("--venvs-dir", default=str(HERE / "venvs"))
    ap.add_argument("--timeout", type=int, default=60, help="seconds per test")
    ap.add_argument("--max-seconds", type=int, default=3600, help="seconds for the whole run")
    ap.add_argument("--access-key", default="123456789012", help="12 digits = account id for several emulators")
    ap.add_argument("--secret-key", default="test")
    ap.add_argument("--account", default="123456789012")
    ap.add_argument("--region", default="us-east-1")
    ap.add_argument("--out", help="prefix for the result files")
    ap.add_argument("--collect", action="store_true", help="only write collected ids and facts to <out>.jsonl")
    a = ap.parse_args()
    sub, kind, venv, services = SUITES[a.suite]
    root = Path(a.suites_dir).resolve() / sub
    if a.service not in services:
        ap.error(f"services of {a.suite}: {', '.join(services)}")
    out = Path(a.out or HERE / "results" / f"{a.suite}-{a.service}-{urlparse(a.endpoint).port}").resolve()
    out.parent.mkdir(parents=True, exist_ok=True)
    raw = Path(str(out) + ".jsonl")
    raw.write_text("")
    wanted = None
    if a.list:
        wanted = [l for l in Path(a.list).read_text().splitlines() if l.strip() and not l.startswith("#")]
    tmp = Path(tempfile.mkdtemp(prefix="conf-"))
    u = urlparse(a.endpoint)
    env = dict(os.environ, CONF_ENDPOINT=a.endpoint, CONF_OUT=str(raw), CONF_SUITE=a.suite,
               CONF_RESET_URL=a.reset_url or "", CONF_LIST=a.list and str(Path(a.list).resolve()) or "",
               CONF_COLLECT="1" if a.collect else "",
               AWS_ACCESS_KEY_ID=a.access_key, AWS_SECRET_ACCESS_KEY=a.secret_key, AWS_DEFAULT_REGION=a.region,
               AWS_REGION=a.region, AWS_ACCOUNT_ID=a.account, AWS_EC2_METADATA_DISABLED="true",
               AWS_CONFIG_FILE="/dev/null", AWS_SHARED_CREDENTIALS_FILE="/dev/null",
               PYTHONDONTWRITEBYTECODE="1", PYTHONPATH=str(HERE))
    for k in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        env.pop(k, None)
    paths = services[a.service]
    if wanted and kind == "pytest":
        paths = sorted({w.split("::")[0] for w in wanted})
    paths = [p for p in paths if (root / p).exists()]
    if a.reset_url and not a.collect:
        reset(a.reset_url)
    if kind == "pytest":
        ini = tmp / "pytest.ini"
        ini.write_text("[pytest]\nasyncio_mode = auto\npython_files = test_*.py *_test.py\n"
                       if a.suite == "pynamodb" else "[pytest]\n")
        cmd = [str(Path(a.venvs_dir) / venv / "bin" / "python"), "-m", "pytest", "-q", "-c", str(ini),
               "--rootdir", str(root), "-p", "conf_plugin", "-p", "no:cacheprovider", "--runxfail", "--tb=short",
               "--timeout", str(a.timeout), "--timeout-method", "signal", "-W", "ignore", "-o", "addopts="]
        if a.collect:
            cmd += ["--collect-only"]
        if a.suite == "moto":
            env.update(TEST_SERVER_MODE="true", TEST_SERVER_MODE_ENDPOINT=a.endpoint)
            if a.account != "123456789012":
                env["MOTO_ACCOUNT_ID"] = a.account
        elif a.suite == "localstack":
            env.update(TEST_SKIP_LOCALSTACK_START="1", TEST_AWS_ENDPOINT_URL=a.endpoint, TEST_AWS_ACCOUNT_ID=a.account,
                       TEST_AWS_ACCESS_KEY_ID=a.access_key, TEST_AWS_SECRET_ACCESS_KEY=a.secret_key,
                       TEST_AWS_REGION_NAME=a.region, AWS_ENDPOINT_URL=a.endpoint, CI="")
            cmd += ["-p", "no:tinybird"]
        elif a.suite == "s3tests":
            conf = tmp / "s3tests.conf"
            user = ("display_name = {n}\nuser_id = {i}\nemail = {n}@example.com\napi_name = default\n"
                    "access_key = {k}\nsecret_key = {s}\n")
            conf.write_text(
                f"[DEFAULT]\nhost = {u.hostname}\nport = {u.port}\nis_secure = {u.scheme == 'https'}\nssl_verify = False\n"
                "[fixtures]\nbucket prefix = conf-{random}-\niam name prefix = s3-tests-\niam path prefix = /s3-tests/\n"
                + "".join(f"[{sec}]\n" + user.format(n=n, i=i, k=k, s=a.secret_key) + extra for sec, n, i, k, extra in (
                    # S3 answers the ARN of a key, however a request names it.
                    ("s3 main", "main", s3_user(a.endpoint, a.access_key, a.account), a.access_key, "".join(
                        f"{option} = {kms_key(a)}\n" for option in ("kms_keyid", "kms_keyid2"))),
                    ("s3 alt", "alt", s3_user(a.endpoint, "210987654321", "210987654321"), "210987654321", ""),
                    ("s3 tenant", "tenant", "310987654321", "310987654321", "tenant = testx\n"),
                    ("iam", "iam", a.account, a.access_key, ""), ("iam root", "iamroot", a.account, a.access_key, ""),
                    ("iam alt root", "iamalt", s3_user(a.endpoint, "210987654321", "210987654321"), "210987654321", "")))
                + "[webidentity]\ntoken = x\naud = x\nsub = x\nazp = x\nuser_token = x\nthumbprint = x\nKC_REALM = x\n")
            env["S3TEST_CONF"] = str(conf)
        elif a.suite == "alternator":
            cmd += ["--url", a.endpoint]
        else:
            env["AWS_ENDPOINT_URL"] = a.endpoint
            env["PYNAMODB_INTEGRATION_TEST_DDB_URL"] = a.endpoint
        cmd += paths
    else:
        env.update(CONF_HOST=u.hostname or "127.0.0.1", CONF_PORT=str(u.port or 80))
        cmd = ["npx", "--no-install", "mocha", "--require", "should", "--require", str(HERE / "conf_mocha.js"),
               "--reporter", str(HERE / "conf_reporter.js"), "-t", str(min(a.timeout, 30) * 1000), "--exit"] + paths
    t0 = time.time()
    with open(str(out) + ".log", "wb") as log:
        p = subprocess.Popen(cmd, cwd=root, env=env, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            p.wait(a.max_seconds)
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
    secs = round(time.time() - t0, 1)
    shutil.rmtree(tmp, ignore_errors=True)
    res, started = {}, []
    for line in raw.read_text().splitlines():
        r = json.loads(line)
        if r.get("start"):
            started.append(r["id"])
        else:
            res[r["id"]] = r
    if a.collect:
        print(json.dumps({"suite": a.suite, "service": a.service, "total": len(res), "seconds": secs}))
        return
    for i in wanted or started:
        if i not in res:
            res[i] = {"id": i, "outcome": "error", "reason": "did not finish (run cut off or process died)"
                      if i in started else "not run (not collected, or run cut off before it)"}
    if wanted:
        keep = set(wanted)
        res = {k: v for k, v in res.items() if k in keep}
    n = lambda o: sum(r["outcome"] == o for r in res.values())
    with open(str(out) + ".fail.txt", "w") as f:
        for r in res.values():
            if r["outcome"] in ("failed", "error"):
                f.write(f"{r['id']}\t{r['outcome']}: {r.get('reason', '')}\n")
    print(json.dumps({"suite": a.suite, "service": a.service, "total": len(res), "passed": n("passed"),
                      "failed": n("failed"), "errors": n("error"), "skipped": n("skipped"), "seconds": secs}), flush=True)


def s3_user(endpoint, key, account):
    """The canonical user id of an account, by which S3's access control lists name it; the account where none is told."""
    import re, urllib.request
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    request = urllib.request.Request(endpoint + "/", headers={
        "x-amz-date": now, "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={key}/{now[:8]}/us-east-1/s3/aws4_request, "
                         f"SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={'0' * 64}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            found = re.search(r"<ID>([0-9a-f]{64})</ID>", answer.read().decode())
    except OSError:
        found = None
    return found.group(1) if found else account


def kms_key(a):
    """The ARN of a key that is made for the run; one that is nowhere where there is no KMS."""
    import urllib.request
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    request = urllib.request.Request(a.endpoint + "/", data=b"{}", headers={
        "x-amz-date": now, "x-amz-target": "TrentService.CreateKey", "content-type": "application/x-amz-json-1.1",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={a.access_key}/{now[:8]}/{a.region}/kms/aws4_request, "
                         f"SignedHeaders=host;x-amz-date;x-amz-target, Signature={'0' * 64}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["KeyMetadata"]["Arn"]
    except OSError:
        return f"arn:aws:kms:{a.region}:{a.account}:key/01234567-89ab-cdef-0123-456789abcdef"


def reset(url):
    import urllib.request
    try:
        urllib.request.urlopen(urllib.request.Request(url, data=b"", method="POST"), timeout=30).read()
    except Exception as e:
        print(f"reset failed: {e}", file=sys.stderr)


if __name__ == "__main__":
    main()
