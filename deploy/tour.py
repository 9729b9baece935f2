#!/usr/bin/env python3
"""What an oracle does besides prices, in seven parts: runs the commands of the
README, as they stand there, on an installation of its own (simulated, offline),
and after each an attack, which must be refused.

  make tour                   all of them; then, on a terminal, it stays for
                              tries of your own until Ctrl-C. Exit status 0
                              only if all did what they should
  make tour TOUR_STAYS=1      stays wherever its output goes
"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

from program import Failed  # noqa: E402
from tour_stack import TourStack  # noqa: E402

README = ROOT / "README.md"
COMMAND_S = 60      # a ceiling
SHOWN_LINES, SHOWN_COLUMNS = 14, 110


def blocks(readme, heading):
    """The indented blocks of a section, each one text."""
    section = re.search(rf"(?ms)^## {re.escape(heading)}\n(.*?)(?=^## |\Z)",
                        readme)
    if not section:
        raise Failed(f"README.md has no section {heading!r}")
    return [re.sub(r"(?m)^    ", "", block).strip() for block in
            re.findall(r"(?m)(?:^    .*\n)+", section[1])]


def command_of(readme, heading, number):
    """The command that stands there."""
    found = [block for block in blocks(readme, heading)
             if re.match(r"hallmark |curl |NONCE=", block)]
    if number >= len(found):
        raise Failed(f"README.md: {len(found)} commands in {heading!r}")
    return found[number]


class Part:
    """One part: its command, and an attack on it. says: what the good output
    has; the attack's verdict and exit status are what must come of it."""

    title = heading = None
    number, says = 0, ""
    attack_is = attack = verdict = None
    status = 5

    def __init__(self, stack):
        self.stack = stack
        self.dir = stack.folder(self.name)
        self.env = {"ORACLE": stack.oracle_url("")}
        self.prepare()

    def prepare(self):
        self.stack.policy_for(self.stack.config("oracle"),
                              self.dir / "policy.json")

    def shell(self, command):
        """(exit status, output) of a command as a user would type it."""
        path = f"{self.stack.bin}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command], cwd=self.dir,
            env={**os.environ, **self.env, "PATH": path}, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=COMMAND_S)
        return done.returncode, done.stdout

    def run(self, command, say):
        say("".join(f"  {name}={value}\n" for name, value in self.env.items()
                    if f"${name}" in command) + show_command(command))
        status, text = self.shell(command)
        say(show(text, "  "))
        if status != 0 or not re.search(self.says, text):
            raise Failed(f"{self.heading}: exit status {status}, wanted 0 and "
                         f"{self.says!r}; files in {self.dir}")
        return text

    def run_attack(self, say):
        say(f"  Attacked: {self.attack_is}\n" + show_command(self.attack))
        status, text = self.shell(self.attack)
        say(show(text, "  ", last=3))
        self.must_be_refused(status, text)

    def must_be_refused(self, status, text):
        if status != self.status or self.verdict not in text:
            raise Failed(f"{self.heading}: {self.attack_is}: exit status "
                         f"{status}, wanted {self.status}, {self.verdict}")


class Channel(Part):
    title = "To whom one speaks"
    heading, name = "The attested channel", "channel"
    says = "this connection ends in that enclave"
    attack_is = "somebody in between, with a certificate of his own"
    attack = 'hallmark attest "$BETWEEN" --policy policy.json'
    status, verdict = 3, "REFUSED key_not_attested"

    def prepare(self):
        channel = self.stack.channel
        address = "https+attested://127.0.0.1:"
        self.env = {"ORACLE": f"{address}{channel.port}",
                    "BETWEEN": f"{address}{channel.between_port}"}
        self.stack.policy_for(channel.config, self.dir / "policy.json")


class Attested(Part):
    title = "A price inside an attestation"
    heading, number, name = "The attested channel", 1, "attested"
    says = r"(?m)^ok    attested_content\b(.|\n)*^VALID "
    attack_is = "an old answer, replayed to a new nonce"
    attack = ("hallmark verify attested.json --policy policy.json "
              "--nonce $(openssl rand -hex 32)")
    verdict = "REFUSED nonce_mismatch"


class Kept(Part):
    title = "A key that survives restarts"
    heading, name = "A key that survives restarts", "kms"
    says = r"^1\n.*BEGIN PUBLIC KEY"
    attack_is = "KMS is to open the key for another image (its PCR0)"
    attack = "# the oracle is started again, and its log says"
    status, verdict = 1, "AccessDeniedException"

    def run(self, command, say):
        before = super().run(command, say)
        say("  The oracle is restarted.\n")
        self.stack.restart_oracle()
        after = super().run(command, say)
        if before != after:
            raise Failed("the key is another after a restart")
        return after

    def run_attack(self, say):
        say(f"  Attacked: {self.attack_is}\n  {self.attack}\n")
        kms, oracle = self.stack.kms, self.stack.programs["oracle"]
        good = dict(kms.keys)
        oracle.stop()
        try:
            for arn in good:
                kms.keys[arn] = self.stack.key_policy(ImageSha384="ab" * 48)
            status, log = self.stack.oracle_dies()
        finally:
            kms.keys = good
        lines = [line for line in log.splitlines() if self.verdict in line]
        say(show("\n".join(lines), "  ", last=1))
        self.must_be_refused(status, log)
        oracle.start()
        self.stack.wait_ready("oracle")


