// x509: one certificate of a Nitro chain, held against the profile that all of
// AWS's have: X.509 v3 in DER, a P-384 key by name, ecdsa-with-SHA384,
// critical basicConstraints, keyUsage. Extended key usages, name constraints
// and policies are not part of it: a certificate with one of them is refused,
// and so is one with any critical extension but the two above.
import { equal, sha256, toHex, toLatin1 } from "./bytes.js";
import { BIT_STRING, BOOLEAN, Der, INTEGER, OBJECT_ID, OCTET_STRING,
  SEQUENCE, SET, checkDer } from "./der.js";
import { importPoint, verifyRaw } from "./ecdsa.js";
import { fromAsn1 } from "./moment.js";
import { Refused, need, reading } from "./refused.js";

const CERTIFICATE_MAX = 1024; // bytes, AWS's attestation_process.md 2.2
const SERIAL_MAX = 20; // RFC 5280, 4.1.2.2
const EXTENSIONS_MAX = 16;
const PATHLEN_MAX = 16; // no chain of ours is longer
const NAME_MAX = 159; // characters of a common name that we look at

// RFC 5758, 3.2: ecdsa-with-SHA384, and "the parameters field MUST be absent"
const ALGORITHM = "06082a8648ce3d040303";
// id-ecPublicKey with secp384r1 by name: explicit parameters may describe a
// curve of the attacker's making (CVE-2020-0601). Then the point, uncompressed.
const SPKI = "3076301006072a8648ce3d020106052b8104002203620004";
const SPKI_LEN = 120, POINT_LEN = 97;

const COMMON_NAME = "550403";
const BASIC_CONSTRAINTS = "551d13", KEY_USAGE = "551d0f",
  SUBJECT_KEY = "551d0e", AUTHORITY_KEY = "551d23", CRL_POINTS = "551d1f";
const FORBIDDEN = new Set(["551d25", // extKeyUsage
  "551d1e", // nameConstraints
  "551d20", "551d21", "551d24", "551d36", // policies
  "2b0601050507010e"]); // proxyCertInfo

const DIGITAL_SIGNATURE = 0x80, CERT_SIGN = 0x04, CRL_SIGN = 0x02;

// ---- extensions ----

function readExtension(der) {
  const fields = der.enter(SEQUENCE);
  const oid = toHex(fields.take(OBJECT_ID));
  const critical = fields.peek() === BOOLEAN; // checkDer(): TRUE
  if (critical) fields.take(BOOLEAN);
  const value = fields.take(OCTET_STRING);
  fields.end();
  return { oid, critical, value };
}

function readConstraints(value) {
  const fields = new Der(value).enter(SEQUENCE);
  const out = { ca: false, pathlen: null };
  if (fields.peek() === BOOLEAN) {
    fields.take(BOOLEAN); // checkDer(): TRUE
    out.ca = true;
  }
  if (fields.more) {
    const pathlen = fields.take(INTEGER);
    need(pathlen.length === 1 && pathlen[0] <= PATHLEN_MAX, "pathLen");
    out.pathlen = pathlen[0];
  }
  fields.end();
  return out;
}

// Nine bits in one byte or two; X.690, 11.2.2: no trailing zero bits.
function readUsage(value) {
  const bits = new Der(value).take(BIT_STRING);
  need(bits.length === 2 || bits.length === 3, "keyUsage");
  need((bits[bits.length - 1] >> bits[0] & 1) === 1, "keyUsage ends with 0");
  return bits[1];
}

// RFC 5280, 4.2.1.1: only the keyIdentifier, as AWS writes it.
function readAuthority(value) {
  const fields = new Der(value).enter(SEQUENCE);
  const id = fields.more ? fields.take(0x80) : null;
  fields.end();
  return id;
}

const KNOWN = {
  [BASIC_CONSTRAINTS]: ["constraints", readConstraints],
  [KEY_USAGE]: ["usage", readUsage],
  [SUBJECT_KEY]: ["subjectKey", (value) => new Der(value).take(OCTET_STRING)],
  [AUTHORITY_KEY]: ["authorityKey", readAuthority],
  [CRL_POINTS]: ["crlPoints", () => true],
};

function keepExtension(cert, { oid, critical, value }) {
  need(!FORBIDDEN.has(oid), "an extension that does not belong here");
  const known = KNOWN[oid];
  if (known === undefined) {
    need(!critical, "a critical extension that we do not know");
    return;
  }
  checkDer(value);
  if (oid === BASIC_CONSTRAINTS) {
    need(critical, "basicConstraints that are not critical");
  } else if (oid !== KEY_USAGE) {
    need(!critical, "critical, but should not be");
  }
  cert[known[0]] = known[1](value);
}

function readExtensions(cert, der) {
  const list = der.enter(0xa3).enter(SEQUENCE);
  const seen = new Set();
  while (list.more) {
    const extension = readExtension(list);
    need(!seen.has(extension.oid), "an extension comes twice");
    seen.add(extension.oid);
    need(seen.size <= EXTENSIONS_MAX, "too many extensions");
    keepExtension(cert, extension);
  }
  need(seen.size > 0, "no extensions");
}

