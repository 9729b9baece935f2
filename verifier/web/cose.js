// cose: COSE_Sign1 (RFC 9052, 4.2) as AWS writes it and in no other form: an
// array of four (tag 18 before it or not), the protected header exactly
// {1: -35} (ES384, RFC 9053 2.1), an empty unprotected header, a payload, a
// signature r || s of 96 bytes, and nothing behind.
//
// What the signature does not cover (the tag, the outer heads, s or n - s) can
// be changed by anybody: never take the bytes or their hash for an identity.
import { concat, equal, toUtf8 } from "./bytes.js";
import { Cursor } from "./cbor.js";
import { verifyRaw } from "./ecdsa.js";
import { need, reading } from "./refused.js";

const DOCUMENT_MAX = 20480; // bytes; real ones: below 8 KiB
const PAYLOAD_MAX = 16384; // AWS, attestation_process.md 3.1
const SIGNATURE_LEN = 96;
const SIGN1_TAG = 18;
const PROTECTED = Uint8Array.of(0xa1, 0x01, 0x38, 0x22);

// { payload, signature }, views of the bytes; or Refused cose_malformed.
export function parseCose(bytes) {
  return reading("cose_malformed", () => {
    need(bytes.length <= DOCUMENT_MAX, "longer than any document");
    const cursor = new Cursor(bytes);
    cursor.takeTag(SIGN1_TAG);
    need(cursor.array() === 4, "not an array of four");
    const header = cursor.byteString(PROTECTED.length, PROTECTED.length);
    need(equal(header, PROTECTED), "the algorithm is not ES384");
    need(cursor.map().left === 0, "an unprotected header");
    const payload = cursor.byteString(1, PAYLOAD_MAX);
    const signature = cursor.byteString(SIGNATURE_LEN, SIGNATURE_LEN);
    cursor.end();
    return { payload, signature };
  });
}

function byteStringHead(len) {
  if (len < 24) return Uint8Array.of(0x40 + len);
  if (len < 256) return Uint8Array.of(0x58, len);
  return Uint8Array.of(0x59, len >> 8, len & 255);
}

// RFC 9052, 4.4: ["Signature1", protected, external_aad = h'', payload]
export function signedBytes(payload) {
  return concat(Uint8Array.of(0x84, 0x6a), toUtf8("Signature1"),
    Uint8Array.of(0x44), PROTECTED, Uint8Array.of(0x40),
    byteStringHead(payload.length), payload);
}

// Is it this P-384 key's signature?
export function verifyCose(cose, key) {
  return verifyRaw(key, cose.signature, signedBytes(cose.payload));
}
