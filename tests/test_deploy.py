"""What stands in deploy/: each file is run, or checked by the program that reads it, as far as one is here."""

import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import zipfile
from datetime import date

import numpy as np
import pytest
import yaml

from conftest import ROOT
from raim.challenge import write_example
from raim.cli.main import raim
from raim.server.serving import open_server
from raim.server.settings import read_settings

DEPLOY = ROOT / "deploy"
UNITS = DEPLOY / "systemd"
PROGRAM = "/opt/raim/bin/raim"
VENDOR = ROOT / "src" / "raim" / "server" / "web" / "static" / "vendor"


def need(name):
    """Give the path of a program, or skip."""
    path = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def read_environment(text):
    """Read what stands in an environment file, its commented settings too."""
    return dict(re.findall(r"^#?([A-Z_]+)=(.*)$", text, re.MULTILINE))


def parse_command(words):
    """Parse a command line of raim as click does, without running it; give the subcommand's name."""
    assert words[0] in {"raim", PROGRAM}
    context = raim.make_context("raim", list(words[1:]))
    name, command, arguments = raim.resolve_command(context, list(words[1:]))
    command.make_context(name, arguments, parent=context)
    return name


def test_every_example_setting_is_one_and_is_taken(tmp_path):
    given = read_environment((DEPLOY / "settings.env.example").read_text(encoding="utf-8"))
    settings = {
        name: text for name, text in given.items() if name.startswith("RAIM_") and name != "RAIM_HOST"
    }
    read = read_settings(settings, folder=tmp_path)
    assert len(settings) >= 8
    assert all(getattr(read, name.removeprefix("RAIM_").lower()) for name in settings)


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))


def test_the_services_run_commands_with_settings_that_there_are(compose, tmp_path):
    services = compose["services"]
    assert {each: parse_command(services[each]["command"]) for each in ("web", "worker")} == {
        "web": "serve",
        "worker": "worker",
    }
    assert services["web"]["command"] == json.loads(
        re.search(r"^CMD (.+)$", (DEPLOY / "Containerfile").read_text(), re.MULTILINE)[1]
    )
    values = {"POSTGRES_PASSWORD": "abc", "RAIM_HOST": "challenge.example.org"}
    environment = {
        name: re.sub(r"\$\{(\w+)[^}]*\}", lambda found: values[found[1]], text)
        for name, text in services["web"]["environment"].items()
    }
    settings = read_settings(environment, folder=tmp_path)
    assert settings.database_url == "postgresql+psycopg://raim:abc@database/raim"
    assert settings.public_url == "https://challenge.example.org"
    assert {name for each in services.values() for name in each.get("networks", [])} == set(
        compose["networks"]
    )


def test_only_the_proxy_is_reached_and_is_believed(compose):
    services, networks = compose["services"], compose["networks"]
    assert [name for name, each in services.items() if "ports" in each] == ["proxy"]
    assert [name for name, each in services.items() if "front" in each["networks"]] == ["proxy", "web"]
    (network,) = networks["front"]["ipam"]["config"]
    assert services["web"]["environment"]["RAIM_TRUSTED_PROXIES"] == network["subnet"]
    assert networks["back"]["internal"] is True
    assert services["database"]["networks"] == ["back"]


def test_what_the_image_is_made_of_makes_a_whole_wheel(tmp_path):
    if not (VENDOR / "package-lock.sha256").is_file():
        pytest.skip("static/vendor is not filled, and filling it needs the network")
    copied = re.findall(r"^COPY ([^-].*) \./?\S*$", (DEPLOY / "Containerfile").read_text(), re.MULTILINE)
    for name in " ".join(copied).split():
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tmp_path / name)
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", tmp_path / "dist"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (wheel,) = (tmp_path / "dist").iterdir()
    names = zipfile.ZipFile(wheel).namelist()
    assert {"raim/server/serving.py", "raim/server/web/static/vendor/tus.min.js"} <= set(names)


