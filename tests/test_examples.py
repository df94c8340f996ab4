"""The worked examples run and say what their text promises."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ENSEMBLE = Path(__file__).parents[1] / "examples" / "ensemble" / "ensemble.py"


def test_an_ensemble_on_spark_equals_that_of_one_process_to_the_last_digit() -> None:
    if importlib.util.find_spec("pyspark") is None:
        pytest.skip("no pyspark; make scale has it")
    if shutil.which("java") is None:
        pytest.skip("no Java; apt-get install openjdk-17-jre-headless")
    done = subprocess.run(
        [sys.executable, ENSEMBLE, "40"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "40 draws on 8 partitions and in one process: equal" in done.stdout
    assert "cathode" in done.stdout
