"""Every package of the server can be imported first: none waits for another to have been imported before."""

import importlib.metadata
import subprocess
import sys
import tomllib

from packaging.requirements import Requirement

from conftest import ROOT

# Foreign modules are loaded once; each package of ours is then imported in a process of its own.
CODE = """
import importlib, os, sys
import fastapi, sqlalchemy.orm, pydantic, jinja2, numpy
import raim
assert not [name for name in sys.modules if name.startswith("raim.server")]
folder = os.path.join(os.path.dirname(raim.__file__), "server")
found = []
for path, folders, files in os.walk(folder):
    if "__init__.py" in files:
        found.append("raim.server" + path[len(folder):].replace(os.sep, "."))
for name in sorted(found):
    child = os.fork()
    if not child:
        try:
            importlib.import_module(name)
        except BaseException as error:
            print(name, repr(error), flush=True)
            os._exit(1)
        os._exit(0)
    os.waitpid(child, 0)
print(len(found), "packages")
"""


def test_each_package_can_be_imported_first():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[:-1] == [], done.stderr
    assert int(done.stdout.split()[-2]) > 10


def test_the_web_server_loads_nothing_that_only_analyses_or_scores_need():
    code = (
        "import sys, raim.server.serving, raim.server.web.app\n"
        "print([name for name in ('scipy', 'torch', 'numba', 'dbos', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_libraries_whose_insides_the_server_uses_have_an_upper_bound():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    asked = {each.name: each.specifier for each in map(Requirement, extras["server"])}
    for name in ("alembic", "dbos", "fastapi"):
        assert asked[name].contains(importlib.metadata.version(name))
        assert not asked[name].contains("1000")
