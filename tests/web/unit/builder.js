// builder: makes what AWS and an oracle make, under a root of its own: a chain
// of certificates, a document, an item. Each part can be spoilt by name, so
// that one thing at a time is wrong.
import "./setup.js";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { parsePolicy } from "../../../verifier/web/policy.js";

export const NOW_MS = 1795219200000; // 2026-11-21T00:00:00Z
export const BOOT_ID = "00112233445566778899aabbccddeeff";
export const CONFIG_SHA256 = "c0".repeat(32);
const MODULE_ID = "i-0123456789abcdef0-enc019aa5b1c0000000";
const PCRS = Array.from({ length: 17 },
  (_, i) => createHash("sha384").update(`pcr${i}`).digest());

// ---- DER ----

export function der(tag, ...parts) {
  const body = Buffer.concat(parts.map((p) => Buffer.from(p)));
  const head = body.length < 0x80 ? [tag, body.length]
    : body.length < 0x100 ? [tag, 0x81, body.length]
      : [tag, 0x82, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from(head), body]);
}

const hex = (text) => Buffer.from(text, "hex");
const oid = (text) => der(0x06, hex(text));
const ECDSA_SHA384 = der(0x30, oid("2a8648ce3d040303"));

function nameOf(text) {
  return der(0x30, der(0x31, der(0x30, oid("550403"),
    der(0x0c, Buffer.from(text)))));
}

function time(ms) {
  const text = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, "");
  return der(0x17, Buffer.from(text.slice(2)));
}

export function extension(id, critical, value) {
  return der(0x30, oid(id), ...(critical ? [der(0x01, [0xff])] : []),
    der(0x04, value));
}

export function constraints(ca, pathlen = null, critical = true) {
  return extension("551d13", critical, der(0x30,
    ...(ca ? [der(0x01, [0xff])] : []),
    ...(pathlen === null ? [] : [der(0x02, [pathlen])])));
}

export function usage(...bits) {
  return extension("551d0f", true, der(0x03, bits));
}

const CA_USAGE = usage(1, 0x86), LEAF_USAGE = usage(6, 0xc0);

// ---- certificates ----

const keys = Array.from({ length: 5 },
  () => generateKeyPairSync("ec", { namedCurve: "P-384" }));

export function certificate({ subject, issuer, key, signer, extensions,
  serial = [1], notBeforeMs = NOW_MS - 3600000, notAfterMs = NOW_MS + 7200000,
  version = der(0xa0, der(0x02, [2])), algorithm = ECDSA_SHA384,
  outerAlgorithm = algorithm, tail = [], unused = 0, signatureTag = 0x03,
  spki = key.publicKey.export({ type: "spki", format: "der" }),
  finish = (body) => body }) {
  const tbs = der(0x30, version, der(0x02, serial), algorithm, nameOf(issuer),
    der(0x30, time(notBeforeMs), time(notAfterMs)), nameOf(subject), spki,
    ...tail, ...(extensions.length
      ? [der(0xa3, der(0x30, ...extensions))] : []));
  const signature = sign("sha384", tbs, signer.privateKey);
  return finish(der(0x30, tbs, outerAlgorithm,
    der(signatureTag, [unused], signature)));
}

const NAMES = ["simulated.test.root", "regional", "zonal", "instance",
  `${MODULE_ID}.test.aws`];

function makeLink(i, spoil) {
  const above = Math.max(0, i - 1);
  return certificate({
    subject: NAMES[i], issuer: NAMES[above], key: keys[i],
    signer: keys[above],
    extensions: i === 4 ? [constraints(false), LEAF_USAGE]
      : [constraints(true, i === 0 ? null : 3 - i), CA_USAGE],
    ...spoil,
  });
}

const ROOT_DER = makeLink(0, {}); // signatures differ each time

// Root first, leaf last; spoil(i) gives what is to be changed in the
// arguments of certificate i.
export function makeChain(spoil = () => ({})) {
  return NAMES.map((_, i) => {
    const changes = spoil(i);
    return i === 0 && Object.keys(changes).length === 0 ? ROOT_DER
      : makeLink(i, changes);
  });
}

// ---- CBOR ----

function head(kind, value) {
  if (value < 24) return Buffer.from([kind << 5 | value]);
  if (value < 0x100) return Buffer.from([kind << 5 | 24, value]);
  if (value < 0x10000) {
    return Buffer.from([kind << 5 | 25, value >> 8, value & 255]);
  }
  const out = Buffer.alloc(9, kind << 5 | 27);
  out.writeBigUInt64BE(BigInt(value), 1);
  return out;
}

export const cborUint = (value) => head(0, value);
export const cborBytes = (b) => Buffer.concat([head(2, b.length), b]);
export const cborText = (t) => Buffer.concat([head(3, Buffer.byteLength(t)),
  Buffer.from(t)]);
