"""Fail when a test was skipped for any other reason than hardware that is not there.

Usage: python .ci/skips.py JUNIT_XML
"""

import re
import sys
import xml.etree.ElementTree as ElementTree

HARDWARE = re.compile(r"\b(cuda|gpu|mps|xla|tpu|browser)\b", re.IGNORECASE)


def main() -> int:
    """Read the report of pytest and list what should have run."""
    cases = ElementTree.parse(sys.argv[1]).iter("testcase")
    skipped = [(case, case.find("skipped")) for case in cases]
    missed = [
        f"{case.get('classname')}.{case.get('name')}: {skip.get('message')}"
        for case, skip in skipped
        if skip is not None and skip.get("type") != "pytest.xfail" and not HARDWARE.search(skip.get("message") or "")
    ]
    print(*missed, f"{len(missed)} tests skipped that should have run", sep="\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
