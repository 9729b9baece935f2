"""A price inside an attestation document: the hardware vouches for the very
text, and nobody's RSA key is needed."""

import base64
import concurrent.futures
import json
import os

import cbor
import client
import rfc6962
import support


def payload(answer):
    """What the document (COSE_Sign1) says, and its user_data."""
    document = cbor.read(base64.b64decode(answer["attestation_doc_b64"]))
    said = cbor.read(document[2])
    return said, cbor.read(said["user_data"])


class AttestedPrice(support.StackTest):
    def ask(self, nonce, feed="BTC-USD"):
        reply = client.request(self.stack.oracle_url(
            f"/price/{feed}?nonce={nonce.hex()}&attested=true"))
        self.assertEqual(reply.status, 200, reply.body)
        return reply.json()

    def verify(self, answer, nonce):
        path = self.stack.dir / "attested.json"
        path.write_text(json.dumps(answer))
        return self.stack.verify(path, "--nonce", nonce.hex())

    def test_price(self):
        """the document holds the content's hash and the nonce; no signature"""
        nonce = os.urandom(32)
        answer = self.ask(nonce)
        said, bound = payload(answer)
        self.assertEqual(said["nonce"], nonce)
        self.assertEqual(bound["content_sha256"].hex(),
                         support.sha256(answer["content"]))
        content = client.content_of(answer)
        self.assertEqual(bound["boot_id"].hex(), content["boot_id"])
        self.assertEqual(bound["config_sha256"].hex(),
                         content["config_sha256"])
        self.assertNotIn("signature_b64", answer)
        done = self.verify(answer, nonce)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_same_text(self):
        """the content is the text that the oracle has signed"""
        for _ in range(10):     # a tick may come between the two
            attested = self.ask(os.urandom(16))
            signed = client.request(
                self.stack.oracle_url("/price/BTC-USD")).json()
            if attested["content"] == signed["content"]:
                return
        self.fail("never the same item")

    def test_together(self):
        """those who ask at once share documents, each with its path"""
        nonces = [os.urandom(32) for _ in range(24)]
        with concurrent.futures.ThreadPoolExecutor(len(nonces)) as pool:
            answers = list(pool.map(self.ask, nonces))
        documents = {answer["attestation_sha256"] for answer in answers}
        self.assertLess(len(documents), len(nonces) / 2)
        for answer, nonce in zip(answers, nonces):
            said, bound = payload(answer)
            self.assertEqual(bound["content_sha256"].hex(),
                             support.sha256(answer["content"]))
            self.assertEqual(answer["nonce"], nonce.hex())
            path = answer.get("nonce_path")
            if path is None:
                self.assertEqual(said["nonce"], nonce)
                continue
            self.assertTrue(rfc6962.included(
                rfc6962.leaf(nonce), path["index"], path["size"],
                [bytes.fromhex(text) for text in path["path"]],
                said["nonce"]))
        shared = [(a, n) for a, n in zip(answers, nonces)
                  if "nonce_path" in a]
        done = self.verify(*shared[0])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_attacks(self):
        """another price, an old answer, another's document: refused"""
        nonce, other = os.urandom(32), os.urandom(32)
        answer, eth = self.ask(nonce), self.ask(other, "ETH-USD")
        changed = json.loads(json.dumps(answer))
        content = json.loads(changed["content"])
        content["price"] = "1" + content["price"]
        changed["content"] = json.dumps(content, separators=(",", ":"))
        moved = {**answer, **{key: eth[key] for key in
                              ("attestation_doc_b64", "attestation_sha256")}}
        for what, forged, asked in (
                ("another price", changed, nonce),
                ("an old answer", answer, os.urandom(32)),
                ("another's document", moved, nonce),
                ("another's document and nonce", moved, other)):
            with self.subTest(what):
                done = self.verify(forged, asked)
                self.assertGreater(done.returncode, 1,
                                   done.stdout + done.stderr)

    def test_refused(self):
        """half a question is refused, and says what is missing"""
        for query, name in (("nonce=00", "attested"),
                            ("nonce=00&attested=false", "attested"),
                            ("nonce=00&attested=1", "attested"),
                            ("attested=true", "nonce"),
                            ("attested=true&nonce=0", "nonce"),
                            ("attested=true&nonce=" + "00" * 513, "nonce"),
                            ("attested=true&nonce=00&max_age_ms=1",
                             "max_age_ms")):
            reply = client.request(
                self.stack.oracle_url(f"/price/BTC-USD?{query}"))
            self.assertEqual(reply.status, 400, query)
            self.assertEqual(reply.json()["parameter"], name)
        self.assert_problem(client.request(self.stack.oracle_url(
            "/price/NO-SUCH?attested=true&nonce=00")), 404, "FEED_UNKNOWN")
        self.assertEqual(self.get(  # the verifier is no enclave
            "/price/BTC-USD?attested=true&nonce=00").status, 400)