export const cborArray = (...v) => Buffer.concat([head(4, v.length), ...v]);
export const cborNull = Buffer.from([0xf6]);
export function cborMap(entries) {
  return Buffer.concat([head(5, entries.length), ...entries.flat()]);
}

// ---- the document ----

export const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
export const RSA_SPKI = rsa.publicKey.export({ type: "spki", format: "der" });
export const RSA_PEM = rsa.publicKey.export({ type: "spki", format: "pem" });

export function userData(bootId = BOOT_ID, config = CONFIG_SHA256) {
  return cborMap([[cborText("boot_id"), cborBytes(hex(bootId))],
    [cborText("config_sha256"), cborBytes(hex(config))]]);
}

// The payload's entries by key, encoded; spoil.payload changes or adds some (a
// value of null leaves the key out), spoil.more puts others behind them.
function payloadOf(chain, spoil) {
  const pcrs = spoil.rawPcrs ?? PCRS;
  const entries = {
    module_id: cborText(MODULE_ID),
    timestamp: cborUint(NOW_MS - 60000),
    digest: cborText("SHA384"),
    pcrs: cborMap(pcrs.map((value, i) => [cborUint(i), cborBytes(value)])),
    certificate: cborBytes(chain.at(-1)),
    cabundle: cborArray(...chain.slice(0, -1).map(cborBytes)),
    public_key: cborBytes(RSA_SPKI),
    user_data: cborBytes(userData()),
    nonce: cborNull,
    ...spoil.payload,
  };
  return cborMap([...Object.entries(entries), ...(spoil.more ?? [])]
    .filter(([, value]) => value !== null)
    .map(([key, value]) => [cborText(key), value]));
}

export function makeDocument(spoil = {}) {
  const chain = spoil.chain ?? makeChain();
  const payload = spoil.rawPayload ?? payloadOf(chain, spoil);
  const header = spoil.header ?? hex("a1013822");
  const signed = cborArray(cborText("Signature1"), cborBytes(header),
    cborBytes(Buffer.alloc(0)), cborBytes(payload));
  const signature = sign("sha384", signed, { dsaEncoding: "ieee-p1363",
    key: (spoil.signer ?? keys[4]).privateKey });
  return new Uint8Array(cborArray(cborBytes(header),
    cborMap(spoil.unprotected ?? []), cborBytes(payload),
    cborBytes(signature), ...(spoil.fifth ?? [])));
}

export function toPem(certificateDer) {
  const lines = certificateDer.toString("base64").match(/.{1,64}/g).join("\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

export function pinned() {
  return Object.fromEntries([0, 1, 2, 16].map(
    (i) => [i, PCRS[i].toString("hex")]));
}

// Trusts the chain's root and pins its PCRs.
export function makePolicy(more = {}, root = ROOT_DER) {
  return parsePolicy(JSON.stringify({ root_files: ["root.pem"],
    releases: [{ name: "test", pcrs: pinned() }], ...more }), [toPem(root)]);
}

// ---- the item ----

export function makeSource(more = {}) {
  return { exchange: "kraken", symbol: "XBTUSD", last: "84000.10", bid: null,
    ask: null, price: "84000.10", exchange_ms: null,
    received_ms: NOW_MS - 100, body_sha256: "ab".repeat(32),
    tls_spki_sha256: "cd".repeat(32), state: "used", ...more };
}

export function makeContent(more = {}) {
  return { format: "hallmark/1", feed: "BTC-USD", boot_id: BOOT_ID,
    sequence: 7, status: "ok", price: "84000.10", confidence: "0.00",
    published_ms: NOW_MS, expires_ms: NOW_MS + 5000, sources: [makeSource()],
    aggregation: "median", min_sources: 1, config_sha256: CONFIG_SHA256,
    previous_sha256: "ef".repeat(32), ...more };
}

// { text, document } of an item; spoil: { content (object or text), document,
// envelope (members to change; null leaves one out) }
export function makeItem(spoil = {}) {
  const document = spoil.document ?? makeDocument();
  const content = typeof spoil.content === "string" ? spoil.content
    : JSON.stringify(makeContent(spoil.content));
  const envelope = {
    content,
    signature_b64: sign("sha256", Buffer.from(content), rsa.privateKey)
      .toString("base64"),
    public_key: RSA_PEM,
    platform: "simulated",
    attestation_sha256: createHash("sha256").update(document).digest("hex"),
    ...spoil.envelope,
  };
  for (const key of Object.keys(envelope)) {
    if (envelope[key] === null) delete envelope[key];
  }
  return { text: JSON.stringify(envelope), document };
}
