"""An analyst reads the published views and nothing else: every way around is refused and changes nothing."""

import base64
import http.client
import subprocess
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import clickhouse_connect
import pytest
from history.server import VIEW_RIGHTS
from history.server.testing import RunningServer

CANARY = "KANARIE"


@dataclass(frozen=True)
class Target:
    server: RunningServer
    secret: Path
    out: Path
    connection: http.client.HTTPConnection

    def curl(self, *arguments: str, account: str = "analyst", query: str = "") -> tuple[int, str]:
        user = ("-u", f"{account}:{self.server.secrets[account]}")
        done = subprocess.run(
            ["curl", "-s", "-w", "\n%{http_code}", "-m", "30", *user, *arguments, f"{self.server.url}/{query}"],
            capture_output=True,
            check=True,
        )
        body, _, status = done.stdout.decode(errors="replace").rpartition("\n")
        return int(status), body

    def ask(self, sql: str, *, account: str = "analyst", query: str = "", **parameters: str) -> tuple[int, str]:
        """Like curl, on a connection that is kept: there are hundreds of attacks."""
        query = query or ("?" + urllib.parse.urlencode(parameters) if parameters else "")
        secret = base64.b64encode(f"{account}:{self.server.secrets[account]}".encode()).decode()
        self.connection.request("POST", f"/{query}", sql.encode(), {"Authorization": f"Basic {secret}"})
        response = self.connection.getresponse()
        return response.status, response.read().decode(errors="replace")

    def state(self) -> object:
        """All that an attack could change."""
        sql = """SELECT (SELECT groupArray((plate, n)) FROM store.attacked), (SELECT groupArray(name) FROM
            system.columns WHERE database = 'store' AND table = 'attacked'), (SELECT groupUniqArray((database, name))
            FROM system.tables WHERE name IN ('attacked', 'seen', 'mine', 'gone')), (SELECT groupArray(name) FROM
            system.databases WHERE name = 'mine')"""
        status, body = self.ask(sql, account="owner")
        assert status == 200, body
        return body, sorted(path.name for path in self.out.parent.iterdir())


