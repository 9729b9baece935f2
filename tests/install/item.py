#!/usr/bin/env python3
"""Usage: item.py DIR. Runs the programs of $HALLMARK_BIN against simulated
exchanges until there is a price, and leaves it in DIR with its policy: item.json
is good for two minutes from now."""

import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "integration"))
import client  # noqa: E402
import settings  # noqa: E402
from stack import Stack  # noqa: E402

directory = pathlib.Path(sys.argv[1])
stack = Stack(settings.live_feeds(interval_ms=500, max_age_ms=120000))
try:
    stack.start()
    reply = client.request(stack.url("/price/BTC-USD"))
    if reply.status != 200:
        raise SystemExit(f"no price: {reply.body}")
    (directory / "item.json").write_bytes(reply.body)
    root = stack.dir / "simulated" / "simulated-root.pem"
    shutil.copy(root, directory / "root.pem")
    done = settings.policy(
        settings.json.loads(stack.policy.read_text())
        ["releases"][0]["pcrs"]["16"], str(directory / "root.pem"))
    settings.write_json(directory / "policy.json", done)
finally:
    stack.stop()
