"""What holds for the source as a whole: the direction of imports, one meaning for a name, plain words."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import raim

SOURCE = Path(raim.__file__).parent
MODULES = {
    ".".join(("raim", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in SOURCE.rglob("*.py")
}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}
ROOT = Path(__file__).parents[1]
# Words of STYLE.md for which the field has a plainer one: fix, missing, without, reported, backbone, action, open.
ODD_WORDS = re.compile(
    r"(?<![a-z])(?:deed|visit|station|crew|bench|trunk|lack|mend)(?:s|es|ed|ing)?(?![a-z])"
    r"|(?<![a-z])(?:shelf|shelves|told)(?![a-z])",
    re.IGNORECASE,
)
ALLOWED_WORDS = {("docs/benchmarks.md", "bench")}  # the target of make
BOTH_FORMS = {"l2_pool"}  # one layer, of arrays and of tensors
# One thing has one name in its layers, once in each: as row, record, definition, and what a study computes on.
THING = (("server.database",), ("records",), ("challenge",), ("study",))
# So has an action or query: where it is done, and where a page, a client or a command asks for it.
DONE = ("server.actions", "server.queries", "server.submissions", "server.study", "study")
ACTION = (("server.web.routes",), ("client",), ("cli",), DONE, ("challenge",))
EACH = {"command", "area"}  # what each module of commands has, and each of routes


def imported_by(tree):
    """Name the modules that a module imports, anywhere in it, but for its types alone."""
    typing = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else node.module


def find_circles(edges):
    """List the groups of modules that reach each other."""
    reached = {}
    for start in edges:
        seen, waiting = set(), [start]
        while waiting:
            new = edges.get(waiting.pop(), set()) - seen
            seen |= new
            waiting += new
        reached[start] = seen
    alike = {
        start: frozenset(each for each in seen if start in reached[each]) for start, seen in reached.items()
    }
    return {group for group in alike.values() if group}


def test_a_circle_of_imports_is_found():
    assert find_circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == {frozenset("bc")}


def test_no_module_imports_itself_through_others_not_even_late():
    edges = {name: {each for each in imported_by(tree) if each in MODULES} for name, tree in TREES.items()}
    assert find_circles(edges) == set()


def find_doubles(names, layers=()):
    """Give the names that stand in several modules, but for those that stand once in each of some layers."""
    places = defaultdict(set)
    for name, module in names:
        if not name.startswith("_") and name not in BOTH_FORMS | EACH:
            places[name].add(module)
    twice = {name: modules for name, modules in places.items() if len(modules) > 1}
    return {name: modules for name, modules in twice.items() if not are_layers(modules, layers)}


def are_layers(modules, layers):
    """Say whether each module lies in a layer of its own; a layer is a tuple of packages."""
    prefixes = [tuple(f"raim.{package}." for package in layer) for layer in layers]
    found = [
        index for module in modules for index, each in enumerate(prefixes) if f"{module}.".startswith(each)
    ]
    return len(found) == len(modules) == len(set(found))


def defined(kind):
    return [(node.name, name) for name, tree in TREES.items() for node in tree.body if isinstance(node, kind)]


def assigned(tree):
    """Name what a module assigns at its top: constants, and types under a name."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in filter(None, targets):
            yield from (each.id for each in ast.walk(target) if isinstance(each, ast.Name))


def test_a_name_of_two_meanings_is_found():
    record, row, other = ("raim.records.teams", "raim.server.database.people", "raim.report.page")
    assert find_doubles([("Team", record), ("Team", row)], THING) == {}
    assert list(find_doubles([("Team", record), ("Team", row), ("Team", other)], THING)) == ["Team"]
    assert list(find_doubles([("Team", record), ("Team", "raim.records.desk")], THING)) == ["Team"]
    assert list(find_doubles([("Team", record), ("Team", row)])) == ["Team"]


def test_no_public_class_has_two_meanings():
    assert find_doubles(defined(ast.ClassDef), THING) == {}
    assert len(defined(ast.ClassDef)) > 500


def test_no_public_function_has_two_meanings():
    assert find_doubles(defined(ast.FunctionDef | ast.AsyncFunctionDef), ACTION) == {}
    assert len(defined(ast.FunctionDef)) > 1500


def test_no_constant_that_another_module_reads_has_two_meanings():
    read = set()
    for name, tree in TREES.items():
        modules = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    if inner in MODULES:
                        modules[alias.asname or alias.name] = inner
                    elif node.module != name:
                        read.add((alias.name, node.module))
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                read.add((node.attr, modules.get(node.value.id)))
    constants = {(each, name) for name, tree in TREES.items() for each in assigned(tree)} & read
    assert find_doubles(constants) == {}
    assert len(constants) > 300


def find_odd_words(text):
    """List the odd words of a text, also as parts of names."""
    return [match.group().lower() for match in ODD_WORDS.finditer(text)]


def test_odd_words_are_found_in_names_and_sentences():
    assert find_odd_words("def mend_file(): # Lacks one, is_told, MENDED") == [
        "mend",
        "lacks",
        "told",
        "mended",
    ]
    assert find_odd_words("recommend black benchmarks to a visitor, indeed") == []


def test_source_tests_and_documents_use_plain_words():
    texts = [
        ROOT / "README.md",
        ROOT / "SECURITY.md",
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / "tests").rglob("*.py"),
    ]
    texts += [path for ending in ("py", "js", "css", "jinja", "toml") for path in SOURCE.rglob(f"*.{ending}")]
    found = {
        (path.relative_to(ROOT).as_posix(), word)
        for path in texts
        if path != Path(__file__) and "vendor" not in path.parts
        for word in find_odd_words(path.read_text(encoding="utf-8"))
    }
    assert found == ALLOWED_WORDS
    assert len(texts) > 1000