def commands(unit):
    """Give the commands of a unit's ExecStart lines, as systemd hands them on."""
    text = (UNITS / unit).read_text(encoding="utf-8")
    for line in re.findall(r"^ExecStart=(.+)$", text, re.MULTILINE):
        yield shlex.split(line.replace("$$", "$").replace("%H-%i", "host-1").replace("%%", "%"))


def test_the_units_are_right_and_shut_in(tmp_path):
    analyze = need("systemd-analyze")
    places = []
    for path in sorted(UNITS.iterdir()):
        place = tmp_path / path.name.replace("@.", "@1.")
        place.write_text(path.read_text(encoding="utf-8").replace(PROGRAM, sys.executable), encoding="utf-8")
        places.append(place)
    done = subprocess.run([analyze, "verify", *places], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for place in places:
        if place.suffix == ".service":
            asked = [analyze, "security", "--offline=yes", "--threshold=40", "--no-pager", place]
            done = subprocess.run(asked, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout[-2000:] + done.stderr


def test_the_units_start_commands_that_there_are():
    assert [parse_command(each) for each in commands("raim.service")] == ["serve"]
    assert [parse_command(each) for each in commands("raim-worker@.service")] == ["worker"]


@pytest.mark.slow
def test_the_nightly_backup_is_made_kept_for_a_month_and_brought_back(tmp_path):
    folder, backups = tmp_path / "server", tmp_path / "backups"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    backups.mkdir()
    write_example(folder, first_day=date(2026, 3, 1), rng=np.random.default_rng(1))
    opened = open_server(read_settings({}, folder=folder))
    opened.server.database.engine.dispose()
    old, other = backups / "raim-2020-01-01T033000Z.zip", backups / "notes.txt"
    for path in (old, other):
        path.write_bytes(b"")
        os.utime(path, (0, 0))
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m raim "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    for command in commands("raim-backup.service"):
        line = shlex.join(command).replace(PROGRAM, str(program)).replace("/var/lib/raim", str(folder))
        moved = shlex.split(line.replace("/var/backups/raim", str(backups)))
        subprocess.run(moved, check=True, env=environment)
    notes, made = sorted(backups.iterdir())
    assert notes == other
    assert re.fullmatch(r"raim-\d{4}-\d\d-\d\dT\d{6}Z\.zip", made.name)
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    subprocess.run([program, "recover", made, tmp_path / "again"], check=True, env=environment)
    assert (tmp_path / "again" / "raim.db").is_file()


def test_the_containers_backup_is_the_same_command(compose):
    shell = compose["services"]["backup"]["command"]
    assert shell[:2] == ["sh", "-c"]
    words = shlex.split(shell[2].replace("$$", "$"))
    (unit, _) = commands("raim-backup.service")
    its = shlex.split(unit[-1].replace(PROGRAM, "raim").replace("/var/lib/raim", "/srv/raim"))
    assert words == its


def test_caddy_takes_its_file_and_has_nothing_to_say(tmp_path):
    caddy = need("caddy")
    environment = os.environ | {"HOME": str(tmp_path)}
    asked = [caddy, "validate", "--config", DEPLOY / "Caddyfile", "--adapter", "caddyfile"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert '"level":"warn"' not in done.stderr
    formatted = subprocess.run(
        [caddy, "fmt", DEPLOY / "Caddyfile"], capture_output=True, text=True, check=False
    )
    assert formatted.stdout == (DEPLOY / "Caddyfile").read_text(encoding="utf-8")


def test_every_file_is_explained():
    page = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
    own = {DEPLOY / name for name in ("settings.env", "data", "backups")}  # of who runs it from here
    files = [path for path in DEPLOY.rglob("*") if path.is_file() and not own & {path, *path.parents}]
    assert [path.name for path in files if f"`{path.relative_to(ROOT)}`" not in page] == []