@pytest.fixture(scope="module")
def target(clickhouse: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("attacks")
    secret = folder / "secret.txt"
    secret.write_text(CANARY)
    with clickhouse_connect.get_client(**clickhouse.connect("owner")) as owner:
        owner.command("CREATE TABLE store.attacked (n UInt64, plate String) ENGINE = MergeTree ORDER BY n")
        owner.command(f"INSERT INTO store.attacked VALUES (1, '{CANARY}')")
        owner.command(f"CREATE VIEW parkmesh.seen {VIEW_RIGHTS} AS SELECT n FROM store.attacked")
        owner.command(
            f"CREATE VIEW parkmesh.seen_from {VIEW_RIGHTS} AS SELECT n FROM store.attacked WHERE n >= {{m:UInt8}}"
        )
        owner.command("CREATE VIEW parkmesh.careless AS SELECT plate FROM store.attacked")
        owner.command(
            "CREATE DICTIONARY store.words (n UInt64, plate String) PRIMARY KEY n "
            "SOURCE(CLICKHOUSE(TABLE 'attacked' DB 'store')) LAYOUT(FLAT()) LIFETIME(0)"
        )
        connection = http.client.HTTPConnection(clickhouse.host, clickhouse.port, timeout=30)
        yield Target(clickhouse, secret, folder / "out.txt", connection)
        connection.close()
        owner.command("DROP DICTIONARY store.words")
        for table in ("parkmesh.seen", "parkmesh.seen_from", "parkmesh.careless", "store.attacked"):
            owner.command(f"DROP TABLE {table}")


@pytest.fixture(scope="module")
def before(target: Target) -> object:
    """What no attack may change."""
    return target.state()


READS_FILE = [
    "SELECT file('{f}')",
    "SELECT `file`('{f}')",
    "SELECT \"file\"('{f}')",
    "SELECT file /* x */ ('{f}')",
    "SELECT/**/file('{f}')",
    "-- harmless\nSELECT file('{f}')",
    "# harmless\nSELECT file('{f}')",
    "WITH file('{f}') AS x SELECT x",
    "WITH x AS (SELECT file('{f}') AS y) SELECT y FROM x",
    "WITH RECURSIVE x AS (SELECT file('{f}') AS y UNION ALL SELECT y FROM x WHERE 0) SELECT y FROM x",
    "WITH (p -> file(p)) AS read SELECT read('{f}')",
    "WITH file AS f SELECT arrayMap(f, ['{f}'])",
    "SELECT arrayMap(file, ['{f}'])",
    "SELECT arrayMap(`file`, ['{f}'])",
    "SELECT arrayMap(p -> file(p), ['{f}'])",
    "SELECT arrayMap((file AS g), ['{f}'])",
    "SELECT arrayFilter(x -> match(file('{f}'), 'K.*'), [1])",
    "SELECT arrayFold((a, p) -> concat(a, file(p)), ['{f}'], '')",
    "SELECT arrayReduce('max', [file('{f}')])",
    "SELECT * APPLY(file) FROM (SELECT '{f}')",
    "SELECT * APPLY file FROM (SELECT '{f}')",
    "SELECT * APPLY(p -> file(p)) FROM (SELECT '{f}')",
    "SELECT COLUMNS('.*') APPLY(file) FROM (SELECT '{f}' AS p)",
    "SELECT * REPLACE(file(p) AS p) FROM (SELECT '{f}' AS p)",
    "SELECT (SELECT file('{f}'))",
    "SELECT 1 UNION ALL SELECT length(file('{f}'))",
    "(SELECT 1) EXCEPT (SELECT length(file('{f}')))",
    "SELECT 1 WHERE file('{f}') != ''",
    "SELECT 1 PREWHERE file('{f}') != ''",
    "SELECT n FROM parkmesh.seen GROUP BY n, file('{f}')",
    "SELECT n FROM parkmesh.seen GROUP BY GROUPING SETS ((n), (file('{f}')))",
    "SELECT n FROM parkmesh.seen GROUP BY n HAVING file('{f}') != ''",
    "SELECT n FROM parkmesh.seen QUALIFY file('{f}') != ''",
    "SELECT n FROM parkmesh.seen ORDER BY file('{f}')",
    "SELECT n FROM parkmesh.seen ORDER BY n WITH FILL FROM length(file('{f}')) TO 9",
    "SELECT n, 1 AS a FROM parkmesh.seen ORDER BY n WITH FILL INTERPOLATE (a AS length(file('{f}')))",
    "SELECT n FROM parkmesh.seen LIMIT length(file('{f}'))",
    "SELECT n FROM parkmesh.seen LIMIT 1 OFFSET length(file('{f}'))",
    "SELECT n FROM parkmesh.seen LIMIT 1 BY file('{f}')",
    "SELECT sum(n) OVER (PARTITION BY file('{f}')) FROM parkmesh.seen",
    "SELECT sum(n) OVER (ORDER BY n ROWS BETWEEN length(file('{f}')) PRECEDING AND CURRENT ROW) FROM parkmesh.seen",
    "SELECT sum(n) OVER w FROM parkmesh.seen WINDOW w AS (PARTITION BY file('{f}'))",
    "SELECT quantile(length(file('{f}')))(n) FROM parkmesh.seen",
    "SELECT s.n FROM parkmesh.seen s JOIN parkmesh.seen t ON file('{f}') = '{f}'",
    "SELECT 1 FROM parkmesh.seen ARRAY JOIN [file('{f}')] AS x",
    "SELECT * FROM values('a String', file('{f}'))",
    "SELECT * FROM values('a String DEFAULT file(''{f}'')', ('x'))",
    "SELECT b FROM values('a UInt8, b String ALIAS file(''{f}'')', (1))",
    "SELECT * FROM numbers(length(file('{f}')))",
    "SELECT * FROM parkmesh.seen_from(m = length(file('{f}')))",
    "SELECT file('{f}') IN ('a')",
    "SELECT CASE WHEN file('{f}') = '' THEN 1 ELSE 2 END",
    "SELECT CAST(file('{f}') AS String)",
    "SELECT toTypeName(file('{f}')), throwIf(1, file('{f}'))",
    "EXPLAIN SELECT file('{f}')",
    "EXPLAIN SYNTAX SELECT file('{f}')",
    "EXPLAIN QUERY TREE SELECT file('{f}')",
    "EXPLAIN AST SELECT file('{f}')",
    "SELECT * FROM (EXPLAIN SELECT file('{f}'))",
    "DESCRIBE (SELECT file('{f}'))",
    "SHOW TABLES WHERE file('{f}') != ''",
    "SHOW COLUMNS FROM seen WHERE file('{f}') != ''",
    "SELECT * FROM file('{f}')",
    "SELECT * FROM file('{f}', 'RawBLOB', 'x String')",
    "SELECT 'a' IN file('{f}', 'RawBLOB', 'x String')",
    "DESCRIBE file('{f}')",
    "DESCRIBE TABLE file('{f}', 'CSV')",
    "SELECT * FROM fileCluster('default', '{f}')",
    "SELECT * FROM filesystem('/')",
    "SELECT * FROM executable('cat {f}', 'TSV', 'x String')",
    "SELECT * FROM sqlite('{f}', 'x')",
    "SELECT * FROM python('x')",
    "SELECT * FROM eval('SELECT 1')",
    "SELECT * FROM url('file://{f}', 'RawBLOB')",
    "SELECT * FROM s3('http://127.0.0.1:1/x')",
    "SELECT * FROM input('x String')",
    "SELECT * FROM format(CSV, '1')",
    "SELECT * FROM icebergLocal('{f}')",
    "SELECT catboostEvaluate('{f}', 1)",
    "SELECT naiveBayesClassifier('x', 'y')",
    "SELECT aiGenerate('x', 'y')",
    "SELECT regionToName(toUInt32(1))",
    "INSERT INTO FUNCTION file('{o}') SELECT 1",
    "FROM (SELECT '{f}' AS p) SELECT file(p)",
    "FROM (SELECT '{f}' AS p) |> SELECT file(p)",
    "FROM values('p String', '{f}') |> WHERE file(p) != ''",
    "SELECT {{p:Identifier}}('{f}')",
]

WRITES = [
    "SELECT 1 INTO OUTFILE '{o}'",
    "SELECT 1 INTO OUTFILE '{o}' APPEND",
    "SELECT 1 INTO OUTFILE '{o}' TRUNCATE FORMAT CSV",
    "SELECT 1 INTO OUTFILE '{o}' AND STDOUT",
    "SELECT 1 INTO/**/OUTFILE '{o}' COMPRESSION 'gzip' LEVEL 3",
    "(SELECT 1) INTO OUTFILE '{o}'",
    "SELECT 1 AS `a\n Identifier (x` INTO OUTFILE '{o}'",
    "SELECT 1 UNION ALL SELECT 2 INTO OUTFILE '{o}'",
    "EXPLAIN SELECT 1 INTO OUTFILE '{o}'",
    "EXPLAIN AST SELECT 1 INTO OUTFILE '{o}'",
    "SHOW DATABASES INTO OUTFILE '{o}'",
    "SHOW TABLES INTO OUTFILE '{o}'",
    "DESCRIBE seen INTO OUTFILE '{o}'",
    "EXISTS seen INTO OUTFILE '{o}'",
    "SELECT 1; SELECT 1 INTO OUTFILE '{o}'",
    "SELECT 1 FORMAT CSV; SELECT 1 INTO OUTFILE '{o}'",
    "SELECT 1; DROP TABLE store.attacked",
    "SELECT 1;;; DROP TABLE store.attacked",
    "SELECT 1 /*; */; DROP TABLE store.attacked",
    "EXPLAIN AST SELECT 1; DROP TABLE store.attacked",
    "EXPLAIN SELECT 1; DROP TABLE store.attacked",
    "DESCRIBE seen; DROP TABLE store.attacked",
    "EXISTS seen; DROP TABLE store.attacked",
    "SELECT 1 PARALLEL WITH DROP TABLE store.attacked",
    "DROP TABLE store.attacked PARALLEL WITH SELECT 1",
    "EXPLAIN ALTER TABLE store.attacked ADD COLUMN x Int8",
    "EXPLAIN DROP TABLE store.attacked",
    "EXPLAIN INSERT INTO store.attacked SELECT 2, 'b'",
    "EXPLAIN AST DROP TABLE store.attacked",
    "ALTER TABLE store.attacked ADD COLUMN x Int8",
    "ALTER TABLE store.attacked DELETE WHERE 1",
    "DROP TABLE store.attacked",
    "DROP VIEW parkmesh.seen",
    "TRUNCATE TABLE store.attacked",
    "DELETE FROM store.attacked WHERE 1",
    "UPDATE store.attacked SET plate = '' WHERE 1",
    "INSERT INTO store.attacked VALUES (2, 'b')",
    "INSERT INTO store.attacked SELECT 2, 'b'",
    "INSERT INTO store.attacked FORMAT CSV 2,b",
    "WITH 1 AS x INSERT INTO store.attacked SELECT 2, 'b'",
    "CREATE TABLE parkmesh.mine (x Int8) ENGINE = Memory",
    "CREATE TEMPORARY TABLE mine (x Int8)",
    "CREATE TEMPORARY TABLE mine AS SELECT * FROM store.attacked",
    "CREATE VIEW parkmesh.mine AS SELECT 1",
    "CREATE VIEW parkmesh.mine DEFINER = owner SQL SECURITY DEFINER AS SELECT * FROM store.attacked",
    "CREATE FUNCTION mine AS x -> file(x)",
    "CREATE DATABASE mine",
    "CREATE USER mine",
    "RENAME TABLE store.attacked TO store.gone",
    "EXCHANGE TABLES store.attacked AND store.gone",
    "DETACH TABLE store.attacked",
    "ATTACH TABLE store.gone",
    "OPTIMIZE TABLE store.attacked FINAL",
    "SYSTEM SHUTDOWN",
    "SYSTEM KILL",
    "SYSTEM FLUSH LOGS",
    "SYSTEM STOP MERGES",
    "KILL QUERY WHERE 1",
    "KILL QUERY WHERE query_id != '' SYNC",
    "KILL QUERY WHERE 1 TEST",
    "KILL MUTATION WHERE 1",
    "SET ROLE owner_role",
    "SET ROLE ALL",
    "SET DEFAULT ROLE ALL TO default",
    "SET readonly = 0",
    "SET max_execution_time = 0",
    "EXECUTE AS owner SELECT 1",
    "EXECUTE AS owner",
    "GRANT ALL ON *.* TO default",
    "REVOKE ALL ON *.* FROM default",
    "USE store",
    "BEGIN TRANSACTION",
    "BACKUP TABLE store.attacked TO File('{o}')",
    "CHECK TABLE store.attacked",
    "MOVE ROLE a TO b",
    "",
    ";",
    "SELECT",
    "/* nothing */",
    "SELECT 1 /*",
    "SELECT '",
]

READS_OTHERS = [
    "SELECT plate FROM store.attacked",
    "SELECT * FROM `store`.`attacked`",
    "SELECT * FROM parkmesh.careless",
    "SELECT count() FROM store.attacked",
    "SELECT n FROM parkmesh.seen WHERE n IN (SELECT n FROM store.attacked)",
    "SELECT n FROM parkmesh.seen WHERE n IN store.attacked",
    "SELECT (1, 'a') IN store.attacked",
    "SELECT * FROM parkmesh.seen s, store.attacked a",
    "SELECT * FROM parkmesh.seen JOIN store.attacked USING n",
    "SELECT * FROM parkmesh.seen UNION ALL SELECT n FROM store.attacked",
    "SELECT EXISTS(SELECT 1 FROM store.attacked)",
    "SELECT * FROM merge('store', 'attacked')",
    "SELECT * FROM merge(REGEXP('.*'), '.*')",
    "SELECT * FROM remote('127.0.0.1', store.attacked)",
    "SELECT * FROM remote('127.0.0.1', 'store', 'attacked', 'owner', '')",
    "SELECT * FROM remoteSecure('127.0.0.1', store.attacked)",
    "SELECT * FROM cluster('default', store.attacked)",
    "SELECT * FROM clusterAllReplicas('default', store.attacked)",
    "SELECT * FROM view(SELECT plate FROM store.attacked)",
    "SELECT * FROM viewIfPermitted(SELECT plate FROM store.attacked ELSE null('plate String'))",
    "SELECT * FROM viewExplain('EXPLAIN', '', (SELECT 1))",
    "SELECT * FROM loop(store.attacked)",
    "SELECT * FROM mergeTreeIndex(store, attacked)",
    "SELECT * FROM mergeTreeProjection(store, attacked, x)",
    "SELECT * FROM dictionary('store.words')",
    "SELECT dictGet('store.words', 'plate', toUInt64(1))",
    "SELECT dictGetOrDefault('store.words', 'plate', toUInt64(1), '')",
    "SELECT dictHas('store.words', toUInt64(1))",
    "SELECT joinGet('store.attacked', 'plate', 1)",
    "SELECT joinGetOrNull('store.attacked', 'plate', 1)",
    "SELECT hasColumnInTable('store', 'attacked', 'plate')",
    "SELECT hasColumnInTable('127.0.0.1', 'store', 'attacked', 'plate')",
    "SELECT arrayMap(joinGet, ['store.attacked'], ['plate'], [1])",
    "SELECT initializeAggregation('max', file('{f}'))",
    "DESCRIBE TABLE store.attacked",
    "DESC store.attacked",
    "DESCRIBE store.attacked",
    "SHOW CREATE TABLE store.attacked",
    "SHOW CREATE VIEW parkmesh.seen",
    "SHOW CREATE DATABASE store",
    "SHOW TABLES FROM store",
    "SHOW TABLES IN store LIKE '%'",
    "SHOW COLUMNS FROM attacked FROM store",
    "SHOW INDEXES FROM store.attacked",
    "SHOW TABLES WHERE create_table_query LIKE '%store%'",
    "EXISTS TABLE store.attacked",
    "EXISTS store.attacked",
    "EXISTS DATABASE store",
    "EXISTS DICTIONARY store.words",
    "EXPLAIN SELECT plate FROM store.attacked",
    "EXPLAIN SELECT n FROM parkmesh.seen",
    "EXPLAIN PLAN actions = 1 SELECT n FROM parkmesh.seen",
    "EXPLAIN ESTIMATE SELECT n FROM parkmesh.seen",
    "EXPLAIN PIPELINE SELECT n FROM parkmesh.seen",
    "EXPLAIN indexes = 1 SELECT n FROM parkmesh.seen",
    "SELECT query FROM system.processes",
    "SELECT * FROM `system`.`processes`",
    "SELECT * FROM SYSTEM.processes",
    "SELECT 1 IN system.processes",
    "SELECT '' IN (system.processes)",
    "SELECT * FROM (SELECT 1) x WHERE 'a' GLOBAL IN system.users",
    "SHOW PROCESSLIST",
    "SHOW GRANTS",
    "SHOW ACCESS",
    "SHOW USERS",
    "SHOW ROLES",
    "SHOW SETTINGS LIKE '%'",
    "SHOW CLUSTERS",
    "SHOW DICTIONARIES FROM store",
    "SHOW FUNCTIONS",
    "SHOW ENGINES",
    "SELECT * FROM system.query_log",
    "SELECT * FROM system.users",
    "SELECT * FROM system.roles",
    "SELECT * FROM system.grants",
    "SELECT * FROM system.parts",
    "SELECT * FROM system.disks",
    "SELECT * FROM system.server_settings",
    "SELECT * FROM system.errors",
    "SELECT * FROM system.stack_trace",
    "SELECT * FROM system.dictionaries",
    "SELECT * FROM system.mutations",
    "SELECT * FROM system.merges",
    "SELECT * FROM system.metrics",
    "SELECT * FROM system.asynchronous_metrics",
    "SELECT * FROM system.text_log",
    "SELECT * FROM system.session_log",
    "SELECT * FROM system.query_cache",
    "SELECT * FROM system.zookeeper",
    "SELECT * FROM system.remote_data_paths",
    "SELECT * FROM system.tables",
    "SELECT create_table_query FROM system.tables",
    "SELECT t.as_select FROM system.tables AS t",
    "SELECT tuple(t.*) FROM system.tables AS t",
    "SELECT COLUMNS('as_') FROM system.tables",
    "SELECT x FROM (SELECT create_table_query AS x FROM system.tables)",
    "SELECT * EXCEPT (name) FROM system.tables",
    "SELECT data_paths FROM system.tables",
    "SELECT data_path FROM system.databases",
    "SELECT view_definition FROM information_schema.views",
    "SELECT * FROM INFORMATION_SCHEMA.VIEWS",
    "SELECT hostName()",
    "SELECT FQDN()",
    "SELECT serverUUID()",
    "SELECT getSetting('readonly')",
    "SELECT getServerSetting('max_connections')",
    "SELECT getMacro('x')",
    "SELECT filesystemAvailable()",
    "SELECT getServerPort('tcp_port')",
    "SELECT tcpPort()",
    "SELECT buildId()",
    "SELECT getClientHTTPHeader('Authorization')",
    "SELECT showCertificate()",
    "SELECT addressToLine(1)",
    "SELECT logTrace('x')",
    "SELECT queryID()",
    "SELECT currentRoles()",
    "SELECT enabledProfiles()",
    "SELECT getOSKernelVersion()",
    "SELECT uptime()",
    "SELECT sleep(1)",
    "SELECT sleepEachRow(1) FROM numbers(3)",
    "SELECT arrayMap(hostName, [1])",
    "SELECT evalMLMethod(1, 2)",
    "SELECT __getScalar('x')",
    "SELECT nosuchfunction(1)",
    "SELECT sumIffy(1)",
    "SELECT @@version",
    "SELECT * FROM {{d:Identifier}}.attacked",
    "SELECT {{c:Identifier}} FROM system.tables",
    "SELECT arrayMap({{p:Identifier}}, ['{f}'])",
]

LIFTS_LIMITS = [
    "SELECT 1 SETTINGS readonly = 0",
    "SELECT 1 SETTINGS max_execution_time = 0",
    "SELECT 1 SETTINGS max_memory_usage = 0, max_result_rows = 0",
    "SELECT * FROM (SELECT 1 SETTINGS max_execution_time = 0)",
    "SELECT 1 FORMAT JSON SETTINGS max_threads = 64",
    "SELECT 1 SETTINGS additional_result_filter = 'file(''{f}'') != '''''",
    "SELECT n FROM parkmesh.seen SETTINGS additional_table_filters = {{'parkmesh.seen': 'length(file(''{f}'')) > 0'}}",
    "SELECT 1 SETTINGS log_comment = 'control'",
    "SELECT 1 SETTINGS param_x = 1",
    "DESCRIBE seen SETTINGS describe_compact_output = 1",
    "SHOW TABLES SETTINGS max_threads = 1",
    "EXPLAIN SELECT 1 SETTINGS max_threads = 1",
]


@pytest.mark.parametrize("sql", READS_FILE + WRITES + READS_OTHERS + LIFTS_LIMITS)
def test_statement_is_refused_and_changes_nothing(target: Target, before: object, sql: str) -> None:
    text = sql.format(f=target.secret, o=target.out)
    status, body = target.ask(text, param_p="file", param_d="store", param_c="create_table_query")
    assert 400 <= status < 500, body
    assert CANARY not in body
    assert target.state() == before


@pytest.mark.parametrize("setting", [
    "readonly=0", "readonly=2", "role=owner_role", "max_execution_time=0x0&readonly=0", "allow_ddl=1",
    "additional_result_filter=file('/etc/hostname')!=''", "additional_table_filters={}", "log_comment2=x",
    "log_queries=1", "format_schema=/etc/passwd", "format_template_row=/etc/passwd", "format_schema_source=file",
    "output_format_schema=/tmp/x", "dialect=prql", "workload=x", "database=store", "database=system",
    "database=default", "allow_introspection_functions=1", "allow_experimental_analyzer=0", "SQL_x=1",
    "custom_x=1", "max_threads);DROP=1", "Readonly=0", "compress=1", "decompress=1",
    "max_rows_to_read=5;SET+readonly=0",
    "compatibility=21.1", "param_x=a&param_x=b", "user=owner", "default_format=CSV+INTO+OUTFILE+'x'",
    "default_format=Template&format_template_row=x", "profile=default", "implicit_select=1", "limit=1&limit=2",
    "storage_file_read_method=read", "s3_max_redirects=1", "http_max_uri_size=1", "max_query_size=1",
    "allow_settings_after_format_in_insert=1", "filesystem_cache_name=x", "ai_provider=x",
])  # fmt: skip
def test_setting_is_refused(target: Target, before: object, setting: str) -> None:
    status, body = target.ask("SELECT count() FROM system.one", query="?" + setting)
    if setting == "user=owner":
        # The name of the address is not taken when a header names the caller.
        assert (status, body) == (200, "1\n")
    else:
        assert 400 <= status <= 501, body
    assert target.state() == before


@pytest.mark.parametrize("ask_more", ["max_execution_time=100000", "max_memory_usage=0", "max_execution_time=0"])
def test_limits_are_not_lifted(target: Target, ask_more: str) -> None:
    sql = "SELECT name, value FROM system.settings WHERE name IN ('max_execution_time', 'max_memory_usage', 'readonly')"
    status, body = target.ask(f"{sql} ORDER BY name", query="?" + ask_more)
    assert (status, body) == (200, f"max_execution_time\t60\nmax_memory_usage\t{2 << 30}\nreadonly\t1\n")


def test_every_place_of_a_request_is_guarded(target: Target) -> None:
    read = f"SELECT file('{target.secret}')"
    quoted = urllib.parse.quote(read)
    ways = [
        ("--data-binary", "", f"?query={quoted}"),
        ("-G", "-s", f"?query={quoted}"),
        ("--data-binary", f"file('{target.secret}')", "?query=SELECT"),
        ("-F", f"query={read}", ""),
        ("-F", "x=y", f"?query={quoted}"),
        ("-F", f"query=file('{target.secret}')", "?query=SELECT"),
        ("-F", f"param_x={target.secret}", "?query=" + urllib.parse.quote("SELECT file({x:String})")),
        ("--data-binary", "SELECT file({x:String})", "?param_x=" + urllib.parse.quote(str(target.secret))),
        ("--data-urlencode", f"query={read}", ""),
        ("-F", "query=<-;filename=q.sql", ""),
    ]
    for option, value, query in ways:
        status, body = target.curl(option, value, query=query)
        assert 400 <= status < 500, (option, query, body)
        assert CANARY not in body
    for header in (
        "X-ClickHouse-Database: store",
        "X-ClickHouse-Format: CSV INTO OUTFILE '/tmp/x'",
        "X-ClickHouse-User: owner",
        "Content-Encoding: snappy",
    ):
        status, body = target.curl("-H", header, "--data-binary", "SELECT plate FROM attacked")
        assert 400 <= status < 500, (header, body)
        assert CANARY not in body
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        status, body = target.curl("-X", method, "--data-binary", "SELECT 1")
        assert 400 <= status < 500, (method, body)


def test_parameters_are_values_never_text(target: Target) -> None:
    status, body = target.ask("SELECT {x:String} AS x FORMAT TSVRaw", param_x="1'; DROP TABLE store.attacked; --")
    assert (status, body) == (200, "1'; DROP TABLE store.attacked; --\n")
    status, body = target.ask("SELECT {x:UInt8}", param_x="1) UNION ALL SELECT (2")
    assert 400 <= status < 500, body


def test_a_nul_does_not_end_what_is_judged(target: Target, tmp_path: Path) -> None:
    sql = tmp_path / "nul.sql"
    sql.write_bytes(b"SELECT 1\0; DROP TABLE store.attacked")
    before = target.state()
    status, body = target.curl("--data-binary", f"@{sql}")
    assert 400 <= status < 500, body
    sql.write_bytes(b"SELECT '\xff\xfe'")
    status, body = target.curl("--data-binary", f"@{sql}")
    assert 400 <= status < 500, body
    assert target.state() == before


def test_a_deep_or_huge_statement_is_refused(target: Target, tmp_path: Path) -> None:
    for text in (
        "SELECT " + "(" * 5000 + "1" + ")" * 5000,
        "SELECT " + "not " * 3000 + "1",
        "SELECT '" + "x" * (2 << 20) + "'",
    ):
        file = tmp_path / "big.sql"
        file.write_text(text)
        status, body = target.curl("--data-binary", f"@{file}")
        assert 400 <= status < 500, body[:300]


@pytest.mark.parametrize("sql", [
    "SELECT n FROM parkmesh.seen",
    "SELECT n FROM seen",
    "SELECT n FROM seen;",
    "select count(*), countIf(n > 0), uniqExact(n), quantileIf(0.5)(n, n > 0), sumOrNull(n), avg(n) FROM seen",
    "WITH t AS (SELECT n FROM seen) SELECT * FROM t ORDER BY n DESC LIMIT 1 FORMAT JSON",
    "SELECT * FROM parkmesh.seen_from(m = 1)",
    "SELECT toStartOfHour(now()) AS h, count() FROM seen GROUP BY h WITH TOTALS FORMAT CSVWithNames",
    "SELECT arrayMap(x -> x + 1, [1, 2]), CASE n WHEN 1 THEN 'a' ELSE 'b' END, n::String, if(n > 1, 1, 2) FROM seen",
    "SELECT row_number() OVER (ORDER BY n) FROM seen UNION ALL SELECT number FROM numbers(3)",
    "SELECT a.n FROM seen a LEFT JOIN seen b ON a.n = b.n WHERE a.n IN (SELECT n FROM seen) AND a.n BETWEEN 1 AND 2",
    "SELECT version(), currentDatabase(), timezone()",
    "SELECT revision FROM (SELECT n AS revision FROM seen) WHERE revision > 0",
    "SELECT database, name, engine, comment FROM system.tables",
    "SELECT name, type FROM system.columns WHERE database = 'parkmesh'",
    "SELECT table_name FROM information_schema.tables",
    "SHOW DATABASES", "SHOW TABLES", "SHOW TABLES FROM parkmesh LIKE 's%'", "SHOW COLUMNS FROM seen",
    "DESCRIBE TABLE seen", "DESC parkmesh.seen", "EXISTS TABLE seen", "EXISTS parkmesh.seen",
    "EXPLAIN AST SELECT 1", "EXPLAIN SYNTAX SELECT n FROM seen", "EXPLAIN QUERY TREE SELECT 1",
    "SELECT 'file', \"n\" AS `file name` FROM seen -- file('/etc/passwd')",
    "SELECT 'SETTINGS readonly = 0; DROP TABLE x INTO OUTFILE'",
])  # fmt: skip
def test_what_an_analyst_needs_works(target: Target, sql: str) -> None:
    status, body = target.ask(sql)
    assert status == 200, body
    assert body
    assert "store" not in body


def test_metadata_of_the_store_is_not_seen(target: Target) -> None:
    for sql in (
        "SELECT name FROM system.databases",
        "SELECT database FROM system.tables",
        "SELECT DISTINCT database FROM system.columns",
        "SELECT schema_name FROM information_schema.schemata",
        "SHOW DATABASES",
    ):
        status, body = target.ask(sql)
        assert status == 200, body
        assert "parkmesh" in body
        assert "store" not in body


def test_reader_and_writer_do_not_change_the_schema_or_reach_files(target: Target) -> None:
    before = target.state()
    for account in ("reader", "writer"):
        for sql in (
            "DROP TABLE store.attacked",
            "ALTER TABLE store.attacked ADD COLUMN x Int8",
            "CREATE TABLE store.mine (x Int8) ENGINE = Memory",
            f"SELECT * FROM file('{target.secret}', 'RawBLOB', 'x String')",
            f"INSERT INTO FUNCTION file('{target.out}', 'CSV', 'x Int8') VALUES (1)",
        ):
            status, body = target.ask(sql, account=account)
            assert 400 <= status < 600, (account, sql)
            assert CANARY not in body
    status, body = target.curl("--data-binary", "INSERT INTO store.attacked VALUES (5, 'x')", account="reader")
    assert 400 <= status < 500, body
    assert target.state() == before
