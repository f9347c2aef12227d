"""What an analyst's statement may contain, decided on the tree that the engine's own parser makes of it.

Everything is refused that is not known to be harmless: kinds of nodes, functions, table functions and system tables
are allowed by name. What runs afterwards is the text the engine makes of the checked tree, never the text that came.
"""

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from history.server.failure import ACCESS_DENIED, SYNTAX_ERROR, Failure, refusal

Ask = Callable[[str, Mapping[str, str]], list[list[Any]]]
"""Runs a statement with parameters on the engine and gives its rows."""

_PARSE = "SELECT parseQueryToJSON({statement:String}) AS tree, formatQueryFromJSON(tree)"
_FORMAT = "SELECT formatQuerySingleLine({statement:String})"
_NAME = r"(?:\w+|`(?:[^`\\]|\\.|``)+`)"
_LOOK = re.compile(
    rf"(?:DESCRIBE TABLE|EXISTS TABLE|EXISTS VIEW|EXISTS DATABASE) (?:(?P<database>{_NAME})\.)?(?P<name>{_NAME})"
)
_REMEMBERED_CHARACTERS = 16_384
_LOOKING_VERBS = {"DESCRIBE", "DESC", "EXISTS"}

_NODES = {
    "ArrayJoin", "Asterisk", "ColumnsExceptTransformer", "ColumnsListMatcher", "ColumnsRegexpMatcher",
    "ColumnsReplaceTransformer", "ColumnsReplaceTransformerReplacement", "ColumnsTransformerList", "ExplainQuery",
    "ExpressionList", "Function", "Identifier", "InterpolateElement", "Literal", "OrderByElement", "QualifiedAsterisk",
    "QualifiedColumnsListMatcher", "QualifiedColumnsRegexpMatcher", "QueryParameter", "SampleRatio",
    "SelectIntersectExceptQuery", "SelectQuery", "SelectWithUnionQuery", "ShowColumnsQuery", "ShowTablesQuery",
    "StorageOrderByElement", "Subquery", "TableExpression", "TableIdentifier", "TableJoin", "TablesInSelectQuery",
    "TablesInSelectQueryElement", "WindowDefinition", "WindowListElement", "WithElement",
}  # fmt: skip
_STATEMENTS = {"SelectWithUnionQuery", "ExplainQuery", "ShowTablesQuery", "ShowColumnsQuery"}
_CLOSED_KEYS = {"out_file", "settings", "settings_ast", "format_ast", "compression", "compression_level", "set"}
_EXPLAINS = {"EXPLAIN AST", "EXPLAIN SYNTAX", "EXPLAIN QUERY TREE"}
_SHOW_KEYS = {
    "type", "databases", "full", "like", "not_like", "case_insensitive_like", "from", "limit_length", "table",
    "database", "extended", "is_outfile_append", "is_outfile_truncate", "is_into_outfile_with_stdout",
}  # fmt: skip

_CATEGORIES = {
    "Arithmetic", "Arrays", "Bit", "Bitmap", "Comparison", "Conditional", "Dates and Times", "Distance", "Encoding",
    "Financial", "Geo", "Geo Polygon", "Hash", "IP Address", "JSON", "Logical", "Map", "Mathematical", "Null",
    "NumericIndexedVector", "QBit", "Random Number", "Rounding", "String", "String Replacement", "String Search",
    "String Splitting", "Time Window", "Tuple", "Type Conversion", "URL", "UUID",
}  # fmt: skip
_HARMLESS = {
    "bar", "byteSize", "caseWithExpression", "_CAST", "countDigits", "currentDatabase", "currentUser",
    "defaultValueOfArgumentType", "defaultValueOfTypeName", "finalizeAggregation", "formatReadableDecimalSize",
    "formatReadableQuantity", "formatReadableSize", "formatReadableTimeDelta", "identity", "ignore", "indexHint",
    "isConstant", "isDecimalOverflow", "lowCardinalityIndices", "lowCardinalityKeys", "materialize",
    "minSampleSizeContinuous", "minSampleSizeConversion", "neighbor", "parseReadableSize", "parseReadableSizeOrNull",
    "parseReadableSizeOrZero", "parseTimeDelta", "revision", "rowNumberInAllBlocks", "rowNumberInBlock",
    "runningAccumulate", "runningDifference", "runningDifferenceStartingWithFirstValue", "throwIf", "toColumnTypeName",
    "toTypeName",
    "transform", "variantElement", "variantType", "version", "visibleWidth",
}  # fmt: skip
_SYNTAX_FUNCTIONS = {"lambda", "exists", "grouping", "untuple", "arrayJoin"}
# Not values(): the structure it takes as a text may hold expressions (b String ALIAS file(…)) that no tree shows.
_TABLE_FUNCTIONS = {"numbers", "numbers_mt", "zeros", "zeros_mt", "generateSeries", "generate_series"}

