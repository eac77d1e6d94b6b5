"""`raim worker`: what it refuses; its work is tested in tests/server/jobs."""

import subprocess
import sys


def raim(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "raim", *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_without_a_server_there_is_nothing_to_work_for(tmp_path):
    result = raim("worker", tmp_path)
    assert result.returncode == 2
    assert (
        f"raim: there is no database {tmp_path / 'raim.db'}; start the server first (raim serve)"
        in result.stderr
    )


def test_a_database_of_another_kind_is_refused(tmp_path):
    result = raim("worker", tmp_path, "--database", "mysql://somewhere/raim")
    assert result.returncode == 2
    assert "RAIM_DATABASE_URL is not usable" in result.stderr


def test_no_process_is_no_worker(tmp_path):
    assert raim("worker", tmp_path, "--processes", "0").returncode == 2
