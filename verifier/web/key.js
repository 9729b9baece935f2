// key: the attested RSA key that signs items. Only what the oracle makes is
// accepted: SubjectPublicKeyInfo in DER, rsaEncryption, 2048 to 4096 bits, an
// odd exponent of at least 65537 that fits 32 bits (FIPS 186-4, B.3.1).
import { toBase64, toHex } from "./bytes.js";
import { BIT_STRING, Der, INTEGER, SEQUENCE, checkDer } from "./der.js";
import { need } from "./refused.js";

// RFC 3279, 2.3.1: rsaEncryption with parameters NULL
const ALGORITHM = "06092a864886f70d0101010500";
const BITS_MIN = 2048, BITS_MAX = 4096;
const EXPONENT_MIN = 65537n, EXPONENT_MAX = 0xffffffffn;

function positive(der) {
  const value = der.take(INTEGER);
  need((value[0] & 0x80) === 0, "a negative number");
  return BigInt(`0x${toHex(value)}`);
}

function checkSpki(spki) {
  checkDer(spki);
  const body = new Der(spki).enter(SEQUENCE);
  need(toHex(body.take(SEQUENCE)) === ALGORITHM, "not an RSA key");
  const bits = body.take(BIT_STRING);
  body.end();
  need(bits[0] === 0, "not whole bytes");
  checkDer(bits.subarray(1));
  const key = new Der(bits.subarray(1)).enter(SEQUENCE);
  const modulus = positive(key), exponent = positive(key);
  key.end();
  const size = modulus.toString(2).length;
  need(size >= BITS_MIN && size <= BITS_MAX, `${size} bits`);
  need(exponent >= EXPONENT_MIN && exponent <= EXPONENT_MAX &&
    exponent % 2n === 1n, "exponent");
}

// RFC 7468, 13
function toPem(spki) {
  const lines = toBase64(spki).match(/.{1,64}/g).join("\n");
  return `-----BEGIN PUBLIC KEY-----\n${lines}\n-----END PUBLIC KEY-----\n`;
}

// { pem, key }, or null: documents may carry other keys or none.
export async function openItemKey(spki) {
  if (spki === null) return null;
  try {
    checkSpki(spki);
    const key = await crypto.subtle.importKey("spki", spki,
      { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, false, ["verify"]);
    return { pem: toPem(spki), key };
  } catch {
    return null;
  }
}

// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2.2)
export function verifyBytes(itemKey, signature, bytes) {
  return crypto.subtle.verify("RSASSA-PKCS1-v1_5", itemKey.key, signature,
    bytes);
}