_SYSTEM_TABLES = {
    "aggregate_function_combinators", "columns", "data_type_families", "databases", "formats", "functions", "keywords",
    "numbers", "numbers_mt", "one", "settings", "tables", "time_zones", "zeros", "zeros_mt",
}  # fmt: skip
_SCHEMA_TABLES = {"columns", "schemata", "tables"}
_DISCRETE_TABLES = {"system.tables", "system.databases"}
_HIDDEN_COLUMNS = {
    "as_select", "create_table_query", "data_path", "data_paths", "definer", "metadata_path",
    "dependencies_database", "dependencies_table", "loading_dependencies_database", "loading_dependencies_table",
    "loading_dependent_database", "loading_dependent_table",
}  # fmt: skip


class Guard:
    """Decides on analysts' statements. Knows the engine's functions as they were when it was made."""

    def __init__(self, ask: Ask, published: str, remembered: int = 512) -> None:
        rows = ask("SELECT name, alias_to, is_aggregate, categories, case_insensitive FROM system.functions", {})
        category = {name: categories for name, _, _, categories, _ in rows}
        self._aggregates = {name for name, _, aggregate, _, _ in rows if aggregate}
        self._scalars = set(_SYNTAX_FUNCTIONS)
        self._lower: set[str] = {name.lower() for name, _, aggregate, _, folded in rows if aggregate and folded}
        refused: set[str] = set()
        for name, alias_to, aggregate, _, folded in rows:
            if aggregate:
                continue
            real = alias_to or name
            if real in _HARMLESS or category.get(real) in _CATEGORIES:
                self._scalars.add(name)
                if folded:
                    self._lower.add(name.lower())
            else:
                refused.add(name)
        self._refused = {name.lower() for name in refused} - _HIDDEN_COLUMNS
        combinators = ask("SELECT name FROM system.aggregate_function_combinators WHERE NOT is_internal", {})
        self._combinators = tuple(name for (name,) in combinators)
        self._published = published
        self._remembered = remembered
        self._decided: OrderedDict[str, str | Failure] = OrderedDict()
        self._lock = threading.Lock()

    def admit(self, text: str, verb: str, ask: Ask) -> str:
        """The statement to run instead of `text`, which must have no FORMAT clause. Raises Failure when refused."""
        with self._lock:
            decision = self._decided.pop(text, None)
        if decision is None:
            try:
                decision = self._look(text, ask) if verb in _LOOKING_VERBS else self._parse(text, ask)
            except Failure as failure:
                decision = failure
        with self._lock:
            if len(text) <= _REMEMBERED_CHARACTERS:
                self._decided[text] = decision
            while len(self._decided) > self._remembered:
                self._decided.popitem(last=False)
        if isinstance(decision, Failure):
            raise Failure(decision.code, decision.text)
        return decision

    def _look(self, text: str, ask: Ask) -> str:
        canonical = str(ask(_FORMAT, {"statement": escaped(text)})[0][0])
        found = _LOOK.fullmatch(canonical)
        if not found:
            raise _refused("only DESCRIBE and EXISTS of a table by its name")
        if found["database"]:
            self._check_table((_unquoted(found["database"]), _unquoted(found["name"])))
        return canonical

    def _parse(self, text: str, ask: Ask) -> str:
        try:
            tree_text, canonical = ask(_PARSE, {"statement": escaped(text)})[0]
        except Failure as failure:
            if failure.code == SYNTAX_ERROR:
                raise
            raise _refused("only SELECT, WITH, SHOW TABLES, SHOW DATABASES, DESCRIBE, EXISTS and EXPLAIN") from None
        try:
            tree = json.loads(tree_text)
        except RecursionError:
            raise _refused("a statement this deep") from None
        if tree.get("type") not in _STATEMENTS:
            raise _refused("only SELECT, WITH, SHOW TABLES, SHOW DATABASES, DESCRIBE, EXISTS and EXPLAIN")
        _Walk(self).check(tree)
        return str(canonical)

    def allows_function(self, name: str) -> bool:
        """Whether a function of this name may be called in an expression."""
        if name in self._scalars or name in self._aggregates or name.lower() in self._lower:
            return True
        for combinator in self._combinators:
            if name.endswith(combinator) and name != combinator:
                shorter = name.removesuffix(combinator)
                if shorter in self._aggregates or shorter.lower() in self._lower or self._is_aggregate(shorter):
                    return True
        return False

    def _is_aggregate(self, name: str) -> bool:
        if name in self._aggregates:
            return True
        return any(name.endswith(c) and self._is_aggregate(name.removesuffix(c)) for c in self._combinators)

    def refuses_name(self, name: str) -> bool:
        """Whether a bare name could stand for a function that is not allowed, as in arrayMap(file, …)."""
        return name.lower() in self._refused

    def allows_table_function(self, name: str) -> bool:
        """Whether `name(…)` may be read from: a generator of rows, or a published view with parameters."""
        return name in _TABLE_FUNCTIONS or name.startswith(f"{self._published}.")

    def _check_table(self, parts: tuple[str, ...]) -> None:
        database, name = parts[0], parts[-1]
        if len(parts) != 2 or not (
            database == self._published
            or (database == "system" and name in _SYSTEM_TABLES)
            or (database.lower() == "information_schema" and name.lower() in _SCHEMA_TABLES)
        ):
            raise _refused(f"a table outside {self._published}")

    def check_table(self, parts: tuple[str, ...]) -> None:
        """Raises Failure unless a qualified name is one that analysts may read."""
        self._check_table(parts)

    def check_identifier(self, parts: tuple[str, ...]) -> None:
        """Raises Failure when a name in an expression could reach a function or a table that is closed."""
        if len(parts) == 1 and self.refuses_name(parts[0]):
            raise _refused(f"the name {parts[0]}: it is that of a function that analysts may not call")
        if len(parts) > 1 and parts[0].lower() in {"system", "information_schema"}:
            self._check_table(parts[:2])


