// ecdsa: P-384 with SHA-384, by the browser's WebCrypto. That r and s lie
// within 1..n-1 (SEC 1, 4.1.4) is looked at here as well: Java's library once
// forgot it (CVE-2022-21449).
import { toHex } from "./bytes.js";

const ORDER = BigInt("0xffffffffffffffffffffffffffffffffffffffffffffffff" +
  "c7634d81f4372ddf581a0db248b0a77aecec196accc52973");
const SCALAR_LEN = 48;

// A key from an uncompressed point of 97 bytes; rejects if it is not on the
// curve.
export function importPoint(point) {
  return crypto.subtle.importKey("raw", point,
    { name: "ECDSA", namedCurve: "P-384" }, false, ["verify"]);
}

function inRange(scalar) {
  const value = BigInt(`0x${toHex(scalar)}`);
  return value > 0n && value < ORDER;
}

// `raw` is r || s.
export async function verifyRaw(key, raw, data) {
  if (raw.length !== 2 * SCALAR_LEN || !inRange(raw.subarray(0, SCALAR_LEN)) ||
      !inRange(raw.subarray(SCALAR_LEN))) {
    return false;
  }
  return crypto.subtle.verify({ name: "ECDSA", hash: "SHA-384" }, key, raw,
    data);
}
