#!/bin/sh
# Print the Python to work with (3.11 to 3.13, able to make a virtual environment), or say
# what to install. PYTHON=/path/to/python makes a choice of its own.
test='import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
for python in "$PYTHON" .venv/bin/python python3.13 python3.12 python3.11 python3; do
    if [ -n "$python" ] && "$python" -c "$test" >/dev/null 2>&1; then
        command -v "$python"
        exit 0
    fi
done
cat >&2 <<'MESSAGE'
Cupral needs Python 3.11, 3.12 or 3.13 with its venv module, and found none.
Looked for: $PYTHON, python3.13, python3.12, python3.11, python3.
Debian and Ubuntu: apt-get install python3 python3-venv (a release that has 3.11 or later).
Elsewhere: install one from python.org, then `make run PYTHON=/path/to/python3.12`.
MESSAGE
exit 1