class _Walk:
    """One pass over a tree."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._tables: set[str] = set()
        self._columns: set[str] = set()
        self._stars = False

    def check(self, tree: dict[str, Any]) -> None:
        stack: list[tuple[Any, str, str]] = [(tree, "", "")]
        while stack:
            node, key, above = stack.pop()
            if isinstance(node, list):
                stack.extend((item, key, above) for item in node)
            elif isinstance(node, dict):
                kind = node.get("type")
                if not isinstance(kind, str) or kind not in _NODES:
                    raise _refused("this kind of statement or expression")
                self._node(kind, node, key, above)
                if kind != "Literal":
                    inner = node.get("name", "") if kind == "Function" else kind
                    # An ExpressionList is transparent: count(*) holds its star in one.
                    inner = above if kind == "ExpressionList" else inner
                    stack.extend((value, name, inner) for name, value in node.items())
        if self._tables & _DISCRETE_TABLES and (self._stars or self._columns & _HIDDEN_COLUMNS):
            raise _refused(
                "these columns of system tables: name the columns you need; definitions and paths are closed"
            )

    def _node(self, kind: str, node: dict[str, Any], key: str, above: str) -> None:
        if closed := _CLOSED_KEYS & node.keys():
            raise _refused(f"{'INTO OUTFILE' if 'out_file' in closed else 'SETTINGS or FORMAT'} inside a statement")
        match kind:
            case "Function":
                self._function(str(node.get("name", "")), key)
            case "Identifier":
                self._identifier(node)
            case "TableIdentifier":
                parts = tuple(node.get("name_parts") or [node.get("name", "")])
                if len(parts) > 1:
                    self._guard.check_table(parts)
                    self._tables.add(".".join(parts).lower())
            case "Asterisk" | "QualifiedAsterisk" | "ColumnsRegexpMatcher" | "QualifiedColumnsRegexpMatcher":
                self._stars = self._stars or above != "count"
            case "QueryParameter" if "Identifier" in str(node.get("param_type")):
                raise _refused("parameters of type Identifier")
            case "ExplainQuery" if node.get("kind") not in _EXPLAINS:
                raise _refused("EXPLAIN other than AST, SYNTAX and QUERY TREE")
            case "ShowTablesQuery" | "ShowColumnsQuery":
                self._show(node)

    def _show(self, node: dict[str, Any]) -> None:
        if node.keys() - _SHOW_KEYS:
            raise _refused("SHOW other than DATABASES, TABLES and COLUMNS, with LIKE and LIMIT")
        database = node.get("database") or node.get("from")
        name = database.get("name") if isinstance(database, dict) else database
        if name is not None:
            self._guard.check_table((str(name), "tables"))

    def _function(self, name: str, key: str) -> None:
        if key == "table_function":
            if not self._guard.allows_table_function(name):
                raise _refused(f"the table function {name}")
        elif not self._guard.allows_function(name):
            raise _refused(f"the function {name}")

    def _identifier(self, node: dict[str, Any]) -> None:
        parts = tuple(node.get("name_parts") or str(node.get("name", "")).split("."))
        self._guard.check_identifier(parts)
        self._columns.add(parts[-1])
        if len(parts) > 1:
            self._tables.add(".".join(parts[:2]).lower())


def escaped(text: str) -> str:
    """A text as the value of a String parameter."""
    return text.translate({92: "\\\\", 9: "\\t", 10: "\\n", 13: "\\r", 39: "\\'"})


def _unquoted(name: str) -> str:
    return name[1:-1].replace("``", "`").replace("\\`", "`") if name.startswith("`") else name


def _refused(what: str) -> Failure:
    return refusal(ACCESS_DENIED, f"Not allowed for this account: {what}.")
