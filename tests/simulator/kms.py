"""A stand-in for AWS KMS: GenerateDataKey and Decrypt with Recipient, behind
Signature Version 4, with key policies that have PCR conditions; in KMS's own
shapes and errors. The document is judged, and the answer encrypted, by
kms_helper (libhallmark and OpenSSL). No network here: kms_server.py has that.
"""

import base64
import datetime
import hashlib
import hmac
import json
import os
import re
import subprocess

SKEW_S = 300
SIGNED = {"host", "x-amz-date", "x-amz-target"}
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9-]+)/"
    r"aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})")
CONDITION = re.compile(r"kms:RecipientAttestation:(ImageSha384|PCR(\d+))")


class Refused(Exception):
    """An error of KMS's: its type and what it says."""

    def __init__(self, kind, message, status=400):
        super().__init__(kind, message)
        self.status = status
        self.body = {"__type": kind, "message": message}
        if kind.endswith("DeniedException"):
            self.body = {"__type": kind, "Message": message}


# ---- Signature Version 4, from AWS's description ----

def _mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signature(secret, request, names, date, region, service):
    """request: method, path, query, headers (lower case), body."""
    method, path, query, headers, body = request
    canonical = "\n".join(
        [method, path, query]
        + [f"{name}:{' '.join(headers[name].split())}" for name in names]
        + ["", ";".join(names), hashlib.sha256(body).hexdigest()])
    scope = f"{date[:8]}/{region}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", date, scope,
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in (date[:8], region, service, "aws4_request"):
        key = _mac(key, part)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _when(date):
    return datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(
        tzinfo=datetime.timezone.utc)


