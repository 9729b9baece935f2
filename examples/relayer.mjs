// node relayer.mjs SERVER FEED POLICY: each new price of a feed, verified with
// nothing but node:crypto: signature, attestation document, chain, policy.
import { createHash, verify, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";

const [server, feed, file] = process.argv.slice(2);
const { root_files, releases, max_age_s = 300, max_future_s = 5, ...others } =
  JSON.parse(readFileSync(file));
const roots = root_files.map((name) => new X509Certificate(readFileSync(name)));
const must = (right, what) => { if (!right) throw new Error(what); };
// What is not judged here, the policy must not ask for.
must(!Object.values(others).some((rule) => rule?.length ?? rule), "policy");
must(releases.every(({ pcrs }) => pcrs[0] ?? pcrs[1] ?? pcrs[2]), "policy");

// The part of CBOR (RFC 8949) that attestation documents are written in.
function cbor(bytes, state = { at: 0 }) {
  const next = () => cbor(bytes, state), pair = () => [next(), next()];
  const take = (n) => bytes.subarray(state.at, state.at += n);
  must(state.at < bytes.length, "cbor");
  const head = take(1)[0], info = head & 31, pairs = [];
  if (head === 0xf6) return null;
  // AWS marks the end of a document's map; nothing is read behind it.
  while (head === 0xbf && bytes[state.at] !== 0xff) pairs.push(pair());
  if (head === 0xbf) return new Map(pairs);
  const n = info < 24 ? info : +`0x${take(1 << info - 24).toString("hex")}`;
  must(head < 0x20 || n <= bytes.length, "cbor");
  return [() => n, null, () => take(n), () => take(n).toString(),
    () => Array.from({ length: n }, next),
    () => new Map(Array.from({ length: n }, pair))][head >> 5]();
}

function checkDocument(bytes, now) {
  const [alg, , payload, signature] = cbor(bytes), document = cbor(payload);
  const chain = [...document.get("cabundle"), document.get("certificate")]
    .map((der) => new X509Certificate(der));
  must(roots.some((root) => root.raw.equals(chain[0].raw)), "root");
  chain.forEach((cert, i) => must(now >= Date.parse(cert.validFrom) &&
    now <= Date.parse(cert.validTo) && (i === 0 || chain[i - 1].ca &&
    cert.checkIssued(chain[i - 1]) && cert.verify(chain[i - 1].publicKey)),
  `certificate ${i}`));
  const signed = Buffer.concat([Buffer.from("\x84\x6aSignature1\x44", "latin1"),
    alg, Buffer.from([0x40, 0x59, payload.length >> 8, payload.length]),
    payload]);
  const { publicKey: key } = chain.at(-1), dsaEncoding = "ieee-p1363";
  must(verify("sha384", signed, { key, dsaEncoding }, signature), "document");
  must(releases.some(({ pcrs, not_before, not_after }) =>
    !(now < Date.parse(not_before) || now > Date.parse(not_after)) &&
    Object.entries(pcrs).every(([i, hex]) => [hex].flat().includes(
      document.get("pcrs").get(Number(i))?.toString("hex")))), "pcrs");
  return document;
}

function checkItem({ content, signature_b64, attestation_doc_b64 }, now) {
  const doc = checkDocument(Buffer.from(attestation_doc_b64, "base64"), now);
  const bound = cbor(doc.get("user_data")), item = JSON.parse(content);
  const key = { key: doc.get("public_key"), format: "der", type: "spki" };
  must(verify("sha256", Buffer.from(content), key,
    Buffer.from(signature_b64, "base64")), "item_signature");
  must(["boot_id", "config_sha256"].every((name) =>
    bound.get(name).toString("hex") === item[name]), "user_data");
  must(item.feed === feed && item.status === "ok", "another item");
  must(item.published_ms >= doc.get("timestamp") - max_future_s * 1000 &&
    item.published_ms >= now - max_age_s * 1000 && now <= item.expires_ms &&
    item.published_ms <= now + max_future_s * 1000, "time");
  return { ...item, hash: createHash("sha256").update(content).digest("hex") };
}

for (let last = { sequence: 0, boot_id: "0".repeat(32) }; ;) try {
  const reply = await fetch(`${server}/price/${feed}?after_sequence=${
    last.sequence}&boot_id=${last.boot_id}`);
  must(reply.status === 200, `no newer price: ${reply.status}`);
  const item = checkItem(await reply.json(), Date.now());
  must(item.boot_id !== last.boot_id || item.sequence > last.sequence + 1 ||
    item.previous_sha256 === last.hash, "sequence");
  console.log(item.feed, (last = item).price);
} catch (error) {
  console.error(error.message);
  await new Promise((done) => setTimeout(done, 1000));
}
