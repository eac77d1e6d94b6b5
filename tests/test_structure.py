"""What holds for the source as a whole: modules import each other in one direction, and a name has one meaning."""

import ast
from collections import defaultdict
from pathlib import Path

import raim

SOURCE = Path(raim.__file__).parent
MODULES = {
    ".".join(("raim", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in SOURCE.rglob("*.py")
}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}
PACKAGES = ("metrics", "networks", "runs", "scoring", "tables", "images", "weights")
BOTH_FORMS = {"l2_pool"}  # one layer, of arrays and of tensors


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


def test_no_public_function_or_class_of_the_core_has_two_meanings():
    places = defaultdict(list)
    for name, tree in TREES.items():
        if name.split(".")[1:2] and name.split(".")[1] in PACKAGES:
            for node in tree.body:
                if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                    places[node.name].append(name)
    twice = {name: found for name, found in places.items() if len(found) > 1 and name not in BOTH_FORMS}
    assert twice == {}
    assert len(places) > 150
