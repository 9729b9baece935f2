"""Many who challenge an oracle at once share one attestation document, and each
can see that it answers its own nonce."""

import base64
import concurrent.futures
import os
import re

import cbor
import client
import rfc6962
import support

MANY = 60


def payload(answer):
    """The map inside of the document (COSE_Sign1)."""
    document = cbor.read(base64.b64decode(answer["attestation_doc_b64"]))
    return cbor.read(document[2])


def answers(answer, nonce):
    """Whether this is an answer to that nonce."""
    found, path = payload(answer)["nonce"], answer.get("nonce_path")
    if path is None:
        return found == nonce
    return rfc6962.included(rfc6962.leaf(nonce), path["index"], path["size"],
                            [bytes.fromhex(text) for text in path["path"]],
                            found)


class Nonces(support.StackTest):
    def ask(self, nonce):
        reply = client.request(
            self.stack.oracle_url(f"/attestation?nonce={nonce.hex()}"))
        self.assertEqual(reply.status, 200, reply.body)
        return reply.json()

    def counted(self, name):
        text = client.request(
            self.stack.oracle_url("/metrics")).body.decode()
        return int(re.search(rf"(?m)^hallmark_oracle_{name} (\d+)$", text)[1])

    def ask_many(self, nonces):
        with concurrent.futures.ThreadPoolExecutor(len(nonces)) as pool:
            return list(pool.map(self.ask, nonces))

    def test_many(self):
        """many nonces at once cost few calls of the attester"""
        nonces = [os.urandom(32) for _ in range(MANY)]
        before = self.counted("attester_calls_total")
        asked = self.counted("nonces_attested_total")
        got = self.ask_many(nonces)
        calls = self.counted("attester_calls_total") - before
        self.assertEqual(self.counted("nonces_attested_total") - asked, MANY)
        self.assertLess(calls, MANY / 2)
        for answer, nonce in zip(got, nonces):
            self.assertTrue(answers(answer, nonce))
        shared = [(a, n) for a, n in zip(got, nonces) if "nonce_path" in a]
        self.assertGreater(len(shared), MANY / 2)

    def test_replayed(self):
        """an answer to another one's nonce is no answer, nor a changed one"""
        nonces = [os.urandom(32) for _ in range(8)]
        got = self.ask_many(nonces)
        for i, answer in enumerate(got):
            self.assertFalse(answers(answer, os.urandom(32)))
            for j, nonce in enumerate(nonces):
                self.assertEqual(answers(answer, nonce), i == j)

    def test_alone(self):
        """who asks alone finds its nonce in the document as it is"""
        nonce = os.urandom(32)
        answer = self.ask(nonce)
        self.assertNotIn("nonce_path", answer)
        self.assertEqual(payload(answer)["nonce"], nonce)

    def test_refused(self):
        """no bytes, half a byte, too many bytes or no hex: refused by name"""
        for text in ("", "0", "zz", "00" * 513):
            reply = client.request(
                self.stack.oracle_url(f"/attestation?nonce={text}"))
            self.assertEqual(reply.status, 400, text)
            self.assertEqual(reply.json()["parameter"], "nonce")
