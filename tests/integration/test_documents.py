"""Real attestation documents of AWS Nitro, under the root that is built in."""

import csv
import unittest

import support

NITRO = support.VECTORS / "nitro"
ZEROS = "00" * 48


class Documents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        support.need_vectors(NITRO / "EXPECTED.tsv")
        with open(NITRO / "EXPECTED.tsv", newline="") as table:
            cls.rows = list(csv.DictReader(table, delimiter="\t"))

    def rows_of(self, verdict, minimum):
        rows = [row for row in self.rows if row["verdict"] == verdict]
        self.assertGreaterEqual(len(rows), minimum)
        return rows

    def verify(self, row, at):
        pcrs = []
        for index in range(3):
            value = row[f"pcr{index}"] or ZEROS
            pcrs += ["--pcr", f"{index}:{value}"]
        return support.run("hallmark", "verify", NITRO / row["file"],
                           "--root", "aws-nitro-g1", *pcrs, "--at", at)

    def assert_exit(self, done, codes, row):
        self.assertIn(done.returncode, codes,
                      row["file"] + "\n" + done.stdout + done.stderr)

    def test_valid_then(self):
        """real documents are valid at their own time, with their PCRs"""
        for row in self.rows_of("valid", 3):
            self.assert_exit(self.verify(row, "document"), {0}, row)

    def test_expired_now(self):
        """the same documents are refused as expired today"""
        for row in self.rows_of("valid", 3):
            done = self.verify(row, "now")
            self.assert_exit(done, {6}, row)
            self.assertIn("expired", done.stdout + done.stderr)

    def test_other_image(self):
        """a real document of another image is refused by its PCR0"""
        for row in self.rows_of("valid", 3)[:3]:
            done = self.verify(dict(row, pcr0="ab" * 48), "document")
            self.assert_exit(done, {5}, row)
            self.assertIn("pcr0", done.stdout + done.stderr)

    def test_debug(self):
        """documents of debug enclaves are refused as such"""
        for row in self.rows_of("debug", 1):
            self.assert_exit(self.verify(row, "document"), {7}, row)

    def test_rejected(self):
        """altered, malformed and made-up documents are refused"""
        for row in self.rows_of("reject", 1):
            self.assert_exit(self.verify(row, "document"), range(2, 8), row)


if __name__ == "__main__":
    unittest.main()