class Kms:
    """keys: what `key_id` may name, with its policy (a dictionary as in
    deploy/kms); credentials: by id a secret, a token and a role."""

    def __init__(self, helper, root_pem, region="eu-central-1"):
        self.helper, self.root_pem, self.region = helper, root_pem, region
        self.keys = {}
        self.credentials = {}
        self.wrapped = {}       # what each CiphertextBlob stands for
        self.ahead_s = 0        # of its clock
        self.shape = "chunks"   # of CiphertextForRecipient
        self.ignores_recipient = False  # not KMS at all: answers in the plain
        self.calls = []         # (operation, "ok" or the error's type)

    def now(self):
        return (datetime.datetime.now(datetime.timezone.utc)
                + datetime.timedelta(seconds=self.ahead_s))

    def answer(self, method, path, headers, body):
        """The status and the JSON that it answers."""
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        try:
            role = self._authenticate((method, path, "", headers, body))
            result = self._do(operation, role, json.loads(body))
        except Refused as refused:
            self.calls.append((operation, refused.body["__type"]))
            return refused.status, refused.body
        self.calls.append((operation, "ok"))
        return 200, result

    # ---- who asks ----

    def _authenticate(self, request):
        headers = request[3]
        found = AUTHORIZATION.fullmatch(headers.get("authorization", ""))
        if not found:
            raise Refused("MissingAuthenticationTokenException",
                          "Missing Authentication Token")
        access_id, day, region, service, names, given = found.groups()
        names = names.split(";")
        known = self.credentials.get(access_id)
        if known is None or headers.get(
                "x-amz-security-token", "") != known["token"]:
            raise Refused("UnrecognizedClientException",
                          "The security token included in the request is "
                          "invalid.")
        if known.get("expired"):
            raise Refused("ExpiredTokenException",
                          "The security token included in the request is "
                          "expired")
        must = SIGNED | ({"x-amz-security-token"} if known["token"] else set())
        date = headers.get("x-amz-date", "")
        if (names != sorted(names) or not must <= set(names)
                or not set(names) <= set(headers) or date[:8] != day
                or (region, service) != (self.region, "kms")):
            raise Refused("IncompleteSignature",
                          "Credential or SignedHeaders are not as they "
                          "should be")
        self._check_date(date)
        wanted = signature(known["secret"], request, names, date, region,
                           service)
        if not hmac.compare_digest(wanted, given):
            raise Refused("InvalidSignatureException",
                          "The request signature we calculated does not match "
                          "the signature you provided. Check your AWS Secret "
                          "Access Key and signing method.")
        return known["role"]

    def _check_date(self, date):
        now = self.now()
        off = (now - _when(date)).total_seconds()
        text = now.strftime("%Y%m%dT%H%M%SZ")
        if off > SKEW_S:
            raise Refused("InvalidSignatureException",
                          f"Signature expired: {date} is now earlier than "
                          f"{text} ({text} - 5 min.)")
        if off < -SKEW_S:
            raise Refused("InvalidSignatureException",
                          f"Signature not yet current: {date} is still later "
                          f"than {text} ({text} + 5 min.)")

    # ---- what is asked ----

    def _do(self, operation, role, ask):
        if operation not in ("GenerateDataKey", "Decrypt"):
            raise Refused("UnknownOperationException", "")
        arn = self._find_key(ask.get("KeyId", ""))
        recipient = ask.get("Recipient") or {}
        if recipient.get("KeyEncryptionAlgorithm") != "RSAES_OAEP_SHA_256":
            raise Refused("ValidationException",
                          "Recipient.KeyEncryptionAlgorithm")
        context = ask.get("EncryptionContext", {})
        document = base64.b64decode(recipient["AttestationDocument"])
        if operation == "GenerateDataKey":
            if ask.get("KeySpec") != "AES_256":
                raise Refused("ValidationException", "KeySpec")
            plain, blob = os.urandom(32), os.urandom(184)
        else:
            blob = base64.b64decode(ask["CiphertextBlob"])
            plain = None
        pcrs = self._allowed(arn, operation, role)
        if plain is None:
            plain = self._unwrap(blob, arn, context)
        sealed = self._seal(document, pcrs, plain, arn, operation, role)
        self.wrapped[blob] = (plain, arn, context)
        return self._result(operation, arn, blob, sealed, plain)

    def _result(self, operation, arn, blob, sealed, plain):
        result = {"KeyId": arn, "CiphertextForRecipient": sealed,
                  "Plaintext": "",
                  "KeyMaterialId": hashlib.sha256(arn.encode()).hexdigest()}
        if self.ignores_recipient:
            result["Plaintext"] = base64.b64encode(plain).decode()
        if operation == "GenerateDataKey":
            result["CiphertextBlob"] = base64.b64encode(blob).decode()
        else:
            result["EncryptionAlgorithm"] = "SYMMETRIC_DEFAULT"
        return result

    def _find_key(self, key_id):
        for arn in self.keys:
            if key_id in (arn, arn.rpartition("/")[2]):
                return arn
        raise Refused("NotFoundException",
                      f"Key '{key_id}' does not exist")

    def _unwrap(self, blob, arn, context):
        plain, its_arn, its_context = self.wrapped.get(blob, (None,) * 3)
        if plain is None or its_context != context:
            raise Refused("InvalidCiphertextException", "")
        if its_arn != arn:
            raise Refused("IncorrectKeyException",
                          "The key ID in the request does not identify a CMK "
                          "that can perform this operation.")
        return plain

    # ---- the key's policy ----

    def _denied(self, arn, operation, role):
        return Refused("AccessDeniedException",
                       f"User: {role} is not authorized to perform: "
                       f"kms:{operation} on resource: {arn} because no "
                       f"resource-based policy allows the kms:{operation} "
                       "action")

    def _allowed(self, arn, operation, role):
        """The PCRs of the statement that allows it, as INDEX:HEX."""
        for statement in self.keys[arn]["Statement"]:
            principal = statement["Principal"]["AWS"]
            session = role.replace(":sts:", ":iam:").replace(
                ":assumed-role/", ":role/")
            if (statement["Effect"] != "Allow"
                    or f"kms:{operation}" not in statement["Action"]
                    or not session.startswith(principal + "/")):
                continue
            return self._pcrs(statement["Condition"])
        raise self._denied(arn, operation, role)

    @staticmethod
    def _pcrs(condition):
        pcrs = []
        for name, value in condition["StringEqualsIgnoreCase"].items():
            found = CONDITION.fullmatch(name)
            assert found, name
            pcrs.append(f"{found[2] or 0}:{value.lower()}")
        return pcrs

    def _seal(self, document, pcrs, plain, arn, operation, role):
        done = subprocess.run(
            [self.helper, self.root_pem, self.shape, *pcrs],
            input=json.dumps(
                {"document": base64.b64encode(document).decode(),
                 "plaintext": base64.b64encode(plain).decode()}),
            capture_output=True, text=True, check=True, timeout=30)
        said = json.loads(done.stdout)
        if said["verdict"] == "pcr_mismatch":
            raise self._denied(arn, operation, role)
        if said["verdict"] != "valid" or not said["sealed"]:
            raise Refused("ValidationException",
                          "Recipient attestation document is not valid: "
                          + said["verdict"])
        return said["sealed"]
