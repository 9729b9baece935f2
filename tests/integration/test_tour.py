"""The seven commands of the README that are not about prices, as they stand
there, each with an attack on it: what `make tour` shows."""

import sys
import unittest

import settings
from program import Failed

sys.path.insert(0, str(settings.ROOT / "deploy"))
import tour  # noqa: E402
from tour_stack import TourStack  # noqa: E402

README = tour.README.read_text()


class Tour(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = TourStack()
        cls.addClassCleanup(cls.stack.stop)
        cls.stack.start()
        cls.parts = {kind: kind(cls.stack) for kind in tour.PARTS}

    def go(self, kind):
        """The README's command, then its attack; both are told on failure."""
        part, told = self.parts[kind], []
        try:
            part.run(tour.command_of(README, part.heading, part.number),
                     told.append)
            part.run_attack(told.append)
        except Failed as failed:
            self.fail(f"{failed}\n{''.join(told)}")
        return "".join(told)

    def test_channel(self):
        """hallmark attest; somebody in between"""
        self.go(tour.Channel)

    def test_attested(self):
        """a result inside an attestation; a replayed nonce"""
        self.assertIn("RSA signature was not looked at",
                      self.go(tour.Attested))

    def test_kept(self):
        """the key survives a restart; KMS answers for other PCRs"""
        self.assertEqual(self.go(tour.Kept).count("BEGIN PUBLIC KEY"), 2)

    def test_sealed(self):
        """hallmark seal; a token that is wrong by one bit"""
        self.go(tour.Sealed)

    def test_fetched(self):
        """hallmark fetch; a host outside of the list"""
        self.go(tour.Fetched)

    def test_peers(self):
        """two co-signatures, demanded; one of them twice"""
        self.go(tour.Peers)

    def test_quote(self):
        """a quote and its collateral; other data held"""
        self.go(tour.Quote)

    # ---- and it notices ----

    def test_notices_a_wrong_command(self):
        """a command that does not work, or says something else, is a failure
        """
        part = self.parts[tour.Channel]
        good = tour.command_of(README, part.heading, part.number)
        for wrong in (good.replace("policy.json", "polcy.json"), "true"):
            with self.assertRaises(Failed):
                part.run(wrong, lambda text: None)

    def test_notices_a_feeble_attack(self):
        """an attack that is not refused is a failure, and one for another
        reason too"""
        part = self.parts[tour.Attested]
        self.addCleanup(setattr, part, "attack", part.attack)
        for feeble in ("true", "hallmark verify attested.json",
                       "echo REFUSED nonce_mismatch"):
            part.attack = feeble
            with self.assertRaises(Failed):
                part.run_attack(lambda text: None)

    def test_notices_a_missing_section(self):
        """a section or a command that is no longer there is named"""
        for heading, number in (("No such", 0), ("Fetched", 1)):
            with self.assertRaisesRegex(Failed, heading):
                tour.command_of(README, heading, number)


if __name__ == "__main__":
    unittest.main()