class Sealed(Part):
    title = "A secret, sealed to the enclave"
    heading, name = "Keys of paid APIs", "sealed"
    says = "SEALED coinmarketcap_api_key"
    attack_is = "a token that is wrong by one bit"
    attack = ('hallmark seal "$ORACLE" --policy policy.json --token-file '
              "wrong-token \\\n    coinmarketcap_api_key < key")
    verdict = "SECRET_REFUSED"

    def prepare(self):
        super().prepare()
        self.stack.secret_files(self.dir)


class Fetched(Part):
    title = "An answer of another server, attested"
    heading, name = "Fetched", "fetched"
    says = '"last": *"'
    attack_is = "a host that the configuration does not allow"
    attack = ('hallmark fetch "$ORACLE" api.bitfinex.com/v2/ticker/tBTCUSD '
              "--policy policy.json")
    status, verdict = 1, "FETCH_NOT_ALLOWED"


class Peers(Part):
    title = "Three enclaves stand by one price"
    heading, name = "Enclave to enclave", "peers"
    says = "2 of 2 co-signatures hold"
    attack_is = "one co-signature is taken away, the other stands there twice"
    attack = ("jq -c '.cosignatures[1] = .cosignatures[0]' item.json > "
              "twice.json\nhallmark verify twice.json --policy policy.json")
    verdict = "REFUSED quorum_missing"

    def prepare(self):
        oracle = self.stack.peers["a"]
        self.env = {"ORACLE": oracle.url()}
        self.stack.policy_for(oracle.config, self.dir / "policy.json",
                              quorum=2)


class Quote(Part):
    title = "A quote of another platform"
    heading, name = "SGX and TDX", "sgx"
    says = r"(?m)^VALID sgx-dcap "
    attack_is = "other data are said to be what the enclave held"
    attack = ("hallmark verify quote.bin --held policy.json "
              "--policy policy.json")
    verdict = "REFUSED held_data_mismatch"

    def prepare(self):
        self.env = {}
        self.stack.quote_files(self.dir)


PARTS = (Channel, Attested, Kept, Sealed, Fetched, Peers, Quote)


def show(text, margin, last=SHOWN_LINES):
    """Its last lines, cut where they are longer than a terminal."""
    lines = text.strip("\n").splitlines()
    cut = [line[:SHOWN_COLUMNS] + ("..." if line[SHOWN_COLUMNS:] else "")
           for line in lines[-last:]]
    return "".join(f"{margin}{line}\n" for line in
                   (["..."] if lines[last:] else []) + cut)


def show_command(command):
    lines = command.splitlines()
    margins = ["  > " if before.endswith("\\") else "  $ "
               for before in ["", *lines]]
    return "".join(f"{margin}{line}\n" for margin, line in zip(margins, lines))


def say(text):
    print(text, end="", flush=True)


def stay(parts):
    say("\nEverything runs until Ctrl-C. To try by hand, in another "
        "terminal:\n\n  export PATH=" + f"{parts[0].stack.bin}:$PATH\n")
    for part in parts:
        env = " ".join(f"export {name}={value};"
                       for name, value in part.env.items())
        say(f"  cd {part.dir}; {env}".rstrip("; ") + "\n")
    while True:
        parts[0].stack.programs_run()
        time.sleep(0.5)


def run(stack, stays, shown):
    """`shown` gets the parts once all of them did what they should."""
    readme = README.read_text()
    stack.start(lambda text: say(f"{text}\n"))
    parts = [kind(stack) for kind in PARTS]
    for number, part in enumerate(parts, 1):
        say(f"\n{number} of {len(parts)}: {part.title} (README, \"{part.heading}\")\n\n")
        part.run(command_of(readme, part.heading, part.number), say)
        say("\n")
        part.run_attack(say)
    say(f"\nAll {len(parts)} did what the README says, and all "
        f"{len(parts)} attacks were refused.\n")
    shown += parts
    if stays:
        stay(parts)


def interrupt(*_):
    raise KeyboardInterrupt


def on_signals(what):
    """Also where a shell that runs us in the background had them ignored."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, what)


def main():
    stays = os.environ.get("TOUR_STAYS", "") not in ("", "0") or \
        sys.stdout.isatty()
    try:
        stack = TourStack()
    except Failed as problem:
        say(f"{problem}: make tour\n")
        return 1
    failed, shown = None, []
    on_signals(interrupt)
    try:
        run(stack, stays, shown)
    except (Failed, OSError, subprocess.SubprocessError) as problem:
        failed = problem
    except KeyboardInterrupt:
        failed = None if shown else "interrupted"
    finally:
        on_signals(signal.SIG_IGN)
        say("stopping everything ...\n")
        stack.stop(keep=failed is not None)
    if failed is None:
        return 0
    say(f"\nThe tour failed: {failed}\nLogs: {stack.dir}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
