"""scikit.py: scikit-learn as an independent computation, where it is installed."""
import json
import subprocess

from runs import Skip


def scikit(program, *values):
    """What a program of Python text prints as JSON, which has `values` as the list of that name."""
    start = "import json, sys\nvalues = json.load(sys.stdin)\n"
    for python in ("python3", "/usr/bin/python3"):
        if subprocess.run([python, "-c", "import sklearn"], capture_output=True, check=False).returncode == 0:
            done = subprocess.run([python, "-c", start + program], input=json.dumps(values), capture_output=True, text=True,
                                  check=True)
            return json.loads(done.stdout)
    raise Skip("scikit-learn is not installed")