// ---- the certificate ----

function readAlgorithm(der) {
  need(toHex(der.take(SEQUENCE)) === ALGORITHM, "not ecdsa-with-SHA384");
}

function readSerial(der) {
  const serial = der.take(INTEGER);
  const positive = serial[0] === 0 ? serial.subarray(1) : serial;
  need((serial[0] & 0x80) === 0 && positive.length > 0, "serial number");
  need(positive.length <= SERIAL_MAX, "serial number");
  return positive;
}

function readTime(der) {
  const { tag, value } = der.element();
  need(tag === 0x17 || tag === 0x18, "not a time");
  return fromAsn1(tag, value);
}

function readSpki(der) {
  const { whole } = der.element();
  need(whole.length === SPKI_LEN && toHex(whole).startsWith(SPKI),
    "not a P-384 key");
  return whole;
}

function readName(der) {
  const { tag, whole } = der.element();
  need(tag === SEQUENCE, "not a name");
  return whole;
}

function readBody(cert, tbs) {
  const body = new Der(tbs).enter(SEQUENCE);
  need(toHex(body.take(0xa0)) === "020102", "not version 3");
  cert.serial = readSerial(body);
  readAlgorithm(body);
  cert.issuer = readName(body);
  const validity = body.enter(SEQUENCE);
  cert.notBeforeMs = readTime(validity);
  cert.notAfterMs = readTime(validity);
  validity.end();
  cert.subject = readName(body);
  cert.spki = readSpki(body);
  readExtensions(cert, body);
  body.end(); // unique identifiers would stand before the extensions
}

function readCert(der) {
  need(der.length <= CERTIFICATE_MAX, "longer than any certificate");
  checkDer(der);
  const fields = new Der(der).enter(SEQUENCE);
  const cert = { der, constraints: null, usage: 0, subjectKey: null,
    authorityKey: null };
  cert.tbs = fields.element().whole;
  readBody(cert, cert.tbs);
  readAlgorithm(fields);
  const signature = fields.take(BIT_STRING);
  fields.end();
  need(signature[0] === 0, "a signature that is not whole bytes");
  cert.signature = signature.subarray(1);
  cert.name = commonName(cert.subject);
  return cert;
}

// The only common name, if it is printable ASCII; else "".
function commonName(name) {
  const found = [];
  const sets = new Der(name).enter(SEQUENCE);
  while (sets.more) {
    for (const set = sets.enter(SET); set.more;) {
      const pair = set.enter(SEQUENCE);
      const oid = toHex(pair.take(OBJECT_ID));
      const { value } = pair.element();
      pair.end();
      if (oid === COMMON_NAME) found.push(toLatin1(value));
    }
  }
  if (found.length !== 1 || found[0].length > NAME_MAX) return "";
  return /^[\x20-\x7e]*$/.test(found[0]) ? found[0] : "";
}

// The certificate with its key and the SHA-256 of its key; or Refused
// certificate_profile.
export async function parseCert(der) {
  const cert = reading("certificate_profile", () => readCert(der));
  try {
    cert.key = await importPoint(cert.spki.subarray(SPKI_LEN - POINT_LEN));
  } catch {
    throw new Refused("certificate_profile", "a point not on the curve");
  }
  cert.spkiSha256 = await sha256(cert.spki);
  return cert;
}

// A CA with so many CAs between it and the leaf?
export function isCa(cert, casBelow) {
  return cert.constraints !== null && cert.constraints.ca &&
    (cert.constraints.pathlen ?? casBelow) >= casBelow &&
    (cert.usage & CERT_SIGN) !== 0;
}

// CA:FALSE, may sign documents, may not sign certificates?
export function isLeaf(cert) {
  return cert.constraints !== null && !cert.constraints.ca &&
    cert.constraints.pathlen === null &&
    (cert.usage & DIGITAL_SIGNATURE) !== 0 &&
    (cert.usage & (CERT_SIGN | CRL_SIGN)) === 0;
}

// ---- who signed it ----

function pad48(integer) {
  const bytes = integer[0] === 0 ? integer.subarray(1) : integer;
  need((integer[0] & 0x80) === 0 && bytes.length <= 48, "a number too large");
  const out = new Uint8Array(48);
  out.set(bytes, 48 - bytes.length);
  return out;
}

// r || s, or null.
function rawSignature(der) {
  try {
    checkDer(der);
    const pair = new Der(der).enter(SEQUENCE);
    const raw = new Uint8Array(96);
    raw.set(pad48(pair.take(INTEGER)));
    raw.set(pad48(pair.take(INTEGER)), 48);
    pair.end();
    return raw;
  } catch {
    return null;
  }
}

// Names are compared by their bytes: the issuer copies them.
export async function isSignedBy(cert, issuer) {
  if (!equal(cert.issuer, issuer.subject)) return false;
  if (cert.authorityKey !== null && issuer.subjectKey !== null &&
      !equal(cert.authorityKey, issuer.subjectKey)) {
    return false;
  }
  const raw = rawSignature(cert.signature);
  return raw !== null && verifyRaw(issuer.key, raw, cert.tbs);
}
