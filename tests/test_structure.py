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
PACKAGES = ("metrics", "networks", "runs", "scoring", "tables", "images", "weights")
ROOT = Path(__file__).parents[1]
# Words of STYLE.md for which the field has a plainer one: fix, missing, without, reported, backbone, action, open.
ODD_WORDS = re.compile(
    r"(?<![a-z])(?:deed|visit|station|crew|bench|trunk|lack|mend)(?:s|es|ed|ing)?(?![a-z])"
    r"|(?<![a-z])(?:shelf|shelves|told)(?![a-z])",
    re.IGNORECASE,
)
ALLOWED_WORDS = {("docs/benchmarks.md", "bench")}  # the target of make
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
